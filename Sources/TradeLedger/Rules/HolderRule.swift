/// What a look at a pid showed.
struct ProcessSighting: Hashable, Sendable {
  /// What the system said to a signal that is not sent (kill(2) with signal 0).
  enum Answer: CaseIterable, Sendable {
    case permitted
    /// EPERM: somebody else's process. It is there.
    case forbidden
    /// ESRCH.
    case noSuchProcess
  }
  let answer: Answer
  /// nil where /proc does not say: it may hide other users' processes, be missing, or belong to
  /// another namespace. That alone proves nothing.
  let details: ProcessDetails?
}

/// What /proc/PID/stat says about a process.
struct ProcessDetails: Hashable, Sendable {
  /// Field 22.
  let startTicks: Int64
  /// Field 3: `R`, `S`, `T`, `Z`, ...
  let state: Character
  /// Field 20.
  let threads: Int

  init(startTicks: Int64, state: Character, threads: Int) {
    self.startTicks = startTicks
    self.state = state
    self.threads = threads
  }

  /// Parses the line of /proc/PID/stat; nil for anything else. A command's name may contain blanks
  /// and parentheses, so the fields are counted after the last `)`.
  init?(stat line: String) {
    let bytes = line.utf8
    guard let end = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
    let fields = bytes[bytes.index(after: end)...]
      .split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
    // One more field than needed: a line that was cut short could end in half a number.
    guard fields.count > 20, let state = fields[0].first, fields[0].count == 1,
      let threads = Int(Substring(fields[17])), let startTicks = Int64(Substring(fields[19])),
      startTicks >= 0
    else { return nil }
    self.init(
      startTicks: startTicks, state: Character(Unicode.Scalar(state)), threads: threads)
  }

  /// A true zombie. A live process whose first thread has ended shows `Z` too, with more threads.
  var isDefunct: Bool { (state == "Z" || state == "X") && threads <= 1 }
}

/// Whether the holder of an instance name lives: dead only on proof (INV-7).
enum HolderRule {
  /// - Parameters:
  ///   - observer: the process that wants to know.
  ///   - sighting: what it sees at the holder's pid. Asked only where that pid means something.
  ///   - machineTime: microseconds of the machine's boot clock, or nil where it does not say.
  static func judge(
    _ holder: InstanceHolder, from observer: ProcessIdentity,
    sighting: @autoclosure () -> ProcessSighting, machineTime: @autoclosure () -> Int64?
  ) -> HolderState {
    if let bootID = holder.bootID, bootID != observer.bootID { return .dead(.rebooted) }
    guard let identity = holder.identity, identity.pidNamespace == observer.pidNamespace,
      identity.timeNamespace == observer.timeNamespace
    else { return byHeartbeat(holder, machineTime) }
    return bySight(identity, sighting())
  }

  /// Where the ledger is no file of this machine: a holder of another boot may well live, on
  /// another host. Whether its heartbeat is over, the clock of the server says.
  ///
  /// - Parameter heartbeatLeft: what is left of the heartbeat, zero or less once it is over; nil
  ///   where the holder has none.
  static func judge(
    _ holder: InstanceHolder, from observer: ProcessIdentity?, heartbeatLeft: Duration?,
    sighting: @autoclosure () -> ProcessSighting
  ) -> HolderState {
    if let heartbeatLeft, heartbeatLeft <= .zero { return .dead(.silent) }
    guard let identity = holder.identity, let observer, identity.bootID == observer.bootID,
      identity.pidNamespace == observer.pidNamespace,
      identity.timeNamespace == observer.timeNamespace
    else { return .unseen(remaining: heartbeatLeft) }
    return bySight(identity, sighting())
  }

  private static func bySight(
    _ identity: ProcessIdentity, _ seen: ProcessSighting
  ) -> HolderState {
    if seen.answer == .noSuchProcess { return .dead(.gone) }
    guard let details = seen.details else { return .alive }
    if details.startTicks != identity.startTicks { return .dead(.pidReused) }
    return details.isDefunct ? .dead(.zombie) : .alive
  }

  private static func byHeartbeat(
    _ holder: InstanceHolder, _ machineTime: () -> Int64?
  ) -> HolderState {
    guard holder.bootID != nil, let until = holder.heartbeatUntil, let now = machineTime() else {
      return .unseen(remaining: nil)
    }
    let remaining = Duration.microseconds(until) - .microseconds(now)
    return remaining <= .zero ? .dead(.silent) : .unseen(remaining: remaining)
  }
}
