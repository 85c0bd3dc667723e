import TradeLedger
import XCTest

@testable import LedgerReport

/// Too many marks are counted in columns: nothing gets lost and the page stays small.
final class BinningTests: XCTestCase {
  private let columns = Columns(
    range: SamplePage.at(0)...SamplePage.at(100_000_000), count: Limits.columns)

  private func lane(_ limit: Int) -> Lane {
    Lane(
      ReportBot(name: "m", cooldown: .seconds(1)), columns, markLimit: limit, denialLimit: limit)
  }

  func testMarks_areDrawnOneByOne_upToTheLimit() {
    var lane = lane(10)
    for id in 1...10 { lane.add(SamplePage.trade(Int64(id), at: Int64(id) * 1000)) }
    XCTAssertEqual(lane.trades?.count, 10)
    lane.add(SamplePage.trade(11, at: 11_000))
    XCTAssertNil(lane.trades)
    lane.add(SamplePage.trade(12, at: 12_000))
    XCTAssertNil(lane.trades, "and stays so")
    for offset in 1...10 { lane.addDenial(at: SamplePage.at(Int64(offset))) }
    XCTAssertEqual(lane.denials?.count, 10)
    lane.addDenial(at: SamplePage.at(11))
    XCTAssertNil(lane.denials)
  }

  /// The sum of the columns is the number of rows, also of those beside the range.
  func testColumns_countEveryRow() {
    var random = SystemRandomNumberGenerator()
    for limit in [0, 20, 100_000] {
      var lane = lane(limit)
      var expected: [MarkKind: Int] = [:]
      for id in 1...3000 {
        let status = TradeStatus.allCases.randomElement(using: &random) ?? .filled
        expected[MarkKind(status), default: 0] += 1
        let offset = Int64.random(in: -5_000_000...105_000_000, using: &random)
        lane.add(SamplePage.trade(Int64(id), "m", status, at: offset))
        if id % 3 == 0 { lane.addDenial(at: SamplePage.at(offset)) }
      }
      expected[.denial] = 1000
      for kind in MarkKind.allCases { XCTAssertEqual(lane.count(kind), expected[kind], "\(kind)") }
      XCTAssertEqual(lane.tradeCount, 3000)
    }
  }

  func testColumns_areWhereTheirTimeIs() {
    XCTAssertEqual(columns.index(SamplePage.at(-1)), 0)
    XCTAssertEqual(columns.index(SamplePage.at(0)), 0)
    XCTAssertEqual(columns.index(SamplePage.at(50_000_000)), Limits.columns / 2)
    XCTAssertEqual(columns.index(SamplePage.at(100_000_000)), Limits.columns - 1)
    XCTAssertEqual(columns.index(Timestamp.latest), Limits.columns - 1)
    let instant = SamplePage.at(0)
    XCTAssertEqual(Columns(range: instant...instant, count: 10).index(instant), 0)
  }

  func testBands_areTheColumnsThatACooldownTouches() {
    // A second each.
    let width: Int64 = 1_000_000
    let range = SamplePage.at(0)...SamplePage.at(width * Int64(Limits.columns))
    var lane = Lane(
      ReportBot(name: "m", cooldown: .seconds(1)), Columns(range: range, count: Limits.columns),
      markLimit: 0, denialLimit: 0)
    lane.add(SamplePage.trade(1, at: width * 10 + 5, cooldown: .microseconds(width * 3)))
    lane.add(SamplePage.trade(2, at: width * 12 + 5, cooldown: .microseconds(width * 4)))
    lane.add(SamplePage.trade(3, "m", .void, at: width * 30, cooldown: .microseconds(width * 9)))
    lane.add(SamplePage.trade(4, at: width * 50 + 5, cooldown: .seconds(5000)))
    XCTAssertEqual(lane.bands, [10..<17, 50..<Limits.columns])
  }

  /// A picture of many rows says that it counts, and what it says is all of them.
  func testPageOfManyRows_isSmall_andItsLanesCountThemAll() throws {
    let bots = (1...80).map { "bot-\($0)" }
    var frame = SamplePage.frame(bots: bots)
    frame.knowsDenials = true
    frame.doubles = [SamplePage.double(1, 2, "bot-80", at: 7)]
    var builder = ReportBuilder(frame)
    for id in (1...Int64(100_000)).reversed() {
      let bot = bots[Int(id) % bots.count]
      builder.add(SamplePage.trade(id, bot, id % 10 == 0 ? .void : .filled, at: id * 997))
      builder.addDenial(bot, at: SamplePage.at(id * 991))
    }
    let page = builder.page()
    XCTAssertLessThan(page.utf8.count, 2_000_000)
    XCTAssertTrue(page.contains("In 60 of 60 lanes the trades are too many"))
    XCTAssertTrue(page.contains("20 more bots are not drawn"))
    XCTAssertTrue(page.contains("<div class=\"name\"><b>bot-80</b>"), "with its double trade")
    XCTAssertEqual(builder.lanes.reduce(0) { $0 + $1.tradeCount }, 100_000)
    // The bots' table names all of them: trades in the third column.
    let rows = page.matches(of: /<tr><td>bot-\d+<\/td><td>1s<\/td><td>([\d,]+)<\/td>/)
    XCTAssertEqual(rows.count, 80)
    XCTAssertEqual(rows.reduce(0) { $0 + (Int($1.1.replacing(",", with: "")) ?? 0) }, 100_000)
    _ = SamplePage.parse(page)
  }

  /// The columns of a lane are as high as their counts: the highest fills the lane.
  func testDensity_isTrueToScale() throws {
    var builder = ReportBuilder(SamplePage.frame(.holds))
    for id in 1...400 { builder.add(SamplePage.trade(Int64(id), at: 1000)) }
    for id in 401...500 { builder.add(SamplePage.trade(Int64(id), at: 50_000_000)) }
    let page = builder.page()
    let path = try XCTUnwrap(page.firstMatch(of: /<path class="filled" d="([^"]*)"/)).1
    XCTAssertEqual(path, "M0 100v-100h1V100zM120 100v-25h1V100z")
    XCTAssertTrue(page.contains("the highest 400."))
  }

  // MARK: Latency and axis

  func testPercentiles_areThoseOfTheSortedValues() throws {
    var random = SystemRandomNumberGenerator()
    var histogram = LatencyHistogram()
    XCTAssertNil(histogram.value(at: 0.5))
    var values: [Int64] = [0, -3, .max, 1, 2, 3]
    for _ in 0..<5000 {
      values.append(Int64.random(in: 1...(1 << Int64.random(in: 1...50, using: &random))))
    }
    for value in values { histogram.record(value) }
    let sorted = values.map { max(1, $0) }.sorted()
    for share in [0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1] {
      let rank = max(1, Int((Double(sorted.count) * share).rounded(.up)))
      let exact = Double(sorted[rank - 1])
      let value = Double(try XCTUnwrap(histogram.value(at: share)))
      XCTAssertGreaterThanOrEqual(value, exact * 0.999, "\(share)")
      XCTAssertLessThanOrEqual(value, exact * 1.001 + 1, "\(share)")
    }
    XCTAssertEqual(histogram.classes.reduce(0) { $0 + $1.count }, values.count)
  }

  /// A narrow screen would cut a label that begins at the right edge.
  func testLatencyLabels_stayInsideThePicture() throws {
    for columns in 8...40 {
      var builder = ReportBuilder(SamplePage.frame(.holds))
      for column in 0..<columns { builder.addLatency(Int64(100 * pow(2, Double(column) / 2))) }
      let page = builder.page()
      let begins = page.matches(of: /<text class="tick start[^"]*" x="([0-9.]+)%" y="146"/)
      XCTAssertGreaterThan(begins.count, 3)
      for label in begins { XCTAssertLessThanOrEqual(try XCTUnwrap(Double(label.1)), 88) }
      let ends = page.matches(of: /<text class="tick end[^"]*" x="([0-9.]+)%" y="146"/)
      for label in ends { XCTAssertLessThanOrEqual(try XCTUnwrap(Double(label.1)), 100) }
    }
  }

  func testAxis_hasAFewTicksInsideItsRange() {
    for exponent in 0...17 {
      for factor in [1.0, 2.3, 7.9] {
        let span = Int64(pow(10, Double(exponent)) * factor)
        guard SamplePage.start + span < Timestamp.latest.microseconds else { continue }
        for origin in [nil, SamplePage.at(0)] {
          let axis = TimeAxis(SamplePage.at(0)...SamplePage.at(span), from: origin)
          XCTAssertLessThanOrEqual(axis.ticks.count, 9, "\(span)")
          if origin != nil { XCTAssertEqual(axis.ticks.first?.label, "0") }
          for tick in axis.ticks { XCTAssertTrue((0...1).contains(tick.share), "\(span)") }
          for (one, next) in zip(axis.ticks, axis.ticks.dropFirst()) {
            XCTAssertNotEqual(one.label, next.label, "\(span)")
          }
        }
      }
    }
  }
}
