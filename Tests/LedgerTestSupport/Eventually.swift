public import Foundation

/// Asks again and again, without a fixed sleep, until `condition` holds or the time is over.
/// - Returns: whether it came to hold.
public func eventually(
  within seconds: TimeInterval = 30, every microseconds: UInt32 = 2000,
  _ condition: () throws -> Bool
) rethrows -> Bool {
  let deadline = Date().addingTimeInterval(seconds)
  while Date() < deadline {
    if try condition() { return true }
    usleep(microseconds)
  }
  return try condition()
}
