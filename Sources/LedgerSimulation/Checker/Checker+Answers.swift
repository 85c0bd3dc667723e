/// What the workers were told, against the database.
extension Checker {
  /// INV-4: an answer that was given stays true. INV-5: a key gives one permit.
  func callRules() -> [Violation] {
    var found: [Violation] = []
    for (key, calls) in callsByKey.sorted(by: { $0.key < $1.key }) {
      let permitted = calls.filter(\.hadPermit)
      if permitted.count > 1 {
        found.append(
          Violation(
            .permitTwice, bot: permitted[0].bot, trades: permitted.compactMap(\.trade), keys: [key],
            "\(permitted.count) calls were given a permit for key \(key)"))
      }
    }
    for call in evidence.calls {
      if let what = call.contradiction {
        found.append(
          Violation(
            .contradiction, bot: call.bot, keys: [call.key], "worker \(call.worker) \(what)"))
      }
      if let violation = answerRule(call) { found.append(violation) }
      if call.ordered != nil && call.trade == nil {
        found.append(
          Violation(
            .orderBeforeRow, bot: call.bot, keys: [call.key],
            "worker \(call.worker) sent order \(call.key) before there was a trade on record"))
      }
      if call.ordered != nil, ordersByKey[call.key] == nil,
        rowsByKey[call.key]?.first?.status != .filled
      {
        found.append(
          Violation(
            .orderNotCounted, bot: call.bot, keys: [call.key],
            "worker \(call.worker) sent order \(call.key), and the exchange knows nothing of it"))
      }
    }
    return found
  }

  private func answerRule(_ call: Call) -> Violation? {
    switch call.answer {
    case .filled(let trade): return requireRow(call, trade, "filled") { $0.status == .filled }
    case .void(let trade): return requireRow(call, trade, "void") { $0.status == .void }
    case .inDoubt(let trade):
      // It may be settled since, but only by hand as not sent.
      return requireRow(call, trade, "in doubt") { $0.status != .void || $0.settledBy == .operator }
    case .replayed(let trade):
      return requireRow(call, trade, "replayed") { row in
        row.createdBoot <= call.told?.boot ?? .min
      }
    case .busy:
      // The same key may have been admitted for another call.
      guard let row = rowsByKey[call.key]?.first, owner(of: row) == call else { return nil }
      return Violation(
        .busyButWritten, bot: call.bot, trades: [row.id], keys: [call.key],
        "worker \(call.worker) was told busy, and yet there is trade \(row.id)")
    case .failed(let code):
      return Violation(.unexpectedError, bot: call.bot, "worker \(call.worker) got \(code)")
    case .denied, .unknown, nil:
      // Nothing was promised. But if it had got a permit, the row of that permit must be there.
      guard let trade = call.trade else { return nil }
      return requireRow(call, trade, "admitted") { _ in true }
    }
  }

  private func requireRow(
    _ call: Call, _ trade: Int64, _ what: String, _ isRight: (TradeRow) -> Bool
  ) -> Violation? {
    let row = rowsByKey[call.key]?.first
    if let row, row.id == trade, row.id == call.trade ?? trade, row.bot == call.bot, isRight(row) {
      return nil
    }
    let stands = row.map { "trade \($0.id) of \($0.bot) is \($0.status.rawValue)" }
    return Violation(
      .answerWithoutRow, bot: call.bot, trades: [trade], keys: [call.key],
      "worker \(call.worker) was told that trade \(trade) is \(what), but "
        + (stands ?? "there is no row with key \(call.key)"))
  }
}

extension Call {
  /// It was admitted itself, and may have sent the order.
  fileprivate var hadPermit: Bool {
    if ordered != nil { return true }
    switch answer {
    case .filled, .void, .inDoubt: return true
    default: return false
    }
  }

  /// What cannot all be true of this call, if anything. Each call ends in exactly one class: it was
  /// told one thing, or it was not told.
  fileprivate var contradiction: String? {
    if (told == nil) != (answer == nil) { return "has an answer without its time, or a time alone" }
    if ordered == nil && trade != nil { return "named a trade without having sent an order" }
    let times = [called.boot] + [ordered, told].compactMap { $0?.boot }
    if zip(times, times.dropFirst()).contains(where: { $0 > $1 }) {
      return "was told before it asked"
    }
    guard ordered != nil else {
      switch answer {
      case .filled, .inDoubt: return "was told of an execution without having sent an order"
      default: return nil
      }
    }
    switch answer {
    case .busy, .replayed: return "was refused, and sent an order"
    case .denied(let reason, _) where !Checker.settlingDenials.contains(reason):
      return "was denied (\(reason)), and sent an order"
    default: return nil
    }
  }
}
