internal import TradeLedger

/// The words by which tables and columns of other people's trades are recognised. Each list stands
/// in order of preference; case and underscores do not matter.
enum Vocabulary {
  /// In the name of a table, at its beginning or end.
  static let tables = ["trade", "order", "fill", "execution"]
  static let bots = [
    "bot_id", "bot", "bot_name", "strategy_id", "strategy", "strategy_name", "instance_id",
    "instance", "instance_name", "agent_id", "agent", "account_id", "account", "account_name",
  ]
  /// When an order was executed. Comes before the next list, row by row, as in
  /// `COALESCE(filled_at, created_at)`.
  static let fillTimes = [
    "filled_at", "executed_at", "filled_time", "fill_time", "execution_time", "traded_at",
    "trade_time", "closed_at",
  ]
  /// When an order was made.
  static let creationTimes = [
    "created_at", "created", "created_time", "opened_at", "placed_at", "submitted_at",
    "inserted_at", "timestamp", "time", "ts", "datetime", "date_time", "date",
  ]
  static let ids = ["id", "trade_id", "order_id", "fill_id", "execution_id", "uuid"]
  static let statuses = ["status", "state", "trade_status", "order_status"]
  static let names = ["name", "bot_name", "strategy_name", "title", "label"]

  /// Trades that stand so were not executed and do not count.
  static let uncounted: Set<String> = [
    "cancelled", "canceled", "rejected", "void", "voided", "failed", "expired",
  ]

  /// Whether a trade of this status counts. A status such as `OrderStatus.CANCELED` is read by what
  /// stands behind its last point.
  static func counts(_ status: String) -> Bool {
    let word = status.split(separator: ".").last ?? ""
    return !uncounted.contains(String(word.filter { $0 != " " }).lowercased())
  }

  /// The part of a name that is compared.
  static func plain(_ name: String) -> String { name.lowercased().filter { $0 != "_" } }

  /// The first of `wanted` that is among `names`, as it is spelled there.
  static func first(_ wanted: [String], in names: [String]) -> String? {
    let plainNames = names.map(plain)
    for word in wanted {
      if let index = plainNames.firstIndex(of: plain(word)) { return names[index] }
    }
    return nil
  }

  static func namesTrades(_ table: String) -> Bool {
    let name = plain(table)
    return tables.contains {
      name.hasPrefix($0) || name.hasSuffix($0) || name.hasSuffix($0 + "s")
    }
  }
}

/// A column that holds cooldowns, and what its numbers mean.
struct CooldownColumn: Equatable {
  let name: String
  /// The unit as `Duration(interval:)` knows it; nil where the name does not say, so that only
  /// texts with a unit of their own (`15m`) can be read.
  let unit: String?

  private static let units: [String: [String]] = [
    "us": ["us", "micros", "microseconds"], "ms": ["ms", "millis", "milliseconds"],
    "s": ["s", "sec", "secs", "second", "seconds"],
    "m": ["m", "min", "mins", "minute", "minutes"], "h": ["h", "hour", "hours"],
    "d": ["d", "day", "days"],
  ]

  /// Recognises `cooldown`, `cooldown_minutes`, `trade_cooldown_s`, ...; not `cooldown_until`.
  init?(_ name: String) {
    let plain = Vocabulary.plain(name)
    guard let word = plain.firstRange(of: "cooldown") else { return nil }
    let ending = String(plain[word.upperBound...])
    unit = CooldownColumn.units.first { $0.value.contains(ending) }?.key
    guard ending.isEmpty || unit != nil else { return nil }
    self.name = name
  }

  static func first(in names: [String]) -> CooldownColumn? {
    names.lazy.compactMap { CooldownColumn($0) }.first
  }

  /// What a cell says, in microseconds; nil where it says nothing: empty, negative, no number, or
  /// longer than ten years.
  /// - Throws: `usage` for a number whose unit nobody knows.
  func microseconds(_ field: Field) throws(ForeignAuditError) -> Int64? {
    let text = field.text.filter { $0 != " " }
    if let value = try? Duration(interval: text) { return value.wholeMicroseconds }
    guard let value = try? Duration(interval: text + (unit ?? "s")) else { return nil }
    guard unit != nil else {
      throw ForeignAuditError(
        .usage, "column \(quoted(name)) holds the number \(quoted(text)) without a unit",
        hint: "say what the cooldown is, for example --cooldown 15m")
    }
    return value.wholeMicroseconds
  }
}
