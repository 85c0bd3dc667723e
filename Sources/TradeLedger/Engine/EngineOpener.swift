/// Opens an engine on the thread that it will have: opening waits, for locks or for the network.
actor EngineOpener {
  private nonisolated let thread: LedgerThread

  init(_ thread: LedgerThread?) { self.thread = thread ?? LedgerThread() }

  nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe thread.asUnownedSerialExecutor()
  }

  func open<Engine: LedgerEngine>(
    _ body: @Sendable (LedgerThread) throws(LedgerError) -> Engine
  ) throws(LedgerError) -> Engine { try body(thread) }

  func run<Result: Sendable>(
    _ body: @Sendable () throws(LedgerError) -> Result
  ) throws(LedgerError) -> Result { try body() }
}
