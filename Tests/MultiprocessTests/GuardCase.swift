import Foundation
import LedgerTestSupport
import XCTest

/// A ledger, and real commands under `guard`.
class GuardCase: PlacedTestCase {
  let directory = TemporaryDirectory()
  private(set) var path = ""

  override func setUp() async throws {
    path = try newPlace()
    for name in ["TRADELEDGER_DB", "TRADELEDGER_INSTANCE", "TRADELEDGER_EPOCH"] { unsetenv(name) }
    XCTAssertEqual(BuiltBinary.run(["--db", path, "init", "--mode", "paper"]).status, 0)
  }

  override func tearDown() async throws {
    if !path.isEmpty { try LedgerCheck.verify(path) }
    try await super.tearDown()
  }

  /// The holder is the command itself: by becoming it, or, where a heartbeat has to go on, as the
  /// child of a supervisor.
  var alone: String { Self.isOnServer ? "--supervise" : "--no-supervise" }

  /// `tradeledger guard desk OPTIONS -- COMMAND`, as words for another program to start.
  func guarding(_ options: [String] = [], _ command: [String]) -> [String] {
    [BuiltBinary.path, "--db", path, "guard", "desk"] + options + ["--"] + command
  }

  /// Starts the words, and waits for the first line that they print.
  func start(_ words: [String]) throws -> (ChildProcess, String) {
    let child = try ChildProcess(words[0], Array(words.dropFirst()))
    guard let line = child.readLine(timeout: 30) else { throw Failed(child.standardError) }
    return (child, line)
  }

  func run(_ words: [String]) -> BuiltBinary.Result {
    BuiltBinary.run(words[0], Array(words.dropFirst()), timeout: 60)
  }

  let echoPid = ["sh", "-c", "echo $$; exec sleep 60"]

  /// kill -9 of a command and of its supervisor, which may be one.
  func killAll(_ holder: ChildProcess, _ pid: String) throws {
    let command = try XCTUnwrap(Int32(pid), pid)
    holder.signal(SIGKILL)
    kill(command, SIGKILL)
    XCTAssertEqual(holder.wait(timeout: 30), 128 + SIGKILL)
    XCTAssertTrue(eventually { !lives(command) })
  }

  /// Another start in the namespaces of the tests.
  func second(_ options: [String] = []) -> BuiltBinary.Result {
    run(guarding(options, ["echo", "mine"]))
  }

  struct Failed: Error {
    let why: String
    init(_ why: String) { self.why = why }
  }

  func row() throws -> [String] {
    try LedgerCheck.query(path, "SELECT epoch, pid FROM instances").first ?? []
  }

  /// `S` as in /proc/PID/stat; nil where there is no such process.
  func state(_ pid: Int32) -> Character? {
    let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
    return stat.flatMap { $0[($0.lastIndex(of: ")") ?? $0.startIndex)...].dropFirst(2).first }
  }

  func lives(_ pid: Int32) -> Bool { kill(pid, 0) == 0 && state(pid) != "Z" }

  /// Skips where this machine gives no namespaces.
  func needNamespaces(_ options: [String]) throws {
    let result = run(["unshare"] + options + ["true"])
    try XCTSkipIf(
      result.status != 0, "unshare \(options.joined(separator: " ")): \(result.stderr)")
  }

  /// A PID namespace of its own with its own /proc, as a container has.
  let container = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
}
