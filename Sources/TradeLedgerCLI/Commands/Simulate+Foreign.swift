internal import ArgumentParser

/// Workers of `simulate` in another language. For scripts/crowd, not for people.
struct ForeignWorkerOptions: ParsableArguments {
  @Option(
    name: .customLong("foreign-workers"),
    help: ArgumentHelp("How many workers that command starts.", visibility: .private))
  var workers = 0

  @Option(
    name: .customLong("foreign-command"),
    help: ArgumentHelp("A program that speaks the workers' protocol.", visibility: .private))
  var command = ""
}
