internal import TradeLedger

extension JSON {
  static func move(_ move: LedgerMove) -> JSON {
    [
      "schema": "tradeledger.copy/1", "outcome": "copied", "source": .string(move.source),
      "target": .string(move.target), "mode": .string(move.mode.rawValue),
      "rows": .object(
        move.tables.map { JSON.Member(key: $0, value: .int(Int64(move.rows[$0] ?? 0))) }),
      "digest": .string(move.digest), "findings": .int(Int64(move.findings)),
    ]
  }
}

extension Lines {
  static func move(_ move: LedgerMove) -> String {
    var lines = Lines()
    lines.add("outcome", "copied")
    lines.add("source", move.source)
    lines.add("target", move.target)
    lines.add("mode", move.mode.rawValue)
    for table in move.tables { lines.add(table, "\(move.rows[table] ?? 0) rows") }
    lines.add("digest", move.digest)
    return lines.text
  }
}

extension LedgerMove {
  fileprivate var tables: [String] { rows.keys.sorted() }
}
