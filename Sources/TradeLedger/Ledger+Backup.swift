extension Ledger {
  /// Copies the ledger into one new file while others go on trading, and opens the copy to see that
  /// it is a ledger, sound, and has what the original had.
  ///
  /// - Parameters:
  ///   - target: where the backup goes. It appears there when it is whole, verified and on the
  ///     disk, and not before; what an interrupted backup leaves is named `TARGET....partial`.
  ///   - replacing: an older file of that name is replaced. A ledger in use never is.
  /// - Throws: `cannotCreate` where something has the name; `configuration` for a directory that
  ///   others may write to, or a network file system: copy the finished file there instead;
  ///   `notALedger` where the copy is damaged, because the original is; `busy`, `io`.
  ///
  /// **Lock**: none that a writer waits for. The log cannot begin anew while the copy is made.
  /// **Complexity**: reads the file once and writes it once, then reads the copy.
  public func backUp(
    to target: String, replacing: Bool = false
  ) async throws(LedgerError) -> Backup {
    let new = try NewLedgerFile(for: target, replacing: replacing)
    do throws(LedgerError) {
      guard new.target != path else {
        throw LedgerError(
          .cannotCreate, "\(quoted(path)) is the ledger itself", hint: "give another name")
      }
      let copy = try await engine.copy(into: new.file, wait: WaitLimit(options.lockWait))
      let found = try await verify(new.file.path, copy)
      let backup = Backup(
        source: path, path: new.target, mode: mode, takenAt: copy.takenAt, bytes: new.bytes,
        trades: found.trades, conflicts: found.conflicts, findings: found.findings)
      try new.publish(replacing: replacing)
      return backup
    } catch {
      new.discard()
      throw error
    }
  }

  /// Opens the copy as anybody would: its schema is compared letter for letter, every page and
  /// index is read, and the audit looks at every trade.
  private func verify(
    _ path: String, _ copy: LedgerCopy
  ) async throws(LedgerError) -> (trades: Int, conflicts: Int, findings: Int) {
    var reading = Options()
    reading.access = .readOnly
    let ledger = try await Ledger.open(path, options: reading)
    do throws(LedgerError) {
      let audit = try await ledger.audit()
      let status = try await ledger.status()
      await ledger.close()
      guard status.trades == copy.trades, status.conflicts == copy.conflicts,
        status.mode == mode
      else {
        throw .bug(
          "the copy has \(status.trades) trades and \(status.conflicts) conflicts instead of "
            + "\(copy.trades) and \(copy.conflicts)")
      }
      return (status.trades, status.conflicts, audit.findings.count)
    } catch {
      await ledger.close()
      throw error
    }
  }
}
