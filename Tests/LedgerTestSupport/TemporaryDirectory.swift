internal import Foundation

/// A private directory (mode 0700) that goes away with the value.
public final class TemporaryDirectory: Sendable {
  public let path: String

  public init() {
    var template = Array((NSTemporaryDirectory() + "tradeledger-test-XXXXXX").utf8CString)
    guard mkdtemp(&template) != nil else { fatalError("no temporary directory") }
    path = String(
      decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  public func file(_ name: String) -> String { path + "/" + name }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
