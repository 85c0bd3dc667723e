/// What a worker was told about an attempt, in the words of the checker.
enum Answer: Equatable, Sendable {
  /// Admitted; the order was executed and that is on record.
  case filled(trade: Int64)
  /// Admitted; the order was not sent.
  case void(trade: Int64)
  /// Admitted; the order may have been sent.
  case inDoubt(trade: Int64)
  /// The key was used before; nothing was sent.
  case replayed(trade: Int64)
  case denied(reason: String, winner: Int64?)
  /// No answer within the wait limit; nothing was written.
  case busy
  /// Nobody knows what is on record.
  case unknown(code: String)
  /// A failure that this simulation does not provoke.
  case failed(code: String)
}

/// What a worker was told when it asked for its instance name.
enum NameAnswer: Equatable, Sendable {
  /// nil where the strategy counts no epochs.
  case taken(epoch: Int64?)
  /// Somebody else has it.
  case held
  /// No answer within the wait limit; nothing was written.
  case busy
  /// A failure that this simulation does not provoke.
  case failed(code: String)
}

/// What the paper exchange did with an order.
enum ExchangeDecision: Equatable, Sendable {
  /// Executed at this time (microseconds since 1970).
  case accepted(at: Int64)
  /// Not taken, for reasons of its own.
  case refused
  /// Not taken: it came after `valid_until`.
  case expired
  /// Not taken: its key was seen before.
  case repeated
}

/// A line from a worker to its supervisor. What is written has left the worker, whatever happens to
/// it next.
enum WorkerLine: Equatable, Sendable {
  case ready(pid: Int32)
  /// About to ask.
  case call(number: Int, bot: Int, key: String, at: Moment)
  /// Admitted; please execute. The trade where there is a row already; `validUntil` in
  /// microseconds since boot.
  case order(number: Int, trade: Int64?, key: String, validUntil: Int64?, at: Moment)
  /// `busyErrors`: how often the database was locked on the way to the answer, where the strategy
  /// counts that.
  case told(number: Int, answer: Answer, busyErrors: Int, at: Moment)
  /// About to ask for its instance name.
  case claim(at: Moment)
  case claimed(NameAnswer, at: Moment)
  /// About to let go of it: trades no more.
  case leaving(at: Moment)
  case left(at: Moment)
  /// Cannot work at all.
  case failed(String)
}

/// A line from the supervisor to a worker.
enum SupervisorLine: Equatable, Sendable {
  case go
  /// nil: the connection broke, and whatever the exchange did with the order is not known.
  case reply(number: Int, ExchangeDecision?)
  /// End after the attempt under way.
  case stop
}

extension WorkerLine {
  var text: String {
    switch self {
    case .ready(let pid): "ready \(pid)"
    case .call(let number, let bot, let key, let at):
      "call \(number) \(bot) \(key) \(at.wall) \(at.boot)"
    case .order(let number, let trade, let key, let validUntil, let at):
      "order \(number) \(word(trade)) \(key) \(word(validUntil)) \(at.wall) \(at.boot)"
    case .told(let number, let answer, let busyErrors, let at):
      "told \(number) \(busyErrors) \(at.wall) \(at.boot) \(answer.text)"
    case .claim(let at): "claim \(at.wall) \(at.boot)"
    case .claimed(let answer, let at): "claimed \(at.wall) \(at.boot) \(answer.text)"
    case .leaving(let at): "leaving \(at.wall) \(at.boot)"
    case .left(let at): "left \(at.wall) \(at.boot)"
    case .failed(let why): "failed \(why.split(separator: "\n").joined(separator: " "))"
    }
  }

  init?(_ line: String) {
    let words = line.split(separator: " ").map(String.init)
    switch words.first {
    case "ready":
      guard words.count == 2, let pid = Int32(words[1]) else { return nil }
      self = .ready(pid: pid)
    case "call":
      guard words.count == 6, let number = Int(words[1]), let bot = Int(words[2]),
        let at = Moment(words[4], words[5])
      else { return nil }
      self = .call(number: number, bot: bot, key: words[3], at: at)
    case "order":
      guard words.count == 7, let number = Int(words[1]), let trade = optionalNumber(words[2]),
        let validUntil = optionalNumber(words[4]), let at = Moment(words[5], words[6])
      else { return nil }
      self = .order(
        number: number, trade: trade, key: words[3], validUntil: validUntil, at: at)
    case "told":
      guard words.count >= 6, let number = Int(words[1]), let busyErrors = Int(words[2]),
        let at = Moment(words[3], words[4]), let answer = Answer(words[5...])
      else { return nil }
      self = .told(number: number, answer: answer, busyErrors: busyErrors, at: at)
    case "claim", "leaving", "left":
      guard words.count == 3, let at = Moment(words[1], words[2]) else { return nil }
      self =
        words[0] == "claim" ? .claim(at: at) : words[0] == "left" ? .left(at: at) : .leaving(at: at)
    case "claimed":
      guard words.count >= 4, let at = Moment(words[1], words[2]),
        let answer = NameAnswer(words[3...])
      else { return nil }
      self = .claimed(answer, at: at)
    case "failed": self = .failed(words.dropFirst().joined(separator: " "))
    default: return nil
    }
  }
}

extension SupervisorLine {
  var text: String {
    switch self {
    case .go: "go"
    case .stop: "stop"
    case .reply(let number, let decision): "reply \(number) \(decision?.text ?? "lost")"
    }
  }

  init?(_ line: String) {
    let words = line.split(separator: " ").map(String.init)
    switch (words.first, words.count) {
    case ("go", 1): self = .go
    case ("stop", 1): self = .stop
    case ("reply", 3), ("reply", 4):
      guard let number = Int(words[1]) else { return nil }
      switch (words[2], words.count) {
      case ("accepted", 4):
        guard let at = Int64(words[3]) else { return nil }
        self = .reply(number: number, .accepted(at: at))
      case ("refused", 3): self = .reply(number: number, .refused)
      case ("expired", 3): self = .reply(number: number, .expired)
      case ("repeated", 3): self = .reply(number: number, .repeated)
      case ("lost", 3): self = .reply(number: number, nil)
      default: return nil
      }
    default: return nil
    }
  }
}

extension ExchangeDecision {
  var text: String {
    switch self {
    case .accepted(let at): "accepted \(at)"
    case .refused: "refused"
    case .expired: "expired"
    case .repeated: "repeated"
    }
  }
}

extension NameAnswer {
  var isTaken: Bool {
    if case .taken = self { return true }
    return false
  }

  var text: String {
    switch self {
    case .taken(let epoch): "taken \(word(epoch))"
    case .held: "held"
    case .busy: "busy"
    case .failed(let code): "error \(code)"
    }
  }

  init?(_ words: ArraySlice<String>) {
    let words = Array(words)
    switch (words.first, words.count) {
    case ("held", 1): self = .held
    case ("busy", 1): self = .busy
    case ("taken", 2):
      guard let epoch = optionalNumber(words[1]) else { return nil }
      self = .taken(epoch: epoch)
    case ("error", 2): self = .failed(code: words[1])
    default: return nil
    }
  }
}

extension Answer {
  var text: String {
    switch self {
    case .filled(let trade): "filled \(trade)"
    case .void(let trade): "void \(trade)"
    case .inDoubt(let trade): "in_doubt \(trade)"
    case .replayed(let trade): "replayed \(trade)"
    case .denied(let reason, let winner): "denied \(reason) \(word(winner))"
    case .busy: "busy"
    case .unknown(let code): "unknown \(code)"
    case .failed(let code): "error \(code)"
    }
  }

  init?(_ words: ArraySlice<String>) {
    let words = Array(words)
    if words == ["busy"] {
      self = .busy
      return
    }
    guard words.count >= 2 else { return nil }
    switch (words[0], words.count) {
    case ("denied", 3):
      guard let winner = optionalNumber(words[2]) else { return nil }
      self = .denied(reason: words[1], winner: winner)
    case ("unknown", 2): self = .unknown(code: words[1])
    case ("error", 2): self = .failed(code: words[1])
    case (_, 2):
      guard let trade = Int64(words[1]) else { return nil }
      switch words[0] {
      case "filled": self = .filled(trade: trade)
      case "void": self = .void(trade: trade)
      case "in_doubt": self = .inDoubt(trade: trade)
      case "replayed": self = .replayed(trade: trade)
      default: return nil
      }
    default: return nil
    }
  }
}

extension Moment {
  fileprivate init?(_ wall: String, _ boot: String) {
    guard let wall = Int64(wall), let boot = Int64(boot) else { return nil }
    self.init(wall: wall, boot: boot)
  }
}

private func word(_ number: Int64?) -> String { number.map(String.init) ?? "-" }

/// nil: neither a number nor a dash.
private func optionalNumber(_ word: String) -> Int64?? {
  if word == "-" { return .some(nil) }
  return Int64(word).map { .some($0) }
}

/// Cuts a stream of bytes into lines. What follows the last line feed waits for the next bytes.
struct LineSplitter {
  private var rest: [UInt8] = []

  mutating func lines(adding bytes: some Sequence<UInt8>) -> [String] {
    var lines: [String] = []
    for byte in bytes {
      if byte == 0x0a {
        lines.append(String(decoding: rest, as: UTF8.self))
        rest.removeAll(keepingCapacity: true)
      } else {
        rest.append(byte)
      }
    }
    return lines
  }
}
