import LedgerTestSupport
import XCTest

@testable import TradeLedger

/// S-57: file systems on which a ledger may lie. Network and pass-through ones corrupt a WAL
/// database in silence, so everything that is not listed is refused.
final class FileSystemTests: XCTestCase {
  func testJudge_table() {
    let allowed: [(UInt64, String)] = [
      (0xEF53, "ext4"), (0x5846_5342, "xfs"), (0x9123_683E, "btrfs"), (0x2FC1_2FC1, "zfs"),
      (0xF2F5_2010, "f2fs"), (0x0102_1994, "tmpfs"), (0x794C_7630, "overlayfs"),
    ]
    // The values of linux/magic.h, and of the modules that have no line there.
    let refused: [(UInt64, String)] = [
      (0x6969, "NFS"), (0xFF53_4D42, "CIFS"), (0xFE53_4D42, "SMB2"), (0x517B, "SMB"),
      (0x0102_1997, "9p"), (0x6573_5546, "FUSE"), (0x00C3_6400, "Ceph"), (0x0BD0_0BD0, "Lustre"),
      (0x4750_4653, "GPFS"), (0x5346_414F, "AFS"), (0x0116_1970, "GFS2"), (0x7461_636F, "OCFS2"),
    ]
    // ramfs, FAT, exFAT, NTFS, CIFS of old, Coda, procfs, sysfs, squashfs, zero, all ones.
    let unknown: [UInt64] = [
      0x8584_58F6, 0x4D44, 0x2011_BAB0, 0x5346_544E, 0x7375_7245, 0x9FA0, 0x6265_6572,
      0x7371_7368, 0, 0xFFFF_FFFF, .max,
    ]
    for (type, name) in allowed {
      let (found, isAllowed) = LedgerFileSystem.judge(type)
      XCTAssertTrue(isAllowed, name)
      XCTAssertEqual(found, name)
    }
    for (type, name) in refused {
      let (found, isAllowed) = LedgerFileSystem.judge(type)
      XCTAssertFalse(isAllowed, name)
      XCTAssertTrue(found.hasPrefix(name), found)
    }
    for type in unknown {
      let (found, isAllowed) = LedgerFileSystem.judge(type)
      XCTAssertFalse(isAllowed, found)
      XCTAssertTrue(found.contains(String(type, radix: 16)), found)
    }
  }

  /// The kernel's own answer for a directory of these tests is on the list.
  func testCheck_ofTheTestDirectory_isAllowed() throws {
    let directory = TemporaryDirectory()
    XCTAssertNoThrow(try LedgerFileSystem.check(directory: directory.path))
    XCTAssertNotEqual(LedgerFileSystem.name(directory: directory.path), "unknown")
    assertRefused(.configuration) {
      try LedgerFileSystem.check(directory: directory.file("missing"))
    }
    assertRefused(.configuration) { try LedgerFileSystem.check(directory: "/proc/self") }
  }

  /// A real mount of a file system that is not listed: nothing is made there, and nothing opened.
  func testCreate_onUnlistedFileSystem_isRefused() async throws {
    let mount = try Mount(type: "ramfs")
    let error = await assertFails(.configuration) {
      try await Ledger.create(mount.path + "/ledger.db", mode: .live)
    }
    XCTAssertTrue(error?.message.contains("0x858458f6") ?? false, "\(error as Any)")
    XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: mount.path), [])
    // A ledger that was brought there is not opened either, not even for reading.
    let test = try await TestLedger()
    await test.ledger.close()
    try FileManager.default.copyItem(atPath: test.path, toPath: mount.path + "/ledger.db")
    chmod(mount.path + "/ledger.db", 0o600)
    for access in [Ledger.Options.Access.readWrite, .readOnly] {
      var options = Ledger.Options()
      options.access = access
      await assertFails(.configuration) { [options] in
        try await Ledger.open(mount.path + "/ledger.db", options: options)
      }
    }
    // Nor through a link from a good place.
    symlink(mount.path + "/ledger.db", test.directory.file("link.db"))
    await assertFails(.configuration) {
      try await Ledger.open(test.directory.file("link.db"))
    }
    XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: mount.path), ["ledger.db"])
    try await test.verify()
  }

  /// tmpfs is listed, for tests.
  func testCreate_onTmpfs_works() async throws {
    let mount = try Mount(type: "tmpfs")
    let ledger = try await Ledger.create(mount.path + "/ledger.db", mode: .live)
    _ = try await ledger.addBot(exampleBot, BotSettings(cooldown: .zero))
    let outcome = try await ledger.reserve(.example())
    XCTAssertNotNil(outcome.permit)
    await ledger.close()
  }
}

/// A file system that is mounted for one test.
private final class Mount {
  private let directory = TemporaryDirectory()
  let path: String

  init(type: String) throws {
    path = directory.file("mounted")
    guard geteuid() == 0 else { throw XCTSkip("mounting a \(type) takes root") }
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    let result = BuiltBinary.run("mount", ["-t", type, "-o", "mode=0700", "none", path])
    guard result.status == 0 else {
      throw XCTSkip("\(type) cannot be mounted here: \(result.stderr)")
    }
  }

  deinit { _ = BuiltBinary.run("umount", ["-l", path]) }
}
