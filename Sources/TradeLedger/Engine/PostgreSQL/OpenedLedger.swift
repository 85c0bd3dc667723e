#if PostgreSQL
  internal import PostgreSQL
  internal import Synchronization

  /// Which ledger was opened.
  ///
  /// Another one may answer at its address later: a database that was dropped and made anew, or
  /// another server under the same name. Whoever went on there would trade in two ledgers.
  final class OpenedLedger: Sendable {
    private let identity = Mutex<[String?]?>(nil)

    /// A SQLSTATE that no server sends: it is another ledger.
    static let moved = "TL004"

    /// This is the one from now on: its mode, and when it was made. Neither changes, and both go
    /// along into a copy or a standby.
    func remember(_ mode: String?, _ createdAt: String?) {
      identity.withLock { $0 = [mode, createdAt] }
    }

    /// The same through every address of it.
    var key: String { identity.withLock { ($0 ?? []).map { $0 ?? "" }.joined(separator: " ") } }

    /// Looks through a connection that was made anew.
    func expect(at connection: Connection, wait: Duration) throws(PostgreSQLError) {
      guard let known = identity.withLock({ $0 }) else { return }
      let found: [String?]
      do throws(PostgreSQLError) {
        let answer = try connection.run(Query(ServerStatements.identity), wait: wait)
        found = [answer.text(0, 0), answer.text(0, 1)]
      } catch {
        var error = error
        // Nothing else was asked through it yet.
        error.fate = .notExecuted
        throw error
      }
      guard found == known else {
        throw PostgreSQLError(
          sqlState: Self.moved, message: "another ledger than the one that was opened")
      }
    }
  }
#endif
