public import Foundation

/// The `tradeledger` that was built together with these tests.
public enum BuiltBinary {
  /// What a finished process left behind.
  public struct Result: Sendable {
    public let status: Int32
    public let stdout: String
    public let stderr: String
  }

  /// In the folder of the running test program.
  public static let path: String = {
    let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
    let folder = (program ?? CommandLine.arguments[0] as String) as NSString
    return (folder.deletingLastPathComponent as NSString).appendingPathComponent("tradeledger")
  }()

  /// Runs `tradeledger` to its end. The status is the exit code, or 128 + the signal.
  public static func run(
    _ arguments: [String], environment: [String: String] = [:], stdin: String? = nil,
    timeout: TimeInterval = 120
  ) -> Result {
    run(path, arguments, environment: environment, stdin: stdin, timeout: timeout)
  }

  /// Runs any program to its end.
  public static func run(
    _ program: String, _ arguments: [String], environment: [String: String] = [:],
    stdin: String? = nil, timeout: TimeInterval = 120
  ) -> Result {
    do {
      let child = try ChildProcess(program, arguments, environment: environment)
      if let stdin { child.write(stdin) }
      child.closeInput()
      guard let status = child.wait(timeout: timeout) else {
        child.signal(SIGKILL)
        return Result(
          status: -1, stdout: child.standardOutput,
          stderr: child.standardError + "\n(killed: no end after \(timeout) s)")
      }
      return Result(status: status, stdout: child.standardOutput, stderr: child.standardError)
    } catch {
      return Result(status: 127, stdout: "", stderr: "could not start \(program): \(error)")
    }
  }
}
