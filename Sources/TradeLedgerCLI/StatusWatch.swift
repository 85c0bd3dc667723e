internal import TradeLedger

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// `status --watch`: looks again and again.
///
/// The ledger is opened for each look, so that nobody waits for it (a restore for example), and a
/// ledger that was replaced is seen.
struct StatusWatch {
  let bot: BotName?
  let interval: Duration
  let global: GlobalOptions

  struct Look {
    let status: LedgerStatus
    let instances: [Instance]
  }

  func run() async throws {
    // A wrong path is an error, not a screen.
    var look: Result<Look, Failure> = .success(try await self.look())
    let attention = try Attention()
    guard !global.json, var screen = Screen() else {
      return try await printBlocks(look, attention)
    }
    try screen.enter()
    var ending: Happening
    repeat {
      let size = Screen.size()
      let lines = frame(look).lines(columns: size.columns, rows: size.rows, colors)
      do { try screen.draw(lines) } catch {
        screen.leave()
        throw error
      }
      ending = attention.wait(interval, keys: screen.hasKeys)
      switch ending {
      case .signal(SIGTSTP):
        screen.leave()
        raise(SIGSTOP)
        try screen.enter()
      case .nothing, .signal(SIGCONT): look = await attempt()
      default: break
      }
    } while !isLast(ending)
    screen.leave()
    try end(ending, look)
  }

  private var colors: Colors { global.colors }

  /// Where nobody sees a screen: one block, or one line of JSON, for each look.
  private func printBlocks(_ first: Result<Look, Failure>, _ attention: Attention) async throws {
    var look = first
    var ending: Happening
    repeat {
      if global.json {
        switch look {
        case .success(let look): try Console.out(Status.json(look.status, look.instances))
        case .failure(let failure): try Console.out(failure.json)
        }
      } else {
        let lines = frame(look).lines(columns: nil, rows: nil, colors)
        try Console.out(lines.map { $0 + "\n" }.joined() + "\n")
      }
      repeat { ending = attention.wait(interval, keys: false) } while ending == .resized
      if ending == .signal(SIGTSTP) { raise(SIGSTOP) }
      if !isLast(ending) { look = await attempt() }
    } while !isLast(ending)
    try end(ending, look)
  }

  private func frame(_ look: Result<Look, Failure>) -> StatusFrame {
    StatusFrame(look: look, interval: interval)
  }

  private func look() async throws -> Look {
    try await global.withLedger(.readOnly) { ledger in
      Look(status: try await ledger.status(bot), instances: try await ledger.instances())
    }
  }

  private func attempt() async -> Result<Look, Failure> {
    do { return .success(try await look()) } catch { return .failure(Failure(error)) }
  }

  private func isLast(_ happening: Happening) -> Bool {
    switch happening {
    case .quit: true
    case .signal(let number): number != SIGTSTP && number != SIGCONT
    case .nothing, .resized: false
    }
  }

  /// `q` ends with what was last seen; a signal as if it had not been caught.
  private func end(_ ending: Happening, _ look: Result<Look, Failure>) throws {
    if case .signal(let number) = ending {
      _ = signal(number, SIG_DFL)
      // Not raise(3): the threads of tasks have their signals blocked.
      kill(getpid(), number)
      while true { pause() }
    }
    switch look {
    case .success(let look): if look.status.needsAttention { throw ExitStatus.no }
    case .failure(let failure): throw failure
    }
  }
}
