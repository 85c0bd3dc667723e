internal import TradeLedger

/// Markup. Literals are taken as they stand, and whatever is put into them is escaped, so that no
/// name from outside can forget to be.
struct HTML: ExpressibleByStringInterpolation, Sendable {
  private(set) var text: String

  init(stringLiteral value: String) { text = value }
  init(stringInterpolation: Interpolation) { text = stringInterpolation.text }

  static func += (left: inout HTML, right: HTML) { left.text += right.text }

  struct Interpolation: StringInterpolationProtocol {
    fileprivate var text = ""

    init(literalCapacity: Int, interpolationCount: Int) {
      text.reserveCapacity(literalCapacity * 2)
    }

    mutating func appendLiteral(_ literal: String) { text += literal }
    mutating func appendInterpolation(_ html: HTML) { text += html.text }
    mutating func appendInterpolation(_ parts: [HTML]) { for part in parts { text += part.text } }
    mutating func appendInterpolation(_ number: some BinaryInteger) { text += "\(number)" }

    /// Text from anywhere.
    mutating func appendInterpolation(_ value: String) {
      for scalar in escaped(value).unicodeScalars {
        switch scalar {
        case "&": text += "&amp;"
        case "<": text += "&lt;"
        case ">": text += "&gt;"
        case "\"": text += "&quot;"
        case "'": text += "&#39;"
        default: text.unicodeScalars.append(scalar)
        }
      }
    }

    /// A share of the width from 0 to 1, as a percentage with three digits.
    mutating func appendInterpolation(share: Double) {
      text += decimal(Int((min(max(share, -1), 2) * 100_000).rounded())) + "%"
    }

    /// A length of the picture, with at most three digits.
    mutating func appendInterpolation(length: Double) {
      text += decimal(Int((length * 1000).rounded()))
    }
  }
}

/// Thousandths as a decimal number, without zeros at its end.
private func decimal(_ thousandths: Int) -> String {
  let whole = thousandths.magnitude / 1000
  var fraction = String(String(1000 + thousandths.magnitude % 1000).dropFirst())
  while fraction.hasSuffix("0") { fraction.removeLast() }
  return (thousandths < 0 ? "-" : "") + "\(whole)" + (fraction.isEmpty ? "" : "." + fraction)
}

/// `1 trade`, `12,345 trades`.
public func counted(_ count: Int, _ what: String) -> String {
  "\(grouped(count)) \(what)\(count == 1 ? "" : "s")"
}

/// `12,345`
func grouped(_ count: Int) -> String {
  var digits = Array(String(count))
  var position = digits.count - 3
  while position > 0 {
    digits.insert(",", at: position)
    position -= 3
  }
  return String(digits)
}
