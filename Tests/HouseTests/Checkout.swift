import Foundation
import XCTest

/// The files of the checkout that these tests belong to.
enum Checkout {
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// A text file, read whole.
  struct File {
    /// From the root, for example `Sources/SQLite/Value.swift`.
    let path: String
    let text: String
    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
    var name: String { String(path.split(separator: "/").last ?? "") }
  }

  static func file(_ path: String) throws -> File {
    File(
      path: path,
      text: try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8))
  }

  /// The files under `folder` whose names end in one of `suffixes`, in a fixed order. An empty
  /// answer fails the test: a check that looked at nothing has not passed.
  static func files(_ folder: String, _ suffixes: [String] = [".swift"]) throws -> [File] {
    let paths = try FileManager.default
      .subpathsOfDirectory(atPath: root.appendingPathComponent(folder).path)
      .filter { path in suffixes.contains { path.hasSuffix($0) } && !isMade(path) }
      .map { folder + "/" + $0 }.filter(isFile).sorted()
    XCTAssertFalse(paths.isEmpty, "no \(suffixes) in \(folder)")
    return try paths.map(file)
  }

  /// What builds and interpreters leave behind belongs to nobody.
  private static func isMade(_ path: String) -> Bool {
    path.contains(".build") || path.contains("__pycache__")
  }

  private static func isFile(_ path: String) -> Bool {
    var isDirectory: ObjCBool = false
    let full = root.appendingPathComponent(path).path
    return FileManager.default.fileExists(atPath: full, isDirectory: &isDirectory)
      && !isDirectory.boolValue
  }
}

extension Checkout.File {
  /// The lines with their numbers, without comments. Good enough for this project: no block
  /// comments, and `//` inside a string literal only in addresses.
  var codeLines: [(number: Int, text: Substring)] {
    lines.enumerated().compactMap { offset, line in
      let code = line.firstRange(of: "//").map { line[..<$0.lowerBound] } ?? line
      return code.allSatisfy(\.isWhitespace) ? nil : (offset + 1, code)
    }
  }

  /// Where `pattern` matches in the code, as `path:line: text`.
  func matches(_ pattern: Regex<AnyRegexOutput>) -> [String] {
    codeLines.filter { $0.text.contains(pattern) }.map { "\(path):\($0.number): \($0.text)" }
  }
}
