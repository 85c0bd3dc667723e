internal import Foundation
internal import LedgerTestSupport
internal import XCTest

/// `tradeledger` on a real terminal: a pty that Python makes.
class TerminalTestCase: CommandLineTestCase {
  /// What a terminal saw.
  struct Seen: Decodable {
    /// After each `wait`, and at the end.
    let screens: [[String]]
    /// All that was sent to it.
    let raw: String
    let status: Int
    /// Whether its settings are as they were.
    let isRestored: Bool
  }

  /// Runs `tradeledger --db LEDGER ARGUMENTS` on a terminal of that size and does what `script` says:
  /// `wait TEXT` (that is on the screen), `size COLUMNS ROWS`, `key X`, `signal N`, `run ARGUMENTS`.
  /// Fails where a line is longer than the terminal is wide, or the screen scrolls.
  func onTerminal(
    _ arguments: [String], _ script: [String] = [], columns: Int = 80, rows: Int = 24,
    environment: [String: String] = [:]
  ) throws -> Seen {
    let program = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/terminal.py").path
    let result = BuiltBinary.run(
      "python3",
      [
        program, "\(columns)", "\(rows)", script.joined(separator: "\n"), BuiltBinary.path, "--db",
        ledger,
      ] + arguments,
      environment: environment.merging(["TERM": "xterm"]) { own, _ in own }, timeout: 60)
    XCTAssertEqual(result.status, 0, "\(arguments)\n\(result.stderr)")
    return try JSONDecoder().decode(Seen.self, from: Data(result.stdout.utf8))
  }
}
