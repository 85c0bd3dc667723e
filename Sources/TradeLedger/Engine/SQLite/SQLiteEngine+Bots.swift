internal import SQLite

extension SQLiteEngine {
  func addBot(_ bot: Bot, wait: WaitLimit) throws(LedgerError) -> AddBotOutcome {
    try write(
      wait: wait,
      isThere: { (database, outcome: AddBotOutcome) throws(LedgerError) in
        try SQLiteEngine.bots(bot.name, database).contains(bot)
      },
      { (database, now) throws(LedgerError) in
        if let found = try SQLiteEngine.bots(bot.name, database).first {
          return .rollback(found == bot ? .same(bot) : .differs(found))
        }
        try database.run(Statements.insertBot, [.text(bot.name.description)])
        try SQLiteEngine.insertSettings(bot, database, now)
        return .commit(.added(bot))
      })
  }

  func changeBot(
    _ name: BotName, _ change: BotChange, wait: WaitLimit
  ) throws(LedgerError) -> Bot {
    try write(
      wait: wait,
      isThere: { (database, bot: Bot) throws(LedgerError) in
        try SQLiteEngine.bots(name, database).contains(bot)
      },
      { (database, now) throws(LedgerError) in
        guard let found = try SQLiteEngine.bots(name, database).first else {
          throw .noSuchBot(name, database.path)
        }
        let changed = Bot(name: name, settings: try change.applied(to: found.settings))
        if changed == found { return .rollback(found) }
        try SQLiteEngine.insertSettings(changed, database, now)
        return .commit(changed)
      })
  }

  /// The bots with the settings in force; all of them where `name` is nil.
  static func bots(
    _ name: BotName?, _ database: LedgerDatabase
  ) throws(LedgerError) -> [Bot] {
    try database.rows(Statements.bots, [.text(name?.description)]) { row throws(SQLiteError) in
      Bot(name: BotName(stored: try row.text(0)), settings: try TradeRow.settings(row, 1))
    }
  }

  static func insertSettings(
    _ bot: Bot, _ database: LedgerDatabase, _ now: ClockReading
  ) throws(LedgerError) {
    let settings = bot.settings
    try database.run(
      Statements.insertSettings,
      [
        .text(bot.name.description), .integer(settings.cooldown.wholeMicroseconds),
        .integer(settings.lease.wholeMicroseconds), .text(settings.inDoubt.rawValue),
        .integer(settings.isEnabled ? 1 : 0), .integer(now.wall.microseconds),
      ])
  }
}
