internal import ArgumentParser
internal import LedgerTestSupport
internal import XCTest

@testable internal import TradeLedgerCLI

/// Commands that ask one thing start without the tree of commands and without threads, and nobody
/// can tell but by the time.
final class ShortCommandTests: CommandLineTestCase {
  private static let orders = [
    "m --side buy --symbol BTC-USD --quantity 0.5",
    "--side sell m --quantity=1 --symbol=-X --price 3 --key k --instance i --epoch 2",
    "m --side buy --symbol a --json --quiet --quantity 0.5 --json --db a --lock-wait 1s",
    "--db=a --color never m --verbose --side buy --symbol=--json --quantity=--db",
  ]
  private static let understood: [String] =
    orders.flatMap { ["reserve \($0)", "record \($0)"] } + [
      "reserve m --side buy --symbol X --quantity 1 --token t",
      "record m --side buy --symbol X --quantity 1 --price 2 --filled-at now",
      "fill 1 --token t --price 3 --quantity 1", "fill --token-stdin 7 --db x", "fill 1",
      "void 1 --token t --reason because --json", "check m", "check --db a m --json",
      "status", "status m --db a", "trades", "trades --bot m --since 24h --status filled",
      "resolve 1 --filled --reason r", "resolve 1 --void --reason r --db x",
      "metrics", "metrics -o F.prom --db a",
    ]
  private static let leftToTheTree = [
    "reserve", "reserve --help", "reserve -h m", "reserve m --version", "reserve help",
    "reserve m --side up --symbol X --quantity 1", "reserve m --side buy --nonsense",
    "--db x reserve m", "status a b", "bot list", "help reserve", "help", "", "fill",
    "reserve m --side buy --symbol -- --quantity --quantity",
    "reserve m --side buy --symbol --json --quantity 1", "check -m", "check --db --json m",
    "reserve --generate-completion-script bash", "check m --experimental-dump-help",
  ]

  private func parts(_ line: String) -> [String] { line.split(separator: " ").map(String.init) }

  private func described(_ command: any ParsableCommand) -> String {
    var text = ""
    dump(command, to: &text)
    // Objects are numbered and have addresses.
    return text.replacing(#/0x[0-9a-f]+|#\d+/#, with: "_")
  }

  func testShortWay_readsWhatTheTreeReads() throws {
    for line in Self.understood {
      let short = try XCTUnwrap(ShortCommands.parse(parts(line)), line)
      let full = try Root.parseAsRoot(parts(line))
      XCTAssertEqual(described(short), described(full), line)
    }
  }

  func testShortWay_leavesTheRestToTheTree() {
    for line in Self.leftToTheTree { XCTAssertNil(ShortCommands.parse(parts(line)), line) }
  }

  func testShortWay_isTakenByEachCommandUnderItsOwnName() throws {
    for line in Self.understood {
      let name = parts(line)[0]
      let short = try XCTUnwrap(ShortCommands.named(name))
      XCTAssertTrue(type(of: try Root.parseAsRoot(parts(line))) == short, name)
    }
  }

  func testErrors_areInTheWordsOfTheTree() {
    let words = ["reserve", "m", "--side", "up"]
    let result = BuiltBinary.run(words + ["--db", ledger])
    expect(result, 64)
    XCTAssertEqual(
      result.stderr, BuiltBinary.run(["--db", ledger] + words).stderr)
    XCTAssertTrue(
      BuiltBinary.run(["reserve", "--help"]).stdout.contains("USAGE: tradeledger reserve"))
  }

  /// A thread costs more than the look at a bot.
  func testShortCommands_makeNoThreads() throws {
    makeLedger()
    let commands = [
      ["check", "m"], ["reserve", "m"] + Self.order, ["status"], ["trades"], ["bot", "list"],
      ["metrics"],
    ]
    for command in commands {
      let made = directory.file("made")
      let result = BuiltBinary.run(
        "/usr/bin/strace",
        ["-f", "-qq", "-e", "trace=clone,clone3,fork,vfork", "-o", made, BuiltBinary.path]
          + command + ["--db", ledger])
      expect(result, 0, "\(command)")
      XCTAssertEqual(try String(contentsOfFile: made, encoding: .utf8), "", "\(command)")
    }
  }
}
