internal import ArgumentParser
internal import TradeLedger

/// The names that a shell offers: those in the ledger that the command line speaks of. Reads only,
/// waits for nobody, and says nothing where that fails.
enum LiveNames {
  static let bots = CompletionKind.custom { words, _, prefix in
    ask(words, prefix) { ledger in try await ledger.status().bots.map { $0.bot.name.description } }
  }

  static let instances = CompletionKind.custom { words, _, prefix in
    ask(words, prefix) { ledger in try await ledger.instances().map { $0.name.description } }
  }

  private static func ask(
    _ words: [String], _ prefix: String,
    _ names: @escaping @Sendable (Ledger) async throws -> [String]
  ) -> [String] {
    guard let path = path(words) ?? environment("TRADELEDGER_DB") else { return [] }
    let found = LedgerThread.onThisThread { thread in
      var options = Ledger.Options()
      options.access = .readOnly
      options.lockWait = .milliseconds(100)
      options.thread = thread
      guard let ledger = try? await Ledger.open(path, options: options) else { return [String]() }
      let found = try? await names(ledger)
      await ledger.close()
      return found ?? []
    }
    let offered = found.filter { $0.hasPrefix(prefix) && $0 == escaped($0) }
    // To zsh, what follows a colon is a description.
    guard CompletionShell.requesting == .zsh else { return offered }
    return offered.map { $0.replacing(":", with: "\\:") }
  }

  /// The last `--db` of the line.
  private static func path(_ words: [String]) -> String? {
    for (index, word) in words.enumerated().reversed() {
      if word.hasPrefix("--db=") { return String(word.dropFirst(5)) }
      if word == "--db", index + 1 < words.count { return words[index + 1] }
    }
    return nil
  }
}
