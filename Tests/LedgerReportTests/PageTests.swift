import TradeLedger
import XCTest

@testable import LedgerReport

/// What stands on a page, and what never does.
final class PageTests: XCTestCase {
  private func assertSelfContained(
    _ page: String, file: StaticString = #filePath, line: UInt = #line
  ) {
    for forbidden in ["http:", "https:", "//", "url(", "@import", "<script", "<link", "<iframe"] {
      XCTAssertFalse(page.contains(forbidden), forbidden, file: file, line: line)
    }
    for attribute in [" src=", " action=", " onload=", " onclick=", " style=", " xlink:"] {
      XCTAssertFalse(page.contains(attribute), attribute, file: file, line: line)
    }
    let links = page.matches(of: /href="([^"]*)"/).map { String($0.1) }
    XCTAssertEqual(links.filter { !$0.hasPrefix("#") }, [], file: file, line: line)
  }

  func testPage_isWellFormedAndSelfContained() {
    let page = SamplePage.everything().page()
    assertSelfContained(page)
    let lines = SamplePage.parse(page)
    XCTAssertTrue(lines.contains { $0.contains("default-src 'none'; style-src 'unsafe-inline'") })
    XCTAssertEqual(lines.filter { $0.hasPrefix("h1") }.count, 1)
    for title in ["2 double trades", "1 other finding", "Timeline", "Bots"] {
      XCTAssertTrue(lines.contains("= \(title)"), title)
    }
  }

  /// Every picture has a name and points to things that exist, once.
  func testPictures_areNamed_andIdsAreUnique() {
    let lines = SamplePage.parse(SamplePage.everything().page())
    let ids = lines.flatMap { $0.matches(of: /\bid=(\S+)/).map { String($0.1) } }
    XCTAssertEqual(ids.count, Set(ids).count, "\(ids)")
    let pictures = lines.filter { $0.contains("role=img") }
    XCTAssertEqual(pictures.count, 2 + 1 + 2 + 1, "zooms, faults, lanes, latency")
    for picture in pictures { XCTAssertTrue(picture.contains("aria-labelledby="), picture) }
    for line in lines {
      if let name = line.firstMatch(of: /href=#(\S+)/) {
        XCTAssertTrue(ids.contains(String(name.1)), line)
      }
      for names in line.matches(of: /aria-labelledby=(\S+(?: [hlz][\d-]*d\b)?)/) {
        for name in names.1.split(separator: " ") {
          XCTAssertTrue(ids.contains(String(name)), line)
        }
      }
    }
  }

  func testPage_isTheSameForTheSameData() {
    XCTAssertEqual(SamplePage.everything().page(), SamplePage.everything().page())
  }

  /// Names come from outside: from other clients, from operators, from damaged files.
  func testHostileText_isTextOnThePage() {
    let hostile = [
      "</title><script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onload='x",
      "]]><!--", "&lt;&#60;", "a\u{202e}b\u{0}c\nd", "\u{1b}[31mred", "</style></svg>",
    ]
    let known = Set(
      SamplePage.parse(SamplePage.everything().page()).map { $0.prefix { $0 != " " } })
    for text in hostile {
      var frame = SamplePage.frame(bots: [text])
      frame.title = text
      frame.verdict = .init(.attention, text, details: [text])
      frame.facts = [.init(text, text)]
      frame.more = text
      frame.latencyName = text
      frame.knowsDenials = true
      frame.doubles = [
        DoubleTrade(
          bot: text, earlier: 1, later: 2, at: SamplePage.at(5), gap: .zero, cooldown: .seconds(1),
          remark: text)
      ]
      frame.findings = [.init(check: text, bot: text, trades: [], detail: text)]
      var builder = ReportBuilder(frame)
      var trade = SamplePage.trade(2, text, at: 5, key: text)
      trade.order = text
      trade.remarks = [text]
      builder.add(trade)
      builder.addDenial(text, at: SamplePage.at(6))
      builder.addLatency(5)
      builder.add(ReportEvent(letter: "<", name: text, at: SamplePage.at(7), target: text))
      let page = builder.page()
      let lines = SamplePage.parse(page)
      XCTAssertTrue(
        lines.contains { $0.contains(escaped(text)) }, "\(text.debugDescription) is not shown")
      let tags = Set(lines.filter { !$0.hasPrefix("=") }.map { $0.prefix { $0 != " " } })
      XCTAssertEqual(tags.subtracting(known), [], "\(text.debugDescription) became markup")
      for line in lines where !line.hasPrefix("=") && !line.hasPrefix("div") {
        XCTAssertNil(line.firstMatch(of: /\bon\w+=/), line)
      }
      let control = page.unicodeScalars.first {
        $0 != "\n" && [.control, .format].contains($0.properties.generalCategory)
      }
      XCTAssertNil(control, text.debugDescription)
    }
  }

  // MARK: Double trades

  /// INV-1: no double trade gets lost, however many there are.
  func testDoubleTrades_allStandOnThePage_orAreCounted() {
    for count in [1, 7, 150, Limits.doubles + 5] {
      var frame = SamplePage.frame()
      frame.doubles = (0..<Int64(count)).map {
        SamplePage.double(2 * $0 + 1, 2 * $0 + 2, at: 1_000_000 + $0)
      }
      var builder = ReportBuilder(frame)
      for id in 1...Int64(2 * count) { builder.add(SamplePage.trade(id, at: id)) }
      let page = builder.page()
      _ = SamplePage.parse(page)
      XCTAssertTrue(page.contains("<h2 id=\"doubles\">\(counted(count, "double trade"))</h2>"))
      XCTAssertEqual(page.matches(of: /<figure class="zoom">/).count, min(count, Limits.zooms))
      XCTAssertEqual(page.matches(of: /<use href="#double"/).count, min(count, Limits.doubles) + 1)
      let pairs = page.matches(of: /<td>(\d+)<\/td><td>(\d+)<\/td><td>0.816543 s/).map {
        "\($0.1) \($0.2)"
      }
      XCTAssertEqual(
        Set(pairs), Set(frame.doubles.prefix(Limits.doubles).map { "\($0.earlier) \($0.later)" }))
      XCTAssertEqual(page.contains("… 5 more double trades: ask for more"), count > Limits.doubles)
    }
  }

  func testZoom_isAboutASecondWide_andShowsBothTrades() {
    let cases: [(gap: Int64, width: Int64)] = [
      (0, 1_000_000), (145, 1_000_000), (500_000, 1_000_000), (816_543, 2_000_000),
      (1_500_000, 2_000_000), (600_000_000, 800_000_000), (-6158, 1_000_000),
    ]
    for (gap, width) in cases {
      let pair = SamplePage.double(1, 2, at: 50_000_000, gap: .microseconds(gap))
      let zoom = pair.zoom
      XCTAssertEqual(zoom.upperBound.microseconds - zoom.lowerBound.microseconds, width)
      XCTAssertTrue(zoom.contains(pair.at) && zoom.contains(pair.earlierAt), "\(gap)")
      let left = min(pair.at, pair.earlierAt).microseconds - zoom.lowerBound.microseconds
      let right = zoom.upperBound.microseconds - max(pair.at, pair.earlierAt).microseconds
      XCTAssertLessThanOrEqual(abs(left - right), 1, "in the middle")
      XCTAssertFalse(pair.distance.hasPrefix("-"))
    }
  }

  func testZoom_countsTheNeighboursThatItDoesNotDraw() {
    var frame = SamplePage.frame()
    frame.doubles = [SamplePage.double(1, 2, at: 1_000_000, gap: .zero)]
    var builder = ReportBuilder(frame)
    for id in 1...50 { builder.add(SamplePage.trade(Int64(id), at: 1_000_000)) }
    builder.add(SamplePage.trade(60, at: 1_600_000))
    builder.add(SamplePage.trade(61, "other", at: 1_000_000))
    let page = builder.page()
    XCTAssertTrue(page.contains("48 other trades of this bot, of which 30 are drawn"))
    XCTAssertEqual(page.matches(of: /<use href="#other"/).count, 30)
  }

  // MARK: What is said

  func testPageWithoutTrades_isNoPass() {
    let page = ReportBuilder(SamplePage.frame(.noAnswer)).page()
    XCTAssertTrue(page.contains("<header class=\"no-answer\">"))
    XCTAssertFalse(page.contains("✓"))
    XCTAssertFalse(page.contains("id=\"timeline\""), "a timeline of nothing")
    _ = SamplePage.parse(page)
  }

  /// INV-10's limit: denials are not stored, and a picture without them must not look complete.
  func testLedgerPage_saysThatDenialsAreMissing() {
    var builder = ReportBuilder(SamplePage.frame(.holds))
    builder.add(SamplePage.trade(1, at: 0))
    let page = builder.page()
    XCTAssertTrue(page.contains("Denials are not shown: a ledger stores none."))
    XCTAssertFalse(SamplePage.everything().page().contains("Denials are not shown"))
  }

  func testTradeTable_saysHowManyMore() {
    var builder = ReportBuilder(SamplePage.frame(.holds))
    for id in (1...Int64(Limits.tradeRows + 1234)).reversed() {
      builder.add(SamplePage.trade(id, at: id))
    }
    let page = builder.page()
    XCTAssertTrue(page.contains("… 1,234 more trades: ask for more"))
    XCTAssertTrue(page.contains(">key-\(Limits.tradeRows + 1234)<"))
    XCTAssertFalse(page.contains(">key-1234<"))
    XCTAssertTrue(page.contains(">key-1235<"))
  }
}
