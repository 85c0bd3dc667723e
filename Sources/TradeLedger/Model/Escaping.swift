/// `text` made safe for a terminal, a log or a message: control characters, escapes, line and
/// paragraph separators and marks that change the direction of writing become `\u{...}`.
public func escaped(_ text: some StringProtocol) -> String {
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse,
      .unassigned:
      result += "\\u{\(String(scalar.value, radix: 16))}"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}

/// `text` in quotes, escaped, and cut after 64 characters with the length named.
package func quoted(_ text: String) -> String {
  let shown = text.unicodeScalars.prefix(64)
  let cut = text.unicodeScalars.count > 64 ? "… (\(text.utf8.count) bytes)" : ""
  return "'" + escaped(String(String.UnicodeScalarView(shown))) + cut + "'"
}

/// Free text of a caller, for example a reason: 1 to 256 bytes without control characters.
/// - Throws: `invalidInput`; never worth a retry.
func checkedReason(_ text: String) throws(LedgerError) -> String {
  guard (1...256).contains(text.utf8.count), escaped(text) == text else {
    throw LedgerError(
      .invalidInput, "not a reason: \(quoted(text))",
      hint: "give 1 to 256 bytes of plain text on one line")
  }
  return text
}
