internal import XCTest

@testable internal import TradeLedger
@testable internal import TradeLedgerCLI

/// Exit codes and text, where no command line leads to every case.
final class MappingTests: XCTestCase {
  private struct Unforeseen: Error {}

  func testErrors_areNeverAnAnswer() {
    let codes: [(LedgerError.Code, Int32)] = [
      (.invalidInput, 65), (.noLedger, 66), (.noSuchBot, 66), (.noSuchTrade, 66),
      (.notALedger, 65), (.newerSchema, 65), (.schemaAltered, 65), (.cannotCreate, 73),
      (.permission, 77), (.configuration, 78), (.ledgerMoved, 74), (.busy, 75), (.io, 74),
      (.outcomeUnknown, 70), (.internalError, 70), (LedgerError.Code("of a later version"), 70),
    ]
    for (code, exit) in codes {
      let failure = Failure(LedgerError(code, "what", hint: "do"))
      XCTAssertEqual(failure.exit.rawValue, exit, code.description)
      XCTAssertEqual(failure.code, code.description)
    }
    XCTAssertEqual(Failure(Unforeseen()).exit.rawValue, 70)
    XCTAssertEqual(Failure(CancellationError()).exit.rawValue, 70)
  }

  func testDenials_areTheAnswerNo() {
    for reason in Denial.Reason.allCases {
      XCTAssertEqual(ExitStatus(Denial(reason)), .no)
    }
  }

  func testJSON_keepsOrderAndNulls_andEscapesWhatDrivesATerminal() {
    let value: JSON = [
      "z": nil, "a": ["\u{1b}[2J", "\u{202e}", "\u{2028}", "\u{7f}", "\u{85}", "\u{e0001}"],
      "t\"": true, "n": .int(.min),
    ]
    XCTAssertEqual(
      value.rendered,
      #"{"z":null,"a":["\u001b[2J","\u202e","\u2028","\u007f","\u0085","\udb40\udc01"],"#
        + #""t\"":true,"n":-9223372036854775808}"#)
    XCTAssertEqual(JSON.string("é日\\\n").rendered, #""é日\\\n""#)
  }

  func testCSV_quotesAndStartsNoFormula() {
    for (text, cell) in [
      ("plain", "plain"), ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@A1", "'@A1"),
      ("a,b", "\"a,b\""), ("say \"no\"", "\"say \"\"no\"\"\""), ("=\"x\"", "\"'=\"\"x\"\"\""),
      ("\t=1", "\\u{9}=1"), ("=\u{301}1", "'=\u{301}1"), ("", ""),
    ] {
      XCTAssertEqual(CSV.row([.text(text)]), cell + "\r\n")
    }
    XCTAssertEqual(CSV.row([.plain("-1"), .text(nil), .plain(nil)]), "-1,,\r\n")
  }

  func testInvocation_readsWhatItNeedsFromABrokenCommandLine() {
    let broken = Invocation(["--db", "execute", "--color", "always", "status", "--json", "--x"])
    XCTAssertEqual(broken.words.first, "status")
    XCTAssertTrue(broken.wantsJSON && broken.ownsStandardOutput)
    XCTAssertEqual(broken.color, .always)
    let execute = Invocation(["--lock-wait=1s", "execute", "m", "--", "x", "--json", "--quiet"])
    XCTAssertFalse(execute.wantsJSON || execute.isQuiet || execute.ownsStandardOutput)
  }

  func testFailureLines_areTwoAndHarmless() {
    let failure = Failure("x", .usage, "a\nb\u{1b}[2J", hint: "c\u{202e}")
    let colors = Colors(.never, stream: 2)
    XCTAssertEqual(
      failure.lines(isQuiet: false, colors: colors),
      "error: a\\u{a}b\\u{1b}[2J\nhint: c\\u{202e}\n")
    XCTAssertEqual(failure.lines(isQuiet: true, colors: colors), "error: a\\u{a}b\\u{1b}[2J\n")
  }
}
