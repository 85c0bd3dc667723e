internal import Foundation
internal import LedgerTestSupport
internal import XCTest

/// What people see: tables on narrow terminals and in pipes, help, what to do next.
final class ScreenTests: TerminalTestCase {
  private static let bot = "mean-reversion/BTC-USD-perpetual"

  /// A trade in doubt under a long name, and two facts of the past too close together.
  private func makeTrades() {
    makeLedger(lease: "1ms")
    expect(run(["bot", "add", Self.bot, "--cooldown", "1h", "--lease", "1ms"]), 0)
    let key = ["--key", "signal-of-the-evaluator-000000000001"]
    expect(run(["reserve", Self.bot] + Self.order + key), 0)
    for second in ["53.395950", "54.212493"] {
      let time = ["--filled-at", "2025-09-07T20:28:\(second)Z"]
      expect(run(["record", "m"] + Self.order + time), 0)
    }
  }

  /// `terminal.py` refuses a line that is longer than the terminal.
  func testTables_areBrokenByNoTerminal() throws {
    makeTrades()
    for (columns, commands) in [
      (80, [["status"], ["trades"], ["audit"], ["instances"], ["bot", "list"], ["doctor"]]),
      (40, [["status"], ["trades"], ["audit"], ["instances"], ["bot", "list"]]),
    ] {
      for command in commands {
        // The path of the ledger is as long as it is.
        let quiet = command + ["--quiet"]
        let width = command == ["status"] ? max(columns, ledger.count + 8) : columns
        let seen = try onTerminal(quiet, columns: width, rows: 80)
        XCTAssertLessThanOrEqual(seen.status, 1, "\(command)")
      }
    }
  }

  func testTables_losePartsNeitherOnATerminalNorInAPipe() throws {
    makeTrades()
    let narrow = try XCTUnwrap(try onTerminal(["trades"], columns: 80, rows: 40).screens.last)
    let words = Set(narrow.flatMap { $0.split(separator: " ") })
    for word in [Self.bot, "signal-of-the-evaluator-000000000001", "BTC-USD", "0.5"] {
      XCTAssertTrue(words.contains(Substring(word)), "\(word)\n\(narrow.joined(separator: "\n"))")
    }
    XCTAssertTrue(narrow.contains { $0.contains("CREATED (UTC)") }, "\(narrow)")
    XCTAssertTrue(narrow.contains { $0.contains("2025-09-07T20:28:54 ") }, "\(narrow)")

    for environment in [[:], ["COLUMNS": "40"]] {
      let pipe = run(["trades"], environment: environment).stdout.split(separator: "\n")
      XCTAssertEqual(pipe.count, 4, "header and one line for each trade")
      XCTAssertTrue(pipe[1].contains("2025-09-07T20:28:54.212493Z"), String(pipe[1]))
    }
  }

  func testColours_areNotForDumbTerminals() throws {
    makeTrades()
    for (environment, isPlain) in [
      (["NO_COLOR": ""], false), (["NO_COLOR": "1"], true),
      (["NO_COLOR": "", "TERM": "dumb"], true),
    ] as [([String: String], Bool)] {
      for command in [["status"], ["doctor"], ["trades"], ["check", "nobody"]] {
        let raw = try onTerminal(command, columns: 200, rows: 80, environment: environment).raw
        XCTAssertEqual(!raw.contains("\u{1b}"), isPlain, "\(command) \(environment)\n\(raw)")
      }
    }
  }

  func testWatch_countsWideSignsTwice() throws {
    makeLedger()
    let path = directory.file(String(repeating: "\u{5E33}", count: 60) + ".db")
    expect(run(["init", "--mode", "paper"], db: path), 0)
    expect(run(["bot", "add", "wide", "--cooldown", "0s"], db: path), 0)
    let seen = try onTerminal(
      ["--db", path, "status", "--watch", "--interval", "200ms"], ["wait ready", "key q"])
    XCTAssertEqual(seen.status, 0)
    XCTAssertTrue(seen.screens[0][0].hasSuffix("~"), seen.screens[0][0])
  }

  func testAudit_saysWhatToDoAboutEachKindOfFinding() {
    makeTrades()
    let result = run(["audit"])
    expect(result, 1)
    let hints = result.stderr.split(separator: "\n")
    guard hints.count == 2 else { return XCTFail("not a hint for each: \(result.stderr)") }
    XCTAssertTrue(hints[0].hasPrefix("hint: double-trade: "), result.stderr)
    XCTAssertTrue(hints[0].contains("'tradeledger trade show 2'"), result.stderr)
    XCTAssertTrue(hints[1].contains("'tradeledger resolve 1 --filled'"), result.stderr)
    XCTAssertEqual(run(["audit", "--json"]).stderr, "")
  }

  private static let commands = [
    [], ["init"], ["bot"], ["bot", "add"], ["bot", "list"], ["bot", "show"], ["bot", "set"],
    ["bot", "enable"], ["bot", "disable"], ["import"], ["reserve"], ["fill"], ["void"],
    ["record"], ["execute"], ["guard"], ["check"], ["trades"], ["trade"], ["trade", "show"],
    ["status"], ["instances"], ["instances", "list"], ["instances", "evict"], ["audit"],
    ["report"], ["export"], ["doctor"], ["metrics"], ["schema"], ["resolve"], ["backup"],
    ["restore"], ["simulate"], ["bench"],
  ]

  func testHelp_isMadeFor80Columns() {
    var pages = Self.commands.map { BuiltBinary.run($0 + ["--help"]) }
    pages += [["help", "exit-codes"], ["help", "environment"]].map { BuiltBinary.run($0) }
    for page in pages {
      expect(page, 0)
      let lines = page.stdout.split(separator: "\n", omittingEmptySubsequences: false)
      for (line, next) in zip(lines, lines.dropFirst()) {
        XCTAssertLessThanOrEqual(line.count, 80, String(line))
        // Prose is broken where it is full, and examples are not broken at all.
        let isProse = !line.isEmpty && !next.isEmpty && !line.hasSuffix(":") && line.first != " "
        let word = next.split(separator: " ").first.map(\.count) ?? 0
        if isProse && !line.hasPrefix("USAGE:") {
          XCTAssertGreaterThan(line.count + 1 + word, 76, "\(line)\n\(next)")
        }
      }
    }
    let help = pages[10].stdout
    let own = help.range(of: "\nOPTIONS:")?.lowerBound
    let global = help.range(of: "\nGLOBAL OPTIONS:")?.lowerBound
    XCTAssertNotNil(own)
    XCTAssertNotNil(global)
    if let own, let global { XCTAssertLessThan(own, global, "the command's own come first") }
  }

  func testMistypedCommands_areNamed() {
    for (arguments, hint) in [
      (["statsu"], "did you mean 'status'?"),
      (["help", "exit-code"], "did you mean 'exit-codes'?"),
      (["xyzzy"], "hint: 'tradeledger --help'"), (["guard", "x", "true"], "goes after --"),
      (["simulate", "--cooldown"], "see 'tradeledger simulate --help'"),
    ] {
      let result = BuiltBinary.run(arguments)
      expect(result, 64, "\(arguments)")
      XCTAssertTrue(result.stderr.contains(hint), result.stderr)
    }
    let list = BuiltBinary.run(["bench", "--case", "all"]).stderr
    XCTAssertTrue(list.contains("following: accept, two-phase, "), list)
  }

  /// A ledger that somebody has exported is not simulated on.
  func testSimulate_makesALedgerOfItsOwn() {
    makeLedger()
    let result = BuiltBinary.run(
      ["simulate", "--workers", "1", "--bots", "1", "--instances", "0", "--duration", "200ms"],
      environment: ["TRADELEDGER_DB": ledger])
    expect(result, 0)
  }

  /// What each shell is offered for names with colons and slashes.
  func testCompletions_offerWholeNames() throws {
    makeLedger()
    for name in ["acct:1/BTC-USD", "acct:2/ETH-USD"] {
      expect(run(["bot", "add", name, "--cooldown", "1s"]), 0)
    }
    let script = directory.file("completion.bash")
    let bash = BuiltBinary.run(["--generate-completion-script", "bash"])
    expect(bash, 0)
    try bash.stdout.write(toFile: script, atomically: true, encoding: .utf8)
    // As bash gives it: words are taken apart at colons, and the last part alone is replaced.
    let ask = """
      shopt -s extglob; source "$1"; shift
      PATH="${0%/*}:$PATH"; COMP_LINE=$1; COMP_POINT=${#1}; shift
      COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); last=${COMP_WORDS[-1]}
      [[ "$last" = [:=] ]] && last=
      _tradeledger_whole_words tradeledger "$last" "${COMP_WORDS[-2]}"; echo "${COMPREPLY[@]}"
      """
    for (line, words, offered) in [
      ("check m", ["check", "m"], "m"),
      ("check ", ["check", ""], "acct:1/BTC-USD acct:2/ETH-USD m"),
      ("check acct:", ["check", "acct", ":"], "1/BTC-USD 2/ETH-USD"),
      ("check acct:2", ["check", "acct", ":", "2"], "2/ETH-USD"),
      ("trades --bot=acct:1", ["trades", "--bot", "=", "acct", ":", "1"], "1/BTC-USD"),
      ("trades --status ", ["trades", "--status", ""], "pending in_doubt filled void"),
      ("sta", ["sta"], "status"),
    ] as [(String, [String], String)] {
      let result = BuiltBinary.run(
        "bash",
        ["-c", ask, BuiltBinary.path, script, "tradeledger " + line, "tradeledger"] + words,
        environment: ["TRADELEDGER_DB": ledger])
      XCTAssertEqual(result.stdout, offered + "\n", "\(line)\n\(result.stderr)")
    }
    let zsh = BuiltBinary.run(
      ["---completion", "check", "--", "positional@0", "2", "4", "tradeledger", "check", "acct"],
      environment: ["SAP_SHELL": "zsh", "TRADELEDGER_DB": ledger])
    XCTAssertEqual(
      zsh.stdout.split(separator: "\n").filter { $0 != " " },
      ["acct\\:1/BTC-USD", "acct\\:2/ETH-USD"], zsh.stderr)
  }
}
