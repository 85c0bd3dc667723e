import Logging
import ServiceLifecycle
import TradeLedger

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// `Worker LEDGER BOT`: trades one bot, under the instance name of that bot, until it is told to
/// stop (SIGTERM, SIGINT) or loses its name.
@main
enum Main {
  static func main() async throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 3 else { fatalError("usage: Worker LEDGER BOT") }
    var options = Ledger.Options()
    let logger = Logger(label: "worker")
    options.logger = logger
    let ledger = try await Ledger.open(arguments[1], options: options)
    let name = LedgerService(ledger, name: try InstanceName(arguments[2]))
    let trader = Trader(
      ledger: ledger, name: name, bot: try BotName(arguments[2]), exchange: PaperExchange(),
      logger: logger)
    // A group shuts down from the last to the first: the name goes when nothing trades any more.
    let group = ServiceGroup(
      services: [name, trader], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    do {
      try await group.run()
    } catch let error as LedgerServiceError {
      // For the service manager, as `tradeledger guard` says it: another one has the name.
      logger.error("\(error)")
      exit(75)
    }
    await ledger.close()
  }
}
