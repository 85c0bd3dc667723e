import XCTest

@testable import TradeLedger

/// Which facts of an import are inside a cooldown.
final class CloseNeighboursTests: XCTestCase {
  private func pairs(
    _ trades: [(PastFactReview.Neighbour, Int64)], cooldown: Int64 = 10
  ) throws -> CloseNeighbours {
    var neighbours = CloseNeighbours()
    neighbours.begin(try BotName("m"))
    for (who, at) in trades {
      neighbours.add(CloseNeighbours.Candidate(who: who, at: at, cooldown: cooldown))
    }
    return neighbours
  }

  func testPairs_areToldWhereOneIsNew() throws {
    let table: [([(PastFactReview.Neighbour, Int64)], Int)] = [
      ([(.fact(0), 0), (.fact(1), 9)], 1), ([(.fact(0), 0), (.fact(1), 10)], 0),
      ([(.trade(TradeID(1)), 0), (.trade(TradeID(2)), 1)], 0),
      ([(.trade(TradeID(1)), 0), (.fact(0), 1), (.trade(TradeID(2)), 2)], 2), ([], 0),
      ([(.fact(0), 5), (.fact(1), 5)], 1),
    ]
    for (trades, count) in table { XCTAssertEqual(try pairs(trades).count, count, "\(trades)") }
    XCTAssertEqual(try pairs([(.fact(0), 5), (.fact(1), 5)], cooldown: 0).count, 0)
  }

  func testPairs_doNotReachFromBotToBot_andAreCountedBeyondWhatIsShown() throws {
    var neighbours = try pairs((0..<100).map { (.fact($0), Int64($0)) })
    XCTAssertEqual(neighbours.count, 99)
    XCTAssertEqual(neighbours.first.count, PastFactReview.closePairsShown)
    neighbours.begin(try BotName("n"))
    neighbours.add(CloseNeighbours.Candidate(who: .fact(100), at: 100, cooldown: 10))
    XCTAssertEqual(neighbours.count, 99)
  }
}
