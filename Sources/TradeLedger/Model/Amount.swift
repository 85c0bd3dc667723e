/// An exact positive decimal: a quantity or a price. Never a floating-point number.
///
/// At most 18 digits before and 18 after the point; kept in one canonical spelling, so that `1.50`
/// and `1.5` are the same order.
public struct Amount: Hashable, Sendable, CustomStringConvertible {
  /// The canonical spelling: no leading zero but one before the point, no trailing zero.
  public let description: String

  /// Parses digits with at most one point. No sign, no exponent, no separator, no other script.
  /// - Throws: `invalidInput`; never worth a retry.
  public init(_ text: String) throws(LedgerError) {
    guard let canonical = Amount.canonical(text) else {
      throw LedgerError(
        .invalidInput, "not an amount: \(quoted(text))",
        hint: "write a positive decimal such as 0.25, at most 18 digits on either side of the point"
      )
    }
    description = canonical
  }

  init(stored text: String) { description = text }

  private static func canonical(_ text: String) -> String? {
    let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count <= 2, !text.utf8.isEmpty,
      parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy { (0x30...0x39).contains($0) } })
    else { return nil }
    let whole = String(Substring(parts[0]).drop { $0 == "0" })
    var fraction = parts.count == 2 ? String(Substring(parts[1])) : ""
    while fraction.hasSuffix("0") { fraction.removeLast() }
    guard whole.count <= 18, fraction.count <= 18, !(whole.isEmpty && fraction.isEmpty) else {
      return nil
    }
    return (whole.isEmpty ? "0" : whole) + (fraction.isEmpty ? "" : "." + fraction)
  }
}
