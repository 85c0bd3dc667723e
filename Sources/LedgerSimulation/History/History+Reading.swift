internal import TradeLedger

extension History {
  /// - Throws: ``HistoryError`` of kind `badData`, with the line that makes no sense.
  init(bytes: [UInt8]) throws(HistoryError) {
    var lines = Lines(bytes)
    guard var header = try lines.next() else {
      throw History.bad("it is empty")
    }
    do throws(FlatObjectError) {
      self = try History(header: &header)
      while true {
        guard var line = try lines.nextObject() else {
          throw FlatObjectError(message: "the file ends before its last line")
        }
        guard try read(&line, count: lines.number - 1) else { break }
      }
      if try lines.nextObject() != nil {
        throw FlatObjectError(message: "something after the last line")
      }
      guard kills.count == options.workers else {
        throw FlatObjectError(message: "not a line for each worker")
      }
    } catch {
      throw History.bad("line \(lines.number): \(error.message)")
    }
    do throws(LedgerError) { try options.validate() } catch {
      throw History.bad("line 1: \(error.message)")
    }
  }

  static func bad(_ what: String) -> HistoryError {
    HistoryError(
      kind: .badData, message: "this is not a history that can be judged: \(escaped(what))",
      hint: "name a file that 'simulate --history' of this version has written to its end")
  }

  /// - Returns: false for the last line.
  private mutating func read(
    _ line: inout FlatObject, count: Int
  ) throws(FlatObjectError) -> Bool {
    let kind = try line.text("line")
    switch kind {
    case "worker":
      guard try line.integer("worker") == Int64(kills.count) else {
        throw FlatObjectError(message: "a worker out of order")
      }
      kills.append(Int(try line.integer("kills", in: 0...Int64(Int32.max))))
    case "failure": failures.append(try line.text("what"))
    case "bot": evidence.bots.append(try BotTerms(&line))
    case "call":
      let call = try Call(&line)
      guard kills.indices.contains(call.worker) else {
        throw FlatObjectError(message: "a call of a worker that does not exist")
      }
      evidence.calls.append(call)
    case "row": evidence.rows.append(try TradeRow(&line))
    case "tenure":
      let tenure = try Tenure(&line)
      guard kills.indices.contains(tenure.worker) else {
        throw FlatObjectError(message: "a tenure of a worker that does not exist")
      }
      evidence.tenures.append(tenure)
    case "conflict":
      evidence.conflicts.append(
        ConflictRow(bot: try line.text("bot"), trade: try line.integer("trade")))
    case "order": evidence.orders.append(try ExchangeOrder(&line))
    case "jump":
      evidence.clockJumps.append(
        ClockJump(
          from: try line.integer("from_boot_us"), to: try line.integer("to_boot_us"),
          offset: try line.integer("offset_us")))
    case "strike": evidence.strikes.append(try Strike(&line))
    case "end":
      guard try line.integer("lines") == Int64(count) else {
        throw FlatObjectError(message: "lines are missing before this one")
      }
    default: throw FlatObjectError(message: "no such kind of line: \(kind)")
    }
    try line.expectNoMore()
    return kind != "end"
  }

  private init(header line: inout FlatObject) throws(FlatObjectError) {
    guard case .text(let schema)? = line.take("schema"), schema.hasPrefix(History.schemaName) else {
      throw FlatObjectError(message: "no schema \(History.schemaName)\(History.version)")
    }
    guard schema == History.schemaName + History.version else {
      throw FlatObjectError(message: "written by another version: \(schema)")
    }
    var options = SimulationOptions()
    options.strategy = try line.word("strategy")
    options.workers = Int(try line.integer("workers", in: 1...256))
    options.bots = Int(try line.integer("bots", in: 1...1000))
    options.instances = try line.optionalInteger("instances", in: 0...256).map { Int($0) }
    options.duration = try line.interval("duration_us")
    options.cooldown = try line.interval("cooldown_us")
    let fastest = try line.interval("exchange_fastest_us")
    let slowest = try line.interval("exchange_slowest_us")
    guard fastest <= slowest else { throw FlatObjectError(message: "no range of latencies") }
    options.exchangeLatency = fastest...slowest
    options.failuresPerMillion = Int(try line.integer("failures_per_million", in: 0...1_000_000))
    options.isExchangeCareless = try line.integer("exchange_careless", in: 0...1) == 1
    let names = try line.text("chaos")
    guard let chaos = names.isEmpty ? [] : SimulationOptions.chaos(names) else {
      throw FlatObjectError(message: "no such chaos: \(names)")
    }
    options.chaos = chaos
    options.seed = UInt64(try line.integer("seed", in: 0...Int64(SimulationOptions.largestSeed)))
    options.lockWait = try line.interval("lock_wait_us")
    let isSerial = try line.optionalInteger("order_of_each_bot", in: 1...1) == nil
    let elapsed = try line.interval("elapsed_us")
    let interruption = try line.optionalInteger("interruption", in: 1...64).map { Int32($0) }
    var faults = InjectedFaults()
    faults.pauses = Int(try line.integer("pauses", in: 0...Int64(Int32.max)))
    faults.cleanups = Int(try line.integer("cleanups", in: 0...Int64(Int32.max)))
    faults.filesDeleted = Int(try line.integer("files_deleted", in: 0...Int64(Int32.max)))
    faults.busyErrors = Int(try line.integer("busy_errors", in: 0...Int64(Int32.max)))
    faults.lateFills = Int(try line.integer("late_fills", in: 0...Int64(Int32.max)))
    faults.lockedOut = try line.interval("locked_out_us").wholeMicroseconds
    try line.expectNoMore()
    self.init(
      options: options, elapsed: elapsed, interruption: interruption, kills: [], faults: faults,
      evidence: Evidence(isSerial: isSerial))
  }

  /// The lines of a file, each an object.
  private struct Lines {
    private var rest: ArraySlice<UInt8>
    /// Of the line that was read last, from 1.
    private(set) var number = 0

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    mutating func next() throws(HistoryError) -> FlatObject? {
      do throws(FlatObjectError) { return try nextObject() } catch {
        throw History.bad("line \(number): \(error.message)")
      }
    }

    mutating func nextObject() throws(FlatObjectError) -> FlatObject? {
      guard !rest.isEmpty else { return nil }
      number += 1
      guard let end = rest.firstIndex(of: 0x0a) else {
        throw FlatObjectError(message: "the file ends within this line")
      }
      defer { rest = rest[(end + 1)...] }
      return try FlatObject(rest[..<end])
    }
  }
}

// MARK: - Members

extension FlatObject {
  fileprivate mutating func optionalText(_ name: String) throws(FlatObjectError) -> String? {
    switch take(name) {
    case .text(let text): return text
    case .null: return nil
    case .integer: throw FlatObjectError(message: "\(name) is not a text")
    case nil: throw FlatObjectError(message: "no \(name)")
    }
  }

  fileprivate mutating func text(_ name: String) throws(FlatObjectError) -> String {
    guard let text = try optionalText(name) else {
      throw FlatObjectError(message: "\(name) is null")
    }
    return text
  }

  /// A text that stands for a case.
  fileprivate mutating func word<Word: RawRepresentable<String>>(
    _ name: String
  ) throws(FlatObjectError) -> Word {
    let text = try text(name)
    guard let word = Word(rawValue: text) else {
      throw FlatObjectError(message: "no such \(name): \(text)")
    }
    return word
  }

  fileprivate mutating func optionalInteger(
    _ name: String, in range: ClosedRange<Int64> = .min...(.max)
  ) throws(FlatObjectError) -> Int64? {
    switch take(name) {
    case .integer(let value):
      guard range.contains(value) else { throw FlatObjectError(message: "\(name) out of range") }
      return value
    case .null: return nil
    case .text: throw FlatObjectError(message: "\(name) is not an integer")
    case nil: throw FlatObjectError(message: "no \(name)")
    }
  }

  fileprivate mutating func integer(
    _ name: String, in range: ClosedRange<Int64> = .min...(.max)
  ) throws(FlatObjectError) -> Int64 {
    guard let value = try optionalInteger(name, in: range) else {
      throw FlatObjectError(message: "\(name) is null")
    }
    return value
  }

  fileprivate mutating func interval(_ name: String) throws(FlatObjectError) -> Duration {
    .microseconds(try integer(name, in: 0...FlatObject.largestInteger))
  }

  fileprivate mutating func pid() throws(FlatObjectError) -> Int32 {
    Int32(try integer("pid", in: 0...Int64(Int32.max)))
  }

  fileprivate mutating func worker() throws(FlatObjectError) -> Int {
    Int(try integer("worker", in: 0...Int64(Int32.max)))
  }

  fileprivate mutating func optionalMoment(_ name: String) throws(FlatObjectError) -> Moment? {
    let wall = try optionalInteger(name + "_at_us")
    let boot = try optionalInteger(name + "_boot_us")
    switch (wall, boot) {
    case (let wall?, let boot?): return Moment(wall: wall, boot: boot)
    case (nil, nil): return nil
    default: throw FlatObjectError(message: "\(name) by one clock alone")
    }
  }

  fileprivate mutating func moment(_ name: String) throws(FlatObjectError) -> Moment {
    guard let moment = try optionalMoment(name) else {
      throw FlatObjectError(message: "\(name) is null")
    }
    return moment
  }

  fileprivate func expectNoMore() throws(FlatObjectError) {
    if let name = members.first?.name {
      throw FlatObjectError(message: "a member that does not belong here: \(name)")
    }
  }
}

extension BotTerms {
  fileprivate init(_ line: inout FlatObject) throws(FlatObjectError) {
    self.init(
      name: try line.text("bot"), cooldown: try line.integer("cooldown_us"),
      lease: try line.optionalInteger("lease_us"),
      blocks: try line.integer("blocks", in: 0...1) == 1,
      isEnabled: try line.integer("enabled", in: 0...1) == 1)
  }
}

extension Call {
  fileprivate init(_ line: inout FlatObject) throws(FlatObjectError) {
    self.init(
      worker: try line.worker(), pid: try line.pid(), bot: try line.text("bot"),
      key: try line.text("key"), called: try line.moment("called"),
      ordered: try line.optionalMoment("ordered"), trade: try line.optionalInteger("trade"),
      told: try line.optionalMoment("told"))
    guard let text = try line.optionalText("answer") else { return }
    guard let answer = Answer(text.split(separator: " ").map(String.init)[...]) else {
      throw FlatObjectError(message: "no such answer: \(text)")
    }
    self.answer = answer
  }
}

extension TradeRow {
  fileprivate init(_ line: inout FlatObject) throws(FlatObjectError) {
    self.init(
      id: try line.integer("id"), bot: try line.text("bot"), key: try line.text("key"),
      status: try line.word("status"), createdAt: try line.integer("created_at_us"),
      createdBoot: try line.integer("created_boot_us"),
      filledAt: try line.optionalInteger("filled_at_us"),
      filledBoot: try line.optionalInteger("filled_boot_us"),
      receivedAt: try line.optionalInteger("received_at_us"),
      receivedBoot: try line.optionalInteger("received_boot_us"),
      cooldown: try line.integer("cooldown_us"),
      leaseUntil: try line.optionalInteger("lease_until_us"),
      pid: try line.optionalInteger("pid", in: 0...Int64(Int32.max)).map { Int32($0) })
    instance = try line.optionalText("instance")
    epoch = try line.optionalInteger("epoch")
    guard let text = try line.optionalText("settled_by") else { return }
    guard let settler = Settler(rawValue: text) else {
      throw FlatObjectError(message: "no such settled_by: \(text)")
    }
    settledBy = settler
  }
}

extension Tenure {
  fileprivate init(_ line: inout FlatObject) throws(FlatObjectError) {
    self.init(
      worker: try line.worker(), pid: try line.pid(), name: try line.text("name"),
      asked: try line.moment("asked"), told: try line.optionalMoment("told"),
      leaving: try line.optionalMoment("leaving"), left: try line.optionalMoment("left"),
      killed: try line.optionalInteger("killed_boot_us"),
      gone: try line.optionalInteger("gone_boot_us"))
    guard let text = try line.optionalText("answer") else { return }
    guard let answer = NameAnswer(text.split(separator: " ").map(String.init)[...]) else {
      throw FlatObjectError(message: "no such answer: \(text)")
    }
    self.answer = answer
  }
}

extension ExchangeOrder {
  fileprivate init(_ line: inout FlatObject) throws(FlatObjectError) {
    let decision = try line.text("decision")
    self.init(
      key: try line.text("key"), bot: try line.text("bot"), pid: try line.pid(),
      decision: try ExchangeDecision.decode(decision), at: try line.moment("decided"))
  }
}

extension ExchangeDecision {
  fileprivate static func decode(_ text: String) throws(FlatObjectError) -> ExchangeDecision {
    // The words of the pipe between supervisor and worker.
    guard case .reply(_, let decision?)? = SupervisorLine("reply 0 \(text)") else {
      throw FlatObjectError(message: "no such decision: \(text)")
    }
    return decision
  }
}

extension Strike {
  fileprivate init(_ line: inout FlatObject) throws(FlatObjectError) {
    self.init(
      kind: try line.word("kind"), worker: try line.worker(), pid: try line.pid(),
      at: try line.integer("boot_us"))
  }
}
