/// The option parser's help, made to fit: it writes the whole usage into one line.
enum HelpText {
  /// - Parameter text: help, or a version.
  static func fitted(_ text: String) -> String {
    let asked = environment("COLUMNS").flatMap(Int.init)
    let columns = max(40, asked ?? Console.columns ?? 80)
    return ownOptionsFirst(text)
      .split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.hasPrefix("USAGE: ") ? usage($0, columns) : String($0) }
      .joined(separator: "\n")
  }

  /// The parser puts sections that have a title before the options of the command itself.
  private static func ownOptionsFirst(_ text: String) -> String {
    var sections = text.split(separator: "\n\n", omittingEmptySubsequences: false)
    let global = sections.firstIndex { $0.hasPrefix("GLOBAL OPTIONS:") }
    let own = sections.firstIndex { $0.hasPrefix("OPTIONS:") }
    if let global, let own, global < own { sections.insert(sections.remove(at: global), at: own) }
    // The last one ends with a line of its own, wherever it goes.
    let text = sections.joined(separator: "\n\n").replacing("\n\n\n", with: "\n\n")
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }

  /// The options of every command have a section of their own below.
  private static let global =
    "[--db <path>] [--json] [--quiet] [--verbose] [--color <when>] [--lock-wait <duration>]"

  private static func usage(_ line: Substring, _ columns: Int) -> String {
    var line = String(line)
    if let range = line.firstRange(of: global) {
      line.replaceSubrange(range, with: "[<global options>]")
    }
    var lines: [String] = []
    var current = ""
    for word in words(line) {
      if !current.isEmpty, current.columns + 1 + word.columns > columns {
        lines.append(current)
        current = "        " + word
      } else {
        current += (current.isEmpty ? "" : " ") + word
      }
    }
    return (lines + [current]).joined(separator: "\n")
  }

  /// Options stay with their values: `[--lease <duration>]`, `--cooldown <duration>`.
  private static func words(_ line: String) -> [String] {
    var words: [String] = []
    for part in line.split(separator: " ") {
      let belongs = words.last.map { last in
        last.filter { $0 == "[" }.count > last.filter { $0 == "]" }.count
          || last.hasPrefix("--") && !last.contains(" ") && part.hasPrefix("<")
      }
      if belongs == true {
        words[words.count - 1] += " " + part
      } else {
        words.append(String(part))
      }
    }
    return words
  }
}
