import Foundation
import LedgerTestSupport
import XCTest

/// What the README and the pages of docs/ tell a reader to type works, and prints what they say.
///
/// A comment in front of a code block makes it part of this test:
///
///     <!-- run -->            the block is run and must end with 0
///     <!-- run: exit 1 -->    the block, one command, must end with 1
///     <!-- run: python -->    the block is given to python3
///     <!-- prints -->         the block before it printed these lines, in this order
///     <!-- builds -->         scripts/consumer builds it
///     <!-- from: PATH -->     these lines stand so in that file, which is built elsewhere
///     <!-- not run: WHY -->   it is not run here, for a reason that says what runs it instead
///
/// All blocks of a page run in order, in one shell, in an empty directory, with the built program
/// and the Python client in place. Numbers, times and keys in an output may differ, words may not.
/// A line `...` stands for any lines, `...` at the end of a line for any words.
final class DocumentTests: XCTestCase {
  private struct Block {
    let mark: String
    let language: String
    let line: Int
    let text: String
  }

  private struct Command {
    let block: Block
    /// What it must print, if that was said.
    var expected: Block?
    var exit: Int { Int(block.mark.drop { !("0"..."9").contains($0) }) ?? 0 }
  }

  /// The pages that a reader follows.
  private func pages() throws -> [Checkout.File] {
    try [Checkout.file("README.md")]
      + Checkout.files("docs", [".md"]).filter { !$0.path.contains("/decisions/") }
      + Checkout.files("Sources/TradeLedger/TradeLedger.docc", [".md"])
  }

  func testEveryMarkedBlock_doesWhatItSays() throws {
    for page in try pages() { try run(page) }
  }

  /// A block that nobody runs is a block that will be wrong one day.
  func testEveryBlockOfCode_isRunOrSaysWhyNot() throws {
    for page in try pages() {
      for block in blocks(in: page) where ["sh", "swift", "python"].contains(block.language) {
        let isMarked =
          block.mark == "builds" || block.mark.hasPrefix("run")
          || block.mark.hasPrefix("not run: ") || block.mark.hasPrefix("from: ")
        XCTAssertTrue(isMarked, "\(page.path):\(block.line): mark it run, builds or not run: WHY")
      }
    }
    XCTAssertGreaterThan(try commands(in: Checkout.file("README.md")).count, 3)
  }

  /// What a page quotes from a file stands there, line for line but for the margin.
  func testEveryQuotedBlock_standsInItsFile() throws {
    var quoted = 0
    for page in try pages() {
      for block in blocks(in: page) where block.mark.hasPrefix("from: ") {
        let source = try Checkout.file(String(block.mark.dropFirst("from: ".count)))
        XCTAssertTrue(
          withoutMargin(source.text).contains(withoutMargin(block.text)),
          "\(page.path):\(block.line): \(source.path) does not say so")
        quoted += 1
      }
    }
    XCTAssertGreaterThan(quoted, 0)
  }

  private func withoutMargin(_ text: String) -> String {
    "\n"
      + text.split(separator: "\n").map { $0.drop { $0 == " " } }.joined(separator: "\n") + "\n"
  }

  private func run(_ page: Checkout.File) throws {
    let commands = commands(in: page)
    guard !commands.isEmpty else { return }
    let directory = TemporaryDirectory()
    let folder = (BuiltBinary.path as NSString).deletingLastPathComponent
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    let script = directory.file("readme.sh")
    try shellScript(commands, directory).write(toFile: script, atomically: true, encoding: .utf8)
    let result = BuiltBinary.run(
      "bash", [script],
      environment: [
        "PATH": folder + ":" + path, "TRADELEDGER_DB": "",
        "PYTHONPATH": Checkout.root.appendingPathComponent("clients/python").path,
      ],
      timeout: 240)

    for (number, command) in commands.enumerated() {
      let place = "\(page.path):\(command.block.line)"
      guard let printed = section(number, of: result.stdout) else {
        XCTFail("\(place): did not end\n\(result.stdout.suffix(2000))\n\(result.stderr)")
        return
      }
      XCTAssertEqual(printed.exit, command.exit, "\(place): \(printed.text)")
      if let expected = command.expected {
        if let missing = firstMissing(of: expected.text, in: printed.text) {
          XCTFail("\(page.path):\(expected.line): '\(missing)' is not printed:\n\(printed.text)")
        }
      }
    }
  }

  /// One script, so that variables and the directory go from block to block.
  private func shellScript(_ commands: [Command], _ directory: TemporaryDirectory) throws -> String
  {
    try FileManager.default.createDirectory(
      atPath: directory.file("work"), withIntermediateDirectories: false,
      attributes: [.posixPermissions: 0o700])
    var script = "unset TRADELEDGER_DB\ncd '\(directory.file("work"))'\nexec 2>&1\n"
    for (number, command) in commands.enumerated() {
      let text = command.block.text
      let isPython = command.block.mark.contains("python")
      let body = isPython ? "python3 - <<'END-OF-BLOCK'\n\(text)\nEND-OF-BLOCK" : text
      // A failure in the middle of a block ends the script, unless it is the one that is expected.
      script += """
        echo '@@begin \(number)'
        \(command.exit == 0 ? "set -e" : "set +e")
        \(body)
        echo "@@end \(number) $?"

        """
    }
    return script
  }

  private func section(_ number: Int, of output: String) -> (text: String, exit: Int)? {
    guard let begin = output.range(of: "@@begin \(number)\n"),
      let end = output.range(of: "@@end \(number) ", range: begin.upperBound..<output.endIndex)
    else { return nil }
    let exit = output[end.upperBound...].prefix { $0 != "\n" }
    return (String(output[begin.upperBound..<end.lowerBound]), Int(exit) ?? -1)
  }

  /// The first line of `expected` that does not come, in this order, among the lines of `printed`.
  private func firstMissing(of expected: String, in printed: String) -> Substring? {
    var rest = printed.split(separator: "\n")[...]
    var maySkip = false
    for line in expected.split(separator: "\n") {
      if line == "..." {
        maySkip = true
        continue
      }
      guard let found = rest.firstIndex(where: { matches(line, $0) }),
        maySkip || found == rest.startIndex
      else { return line }
      rest = rest[(found + 1)...]
      maySkip = false
    }
    return maySkip || rest.isEmpty ? nil : "no more than that"
  }

  private func matches(_ expected: Substring, _ printed: Substring) -> Bool {
    if expected.hasSuffix(" ...") {
      return normalized(printed).hasPrefix(normalized(expected.dropLast(3)))
    }
    return normalized(expected) == normalized(printed)
  }

  /// The words of a line, with everything that has a digit in it made the same.
  private func normalized(_ line: Substring) -> String {
    line.split(separator: " ").map { $0.contains(where: \.isNumber) ? "#" : $0 }
      .joined(separator: " ")
  }

  private func commands(in file: Checkout.File) -> [Command] {
    var commands: [Command] = []
    for block in blocks(in: file) {
      if block.mark == "prints" {
        XCTAssertFalse(commands.isEmpty, "\(file.path):\(block.line): nothing ran before it")
        if !commands.isEmpty { commands[commands.count - 1].expected = block }
      } else if block.mark.hasPrefix("run") {
        commands.append(Command(block: block))
      }
    }
    return commands
  }

  private func blocks(in file: Checkout.File) -> [Block] {
    var blocks: [Block] = []
    var mark: String?
    var open: (mark: String, language: String, line: Int, text: [Substring])?
    for (offset, line) in file.lines.enumerated() {
      if line.hasPrefix("```") {
        if let ended = open {
          blocks.append(
            Block(
              mark: ended.mark, language: ended.language, line: ended.line,
              text: ended.text.joined(separator: "\n")))
          open = nil
        } else {
          open = (mark ?? "", String(line.dropFirst(3)), offset + 1, [])
        }
        mark = nil
      } else if open != nil {
        open?.text.append(line)
      } else if let found = line.firstMatch(
        of: /^<!-- ((?:run|prints|builds|not run|from)[^>]*?) -->$/)
      {
        mark = String(found.1)
      }
    }
    XCTAssertNil(open, "a code block of \(file.path) does not end")
    return blocks
  }
}
