/// A word of a given kind: which kind is checked by the compiler, its spelling by `init`.
///
/// 1 to 64 characters out of `A-Z a-z 0-9 . _ / : @ + = ^ # -`, not starting with `-`. That keeps
/// control characters, quotes, blanks and look-alike letters out of terminals, files and logs.
/// The schema holds every other client to the same rule (INV-11).
public struct Name<Kind>: Hashable, Sendable, CustomStringConvertible {
  public let description: String

  /// - Throws: `invalidInput`; never worth a retry.
  public init(_ text: String) throws(LedgerError) {
    guard !text.isEmpty, text.utf8.count <= 64, text.utf8.allSatisfy(isNameByte),
      text.utf8.first != UInt8(ascii: "-")
    else {
      throw LedgerError(
        .invalidInput, "not a name: \(quoted(text))",
        hint: "use 1 to 64 of the characters A-Z a-z 0-9 . _ / : @ + = ^ # - and no leading -")
    }
    description = text
  }

  /// A name that was checked when it was stored.
  init(stored text: String) { description = text }
}

/// What kind of name a ``Name`` is.
public enum BotKind {}
/// What kind of name a ``Name`` is.
public enum SymbolKind {}
/// What kind of name a ``Name`` is.
public enum InstanceKind {}

/// The name of a bot: the unit of cooldown, for example `momentum/BTC-USD`.
public typealias BotName = Name<BotKind>
/// What is traded, for example `BTC-USD`.
public typealias Symbol = Name<SymbolKind>
/// A name under which at most one process runs.
public typealias InstanceName = Name<InstanceKind>

/// The client order id: unique for ever, sent to the exchange (INV-3).
///
/// 1 to 128 visible ASCII characters, made by the caller (a Celery task id, a signal id) or by the
/// ledger (a UUID of version 7, so that the index grows at its end).
public struct OrderKey: Hashable, Sendable, CustomStringConvertible {
  public let description: String

  /// - Throws: `invalidInput`; never worth a retry.
  public init(_ text: String) throws(LedgerError) {
    description = try visibleASCII(text, 1...128, "key")
  }

  init(stored text: String) { description = text }

  /// A new key that no other call has made or will make.
  public static func random(at now: Timestamp) -> OrderKey {
    OrderKey(stored: uuid7(milliseconds: UInt64(clamping: now.microseconds / 1000)))
  }
}

/// What a permit's holder settles with (INV-5). It stops accidents, not readers of the file.
///
/// 16 to 128 visible ASCII characters. Callers that want their permit back after a lost answer
/// choose the token themselves and repeat it.
public struct PermitToken: Hashable, Sendable, CustomStringConvertible {
  public let description: String

  /// - Throws: `invalidInput`; never worth a retry.
  public init(_ text: String) throws(LedgerError) {
    description = try visibleASCII(text, 16...128, "token")
  }

  init(stored text: String) { description = text }

  /// A new token of 128 random bits.
  public static func random() -> PermitToken {
    PermitToken(stored: hex(randomBits(), isUUID: false))
  }
}

private func isNameByte(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
    UInt8(ascii: "0")...UInt8(ascii: "9"):
    return true
  default: return "._/:@+=^#-".utf8.contains(byte)
  }
}

private func visibleASCII(
  _ text: String, _ length: ClosedRange<Int>, _ what: String
) throws(LedgerError) -> String {
  guard length.contains(text.utf8.count), text.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
  else {
    throw LedgerError(
      .invalidInput, "not a \(what): \(quoted(text))",
      hint: "use \(length.lowerBound) to \(length.upperBound) visible ASCII characters, no blanks")
  }
  return text
}

/// 32 lower-case hexadecimal digits, in groups as a UUID has them or in one.
private func hex(_ value: UInt128, isUUID: Bool) -> String {
  let high = UInt64(truncatingIfNeeded: value >> 64)
  let low = UInt64(truncatingIfNeeded: value)
  return unsafe String(unsafeUninitializedCapacity: 36) { text in
    var length = 0
    for index in 0..<32 {
      if isUUID, index == 8 || index == 12 || index == 16 || index == 20 {
        unsafe text[length] = UInt8(ascii: "-")
        length += 1
      }
      let word = (index < 16 ? high : low) &>> UInt64(60 - 4 * (index & 15))
      let digit = UInt8(truncatingIfNeeded: word) & 15
      unsafe text[length] = digit + (digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10)
      length += 1
    }
    return length
  }
}

/// RFC 9562, version 7: 48 bits of milliseconds, the version, 12 random bits, the variant, 62 more.
private func uuid7(milliseconds: UInt64) -> String {
  let random: UInt128 = 0x0fff_3fff_ffff_ffff_ffff
  let fixed = UInt128(milliseconds) << 80 | 0x7000_8000_0000_0000_0000
  return hex(fixed | randomBits() & random, isUUID: true)
}
