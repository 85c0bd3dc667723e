/// An exact decimal of at most 38 digits: read from its digits, never as a floating-point number.
struct ExactNumber: Equatable {
  /// Without trailing zeros behind the point.
  private(set) var mantissa: UInt128
  /// Digits behind the point.
  private(set) var scale: Int
  let isNegative: Bool

  var isZero: Bool { mantissa == 0 }

  init(_ mantissa: UInt128, scale: Int = 0, isNegative: Bool = false) {
    self.mantissa = mantissa
    self.scale = scale
    self.isNegative = isNegative
    while self.scale > 0, self.mantissa % 10 == 0 {
      self.mantissa /= 10
      self.scale -= 1
    }
  }

  /// Parses digits with a sign, a point and an exponent, if need be: `-0.5`, `1e-05`. Blanks around
  /// it do not matter.
  init?(_ text: [UInt8]) {
    var rest = text[...]
    while let last = rest.last, last == 0x20 || last == 0x09 { rest.removeLast() }
    while let first = rest.first, first == 0x20 || first == 0x09 { rest.removeFirst() }
    let isNegative = rest.first == UInt8(ascii: "-")
    if isNegative || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
    var mantissa: UInt128 = 0
    var (digits, scale, hasPoint) = (0, 0, false)
    while let byte = rest.first {
      if byte == UInt8(ascii: "."), !hasPoint {
        hasPoint = true
      } else if byte &- 0x30 < 10 {
        let (product, isTooLarge) = mantissa.multipliedReportingOverflow(by: 10)
        let (sum, overflow) = product.addingReportingOverflow(UInt128(byte &- 0x30))
        if isTooLarge || overflow { return nil }
        mantissa = sum
        digits += 1
        if hasPoint { scale += 1 }
      } else {
        break
      }
      rest.removeFirst()
    }
    guard digits > 0, let exponent = ExactNumber.exponent(rest) else { return nil }
    scale -= exponent
    while scale < 0 {
      let (product, isTooLarge) = mantissa.multipliedReportingOverflow(by: 10)
      if isTooLarge { return nil }
      mantissa = product
      scale += 1
    }
    self.init(mantissa, scale: scale, isNegative: isNegative)
  }

  /// `e-05` and the like; 0 for nothing.
  private static func exponent(_ text: ArraySlice<UInt8>) -> Int? {
    guard let first = text.first else { return 0 }
    guard first | 0x20 == UInt8(ascii: "e") else { return nil }
    var rest = text.dropFirst()
    let isNegative = rest.first == UInt8(ascii: "-")
    if isNegative || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
    guard (1...4).contains(rest.count), rest.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
    let value = rest.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    return isNegative ? -value : value
  }

  /// Digits with a point, no exponent.
  var plain: String {
    var digits = String(mantissa)
    if scale > 0 {
      digits = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
      digits.insert(".", at: digits.index(digits.endIndex, offsetBy: -scale))
    }
    return (isNegative ? "-" : "") + digits
  }

  /// The nearest number with at most `places` digits behind the point.
  func rounded(places: Int) -> ExactNumber {
    guard scale > places else { return self }
    var rest = mantissa
    for _ in (places + 1)..<scale { rest /= 10 }
    return ExactNumber((rest + 5) / 10, scale: places, isNegative: isNegative)
  }

  /// nil where the digits do not suffice.
  static func + (left: ExactNumber, right: ExactNumber) -> ExactNumber? {
    guard let (first, second, scale) = aligned(left, right) else { return nil }
    let (sum, overflow) = first.addingReportingOverflow(second)
    return overflow ? nil : ExactNumber(sum, scale: scale)
  }

  static func * (left: ExactNumber, right: ExactNumber) -> ExactNumber? {
    let (product, overflow) = left.mantissa.multipliedReportingOverflow(by: right.mantissa)
    return overflow ? nil : ExactNumber(product, scale: left.scale + right.scale)
  }

  /// To `places` digits behind the point, rounded.
  func divided(by divisor: ExactNumber, places: Int) -> ExactNumber? {
    guard !divisor.isZero, let (top, bottom, _) = ExactNumber.aligned(self, divisor),
      bottom < UInt128.max / 20
    else { return nil }
    var (quotient, rest) = top.quotientAndRemainder(dividingBy: bottom)
    for _ in 0..<places {
      let (digit, next) = (rest * 10).quotientAndRemainder(dividingBy: bottom)
      let (product, isTooLarge) = quotient.multipliedReportingOverflow(by: 10)
      let (sum, overflow) = product.addingReportingOverflow(digit)
      if isTooLarge || overflow { return nil }
      (quotient, rest) = (sum, next)
    }
    return ExactNumber(quotient + (rest * 2 >= bottom ? 1 : 0), scale: places)
  }

  /// Both with the same digits behind the point.
  private static func aligned(
    _ left: ExactNumber, _ right: ExactNumber
  ) -> (UInt128, UInt128, Int)? {
    let scale = max(left.scale, right.scale)
    func raised(_ number: ExactNumber) -> UInt128? {
      var mantissa = number.mantissa
      for _ in number.scale..<scale {
        let (product, overflow) = mantissa.multipliedReportingOverflow(by: 10)
        if overflow { return nil }
        mantissa = product
      }
      return mantissa
    }
    guard let first = raised(left), let second = raised(right) else { return nil }
    return (first, second, scale)
  }
}
