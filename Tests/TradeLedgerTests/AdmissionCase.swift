import LedgerTestSupport

@testable import TradeLedger

/// One combination of facts, with what the contract says about it.
struct AdmissionCase: CustomStringConvertible {
  enum Claim: CaseIterable { case none, current, old, unknownName }
  enum Kind: CaseIterable { case check, reserve, record, past }
  enum SameKey: CaseIterable {
    case none, liveSameToken, liveOtherToken, leaseOver, filled, void, otherContent
  }
  enum Pending: CaseIterable { case none, leaseRuns, leaseOver }
  enum Before: CaseIterable { case none, inside, atTheEdge }

  let claim: Claim
  let kind: Kind
  let sameKey: SameKey
  let isEnabled: Bool
  let pending: Pending
  let hasDoubtful: Bool
  let policy: InDoubtPolicy
  let lastTrade: Before
  let lastConflict: Before

  /// What came out, in a form in which both sides can say it.
  enum Answer: Equatable {
    case admit(expired: Bool)
    case replay(withPermit: Bool)
    case deny(Denial.Reason, winner: Int64?, wait: Duration?, expired: Bool)

    var name: String {
      switch self {
      case .admit: "admit"
      case .replay(let withPermit): withPermit ? "replay with permit" : "replay"
      case .deny(let reason, _, _, _): reason.rawValue
      }
    }
  }

  static let now = reading(1000, boot: 500)
  static let token = PermitToken(stored: "token-of-the-caller")
  static let key = OrderKey(stored: "key-1")
  static let cooldown = Duration.seconds(100)

  static var all: [AdmissionCase] {
    var result: [AdmissionCase] = []
    for kind in Kind.allCases {
      for claim in Claim.allCases where kind != .check || claim == .none {
        for sameKey in SameKey.allCases where kind != .check || sameKey == .none {
          result += neighbours(claim, kind, sameKey)
        }
      }
    }
    return result
  }

  private static func neighbours(
    _ claim: Claim, _ kind: Kind, _ sameKey: SameKey
  ) -> [AdmissionCase] {
    var result: [AdmissionCase] = []
    for isEnabled in [true, false] {
      for pending in Pending.allCases {
        for hasDoubtful in [true, false] {
          for policy in InDoubtPolicy.allCases {
            for lastTrade in Before.allCases {
              for lastConflict in Before.allCases {
                result.append(
                  AdmissionCase(
                    claim: claim, kind: kind, sameKey: sameKey, isEnabled: isEnabled,
                    pending: pending, hasDoubtful: hasDoubtful, policy: policy,
                    lastTrade: lastTrade, lastConflict: lastConflict))
              }
            }
          }
        }
      }
    }
    return result
  }

  // MARK: What the contract says, as a list in its order

  var expected: Answer {
    let asksToTradeNow = kind != .past
    let expires = asksToTradeNow && isEnabled && pending == .leaseOver
    let questions: [(applies: Bool, answer: Answer)] = [
      // 2. the caller's epoch is not current
      (
        claim == .old || claim == .unknownName,
        .deny(.superseded, winner: nil, wait: nil, expired: false)
      ),
      // 3. the key names a trade
      (
        sameKey == .otherContent,
        .deny(.keyConflict, winner: 70, wait: nil, expired: false)
      ),
      (
        sameKey != .none,
        .replay(withPermit: kind == .reserve && sameKey == .liveSameToken)
      ),
      // a fact of the past is never denied for its neighbours
      (kind == .past, .admit(expired: false)),
      // 4.
      (!isEnabled, .deny(.disabled, winner: nil, wait: nil, expired: false)),
      // 5.
      (
        pending == .leaseRuns,
        .deny(.inProgress, winner: 50, wait: .seconds(12), expired: false)
      ),
      // 6. (the older doubt is named)
      (
        policy == .block && hasDoubtful,
        .deny(.inDoubt, winner: 20, wait: nil, expired: expires)
      ),
      (policy == .block && expires, .deny(.inDoubt, winner: 50, wait: nil, expired: true)),
      // 7. the trade was 40 s ago, the conflict 30 s ago
      (
        lastConflict == .inside,
        .deny(.cooldown, winner: 90, wait: .seconds(70), expired: expires)
      ),
      (
        lastTrade == .inside,
        .deny(.cooldown, winner: 80, wait: .seconds(60), expired: expires)
      ),
      // 8.
      (true, .admit(expired: expires)),
    ]
    return questions.first { $0.applies }!.answer
  }

  // MARK: The same facts for the library

  var attempt: Attempt? {
    let claims: [Claim: Int64] = [.current: 4, .old: 3, .unknownName: 1]
    let named = claims[claim].map {
      InstanceClaim(name: InstanceName(stored: "trading_bot"), epoch: Epoch($0))
    }
    switch kind {
    case .check: return nil
    case .reserve: return Self.attempt(.reserve(token: Self.token), named)
    case .record: return Self.attempt(.record(Fill()), named)
    case .past: return Self.attempt(.past(Fill(), at: reading(5).wall), named)
    }
  }

  static func attempt(_ kind: Attempt.Kind, _ claim: InstanceClaim?) -> Attempt {
    Attempt(order: .example(), key: key, kind: kind, instance: claim)
  }

  static var openFacts: AdmissionFacts {
    AdmissionFacts(
      settings: BotSettings(
        storedCooldown: cooldown, lease: .seconds(30), inDoubt: .cooldown, isEnabled: true))
  }

  var facts: AdmissionFacts {
    AdmissionFacts(
      settings: BotSettings(
        storedCooldown: Self.cooldown, lease: .seconds(30), inDoubt: policy, isEnabled: isEnabled),
      currentEpoch: claim == .unknownName ? nil : Epoch(4), sameKey: storedSameKey,
      pending: pending == .none
        ? nil
        : Self.stored(id: 50, status: .pending, leaseLeft: pending == .leaseRuns ? 12 : 0),
      inDoubt: hasDoubtful ? TradeID(20) : nil, lastTrades: Self.last(lastTrade, 80, ago: 40),
      lastConflicts: Self.last(lastConflict, 90, ago: 30))
  }

  private var storedSameKey: StoredTrade? {
    let other = PermitToken(stored: "token-of-another")
    switch sameKey {
    case .none: return nil
    case .liveSameToken: return Self.stored(id: 70, status: .pending, leaseLeft: 5)
    case .liveOtherToken:
      return Self.stored(id: 70, status: .pending, leaseLeft: 5, token: other)
    case .leaseOver: return Self.stored(id: 70, status: .pending, leaseLeft: -1)
    case .filled: return Self.stored(id: 70, status: .filled, leaseLeft: 5)
    case .void: return Self.stored(id: 70, status: .void, leaseLeft: 5)
    case .otherContent:
      return Self.stored(
        id: 70, order: .example(quantity: "0.75"), status: .pending, leaseLeft: 5)
    }
  }

  private static func last(
    _ before: Before, _ id: Int64, ago seconds: Double
  ) -> [AdmissionFacts.LastTrade] {
    switch before {
    case .none: []
    case .inside: [.init(id: TradeID(id), at: reading(1000 - seconds, boot: 500 - seconds))]
    case .atTheEdge: [.init(id: TradeID(id), at: reading(900, boot: 400))]
    }
  }

  /// A trade that was admitted so that its lease of 30 s ends `leaseLeft` seconds from now.
  static func stored(
    id: Int64, order: Order = .example(), status: TradeStatus, leaseLeft: Double,
    token: PermitToken = token
  ) -> StoredTrade {
    let created = reading(970 + leaseLeft, boot: 470 + leaseLeft)
    let isFilled = status == .filled
    let trade = Trade(
      id: TradeID(id), key: key, order: order, origin: .reserve, status: status,
      createdAt: created.wall, cooldown: cooldown, leaseUntil: reading(1000 + leaseLeft).wall,
      filledAt: isFilled ? created.wall : nil, filledQuantity: isFilled ? order.quantity : nil,
      filledPrice: nil, exchangeAt: nil, receivedAt: isFilled ? created.wall : nil, isLate: false,
      isSuperseded: false, isSettledByOperator: false, reason: nil, pid: 1, instance: nil)
    return StoredTrade(trade: trade, token: token, created: created)
  }

  func summary(of decision: AdmissionDecision) -> Answer {
    switch decision.verdict {
    case .admit: .admit(expired: decision.expired != nil)
    case .replay(let withPermit): .replay(withPermit: withPermit)
    case .deny(let denial, let winner):
      .deny(
        denial.reason, winner: winner?.value ?? denial.winner?.id.value, wait: denial.retryAfter,
        expired: decision.expired != nil)
    }
  }

  var description: String {
    "\(kind) claim \(claim), key \(sameKey), enabled \(isEnabled), pending \(pending), "
      + "doubt \(hasDoubtful) \(policy), trade \(lastTrade), conflict \(lastConflict)"
  }
}
