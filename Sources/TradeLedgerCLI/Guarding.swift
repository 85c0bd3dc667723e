internal import CLedgerSystem
internal import TradeLedger

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// How `guard` ended, where it has not become its command.
enum GuardEnd: Sendable {
  case held(Denial)
  /// The name was lost, and the command was ended for it.
  case lost(InstanceLoss)
  case command(CommandEnd)
}

/// Takes an instance name for a command.
struct Guarding {
  let name: InstanceName
  let command: [String]
  let options: InstanceOptions

  /// Takes the name and becomes the command: same pid, same start time, so that the command itself
  /// is the holder. Returns only where that did not happen.
  func become(_ ledger: Ledger) async throws(LedgerError) -> GuardEnd {
    switch try await ledger.acquireInstance(name, options) {
    case .denied(let denial): return .held(denial)
    case .acquired(let lease):
      let code = exec(ledger, lease.claim)
      // The name is free again; if this fails, it is with the end of this process.
      _ = try? await lease.release()
      return .command(.notStarted(code))
    }
  }

  private func exec(_ ledger: Ledger, _ claim: InstanceClaim) -> Int32 {
    let image = CommandImage(
      command, setting: variables(ledger) + [("TRADELEDGER_EPOCH", claim.epoch.description)])
    CommandSignals.resetForCommand()
    // Every descriptor of the ledger is closed by exec.
    return unsafe tl_become(image.arguments, image.environment)
  }

  private func variables(_ ledger: Ledger) -> [(String, String)] {
    [("TRADELEDGER_DB", ledger.place), ("TRADELEDGER_INSTANCE", name.description)]
  }

  /// Stays as the parent of the command, whose identity is on record before it runs.
  ///
  /// Where there is a heartbeat, the command dies with this process: without it nobody could renew,
  /// and others would take the name from a command that lives.
  ///
  /// Concurrent, so that it begins with leaving whatever thread the caller came from: a release
  /// build returns from opening a ledger on the ledger's thread (seen with Swift 6.3.1).
  @concurrent func supervise(_ ledger: Ledger) async throws(LedgerError) -> GuardEnd {
    let (children, announced) = AsyncStream<HeldCommand>.makeStream()
    // On the ledger's thread: this one is blocked until the command has ended.
    let keeper = Task(executorPreference: ledger.executor) { await keep(ledger, children) }
    let end = HeldCommand.run(
      command, setting: variables(ledger), word: "TRADELEDGER_EPOCH",
      diesWithParent: options.heartbeat != nil
    ) {
      announced.yield($0)
    }
    announced.finish()
    keeper.cancel()
    switch await keeper.value {
    case nil: return .command(end)
    case .refused(let denial): return .held(denial)
    case .failed(let error): throw error
    case .lost(let loss): return .lost(loss)
    case .kept(let lease):
      _ = try? await lease.release()
      return .command(end)
    }
  }

  private enum Keeping: Sendable {
    case refused(Denial)
    case failed(LedgerError)
    case lost(InstanceLoss)
    case kept(InstanceLease)
  }

  /// Takes the name for the child, lets it become the command, and ends it if the name is lost.
  private func keep(_ ledger: Ledger, _ children: AsyncStream<HeldCommand>) async -> Keeping? {
    guard let child = await children.first(where: { _ in true }) else { return nil }
    var options = options
    options.process = child.pid
    do throws(LedgerError) {
      switch try await ledger.acquireInstance(name, options) {
      case .denied(let denial):
        child.dismiss()
        return .refused(denial)
      case .acquired(let lease):
        CommandSignals.superviseAll()
        CommandSignals.commandStarted(child.pid)
        child.open(lease.epoch)
        for await loss in lease.losses {
          await endCommand(grace: lease.grace)
          return .lost(loss)
        }
        return .kept(lease)
      }
    } catch {
      child.dismiss()
      return .failed(error)
    }
  }

  private func endCommand(grace: Duration) async {
    CommandSignals.send(SIGTERM)
    CommandSignals.send(SIGCONT)
    try? await Task.sleep(for: grace)
    CommandSignals.send(SIGKILL)
  }
}
