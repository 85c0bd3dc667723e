internal import TradeLedger

/// What the rows of the ledger say, and the machine around it.
extension Checkup {
  /// Has the wall clock been set since the newest trade?
  func clock(_ diagnosis: Diagnosis) -> Finding {
    let now = diagnosis.clock
    guard let newest = diagnosis.newestTrade else {
      return Finding("clock", .ok, "\(now.wall); no trade to compare it with")
    }
    let wall = now.wall.elapsed(since: newest.wall)
    guard wall >= .zero else {
      return Finding(
        "clock", .warn, "the newest trade lies \((.zero - wall).readable) in the future",
        do: "set the clock right; until then cooldowns last longer by that, and never shorter")
    }
    guard let boot = now.boot, let then = newest.boot, boot.bootID == then.bootID else {
      return Finding("clock", .ok, "\(now.wall); the newest trade is of another boot")
    }
    let jump = wall - .microseconds(boot.microseconds - then.microseconds)
    guard abs(jump.wholeMicroseconds) > 1_000_000 else {
      return Finding("clock", .ok, "\(now.wall), not set since the newest trade")
    }
    return Finding(
      "clock", .warn,
      "set \(jump < .zero ? "back" : "ahead") by "
        + "\((jump < .zero ? .zero - jump : jump).readable) since the newest trade",
      do: "find out what sets it (chronyc tracking, timedatectl); cooldowns hold all the same")
  }

  static func instances(_ instances: [Instance]) -> Finding {
    var unseen: [String] = []
    var words: [String] = []
    for instance in instances {
      guard let holder = instance.holder else { continue }
      words.append("\(instance.name): \(instance.stateName), process \(holder.pid)")
      if case .unseen(remaining: nil) = instance.state { unseen.append(instance.name.description) }
    }
    guard let name = unseen.first else {
      return Finding(
        "instances", .ok,
        words.isEmpty ? "nobody holds a name" : words.joined(separator: "; "))
    }
    return Finding(
      "instances", .warn, words.joined(separator: "; "),
      do: "\(name) is held from where it cannot be seen, and without a heartbeat: if it is gone, "
        + "'tradeledger instances evict \(name)'")
  }

  static func trades(_ status: LedgerStatus) -> Finding {
    let doubts = status.bots.flatMap(\.inDoubt)
    let pending = status.bots.compactMap(\.pending)
    guard let oldest = doubts.min(by: { $0.createdAt < $1.createdAt }) else {
      return Finding(
        "trades", .ok,
        pending.isEmpty
          ? "all settled" : "\(pending.count) being worked on, within their leases")
    }
    let shown = doubts.prefix(5).map { trade in
      "trade \(trade.id) of \(trade.bot), key \(trade.key), lease over for "
        + (trade.leaseUntil.map { status.readAt.elapsed(since: $0).readable } ?? "?")
    }
    return Finding(
      "trades", .warn,
      "\(doubts.count) in doubt: " + shown.joined(separator: "; ")
        + (doubts.count > shown.count ? "; ... 'tradeledger status' has all" : ""),
      do: "look the key up at the exchange, then 'tradeledger resolve \(oldest.id) --filled' or "
        + "'--void'")
  }

  // MARK: The machine

  /// One for each bug.
  var sqlite: [Finding] {
    let version = Ledger.sqliteVersion
    let bugs = SQLiteBug.known.filter { $0.isIn(version) }.map { bug in
      Finding(
        "sqlite", bug.isAvoided ? .note : .warn, bug.text,
        do: bug.isAvoided ? nil : "install another version of libsqlite3")
    }
    return [Finding("sqlite", .ok, version)] + bugs
  }

  var clockSync: Finding {
    switch inspection.isClockSynchronized {
    case true: Finding("clock-sync", .ok, "the kernel takes the wall clock for synchronized")
    case false:
      Finding(
        "clock-sync", .note, "nothing keeps the wall clock right",
        do: "run chrony or systemd-timesyncd: after a reboot cooldowns are judged by it alone")
    case nil: Finding("clock-sync", .note, "the system does not say who keeps the wall clock")
    }
  }

  var environment: Finding {
    TradeLedgerCLI.environment("LD_PRELOAD") == nil
      ? Finding("environment", .ok, "no library is preloaded")
      : Finding(
        "environment", .note,
        "LD_PRELOAD is set: a library may change what the clocks and files say")
  }
}

/// A bug of SQLite that matters to a database in WAL mode which several processes share.
struct SQLiteBug {
  let text: String
  /// The ledger works so that it cannot strike.
  let isAvoided: Bool
  /// Releases that have it, as (from, to): to is the first one without.
  private let ranges: [([Int], [Int])]

  func isIn(_ version: String) -> Bool {
    let parts = version.split(separator: ".").map { Int($0) ?? 0 }
    return ranges.contains { from, to in
      !parts.lexicographicallyPrecedes(from) && parts.lexicographicallyPrecedes(to)
    }
  }

  static let known = [
    // https://www.sqlite.org/wal.html#walresetbug
    SQLiteBug(
      text: "has the WAL-reset bug of checkpoints (fixed in 3.51.3), which the ledger avoids",
      isAvoided: true,
      ranges: [
        ([3, 7, 0], [3, 44, 6]), ([3, 45, 0], [3, 50, 7]), ([3, 51, 0], [3, 51, 3]),
      ]),
    // https://www.sqlite.org/releaselog/3_51_0.html, https://www.sqlite.org/howtocorrupt.html
    SQLiteBug(
      text: "loses its locks where a worker opens the file without SQLite (until 3.51.0)",
      isAvoided: true, ranges: [([3, 0, 0], [3, 51, 0])]),
    // https://www.sqlite.org/changes.html: in its place came 3.51.3 and 3.53.0
    SQLiteBug(
      text: "this release was withdrawn by its authors", isAvoided: false,
      ranges: [([3, 52, 0], [3, 52, 1])]),
  ]
}
