internal import TradeLedger

/// Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/). Labels
/// are the ledger, bot, status, instance: never a pid, a trade or a key, so that their number stays
/// bounded. All values are gauges, because they are read from the database and may go back with it.
struct MetricsText {
  private var text = ""
  private let ledger: String

  private init(_ ledger: String) { self.ledger = ledger }

  static func of(
    _ status: LedgerStatus, _ figures: LedgerFigures, _ instances: [Instance]
  ) -> String {
    var metrics = MetricsText(status.path)
    metrics.add("up", "Whether the ledger could be read.", [([], "1")])
    metrics.add(
      "info", "What the ledger is.",
      [
        (
          [
            ("mode", status.mode.rawValue), ("layout", String(figures.layout)),
            ("sqlite", status.sqliteVersion), ("version", Root.version),
          ], "1"
        )
      ])
    metrics.add("read_timestamp_seconds", "When it was read.", [([], seconds(status.readAt))])
    metrics.addFile(status, figures)
    metrics.addBots(status.bots, at: status.readAt)
    metrics.addTrades(status.bots.map(\.bot.name), figures)
    metrics.addInstances(instances)
    return metrics.text
  }

  static func unreadable(_ path: String) -> String {
    var metrics = MetricsText(path)
    metrics.add("up", "Whether the ledger could be read.", [([], "0")])
    return metrics.text
  }

  private mutating func addFile(_ status: LedgerStatus, _ figures: LedgerFigures) {
    add("bytes", "Size of the main file.", [([], String(figures.bytes))])
    add("wal_bytes", "Size of the log.", [([], String(status.walBytes))])
    add(
      "free_bytes", "Free room beside the ledger.",
      figures.freeBytes.map { [([], String($0))] } ?? [])
    add(
      "restored_timestamp_seconds", "When the ledger last went back to a backup.",
      figures.restoredAt.map { [([], MetricsText.seconds($0))] } ?? [])
  }

  private mutating func addBots(_ bots: [BotStatus], at now: Timestamp) {
    func each(_ value: (BotStatus) -> String?) -> [Sample] {
      bots.compactMap { bot in value(bot).map { ([("bot", bot.bot.name.description)], $0) } }
    }
    add(
      "bot_enabled", "Whether the bot may trade at all.",
      each { $0.bot.settings.isEnabled ? "1" : "0" })
    add(
      "bot_cooldown_seconds", "The cooldown in force.",
      each { MetricsText.seconds($0.bot.settings.cooldown) })
    add(
      "bot_wait_seconds", "How long a reserve would be refused, as far as time can tell.",
      each { MetricsText.seconds($0.denial?.retryAfter ?? .zero) })
    add(
      "bot_pending_age_seconds", "Age of the trade that is being worked on; 0 for none.",
      each { bot in
        MetricsText.seconds(bot.pending.map { now.elapsed(since: $0.createdAt) } ?? .zero)
      })
    add(
      "bot_in_doubt", "Trades whose outcome somebody has to look up.",
      each { String($0.inDoubt.count) })
    add(
      "bot_in_doubt_age_seconds", "Age of the oldest trade in doubt; 0 for none.",
      each { bot in
        MetricsText.seconds(
          bot.inDoubt.map { now.elapsed(since: $0.createdAt) }.max() ?? .zero)
      })
    add(
      "bot_last_trade_timestamp_seconds", "When the bot last traded; absent where it never did.",
      each { $0.lastTradeAt.map(MetricsText.seconds) })
  }

  private mutating func addTrades(_ bots: [BotName], _ figures: LedgerFigures) {
    add(
      "trades", "Trades by their stored status.",
      bots.flatMap { bot in
        TradeStatus.allCases.map { status in
          (
            [("bot", bot.description), ("status", status.rawValue)],
            String(figures.trades[bot]?[status] ?? 0)
          )
        }
      })
    add(
      "conflicts", "Fills that arrived after their trade had been declared void.",
      bots.map { ([("bot", $0.description)], String(figures.conflicts[$0] ?? 0)) })
    add(
      "double_trades", "Trades closer together than the cooldown; anything but 0 is a bug.",
      bots.map { ([("bot", $0.description)], String(figures.doubleTrades[$0] ?? 0)) })
  }

  private mutating func addInstances(_ instances: [Instance]) {
    func each(_ value: (Instance) -> String) -> [Sample] {
      instances.map { ([("instance", $0.name.description)], value($0)) }
    }
    add("instance_epoch", "Goes up with each take-over.", each { $0.epoch.description })
    add(
      "instance_held", "Whether somebody has the name.", each { $0.holder == nil ? "0" : "1" })
    add(
      "instance_dead", "Whether the process that has the name is known to have ended.",
      each { if case .dead = $0.state { "1" } else { "0" } })
  }

  // MARK: The format

  private typealias Sample = (labels: [(String, String)], value: String)

  private mutating func add(_ name: String, _ help: String, _ samples: [Sample]) {
    guard !samples.isEmpty else { return }
    text += "# HELP tradeledger_\(name) \(help)\n# TYPE tradeledger_\(name) gauge\n"
    for sample in samples {
      let labels = ([("ledger", ledger)] + sample.labels)
        .map { "\($0.0)=\"\(MetricsText.quoted($0.1))\"" }
      text += "tradeledger_\(name){\(labels.joined(separator: ","))} \(sample.value)\n"
    }
  }

  private static func quoted(_ value: String) -> String {
    var result = ""
    for character in escaped(value) {
      if character == "\\" || character == "\"" { result += "\\" }
      result.append(character)
    }
    return result
  }

  private static func seconds(_ instant: Timestamp) -> String {
    seconds(.microseconds(instant.microseconds))
  }
  private static func seconds(_ interval: Duration) -> String { max(.zero, interval).exactSeconds }
}
