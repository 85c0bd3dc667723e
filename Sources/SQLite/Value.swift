/// A value that can be bound to a parameter.
///
/// Only what a ledger stores: no floating point, so that no amount and no time can become inexact,
/// and no blob.
public enum Value: Equatable, Sendable {
  case null
  case integer(Int64)
  case text(String)

  public static func integer(_ value: Int64?) -> Value { value.map { .integer($0) } ?? .null }
  public static func text(_ value: String?) -> Value { value.map { .text($0) } ?? .null }
}

/// What stands in a column of a file that others made. The bytes of `text` and `blob` are handed
/// over beside it (``Row/stored(_:bytes:)``), so that reading a row allocates nothing.
public enum StoredValue: Equatable, Sendable {
  case null
  case integer(Int64)
  case real(Double)
  case text
  case blob
}

extension Value: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
  public init(integerLiteral value: Int64) { self = .integer(value) }
  public init(stringLiteral value: String) { self = .text(value) }
}
