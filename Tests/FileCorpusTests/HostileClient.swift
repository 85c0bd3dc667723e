import CSQLite
import Foundation
import LedgerTestSupport
import Synchronization
import TradeLedger
import XCTest

/// A function `witness(...)` that every connection of this process has, the library's too, and that
/// SQLite lets any schema call. It gives its first argument, or 1, and counts its calls.
enum Witness {
  private static let count = Atomic(0)

  /// How often it was called since the last look.
  static func takeCalls() -> Int { count.exchange(0, ordering: .sequentiallyConsistent) }

  /// Adds the function to all connections that are opened from now on.
  static let install: Void = {
    typealias Entry =
      @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?, UnsafeRawPointer?)
      -> Int32
    let entry: Entry = { database, _, _ in
      sqlite3_create_function_v2(
        database, "witness", -1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, nil,
        { context, count, values in
          Witness.count.add(1, ordering: .sequentiallyConsistent)
          if count > 0, let first = values?[0] {
            sqlite3_result_value(context, first)
          } else {
            sqlite3_result_int(context, 1)
          }
        }, nil, nil, nil)
    }
    let code = sqlite3_auto_extension(unsafeBitCast(entry, to: (@convention(c) () -> Void).self))
    precondition(code == SQLITE_OK, "no automatic extension: \(code)")
  }()
}

/// Somebody who means harm: a plain connection with every guard of SQLite's own switched off.
enum HostileClient {
  struct Failure: Error { let message: String }

  static func run(_ path: String, _ script: String) throws {
    var database: OpaquePointer?
    guard sqlite3_open(path, &database) == SQLITE_OK else { throw Failure(message: "not opened") }
    defer { sqlite3_close(database) }
    var readBack: Int32 = 0
    _ = tl_sqlite3_db_config_int(database, SQLITE_DBCONFIG_DEFENSIVE, 0, &readBack)
    _ = tl_sqlite3_db_config_int(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 1, &readBack)
    _ = tl_sqlite3_db_config_int(database, SQLITE_DBCONFIG_ENABLE_FKEY, 0, &readBack)
    _ = tl_sqlite3_db_config_int(database, SQLITE_DBCONFIG_WRITABLE_SCHEMA, 1, &readBack)
    var message: UnsafeMutablePointer<CChar>?
    let code = sqlite3_exec(database, script, nil, nil, &message)
    defer { sqlite3_free(message) }
    guard code == SQLITE_OK else {
      throw Failure(message: message.map { String(cString: $0) } ?? "code \(code)")
    }
  }
}

/// A ledger whose content is known, and what the library says about it.
struct VictimLedger {
  let directory = TemporaryDirectory()
  let clock = ManualClock()
  var path: String { directory.file("ledger.db") }

  /// Two bots, one that may trade and one inside its cooldown; nothing in the log.
  init() async throws {
    _ = Witness.install
    var options = Ledger.Options()
    options.clock = clock
    let ledger = try await Ledger.create(path, mode: .simulation, options: options)
    for (bot, cooldown) in [("free", 60), ("waiting", 3600)] {
      _ = try await ledger.addBot(
        BotName(bot), BotSettings(cooldown: .seconds(cooldown)))
      for number in 0..<3 {
        clock.advance(.seconds(3600))
        _ = try await ledger.record(.example(bot), key: OrderKey("\(bot)-\(number)"))
      }
    }
    await ledger.close()
    // The last client out copies the log into the file and removes it.
    try HostileClient.run(path, "PRAGMA wal_checkpoint(TRUNCATE)")
  }

  var bytes: Data? { FileManager.default.contents(atPath: path) }

  /// Where the one page of the index ends that the cooldown is read from. Entries grow from there
  /// towards the beginning, 14 bytes each.
  func endOfLastTradeIndex() throws -> Int {
    let found = try LedgerFileCheck.query(
      path, "SELECT rootpage FROM sqlite_schema WHERE name = 'last_trade'")
    return try XCTUnwrap(Int(found[0][0])) * 4096
  }

  /// What opening the file comes to: the code of the error, or nil where every call told the truth.
  /// - Throws: where one did not.
  func refusal(_ access: Ledger.Options.Access) async throws -> LedgerError? {
    var options = Ledger.Options()
    options.clock = clock
    options.access = access
    options.lockWait = .milliseconds(200)
    do {
      let ledger = try await Ledger.open(path, options: options)
      let result = try await lie(ledger, access)
      await ledger.close()
      if let result { throw Lie(what: result) }
      return nil
    } catch let error as LedgerError { return error }
  }

  struct Lie: Error { let what: String }

  private func lie(_ ledger: Ledger, _ access: Ledger.Options.Access) async throws -> String? {
    let status = try await ledger.status()
    let names = status.bots.map(\.bot.name.description)
    if status.trades != 6 || names != ["free", "waiting"] { return "\(status)" }
    let keys = try await ledger.trades().trades.map(\.key.description)
    if keys != ["waiting-2", "waiting-1", "waiting-0", "free-2", "free-1", "free-0"] {
      return "\(keys)"
    }
    let audit = try await ledger.audit()
    if audit.examined != 6 || !audit.findings.isEmpty { return "\(audit)" }
    guard access == .readWrite else { return nil }
    let waiting = try await ledger.reserve(.example("waiting"))
    guard case .denied(let denial) = waiting, denial.reason == .cooldown else {
      return "\(waiting)"
    }
    let free = try await ledger.reserve(.example("free"), key: OrderKey("asked"))
    guard case .admitted(let trade, _) = free, trade.id == TradeID(7) else { return "\(free)" }
    return nil
  }
}
