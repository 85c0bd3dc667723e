internal import Foundation
internal import TradeLedger

/// A real process that works on a ledger by commands, one a line. See Tests/LedgerTestWorker.
public final class LedgerWorker: Sendable {
  public let process: ChildProcess
  public var pid: Int32 { process.pid }

  private static let program =
    ((BuiltBinary.path as NSString).deletingLastPathComponent as NSString)
    .appendingPathComponent("LedgerTestWorker")

  /// Starts the process and waits until it listens.
  public init(_ path: String, wait: String = "5s", under wrapper: [String] = []) throws {
    let command = wrapper + [LedgerWorker.program, path, wait]
    process = try ChildProcess(command[0], Array(command.dropFirst()))
    guard process.readLine() == "ready" else { throw Failure(process.standardError) }
  }

  public struct Failure: Error, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
  }

  deinit {
    process.signal(SIGKILL)
    process.closeInput()
  }

  /// Sends a command without waiting for its answer.
  public func send(_ command: String) { process.write(command + "\n") }

  /// The next answer; empty at the end of the process or after a minute.
  public func answer() -> String { process.readLine() ?? "" }

  /// Sends a command and waits for its answer.
  @discardableResult
  public func ask(_ command: String) -> String {
    send(command)
    return answer()
  }

  public func ask(_ command: String, at moment: Int64) -> String { ask("at \(moment) \(command)") }

  /// The answers of all workers to one command, begun by all of them at the same microsecond.
  public static func together(
    _ workers: [LedgerWorker], _ command: (Int) -> String
  ) -> [String] {
    let moment = bootNow() + 20_000
    for (index, worker) in workers.enumerated() { worker.send("at \(moment) \(command(index))") }
    return workers.map { $0.answer() }
  }

  /// Microseconds on the boot clock.
  public static func bootNow() -> Int64 { SystemClock().now().boot?.microseconds ?? 0 }
}
