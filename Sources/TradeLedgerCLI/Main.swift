internal import ArgumentParser
internal import TradeLedger

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif
/// Runs one command and turns whatever comes of it into an exit code.
///
/// Swift ends a program with 1 when an error is not caught. Here 1 means "no", so every error is
/// caught and mapped; one that nobody foresaw is 70.
@main
enum Main {
  /// Not async: an async main makes four threads before it begins, and ends the first thread by
  /// unwinding it, for which a static program sorts its unwind tables first (20 ms).
  static func main() {
    prepareProcess()
    let arguments = Array(CommandLine.arguments.dropFirst())
    exit(run(arguments))
  }

  private static func run(_ arguments: [String]) -> Int32 {
    let invocation = Invocation(arguments)
    do {
      if let topic = HelpTopic(invocation) {
        try Console.out(topic.text)
        return 0
      }
      var command = try parse(arguments, invocation)
      if let command = command as? any AsyncParsableCommand {
        try finish(command)
      } else {
        try command.run()
      }
      return 0
    } catch let status as ExitStatus {
      return status.rawValue
    } catch let code as ExitCode {
      return code.rawValue
    } catch let help as CleanHelp {
      return show(help, invocation)
    } catch {
      let failure = Failure(error)
      report(failure, invocation)
      return failure.exit.rawValue
    }
  }

  /// Runs a command to its end, on this thread where it is a short one.
  private static func finish(_ command: sending any AsyncParsableCommand) throws {
    let isShort = command is any ShortCommand
    let handover = Handover(command)
    let end =
      isShort
      ? LedgerThread.onThisThread { thread in
        await ShortCommands.$thread.withValue(thread) { await handover.run() }
      }
      // Its children and waits have the pool for themselves.
      : LedgerThread.waitHere { await handover.run() }
    try end.get()
  }

  /// - Throws: a ``Failure`` with exit 64, or ``CleanHelp`` where help was asked for.
  private static func parse(
    _ arguments: [String], _ invocation: Invocation
  ) throws -> any ParsableCommand {
    if let command = ShortCommands.parse(arguments) { return command }
    do {
      let command = try Root.parseAsRoot(arguments)
      // Help comes back as a command of its own, whose run() throws the text.
      guard type(of: command).configuration.commandName == "help" else { return command }
      // It shows the root's help for a name that nobody knows.
      let isTopic = invocation.words.first == "help"
      let unknown = isTopic ? CommandNames.unknown(Array(invocation.words.dropFirst())) : nil
      if let unknown { throw unknown }
      var help = command
      try help.run()
      return help
    } catch {
      if Root.exitCode(for: error) == .success {
        throw CleanHelp(text: Root.fullMessage(for: error))
      }
      throw (error as? Failure) ?? Failure.parsing(error, invocation)
    }
  }

  private static func show(_ help: CleanHelp, _ invocation: Invocation) -> Int32 {
    do throws(Failure) {
      try Console.out(HelpText.fitted(CompletionScript.fitted(help.text)) + "\n")
      return 0
    } catch {
      report(error, invocation)
      return error.exit.rawValue
    }
  }

  /// Says what went wrong: to people on stderr, and as JSON where the answer was expected.
  private static func report(_ failure: Failure, _ invocation: Invocation) {
    if invocation.wantsJSON {
      if invocation.ownsStandardOutput {
        try? Console.out(failure.json)
      } else {
        return Console.error(failure.json.rendered + "\n")
      }
    }
    Console.error(
      failure.lines(
        isQuiet: invocation.isQuiet, colors: Colors(invocation.color, stream: 2)))
  }
}

/// Help or a version that was asked for: data, not an error.
struct CleanHelp: Error {
  let text: String
}

/// Makes the process fit to hold a database, before anything else runs.
private func prepareProcess() {
  // A closed pipe or a file size limit must be an error of a write, not the end of the process
  // between the two phases of a trade. And a parent that ignores SIGCHLD must not cost us the
  // exit code of a command.
  _ = signal(SIGPIPE, SIG_IGN)
  _ = signal(SIGXFSZ, SIG_IGN)
  _ = signal(SIGCHLD, SIG_DFL)
  // A file that is opened on a missing descriptor 1 would get our output. Opened the wrong way
  // round, so that reading or writing it fails as it would on the missing one.
  for descriptor in Int32(0)...2 where fcntl(descriptor, F_GETFD) < 0 {
    unsafe _ = open("/dev/null", descriptor == 0 ? O_WRONLY : descriptor == 1 ? O_RDONLY : O_RDWR)
  }
}
