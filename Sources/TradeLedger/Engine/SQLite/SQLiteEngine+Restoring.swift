internal import SQLite

/// How epochs rise when a ledger goes back to a backup.
enum EpochRise: Sendable {
  /// Above those of the ledger that is replaced, whoever has them.
  case above([String: Int64])
  /// The replaced ledger cannot be read: by so many, to be above whatever it gave.
  case by(Int64)

  /// Take-overs between a backup and its restore that are allowed for, where nobody knows.
  static let unknown = EpochRise.by(1000)
}

extension SQLiteEngine {
  /// Makes a restored copy fit to be traded with: from now on every bot waits one cooldown, and who
  /// had an instance name has lost it (INV-7).
  /// - Returns: the moment of the restore, and the names whose epochs went up.
  func markRestored(
    _ rise: EpochRise, wait: WaitLimit
  ) throws(LedgerError) -> (at: Timestamp, epochs: [String: Int64]) {
    try write(
      wait: wait,
      isThere: {
        (database, mark: (at: Timestamp, epochs: [String: Int64])) throws(LedgerError) in
        try database.exists(Statements.hasRestore, [.integer(mark.at.microseconds)])
      },
      { (database, now) throws(LedgerError) in
        let epochs = try SQLiteEngine.raiseEpochs(rise, database)
        try database.run(
          Statements.insertRestore,
          [
            .integer(now.wall.microseconds), .text(now.boot?.bootID),
            .integer(now.boot?.microseconds),
          ])
        return .commit((now.wall, epochs))
      })
  }

  /// The schema lets an epoch rise by one at a time.
  private static func raiseEpochs(
    _ rise: EpochRise, _ database: LedgerDatabase
  ) throws(LedgerError) -> [String: Int64] {
    let stored = try database.rows(Statements.instanceEpochs) { row throws(SQLiteError) in
      (try row.text(0), try row.integer(1))
    }
    var epochs = Dictionary(stored) { max($0, $1) }
    if case .above(let others) = rise {
      // A name that was taken since the backup would begin with epoch 1 again.
      for name in others.keys where epochs[name] == nil {
        try database.run(
          Statements.insertInstance, [.text(name)] + Array(repeating: .null, count: 9))
        epochs[name] = 1
      }
    }
    for (name, epoch) in epochs {
      let goal =
        switch rise {
        case .above(let others): max(epoch, others[name] ?? 0) + 1
        case .by(let count): epoch + count
        }
      for _ in epoch..<goal { try database.run(Statements.evictInstance, [.text(name)]) }
      epochs[name] = goal
    }
    return epochs
  }
}
