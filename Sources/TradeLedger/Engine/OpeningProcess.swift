#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// The process that opened a ledger, and the only one that may use it: a fork has neither its
/// thread nor its locks.
struct OpeningProcess: Sendable {
  private let pid = getpid()

  var isThisOne: Bool { getpid() == pid }

  /// - Throws: `configuration`; nothing was asked of the ledger, and the parent's is unharmed.
  func expectThisOne() throws(LedgerError) {
    guard !isThisOne else { return }
    throw LedgerError(
      .configuration,
      "this ledger belongs to process \(pid), and this is its fork \(getpid())",
      hint: "open the ledger after the fork, in the process that uses it")
  }
}
