internal import Synchronization

/// What a caller wants written.
enum WriteRequest: Sendable {
  case attempt(Attempt)
  case settlement(Settlement)
}

/// The answer to a ``WriteRequest``.
enum WriteAnswer: Sendable {
  case attempt(AttemptOutcome)
  case settlement(SettledWrite)
}

/// The requests of one process that stand in line for its next transaction.
///
/// A caller queues before it goes to the engine's thread, so that everybody who comes while a
/// transaction runs is there when the next one begins.
final class WriteQueue: Sendable {
  typealias Ticket = UInt64

  struct Entry: Sendable {
    let ticket: Ticket
    let request: WriteRequest
    let limit: WaitLimit
  }

  private struct State {
    var entries: [Entry] = []
    var last: Ticket = 0
  }

  private let state = Mutex(State())

  func add(_ request: WriteRequest, _ limit: WaitLimit) -> Ticket {
    state.withLock { state in
      state.last &+= 1
      state.entries.append(Entry(ticket: state.last, request: request, limit: limit))
      return state.last
    }
  }

  var count: Int { state.withLock { $0.entries.count } }

  /// The oldest ones, at most `count`.
  func take(_ count: Int) -> [Entry] {
    state.withLock { state in
      if state.entries.count <= count {
        let all = state.entries
        state.entries = []
        return all
      }
      let taken = Array(state.entries.prefix(count))
      state.entries.removeFirst(taken.count)
      return taken
    }
  }
}
