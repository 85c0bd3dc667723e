#if PostgreSQL
  /// What the server or libpq answered when it did not do what it was asked.
  public struct PostgreSQLError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What has become of the statements that were asked for.
    public enum Fate: Sendable {
      /// They were not carried out, or were undone: the server said so, or never got them.
      case notExecuted
      /// They were sent and no answer came: they may be carried out, now or later.
      case unknown
    }

    /// Five characters (https://www.postgresql.org/docs/current/errcodes-appendix.html). Empty
    /// where no server said anything.
    public var sqlState: String
    /// The server's words or libpq's. Without passwords: libpq puts none into its messages, and a
    /// URL that it cannot read is not repeated.
    public var message: String
    /// The fields DETAIL and HINT of an error of the server.
    public var detail: String?
    public var hint: String?
    public var fate: Fate
    /// The connection is of no more use.
    public var isConnectionLost: Bool

    public init(
      sqlState: String = "", message: String, fate: Fate = .notExecuted,
      isConnectionLost: Bool = false
    ) {
      self.sqlState = sqlState
      self.message = message
      self.fate = fate
      self.isConnectionLost = isConnectionLost
    }

    public var description: String {
      sqlState.isEmpty ? message : "\(message) (SQLSTATE \(sqlState))"
    }

    static let duplicatePreparedStatement = "42P05"
    static let noSuchPreparedStatement = "26000"

    /// A time limit was over before the server answered.
    static func outOfTime(_ fate: Fate) -> PostgreSQLError {
      PostgreSQLError(
        message: "no answer from the server in time", fate: fate, isConnectionLost: true)
    }
  }
#endif
