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
  /// What an audit of the source found, and would find in the target.
  public let findings: Int
}

extension Ledger {
  /// Copies a whole ledger from a file to a PostgreSQL server, or back, with every row as it is.
  /// Instance names have no holder in the copy, and the next epoch.
  ///
  /// The copy is read back, and the source is read once more, before the copy gets its COMMIT or
  /// its name. Whatever ends the process before that leaves no ledger at the target, and nothing in
  /// the way of the next try: a schema without a ledger, or a file whose name ends with `.partial`.
  ///
  /// - Parameters:
  ///   - source: where nobody is at work: what is written there afterwards is not in the copy.
  ///   - target: a path where nothing is, or the URL of a database without a ledger, as the role
  ///     that is to own it.
  ///   - options: for both; `lockWait` is the longest wait for the source.
  /// - Throws: `busy` where a trade of the source is pending, or somebody writes to it meanwhile;
  ///   `cannotCreate` where the target is not empty; `configuration` for two files, or two servers;
  ///   `outcomeUnknown` where the answer to the COMMIT is lost: look whether a ledger is there.
  ///   Else as ``open(_:options:)``, and there is none.
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
    let findings: Int
    do throws(LedgerError) { findings = try await ledger.audit().findings.count } catch {
      await ledger.close()
      throw error
    }
    await ledger.close()
    let mover = LedgerMover(options: options)
    let (sum, place) =
      isServer(source)
      ? try await mover.toFile(source, target) : try await mover.toServer(ledger.path, target)
    return LedgerMove(
      source: ledger.path, target: place, mode: ledger.mode, rows: sum.rows,
      digest: sum.digest.hexadecimal, findings: findings)
  }
}

/// Copies on a thread of its own.
private actor LedgerMover {
  private nonisolated let thread: LedgerThread
  private let wait: Duration
  private let clock: any LedgerClock

  init(options: Ledger.Options) {
    thread = options.thread ?? LedgerThread()
    wait = options.lockWait
    clock = options.clock
  }

  nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe thread.asUnownedSerialExecutor()
  }

  /// What was copied, and the name of the place where it is.
  typealias Copied = (sum: RowCopy.Sum, place: String)

  func toServer(_ path: String, _ url: String) throws(LedgerError) -> Copied {
    #if PostgreSQL
      let sum = try RowCopy.copy(
        from: SQLiteRows(path: path, wait: wait, clock: clock),
        to: ServerRows(address: PostgreSQLEngine.address(url), wait: wait, clock: clock))
      return (sum, try PostgreSQLEngine.name(of: url))
    #else
      throw .noServerEngine
    #endif
  }

  func toFile(_ url: String, _ path: String) throws(LedgerError) -> Copied {
    #if PostgreSQL
      let new = try NewLedgerFile(for: path, replacing: false)
      do throws(LedgerError) {
        let sum = try RowCopy.copy(
          from: ServerRows(address: PostgreSQLEngine.address(url), wait: wait, clock: clock),
          to: NewSQLiteRows(new: new, wait: wait))
        try new.publish(replacing: false)
        return (sum, new.target)
      } catch {
        new.discard()
        throw error
      }
    #else
      throw .noServerEngine
    #endif
  }
}
