public import TradeLedger

/// Collects a history for a report. Its memory does not grow with the number of trades.
public struct ReportBuilder {
  let frame: ReportFrame
  private(set) var lanes: [Lane] = []
  private(set) var zooms: [Zoom]
  private(set) var newest: [ReportTrade] = []
  private(set) var tradeCount = 0
  private(set) var denialCount = 0
  private(set) var latency = LatencyHistogram()
  private(set) var events: [ReportEvent] = []
  private(set) var eventCount = 0
  private var laneOfBot: [String: Int] = [:]
  /// Positions in `zooms`.
  private var zoomsOfBot: [String: [Int]] = [:]
  /// Trades of the double trades that are listed, by number.
  private(set) var named: [Int64: ReportTrade] = [:]
  private var wanted: Set<Int64> = []

  public init(_ frame: ReportFrame) {
    self.frame = frame
    let columns = Columns(range: frame.range, count: Limits.columns)
    let drawn = max(1, min(frame.bots.count, Limits.lanes))
    for (index, bot) in frame.bots.enumerated() {
      lanes.append(
        Lane(
          bot, columns, markLimit: min(Limits.marksOfLane, Limits.marksOfPage / drawn),
          denialLimit: min(Limits.denialsOfLane, Limits.denialsOfPage / drawn)))
      laneOfBot[bot.name] = index
    }
    zooms = frame.doubles.prefix(Limits.zooms).map { Zoom($0) }
    for (index, zoom) in zooms.enumerated() { zoomsOfBot[zoom.pair.bot, default: []].append(index) }
    for pair in frame.doubles.prefix(Limits.doubles) {
      wanted.formUnion([pair.earlier, pair.later])
    }
  }

  /// Adds a trade. The newest come first: those are the ones that the table shows.
  public mutating func add(_ trade: ReportTrade) {
    tradeCount += 1
    if newest.count < Limits.tradeRows { newest.append(trade) }
    if let lane = laneOfBot[trade.bot] { lanes[lane].add(trade) }
    if wanted.contains(trade.id) { named[trade.id] = trade }
    for index in zoomsOfBot[trade.bot] ?? [] { zooms[index].add(trade) }
  }

  /// Adds a denial.
  public mutating func addDenial(_ bot: String, at instant: Timestamp) {
    denialCount += 1
    if let lane = laneOfBot[bot] { lanes[lane].addDenial(at: instant) }
  }

  /// Adds something that was done to the processes.
  public mutating func add(_ event: ReportEvent) {
    eventCount += 1
    if events.count < Limits.events { events.append(event) }
  }

  /// Adds a latency, in microseconds.
  public mutating func addLatency(_ microseconds: Int64) { latency.record(microseconds) }

  /// The whole page.
  public func page() -> String { Page(self).html.text }
}

/// The surroundings of a double trade.
struct Zoom {
  let pair: DoubleTrade
  let range: ClosedRange<Timestamp>
  private(set) var neighbours: [ReportTrade] = []
  private(set) var neighbourCount = 0

  init(_ pair: DoubleTrade) {
    self.pair = pair
    range = pair.zoom
  }

  mutating func add(_ trade: ReportTrade) {
    guard range.contains(trade.at), trade.id != pair.earlier, trade.id != pair.later else { return }
    neighbourCount += 1
    if neighbours.count < Limits.neighbours { neighbours.append(trade) }
  }
}
