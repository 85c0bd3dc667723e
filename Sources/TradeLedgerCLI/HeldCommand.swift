internal import CLedgerSystem

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// A child that waits to become a command, so that its identity is on record before the command's
/// first instruction.
struct HeldCommand: Sendable {
  let pid: pid_t
  private let gate: Int32

  /// The longest word that ``open(_:)`` takes: digits of a 64-bit number.
  private static let blank = String(repeating: " ", count: 20)

  /// Starts the child, announces it, and waits for the end of it or of the command that it became.
  /// Blocks the thread, which must not end before: with `diesWithParent` the child dies with it.
  ///
  /// - Parameter word: the name of the variable that is set to the word that opens the gate.
  static func run(
    _ words: [String], setting variables: [(String, String)], word name: String,
    diesWithParent: Bool, _ announce: (HeldCommand) -> Void
  ) -> CommandEnd {
    let image = CommandImage(words, setting: variables + [(name, blank)])
    var child = tl_held_child()
    let entry = unsafe image.environment[image.environmentCount - 1]
    guard let entry = unsafe entry else { return .notStarted(ENOMEM) }
    let code = unsafe tl_held_start(
      image.arguments, image.environment, entry + name.utf8.count + 1, blank.utf8.count + 1,
      diesWithParent, &child)
    guard code == 0 else { return .notStarted(code) }
    announce(HeldCommand(pid: child.pid, gate: child.gate))
    let end = ChildCommand.wait(for: child.pid)
    defer { close(child.report) }
    var failure: Int32 = 0
    let size = MemoryLayout<Int32>.size
    return unsafe read(child.report, &failure, size) == size ? .notStarted(failure) : end
  }

  /// Lets it become the command.
  func open(_ word: some CustomStringConvertible) {
    _ = Console.writeAll("\(word)\n", to: gate)
    close(gate)
  }

  /// Lets it end instead.
  func dismiss() { close(gate) }
}
