import XCTest

/// From promise to proof: every invariant and every scenario has a test that names it.
final class TraceTests: XCTestCase {
  /// The scenarios that this version must survive.
  private static let scenarios =
    (Array(1...25) + Array(31...46) + [52] + Array(54...58)).map { number in
      "S-" + (number < 10 ? "0" : "") + String(number)
    }

  func testEveryInvariant_isCitedByTheCodeAndByATest() throws {
    let headings = try Checkout.file("docs/INVARIANTS.md").lines
      .compactMap { $0.firstMatch(of: /^## (INV-\d+)\b/).map { String($0.1) } }
    XCTAssertEqual(headings, (1...11).map { "INV-\($0)" })

    let code = try Checkout.files("Sources") + [Checkout.file("schema.sql")]
    let tests = try Checkout.files("Tests").filter { !$0.path.hasPrefix("Tests/HouseTests/") }
    for (place, files) in [("Sources or schema.sql", code), ("Tests", tests)] {
      let cited = Set(
        files.flatMap { $0.text.matches(of: /\bINV-\d+\b/).map { String($0.0) } })
      for id in headings where !cited.contains(id) { XCTFail("\(id) is not cited in \(place)") }
      for id in cited where !headings.contains(id) {
        XCTFail("\(id) is cited in \(place) and does not stand in docs/INVARIANTS.md")
      }
    }
  }

  func testEveryScenario_isNamedByATest() throws {
    var named: Set<String> = []
    for file in try Checkout.files("Tests") where !file.path.hasPrefix("Tests/HouseTests/") {
      for comment in commentsOfTests(in: file) {
        named.formUnion(comment.matches(of: /\bS-\d\d\b/).map { String($0.0) })
      }
    }
    for id in Self.scenarios where !named.contains(id) {
      XCTFail("no test names \(id) in its doc comment, nor does its class")
    }
  }

  /// docs/SCENARIOS.md has a row for each scenario, and what it names is there.
  func testEveryScenario_hasItsRowForServers() throws {
    let page = try Checkout.file("docs/SCENARIOS.md")
    var told: [Int] = []
    for line in page.lines {
      guard let row = line.firstMatch(of: /^\| S-(\d\d)(?:(, | to )S-(\d\d))? \|/) else { continue }
      let first = Int(row.1) ?? 0
      guard let last = row.3.flatMap({ Int($0) }) else {
        told.append(first)
        continue
      }
      told += row.2 == ", " ? [first, last] : Array(first...last)
    }
    XCTAssertEqual(told, Array(1...25) + Array(31...46) + Array(51...58))
    let files = try Checkout.files("Tests").map(\.text)
    for word in page.text.matches(of: /`(\w+Tests|test\w+)`/) {
      let isThere = files.contains { text in
        text.contains("func \(word.1)(") || text.contains("class \(word.1):")
      }
      XCTAssertTrue(isThere, "\(page.path) names \(word.1), which does not exist")
    }
  }

  /// What the documents point to by name is there.
  func testDocuments_nameTestsAndTriggersThatExist() throws {
    let tests = Set(
      try Checkout.files("Tests").flatMap { file in
        file.text.matches(of: /func (test\w+)/).map { String($0.1) }
      })
    let schema = try Checkout.file("schema.sql").text
    let document = try Checkout.file("docs/INVARIANTS.md")
    for word in document.text.matches(of: /`((?:test|trade_|conflict_|instance_|restore_)\w+)`/) {
      let name = String(word.1)
      let isThere = name.hasPrefix("test") ? tests.contains(name) : schema.contains(" \(name) ")
      XCTAssertTrue(isThere, "\(document.path) names \(name), which does not exist")
    }
    XCTAssertFalse(document.text.contains("TODO"), "\(document.path) is not finished")
  }

  /// Links between the documents lead somewhere.
  func testLinks_leadSomewhere() throws {
    for file in try Checkout.files("docs", [".md"]) + [Checkout.file("README.md")] {
      let folder = file.path.split(separator: "/").dropLast().joined(separator: "/")
      for link in file.text.matches(of: /\]\(([^)#:\s]+)(#[^)]*)?\)/) {
        let target = Checkout.root.appendingPathComponent(folder).appendingPathComponent(
          String(link.1))
        XCTAssertTrue(
          FileManager.default.fileExists(atPath: target.standardizedFileURL.path),
          "\(file.path) links to \(link.1)")
      }
    }
  }

  /// The doc comment in front of each `func test...`, and of each class of tests.
  private func commentsOfTests(in file: Checkout.File) -> [String] {
    var comments: [String] = []
    var current: [Substring] = []
    for line in file.lines.map({ $0.drop(while: { $0 == " " }) }) {
      if line.hasPrefix("///") {
        current.append(line)
      } else {
        if line.contains(/^(@\w+ )*func test\w+|^(final )?class \w+: \w*TestCase\b/) {
          comments.append(current.joined(separator: "\n"))
        }
        // An attribute may stand between the comment and the function.
        if !line.hasPrefix("@") { current = [] }
      }
    }
    return comments
  }
}
