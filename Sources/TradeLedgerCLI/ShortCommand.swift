internal import ArgumentParser
internal import Synchronization
internal import TradeLedger

/// A command that asks the ledger one thing after the other, with nothing beside it: it runs, and
/// so does the ledger, on the thread that the process began with.
///
/// A command that keeps its thread waiting for something other than the ledger, as `guard` waits
/// for its command, is none: nobody would renew its name meanwhile. Nor is one that goes over a
/// whole file, as `backup`, `restore`, `import` and `export` do: there a thread costs nothing
/// beside the rest.
protocol ShortCommand: AsyncParsableCommand, SendableMetatype {}

/// A command on its way to the task that runs it.
final class Handover: Sendable {
  private let command: Mutex<(any AsyncParsableCommand)?>

  init(_ command: sending any AsyncParsableCommand) { self.command = Mutex(command) }

  func run() async -> Swift.Result<Void, any Error> {
    let taken = command.withLock { command in
      let taken = command
      command = nil
      return taken
    }
    guard var taken else { preconditionFailure("a command is run once") }
    do { return .success(try await taken.run()) } catch { return .failure(error) }
  }
}

enum ShortCommands {
  /// Set while a short command runs.
  @TaskLocal static var thread: LedgerThread?

  /// A command line that begins with the name of a command, parsed by that command alone: the tree
  /// of all commands takes longer to set up than a trade.
  /// - Returns: nil for what only the tree understands, or refuses in its own words.
  static func parse(_ arguments: [String]) -> (any ParsableCommand)? {
    guard let name = arguments.first, let type = named(name) else { return nil }
    // The root takes its options out of the line first, even where they are somebody's value.
    let isAmbiguous = zip(arguments, arguments.dropFirst()).contains { former, latter in
      latter.hasPrefix("-") && former.hasPrefix("-") && !former.contains("=")
        && !flags.contains(former)
    }
    guard !isAmbiguous, !arguments.contains("--") else { return nil }
    let command = try? type.parseAsRoot(Array(arguments.dropFirst()))
    return command.flatMap { Swift.type(of: $0) == type ? $0 : nil }
  }

  /// Options that take no value.
  private static let flags = [
    "--json", "--quiet", "--verbose", "--token-stdin", "--filled", "--void",
  ]

  static func named(_ name: String) -> (any ShortCommand.Type)? {
    switch name {
    case "reserve": Reserve.self
    case "fill": FillCommand.self
    case "void": VoidCommand.self
    case "record": Record.self
    case "check": Check.self
    case "status": Status.self
    case "trades": Trades.self
    case "resolve": Resolve.self
    case "metrics": MetricsCommand.self
    default: nil
    }
  }
}

extension Init: ShortCommand {}
extension BotAdd: ShortCommand {}
extension BotList: ShortCommand {}
extension BotShow: ShortCommand {}
extension BotSet: ShortCommand {}
extension BotEnable: ShortCommand {}
extension BotDisable: ShortCommand {}
extension Reserve: ShortCommand {}
extension FillCommand: ShortCommand {}
extension VoidCommand: ShortCommand {}
extension Record: ShortCommand {}
extension Check: ShortCommand {}
extension Trades: ShortCommand {}
extension TradeShow: ShortCommand {}
extension Status: ShortCommand {}
extension InstancesList: ShortCommand {}
extension InstancesEvict: ShortCommand {}
extension Audit: ShortCommand {}
extension Report: ShortCommand {}
extension Doctor: ShortCommand {}
extension SchemaCommand: ShortCommand {}
extension Resolve: ShortCommand {}
extension MetricsCommand: ShortCommand {}
