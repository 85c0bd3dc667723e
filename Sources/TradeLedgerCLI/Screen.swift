internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// What ends or interrupts a wait: signals and, on a terminal, keys.
enum Happening: Equatable {
  /// Nothing, for the whole time.
  case nothing
  case resized
  /// The key `q`.
  case quit
  case signal(Int32)
}

/// Signals as something that can be waited for. They stay so until the program ends.
struct Attention {
  private let reading: Int32

  /// - Throws: 74 where the system has no pipe.
  init() throws(Failure) {
    var ends: [Int32] = [0, 0]
    guard unsafe pipe(&ends) == 0 else {
      throw Failure("io", .ioFailed, "no pipe: \(systemMessage(errno))", hint: "try again")
    }
    for end in ends {
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
    }
    reading = ends[0]
    signalPipe.store(ends[1], ordering: .sequentiallyConsistent)
    for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH] {
      var action = sigaction()
      unsafe action.__sigaction_handler.sa_handler = { number in
        let code = errno
        var byte = UInt8(truncatingIfNeeded: number)
        unsafe _ = write(signalPipe.load(ordering: .sequentiallyConsistent), &byte, 1)
        errno = code
      }
      unsafe _ = sigaction(number, &action, nil)
    }
  }

  /// Waits, at most so long.
  /// - Parameter keys: whether keys of the terminal count.
  func wait(_ time: Duration, keys: Bool) -> Happening {
    let end = ContinuousClock.now + time
    while true {
      let left = max(.zero, end - .now)
      var entries = [
        pollfd(fd: reading, events: Int16(POLLIN), revents: 0),
        pollfd(fd: keys ? 0 : -1, events: Int16(POLLIN), revents: 0),
      ]
      let milliseconds = Int32(
        clamping: (left.components.seconds * 1000)
          + left.components.attoseconds / 1_000_000_000_000_000)
      let count = unsafe poll(&entries, nfds_t(entries.count), milliseconds)
      if count == 0 { return .nothing }
      var byte: UInt8 = 0
      if entries[0].revents != 0, unsafe read(reading, &byte, 1) == 1 {
        return Int32(byte) == SIGWINCH ? .resized : .signal(Int32(byte))
      }
      // The terminal is gone as soon as nothing more can be read from it.
      if entries[1].revents != 0 {
        guard unsafe read(0, &byte, 1) == 1 else { return .signal(SIGHUP) }
        if byte == UInt8(ascii: "q") || byte == UInt8(ascii: "Q") { return .quit }
      }
    }
  }
}

private let signalPipe = Atomic<Int32>(-1)

/// A terminal that shows one screen after the other, and gets back what it showed before.
struct Screen: ~Copyable {
  private var before = termios()
  /// Whether keys come one by one and unseen.
  private(set) var hasKeys = false

  /// nil where standard output is not a terminal.
  init?() {
    guard Console.isTerminal(1) else { return nil }
  }

  /// Columns and rows; 80 and 24 where the terminal does not say.
  static func size(_ stream: Int32 = 1) -> (columns: Int, rows: Int) {
    var size = winsize()
    guard unsafe ioctl(stream, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0
    else {
      return (80, 24)
    }
    return (Int(size.ws_col), Int(size.ws_row))
  }

  /// Puts what is there aside, hides the cursor and the keys.
  mutating func enter() throws(Failure) {
    if Console.isTerminal(0), unsafe tcgetattr(0, &before) == 0 {
      var quiet = before
      quiet.c_lflag &= ~tcflag_t(ICANON | ECHO)
      hasKeys = unsafe tcsetattr(0, TCSANOW, &quiet) == 0
    }
    try Console.out("\u{1b}[?1049h\u{1b}[?25l")
  }

  /// Gives the terminal back as it was.
  mutating func leave() {
    // It may be gone.
    try? Console.out("\u{1b}[?25h\u{1b}[?1049l")
    if hasKeys { unsafe _ = tcsetattr(0, TCSANOW, &before) }
    hasKeys = false
  }

  /// Writes over what is there, line by line, so that nothing flickers.
  func draw(_ lines: [String]) throws(Failure) {
    let text = lines.map { $0 + "\u{1b}[K" }.joined(separator: "\r\n")
    try Console.out("\u{1b}[H" + text + "\u{1b}[J")
  }
}
