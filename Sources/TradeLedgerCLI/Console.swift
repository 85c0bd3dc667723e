#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// The standard streams, written whole or with an error.
enum Console {
  /// Writes data to stdout.
  /// - Throws: a ``Failure`` with exit 74. What the command did stands all the same.
  static func out(_ text: String) throws(Failure) {
    let code = writeAll(text, to: 1)
    guard code == 0 else {
      throw Failure(
        "io", .ioFailed, "cannot write to standard output: \(systemMessage(code))",
        hint: "the command itself may have succeeded; look with 'tradeledger trades'")
    }
  }

  static func out(_ json: JSON) throws(Failure) { try out(json.rendered + "\n") }

  /// Writes a note to stderr. Nobody can be told if that fails.
  static func error(_ text: String) { _ = writeAll(text, to: 2) }

  /// Writes all of `text` to a descriptor.
  /// - Returns: 0 or errno.
  static func writeAll(_ text: String, to descriptor: Int32) -> Int32 {
    var text = text
    return text.withUTF8 { bytes in
      var offset = 0
      while offset < bytes.count {
        let rest = unsafe UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[offset...])
        let count = unsafe write(descriptor, rest.baseAddress, rest.count)
        if count < 0 {
          if errno == EINTR { continue }
          if errno == EAGAIN {
            waitUntilWritable(descriptor)
            continue
          }
          return errno
        }
        offset += count
      }
      return 0
    }
  }

  /// Reads stdin to its end, at most `limit` bytes.
  /// - Returns: nil where there is more than that.
  static func readInput(limit: Int) throws(Failure) -> String? {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = unsafe read(0, &buffer, buffer.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else {
        throw Failure(
          "io", .ioFailed, "cannot read standard input: \(systemMessage(errno))",
          hint: "give the input by a pipe or a file")
      }
      if count == 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes += buffer[..<count]
      if bytes.count > limit { return nil }
    }
  }

  /// How wide the terminal is that standard output goes to; nil where it goes elsewhere.
  static var columns: Int? { columns(1) }

  /// The same for a stream.
  static func columns(_ stream: Int32) -> Int? {
    isTerminal(stream) ? Screen.size(stream).columns : nil
  }

  static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

  private static func waitUntilWritable(_ descriptor: Int32) {
    var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    unsafe _ = poll(&entry, 1, -1)
  }
}

/// What the system calls error `code`.
func systemMessage(_ code: Int32) -> String {
  unsafe String(cString: strerror(code))
}

/// The value of an environment variable; nil where it is missing or empty.
func environment(_ name: String) -> String? {
  guard let value = unsafe getenv(name) else { return nil }
  let text = unsafe String(cString: value)
  return text.isEmpty ? nil : text
}

/// Colours of one stream. They carry nothing that the words do not say.
struct Colors {
  let isOn: Bool

  /// `always` and `never` are orders; `auto` asks the terminal, NO_COLOR and TERM.
  init(_ choice: ColorChoice, stream: Int32) {
    switch choice {
    case .always: isOn = true
    case .never: isOn = false
    case .auto:
      isOn =
        Console.isTerminal(stream) && environment("NO_COLOR") == nil
        && environment("TERM") != "dumb"
    }
  }

  func good(_ text: String) -> String { paint("32", text) }
  func bad(_ text: String) -> String { paint("1;31", text) }
  func faint(_ text: String) -> String { paint("2", text) }
  func strong(_ text: String) -> String { paint("1", text) }

  private func paint(_ code: String, _ text: String) -> String {
    isOn ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
  }
}
