/// The least time between two trades of a bot (INV-1): a sliding window on two clocks.
enum Cooldown {
  /// Why a bot has to wait.
  struct Wait: Hashable {
    /// More than zero.
    let remaining: Duration
    /// How far the wall clock is behind, where it went back by more than `notableJump`.
    let clockBehind: Duration?
  }

  /// Smaller differences between the clocks are normal adjustment.
  static let notableJump = Duration.seconds(1)

  /// nil: enough time has passed since `last`. Elapsed time is the smaller of what the two clocks
  /// say, where they can both be asked. `elapsed == cooldown` is enough.
  static func wait(since last: ClockReading, now: ClockReading, cooldown: Duration) -> Wait? {
    let wall = now.wall.elapsed(since: last.wall)
    let boot = now.boot?.elapsed(since: last.boot)
    let elapsed = min(wall, boot ?? wall)
    guard elapsed < cooldown else { return nil }
    let behind = (boot ?? .zero) - wall
    return Wait(
      remaining: cooldown - elapsed, clockBehind: behind > notableJump ? behind : nil)
  }
}
