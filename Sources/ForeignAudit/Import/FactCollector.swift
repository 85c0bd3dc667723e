internal import SQLite
internal import TradeLedger

/// Turns rows into facts, and says of each row that is none why. A class, so that the closures that
/// read rows share one.
final class FactCollector {
  var result = ForeignFacts()
  /// What stands in the column of bots, by what their own table calls them.
  var botNames: [String: String] = [:]
  /// Filled by whoever reads the rows, then taken by ``take(_:)``.
  var row = RowFields()

  private let options: ForeignFactOptions
  private let source: String?
  private var seen: [OrderKey: Int] = [:]
  private var statuses: [String: Int] = [:]
  private lazy var merger = FillMerger()

  init(_ options: ForeignFactOptions, source: String?) {
    self.options = options
    self.source = source
  }

  /// Takes `row`, which is an order.
  func take(_ place: ForeignPlace) {
    do throws(Rejection) {
      guard try isExecuted() else { return }
      let fact = PastFact(
        order: Order(
          bot: try bot(), side: try side(), symbol: try symbol(),
          quantity: try amount(quantity(), "quantity"),
          price: try price().map { price throws(Rejection) in try amount(price, "price") }),
        key: try key(), at: try instant())
      try add(fact, place)
    } catch {
      result.rejected.append(RejectedRow(place: place, reason: error.reason))
    }
  }

  /// Takes `row`, which is a fill of the order that is called `order`; its id is the order's.
  func takeFill(_ place: ForeignPlace) {
    do throws(Rejection) {
      let key = try key()
      do throws(Rejection) {
        let fill = FillMerger.Fill(
          bot: try bot(), side: try side(), symbol: try symbol(), at: try instant(),
          quantity: try quantity(), price: try price())
        try merger.add(fill, to: key, place)
        result.fills += 1
      } catch {
        merger.spoil(key)
        throw error
      }
    } catch {
      result.rejected.append(RejectedRow(place: place, reason: error.reason))
    }
  }

  func reject(_ place: ForeignPlace, _ reason: String) {
    result.rejected.append(RejectedRow(place: place, reason: reason))
  }

  func countNotExecuted(_ status: String) { statuses[status, default: 0] += 1 }

  /// Everything that was taken, in the order of time.
  func finish() -> ForeignFacts {
    for order in merger.orders {
      do throws(Rejection) {
        let (price, isMean) = try order.price()
        if isMean { result.meanPrices += 1 }
        let fact = PastFact(
          order: Order(
            bot: order.first.bot, side: order.first.side, symbol: order.first.symbol,
            quantity: try amount(order.quantity, "quantity"),
            price: try price.map { price throws(Rejection) in try amount(price, "price") }),
          key: order.key, at: order.last)
        try add(fact, order.place)
      } catch { reject(order.place, error.reason) }
    }
    let order = result.facts.indices.sorted {
      (result.facts[$0].at, $0) < (result.facts[$1].at, $1)
    }
    result.facts = order.map { result.facts[$0] }
    result.places = order.map { result.places[$0] }
    result.notExecuted = statuses.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      .map { StatusCount(status: $0.key, count: $0.value, counts: false) }
    return result
  }

  private func add(_ fact: PastFact, _ place: ForeignPlace) throws(Rejection) {
    if let other = seen[fact.key] {
      guard result.facts[other] == fact else {
        throw Rejection("the key \(fact.key) says something else at \(result.places[other])")
      }
      result.repeated += 1
      return
    }
    seen[fact.key] = result.facts.count
    result.facts.append(fact)
    result.places.append(place)
  }
}

// MARK: - Cells

extension FactCollector {
  /// - Throws: where nobody can tell.
  private func isExecuted() throws(Rejection) -> Bool {
    let status = row[.status].text
    if status.isEmpty || options.ignoresStatus { return true }
    guard Vocabulary.counts(status) else {
      countNotExecuted(status)
      return false
    }
    guard !Vocabulary.isUndecided(status) else {
      throw Rejection("its status \(quoted(status)) does not say whether it was executed")
    }
    return true
  }

  private func bot() throws(Rejection) -> BotName {
    if let given = options.botName { return given }
    let text = row[.bot].text
    guard !text.isEmpty else { throw Rejection("it names no bot") }
    return try checked { () throws(LedgerError) in try BotName(botNames[text] ?? text) }
  }

  private func symbol() throws(Rejection) -> Symbol {
    let text = row[.symbol].text
    guard !text.isEmpty else { throw Rejection("it names no symbol") }
    return try checked { () throws(LedgerError) in try Symbol(text) }
  }

  private func side() throws(Rejection) -> Side {
    let text = row[.side].text
    switch (text.split(separator: ".").last ?? "").filter({ $0 != " " }).lowercased() {
    case "buy", "b": return .buy
    case "sell", "s": return .sell
    default: throw Rejection("not a side: \(quoted(text)); buy or sell is wanted")
    }
  }

  private func quantity() throws(Rejection) -> ExactNumber {
    let cell = row.first(.executedQuantity, .quantity)
    guard let number = try number(cell, "quantity") else { throw Rejection("it has no quantity") }
    guard !number.isZero, !number.isNegative else {
      throw Rejection("its quantity \(cell.text) is not more than zero")
    }
    return number
  }

  private func price() throws(Rejection) -> ExactNumber? {
    let cell = row.first(.executedPrice, .price)
    guard let number = try number(cell, "price") else { return nil }
    guard !number.isNegative else { throw Rejection("its price \(cell.text) is less than zero") }
    if number.isZero {
      result.zeroPrices += 1
      return nil
    }
    return number
  }

  /// nil for none.
  private func number(_ cell: Field, _ what: String) throws(Rejection) -> ExactNumber? {
    if cell.isMissing { return nil }
    let number: ExactNumber?
    switch cell.value {
    case .integer(let value):
      number = ExactNumber(UInt128(value.magnitude), isNegative: value < 0)
    case .text: number = ExactNumber(cell.bytes)
    case .real(let value):
      number = ExactNumber(Array(value.description.utf8))
      result.floatingAmounts += 1
    case .null, .blob: number = nil
    }
    guard var number else { throw Rejection("not a \(what): \(quoted(cell.text))") }
    if case .real = cell.value {
      let rounded = number.rounded(places: 18)
      if rounded != number { result.roundedAmounts += 1 }
      number = rounded
    }
    return number
  }

  private func amount(_ number: ExactNumber, _ what: String) throws(Rejection) -> Amount {
    let text = number.plain
    do throws(LedgerError) { return try Amount(text) } catch {
      throw Rejection("its \(what) \(text) has more than 18 digits before or behind the point")
    }
  }

  private func instant() throws(Rejection) -> Timestamp {
    let cell = row.first(.fillTime, .creationTime)
    if cell.isMissing { throw Rejection("it has no time") }
    guard let time = TradeCollector.instant(cell) else {
      throw Rejection("not a time: \(quoted(cell.text))")
    }
    let instant = Timestamp(microseconds: time.microseconds)
    guard instant <= options.now else { throw Rejection("\(instant) lies in the future") }
    if time.lacksZone { result.zonelessTimes += 1 }
    return instant
  }

  /// The key as it is, or one made of the source and the id.
  private func key() throws(Rejection) -> OrderKey {
    let key = row[.key].text
    if !key.isEmpty { return try checked { () throws(LedgerError) in try OrderKey(key) } }
    let id = row[.id].text
    guard !id.isEmpty else { throw Rejection("it has neither key nor id") }
    guard let source else { throw Rejection("it has no key") }
    let text = ([source] + id.split(separator: FactCollector.divider).map(String.init))
      .map(FactCollector.part).joined(separator: ":")
    do throws(LedgerError) { return try OrderKey(text) } catch {
      throw Rejection("its id is too long: \(quoted(id))")
    }
  }

  /// Stands between the parts of an id that has several.
  static let divider: Character = "\u{1f}"

  /// `text` without blanks and colons, so that parts put together with colons stay apart.
  private static func part(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
      if (0x21...0x7e).contains(byte), byte != UInt8(ascii: ":"), byte != UInt8(ascii: "%") {
        result.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        result += "%" + hexadecimal([byte])
      }
    }
    return result
  }

  private func checked<Value>(
    _ make: () throws(LedgerError) -> Value
  ) throws(Rejection) -> Value {
    do throws(LedgerError) { return try make() } catch { throw Rejection(error.message) }
  }
}
