import XCTest

/// The layers of docs/ARCHITECTURE.md, held up by import lists: the compiler's own check does not
/// see modules that come along with another one.
final class LayerTests: XCTestCase {
  /// What each folder may import; the longest folder that fits a file decides. What is not in a
  /// list is forbidden, so a new dependency is a decision and not an accident.
  private static let allowed: [String: Set<String>] = [
    "Sources/SQLite": ["CSQLite", "Glibc", "Darwin"],
    "Sources/PostgreSQL": ["CLibPQ", "Synchronization", "Glibc", "Darwin"],
    "Sources/TradeLedger": ["Logging", "Metrics", "Synchronization"],
    "Sources/TradeLedger/Service": ["ServiceLifecycle", "Synchronization"],
    "Sources/TradeLedger/Model": [],
    "Sources/TradeLedger/Rules": [],
    "Sources/TradeLedger/Engine": ["Synchronization", "Glibc", "Darwin"],
    "Sources/TradeLedger/Instances": ["CLedgerSystem", "Glibc", "Darwin"],
    "Sources/TradeLedger/Engine/SQLite": ["SQLite", "CLedgerSystem", "Glibc", "Darwin"],
    "Sources/TradeLedger/Engine/PostgreSQL": [
      "PostgreSQL", "Synchronization", "Glibc", "Darwin",
    ],
    "Sources/ForeignAudit": ["TradeLedger", "SQLite", "Glibc", "Darwin"],
    "Sources/LedgerSimulation": [
      "TradeLedger", "Subprocess", "Histogram", "Synchronization", "FoundationEssentials",
      "SystemPackage", "Glibc", "Darwin",
    ],
    "Sources/LedgerSimulation/Strategies": [
      "TradeLedger", "SQLite", "PostgreSQL", "Glibc", "Darwin",
    ],
    "Sources/LedgerSimulation/Benchmark": [
      "TradeLedger", "SQLite", "Subprocess", "Histogram", "Synchronization", "SystemPackage",
      "Glibc", "Darwin",
    ],
    "Sources/LedgerSimulation/Checker": ["TradeLedger"],
    "Sources/LedgerReport": ["TradeLedger"],
    "Sources/TradeLedgerCLI": [
      "TradeLedger", "LedgerSimulation", "ForeignAudit", "LedgerReport",
      "CLedgerSystem", "ArgumentParser", "Logging", "Subprocess",
      "Synchronization", "FoundationEssentials", "SystemPackage", "Glibc", "Darwin",
    ],
  ]

  func testImports_areThoseOfTheLayer() throws {
    for file in try Checkout.files("Sources") {
      let folder = Self.allowed.keys
        .filter { file.path.hasPrefix($0 + "/") }.max { $0.count < $1.count }
      guard let folder, let allowed = Self.allowed[folder] else {
        XCTFail("\(file.path) is in no layer; add its folder to the table of this test")
        continue
      }
      for (module, line) in imports(of: file) where !allowed.contains(module) {
        XCTFail("\(file.path):\(line): \(folder) must not import \(module)")
      }
    }
  }

  /// The walls one by one, so that a mistake in the table above cannot open them.
  func testImports_keepTheWalls() throws {
    var importers: [String: Set<String>] = [:]
    for file in try Checkout.files("Sources") {
      for (module, _) in imports(of: file) { importers[module, default: []].insert(file.path) }
    }
    func expect(_ module: String, only folders: String...) {
      for path in importers[module] ?? [] where !folders.contains(where: path.hasPrefix) {
        XCTFail("\(path) must not import \(module)")
      }
    }
    expect("CSQLite", only: "Sources/SQLite/")
    expect("CLibPQ", only: "Sources/PostgreSQL/")
    expect(
      "PostgreSQL", only: "Sources/TradeLedger/Engine/PostgreSQL/",
      "Sources/LedgerSimulation/Strategies/")
    expect(
      "SQLite", only: "Sources/TradeLedger/Engine/SQLite/", "Sources/LedgerSimulation/Strategies/",
      "Sources/LedgerSimulation/Benchmark/BenchRows.swift", "Sources/ForeignAudit/")
    expect(
      "CLedgerSystem", only: "Sources/TradeLedger/Engine/SQLite/",
      "Sources/TradeLedger/Instances/", "Sources/TradeLedgerCLI/")
    expect("LedgerSimulation", only: "Sources/TradeLedgerCLI/")
    expect("ForeignAudit", only: "Sources/TradeLedgerCLI/")
    expect("LedgerReport", only: "Sources/TradeLedgerCLI/")
    expect("ArgumentParser", only: "Sources/TradeLedgerCLI/")
    expect("TradeLedgerCLI")
    expect("Foundation")
    XCTAssertEqual(importers["CSQLite"]?.isEmpty, false, "the parser of import lines sees nothing")
  }

  /// FoundationEssentials at most in what ships; and nowhere Foundation's Process, which misses the
  /// end of a child while a grandchild lives.
  func testFoundation_staysOutOfWhatShips() throws {
    let process = try Regex(#"\b(Foundation\.Process|NSTask)\b|(^|[^.\w])Process\(\)|: Process\b"#)
    for file in try Checkout.files("Sources") + Checkout.files("Tests") {
      if file.path.hasPrefix("Tests/HouseTests/") { continue }
      XCTAssertEqual(file.matches(process), [])
    }
  }

  private func imports(of file: Checkout.File) -> [(module: String, line: Int)] {
    let pattern =
      /^\s*(?:@\w+\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)/
    return file.codeLines.compactMap { number, text in
      text.firstMatch(of: pattern).map { (String($0.1), number) }
    }
  }
}
