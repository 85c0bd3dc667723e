#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// Looks for a program as exec does, so that what cannot run takes no name.
enum CommandProgram {
  /// - Throws: 127 where there is none, 126 where it cannot be run.
  static func expect(_ word: String) throws(Failure) {
    if word.contains("/") {
      guard let code = obstacle(word) else { return }
      throw failure(word, code)
    }
    // What exec looks through where PATH is not set.
    let path = environment("PATH") ?? "/bin:/usr/bin"
    var isForbidden = false
    for folder in path.split(separator: ":", omittingEmptySubsequences: false) {
      guard let code = obstacle((folder.isEmpty ? "." : folder) + "/" + word) else { return }
      if code == EACCES { isForbidden = true }
    }
    throw failure(word, isForbidden ? EACCES : ENOENT)
  }

  /// nil: it can be run, as far as that can be seen.
  private static func obstacle(_ path: String) -> Int32? {
    var info = stat()
    guard unsafe stat(path, &info) == 0 else { return errno }
    guard info.st_mode & S_IFMT == S_IFREG else { return EACCES }
    return unsafe access(path, X_OK) == 0 ? nil : errno
  }

  /// In the exit codes of a shell.
  static func failure(_ word: String, _ code: Int32) -> Failure {
    if code == ENOENT || code == ENOTDIR {
      return Failure(
        "command_not_found", .notFound, "no such command: \(shortened(word))",
        hint: "write its path, or put its folder into PATH; nothing was run and no name is taken")
    }
    return Failure(
      "command_not_executable", .notExecutable,
      "\(shortened(word)) cannot be run: \(systemMessage(code))",
      hint: "it must be a file with permission to execute; nothing was run and no name is taken")
  }
}
