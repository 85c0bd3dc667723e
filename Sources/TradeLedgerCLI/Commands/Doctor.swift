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
    if Ledger.isServer(try global.path()) {
      let checkup = try await ServerCheckup.of(global)
      return try say(checkup.findings, .checkup(checkup, checkup.findings))
    }
    let checkup = try await Checkup.of(global)
    try say(checkup.findings, .checkup(checkup, checkup.findings))
  }

  private func say(_ findings: [Finding], _ json: @autoclosure () -> JSON) throws {
    if global.json {
      try Console.out(json())
    } else {
      try Console.out(Lines.findings(findings, global.colors))
    }
    guard findings.allSatisfy(\.isHealthy) else { throw ExitStatus.no }
  }
}
