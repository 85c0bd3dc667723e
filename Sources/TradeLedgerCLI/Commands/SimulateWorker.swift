internal import ArgumentParser
internal import LedgerSimulation

/// One worker process of `simulate`. Its arguments are the supervisor's business.
struct SimulateWorker: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "A worker of simulate; started by it, not by people.", shouldDisplay: false)

  @Argument(parsing: .postTerminator) var arguments: [String] = []

  func run() async throws {
    guard var worker = SimulationWorker(arguments: arguments) else {
      throw Failure.usage(
        "simulate-worker is started by simulate alone", hint: "use 'tradeledger simulate'")
    }
    throw ExitCode(await worker.run())
  }
}
