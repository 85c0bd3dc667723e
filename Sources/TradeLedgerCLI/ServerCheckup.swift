internal import TradeLedger

/// What `doctor` says of a ledger on a server: the server looks after its files by itself.
struct ServerCheckup {
  let name: String
  let opened: Result<Checkup.Opened, LedgerError>

  static func of(_ global: GlobalOptions) async throws -> ServerCheckup {
    ServerCheckup(
      name: Ledger.displayName(of: try global.path()), opened: try await Checkup.open(global))
  }

  var findings: [Finding] {
    switch opened {
    case .failure(let error):
      return [Finding("ledger", .fail, error.message, do: error.hint)]
    case .success(let opened):
      guard let server = opened.diagnosis.server else { return [] }
      let diagnosis = opened.diagnosis
      return [
        Finding(
          "ledger", .ok,
          "a \(diagnosis.mode.rawValue) ledger of layout \(diagnosis.schemaVersion), object for "
            + "object as it was shipped"),
        Finding("server", .ok, "PostgreSQL \(server.version)"), encryption(server), role(server),
        primary(server), durability(server), copies(server), isolation(server),
        clock(server, diagnosis), Checkup.instances(opened.instances),
        Checkup.trades(opened.status),
      ]
    }
  }

  private func encryption(_ server: ServerDiagnosis) -> Finding {
    if let encryption = server.encryption { return Finding("encryption", .ok, encryption) }
    return Finding(
      "encryption", .note, "the connection is not encrypted",
      do: "where it leaves the machine, add sslmode=verify-full to the URL")
  }

  private func role(_ server: ServerDiagnosis) -> Finding {
    server.isOwner
      ? Finding(
        "role", .note, "\(server.role) owns the ledger and may rewrite its history",
        do: "let workers connect as a role that has tradeledger_worker alone")
      : Finding("role", .ok, "\(server.role) may trade, and cannot rewrite history")
  }

  private func primary(_ server: ServerDiagnosis) -> Finding {
    server.isStandby
      ? Finding(
        "primary", .warn, "this server is a read-only standby", do: "name the primary in the URL")
      : Finding("primary", .ok, "this server takes writes")
  }

  private func durability(_ server: ServerDiagnosis) -> Finding {
    guard server.keepsAnswers else {
      return Finding(
        "durability", .fail, "fsync or full_page_writes is off: a power cut takes answers back",
        do: "set both on in postgresql.conf")
    }
    guard server.synchronousCommit != "off" else {
      return Finding(
        "durability", .fail, "synchronous_commit is off: a crash takes answers back",
        do: "set it on for the role, the database or the server")
    }
    return Finding("durability", .ok, "synchronous_commit is \(server.synchronousCommit)")
  }

  private func copies(_ server: ServerDiagnosis) -> Finding {
    let waits = !server.synchronousStandbys.isEmpty && server.synchronousCommit != "local"
    return waits
      ? Finding("standbys", .ok, "answers wait for \(server.synchronousStandbys)")
      : Finding(
        "standbys", .note, "answers wait for no standby",
        do: "a standby that is promoted then lacks the latest ones: set synchronous_standby_names")
  }

  private func isolation(_ server: ServerDiagnosis) -> Finding {
    server.isolation == "read committed"
      ? Finding("isolation", .ok, server.isolation)
      : Finding(
        "isolation", .fail,
        "transactions are \(server.isolation) here, so that every write is refused",
        do: "set default_transaction_isolation of the role to 'read committed'")
  }

  /// The ledger goes by the server's clock alone; a permit's lease is measured on this machine's.
  private func clock(_ server: ServerDiagnosis, _ diagnosis: Diagnosis) -> Finding {
    if let newest = diagnosis.newestTrade, newest.wall > diagnosis.clock.wall {
      return Finding(
        "clock", .warn,
        "the newest trade lies \(newest.wall.elapsed(since: diagnosis.clock.wall).readable) in the "
          + "server's future",
        do: "set the server's clock right; until then cooldowns last longer by that")
    }
    let apart = max(server.clockAhead, server.clockBehind)
    let way = server.clockAhead > .zero ? "ahead of" : "behind"
    guard apart < .seconds(1) else {
      return Finding(
        "clock", .note,
        "the server's clock is \(apart.readable) \(way) this machine's",
        do: "times that this machine gives for fills are off by that")
    }
    return Finding("clock", .ok, "\(diagnosis.clock.wall), by the server")
  }
}
