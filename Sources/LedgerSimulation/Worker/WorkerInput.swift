internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// The worker's end of the two pipes.
///
/// A thread of its own reads what the supervisor says. When the supervisor is gone, so is the
/// worker: at once, whatever it is doing.
final class WorkerInput: Sendable {
  private struct State {
    var isReleased = false
    var isStopping = false
    var release: CheckedContinuation<Void, Never>?
    var reply: (number: Int, waiter: CheckedContinuation<ExchangeDecision?, Never>)?
  }
  private let state = Mutex(State())

  /// Starts to read.
  func start() {
    let context = unsafe Unmanaged.passRetained(self).toOpaque()
    var thread = pthread_t()
    unsafe _ = pthread_create(
      &thread, nil,
      { context in
        if let context = unsafe context {
          unsafe Unmanaged<WorkerInput>.fromOpaque(context).takeRetainedValue().readToTheEnd()
        }
        return nil
      }, context)
    _ = pthread_detach(thread)
  }

  /// Whether the supervisor wants the worker to end after the attempt under way.
  var isStopping: Bool { state.withLock { $0.isStopping } }

  /// Waits for the barrier.
  func waitForRelease() async {
    await withCheckedContinuation { waiter in
      let isReleased = state.withLock { state in
        if !state.isReleased { state.release = waiter }
        return state.isReleased
      }
      if isReleased { waiter.resume() }
    }
  }

  /// Says `line` and waits for the reply to order `number`.
  /// - Returns: nil where the answer was lost on its way.
  nonisolated(nonsending) func ask(_ number: Int, _ line: WorkerLine) async -> ExchangeDecision? {
    await withCheckedContinuation { waiter in
      // First the ear, then the mouth.
      state.withLock { $0.reply = (number, waiter) }
      say(line)
    }
  }

  /// Writes a line whole, or ends the process: nobody is there to hear it.
  func say(_ line: WorkerLine) { say(line.text) }

  /// The same for a line of any words.
  func say(_ text: String) {
    let bytes = Array((text + "\n").utf8)
    var offset = 0
    while offset < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe write(1, buffer.baseAddress?.advanced(by: offset), buffer.count - offset)
      }
      if count > 0 {
        offset += count
      } else if count < 0 && errno != EINTR {
        _exit(0)
      }
    }
  }

  private func readToTheEnd() {
    var splitter = LineSplitter()
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = unsafe read(0, &buffer, buffer.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { _exit(0) }
      for line in splitter.lines(adding: buffer[..<count]) {
        if let line = SupervisorLine(line) { hear(line) }
      }
    }
  }

  private func hear(_ line: SupervisorLine) {
    switch line {
    case .go: release { $0.isReleased = true }
    case .stop:
      release {
        $0.isReleased = true
        $0.isStopping = true
      }
    case .reply(let number, let decision):
      let waiter = state.withLock { state -> CheckedContinuation<ExchangeDecision?, Never>? in
        guard state.reply?.number == number else { return nil }
        defer { state.reply = nil }
        return state.reply?.waiter
      }
      waiter?.resume(returning: decision)
    }
  }

  private func release(_ change: (inout State) -> Void) {
    let waiter = state.withLock { state in
      change(&state)
      defer { state.release = nil }
      return state.release
    }
    waiter?.resume()
  }
}
