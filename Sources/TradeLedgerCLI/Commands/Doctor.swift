internal import ArgumentParser
internal import TradeLedger

struct Doctor: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Examine the ledger, its files, its users and the machine.",
    discussion: """
      Reads every page and changes nothing. Each check is ok, note (worth knowing), warn or fail, \
      with what to do. Exit 1 where there is a warn or a fail, also where the ledger is damaged or \
      missing.

      Examples:
        tradeledger doctor
        tradeledger doctor --json
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let checkup = try await Checkup.of(global)
    let findings = checkup.findings
    if global.json {
      try Console.out(.checkup(checkup, findings))
    } else {
      try Console.out(Lines.findings(findings, global.colors))
    }
    guard findings.allSatisfy(\.isHealthy) else { throw ExitStatus.no }
  }
}
