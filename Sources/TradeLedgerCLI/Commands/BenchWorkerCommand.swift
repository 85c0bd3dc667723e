internal import ArgumentParser
internal import LedgerSimulation

/// One worker process of `bench`. Its arguments are the supervisor's business.
struct BenchWorkerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench-worker",
    abstract: "A worker of bench; started by it, not by people.", shouldDisplay: false)

  @Argument(parsing: .postTerminator) var arguments: [String] = []

  func run() async throws {
    guard let worker = BenchWorker(arguments: arguments) else {
      throw Failure.usage(
        "bench-worker is started by bench alone", hint: "use 'tradeledger bench'")
    }
    throw ExitCode(await worker.run())
  }
}
