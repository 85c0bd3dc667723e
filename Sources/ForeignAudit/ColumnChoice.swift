internal import TradeLedger

/// The columns that are read, named by the caller or guessed.
struct ColumnChoice: Equatable {
  var id: String?
  var bot: String
  var fillTime: String?
  var creationTime: String?
  var status: String?
  /// The trades' own.
  var cooldown: CooldownColumn?

  /// nil where no column looks like a bot or a time, so that it may be another table.
  /// - Throws: `noInput` for a name that is not there.
  init?(_ options: ForeignAuditOptions, among names: [String]) throws(ForeignAuditError) {
    func named(_ name: String?, _ guesses: [String]) throws(ForeignAuditError) -> String? {
      guard let name else { return Vocabulary.first(guesses, in: names) }
      return try ColumnChoice.find(name, in: names)
    }
    let bot = try named(options.bot, Vocabulary.bots)
    if let time = options.time {
      creationTime = try ColumnChoice.find(time, in: names)
    } else {
      fillTime = Vocabulary.first(Vocabulary.fillTimes, in: names)
      creationTime = Vocabulary.first(Vocabulary.creationTimes, in: names)
    }
    guard let bot, fillTime ?? creationTime != nil else { return nil }
    self.bot = bot
    id = try named(options.id, Vocabulary.ids.filter { $0 != Vocabulary.plain(bot) })
    status = try named(options.status, Vocabulary.statuses)
    cooldown = options.cooldown == nil ? CooldownColumn.first(in: names) : nil
  }

  /// In the order of ``Column``; nil for what is not read.
  var names: [String?] { [id, bot, fillTime, creationTime, status, cooldown?.name] }

  /// As it could be written in SQL.
  var time: String {
    switch (fillTime, creationTime) {
    case (let fill?, let creation?): "COALESCE(\(fill), \(creation))"
    case (let one, let other): one ?? other ?? ""
    }
  }

  /// The column of that name: as it is spelled, else in other capitals, as SQLite has it.
  static func find(
    _ name: String, in names: [String]
  ) throws(ForeignAuditError) -> String {
    let found = names.first { $0 == name } ?? names.first { $0.lowercased() == name.lowercased() }
    guard let found else {
      throw ForeignAuditError(
        .noInput, "there is no column \(quoted(name))",
        hint: "the columns are: " + list(names))
    }
    return found
  }

  static func cannotGuess(_ place: String, _ names: [String]) -> ForeignAuditError {
    ForeignAuditError(
      .badData, "\(place) has no columns that look like a bot and a time",
      hint: "name them with --bot and --time; the columns are: " + list(names))
  }

  static var noCooldown: ForeignAuditError {
    ForeignAuditError(
      .usage, "nothing says what the cooldown is",
      hint: "give it, for example --cooldown 15m; a column such as cooldown_minutes, of the trades "
        + "or of their bots, would be read")
  }
}

/// Names for a message.
func list(_ names: [String]) -> String { names.map(quoted).joined(separator: ", ") }
