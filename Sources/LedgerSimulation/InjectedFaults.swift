/// What was really done to the workers, and what it took away from the run.
struct InjectedFaults: Equatable, Sendable {
  var kills = 0
  var pauses = 0
  /// How often the database was locked on the way to an answer, where the strategy counts that.
  var busyErrors = 0
  /// Fills that a worker reported after its lease.
  var lateFills = 0
  /// How long stopped workers may have kept the write lock from everybody, in microseconds.
  var lockedOut: Int64 = 0
  var jumps: [ClockJump] = []
  /// How often the cleanup script ran, and what it deleted.
  var cleanups = 0
  var filesDeleted = 0

  /// How long the workers' wall clock was behind what it had already shown, in microseconds. A
  /// ledger admits next to nothing then.
  var clockBehind: Int64 {
    var behind: Int64 = 0
    var highest: Int64 = 0
    for (jump, next) in zip(jumps, jumps.dropFirst()) {
      highest = max(highest, jump.offset)
      if jump.offset < highest { behind += next.to - jump.from }
    }
    return behind
  }

  /// What is left of `elapsed` for a ledger to admit trades in.
  func usable(of elapsed: Duration) -> Duration {
    max(.zero, elapsed - .microseconds(lockedOut + clockBehind))
  }
}

extension FaultPlan {
  /// Faults that were demanded but did not happen often enough: the run means nothing without them.
  func missing(_ injected: InjectedFaults, hasInstances: Bool) -> [Violation] {
    let kinds = [
      ("workers were killed", kills, injected.kills),
      ("workers were stopped", pauses, injected.pauses),
      ("jumps of the clock happened", jumps.count, injected.jumps.count),
      ("cleanups happened", cleanups.count, injected.cleanups),
      // Instances leave files to be deleted; where there are none, there may be no file.
      (
        "files were deleted by the cleanups", hasInstances ? min(1, cleanups.count) : 0,
        injected.filesDeleted
      ),
    ]
    return kinds.compactMap { what, planned, happened in
      let least = FaultPlan.leastInjected(of: planned)
      guard happened < least else { return nil }
      return Violation(
        .faultsNotInjected, "\(happened) \(what), at least \(least) should have been")
    }
  }
}
