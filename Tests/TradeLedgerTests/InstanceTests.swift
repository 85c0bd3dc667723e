import LedgerTestSupport
import SQLite
import XCTest

@testable import TradeLedger

/// INV-7: taking, keeping and losing an instance name, on a machine whose processes the test makes.
final class InstanceTests: XCTestCase {
  private let row = """
    SELECT epoch, pid, boot_id, pid_namespace, start_ticks, host, command, heartbeat_until
    FROM instances
    """

  /// S-31: the second start is told who has the name; it changes nothing.
  func testAcquire_whileHeld_isDeniedWithTheHolder() async throws {
    let test = try await TestLedger()
    let (first, second) = (FakeProcesses(pid: 10), FakeProcesses(pid: 20))
    second.run(10)
    let lease = try await test.opened(by: first).acquired()
    XCTAssertEqual(lease.epoch, Epoch(1))
    XCTAssertEqual(lease.identity, first.identity(of: nil))
    let before = try test.query(row)
    XCTAssertEqual(
      before, [["1", "10", "boot", "1", "500", "desk", "python3 main.py", "NULL"]])
    let denial = try await test.opened(by: second).held()
    XCTAssertEqual(denial.reason, .held)
    XCTAssertFalse(denial.isTransient)
    XCTAssertEqual(denial.holder?.pid, 10)
    XCTAssertEqual(denial.holder?.host, "desk")
    XCTAssertEqual(denial.holder?.since, test.now())
    XCTAssertEqual(denial.holder?.command, "python3 main.py")
    XCTAssertEqual(denial.holder?.instance, lease.claim)
    XCTAssertNil(denial.retryAfter)
    XCTAssertEqual(try test.query(row), before)
    try await test.verify()
  }

  /// S-36, S-37, S-46: the dead are followed at once, with the next epoch, which fences them.
  func testAcquire_afterTheDead_isTakenOverAtOnce() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .zero)
    let old = try await test.opened(by: FakeProcesses(pid: 10))
    var claim = try await old.acquired().claim
    let successors: [(String, FakeProcesses)] = [
      ("gone", FakeProcesses(pid: 20)),
      ("its pid is another's", FakeProcesses(pid: 30)),
      ("rebooted, and its pid is in use", FakeProcesses(pid: 40, bootID: "later")),
    ]
    successors[1].1.run(20, ticks: 501)
    successors[2].1.run(30)
    for (number, (what, processes)) in successors.enumerated() {
      let ledger = try await test.opened(by: processes)
      let lease = try await ledger.acquired()
      XCTAssertEqual(lease.epoch, Epoch(Int64(number) + 2), what)
      let refused = try await old.reserve(.example(), instance: claim)
      guard case .denied(let denial) = refused else { return XCTFail("\(what): \(refused)") }
      XCTAssertEqual(denial.reason, .superseded, what)
      XCTAssertEqual(denial.holder?.pid, lease.identity.pid, what)
      XCTAssertEqual(denial.holder?.instance, lease.claim, what)
      let admitted = try await ledger.reserve(.example(), instance: lease.claim)
      guard let permit = admitted.permit else { return XCTFail("\(what): \(admitted)") }
      XCTAssertEqual(permit.instance, lease.claim)
      try await test.voided(permit)
      claim = lease.claim
    }
    try await test.verify()
  }

  /// S-40 and the rest of what proves nothing: EPERM, stopped, hidden by /proc.
  func testAcquire_withoutProofOfDeath_isDenied() async throws {
    let test = try await TestLedger()
    let holder = FakeProcesses(pid: 10)
    _ = try await test.opened(by: holder).acquired(heartbeat: .seconds(1))
    let other = FakeProcesses(pid: 20)
    let ledger = try await test.opened(by: other)
    test.clock.advance(.seconds(3600))
    for (what, sighting) in [
      ("another user's", ProcessSighting(answer: .forbidden, details: nil)),
      ("hidden", ProcessSighting(answer: .permitted, details: nil)),
      (
        "stopped, its heartbeat long over",
        ProcessSighting(
          answer: .permitted, details: ProcessDetails(startTicks: 500, state: "T", threads: 1))
      ),
    ] {
      other.change { $0.sightings[10] = sighting }
      let denial = try await ledger.held()
      XCTAssertEqual(denial.reason, .held, what)
      XCTAssertNil(denial.retryAfter, what)
    }
    other.end(10)
    let lease = try await ledger.acquired()
    XCTAssertEqual(lease.epoch, Epoch(2))
    try await test.verify()
  }

  /// S-38, S-39: a holder in another namespace lives until its heartbeat is over, to the microsecond;
  /// its pid, which is free here or somebody else's, does not matter.
  func testAcquire_fromAnotherNamespace_waitsForTheHeartbeat() async throws {
    let test = try await TestLedger()
    let holder = FakeProcesses(pid: 1, pidNamespace: 7)
    let lease = try await test.opened(by: holder).acquired(heartbeat: .seconds(30))
    let ledger = try await test.opened(by: FakeProcesses(pid: 1, pidNamespace: 8))
    test.clock.advance(.seconds(10))
    let denial = try await ledger.held()
    XCTAssertEqual(denial.retryAfter, .seconds(20))
    let renewal = try await lease.renew()
    XCTAssertNil(renewal)
    // A wall clock that jumps ends no heartbeat.
    test.clock.jumpWall(.seconds(86_400))
    test.clock.advance(.seconds(30) - .microseconds(1))
    let last = try await ledger.held()
    XCTAssertEqual(last.retryAfter, .microseconds(1))
    test.clock.advance(.microseconds(1))
    let next = try await ledger.acquired(heartbeat: .seconds(30))
    XCTAssertEqual(next.epoch, Epoch(2))
    let loss = try await lease.renew()
    guard case .takenOver(let by) = loss else { return XCTFail("\(loss as Any)") }
    XCTAssertEqual(by.identity, next.identity)
    try await test.verify()
  }

  /// A holder in another namespace without a heartbeat lives until it is evicted; so does one of
  /// another time namespace, and every one where this machine's clock cannot be compared.
  func testAcquire_fromAnotherNamespaceWithoutHeartbeat_isDeniedUntilEvicted() async throws {
    let test = try await TestLedger()
    let holder = FakeProcesses(pid: 1, pidNamespace: 7)
    let owner = try await test.opened(by: holder)
    let lease = try await owner.acquired()
    let other = FakeProcesses(pid: 1, pidNamespace: 8)
    let ledger = try await test.opened(by: other)
    test.clock.advance(.seconds(86_400 * 365))
    let denial = try await ledger.held()
    XCTAssertNil(denial.retryAfter)
    let eviction = try await ledger.evictInstance(lease.name)
    guard case .evicted(let evicted, let claim) = eviction else { return XCTFail("\(eviction)") }
    XCTAssertEqual(evicted.identity, lease.identity)
    XCTAssertEqual(claim.epoch, Epoch(2))
    let loss = try await lease.renew()
    XCTAssertEqual(loss, .evicted)
    let next = try await ledger.acquired(heartbeat: .seconds(1))
    XCTAssertEqual(next.epoch, Epoch(3))

    test.clock.advance(.seconds(10))
    let blind = FakeProcesses(pid: 2, pidNamespace: 9)
    blind.change { $0.offset = nil }
    let stuck = try await test.opened(by: blind).held()
    XCTAssertNil(stuck.retryAfter)
    // In a time namespace whose boot clock is ahead by 9 s, one second is still to be waited for...
    blind.change { $0.offset = 9_500_000 }
    let ahead = try await test.opened(by: blind).held()
    XCTAssertEqual(ahead.retryAfter, .milliseconds(500))
    try await test.verify()
  }

  func testRelease_freesTheName_onceAndOnlyItsOwn() async throws {
    let test = try await TestLedger()
    let ledger = try await test.opened(by: FakeProcesses(pid: 10))
    let lease = try await ledger.acquired()
    let wasHeld = try await lease.release()
    XCTAssertTrue(wasHeld)
    XCTAssertEqual(try test.query("SELECT epoch, pid FROM instances"), [["1", "NULL"]])
    let next = try await ledger.acquired()
    XCTAssertEqual(next.epoch, Epoch(2))
    let again = try await lease.release()
    XCTAssertFalse(again, "a lease of an old epoch lets go of nothing")
    XCTAssertEqual(try test.query("SELECT epoch, pid FROM instances"), [["2", "10"]])
    let eviction = try await ledger.evictInstance(next.name)
    guard case .evicted = eviction else { return XCTFail("\(eviction)") }
    let nobody = try await ledger.evictInstance(next.name)
    XCTAssertEqual(nobody, .free(InstanceClaim(name: next.name, epoch: Epoch(3))))
    await assertFails(.noSuchInstance) {
      try await ledger.evictInstance(InstanceName(stored: "nobody"))
    }
    try await test.verify()
  }

  /// The same process cannot have the name twice.
  func testAcquire_byTheHolderItself_isDenied() async throws {
    let test = try await TestLedger()
    let processes = FakeProcesses(pid: 10)
    processes.run(10)
    let ledger = try await test.opened(by: processes)
    _ = try await ledger.acquired()
    let denial = try await ledger.held()
    XCTAssertEqual(denial.holder?.pid, 10)
    let other = try await ledger.acquired("another_name")
    XCTAssertEqual(other.epoch, Epoch(1))
    try await test.verify()
  }

  /// Without /proc nobody could ever tell whether the holder lives: the name is not taken.
  func testAcquire_whereTheMachineSaysNothing_isRefused() async throws {
    let test = try await TestLedger()
    let processes = FakeProcesses()
    processes.change { $0.identity = nil }
    let ledger = try await test.opened(by: processes)
    await assertFails(.configuration) {
      try await ledger.acquireInstance(InstanceName(stored: "trading_bot"))
    }
    processes.change { $0.identity = FakeProcesses().identity(of: nil) }
    processes.change { $0.offset = nil }
    await assertFails(.configuration) { try await ledger.acquired(heartbeat: .seconds(1)) }
    for heartbeat in [Duration.zero, .seconds(86_401)] {
      await assertFails(.invalidInput) { try await ledger.acquired(heartbeat: heartbeat) }
    }
    XCTAssertEqual(try test.query("SELECT * FROM instances"), [])
    try await test.verify()
  }

  /// A row that a foreign client left half empty, or edited: nobody dies of it.
  func testAcquire_afterAForeignRow_waitsForTheOperator() async throws {
    let test = try await TestLedger()
    let ledger = try await test.opened(by: FakeProcesses(pid: 20))
    let other = try test.foreignClient()
    try other.run("INSERT INTO instances (name, epoch, pid) VALUES ('trading_bot', 1, 10)")
    let denial = try await ledger.held()
    XCTAssertEqual(denial.holder?.pid, 10)
    try other.run("UPDATE instances SET epoch = 2, boot_id = 'an earlier one'")
    let lease = try await ledger.acquired()
    XCTAssertEqual(lease.epoch, Epoch(3))
    for change in [
      "pid = 2147483648, epoch = 4", "pid = 0, epoch = 4", "start_ticks = -1, epoch = 4",
      "epoch = 2", "epoch = 5", "start_ticks = 501", "pid = 11", "since = since + 1",
    ] {
      XCTAssertThrowsError(try other.run("UPDATE instances SET \(change)"), change)
    }
    try await test.verify()
  }

  /// What a worker looks at when it starts.
  func testInstances_showEachNameAndWhetherItsHolderLives() async throws {
    let test = try await TestLedger()
    let holder = try await test.opened(by: FakeProcesses(pid: 10))
    for name in ["alive", "free"] { _ = try await holder.acquired(name) }
    let gone = try await test.opened(by: FakeProcesses(pid: 11)).acquired("gone")
    let far = FakeProcesses(pid: 12, pidNamespace: 7)
    _ = try await test.opened(by: far).acquired("far", heartbeat: .seconds(30))
    _ = try await holder.evictInstance(InstanceName(stored: "free"))
    let observer = FakeProcesses(pid: 20)
    observer.run(10)
    let ledger = try await test.opened(by: observer)
    let found = try await ledger.instances()
    XCTAssertEqual(found.map(\.name.description), ["alive", "far", "free", "gone"])
    XCTAssertEqual(found[0].state, .alive)
    XCTAssertEqual(found[1].state, .unseen(remaining: .seconds(30)))
    XCTAssertNil(found[2].state)
    XCTAssertNil(found[2].holder)
    XCTAssertEqual(found[2].epoch, Epoch(2))
    XCTAssertEqual(found[3].state, .dead(.gone))
    XCTAssertEqual(found[3].holder?.identity, gone.identity)
    try await test.verify()
  }

  /// Deterministic cost, and the decision falls under the lock: between its look and its lock
  /// another process takes the name.
  func testAcquire_costsSevenStatements_andDecidesUnderTheLock() async throws {
    let test = try await TestLedger()
    let processes = FakeProcesses(pid: 10)
    let ledger = try await test.opened(by: processes)
    let recorder = StatementRecorder()
    await ledger.sqlite.record(in: recorder)
    let lease = try await ledger.acquired()
    XCTAssertEqual(
      recorder.take(),
      [
        Statements.instance, "BEGIN IMMEDIATE", "PRAGMA schema_version", Statements.instance,
        Statements.insertInstance, Statements.instance, "COMMIT",
      ])
    try await lease.release()
    _ = recorder.take()
    let path = test.path
    let racing = StatementRecorder { text in
      guard text == "BEGIN IMMEDIATE" else { return }
      // Right before this process has the lock, another one has had it.
      let other = try? Connection.open(
        path, options: OpenOptions(purpose: .writing, wait: .seconds(5)))
      try? other?.run(
        """
        UPDATE instances SET epoch = epoch + 1, pid = 30, start_ticks = 500, boot_id = 'boot',
          pid_namespace = 1, time_namespace = 2
        """)
    }
    processes.run(30)
    await ledger.sqlite.record(in: racing)
    let denial = try await ledger.held()
    XCTAssertEqual(denial.holder?.pid, 30)
    XCTAssertEqual(racing.take().last, "ROLLBACK")
    XCTAssertEqual(try test.query("SELECT epoch, pid FROM instances"), [["2", "30"]])
    try await test.verify()
  }
}
