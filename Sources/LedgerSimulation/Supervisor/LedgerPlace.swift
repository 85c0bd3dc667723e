internal import Subprocess
internal import TradeLedger

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// How a worker process is told where its ledger is: a path on its command line; a URL, which may
/// hold a password, in its environment, which is nobody else's to read.
enum LedgerPlace {
  private static let variable = "TRADELEDGER_DB"
  private static let isInEnvironment = "-"

  /// What stands for `place` on the command line.
  static func argument(_ place: String) -> String {
    Ledger.isServer(place) ? isInEnvironment : place
  }

  /// The environment of a worker of the ledger at `place`.
  static func environment(_ place: String) -> Environment {
    guard Ledger.isServer(place) else { return .inherit }
    return .inherit.updating([Environment.Key(stringLiteral: variable): place])
  }

  /// - Returns: nil where the environment does not say.
  static func place(_ argument: String) -> String? {
    guard argument == isInEnvironment else { return argument }
    guard let value = unsafe getenv(variable) else { return nil }
    return unsafe String(cString: value)
  }
}
