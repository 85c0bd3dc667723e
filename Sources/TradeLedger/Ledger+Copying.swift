/// A ledger that was copied to another engine, and read back.
public struct LedgerMove: Sendable {
  /// Where it was: a path, or a URL without its password.
  public let source: String
  /// Where it is now.
  public let target: String
  /// The mode of both.
  public let mode: LedgerMode
  /// How many rows each table has, by its name.
  public let rows: [String: Int]
  /// Over all values of all rows, in the source and in the target alike.
  public let digest: String
  /// What an audit of the target found.
  public let findings: Int
}

extension Ledger {
  /// Copies a whole ledger from a file to a PostgreSQL server, or back, with every row as it is,
  /// and reads it back. Instance names have no holder in the copy, and the next epoch.
  ///
  /// - Parameters:
  ///   - source: where nobody is at work: what is written there afterwards is not in the copy.
  ///   - target: a path where nothing is, or the URL of a database without a ledger, as the role
  ///     that is to own it.
  ///   - options: for both; `lockWait` is the longest wait for the source.
  /// - Throws: `busy` while a trade of the source is pending; `cannotCreate` where the target is
  ///   not empty; `configuration` for two files, or two servers; else as ``open(_:options:)``. Then
  ///   the target has no ledger, or where reading it back has failed one that is not to be used.
  public static func copy(
    from source: String, to target: String, options: Options = Options()
  ) async throws(LedgerError) -> LedgerMove {
    guard isServer(source) != isServer(target) else {
      throw LedgerError(
        .configuration, "both are \(isServer(source) ? "on servers" : "files")",
        hint: isServer(source)
          ? "use the tools of the server: pg_dump and pg_restore"
          : "make a backup: tradeledger backup --db FILE -o NEW")
    }
    var reading = options
    reading.access = .readOnly
    let ledger = try await open(source, options: reading)
    let status: LedgerStatus
    do throws(LedgerError) { status = try await ledger.status() } catch {
      await ledger.close()
      throw error
    }
    await ledger.close()
    if let trade = status.bots.compactMap(\.pending).first {
      throw LedgerError(
        .busy, "trade \(trade.id) of \(trade.bot) is being worked on",
        hint: "stop the bots first: what they trade afterwards would not be in the copy",
        retry: .safe)
    }
    let mover = LedgerMover(options: options)
    let place = ledger.path
    let sum =
      isServer(source)
      ? try await mover.toFile(source, target) : try await mover.toServer(place, target)
    let copied = try await open(target, options: reading)
    do throws(LedgerError) {
      let findings = try await copied.audit().findings.count
      await copied.close()
      return LedgerMove(
        source: place, target: copied.path, mode: status.mode, rows: sum.rows,
        digest: sum.digest.hexadecimal, findings: findings)
    } catch {
      await copied.close()
      throw error
    }
  }
}

/// Copies on a thread of its own.
private actor LedgerMover {
  private nonisolated let thread: LedgerThread
  private let wait: Duration

  init(options: Ledger.Options) {
    thread = options.thread ?? LedgerThread()
    wait = options.lockWait
  }

  nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe thread.asUnownedSerialExecutor()
  }

  func toServer(_ path: String, _ url: String) throws(LedgerError) -> RowCopy.Sum {
    #if PostgreSQL
      try RowCopy.copy(
        from: SQLiteRows(path: path, wait: wait),
        to: ServerRows(address: PostgreSQLEngine.address(url), wait: wait))
    #else
      throw .noServerEngine
    #endif
  }

  func toFile(_ url: String, _ path: String) throws(LedgerError) -> RowCopy.Sum {
    #if PostgreSQL
      let new = try NewLedgerFile(for: path, replacing: false)
      do throws(LedgerError) {
        let sum = try RowCopy.copy(
          from: ServerRows(address: PostgreSQLEngine.address(url), wait: wait),
          to: NewSQLiteRows(new: new, wait: wait))
        try new.publish(replacing: false)
        return sum
      } catch {
        new.discard()
        throw error
      }
    #else
      throw .noServerEngine
    #endif
  }
}
