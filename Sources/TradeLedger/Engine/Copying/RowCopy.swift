/// A row as texts, in the order of the table's columns; nil for NULL.
typealias StoredRow = [String?]

/// At most `RowCopy.pieceSize` rows of a table, with keys after `after`.
typealias NextRows = (_ table: LedgerTable, _ after: String?) throws(LedgerError) -> [StoredRow]

/// Reads the rows of a ledger, in one snapshot.
protocol RowReader {
  /// - Parameter body: with the time by which the leases of these rows are judged.
  func inSnapshot(
    _ body: (NextRows, ClockReading) throws(LedgerError) -> Void
  ) throws(LedgerError)
}

/// Makes a ledger of rows, in one transaction.
protocol RowWriter {
  typealias Insert = (_ table: LedgerTable, _ rows: [StoredRow]) throws(LedgerError) -> Void
  /// - Parameter verify: reads back what will be there, right before COMMIT. An error of it, or a
  ///   process that ends before, leaves no ledger.
  /// - Throws: `cannotCreate` where something is there already.
  func fill(
    _ body: (Insert) throws(LedgerError) -> Void,
    verify: (NextRows) throws(LedgerError) -> Void
  ) throws(LedgerError)
}

/// Copies a whole ledger from one engine to another, and sees whether it has arrived.
enum RowCopy {
  static let pieceSize = 2000

  /// What was copied, or read: how many rows of each table, and a digest of all of their values.
  struct Sum: Equatable {
    var rows: [String: Int] = [:]
    var digest = StableHash()

    mutating func add(_ table: LedgerTable, _ row: StoredRow) {
      rows[table.name, default: 0] += 1
      digest.add(table.name)
      for value in row {
        digest.add(value.map { UInt64($0.utf8.count) + 1 } ?? 0)
        if let value { digest.add(value) }
      }
    }
  }

  /// Only of a ledger on which nobody trades: neither in the snapshot that is copied, nor between
  /// it and the COMMIT of the copy.
  static func copy(
    from source: some RowReader, to target: some RowWriter
  ) throws(LedgerError) -> Sum {
    var written = Sum()
    try target.fill(
      { (insert) throws(LedgerError) in
        written = try sum(source) { (table, rows) throws(LedgerError) in try insert(table, rows) }
      },
      verify: { (next) throws(LedgerError) in
        guard try walk(next, { (_, _) throws(LedgerError) in }) == written else {
          throw .bug("what was copied does not read back as it was written")
        }
        guard try sum(source, { (_, _) throws(LedgerError) in }) == written else {
          throw isTraded("somebody has written to it meanwhile")
        }
      })
    return written
  }

  private static func sum(
    _ source: some RowReader, _ found: RowWriter.Insert
  ) throws(LedgerError) -> Sum {
    var sum = Sum()
    try source.inSnapshot { (next, now) throws(LedgerError) in
      sum = try walk(next) { (table, rows) throws(LedgerError) in
        if table.name == "trades" { try expectSettled(rows, table, now) }
        try found(table, rows)
      }
    }
    return sum
  }

  private static func walk(
    _ next: NextRows, _ found: RowWriter.Insert
  ) throws(LedgerError) -> Sum {
    var sum = Sum()
    for table in LedgerTable.all {
      var after: String?
      while true {
        let rows = try next(table, after)
        guard let last = rows.last else { break }
        after = last[0]
        let released = rows.map { releasing($0, of: table) }
        for row in released { sum.add(table, row) }
        try found(table, released)
      }
    }
    return sum
  }

  /// A trade whose lease still runs is in somebody's hands.
  private static func expectSettled(
    _ rows: [StoredRow], _ table: LedgerTable, _ now: ClockReading
  ) throws(LedgerError) {
    for row in rows {
      func text(_ name: String) -> String? { table.place(name).flatMap { row[$0] } }
      func integer(_ name: String) -> Int64? { text(name).flatMap { Int64($0) } }
      guard text("status") == TradeStatus.pending.rawValue, let until = integer("lease_until"),
        let createdAt = integer("created_at")
      else { continue }
      var boot: BootInstant?
      if let id = text("boot_id"), let microseconds = integer("created_boot_us") {
        boot = BootInstant(bootID: id, microseconds: microseconds)
      }
      let lease = Lease(
        until: Timestamp(microseconds: until),
        created: ClockReading(wall: Timestamp(microseconds: createdAt), boot: boot))
      guard lease.isOver(at: now) else {
        throw isTraded("trade \(row[0] ?? "?") is being worked on")
      }
    }
  }

  private static func isTraded(_ what: String) -> LedgerError {
    LedgerError(
      .busy, "the ledger is in use: \(what)",
      hint: "stop the bots first: what they trade afterwards would not be in the copy",
      retry: .safe)
  }

  /// Nobody holds a name in the new ledger: its holder's heartbeat was kept by another clock. The
  /// next epoch fences whoever still thinks that it has it.
  private static func releasing(_ row: StoredRow, of table: LedgerTable) -> StoredRow {
    guard table.name == "instances", let pid = table.place("pid"), row[pid] != nil,
      let epoch = table.place("epoch"), let until = table.place("heartbeat_until"),
      let current = row[epoch].flatMap({ Int64($0) })
    else { return row }
    var released = row
    released[pid] = nil
    released[until] = nil
    released[epoch] = String(current + 1)
    return released
  }
}
