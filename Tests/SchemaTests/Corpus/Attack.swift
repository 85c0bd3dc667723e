import Foundation

/// One thing that a client may do to a ledger by plain SQL, and what must come of it.
struct Attack: Encodable {
  enum Expected: Equatable {
    /// Refused by one of these rules of `schema.sql` (or with a message that begins so).
    case refused([String])
    /// Done, and rows changed.
    case admitted
    /// No error, and no row changed.
    case nothing
  }

  let name: String
  let modes: [String]
  let setup: [String]
  let sql: String
  let expected: Expected
  /// Needs a file and a connection of its own: it ends transactions, or attaches databases.
  var isIsolated = false
  /// The client opens another database and attaches the ledger.
  var isAttached = false

  private enum CodingKeys: CodingKey {
    case name, modes, setup, sql, rules, isIsolated, isAttached
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .name)
    try container.encode(modes, forKey: .modes)
    try container.encode(setup, forKey: .setup)
    try container.encode(sql, forKey: .sql)
    if case .refused(let rules) = expected {
      try container.encode(rules, forKey: .rules)
    } else {
      try container.encode([String](), forKey: .rules)
    }
    try container.encode(isIsolated, forKey: .isIsolated)
    try container.encode(isAttached, forKey: .isAttached)
  }

  /// Whether `outcome`, as the foreign client tells it, is what had to come.
  func isMet(by outcome: String) -> Bool {
    switch expected {
    case .admitted: return outcome == "admitted"
    case .nothing: return outcome == "nothing"
    case .refused(let rules):
      return !outcome.hasSuffix("CHANGED")
        && rules.contains { outcome.hasPrefix("refused: " + $0) }
    }
  }

  /// The same, in a file of its own.
  func isolated(attached: Bool = false) -> Attack {
    var copy = self
    copy.isIsolated = true
    copy.isAttached = attached
    return copy
  }
}

/// All three modes of a ledger.
let everyMode = ["live", "paper", "simulation"]
/// The modes in which the schema looks at the clock.
let clockedModes = ["live", "paper"]
/// The mode in which the client brings its own time.
let ownTime = ["simulation"]

func refused(
  _ rules: String..., by name: String, in modes: [String] = everyMode, after setup: [String] = [],
  _ sql: String
) -> Attack {
  Attack(name: name, modes: modes, setup: setup, sql: sql, expected: .refused(rules))
}

func admitted(
  _ name: String, in modes: [String] = everyMode, after setup: [String] = [], _ sql: String
) -> Attack {
  Attack(name: name, modes: modes, setup: setup, sql: sql, expected: .admitted)
}

/// Everything that is tried, by subject.
enum Corpus {
  static let attacks: [Attack] = [
    legalLife, replacements, shapes, names, amounts, types, settingsInForce, clock, cooldown, alone,
    fences, immutability, transitions, authority, lateness, fillTimes, outcomes, edges, conflicts,
    restores, bots, instances, ledgerRow, triggers, attachments,
  ].flatMap { $0 }

  /// What every attack finds: four bots and an instance at epoch 1.
  static let base = [
    "INSERT INTO ledger (id, mode, created_at) VALUES (1, 'MODE', 0)",
    "INSERT INTO bots (name) VALUES ('patient'), ('eager'), ('blocking'), ('disabled')",
    """
    INSERT INTO settings (bot_id, cooldown_us, lease_us, in_doubt, enabled, at) VALUES
      (1, 3600000000, 30000000, 'cooldown', 1, \(SQL.now)),
      (2, 0, 1000, 'cooldown', 1, \(SQL.now)),
      (3, 0, 1000, 'block', 1, \(SQL.now)),
      (4, 0, 1000, 'cooldown', 0, \(SQL.now))
    """,
    """
    INSERT INTO instances (name, epoch, boot_id, pid_namespace, time_namespace, pid, start_ticks,
      host, command, since) VALUES ('desk', 1, 'boot', 7, 8, 100, 500, 'host', 'bot', \(SQL.now))
    """,
  ]
}

/// Lets a list of attacks be written as statements, loops included.
@resultBuilder
enum AttackList {
  static func buildExpression(_ attack: Attack) -> [Attack] { [attack] }
  static func buildExpression(_ attacks: [Attack]) -> [Attack] { attacks }
  static func buildBlock(_ parts: [Attack]...) -> [Attack] { parts.flatMap { $0 } }
  static func buildArray(_ parts: [[Attack]]) -> [Attack] { parts.flatMap { $0 } }
}
