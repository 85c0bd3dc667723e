import LedgerReport
import LedgerTestSupport
import TradeLedger
import XCTest

/// Histories to draw. Times are microseconds after `start`.
enum SamplePage {
  static let start: Int64 = 1_757_276_933_000_000

  static func at(_ offset: Int64) -> Timestamp { Timestamp(microseconds: start + offset) }

  static func trade(
    _ id: Int64, _ bot: String = "m", _ status: TradeStatus = .filled, at offset: Int64,
    key: String? = nil, cooldown: Duration = .seconds(1)
  ) -> ReportTrade {
    ReportTrade(
      id: id, bot: bot, key: key ?? "key-\(id)", status: status, createdAt: at(offset),
      filledAt: status == .filled ? at(offset) : nil, cooldown: cooldown, pid: 4711)
  }

  static func double(
    _ earlier: Int64, _ later: Int64, _ bot: String = "m", at offset: Int64,
    gap: Duration = .microseconds(816_543)
  ) -> DoubleTrade {
    DoubleTrade(
      bot: bot, earlier: earlier, later: later, at: at(offset), gap: gap, cooldown: .seconds(900))
  }

  static func frame(
    _ kind: ReportFrame.Verdict.Kind = .violated, bots: [String] = ["m"], seconds: Int64 = 100
  ) -> ReportFrame {
    var frame = ReportFrame(
      title: "Trade ledger", verdict: .init(kind, "the headline"),
      range: at(0)...at(seconds * 1_000_000), latencyName: "From reservation to fill",
      more: "ask for more")
    frame.bots = bots.map { ReportBot(name: $0, cooldown: .seconds(1)) }
    return frame
  }

  /// Something of everything: each status, denials, kills, findings, latencies, double trades.
  static func everything() -> ReportBuilder {
    var frame = frame(bots: ["m", "n"])
    frame.knowsDenials = true
    frame.axis = .elapsed
    frame.facts = [.init("seed", "42")]
    frame.doubles = [double(1, 2, at: 2_000_000), double(3, 9, "n", at: 5_000_000, gap: .zero)]
    frame.findings = [.init(check: "in-doubt", bot: "m", trades: [4], detail: "look it up")]
    var builder = ReportBuilder(frame)
    builder.add(trade(9, "n", at: 5_000_000))
    builder.add(trade(5, "m", .void, at: 60_000_000))
    builder.add(trade(4, "m", .inDoubt, at: 40_000_000))
    builder.add(trade(6, "n", .pending, at: 70_000_000))
    builder.add(trade(2, at: 2_000_000))
    builder.add(trade(1, at: 1_183_457))
    builder.addDenial("m", at: at(1_500_000))
    builder.add(
      ReportEvent(letter: "K", name: "kill -9", at: at(40_100_000), target: "worker 3"))
    for value in 1...1000 { builder.addLatency(Int64(value) * 10) }
    return builder
  }

  /// What an XML parser makes of a page: `TAG ATTRIBUTE=VALUE` and `= TEXT`, a line each; it fails
  /// the test where the page is not well-formed.
  static func parse(
    _ page: String, file: StaticString = #filePath, line: UInt = #line
  ) -> [String] {
    let script = """
      import sys, xml.etree.ElementTree as tree
      for e in tree.fromstring(sys.stdin.buffer.read().decode()).iter():
          print(e.tag, *(f"{k}={v}" for k, v in e.attrib.items()))
          for text in (e.text, e.tail):
              if text and text.strip() and e.tag != "style":
                  print("=", " ".join(text.split()))
      """
    let result = BuiltBinary.run(
      "python3", ["-c", script], environment: ["PYTHONIOENCODING": "utf-8"], stdin: page)
    XCTAssertEqual(result.status, 0, result.stderr, file: file, line: line)
    return result.stdout.split(separator: "\n").map(String.init)
  }
}
