internal import SQLite

/// Takes row after row and keeps 24 bytes of each.
///
/// A class, so that the closures that read rows share one.
final class TradeCollector {
  /// A trade that counts.
  struct Entry {
    var time: Int64
    /// The id itself, or where its text stands.
    var id: Int64
    /// The number of the bot, and in the two upper bits how the id was stored.
    var botAndKind: UInt32
    /// The number of the row among those that count, from 0; breaks ties.
    var row: UInt32

    static let botMask: UInt32 = 0x3fff_ffff
    var bot: UInt32 { botAndKind & Entry.botMask }
    var kind: IDKind { IDKind(rawValue: botAndKind >> 30) ?? .text }
  }

  /// Filled by whoever reads the rows, then taken by `take`.
  var fields = [Field](repeating: Field(), count: Column.allCases.count)

  private(set) var entries: [Entry] = []
  private(set) var bots = Interner()
  private(set) var ids = TextStore()
  /// By row: the line in the file, where the file has lines.
  private(set) var lines: [UInt32] = []
  /// By row: the cooldown in microseconds, where the trades have a column for it; -1 is none.
  private(set) var cooldowns: [Int64] = []
  private(set) var withoutTime = SkippedRows()
  private(set) var withoutBot = SkippedRows()
  var malformed = SkippedRows()
  /// Texts without a zone, and how many times were told in some other way.
  private(set) var zonelessTimes = 0
  private(set) var otherTimes = 0

  private let ignoresStatus: Bool
  private let cooldownColumn: CooldownColumn?
  private var statuses = Interner()
  private var statusCounts: [StatusCount] = []
  /// The last cell of a cooldown and what it said: there are few different ones.
  private var lastCooldown: (cell: Field, microseconds: Int64)?

  init(ignoresStatus: Bool, cooldownColumn: CooldownColumn?) {
    self.ignoresStatus = ignoresStatus
    self.cooldownColumn = cooldownColumn
  }

  /// The counts, most frequent first.
  var statusSummary: [StatusCount] {
    statusCounts.sorted { ($1.count, $0.status) < ($0.count, $1.status) }
  }

  /// Takes the row that stands in `fields`. `line` is its line number where the file has lines.
  /// - Throws: `usage` for a cooldown without a unit.
  func take(line: Int? = nil) throws(ForeignAuditError) {
    guard countStatus() else { return }
    guard let time = effectiveTime() else {
      withoutTime.add(idText(line))
      return
    }
    fields[Column.bot.rawValue].writeOut()
    guard !fields[Column.bot.rawValue].bytes.isEmpty else {
      withoutBot.add(idText(line))
      return
    }
    let bot = bots.number(of: fields[Column.bot.rawValue].bytes)
    guard bot <= Entry.botMask, entries.count < UInt32.max else {
      throw ForeignAuditError(
        .badData, "more rows or bots than can be compared", hint: "export a part of the table")
    }
    let (id, kind) = id(line)
    entries.append(
      Entry(
        time: time, id: id, botAndKind: kind.rawValue << 30 | bot, row: UInt32(entries.count)))
    if let line { lines.append(UInt32(clamping: line)) }
    if let cooldownColumn {
      cooldowns.append(try cooldown(cooldownColumn))
    }
  }

  private func cooldown(_ column: CooldownColumn) throws(ForeignAuditError) -> Int64 {
    let cell = fields[Column.cooldown.rawValue]
    if let last = lastCooldown, last.cell == cell { return last.microseconds }
    let microseconds = try column.microseconds(cell) ?? -1
    lastCooldown = (cell, microseconds)
    return microseconds
  }

  /// Orders the trades by bot, then by time, then as they came.
  func sort() {
    entries.sort { left, right in
      if left.bot != right.bot { return left.bot < right.bot }
      if left.time != right.time { return left.time < right.time }
      return left.row < right.row
    }
  }

  /// The first of the two times that is there.
  private func effectiveTime() -> Int64? {
    for column in [Column.fillTime, .creationTime] {
      let index = column.rawValue
      if fields[index].isMissing { continue }
      guard let time = TradeCollector.instant(fields[index]) else { return nil }
      if time.lacksZone { zonelessTimes += 1 } else { otherTimes += 1 }
      return time.microseconds
    }
    return nil
  }

  static func instant(_ field: Field) -> ForeignTime? {
    switch field.value {
    case .integer(let value): TimeParser.parse(value)
    case .real(let value): TimeParser.parse(value)
    case .text: TimeParser.parse(field.bytes)
    case .null, .blob: nil
    }
  }

  /// Whether the row counts.
  private func countStatus() -> Bool {
    fields[Column.status.rawValue].writeOut()
    let number = Int(statuses.number(of: fields[Column.status.rawValue].bytes))
    if number == statusCounts.count {
      let text = fields[Column.status.rawValue].text
      statusCounts.append(
        StatusCount(status: text, count: 0, counts: ignoresStatus || Vocabulary.counts(text)))
    }
    statusCounts[number].count += 1
    return statusCounts[number].counts
  }

  private func id(_ line: Int?) -> (Int64, IDKind) {
    let field = fields[Column.id.rawValue]
    switch field.value {
    case .integer(let value): return (value, .integer)
    case .text: return (ids.append(field.bytes), .text)
    case .real: return (ids.append(Array(field.text.utf8)), .number)
    case .blob: return (ids.append(Array(field.text.utf8)), .blob)
    case .null: return (Int64(line ?? entries.count + 1), .integer)
    }
  }

  private func idText(_ line: Int?) -> String {
    let field = fields[Column.id.rawValue]
    return field.value == .null ? line.map { "line \($0)" } ?? "-" : field.text
  }
}
