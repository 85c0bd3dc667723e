/// When a holder that is judged by its heartbeat renews it, and when it gives up.
///
/// It stops itself before others may take the name: with a third of the time left it says that it
/// is lost, and what it runs has to be gone with a sixth left.
struct Heartbeat: Hashable, Sendable {
  static let shortest = Duration.milliseconds(100)
  static let longest = Duration.seconds(86_400)
  static let longestGrace = Duration.seconds(5)

  /// How long others wait for it.
  let lease: Duration

  /// - Throws: `invalidInput` outside of 100 ms to a day.
  init(lease: Duration) throws(LedgerError) {
    guard lease >= Heartbeat.shortest, lease <= Heartbeat.longest else {
      throw LedgerError(
        .invalidInput, "not a heartbeat: \(lease.readable)",
        hint: "others wait that long for a holder that they cannot look at; 100ms to 1d")
    }
    self.lease = lease
  }

  var renewEvery: Duration { lease / 4 }
  /// The last moment for a renewal, as time since the last good one.
  var giveUpAfter: Duration { lease * 2 / 3 }
  /// How long a command gets to end by itself once the name is lost.
  var grace: Duration { min(lease / 6, Heartbeat.longestGrace) }
}
