#if PostgreSQL
  /// A digest of each object of a schema on a server, by its name: "trigger trade_new on trades".
  struct ServerFingerprint: Equatable {
    private let digests: [Substring: Substring]

    /// - Parameter text: what `ServerStatements.fingerprint` answers.
    init(_ text: String) {
      var digests: [Substring: Substring] = [:]
      for line in text.split(separator: "\n") {
        let tab = line.lastIndex(of: "\t") ?? line.endIndex
        digests[line[..<tab]] = line[tab...].dropFirst()
      }
      self.digests = digests
    }

    /// What `schema.postgres.sql` makes, by `schema.postgres.fingerprint`.
    static let shipped = ServerFingerprint(
      String(decoding: PackageResources.schema_postgres_fingerprint, as: UTF8.self))

    func has(_ object: String) -> Bool { digests[Substring(object)] != nil }

    /// The objects in which the two are not the same, in the order of their names.
    func objects(unlike other: ServerFingerprint) -> [Substring] {
      Set(digests.keys).union(other.digests.keys).filter { name in
        // A view's text is left out where the server is later than the last that was tried.
        let isText = name.hasPrefix("text of ")
        return digests[name] != other.digests[name]
          && !(isText && (digests[name] == nil || other.digests[name] == nil))
      }.sorted()
    }

    /// What is not as it was shipped, in words. Empty: nothing.
    var alterations: [String] {
      objects(unlike: .shipped).map { name in
        let words =
          digests[name] == nil
          ? "is missing"
          : ServerFingerprint.shipped.digests[name] == nil
            ? "does not belong to it" : "was changed"
        return "\(escaped(name)) \(words)"
      }
    }
  }

  extension LedgerError {
    static func altered(
      _ alterations: [String], _ place: String,
      hint: String = "somebody changed the rules of this ledger; an operator makes them as they "
        + "were with `tradeledger init --repair`. Nothing was written"
    ) -> LedgerError {
      let shown = 20
      let more = alterations.count - shown
      return LedgerError(
        .schemaAltered,
        "the schema of \(quoted(place)) was altered: "
          + alterations.prefix(shown).joined(separator: "; ") + (more > 0 ? "; \(more) more" : ""),
        hint: hint)
    }
  }
#endif
