internal import ArgumentParser
internal import ForeignAudit

/// How to read a file that is no ledger, in the words that `audit` and `import` share.
struct ForeignColumnOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The table or view that holds the trades.", valueName: "name"))
  var table: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The column of their times.", valueName: "column"))
  var time: String?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("The column of their ids.", valueName: "column"))
  var id: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The column that says whether they were executed. Passed over: "
        + ForeignAudit.uncountedStatuses.joined(separator: ", ") + ".", valueName: "column"))
  var status: String?

  @Flag(name: .customLong("ignore-status"), help: "Take trades of every status.")
  var ignoresStatus = false

  /// Whether none of them is given.
  var isEmpty: Bool {
    table == nil && time == nil && id == nil && status == nil && !ignoresStatus
  }
}
