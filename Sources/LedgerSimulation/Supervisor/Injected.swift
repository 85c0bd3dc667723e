/// The wall clock of all workers was set. Between two of these it keeps its offset.
struct ClockJump: Equatable, Sendable {
  /// Boot times right before and right after it was set. In between, each worker may have read the
  /// old offset or the new one.
  let from: Int64
  let to: Int64
  /// What the wall clock of the workers is ahead of the true one from now on, in microseconds.
  let offset: Int64
}

/// What was done to a worker process.
struct Strike: Equatable, Sendable {
  enum Kind: String, Sendable {
    case kill
    case pause
    case resume
  }
  let kind: Kind
  let worker: Int
  let pid: Int32
  /// Boot time.
  let at: Int64
}
