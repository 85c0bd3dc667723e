/// What a ledger is for. Set when it is created; it never changes.
public enum LedgerMode: String, CaseIterable, Sendable {
  /// Real money.
  case live
  /// Play money. The same rules hold.
  case paper
  /// Takes times that the caller brings. `simulate` and `bench` work on nothing else.
  case simulation
}
