/// Plain SQL as a foreign client would write it. Every value is an SQL expression.
///
/// Without `overrides` each statement is legal in the state that its comment names. An override of
/// nil leaves a column out.
enum SQL {
  typealias Overrides = KeyValuePairs<String, String?>

  /// The schema's own idea of now. Within one statement it stands still.
  static let now = "(SELECT now_us FROM clock)"
  static let token = "'token-0123456789abcdef'"

  /// Phase 1. Legal where the bot (1 unless told otherwise) may trade now.
  static func reserve(
    _ key: String = "k1", bot: Int = 1, at: String = now, verb: String = "INSERT INTO",
    tail: String = "", with overrides: Overrides = [:]
  ) -> String {
    let lease = bot == 1 ? 30_000_000 : 1000
    return insert(
      verb, "trades", tail,
      [
        ("bot_id", "\(bot)"), ("key", "'\(key)'"), ("origin", "'reserve'"), ("side", "'buy'"),
        ("symbol", "'BTC-USD'"), ("quantity", "'0.5'"),
        ("cooldown_us", bot == 1 ? "3600000000" : "0"), ("token", token), ("created_at", at),
        ("lease_until", "\(at) + \(lease)"), ("status", "'pending'"),
      ], overrides)
  }

  /// Both phases in one, now. Legal where `reserve` is.
  static func record(
    _ key: String = "k1", bot: Int = 1, at: String = now, verb: String = "INSERT INTO",
    tail: String = "", with overrides: Overrides = [:]
  ) -> String {
    fact("record", key, bot, at, at, verb, tail, overrides)
  }

  /// A fact of the past. Always legal.
  static func past(
    _ key: String, bot: Int = 1, at: String, received: String = now, with overrides: Overrides = [:]
  ) -> String {
    fact("past", key, bot, at, received, "INSERT INTO", "", overrides)
  }

  private static func fact(
    _ origin: String, _ key: String, _ bot: Int, _ at: String, _ received: String, _ verb: String,
    _ tail: String, _ overrides: Overrides
  ) -> String {
    insert(
      verb, "trades", tail,
      [
        ("bot_id", "\(bot)"), ("key", "'\(key)'"), ("origin", "'\(origin)'"), ("side", "'buy'"),
        ("symbol", "'BTC-USD'"), ("quantity", "'0.5'"),
        ("cooldown_us", bot == 1 ? "3600000000" : "0"), ("created_at", at),
        ("status", "'filled'"), ("filled_at", at), ("filled_quantity", "'0.5'"),
        ("received_at", received),
      ], overrides)
  }

  /// Phase 2. Legal for the pending trade 1.
  static func fill(
    _ id: Int = 1, at: String = now, verb: String = "UPDATE", with overrides: Overrides = [:]
  ) -> String {
    update(
      verb, id,
      [
        ("status", "'filled'"), ("filled_at", at), ("filled_quantity", "quantity"),
        ("received_at", at), ("settled_with", token),
      ], overrides)
  }

  /// Phase 2. Legal for the pending trade 1.
  static func void(
    _ id: Int = 1, at: String = now, verb: String = "UPDATE", with overrides: Overrides = [:]
  ) -> String {
    update(
      verb, id,
      [
        ("status", "'void'"), ("received_at", at), ("settled_with", token),
        ("reason", "'not sent'"),
      ], overrides)
  }

  /// Legal for the pending trade 1 once its lease is over.
  static func doubt(_ id: Int = 1, with overrides: Overrides = [:]) -> String {
    update("UPDATE", id, [("status", "'in_doubt'")], overrides)
  }

  /// A fill that came after a void. Legal for the void trade 1.
  static func conflict(
    _ trade: Int = 1, bot: Int = 2, at: String = now, verb: String = "INSERT INTO",
    with overrides: Overrides = [:]
  ) -> String {
    insert(
      verb, "conflicts", "",
      [
        ("bot_id", "\(bot)"), ("trade_id", "\(trade)"), ("kind", "'fill_after_void'"),
        ("token", token), ("at", at), ("quantity", "'0.5'"), ("received_at", at),
      ], overrides)
  }

  static func settings(
    bot: Int = 1, at: String = now, verb: String = "INSERT INTO", with overrides: Overrides = [:]
  ) -> String {
    insert(
      verb, "settings", "",
      [
        ("bot_id", "\(bot)"), ("cooldown_us", "60000000"), ("lease_us", "1000000"),
        ("in_doubt", "'cooldown'"), ("enabled", "1"), ("at", at),
      ], overrides)
  }

  /// A new instance name. Legal.
  static func instance(
    _ name: String = "'other'", verb: String = "INSERT INTO", with overrides: Overrides = [:]
  ) -> String {
    insert(
      verb, "instances", "", [("name", name), ("epoch", "1"), ("pid", "200")], overrides)
  }

  static func insert(
    _ verb: String, _ table: String, _ tail: String, _ columns: [(String, String)],
    _ overrides: Overrides
  ) -> String {
    let row = merged(columns, overrides)
    return "\(verb) \(table) (\(row.map(\.0).joined(separator: ", "))) "
      + "VALUES (\(row.map(\.1).joined(separator: ", ")))" + (tail.isEmpty ? "" : " " + tail)
  }

  private static func update(
    _ verb: String, _ id: Int, _ columns: [(String, String)], _ overrides: Overrides
  ) -> String {
    let row = merged(columns, overrides)
    return "\(verb) trades SET \(row.map { "\($0.0) = \($0.1)" }.joined(separator: ", ")) "
      + "WHERE id = \(id)"
  }

  private static func merged(
    _ columns: [(String, String)], _ overrides: Overrides
  ) -> [(String, String)] {
    var row = columns
    for (name, value) in overrides {
      row.removeAll { $0.0 == name }
      if let value { row.append((name, value)) }
    }
    return row
  }
}

/// Where a ledger can stand before an attack. Trade 1 is of bot 2 (no cooldown, a lease of 1 ms);
/// a pending one, whose lease still runs, is of bot 1 (an hour, 30 s).
enum State {
  /// Half a second old: its lease is over.
  static let overdue = [SQL.reserve(bot: 2, at: SQL.now + " - 500000")]
  static let pending = [SQL.reserve()]
  static let inDoubt = overdue + [SQL.doubt()]
  static let filled = overdue + [SQL.fill(with: ["late": "1"])]
  static let void = overdue + [SQL.void(with: ["late": "1"])]
  static let recorded = [SQL.record(bot: 2)]
  static let restored = [Corpus.restore()]
}
