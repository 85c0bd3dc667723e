#if PostgreSQL
  internal import CLibPQ

  /// The rows that one statement gave.
  @safe
  public final class Answer {
    private let result: OpaquePointer

    init(_ result: OpaquePointer) { unsafe self.result = result }

    deinit { unsafe PQclear(result) }

    public var rowCount: Int { unsafe Int(PQntuples(result)) }
    public var columnCount: Int { unsafe Int(PQnfields(result)) }

    /// nil for NULL, and for a place that is not there.
    public func text(_ row: Int, _ column: Int) -> String? {
      guard row >= 0, row < rowCount, column >= 0, column < columnCount,
        unsafe PQgetisnull(result, Int32(row), Int32(column)) == 0
      else { return nil }
      return unsafe String(cString: PQgetvalue(result, Int32(row), Int32(column)))
    }

    public func integer(_ row: Int, _ column: Int) -> Int64? {
      text(row, column).flatMap { Int64($0) }
    }
  }
#endif
