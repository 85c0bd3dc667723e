/// When a fill happened, on both clocks.
///
/// On the wall clock: the exchange's time, held between the admission and the receipt. On the boot
/// clock: that of the receipt less the wall time between fill and receipt. Where the wall clock has
/// jumped ahead since the admission, that wall time contains the jump; it is taken out, and the
/// result is held between admission and receipt, so that a jump cannot make a fill look older than
/// it is and open the cooldown early.
struct FillTime: Hashable, Sendable {
  let wall: Timestamp
  let boot: BootInstant?

  init(exchange: Timestamp?, created: ClockReading, receipt: ClockReading) {
    wall = min(max(exchange ?? receipt.wall, created.wall), max(created.wall, receipt.wall))
    guard let received = receipt.boot else {
      boot = nil
      return
    }
    let age = max(.zero, receipt.wall.elapsed(since: wall))
    guard let sinceAdmission = received.elapsed(since: created.boot) else {
      boot = received.advanced(by: .zero - age)
      return
    }
    let jump = max(.zero, receipt.wall.elapsed(since: created.wall) - sinceAdmission)
    let held = min(max(age - jump, .zero), max(sinceAdmission, .zero))
    boot = received.advanced(by: .zero - held)
  }
}
