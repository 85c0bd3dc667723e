internal import Foundation
internal import LedgerTestSupport
internal import XCTest

/// Names, numbers, times and keys that no ledger takes: exit 65, two lines that say so, and
/// nothing changed.
final class BadInputTests: CommandLineTestCase {
  private static let names = [
    "", String(repeating: "a", count: 300), "a\nb", "a\tb", "a\u{7}b", "\u{1b}[31mred\u{1b}[0m",
    "\u{1b}]0;title\u{7}", "it's", "\"quoted\"", "x'; DROP TABLE trades; --",
    "a\u{202e}b", "a\u{200f}b", "\u{feff}a", "a b", "бот", "a\u{85}b", "a\u{2028}b",
  ]
  private static let numbers = [
    "", "1e400", "1e5", "NaN", "nan", "inf", "-1", "-0.5", "+1", "0", "0.0", "12abc", "0x10",
    String(repeating: "9", count: 40), "1." + String(repeating: "1", count: 40), "1,5", "1.5.2",
    ".5", "5.", " 1", "1 ", "١٢", "１", "1_000", "'; DROP TABLE trades; --",
  ]
  private static let durations = [
    "", "15", "-5m", "999999999d", "5 m", "m", "1e3s", "1,5h", "5M", "0x5s", "NaNs", "infs",
    "99999999999999999999s", "5m5s", "٥m",
  ]
  private static let times = [
    "", "2025-09-07T20:28:53", "2025-09-07 20:28:53Z", "0000-01-01T00:00:00Z",
    "2025-09-07T20:28:60Z", "2025-09-07T24:00:00Z", "2025-13-01T00:00:00Z",
    "2025-02-29T00:00:00Z", "1969-12-31T23:59:59Z", "10000-01-01T00:00:00Z", "1757276933", "now",
    "2025-09-07T20:28:53.1234567Z", "2025-09-07T20:28:53+25:00", "2025-09-07",
    "2025-09-07T20:28:53\u{202e}Z",
  ]

  private func asking(
    bot: String = "m", symbol: String = "BTC-USD", quantity: String = "0.5"
  ) -> [String] {
    ["reserve", bot, "--side", "buy", "--symbol", symbol, "--quantity", quantity]
  }

  func testNames_thatAreNone_areRefusedEverywhere() {
    makeLedger()
    assertUnchanged {
      for name in Self.names {
        expectError(asking(bot: name), 65)
        expectError(asking(symbol: name), 65)
        expectError(["bot", "add", name, "--cooldown", "1m"], 65)
      }
      let name = "a\u{1b}[2Jb"
      for arguments in [
        ["bot", "show", name], ["bot", "set", name, "--cooldown", "1m"],
        ["bot", "enable", name], ["bot", "disable", name], ["check", name], ["status", name],
        ["trades", "--bot", name], ["audit", "--bot", name],
        ["record", name] + Self.order, asking() + ["--instance", name, "--epoch", "1"],
      ] {
        expectError(arguments, 65)
      }
    }
  }

  func testNumbers_thatAreNone_areRefusedEverywhere() {
    makeLedger()
    assertUnchanged {
      for number in Self.numbers {
        expectError(asking(quantity: number), 65)
        expectError(asking() + ["--price", number], 65)
      }
      for number in ["", "0", "-1", "1.5", "0x1", "1e3", "NaN", "99999999999999999999", "١"] {
        expectError(asking() + ["--instance", "i", "--epoch", number], 65)
        expectError(["trades", "--limit", number], 65)
        expectError(["fill", "--token", "0123456789abcdef", "--", number], 65)
        expectError(["trade", "show", "--", number], 65)
      }
    }
  }

  func testDurations_thatAreNone_areRefusedEverywhere() {
    makeLedger()
    assertUnchanged {
      for duration in Self.durations {
        expectError(["bot", "add", "other", "--cooldown", duration], 65)
        expectError(["bot", "set", "m", "--cooldown", duration], 65)
        expectError(["trades", "--since", duration], 65)
      }
      expectError(["bot", "add", "other", "--cooldown", "1m", "--lease", "-5m"], 65)
      expectError(["bot", "add", "other", "--cooldown", "1m", "--lease", "0s"], 65)
      expectError(["bot", "set", "m", "--lease", "2d"], 65)
      expectError(["audit", "--since", "15"], 65)
      expectError(["status", "--lock-wait", "15"], 65)
      expectError(["status", "--lock-wait", "-5m"], 65)
    }
  }

  func testTimes_thatAreNone_areRefusedEverywhere() {
    makeLedger()
    assertUnchanged {
      for time in Self.times {
        expectError(["record", "m"] + Self.order + ["--filled-at", time], 65)
        expectError(["audit", "--from", time], 65)
      }
      expectError(["record", "m"] + Self.order + ["--filled-at", "9999-01-01T00:00:00Z"], 65)
      expectError(
        ["fill", "1", "--token", "0123456789abcdef", "--filled-at", "2025-09-07T20:28:60Z"], 65)
    }
  }

  func testKeys_emptyHugeOrInvisible_areRefused() {
    makeLedger()
    assertUnchanged {
      // One argument of a command line holds at most 128 KiB.
      for key in [
        "", "a b", "a\u{1}b", "ключ",
        "a\u{202e}b", "a\nb", String(repeating: "k", count: 129),
        String(repeating: "k", count: 100_000),
      ] {
        expectError(asking() + ["--key", key], 65)
        expectError(["trade", "show", "--key", key], 65)
      }
    }
  }

  func testTokens_emptyHugeOrInvisible_areRefused() {
    makeLedger()
    let trade = reserve([])
    assertUnchanged {
      for token in ["short", String(repeating: "t", count: 129), "0123456789 abcdef"] {
        expectError(["fill", trade.id, "--token", token], 65)
        expectError(["fill", trade.id], 65, environment: ["TRADELEDGER_TOKEN": token])
        expectError(["fill", trade.id, "--token-stdin"], 65, stdin: token)
      }
      expectError(["fill", trade.id, "--token-stdin"], 65, stdin: "")
      expectError(
        ["fill", trade.id, "--token-stdin"], 65, stdin: String(repeating: "t", count: 1_000_000))
      expectError(["fill", trade.id], 64)
      expectError(["fill", trade.id, "--token-stdin", "--token", trade.token], 64)
    }
  }

  func testReasons_thatAreNotOnePlainLine_areRefused() {
    makeLedger()
    let trade = reserve([])
    assertUnchanged {
      for reason in [
        "", "two\nlines", "\u{1b}[2J", "a\u{202e}b", String(repeating: "r", count: 257),
      ] {
        expectError(["void", trade.id, "--token", trade.token, "--reason", reason], 65)
        expectError(["resolve", trade.id, "--void", "--reason", reason], 65)
      }
    }
  }

  func testUsage_thatMakesNoSense_is64() {
    makeLedger()
    assertUnchanged {
      for arguments in [
        [], ["frobnicate"], ["bot"], ["trade"], ["status", "--frobnicate"], ["reserve"],
        ["reserve", "m"], ["reserve", "m", "--side", "hold", "--symbol", "B", "--quantity", "1"],
        ["reserve", "m", "--side", "\u{1b}[2J", "--symbol", "B", "--quantity", "1"],
        asking() + ["extra"], asking() + ["--instance", "i"], asking() + ["--epoch", "1"],
        ["bot", "add", "x"], ["bot", "add", "x", "--cooldown", "1m", "--in-doubt", "guess"],
        ["bot", "set", "m"], ["init", "--mode", "dead"], ["trades", "--status", "\u{202e}lost"],
        ["trades", "--all", "--limit", "3"], ["trades", "--csv", "--ndjson"],
        ["trades", "--since", "1h", "--from", "2025-01-01T00:00:00Z"],
        ["resolve", "1", "--reason", "x"], ["resolve", "1", "--filled", "--void", "--reason", "x"],
        ["resolve", "1", "--void", "--price", "1", "--reason", "x"],
        ["resolve", "1", "--key", "k", "--void", "--reason", "x"], ["trade", "show"],
        ["status", "--color", "mauve"], ["void", "1", "--token", "0123456789abcdef"],
      ] {
        expectError(arguments, 64)
      }
    }
    expectError(["status"], 64, db: "")
  }
}
