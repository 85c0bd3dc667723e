import LedgerTestSupport
import SQLite
import Synchronization
import XCTest

@testable import TradeLedger

/// The bot of `Order.example()`.
let exampleBot = BotName(stored: "momentum/BTC-USD")

struct Unexpected: Error {
  let what: String
  init(_ what: Any) { self.what = "\(what)" }
}

extension TestLedger {
  /// Fills and insists that it was taken.
  @discardableResult
  func filled(
    _ permit: Permit, _ fill: Fill = Fill(), file: StaticString = #filePath, line: UInt = #line
  ) async throws -> Trade {
    try settled(
      try await ledger.fill(permit.trade, token: permit.token, fill), file: file, line: line)
  }

  /// Declares void and insists that it was taken.
  @discardableResult
  func voided(
    _ permit: Permit, file: StaticString = #filePath, line: UInt = #line
  ) async throws -> Trade {
    try settled(
      try await ledger.void(permit.trade, token: permit.token, reason: "rejected"), file: file,
      line: line)
  }

  func settled(
    _ outcome: SettleOutcome, file: StaticString = #filePath, line: UInt = #line
  ) throws -> Trade {
    guard case .settled(let trade) = outcome else {
      XCTFail("not settled: \(outcome)", file: file, line: line)
      throw Unexpected(outcome)
    }
    return trade
  }

  func refused(
    _ outcome: SettleOutcome, file: StaticString = #filePath, line: UInt = #line
  ) throws -> Denial {
    guard case .denied(let denial) = outcome else {
      XCTFail("not refused: \(outcome)", file: file, line: line)
      throw Unexpected(outcome)
    }
    return denial
  }

  @discardableResult
  func recorded(
    _ order: Order = .example(), at: Timestamp? = nil, key: String? = nil,
    file: StaticString = #filePath, line: UInt = #line
  ) async throws -> Trade {
    let outcome = try await ledger.record(
      order, fill: Fill(at: at), key: key.map { try OrderKey($0) })
    guard case .recorded(let trade) = outcome else {
      XCTFail("not recorded: \(outcome)", file: file, line: line)
      throw Unexpected(outcome)
    }
    return trade
  }

  func findings(_ check: AuditCheck) async throws -> [AuditFinding] {
    try await ledger.audit().findings.filter { $0.check == check }
  }

  /// The instant that the clock shows, moved by `offset`.
  func now(_ offset: Duration = .zero) -> Timestamp { clock.now().wall.advanced(by: offset) }

  /// Another client of the file, which knows nothing of the library's rules.
  func foreignClient() throws -> Connection {
    try Connection.open(
      path, options: OpenOptions(purpose: .writing, wait: .seconds(10)))
  }
}

/// A clock that counts how often it is read, and lets something happen right before a reading.
final class ScriptedClock: LedgerClock {
  let manual: ManualClock
  private let state = Mutex<(count: Int, script: [Int: @Sendable () -> Void])>((0, [:]))

  init(_ manual: ManualClock) { self.manual = manual }

  var readings: Int { state.withLock { $0.count } }

  /// `action` runs right before the reading number `count`, counted from now.
  func before(_ count: Int, _ action: @escaping @Sendable () -> Void) {
    state.withLock { $0.script[$0.count + count] = action }
  }

  func now() -> ClockReading {
    let action = state.withLock { state in
      state.count += 1
      return state.script.removeValue(forKey: state.count)
    }
    action?()
    return manual.now()
  }
}

extension TestLedger {
  /// A second engine on the same file whose clock is scripted.
  func scripted() async throws -> (Ledger, ScriptedClock) {
    let clock = ScriptedClock(self.clock)
    var options = Ledger.Options()
    options.clock = clock
    return (try await Ledger.open(path, options: options), clock)
  }

  /// How often one reservation reads the clock. It leaves nothing behind.
  func readingsOfReserve(_ ledger: Ledger, _ clock: ScriptedClock) async throws -> Int {
    let before = clock.readings
    let outcome = try await ledger.reserve(.example())
    let count = clock.readings - before
    guard let permit = outcome.permit else { throw Unexpected(outcome) }
    try await voided(permit)
    return count
  }
}

/// Insists on an error of `code` and returns it.
@discardableResult
func assertFails<T>(
  _ code: LedgerError.Code, file: StaticString = #filePath, line: UInt = #line,
  _ body: () async throws -> T
) async -> LedgerError? {
  do {
    let value = try await body()
    XCTFail("no error, but \(value)", file: file, line: line)
  } catch let error as LedgerError {
    XCTAssertEqual(error.code, code, "\(error)", file: file, line: line)
    XCTAssertFalse(error.hint.isEmpty, "an error without a hint", file: file, line: line)
    return error
  } catch {
    XCTFail("another error: \(error)", file: file, line: line)
  }
  return nil
}

/// The same for code that does not suspend.
@discardableResult
func assertRefused<T>(
  _ code: LedgerError.Code, _ what: String = "", file: StaticString = #filePath,
  line: UInt = #line, _ body: () throws -> T
) -> LedgerError? {
  do {
    let value = try body()
    XCTFail("\(what): no error, but \(value)", file: file, line: line)
  } catch let error as LedgerError {
    XCTAssertEqual(error.code, code, "\(what): \(error)", file: file, line: line)
    return error
  } catch {
    XCTFail("\(what): another error: \(error)", file: file, line: line)
  }
  return nil
}

/// Random numbers that a printed seed brings back.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// SplitMix64.
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// The seed of this run: `TRADELEDGER_TEST_SEED`, or a new one. Printed, so that a failing run
  /// can be repeated.
  static func announced(_ test: String) -> (seed: UInt64, generator: SeededGenerator) {
    let given = ProcessInfo.processInfo.environment["TRADELEDGER_TEST_SEED"].flatMap(UInt64.init)
    let seed = given ?? UInt64.random(in: 1...999_999_999)
    print("\(test): repeat with TRADELEDGER_TEST_SEED=\(seed) swift test --filter \(test)")
    return (seed, SeededGenerator(seed: seed))
  }
}

/// Both clocks at `seconds` on a wall clock and, where `boot` is given, on that machine's boot.
func reading(_ seconds: Double, boot: Double? = nil, id: String = "boot-a") -> ClockReading {
  ClockReading(
    wall: Timestamp(microseconds: Int64((seconds * 1_000_000).rounded())),
    boot: boot.map {
      BootInstant(bootID: id, microseconds: Int64(($0 * 1_000_000).rounded()))
    })
}
