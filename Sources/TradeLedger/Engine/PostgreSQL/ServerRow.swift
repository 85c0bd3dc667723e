#if PostgreSQL
  internal import PostgreSQL

  /// A row of an answer, read by the places of its columns.
  struct ServerRow {
    let answer: Answer
    let row: Int

    func optionalText(_ column: Int) -> String? { answer.text(row, column) }

    func optionalInteger(_ column: Int) -> Int64? { answer.integer(row, column) }

    /// - Throws: `io` where the server has NULL, or something else.
    func text(_ column: Int) throws(LedgerError) -> String {
      guard let text = optionalText(column) else { throw unexpected(column) }
      return text
    }

    func integer(_ column: Int) throws(LedgerError) -> Int64 {
      guard let integer = optionalInteger(column) else { throw unexpected(column) }
      return integer
    }

    func flag(_ column: Int) throws(LedgerError) -> Bool {
      switch try text(column) {
      case "t", "1": true
      case "f", "0": false
      default: throw unexpected(column)
      }
    }

    func word<Word: RawRepresentable<String>>(_ column: Int) throws(LedgerError) -> Word {
      guard let word = Word(rawValue: try text(column)) else { throw unexpected(column) }
      return word
    }

    func instant(_ column: Int) throws(LedgerError) -> Timestamp {
      Timestamp(microseconds: try integer(column))
    }

    func optionalInstant(_ column: Int) -> Timestamp? {
      optionalInteger(column).map { Timestamp(microseconds: $0) }
    }

    func interval(_ column: Int) throws(LedgerError) -> Duration {
      .microseconds(try integer(column))
    }

    func optionalInterval(_ column: Int) -> Duration? {
      optionalInteger(column).map { .microseconds($0) }
    }

    private func unexpected(_ column: Int) -> LedgerError {
      LedgerError(
        .io,
        "the server's answer has \(optionalText(column).map { quoted($0) } ?? "nothing") in "
          + "column \(column + 1) of \(answer.columnCount)",
        hint: "see whether the schema of the ledger was changed: tradeledger doctor")
    }

    // MARK: What stands in rows

    /// The 27 columns of `ServerStatements.tradeColumns` and of an answer, from `first` on.
    /// - Returns: nil where they are NULL: no trade.
    func trade(_ first: Int) throws(LedgerError) -> StoredTrade? {
      guard let id = optionalInteger(first) else { return nil }
      let createdAt = try instant(first + 13)
      var instance: InstanceClaim?
      if let name = optionalText(first + 11), let epoch = optionalInteger(first + 12) {
        instance = InstanceClaim(name: InstanceName(stored: name), epoch: Epoch(epoch))
      }
      let trade = Trade(
        id: TradeID(id), key: OrderKey(stored: try text(first + 2)),
        order: Order(
          bot: BotName(stored: try text(first + 1)), side: try word(first + 4),
          symbol: Symbol(stored: try text(first + 5)),
          quantity: Amount(stored: try text(first + 6)),
          price: optionalText(first + 7).map { Amount(stored: $0) }),
        origin: try word(first + 3), status: try word(first + 17), createdAt: createdAt,
        cooldown: try interval(first + 8), leaseUntil: optionalInstant(first + 14),
        filledAt: optionalInstant(first + 18),
        filledQuantity: optionalText(first + 20).map { Amount(stored: $0) },
        filledPrice: optionalText(first + 19).map { Amount(stored: $0) },
        exchangeAt: optionalInstant(first + 21), receivedAt: optionalInstant(first + 22),
        isLate: try flag(first + 25), isSuperseded: try flag(first + 26),
        isSettledByOperator: optionalText(first + 23) == Settling.operatorMark,
        reason: optionalText(first + 24),
        pid: optionalInteger(first + 10).map { Int32(truncatingIfNeeded: $0) },
        instance: instance)
      // The server has no boot clock; what a copied ledger brought along is not compared here.
      return StoredTrade(
        trade: trade, token: optionalText(first + 9).map { PermitToken(stored: $0) },
        created: ClockReading(wall: createdAt, boot: nil))
    }

    /// Name, cooldown, lease, policy, enabled.
    func bot(_ first: Int) throws(LedgerError) -> Bot {
      Bot(
        name: BotName(stored: try text(first)),
        settings: BotSettings(
          storedCooldown: try interval(first + 1), lease: try interval(first + 2),
          inDoubt: try word(first + 3), isEnabled: try flag(first + 4)))
    }

    /// The columns of `ServerStatements.instanceColumns`.
    func instance(_ first: Int) throws(LedgerError) -> StoredInstance {
      StoredInstance(
        name: InstanceName(stored: try text(first)), epoch: Epoch(try integer(first + 1)),
        holder: holder(first + 2))
    }

    private func holder(_ first: Int) -> InstanceHolder? {
      guard let stored = optionalInteger(first) else { return nil }
      return InstanceHolder(
        pid: Int32(truncatingIfNeeded: stored), bootID: optionalText(first + 1),
        pidNamespace: optionalInteger(first + 2), timeNamespace: optionalInteger(first + 3),
        startTicks: optionalInteger(first + 4), host: optionalText(first + 5),
        command: optionalText(first + 6), since: optionalInstant(first + 7),
        heartbeatUntil: optionalInteger(first + 8))
    }
  }

  extension Answer {
    var rows: [ServerRow] { (0..<rowCount).map { ServerRow(answer: self, row: $0) } }

    /// - Throws: `io` where there is none.
    func first() throws(LedgerError) -> ServerRow {
      guard rowCount > 0 else {
        throw LedgerError(
          .io, "the server's answer has no row",
          hint: "see whether the schema of the ledger was changed: tradeledger doctor")
      }
      return ServerRow(answer: self, row: 0)
    }
  }
#endif
