internal import ArgumentParser

/// The names of commands, for whoever mistyped one.
enum CommandNames {
  /// nil where the first of `words` is a command.
  static func unknown(_ words: [String]) -> Failure? {
    guard let word = words.first else { return nil }
    let names =
      Root.configuration.groupedSubcommands.flatMap(\.subcommands)
      .filter { $0.configuration.shouldDisplay }.map { $0._commandName } + ["help"]
      + HelpTopic.allCases.map(\.rawValue)
    if names.contains(word) { return nil }
    let near = names.map { ($0, distance(word, $0)) }.min { $0.1 < $1.1 }
    let meant = near.flatMap { $0.1 <= 2 ? "did you mean '\($0.0)'? " : nil } ?? ""
    return .usage(
      "no such command: \(shortened(word))", hint: meant + "'tradeledger --help' lists them")
  }

  /// How many letters have to be put in, left out, replaced, or changed with their neighbour.
  private static func distance(_ one: String, _ other: String) -> Int {
    let (one, other) = (Array(one.prefix(64)), Array(other))
    var rows = [Array(0...other.count)]
    for i in one.indices {
      var row = [i + 1]
      for j in other.indices {
        var least = min(
          rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (one[i] == other[j] ? 0 : 1))
        if i > 0, j > 0, one[i] == other[j - 1], one[i - 1] == other[j] {
          least = min(least, rows[i - 1][j - 1] + 1)
        }
        row.append(least)
      }
      rows.append(row)
    }
    return rows[one.count][other.count]
  }
}
