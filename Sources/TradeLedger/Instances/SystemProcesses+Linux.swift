#if os(Linux)
  internal import Glibc

  extension SystemProcesses {
    /// The PID namespace that a machine starts with has this inode on every Linux
    /// (`PROC_PID_INIT_INO` of linux/proc_ns.h).
    private static let initialPIDNamespace: Int64 = 0xEFFF_FFFC
    /// No boot begins while this process runs. (A namespace can, in a fork.)
    private static let bootID = readSmallFile("/proc/sys/kernel/random/boot_id")
      .map { text in String(text.filter { !$0.isNewline }) }
    private static let isInNamespace = namespace("pid") != initialPIDNamespace

    func identity(of pid: Int32?) -> ProcessIdentity? {
      // Of this process, /proc/self tells the truth even where /proc is another namespace's.
      let details =
        if let pid {
          details(of: pid)
        } else {
          readSmallFile("/proc/self/stat").flatMap { ProcessDetails(stat: $0) }
        }
      guard let details, let bootID = SystemProcesses.bootID,
        let pidNamespace = SystemProcesses.namespace("pid")
      else { return nil }
      return ProcessIdentity(
        bootID: bootID, pidNamespace: pidNamespace,
        // A kernel without time namespaces has no such link, and one time for all.
        timeNamespace: SystemProcesses.namespace("time") ?? 0, pid: pid ?? getpid(),
        startTicks: details.startTicks)
    }

    func details(of pid: Int32) -> ProcessDetails? {
      guard SystemProcesses.isOwnProc else { return nil }
      return readSmallFile("/proc/\(pid)/stat").flatMap { ProcessDetails(stat: $0) }
    }

    var bootClockOffset: Int64? {
      guard let namespace = SystemProcesses.namespace("time") else { return 0 }
      // The file describes the namespace of this process's children.
      guard namespace == SystemProcesses.namespace("time_for_children"),
        let table = readSmallFile("/proc/self/timens_offsets")
      else { return nil }
      for line in table.split(separator: "\n") {
        // boottime       100000         0
        let words = line.split(separator: " ")
        guard words.count == 3, words[0] == "boottime", let seconds = Int64(words[1]),
          let nanoseconds = Int64(words[2])
        else { continue }
        return seconds * 1_000_000 + nanoseconds / 1000
      }
      return nil
    }

    func command(of pid: Int32?) -> String? {
      guard pid == nil || SystemProcesses.isOwnProc,
        let text = readSmallFile("/proc/\(pid.map { String($0) } ?? "self")/cmdline")
      else { return nil }
      return cut(text.split(separator: "\0").joined(separator: " "), bytes: 256)
    }

    var isContainer: Bool { SystemProcesses.isInNamespace }

    /// Whether /proc shows the pids of this process's own namespace.
    private static var isOwnProc: Bool { readLink("/proc/self") == String(getpid()) }

    /// `pid:[4026531836]` without its frame.
    private static func namespace(_ kind: String) -> Int64? {
      readLink("/proc/self/ns/\(kind)").flatMap { link in
        Int64(String(decoding: link.utf8.filter { (0x30...0x39).contains($0) }, as: UTF8.self))
      }
    }
  }
#endif
