internal import CSQLite

/// How a transaction ended. Every case says what is in the file.
public enum TransactionEnding<Success, Failure: Error> {
  /// COMMIT succeeded: the changes are durable. (Or nothing was to be committed.)
  case committed(Success)
  /// The body chose not to commit: nothing was written.
  case rolledBack(Success)
  /// BEGIN failed: nothing was written. `isBusy` where the wait for the lock was over.
  case notBegun(SQLiteError)
  /// The body threw and nothing was written. `rollback` is the rollback's own error, if it failed:
  /// the connection is then still inside the transaction and must be dropped.
  case bodyFailed(Failure, rollback: SQLiteError?)
  /// COMMIT failed. The changes may or may not be in the file, now or after the next recovery
  /// (INV-4): `Success` is what the body would have answered, and must not be.
  case commitUnknown(Success, SQLiteError)
}

/// What the body of a writing transaction wants to happen to its changes.
public enum TransactionDecision<Success> {
  case commit(Success)
  case rollback(Success)
}

extension Connection {
  /// Runs `body` in a deferred transaction: one snapshot, nothing written.
  ///
  /// **Lock**: a shared one, for as long as `body` runs. It never blocks a writer. The end is
  /// always a ROLLBACK, so that a body that wrote after all has written nothing.
  @inlinable
  public func read<Success, Failure: Error>(
    wait: Duration, _ body: () throws(Failure) -> Success
  ) -> TransactionEnding<Success, Failure> {
    startWait(wait)
    do throws(SQLiteError) { try run("BEGIN DEFERRED") } catch { return .notBegun(error) }
    do throws(Failure) {
      let value = try body()
      // Ending a snapshot cannot fail in a way that matters: nothing was written.
      if let error = rollbackIfOpen() { return .notBegun(error) }
      return .rolledBack(value)
    } catch {
      return .bodyFailed(error, rollback: rollbackIfOpen())
    }
  }

  /// Runs `body` in an IMMEDIATE transaction: the RESERVED lock is taken before anything is read,
  /// so what `body` reads cannot change before it writes, and SQLITE_BUSY_SNAPSHOT cannot happen.
  ///
  /// **Lock**: the write lock, from BEGIN to COMMIT; waits for it at most `wait`. `body` must do
  /// nothing but statements on this connection.
  /// **Durability**: `.committed` is durable; after ``leaveSyncToCaller()`` it is so only once
  /// ``syncLog()`` has returned.
  @inlinable
  public func write<Success, Failure: Error>(
    wait: Duration, _ body: () throws(Failure) -> TransactionDecision<Success>
  ) -> TransactionEnding<Success, Failure> {
    startWait(wait)
    do throws(SQLiteError) { try run("BEGIN IMMEDIATE") } catch { return .notBegun(error) }
    let decision: TransactionDecision<Success>
    do throws(Failure) { decision = try body() } catch {
      return .bodyFailed(error, rollback: rollbackIfOpen())
    }
    switch decision {
    case .rollback(let value):
      // A failed ROLLBACK leaves a transaction open that the next BEGIN refuses.
      if let error = rollbackIfOpen() { return .notBegun(error) }
      return .rolledBack(value)
    case .commit(let value):
      do throws(SQLiteError) { try run("COMMIT") } catch {
        _ = rollbackIfOpen()
        return .commitUnknown(value, error)
      }
      return .committed(value)
    }
  }

  /// Copies the WAL into the main file while holding the write lock, so that no other process can
  /// reset the WAL under the checkpoint (the race that SQLite before 3.51.3 loses).
  ///
  /// `helper` is a second connection of the same process to the same file: a connection cannot
  /// checkpoint inside its own transaction.
  /// - Returns: frames in the WAL and frames copied; fewer copied means that a reader pins them.
  public func checkpoint(
    helper: Connection, wait: Duration
  ) -> TransactionEnding<(frames: Int, copied: Int), SQLiteError> {
    write(wait: wait) { () throws(SQLiteError) in
      helper.startWait(.zero)
      let result = try helper.firstRow("PRAGMA wal_checkpoint(PASSIVE)") {
        row throws(SQLiteError) in (try row.integer(0), try row.integer(1), try row.integer(2))
      }
      guard let (busy, frames, copied) = result, busy == 0 else {
        throw SQLiteError(code: SQLITE_BUSY, message: "checkpoint lock taken", operation: "")
      }
      return .rollback((frames: Int(frames), copied: Int(copied)))
    }
  }

  /// Copies the whole log into the main file and empties it. For a connection that is alone.
  /// - Errors: `isBusy` where it is not.
  public func foldLog() throws(SQLiteError) {
    let busy = try firstRow("PRAGMA wal_checkpoint(TRUNCATE)") { row throws(SQLiteError) in
      try row.integer(0)
    }
    guard busy == 0 else {
      throw SQLiteError(code: SQLITE_BUSY, message: "the log is in use", operation: "fold")
    }
  }

  /// Blocks the thread, so that readers can end what they are at. Call it without a transaction.
  public func pause(_ time: Duration) { BusyHandler.pause(time) }

  /// Rolls back if SQLite has not already done so by itself (as it does on SQLITE_FULL).
  @usableFromInline
  func rollbackIfOpen() -> SQLiteError? {
    guard isInTransaction else { return nil }
    do throws(SQLiteError) { try run("ROLLBACK") } catch { return error }
    return nil
  }
}
