/// What can be said about a command line without parsing it, because that may fail.
struct Invocation {
  /// The names of the command, as far as they lead: `["bot", "add", ...]`.
  let words: [String]
  let wantsJSON: Bool
  let isQuiet: Bool
  let color: ColorChoice

  init(_ arguments: [String]) {
    // What follows `--` belongs to somebody else.
    let own = arguments.prefix { $0 != "--" }
    var words: [String] = []
    var color = ColorChoice.auto
    var index = own.startIndex
    while index < own.endIndex {
      let argument = own[index]
      index += 1
      let next = index < own.endIndex ? own[index] : ""
      switch argument {
      case "--color":
        color = ColorChoice(rawValue: next) ?? color
        index += 1
      case "--db", "--lock-wait": index += 1
      default:
        if argument.hasPrefix("--color=") {
          color = ColorChoice(rawValue: String(argument.dropFirst(8))) ?? color
        } else if !argument.hasPrefix("-") {
          words.append(argument)
        }
      }
    }
    self.words = words
    self.color = color
    wantsJSON = own.contains("--json")
    isQuiet = own.contains("--quiet")
  }

  /// Standard output belongs to the command that `execute` or `guard` runs.
  var ownsStandardOutput: Bool { words.first != "execute" && words.first != "guard" }
}
