internal import Foundation

/// Real processes whose system clock is not the true one, by faketime.
///
/// Its library steps between a program and the C library, so all that runs in the process is
/// deceived: the ledger, SQLite's `julianday('now')` in the triggers, and Python. Each of these is
/// what a command is put behind.
public enum FakedClock {
  /// Why clocks cannot be faked here, or nil where they can.
  public static let unavailable: String? = {
    let command = wall("+1h") + ["date", "+%s"]
    let date = BuiltBinary.run(command[0], Array(command.dropFirst()))
    guard date.status != 127 else { return "faketime is not installed" }
    let ahead = (Double(date.stdout.dropLast()) ?? 0) - Date().timeIntervalSince1970
    return abs(ahead - 3600) < 60 ? nil : "faketime does not work here: \(date.stderr)"
  }()

  /// The wall clock is wrong by `offset`, for example "-1h" or "+0"; the boot clock is true.
  public static func wall(_ offset: String) -> [String] {
    ["env", "FAKETIME_DONT_FAKE_MONOTONIC=1", "DONT_FAKE_MONOTONIC=1", "faketime", "-f", offset]
  }

  /// All clocks are ahead by what stands in the file at `path`, "+10m" for example, which is read
  /// anew each time: a machine that was asleep.
  public static func asleep(_ path: String) -> [String] {
    [
      "faketime", "-f", "+0", "env", "-u", "FAKETIME", "FAKETIME_TIMESTAMP_FILE=\(path)",
      "FAKETIME_NO_CACHE=1",
    ]
  }

  /// The wall clock of a server is ahead by what stands in the file at `path`. Without a process of
  /// faketime's own in between, for a program whose parent waits for its pid.
  public static func server(_ path: String) -> [String] {
    let library = BuiltBinary.run("faketime", ["-f", "+0", "printenv", "LD_PRELOAD"]).stdout
    return [
      "env", "'LD_PRELOAD=\(library.trimmingCharacters(in: .newlines))'",
      "FAKETIME_TIMESTAMP_FILE=\(path)", "FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1",
      "DONT_FAKE_MONOTONIC=1",
    ]
  }
}
