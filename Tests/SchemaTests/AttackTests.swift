import LedgerTestSupport
import XCTest

/// INV-11: whoever opens the file, with whatever client and settings, is held to the rules.
final class AttackTests: XCTestCase {
  /// {attack: {mode: {outcome: [the pragmas under which it came]}}}
  private typealias Outcomes = [String: [String: [String: [String]]]]

  func testCorpus_names_areUnique() {
    let names = Corpus.attacks.map(\.name)
    XCTAssertEqual(names.count, Set(names).count, "\(duplicates(names))")
  }

  /// Every attack by Python's sqlite3, with each pair of settings of recursive_triggers, foreign_keys
  /// and ignore_check_constraints: refused by the rule that it breaks, and no row changed.
  func testPython_triesEverything_isRefusedByTheRuleItBreaks() throws {
    let directory = TemporaryDirectory()
    let path = try CorpusFile().write(into: directory)
    let outcomes = try ForeignClient.python(
      "foreign_client.py", ["attack", path], as: Outcomes.self)
    for attack in Corpus.attacks {
      for mode in attack.modes {
        let seen = outcomes[attack.name]?[mode] ?? [:]
        let runs = seen.values.map(\.count).reduce(0, +)
        XCTAssertEqual(runs, 4, "\(attack.name) in \(mode): runs")
        for (outcome, pragmas) in seen where !attack.isMet(by: outcome) {
          XCTFail(
            """
            \(attack.name), \(mode), recursive/foreign/ignore \(pragmas.joined(separator: " ")):
            \(outcome), not \(attack.expected)
            \((attack.setup + [attack.sql]).joined(separator: ";\n"))
            """)
        }
      }
    }
  }

  /// The same by the sqlite3 shell, for every seventh attack.
  func testShell_triesASample_isRefusedByTheRuleItBreaks() throws {
    let attacks = Corpus.attacks.filter { !$0.isIsolated }
    for attack in stride(from: 0, to: attacks.count, by: 7).map({ attacks[$0] }) {
      let mode = attack.modes[0]
      let dump = """
        SELECT * FROM main.trades; SELECT * FROM main.conflicts; SELECT * FROM main.bots;
        SELECT * FROM main.settings; SELECT * FROM main.instances; SELECT * FROM main.ledger;
        """
      let base = Corpus.base.map { $0.replacing("MODE", with: mode) }
      let script =
        ([ForeignClient.schema] + (base + attack.setup).map { $0 + ";" } + [
          ".mode insert", ".print BEFORE", dump, ".print ATTACK", attack.sql + ";", ".print AFTER",
          dump,
        ]).joined(separator: "\n") + "\n"
      let result = try ForeignClient.shell(script)
      let parts = result.stdout.split(separator: /BEFORE\n|ATTACK\n|AFTER\n/).map(String.init)
      guard parts.count >= 2, let before = parts.first, let after = parts.last else {
        XCTFail("\(attack.name): \(result)")
        continue
      }
      // "Runtime error near line 9: TL101 ... (19)", or nothing.
      let message = result.stderr.split(separator: ": ", maxSplits: 1).last.map(String.init)
      var outcome = before == after ? "nothing" : "admitted"
      if let message, !message.isEmpty {
        outcome = "refused: \(message)" + (before == after ? "" : " BUT ROWS CHANGED")
      }
      XCTAssertTrue(
        attack.isMet(by: outcome), "\(attack.name), \(mode): \(outcome), not \(attack.expected)")
    }
  }

  /// SQLite's incremental blob interface (in Python: `blobopen`) writes a text in place and no trigger
  /// sees it. Without the seals of `schema.sql` it could change an order after it was written.
  func testPython_writesInPlace_isRefusedEverywhere() throws {
    let directory = TemporaryDirectory()
    let path = try CorpusFile().write(into: directory)
    let writable = try ForeignClient.python(
      "foreign_client.py", ["blob", path], as: [String: [String]].self)
    XCTAssertEqual(writable["sealed"], [])
    let unsealed = Set(writable["unsealed"] ?? [])
    XCTAssertTrue(
      unsealed.isSuperset(of: [
        "trades.quantity", "trades.token", "trades.status", "settings.in_doubt", "ledger.mode",
        "conflicts.quantity",
      ]), "\(unsealed)")
  }

  private func duplicates(_ names: [String]) -> [String] {
    Dictionary(grouping: names) { $0 }.filter { $1.count > 1 }.keys.sorted()
  }
}
