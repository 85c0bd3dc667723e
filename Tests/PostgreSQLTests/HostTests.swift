#if PostgreSQL
  import LedgerTestSupport
  import XCTest

  @testable import TradeLedger

  /// INV-7 across hosts: who can look at a holder judges it by its process, everybody else by its
  /// heartbeat, on the server's clock.
  final class HostTests: XCTestCase {
    private static let instance = "trading_bot"

    private func take(
      _ ledger: Ledger, heartbeat: Duration = .seconds(30)
    ) async throws -> InstanceOutcome {
      var options = InstanceOptions()
      options.heartbeat = heartbeat
      return try await ledger.acquireInstance(InstanceName(Self.instance), options)
    }

    private func taken(
      _ ledger: Ledger, heartbeat: Duration = .seconds(30), file: StaticString = #filePath,
      line: UInt = #line
    ) async throws -> InstanceLease {
      let outcome = try await take(ledger, heartbeat: heartbeat)
      guard case .acquired(let lease) = outcome else {
        XCTFail("\(outcome)", file: file, line: line)
        throw CancellationError()
      }
      return lease
    }

    private func ledger(_ test: ServerLedger, _ host: FakeHost) async throws -> Ledger {
      try await test.another { $0.processes = host }
    }

    func testHolder_onAnotherHost_isHeldForItsHeartbeat() async throws {
      let test = try await ServerLedger()
      let first = try await ledger(test, FakeHost("north", pid: 10))
      // Says that it sees no such process: its pids are another host's.
      let south = FakeHost("south", pid: 20)
      south.end(10)
      let second = try await ledger(test, south)
      let lease = try await taken(first)
      let denied = try await take(second)
      guard case .denied(let denial) = denied else { return XCTFail("\(denied)") }
      XCTAssertEqual(denial.reason, .held)
      XCTAssertEqual(denial.holder?.host, "north")
      XCTAssertEqual(denial.holder?.instance, lease.claim)
      let wait = try XCTUnwrap(denial.retryAfter)
      XCTAssertGreaterThan(wait, .seconds(20))
      XCTAssertLessThanOrEqual(wait, .seconds(30))
      let seen = try await second.instances()
      guard case .unseen(remaining: .some) = seen.first?.state else { return XCTFail("\(seen)") }
    }

    func testHolder_thatIsDeadOnThisHost_isFollowedAtOnce() async throws {
      let test = try await ServerLedger()
      try await test.addBot()
      let first = try await ledger(test, FakeHost("north", pid: 10))
      let neighbour = FakeHost("north", pid: 20)
      let second = try await ledger(test, neighbour)
      let old = try await taken(first)
      guard case .denied = try await take(second) else { return XCTFail("it lives") }
      neighbour.end(10)
      let new = try await taken(second)
      XCTAssertEqual(new.epoch, Epoch(2))
      let refused = try await first.reserve(.example(), instance: old.claim)
      guard case .denied(let denial) = refused else { return XCTFail("\(refused)") }
      XCTAssertEqual(denial.reason, .superseded)
      XCTAssertEqual(denial.holder?.instance, new.claim)
      let admitted = try await second.reserve(.example(), instance: new.claim)
      let permit = try XCTUnwrap(admitted.permit)
      let isLive = try await second.isLive(permit)
      XCTAssertTrue(isLive)
      _ = try await first.evictInstance(InstanceName(Self.instance))
      let isStillLive = try await second.isLive(permit)
      XCTAssertFalse(isStillLive, "the epoch is no longer the current one")
      let settled = try await second.fill(permit.trade, token: permit.token)
      guard case .settled(let trade) = settled else { return XCTFail("\(settled)") }
      XCTAssertTrue(trade.isSuperseded)
    }

    /// A holder that falls silent knows that it has lost the name before anybody else can take it.
    func testHolder_thatIsCutOff_stopsBeforeItIsFollowed() async throws {
      let server = try TestServer.orSkip()
      let proxy = try CuttingProxy(upstream: URLComponents(string: server.url)?.port ?? 5432)
      defer { proxy.close() }
      let test = try await ServerLedger()
      let cutOff = try await test.another(proxy.url(test.url)) {
        $0.processes = FakeHost("north", pid: 10)
      }
      let second = try await ledger(test, FakeHost("south", pid: 20))
      let heartbeat = Duration.milliseconds(1500)
      let lease = try await taken(cutOff, heartbeat: heartbeat)
      let cutAt = ContinuousClock.now
      proxy.refuse(true)
      proxy.cut(.question, .question, .question, .question)
      let lossAt = Task {
        for await loss in lease.losses {
          guard case .unreachable = loss else { return (ContinuousClock.now, "\(loss)") }
          return (ContinuousClock.now, "")
        }
        return (ContinuousClock.now, "no loss")
      }
      var options = InstanceOptions()
      options.heartbeat = heartbeat
      options.wait = .seconds(20)
      let outcome = try await second.acquireInstance(InstanceName(Self.instance), options)
      let takenAt = ContinuousClock.now
      guard case .acquired(let new) = outcome else { return XCTFail("\(outcome)") }
      XCTAssertEqual(new.epoch, Epoch(2))
      let (stoppedAt, what) = await lossAt.value
      XCTAssertEqual(what, "")
      XCTAssertLessThan(stoppedAt, takenAt)
      XCTAssertLessThan(stoppedAt - cutAt, heartbeat)
    }

    func testHeartbeat_keepsTheName() async throws {
      let test = try await ServerLedger()
      let first = try await ledger(test, FakeHost("north", pid: 10))
      let second = try await ledger(test, FakeHost("south", pid: 20))
      let lease = try await taken(first, heartbeat: .milliseconds(600))
      let until = ContinuousClock.now + .milliseconds(2000)
      while ContinuousClock.now < until {
        guard case .denied = try await take(second) else { return XCTFail("taken over") }
      }
      let loss = try await lease.renew()
      XCTAssertNil(loss)
      _ = try await lease.release()
      _ = try await taken(second)
    }

    /// S-31: of many who start at once on several hosts, one gets the name.
    func testRace_hasOneWinner() async throws {
      let test = try await ServerLedger()
      var ledgers: [Ledger] = []
      for number in 0..<8 {
        ledgers.append(try await ledger(test, FakeHost("host-\(number)", pid: 10)))
      }
      let claims = try await withThrowingTaskGroup(of: InstanceLease?.self) { group in
        for ledger in ledgers {
          group.addTask {
            let outcome = try await ledger.acquireInstance(InstanceName(Self.instance))
            guard case .acquired(let lease) = outcome else { return nil }
            return lease
          }
        }
        return try await group.reduce(into: [InstanceLease]()) { leases, lease in
          if let lease { leases.append(lease) }
        }
      }
      XCTAssertEqual(claims.map(\.epoch), [Epoch(1)])
    }
  }
#endif
