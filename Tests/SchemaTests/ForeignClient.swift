import Foundation
import LedgerTestSupport
import XCTest

/// Files of these tests, and the clients of other languages that they start.
enum ForeignClient {
  /// The top-level `schema.sql`.
  static let schemaPath = folder(#filePath, up: 3) + "/schema.sql"
  static let schema = (try? String(contentsOfFile: schemaPath, encoding: .utf8)) ?? ""

  static func fixture(_ name: String) -> String { folder(#filePath, up: 1) + "/Fixtures/" + name }

  private static func folder(_ path: String, up levels: Int) -> String {
    (0..<levels).reduce(path) { path, _ in (path as NSString).deletingLastPathComponent }
  }

  /// Runs a script of `Fixtures` under python3 and decodes what it prints.
  static func python<T: Decodable>(
    _ script: String, _ arguments: [String], as type: T.Type = T.self
  ) throws -> T {
    let result = BuiltBinary.run("python3", [fixture(script)] + arguments, timeout: 300)
    guard result.status == 0 else {
      throw Failure("python3 \(script) ended with \(result.status): \(result.stderr)")
    }
    return try JSONDecoder().decode(type, from: Data(result.stdout.utf8))
  }

  /// Runs statements in the sqlite3 shell on an empty database in memory.
  static func shell(_ script: String) throws -> BuiltBinary.Result {
    let result = BuiltBinary.run("sqlite3", ["-batch", ":memory:"], stdin: script, timeout: 60)
    guard result.status != 127 else { throw Failure("the sqlite3 shell is not installed") }
    return result
  }

  struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
  }
}

/// What the Python client reads.
struct CorpusFile: Encodable {
  let schema = ForeignClient.schema
  let base = Corpus.base
  let life = State.void + [SQL.conflict()] + State.restored
  let attacks = Corpus.attacks

  /// Writes it into `directory` and gives the path.
  func write(into directory: TemporaryDirectory) throws -> String {
    let path = directory.file("corpus.json")
    try JSONEncoder().encode(self).write(to: URL(fileURLWithPath: path))
    return path
  }
}
