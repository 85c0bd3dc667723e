import XCTest

/// S-01, INV-1, INV-2: the rules hold between processes that know nothing but SQL.
final class RaceTests: XCTestCase {
  func testRace_eightPythonProcesses_exactlyOneIsAdmittedInEachRound() throws {
    let database = try SchemaDatabase(mode: nil)
    for statement in [
      "INSERT INTO ledger (id, mode, created_at) VALUES (1, 'simulation', 0)",
      "INSERT INTO bots (name) VALUES ('contended')", SQL.settings(at: "0"),
    ] {
      try database.run(statement)
    }
    let rounds = 50
    let told = try ForeignClient.python(
      "reservation_race.py", [database.path, "8", "\(rounds)"], as: [[String]].self)
    XCTAssertEqual(told.count, 8)
    for round in 0..<rounds {
      let answers = told.map { $0[round] }
      XCTAssertEqual(answers.filter { $0 == "admitted" }.count, 1, "round \(round): \(answers)")
      for answer in answers where answer != "admitted" {
        XCTAssertTrue(
          answer.hasPrefix("TL105") || answer.hasPrefix("TL106"), "round \(round): \(answer)")
      }
    }
    let trades = try database.rows("SELECT COUNT(*), COUNT(DISTINCT created_at) FROM trades")
    XCTAssertEqual(trades, [["\(rounds)", "\(rounds)"]])
    XCTAssertEqual(try database.rows("SELECT * FROM double_trades"), [])
    // More than one process got its turn, or the race was none.
    XCTAssertGreaterThan(told.filter { $0.contains("admitted") }.count, 1)
  }
}
