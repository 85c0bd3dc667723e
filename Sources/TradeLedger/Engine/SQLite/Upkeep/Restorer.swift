internal import SQLite

/// Puts a backup into the place of a ledger. On a thread of its own, because it waits for the disk.
///
/// The steps, each of which may be the last one: copy the backup beside the ledger; open the copy
/// as anybody would, and look at all of it; lock the ledger that is there against everybody and see
/// that nobody is at work; mark the copy as restored; let the two change places. Whatever a kill or
/// a power cut leaves, a ledger that is found is the old one or the new one, and whole; the same
/// command again puts aside what is left over and does it.
actor Restorer {
  private nonisolated let thread = LedgerThread()
  nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe thread.asUnownedSerialExecutor()
  }

  func restore(
    _ backup: String, to path: String, _ options: Ledger.Options
  ) async throws(LedgerError) -> Restoration {
    let place = try RestorePlace(path, at: options.clock.now().wall)
    // It keeps other restores out.
    defer { withExtendedLifetime(place) {} }
    let source = try BackupFile.expectFinished(backup, notAt: place.target)
    let leftovers = try place.putLeftoversAside()
    try place.prepare(from: source)
    do throws(LedgerError) {
      return try await finish(place, source, leftovers, options)
    } catch {
      place.discard()
      throw LedgerError(
        error.code, error.message.replacing(quoted(place.prepared), with: quoted(source)),
        hint: error.hint, retry: error.retry)
    }
  }

  private func finish(
    _ place: RestorePlace, _ source: String, _ leftovers: [String],
    _ options: Ledger.Options
  ) async throws(LedgerError) -> Restoration {
    var writing = options
    writing.access = .readWrite
    let wait = WaitLimit(.seconds(3600))
    let engine = try await SQLiteEngine.open(place.prepared, options: writing)
    _ = try await engine.audit(TradeQuery(), wait: wait)
    // From here on nobody else can open the ledger that is there.
    let old = place.exists ? try ReplacedLedger(place.target, options) : nil
    let found = old?.contents
    if let mode = found?.mode, mode != engine.mode {
      throw LedgerError(
        .configuration,
        "\(quoted(source)) is a \(engine.mode.rawValue) ledger, \(quoted(place.target)) is a "
          + "\(mode.rawValue) ledger",
        hint: "the mode of a ledger never changes; give the backup of this ledger")
    }
    let mark = try await engine.markRestored(
      found.map { .above($0.epochs) } ?? (old == nil ? .by(1) : .unknown), wait: wait)
    let status = try await engine.status(nil, wait: wait)
    await engine.close()
    try Restorer.fold(place.prepared)
    let replaced = try Restorer.takePlace(place, old)
    return Restoration(
      backup: source, path: place.target, replaced: replaced, leftovers: leftovers,
      mode: engine.mode, restoredAt: mark.at, status: status, epochs: mark.epochs,
      replacedTrades: found?.trades)
  }

  /// - Parameter old: keeps everybody out until the new ledger is there.
  private static func takePlace(
    _ place: RestorePlace, _ old: ReplacedLedger?
  ) throws(LedgerError) -> String? {
    defer { withExtendedLifetime(old) {} }
    guard let old else {
      try place.fill()
      return nil
    }
    return old.isWhole ? try place.exchange() : try place.replaceUnreadable()
  }

  /// So that the file by itself is the ledger.
  private static func fold(_ path: String) throws(LedgerError) {
    do throws(SQLiteError) {
      let connection = try Connection.open(
        path, options: OpenOptions(purpose: .alone, wait: .seconds(5)))
      try connection.foldLog()
    } catch { throw LedgerError(error, path: path) }
    BackupFile.removeEmptied(path)
  }
}
