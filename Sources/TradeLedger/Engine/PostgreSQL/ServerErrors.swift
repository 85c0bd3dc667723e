#if PostgreSQL
  internal import PostgreSQL

  extension PostgreSQLError {
    /// Whether the same may be answered otherwise in a moment, so that it is tried again while the
    /// wait limit lasts.
    func mayPass(severalHosts: Bool) -> Bool {
      switch sqlState {
      case _ where isOfReplacedSchema: true
      // Serialization failure, deadlock, starting up or shutting down, too many connections, and
      // "cached plan must not change result type" while a schema is replaced.
      case "40001", "40P01", "57P01", "57P02", "57P03", "57P05", "53300", "0A000": true
      // A standby may be promoted, or another host be the primary.
      case "25006": severalHosts
      case "": isConnectionLost && !isRefusedForGood
      default: sqlState.hasPrefix("08") && !isRefusedForGood
      }
    }

    /// A function was looked up, or had begun, and was replaced by an upgrade before its end: its
    /// transaction is undone, and the new one is found by its name.
    private var isOfReplacedSchema: Bool {
      message.contains("cache lookup failed") || message.contains(" with OID ")
    }

    /// What libpq itself or a pooler refuses, about encryption for example, waiting does not mend.
    /// (An encrypted connection that breaks off is no refusal: "SSL SYSCALL error".)
    private var isRefusedForGood: Bool {
      // "invalid sslmode value" and the like, before it has asked anybody.
      isWithoutPassword || message.hasPrefix("invalid ")
        || [
          "does not support SSL", "certificate", "does not support GSSAPI", "SSL required",
          "authentication method",
        ].contains { message.contains($0) }
    }

    fileprivate var isWithoutPassword: Bool { message.contains("no password supplied") }
    /// The server takes no plain connection, and there was no other try.
    fileprivate var wantsEncryption: Bool {
      message.contains("no encryption") && !message.contains("SSL encryption")
    }
  }

  extension LedgerError {
    /// What an error of the server or of libpq means for a caller of the ledger, where nothing can
    /// have been written.
    init(_ error: PostgreSQLError, server: String) {
      let what = "\(quoted(server)): \(escaped(error.message))"
      switch error.sqlState {
      case "55P03", "57014":
        self.init(
          .busy,
          "no answer within the wait limit: another transaction has the lock at "
            + quoted(server),
          hint: "nothing was written; try again with the same key, or raise the wait limit",
          retry: .safe)
      case "53300":
        self.init(
          .busy, "the server has no connection left: \(what)",
          hint:
            "nothing was written; close what is not needed, put a pooler in front of the server, "
            + "or raise max_connections", retry: .safe)
      case "40001", "40P01":
        self.init(
          .busy, "other transactions came first: \(what)",
          hint: "nothing was written; try again with the same key", retry: .safe)
      case _ where error.isWithoutPassword, "28P01", "28000":
        self.init(.permission, "the server lets nobody in: \(what)", hint: Self.hint(login: error))
      case "42501":
        self.init(
          .permission, "the role may not do this: \(what)",
          hint: "connect as a member of tradeledger_owner or, to trade and to look, of "
            + "tradeledger_worker")
      case "3D000":
        self.init(
          .noLedger, "there is no such database: \(what)",
          hint: "create it (createdb), then run tradeledger init --db with the same URL")
      case "3F000", "42P01", "42883", "42703":
        self = .noLedger(on: server)
        message += ": \(escaped(error.message))"
      case "2BP01":
        self.init(
          .configuration,
          "something else depends on the schema: \(what): \(escaped(error.detail ?? ""))",
          hint: "nothing was changed; drop what depends on it, and make it again afterwards")
      case "25006":
        self.init(
          .configuration, "the server is a read-only standby: \(what)",
          hint:
            "name the primary, or all hosts of the cluster with target_session_attrs=read-write",
          retry: .safe)
      case "57P01", "57P02", "57P03", "57P05":
        self.init(
          .unavailable, "the server is starting or stopping: \(what)",
          hint: "nothing was written; try again with the same key", retry: .safe)
      case "53100", "53200", "53000":
        self.init(
          .io, "the server has no room left: \(what)",
          hint: "nothing was written and nothing was lost; make room and try again", retry: .safe)
      case "TL000", "TL001", "TL003":
        self.init(.configuration, what, hint: Self.hint(setup: error))
      case OpenedLedger.moved:
        self.init(
          .ledgerMoved, "\(what), or replaced by it while it was open",
          hint: "send no order; stop all workers, see what the address leads to, start again, and "
            + "look the key up before trading")
      default: self.init(other: error, server: server, what: what)
      }
    }

    static func noLedger(on server: String) -> LedgerError {
      LedgerError(
        .noLedger, "there is no ledger in \(quoted(server))",
        hint: "create it as the owner of the database: tradeledger init --db with the same URL")
    }

    private init(other error: PostgreSQLError, server: String, what: String) {
      if error.sqlState.hasPrefix("TL") || error.sqlState.hasPrefix("23") {
        self.init(
          .internalError, "the schema refused a write: \(what) (\(error.sqlState))",
          hint: "nothing was written; this is a bug of TradeLedger, please report it")
      } else if error.sqlState.isEmpty || error.sqlState.hasPrefix("08") {
        let isForGood = !error.mayPass(severalHosts: false)
        self.init(
          isForGood ? .configuration : .unavailable, "no connection to the ledger: \(what)",
          hint: isForGood
            ? "set the URL right: sslmode and the certificates have to fit what the server asks for"
            : "nothing was written; see whether the server runs and can be reached, then try again "
              + "with the same key", retry: isForGood ? .never : .safe)
      } else {
        self.init(
          .io, "\(what) (SQLSTATE \(error.sqlState))",
          hint: "nothing was written; look into the log of the server, then try again",
          retry: .safe)
      }
    }

    private static func hint(login error: PostgreSQLError) -> String {
      if error.sqlState == "28P01" || error.isWithoutPassword {
        return "give the right password, in the URL, in PGPASSWORD or in ~/.pgpass"
      }
      if error.wantsEncryption {
        return
          "the server wants TLS: add sslmode=verify-full, or at least sslmode=require, to the URL"
      }
      return "see who may connect from here: pg_hba.conf of the server, and the name of the role"
    }

    private static func hint(setup error: PostgreSQLError) -> String {
      switch error.sqlState {
      case "TL003": "a clock of one's own is for ledgers whose mode is simulation"
      case "TL001": "use a server of PostgreSQL 15 or later"
      default:
        "set default_transaction_isolation and client_min_messages of the role back to "
          + "'read committed' and 'notice'"
      }
    }

    /// A denial that another try may not have got.
    init(deniedAfterLostTry reason: Denial.Reason, server: String) {
      self.init(
        .outcomeUnknown,
        "the connection was lost before the answer came, and another try was denied "
          + "(\(reason.rawValue)): \(quoted(server))",
        hint: "the first try may still be carried out. Send no order; ask again with the same key",
        retry: .checkFirst)
    }

    /// A write whose answer did not come, and which could not be looked up within the wait limit.
    ///
    /// - Parameter last: why it could not.
    init(unknown error: PostgreSQLError, last: PostgreSQLError, server: String) {
      self.init(
        .outcomeUnknown,
        "the connection was lost before the answer came: \(quoted(server)): "
          + escaped(error.message)
          + (last.message == error.message ? "" : "; then: \(escaped(last.description))"),
        hint:
          "it may or may not have been written. Send no order; ask again with the same key, which "
          + "is carried out at most once, or look the key up", retry: .checkFirst)
    }
  }
#endif
