import Foundation
import LedgerTestSupport
import TradeLedger
import XCTest

/// A case of Tests/Conformance: what is asked of a ledger, what is answered, and what stands in the
/// file afterwards. The Python client plays the same ones.
struct Case: Decodable {
  let name: String
  let steps: [Step]
  let rows: [String]

  struct File: Decodable { let cases: [Case] }

  static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Conformance")

  /// All cases, with the file that each stands in.
  static func all() throws -> [(file: String, case: Case)] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".json") }.sorted()
      .flatMap { name in
        let data = try Data(contentsOf: folder.appendingPathComponent(name))
        return try JSONDecoder().decode(File.self, from: data).cases.map { (name, $0) }
      }
  }
}

/// One step. What is not given is as in every other step. Times and intervals in microseconds.
struct Step: Decodable {
  let `do`: String
  var bot: String?
  var side: String?
  var symbol: String?
  var quantity: String?
  var price: String?
  var key: String?
  var token: String?
  var instance: String?
  var epoch: Int64?
  var filledPrice: String?
  var filledQuantity: String?
  var at: Int64?
  var reason: String?
  /// The name that the permit gets, and by which a later step means it.
  var `as`: String?
  var of: String?
  var trade: Int64?
  /// For the clock.
  var us: Int64?
  var boot: String?
  /// For the bot.
  var cooldown: Int64?
  var lease: Int64?
  var inDoubt: String?
  var enabled: Bool?
  /// nil: nothing is asked.
  var expect: [String: Word]?

  private enum CodingKeys: String, CodingKey {
    case `do`, bot, side, symbol, quantity, price, key, token, instance, epoch
    case filledPrice = "filled_price"
    case filledQuantity = "filled_quantity"
    case at = "at_us"
    case reason, `as`, of, trade, us, boot
    case cooldown = "cooldown_us"
    case lease = "lease_us"
    case inDoubt = "in_doubt"
    case enabled, expect
  }
}

/// A value in an answer.
enum Word: Decodable, Equatable, CustomStringConvertible {
  case null
  case bool(Bool)
  case number(Int64)
  case text(String)
  /// The answer does not say.
  case nothing

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Int64.self) {
      self = .number(value)
    } else {
      self = .text(try container.decode(String.self))
    }
  }

  init(_ value: Int64?) { self = value.map { .number($0) } ?? .null }
  init(_ value: String?) { self = value.map { .text($0) } ?? .null }

  var description: String {
    switch self {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .number(let value): "\(value)"
    case .text(let value): "'\(value)'"
    case .nothing: "nothing"
    }
  }
}

/// What was answered, in the words of the cases.
struct Told {
  var words: [String: Word]

  static let start = Timestamp(microseconds: 1_757_276_933_000_000)

  static func sinceStart(_ instant: Timestamp?) -> Word {
    Word(instant.map { $0.microseconds - start.microseconds })
  }

  init(_ outcome: String, _ trade: Trade, _ more: [String: Word] = [:]) {
    words = more.merging([
      "outcome": .text(outcome), "trade": .number(trade.id.value),
      "status": .text(trade.status.rawValue), "late": .bool(trade.isLate),
      "superseded": .bool(trade.isSuperseded), "filled_at": Told.sinceStart(trade.filledAt),
      "filled_price": Word(trade.filledPrice?.description),
      "filled_quantity": Word(trade.filledQuantity?.description),
    ]) { given, _ in given }
  }

  init(_ denial: Denial) {
    words = [
      "outcome": .text("denied"), "reason": .text(denial.reason.rawValue),
      "transient": .bool(denial.isTransient), "winner": Word(denial.winner?.id.value),
      "retry_after_us": Word(denial.retryAfter?.wholeMicroseconds),
      "clock_behind_us": Word(denial.clockBehind?.wholeMicroseconds),
      "holder_epoch": Word(denial.holder?.instance?.epoch.value),
    ]
  }

  init(_ error: LedgerError) {
    words = [
      "outcome": .text("error"), "code": .text(error.code.description),
      "retry": .text(error.retry.rawValue),
    ]
  }

  static let admissible = Told(words: ["outcome": .text("admissible")])

  private init(words: [String: Word]) { self.words = words }
}
