internal import CLedgerSystem

/// The file systems on which SQLite's locks, shared memory and fsync are known to work between
/// processes. Everything else is refused: on network and pass-through file systems a WAL database
/// is corrupted in silence.
enum LedgerFileSystem {
  /// `f_type` of statfs(2), from linux/magic.h.
  private static let allowed: [UInt64: String] = [
    0xEF53: "ext4", 0x5846_5342: "xfs", 0x9123_683E: "btrfs", 0x2FC1_2FC1: "zfs",
    0xF2F5_2010: "f2fs", 0x0102_1994: "tmpfs", 0x794C_7630: "overlayfs",
  ]
  private static let refused: [UInt64: String] = [
    0x6969: "NFS", 0xFF53_4D42: "CIFS", 0xFE53_4D42: "SMB2", 0x517B: "SMB", 0x0102_1997: "9p",
    0x6573_5546: "FUSE or virtiofs", 0x00C3_6400: "Ceph", 0x0BD0_0BD0: "Lustre",
    0x4750_4653: "GPFS", 0x5346_414F: "AFS", 0x0116_1970: "GFS2", 0x7461_636F: "OCFS2",
  ]

  /// What is known about a file system type: its name, and whether a ledger may lie there.
  static func judge(_ type: UInt64) -> (name: String, isAllowed: Bool) {
    if let name = allowed[type] { return (name, true) }
    return (refused[type] ?? "unknown (0x\(String(type, radix: 16)))", false)
  }

  /// The name of the file system of `directory`.
  static func name(directory: String) -> String {
    var type: UInt64 = 0
    guard unsafe tl_filesystem_type(directory, &type) == 0 else { return "unknown" }
    return judge(type).name
  }

  static func check(directory: String) throws(LedgerError) {
    #if os(Linux)
      var type: UInt64 = 0
      let code = unsafe tl_filesystem_type(directory, &type)
      let (name, isAllowed) = judge(type)
      guard code == 0, isAllowed else {
        throw LedgerError(
          .configuration,
          "\(quoted(directory)) lies on a file system where ledgers break: \(name)",
          hint: "locks and durability do not hold between processes there; use a local disk "
            + "(ext4, xfs, btrfs, zfs, f2fs)")
      }
    #endif
  }
}
