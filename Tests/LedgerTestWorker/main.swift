// A worker process for tests: reads one command a line, answers with one line.
//
//   LedgerTestWorker PATH [WAIT]
//   create MODE | open [reading] -> ok | error CODE
//   bot NAME COOLDOWN LEASE POLICY -> added | same | differs
//   set NAME COOLDOWN           -> ok
//   reserve BOT KEY TOKEN QTY   -> admitted ID TOKEN | replayed ID TOKEN|- STATUS
//                                  | denied REASON WINNER|- | error CODE
//   crowd COUNT BOT             -> the answers of COUNT concurrent calls, separated by `|`
//   trade BOT                   -> sending KEY, then waits for `ok`, `refuse` or `fail`;
//                                  filled ID | void ID | indoubt ID | denied ... | replayed ID
//   fill ID TOKEN | void ID TOKEN | record BOT | check BOT
//   hammer UNTIL BOT            -> how many were recorded and busy, and the longest call in us
//   poll UNTIL PAUSE            -> looks (status, audit) again and again, with so many microseconds
//                                  in between: how many rounds and errors
//   acquire NAME [HEARTBEAT]    -> acquired NAME EPOCH | denied held PID HOST
//   release                     -> released | lost
//   loss                        -> evicted | taken PID | unreachable CODE (waits for it)
//   fork BOT                    -> the answer of a forked child to `reserve BOT`
//   fork-keys                   -> a key from before a fork, the next one, and the child's
//   `at MICROSECONDS COMMAND ...` waits (spinning) for that moment of the boot clock first.

import Synchronization
import TradeLedger

#if canImport(Glibc)
  import Glibc
#endif

func say(_ line: String) {
  print(line)
  fflush(nil)
}

func spin(until moment: Int64) {
  let clock = SystemClock()
  while let boot = clock.now().boot, boot.microseconds < moment {}
}

func order(_ bot: String, _ quantity: String = "1") throws -> Order {
  Order(
    bot: try BotName(bot), side: .buy, symbol: try Symbol("BTC-USD"),
    quantity: try Amount(quantity))
}

func text(_ denial: Denial) -> String {
  "denied \(denial.reason.rawValue) \(denial.winner.map { $0.id.description } ?? "-")"
}

func text(_ outcome: ReserveOutcome) -> String {
  switch outcome {
  case .admitted(let trade, let permit): "admitted \(trade.id) \(permit.token)"
  case .replayed(let trade, let permit):
    "replayed \(trade.id) \(permit.map { $0.token.description } ?? "-") \(trade.status.rawValue)"
  case .denied(let denial): text(denial)
  }
}

func text(_ outcome: SettleOutcome) -> String {
  switch outcome {
  case .settled(let trade):
    "settled \(trade.status.rawValue) \(trade.isLate ? "late" : "ontime")"
      + (trade.isSuperseded ? " superseded" : "")
  case .replayed(let trade): "replayed \(trade.status.rawValue)"
  case .denied(let denial): text(denial)
  }
}

struct SayFailed: Error {}

/// The lease that this process has, and under which it trades.
enum Held {
  private static let state = Mutex<InstanceLease?>(nil)
  static var lease: InstanceLease? {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
  }
}

func acquire(_ words: [String], _ ledger: Ledger) async throws -> String {
  var options = InstanceOptions()
  options.heartbeat = words.count > 2 ? try Duration(interval: words[2]) : nil
  switch try await ledger.acquireInstance(try InstanceName(words[1]), options) {
  case .acquired(let lease):
    Held.lease = lease
    return "acquired \(lease.name) \(lease.epoch)"
  case .denied(let denial):
    let holder = denial.holder
    return "denied \(denial.reason.rawValue) \(holder?.pid ?? 0) \(holder?.host ?? "-")"
  }
}

func loss(_ lease: InstanceLease) async -> String {
  for await loss in lease.losses {
    switch loss {
    case .evicted: return "evicted"
    case .takenOver(let holder): return "taken \(holder.pid)"
    case .unreachable(let error): return "unreachable \(error.code)"
    }
  }
  return "ended"
}

/// Swift hides fork, because next to nothing works in the child. A refusal must.
func fork() -> pid_t {
  typealias Fork = @convention(c) () -> pid_t
  return unsafeBitCast(dlsym(nil, "fork"), to: Fork.self)()
}

func answerOfFork(_ bot: String, _ ledger: Ledger) async throws -> String {
  var ends: [Int32] = [0, 0]
  guard pipe(&ends) == 0 else { return "error no pipe" }
  let child = fork()
  if child == 0 {
    var answer = "no error"
    do { _ = try await ledger.reserve(try order(bot)) } catch { answer = "\(error)" }
    endChild(saying: answer, to: ends[1])
  }
  return whatChild(child, says: ends)
}

/// What a forked child makes up after its parent has made up something, and what the parent makes up
/// then.
func keysOfFork() -> String {
  let now = Timestamp(microseconds: 0)
  var ends: [Int32] = [0, 0]
  guard pipe(&ends) == 0 else { return "error no pipe" }
  let before = OrderKey.random(at: now)
  let child = fork()
  let mine = OrderKey.random(at: now)
  if child == 0 { endChild(saying: "\(mine)", to: ends[1]) }
  return "\(before) \(mine) \(whatChild(child, says: ends))"
}

func endChild(saying answer: String, to descriptor: Int32) -> Never {
  write(descriptor, answer, answer.utf8.count)
  _exit(0)
}

func whatChild(_ child: pid_t, says ends: [Int32]) -> String {
  close(ends[1])
  var bytes = [UInt8](repeating: 0, count: 4096)
  let count = read(ends[0], &bytes, bytes.count)
  close(ends[0])
  var status: Int32 = 0
  waitpid(child, &status, 0)
  return String(decoding: bytes[..<max(0, count)], as: UTF8.self)
}

func withTrade(_ ledger: Ledger, _ bot: String) async throws -> String {
  let outcome = try await ledger.withTrade(try order(bot)) { permit in
    say("sending \(permit.key)")
    switch readLine() {
    case "ok": return Fill()
    case "refuse": throw OrderNotSent("refused by the test")
    default: throw SayFailed()
    }
  }
  switch outcome {
  case .filled(let trade): return "filled \(trade.id) \(trade.isLate ? "late" : "ontime")"
  case .void(let trade): return "void \(trade.id)"
  case .inDoubt(let trade, _): return "indoubt \(trade.id)"
  case .denied(let denial): return text(denial)
  case .replayed(let trade): return "replayed \(trade.id)"
  }
}

func bootNow() -> Int64 { SystemClock().now().boot?.microseconds ?? 0 }

/// Records trades as fast as it can, until that moment of the boot clock.
func hammer(_ ledger: Ledger, until end: Int64, _ bot: String) async throws -> String {
  let order = try order(bot)
  var recorded = 0
  var busy = 0
  var longest: Int64 = 0
  var now = bootNow()
  while now < end {
    do throws(LedgerError) {
      _ = try await ledger.record(order)
      recorded += 1
    } catch {
      if error.code != .busy { return "error \(error.code) never \(error.message)" }
      busy += 1
    }
    let after = bootNow()
    longest = max(longest, after - now)
    now = after
  }
  return "\(recorded) \(busy) \(longest)"
}

/// Looks at status and audit as fast as it can, until that moment of the boot clock.
func poll(_ ledger: Ledger, until end: Int64, pause: Int64) async throws -> String {
  var rounds = 0
  var errors = 0
  while bootNow() < end {
    do throws(LedgerError) {
      let status = try await ledger.status()
      let audit = try await ledger.audit()
      if audit.examined < status.trades || !audit.findings.isEmpty { errors += 1 }
    } catch { errors += 1 }
    rounds += 1
    try await Task.sleep(for: .microseconds(pause), tolerance: .zero)
  }
  return "\(rounds) \(errors)"
}

func perform(_ words: [String], _ ledger: Ledger) async throws -> String {
  switch words[0] {
  case "bot":
    let settings = try BotSettings(
      cooldown: Duration(interval: words[2]), lease: Duration(interval: words[3]),
      inDoubt: InDoubtPolicy(rawValue: words[4]) ?? .cooldown)
    switch try await ledger.addBot(BotName(words[1]), settings) {
    case .added: return "added"
    case .same: return "same"
    case .differs: return "differs"
    }
  case "set":
    _ = try await ledger.changeBot(
      BotName(words[1]), BotChange(cooldown: Duration(interval: words[2])))
    return "ok"
  case "reserve":
    return text(
      try await ledger.reserve(
        order(words[1], words.count > 4 ? words[4] : "1"),
        key: words.count > 2 && words[2] != "-" ? try OrderKey(words[2]) : nil,
        token: words.count > 3 && words[3] != "-" ? try PermitToken(words[3]) : nil,
        instance: Held.lease?.claim))
  case "crowd":
    let order = try order(words[2])
    let answers = await withTaskGroup(of: String.self) { group in
      for _ in 0..<(Int(words[1]) ?? 1) {
        group.addTask {
          do { return text(try await ledger.reserve(order)) } catch { return "error \(error)" }
        }
      }
      return await group.reduce(into: [String]()) { $0.append($1) }
    }
    return answers.joined(separator: "|")
  case "acquire": return try await acquire(words, ledger)
  case "release": return try await Held.lease?.release() == true ? "released" : "lost"
  case "loss": return if let lease = Held.lease { await loss(lease) } else { "no lease" }
  case "fork": return try await answerOfFork(words[1], ledger)
  case "fork-keys": return keysOfFork()
  case "trade": return try await withTrade(ledger, words[1])
  case "fill":
    return text(
      try await ledger.fill(TradeID(Int64(words[1]) ?? 0), token: PermitToken(words[2])))
  case "void":
    return text(
      try await ledger.void(
        TradeID(Int64(words[1]) ?? 0), token: PermitToken(words[2]), reason: "not sent"))
  case "record":
    switch try await ledger.record(order(words[1])) {
    case .recorded(let trade): return "recorded \(trade.id)"
    case .replayed(let trade): return "replayed \(trade.id)"
    case .denied(let denial): return text(denial)
    }
  case "check":
    switch try await ledger.check(BotName(words[1])) {
    case .admissible: return "admissible"
    case .denied(let denial): return text(denial)
    }
  case "hammer": return try await hammer(ledger, until: Int64(words[1]) ?? 0, words[2])
  case "poll":
    return try await poll(ledger, until: Int64(words[1]) ?? 0, pause: Int64(words[2]) ?? 0)
  default: return "error unknown command"
  }
}

signal(SIGPIPE, SIG_IGN)
let path = CommandLine.arguments[1]
var options = Ledger.Options()
if CommandLine.arguments.count > 2 {
  options.lockWait = try Duration(interval: CommandLine.arguments[2])
}
var ledger: Ledger?
say("ready")
while let line = readLine() {
  var words = line.split(separator: " ").map(String.init)
  if words.first == "at", words.count > 2 {
    let moment = Int64(words[1]) ?? 0
    words.removeFirst(2)
    spin(until: moment)
  }
  do {
    switch words.first {
    case "create":
      ledger = try await Ledger.create(
        path, mode: LedgerMode(rawValue: words[1]) ?? .paper, options: options)
      say("ok")
    case "open":
      options.access = words.last == "reading" ? .readOnly : .readWrite
      ledger = try await Ledger.open(path, options: options)
      say("ok")
    default:
      guard let ledger else {
        say("error not open")
        continue
      }
      say(try await perform(words, ledger))
    }
  } catch let error as LedgerError {
    say("error \(error.code) \(error.retry.rawValue) \(error.message)")
  } catch {
    say("error \(error)")
  }
}
await ledger?.close()
