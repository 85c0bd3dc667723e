extension StringProtocol {
  /// How many columns a terminal gives it: two for wide signs, none for marks on the sign before.
  var columns: Int { unicodeScalars.reduce(0) { $0 + $1.columns } }

  /// Its beginning, with `~` for what is missing: plain ASCII, for any terminal.
  func cut(to limit: Int) -> String {
    guard columns > limit else { return String(self) }
    var kept = String.UnicodeScalarView()
    var left = limit - 1
    for scalar in unicodeScalars {
      left -= scalar.columns
      if left < 0 { break }
      kept.append(scalar)
    }
    return String(kept) + (limit > 0 ? "~" : "")
  }

  func padded(to width: Int) -> String {
    String(self) + String(repeating: " ", count: Swift.max(0, width - columns))
  }
}

/// `text` in lines that a terminal does not break: broken between words, and not within a command
/// in quotes that fits a line.
/// - Parameters:
///   - indent: how far the lines after the first are moved in; the first is taken to begin there.
///   - columns: of the terminal; nil where it is none, and nothing is broken.
func folded(_ text: String, indent: Int, columns: Int? = Console.columns) -> String {
  guard let columns, columns - indent >= 20 else { return text }
  var lines: [String] = []
  var line = ""
  for word in wordsAndCommands(text, columns - indent) {
    if !line.isEmpty, indent + line.columns + 1 + word.columns > columns {
      lines.append(line)
      line = word
    } else {
      line += (line.isEmpty ? "" : " ") + word
    }
  }
  return (lines + [line]).joined(separator: "\n" + String(repeating: " ", count: indent))
}

private func wordsAndCommands(_ text: String, _ room: Int) -> [String] {
  var words: [String] = []
  for word in text.split(separator: " ", omittingEmptySubsequences: false) {
    let isInside = words.last.map { last in
      last.hasPrefix("'") && last.filter { $0 == "'" }.count == 1
        && last.columns + 1 + word.columns <= room
    }
    if isInside == true { words[words.count - 1] += " " + word } else { words.append(String(word)) }
  }
  return words
}

extension Unicode.Scalar {
  fileprivate var columns: Int {
    if value < 0x300 { return 1 }
    switch properties.generalCategory {
    case .nonspacingMark, .enclosingMark: return 0
    default: return Unicode.Scalar.wide.contains { $0.contains(value) } ? 2 : 1
    }
  }

  /// Scripts and pictures of East_Asian_Width W and F, by their blocks.
  private static let wide: [ClosedRange<UInt32>] = [
    0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3,
    0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F,
    0x1F680...0x1F6FF, 0x1F900...0x1FAFF, 0x20000...0x3FFFD,
  ]
}
