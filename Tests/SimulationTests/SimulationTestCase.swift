import Foundation
import LedgerTestSupport
import XCTest

/// Runs the built binary, with a temporary directory of its own, and looks for what it left there.
class SimulationTestCase: XCTestCase {
  func simulate(
    _ arguments: [String], in directory: TemporaryDirectory
  ) -> BuiltBinary.Result {
    BuiltBinary.run(
      ["simulate", "--json"] + arguments,
      environment: ["TMPDIR": directory.path, "TRADELEDGER_DB": ""])
  }

  func json(_ text: String) throws -> [String: Any] {
    let lines = text.split(separator: "\n")
    XCTAssertEqual(lines.count, 1, "one JSON object on standard output, and nothing else")
    let value = try JSONSerialization.jsonObject(with: Data(text.utf8))
    return try XCTUnwrap(value as? [String: Any])
  }

  func leftovers(_ directory: TemporaryDirectory) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: directory.path)
  }

  /// Processes whose command line mentions `directory`: workers get the path of the ledger.
  func workers(of directory: TemporaryDirectory) -> [String] {
    let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return processes.filter { pid in
      guard Int(pid) != nil, let data = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline")
      else { return false }
      let words = String(decoding: data, as: UTF8.self)
      return words.contains("simulate-worker") && words.contains(directory.path)
    }
  }

  /// Whether one of `pids` is stopped by a signal.
  func isAnyStopped(_ pids: [String]) -> Bool {
    pids.contains { pid in
      guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/stat") else {
        return false
      }
      // The state follows the name, which ends with the last parenthesis.
      let fields = String(decoding: data, as: UTF8.self).split(separator: ")").last ?? ""
      return fields.hasPrefix(" T")
    }
  }

  func count(_ key: String, _ result: [String: Any]) throws -> Int {
    try XCTUnwrap(result[key] as? Int, "\(key) in \(result)")
  }
}
