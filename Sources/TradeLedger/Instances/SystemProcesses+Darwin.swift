#if canImport(Darwin)
  internal import CLedgerSystem
  internal import Darwin

  extension SystemProcesses {
    func identity(of pid: Int32?) -> ProcessIdentity? {
      let pid = pid ?? getpid()
      var bytes = [CChar](repeating: 0, count: 64)
      guard unsafe tl_boot_session(&bytes, bytes.count) == 0, let details = details(of: pid) else {
        return nil
      }
      let bootID = bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      // There are no namespaces.
      return ProcessIdentity(
        bootID: String(decoding: bootID, as: UTF8.self), pidNamespace: 0, timeNamespace: 0,
        pid: pid, startTicks: details.startTicks)
    }

    func details(of pid: Int32) -> ProcessDetails? {
      var started: Int64 = 0
      var isZombie = false
      guard unsafe tl_process_look(pid, &started, &isZombie) == 0 else { return nil }
      return ProcessDetails(startTicks: started, state: isZombie ? "Z" : "R", threads: 1)
    }

    var bootClockOffset: Int64? { 0 }
    func command(of pid: Int32?) -> String? { nil }
    var isContainer: Bool { false }
  }
#endif
