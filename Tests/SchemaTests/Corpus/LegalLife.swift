import Foundation

/// A good citizen: whatever the contract allows is allowed to plain SQL. (In the word of
/// `docs/INVARIANTS.md`: every rule of INV-11 refuses something, and none of them too much.)
extension Corpus {
  static let legalLife: [Attack] = [
    admitted("reserve", SQL.reserve()),
    admitted("record", SQL.record()),
    admitted(
      "reserve with everything that a trade can have",
      SQL.reserve(with: [
        "price": "'64000.5'", "pid": "4242", "instance": "'desk'", "epoch": "1",
        "boot_id": "'boot'", "created_boot_us": "5000000",
      ])),
    admitted("fill", after: State.pending, SQL.fill()),
    admitted(
      "fill with everything that the exchange says", after: State.pending,
      SQL.fill(with: [
        "filled_price": "'63999.25'", "filled_quantity": "'0.25'", "exchange_at": SQL.now,
        "filled_boot_id": "'boot'", "filled_boot_us": "6000000",
        "reason": "'partly, then cancelled'",
      ])),
    admitted("void", after: State.pending, SQL.void()),
    admitted("in doubt once the lease is over", after: State.overdue, SQL.doubt()),
    admitted("late fill", after: State.inDoubt, SQL.fill(with: ["late": "1"])),
    admitted("late void", after: State.inDoubt, SQL.void(with: ["late": "1"])),
    admitted(
      "late fill of what nobody found overdue", after: State.overdue, SQL.fill(with: ["late": "1"])),
    admitted(
      "an operator fills what is in doubt", after: State.inDoubt,
      SQL.fill(with: [
        "late": "1", "settled_with": "'operator'", "reason": "'seen at the exchange'",
      ])),
    admitted(
      "an operator voids what is in doubt", after: State.inDoubt,
      SQL.void(with: [
        "late": "1", "settled_with": "'operator'", "reason": "'not at the exchange — 无'",
      ])),
    admitted("a conflict after a void", after: State.void, SQL.conflict()),
    admitted(
      "a conflict with everything", after: State.void,
      SQL.conflict(with: [
        "price": "'1'", "exchange_at": "0", "at": "(SELECT created_at FROM trades)",
        "boot_id": "'boot'", "boot_us": "-5",
      ])),
    admitted(
      "a second trade of a bot without cooldown", after: State.filled, SQL.reserve("k2", bot: 2)),
    admitted("a trade after a void one", after: State.void, SQL.reserve("k2", bot: 2)),
    admitted(
      "a trade beside one in doubt under the policy cooldown", after: State.inDoubt,
      SQL.reserve("k2", bot: 2)),
    admitted(
      "a trade of another bot beside a pending one", after: State.pending, SQL.reserve("k2", bot: 2)
    ),
    admitted("a fact of the past", SQL.past("p", at: "5")),
    admitted("a fact of the past of a disabled bot", SQL.past("p", bot: 4, at: "5")),
    admitted(
      "a fact of the past inside the cooldown", after: [SQL.record()],
      SQL.past("p", at: SQL.now + " - 1000000")),
    admitted(
      "a fact of the past beside a pending trade", after: State.pending,
      SQL.past("p", at: SQL.now + " - 1000000")),
    admitted(
      "a fact of the past beside one in doubt under the policy block",
      after: [SQL.reserve(bot: 3, at: SQL.now + " - 500000"), SQL.doubt()],
      SQL.past("p", bot: 3, at: SQL.now + " - 1000000")),
    admitted(
      "a trade under the policy block once the doubt is settled",
      after: [
        SQL.reserve(bot: 3, at: SQL.now + " - 500000"), SQL.doubt(), SQL.fill(with: ["late": "1"]),
      ], SQL.reserve("k2", bot: 3)),
    admitted("two bots in one statement", SQL.record() + SQL.another(SQL.record("k2", bot: 2))),
    admitted("a bot", "INSERT INTO bots (name) VALUES ('momentum/BTC-USD:1@x+y=z^w#v._-')"),
    admitted("settings", SQL.settings()),
    admitted("an instance", SQL.instance()),
    admitted(
      "a take-over",
      "UPDATE instances SET epoch = epoch + 1, pid = 101, start_ticks = 900 WHERE name = 'desk'"),
    admitted("a heartbeat", "UPDATE instances SET heartbeat_until = 99 WHERE name = 'desk'"),
    admitted("letting go of a name", "UPDATE instances SET pid = NULL WHERE name = 'desk'"),
    admitted("the counter", "UPDATE ledger SET ticks = ticks + 1"),
    admitted(
      "a fill with the token of a process that lost its name, flagged",
      after: [
        SQL.reserve(with: ["instance": "'desk'", "epoch": "1"]),
        "UPDATE instances SET epoch = 2 WHERE name = 'desk'",
      ], SQL.fill(with: ["superseded": "1"])),
    admitted(
      "a boot clock under which the lease still runs makes a fill not late",
      after: [
        SQL.reserve(
          bot: 2, at: SQL.now + " - 500000",
          with: ["boot_id": "'boot'", "created_boot_us": "5000000"])
      ], SQL.fill(with: ["filled_boot_id": "'boot'", "filled_boot_us": "5000100"])),
  ]
}

extension SQL {
  /// The row of an INSERT, to be appended to another INSERT with the same columns.
  static func another(_ insert: String) -> String {
    guard let values = insert.range(of: "VALUES ") else { return "" }
    return ", " + insert[values.upperBound...]
  }
}
