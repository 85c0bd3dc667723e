/// A row as texts, in the order of the table's columns; nil for NULL.
typealias StoredRow = [String?]

/// Reads the rows of a ledger, in one snapshot.
protocol RowReader {
  /// At most `RowCopy.pieceSize` rows with keys after `after`.
  typealias Next = (_ table: LedgerTable, _ after: String?) throws(LedgerError) -> [StoredRow]
  func inSnapshot(_ body: (Next) throws(LedgerError) -> Void) throws(LedgerError)
}

/// Makes a ledger of rows, in one transaction.
protocol RowWriter {
  typealias Insert = (_ table: LedgerTable, _ rows: [StoredRow]) throws(LedgerError) -> Void
  /// - Throws: `cannotCreate` where something is there already.
  func fill(_ body: (Insert) throws(LedgerError) -> Void) throws(LedgerError)
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

  static func copy(
    from source: some RowReader, to target: some RowWriter & RowReader
  ) throws(LedgerError) -> Sum {
    var written = Sum()
    try source.inSnapshot { (next) throws(LedgerError) in
      try target.fill { (insert) throws(LedgerError) in
        written = try walk(next, insert)
      }
    }
    var found = Sum()
    try target.inSnapshot { (next) throws(LedgerError) in
      found = try walk(next) { (_, _) throws(LedgerError) in }
    }
    guard found == written else {
      throw .bug("what was copied does not read back as it was written")
    }
    return written
  }

  private static func walk(
    _ next: RowReader.Next, _ insert: RowWriter.Insert
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
        try insert(table, released)
      }
    }
    return sum
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
