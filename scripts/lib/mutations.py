"""The mutations of scripts/mutate: each breaks one rule, and names the tests that must notice.
Those at the end must be noticed by the simulator, in one run of a few seconds.

A patch is (file, old, new); `old` must stand exactly once in the file, so that a change of the
sources cannot turn a mutation into nothing. Where a rule stands in Swift and in SQL, each half is
broken alone: the other half must not hide it.
"""
import os
from dataclasses import dataclass

TRANSACTION = "Sources/SQLite/Transaction.swift"
CONNECTION = "Sources/SQLite/Connection.swift"
ENGINE = "Sources/TradeLedger/Engine/SQLite/SQLiteEngine.swift"
WRITING = "Sources/TradeLedger/Engine/SQLite/SQLiteEngine+Writing.swift"
BATCH = "Sources/TradeLedger/Engine/SQLite/SQLiteEngine+Batch.swift"
REFUSAL = "Sources/TradeLedger/Engine/SQLite/SQLiteEngine+Refusal.swift"
BOARD = "Sources/TradeLedger/Engine/SQLite/Sharing/SyncBoard.swift"
ADMIT = "Sources/TradeLedger/Engine/SQLite/SQLiteEngine+Admission.swift"
STATEMENTS = "Sources/TradeLedger/Engine/SQLite/Statements.swift"
COOLDOWN = "Sources/TradeLedger/Rules/Cooldown.swift"
ADMISSION = "Sources/TradeLedger/Rules/Admission.swift"
WITH_TRADE = "Sources/TradeLedger/Ledger+WithTrade.swift"
SETTLING = "Sources/TradeLedger/Rules/Settling.swift"
HOLDER = "Sources/TradeLedger/Rules/HolderRule.swift"
INSTANCES = "Sources/TradeLedger/Engine/SQLite/SQLiteEngine+Instances.swift"
RANDOM = "Sources/CLedgerSystem/Random.c"
READER = "Sources/TradeLedger/Engine/SQLite/AdmissionReader.swift"
LOG = "Sources/SQLite/LogSync.swift"
IMPORT = "Sources/TradeLedgerCLI/Commands/Import.swift"
TABLE = "Sources/TradeLedgerCLI/Rendering/Table.swift"
PAGE_FILE = "Sources/TradeLedgerCLI/PageFile.swift"
FIGURES = "Sources/TradeLedger/Engine/SQLite/Statements+Upkeep.swift"
CHECKUP = "Sources/TradeLedgerCLI/Checkup.swift"
WATCH = "Sources/TradeLedgerCLI/StatusWatch.swift"
FRAME = "Sources/TradeLedgerCLI/Rendering/StatusFrame.swift"
BACKUP = "Sources/TradeLedger/Ledger+Backup.swift"
REPLACED = "Sources/TradeLedger/Engine/SQLite/Upkeep/ReplacedLedger.swift"
RESTORING = "Sources/TradeLedger/Engine/SQLite/SQLiteEngine+Restoring.swift"
OPEN = "Sources/TradeLedger/Engine/SQLite/SQLiteEngine+Open.swift"
FILE = "Sources/TradeLedger/Engine/SQLite/LedgerFile.swift"
PYTHON = "clients/python/tradeledger.py"
SCHEMA = "schema.sql"
SERVER_SCHEMA = "schema.postgres.sql"


@dataclass(frozen=True)
class Mutation:
    name: str
    breaks: str
    patches: tuple
    tests: tuple

    @property
    def kind(self):
        """Whose tests must notice: Swift's, the Python client's, or the Python client's of the
        server, which need no build."""
        path = self.patches[0][0]
        if path == SERVER_SCHEMA:
            return "server"
        return "python" if path.startswith("clients/python/") else "swift"


def drop(name, tests):
    """A trigger that is not there."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    with open(os.path.join(root, SCHEMA), encoding="utf-8") as file:
        text = file.read()
    start = text.index(f"CREATE TRIGGER {name} ")
    statement = text[start:text.index(" END;\n", start) + len(" END;\n")]
    return Mutation(
        f"drop-{name}", f"the trigger `{name}` is gone", ((SCHEMA, statement, ""),), tests)


MUTATIONS = [
    Mutation(
        "drop-immediate", "a writing transaction begins without the lock",
        ((TRANSACTION, 'try run("BEGIN IMMEDIATE")', 'try run("BEGIN DEFERRED")'),),
        ("SQLiteTests", "AdmissionRaceTests")),
    Mutation(
        "read-before-lock", "admission decides by what it read before the lock",
        ((BATCH, "    let entries = work.entries\n",
          "    let entries = work.entries\n    let early = entries.map { entry -> AdmissionReader? in\n"
          "      guard case .attempt(let attempt) = entry.request else { return nil }\n"
          "      return try? AdmissionReader(state.database, attempt.order.bot, attempt,"
          " bootID: clock.now().boot?.bootID)\n    }\n"),
         (BATCH, "carryOut(entry.request, database, clock.now())",
          "carryOut(entry.request, early[index], database, clock.now())"),
         (BATCH, "    _ request: WriteRequest, _ database: LedgerDatabase, _ now: ClockReading\n",
          "    _ request: WriteRequest, _ early: AdmissionReader?, _ database: LedgerDatabase,\n"
          "    _ now: ClockReading\n"),
         (BATCH, "try admit(attempt, database, now)", "try admit(attempt, early, database, now)"),
         (ADMIT, "  func admit(\n    _ attempt: Attempt, ",
          "  func admit(\n    _ attempt: Attempt, _ early: AdmissionReader?, "),
         (ADMIT, "    let admission = try AdmissionReader(\n      database, attempt.order.bot, "
          "attempt, bootID: now.boot?.bootID)\n",
          "    guard let admission = early else { throw .bug(\"no early look\") }\n")),
        ("AdmissionRaceTests",)),
    Mutation(
        "clock-before-lock", "the clock is read before the wait for the lock",
        ((WRITING, "    let (ending, moment) = transact(wait: wait.remaining) {\n      (database, clock) "
          "throws(LedgerError) in try body(database, clock.now())\n",
          "    let early = clock.now()\n    let (ending, moment) = transact(wait: wait.remaining) {\n"
          "      (database, _) throws(LedgerError) in try body(database, early)\n"),
         (BATCH, "    let entries = work.entries\n",
          "    let entries = work.entries\n    let early = clock.now()\n"),
         (BATCH, "carryOut(entry.request, database, clock.now())",
          "carryOut(entry.request, database, early)"),
         (BATCH, "      (database, clock) throws(LedgerError) in\n",
          "      (database, _) throws(LedgerError) in\n")),
        ("ClockUnderLockTests",)),
    Mutation(
        "answer-before-sync", "an answer is given before its commit is on the disk",
        ((WRITING, "    do throws(SQLiteError) { try state.shared.makeDurable(connection, moment) } catch "
          "{\n      return error\n    }\n", "    _ = connection\n"),),
        ("SharedAccessTests", "GroupCommitTests")),
    Mutation(
        "one-answers-for-the-batch", "after a failed COMMIT the first caller's row stands for all",
        ((BATCH, "          if try !SQLiteEngine.isThere(database, answer) { return false }\n",
          "          return try SQLiteEngine.isThere(database, answer)\n"),),
        ("GroupCommitTests",)),
    Mutation(
        "no-turnstile", "processes go straight to the lock",
        ((WRITING, "    let hasTurn = state.shared.enterTurnstile(wait)\n    defer { if hasTurn { "
          "state.shared.leaveTurnstile() } }\n    let left = max(.zero, wait - (SuspendingClock.now - "
          "start))\n    let ending = database", "    let left = max(.zero, wait - (SuspendingClock.now - "
          "start))\n    let ending = database"),),
        ("SharedAccessTests",)),
    Mutation(
        "replay-before-sync", "a replay is answered before the row of another is on the disk",
        ((REFUSAL, "      try expectDurable()\n", ""),),
        ("SharedAccessTests",)),
    Mutation(
        "refusal-from-memory-alone", "a refusal is remembered although others have committed since",
        ((REFUSAL, "committed == self.committed ? bots[bot] : nil", "bots[bot]"),),
        ("RefusalMemoryTests",)),
    Mutation(
        "board-believes-early-syncs", "a sync that began before a commit answers for it",
        ((BOARD, "!note.isFailure && note.at > moment.microseconds",
          "!note.isFailure && note.at > moment.microseconds - 60_000_000"),),
        ("SharedAccessTests",)),
    Mutation(
        "board-believes-damage", "a damaged board is believed",
        ((BOARD, "guard count == Note.size, words[3] == SyncBoard.checksum(words) else",
          "guard count == Note.size else"),),
        ("SharedAccessTests",)),
    Mutation(
        "failed-sync-forgotten", "after a failed sync the board is believed again",
        ((BOARD, "if standing.identity == identity && standing.isFailure && !afterRewriting { return }",
          "_ = (standing, afterRewriting)"),),
        ("SharedAccessTests",)),
    Mutation(
        "late-caller-served", "a caller whose limit is over is carried out all the same",
        ((BATCH, "        if entry.limit.isOver && entry.limit.wasPositive { continue }\n", ""),),
        ("GroupCommitTests",)),
    Mutation(
        "less-or-equal-swift", "a cooldown that is exactly over still holds (Swift)",
        ((COOLDOWN, "guard elapsed < cooldown", "guard elapsed <= cooldown"),),
        ("CooldownRuleTests", "AdmissionTests", "CooldownScenarioTests")),
    Mutation(
        "less-or-equal-sql-wall", "a cooldown that is exactly over still holds (SQL, wall clock)",
        ((SCHEMA, "SELECT MAX(effective_at) FROM counted_trades WHERE bot_id = NEW.bot_id) < ",
          "SELECT MAX(effective_at) FROM counted_trades WHERE bot_id = NEW.bot_id) <= "),),
        ("AttackTests", "CooldownScenarioTests")),
    Mutation(
        "less-or-equal-sql-boot", "a cooldown that is exactly over still holds (SQL, boot clock)",
        ((SCHEMA, "WHERE bot_id = NEW.bot_id AND effective_boot_id = NEW.boot_id) < ",
          "WHERE bot_id = NEW.bot_id AND effective_boot_id = NEW.boot_id) <= "),),
        ("AttackTests", "CooldownScenarioTests")),
    Mutation(
        "row-by-created-swift", "the last trade is the one created last (Swift, both clocks)",
        ((STATEMENTS, "SELECT id FROM counted_trades WHERE bot_id = s.bot_id ORDER BY "
          "effective_at DESC", "SELECT id FROM counted_trades WHERE bot_id = s.bot_id ORDER BY "
          "created_at DESC"),
         (STATEMENTS, "ORDER BY effective_boot_us DESC", "ORDER BY created_boot_us DESC")),
        ("CooldownScenarioTests",)),
    Mutation(
        "row-by-created-swift-wall", "the last trade is the one created last (Swift, wall clock)",
        ((STATEMENTS, "SELECT id FROM counted_trades WHERE bot_id = s.bot_id ORDER BY "
          "effective_at DESC", "SELECT id FROM counted_trades WHERE bot_id = s.bot_id ORDER BY "
          "created_at DESC"),),
        ("WallClockScenarioTests",)),
    Mutation(
        "row-by-created-sql", "the last trade is the one created last (SQL, both clocks)",
        ((SCHEMA, "SELECT MAX(effective_at) FROM counted_trades WHERE bot_id = NEW.bot_id)",
          "SELECT effective_at FROM counted_trades WHERE bot_id = NEW.bot_id\n"
          "    ORDER BY created_at DESC LIMIT 1)"),
         (SCHEMA, "SELECT MAX(effective_boot_us) FROM counted_trades\n"
          "    WHERE bot_id = NEW.bot_id AND effective_boot_id = NEW.boot_id)",
          "SELECT effective_boot_us FROM counted_trades\n"
          "    WHERE bot_id = NEW.bot_id AND effective_boot_id = NEW.boot_id\n"
          "    ORDER BY created_boot_us DESC LIMIT 1)")),
        ("AttackTests",)),
    Mutation(
        "row-by-created-sql-wall", "the last trade is the one created last (SQL, wall clock)",
        ((SCHEMA, "SELECT MAX(effective_at) FROM counted_trades WHERE bot_id = NEW.bot_id)",
          "SELECT effective_at FROM counted_trades WHERE bot_id = NEW.bot_id\n"
          "    ORDER BY created_at DESC LIMIT 1)"),),
        ("AttackTests",)),
    Mutation(
        "ignore-pending-swift", "a pending trade stands in nobody's way (Swift)",
        ((ADMISSION, "    if let pending = facts.pending {\n      let remaining = pending.lease?"
          ".remaining(at: now) ?? .zero\n      guard remaining <= .zero else {\n",
          "    if let pending = facts.pending {\n      let remaining = pending.lease?"
          ".remaining(at: now) ?? .zero\n      guard remaining <= .seconds(1_000_000) else {\n"),),
        ("AdmissionRuleTests", "AdmissionTests", "CooldownScenarioTests")),
    Mutation(
        "ignore-pending-sql", "a pending trade stands in nobody's way (SQL)",
        ((SCHEMA, "  EXISTS (SELECT 1 FROM occupying_trades WHERE bot_id = NEW.bot_id)\n  OR ",
          "  "),),
        ("AttackTests",)),
    Mutation(
        "pending-does-not-count", "a pending trade does not count for the cooldown (SQL)",
        ((SCHEMA, "  SELECT * FROM trades WHERE status <> 'void';",
          "  SELECT * FROM trades WHERE status <> 'void' AND status <> 'pending';"),),
        ("AttackTests", "CooldownScenarioTests")),
    Mutation(
        "ignore-token-swift", "any token settles (Swift)",
        ((SETTLING, "guard token == stored.token else {",
          "guard token == stored.token || stored.token != nil else {"),),
        ("SettlingRuleTests", "LeaseScenarioTests")),
    Mutation(
        "ignore-token-sql", "any token settles (SQL)",
        ((SCHEMA, "  NEW.settled_with = OLD.token\n", "  NEW.settled_with IS NOT NULL\n"),),
        ("AttackTests",)),
    Mutation(
        "permit-on-replay", "a repeated key gets the permit, whatever token it brings",
        ((ADMISSION, "withPermit = token == same.token && ", "withPermit = token == token && "),),
        ("AdmissionRuleTests", "ReplayTests")),
    Mutation(
        "permit-on-replay-late", "a repeated key gets the permit although the lease is over",
        ((ADMISSION, "withPermit = token == same.token && same.seen(at: now).status == .pending",
          "withPermit = token == same.token"),),
        ("AdmissionRuleTests", "ReplayTests")),
    Mutation(
        "answer-before-commit", "the answer is given first and COMMIT comes with the next call",
        ((TRANSACTION, '      do throws(SQLiteError) { try run("COMMIT") } catch {\n'
          "        _ = rollbackIfOpen()\n        return .commitUnknown(value, error)\n      }\n",
          "      owesCommit = true\n"),
         (CONNECTION, "  let busy = BusyHandler()\n",
          "  let busy = BusyHandler()\n  @usableFromInline var owesCommit = false\n"),
         (CONNECTION, "    guard isOwnProcess else { throw foreignProcess(sql) }\n    let statement = try prepared(sql)\n",
          "    guard isOwnProcess else { throw foreignProcess(sql) }\n    if owesCommit {\n      owesCommit = false\n"
          '      try run("COMMIT")\n    }\n    let statement = try prepared(sql)\n')),
        ("testKill_beforeTheExchangeCall", "testKill_afterTheExchangeAccepted")),
    Mutation(
        "failed-commit-is-failed", "a COMMIT that failed is reported as not written",
        ((WRITING, "    unsettledCommit = cause\n    let isWritten = try makeFinal(cause, wait: "
          "wait) { database throws(LedgerError) in\n      try isThere(database, value)\n    }\n",
          "    let isWritten = false\n"),),
        ("FaultTests",)),
    Mutation(
        "no-look-after-commit", "a file that was moved during the COMMIT is not noticed",
        ((WRITING, "    try state.watch.expectUntouched()\n", ""),), ("LiveFileTests",)),
    Mutation(
        "instance-pid-only", "a holder is known by its pid alone, not by its start time",
        ((HOLDER, "    if details.startTicks != identity.startTicks { return .dead(.pidReused) }\n",
          ""),),
        ("HolderRuleTests", "InstanceTests")),
    Mutation(
        "instance-eperm-is-dead", "a holder that may not be signalled counts as dead",
        ((HOLDER, "if seen.answer == .noSuchProcess {", "if seen.answer != .permitted {"),),
        ("HolderRuleTests", "InstanceTests")),
    Mutation(
        "instance-zombie-by-state", "state Z alone counts as dead",
        ((HOLDER, '(state == "Z" || state == "X") && threads <= 1', 'state == "Z" || state == "X"'),),
        ("HolderRuleTests",)),
    Mutation(
        "instance-any-pid-namespace", "a pid is looked at whatever its PID namespace",
        ((HOLDER, "let identity = holder.identity, identity.pidNamespace == observer.pidNamespace,\n"
          "      identity.timeNamespace", "let identity = holder.identity,\n"
          "      identity.timeNamespace"),),
        ("HolderRuleTests", "InstanceTests")),
    Mutation(
        "instance-heartbeat-of-the-seen", "a silent holder counts as dead although it can be seen",
        ((HOLDER, "    guard let details = seen.details else { return .alive }\n",
          "    guard let details = seen.details else { return byHeartbeat(holder, machineTime) }\n"),),
        ("HolderRuleTests",)),
    Mutation(
        "instance-epoch-before-transaction", "a contender raises the epoch before its transaction",
        ((INSTANCES, "    return try write(\n      wait: wait,\n      isThere: { (database, taken: ",
          "    try state.database.run(\n      Statements.evictInstance, "
          "[.text(candidate.name.description)])\n"
          "    return try write(\n      wait: wait,\n      isThere: { (database, taken: "),),
        ("InstanceTests",)),
    Mutation(
        "instance-decided-before-lock", "a name is taken by what was seen before the lock",
        ((INSTANCES, "    if let denial = denial(stored, candidate.identity, processes, now) {\n"
          "      return .rollback(.denied(denial))\n    }\n", ""),),
        ("InstanceTests",)),
    Mutation(
        "epoch-before-lock-swift", "the epoch is compared before the lock alone (Swift)",
        ((ADMIT, "    let decision = Admission.decide(attempt, facts: admission.facts, now: now)\n"
          "    if let expired",
          "    var facts = admission.facts\n    facts.currentEpoch = attempt.instance?.epoch\n"
          "    let decision = Admission.decide(attempt, facts: facts, now: now)\n"
          "    if let expired"),),
        ("InstanceFenceTests",)),
    Mutation(
        "child-repeats-its-parent", "a forked child goes on with its parent's random bits",
        ((RANDOM, "atomic_fetch_add(&generation, 1)", "atomic_fetch_add(&generation, 0)"),),
        ("InstanceFileTests",)),
    Mutation(
        "conflicts-unread", "a fill that came after a void is not looked at before the lock",
        ((READER, "    if found.hasConflicts {\n", "    if found.hasConflicts && false {\n"),),
        ("TradeLedgerTests",)),
    Mutation(
        "restores-unread", "the library does not know that the ledger was restored",
        ((READER, "    facts.restores = database.restores\n", ""),),
        ("RestoreTests",)),
    Mutation(
        "foreign-restore-unread", "a restore that a foreign client enters is an internal error",
        ((ADMIT, "        try state.learnRestores()\n", "        try state.learnRestores() && false\n"),),
        ("CooldownScenarioTests",)),
    Mutation(
        "log-not-rewritten", "after a sync that failed the log is synced again, and not written",
        ((LOG, "    while code == SQLITE_OK && offset < size {\n",
          "    while code == SQLITE_OK && offset < size && false {\n"),),
        ("FaultTests",)),
    Mutation(
        "import-known-by-key-alone", "a key that names another trade is passed over as known",
        (("Sources/TradeLedger/Engine/FactReview.swift",
          "    return fact.isSaid(by: found) ? .known : .conflict(found.id)\n",
          "    return .known\n"),),
        ("ImportTests", "PastFactTests")),
    Mutation(
        "import-not-all-or-nothing", "rejected rows are left out without being asked for",
        ((IMPORT, "report.isRefused = !report.rejected.isEmpty && !partial",
          "report.isRefused = false"),),
        ("ImportTests",)),
    Mutation(
        "import-adds-bots-unasked", "bots that are missing are added with a cooldown of zero",
        ((IMPORT, "review.missingBots.isEmpty || settings != nil else {",
          "review.missingBots.isEmpty || settings != nil || true else {"),
         (IMPORT, "        settings.map { Bot(name: name, settings: $0) }\n",
          "        (settings ?? (try? BotSettings(cooldown: .zero))).map {\n"
          "          Bot(name: name, settings: $0)\n        }\n")),
        ("ImportTests",)),
    Mutation(
        "export-formula", "a cell that starts with a formula's sign is written as it is",
        ((TABLE, 'let safe = starts == true ? "\'" + text : text', "let safe = text"),),
        ("ExportTests",)),
    Mutation(
        "export-formula-behind-apostrophe", "an apostrophe that was there hides a formula",
        ((TABLE, 'text.unicodeScalars.first { $0 != "\'" }', "text.unicodeScalars.first"),),
        ("ExportTests",)),
    Mutation(
        "metrics-written-in-place", "the file of the metrics is written where it is read",
        ((PAGE_FILE, '      template = Array("\\(path).XXXXXX".utf8CString)\n'
          "      descriptor = unsafe mkstemp(&template)\n",
          "      template = Array(path.utf8CString)\n"
          "      descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)\n"),),
        ("MetricsTests",)),
    Mutation(
        "metrics-count-the-past", "a double trade of an import wakes somebody up",
        ((FIGURES, " AND t.origin <> 'past' AND before_origin <> 'past'\n", "\n"),),
        ("MetricsTests",)),
    Mutation(
        "doctor-skips-integrity", "a damaged page is no finding of the doctor",
        ((CHECKUP, '    diagnosis.integrity == "ok"\n', '    diagnosis.integrity != ""\n'),),
        ("DoctorTests",)),
    Mutation(
        "doctor-trusts-the-directory", "a directory that others may write to is no finding",
        ((CHECKUP, "      if directory.mode & allowed != 0 {",
          "      if directory.mode & allowed != 0 && false {"),),
        ("DoctorTests",)),
    Mutation(
        "doctor-passes-a-stopped-writer", "a stopped holder of the write lock is no finding",
        ((CHECKUP, "    return writer.isStopped\n", "    return writer.isStopped && false\n"),),
        ("DoctorTests",)),
    Mutation(
        "watch-shows-the-first-look", "the screen of status --watch stands still",
        ((WATCH, "      case .nothing, .signal(SIGCONT): look = await attempt()\n",
          "      case .nothing, .signal(SIGCONT): _ = await attempt()\n"),),
        ("WatchTests",)),
    Mutation(
        "watch-keeps-the-terminal", "the terminal is not given back",
        ((WATCH, "    } while !isLast(ending)\n    screen.leave()\n    try end(ending, look)\n",
          "    } while !isLast(ending)\n    try end(ending, look)\n"),),
        ("WatchTests",)),
    Mutation(
        "watch-hides-the-doubtful", "bots with a trade in doubt stand where they stand",
        ((FRAME, "    !bot.inDoubt.isEmpty ? 0 : bot.pending != nil ? 1 : 2\n", "    2\n"),),
        ("WatchTests",)),
    Mutation(
        "backup-not-verified", "a backup gets its name without having been opened",
        ((BACKUP, "      let found = try await verify(new.file.path, copy)\n",
          "      let found = (trades: copy.trades, conflicts: copy.conflicts, findings: 0)\n"),),
        ("BackupTests",)),
    Mutation(
        "restore-beside-users", "a ledger is replaced although a process has it open",
        ((REPLACED, "    guard found.users.isEmpty else { throw inUse(path, found) }\n", ""),),
        ("RestoreTests",)),
    Mutation(
        "restore-beside-work", "a ledger is replaced although a name is held or a trade pending",
        ((REPLACED, "    try expectNobodyAtWork(found, options)\n", ""),),
        ("RestoreTests",)),
    Mutation(
        "restore-without-mark", "a restore leaves no row, so that nobody waits a cooldown",
        ((RESTORING, "        try database.run(\n          Statements.insertRestore,\n          [\n"
          "            .integer(now.wall.microseconds), .text(now.boot?.bootID),\n"
          "            .integer(now.boot?.microseconds),\n          ])\n", ""),),
        ("RestoreTests",)),
    Mutation(
        "restore-keeps-epochs", "epochs stay as they were in the replaced ledger",
        ((RESTORING, "max(epoch, others[name] ?? 0) + 1", "max(epoch, others[name] ?? 0)"),),
        ("RestoreTests",)),
    Mutation(
        "restore-epochs-of-the-backup", "epochs go up from the backup's, not from the ledger's",
        ((RESTORING, "max(epoch, others[name] ?? 0) + 1", "epoch + 1"),),
        ("RestoreTests",)),
    Mutation(
        "open-of-a-replaced-ledger", "a ledger that was replaced while it was opened is used",
        ((OPEN, "    try expectInPlace(database)\n    // From here on", "    // From here on"),),
        ("LedgerFileTests",)),
    Mutation(
        "migration-of-a-replaced-ledger", "one of an older layout is migrated into the new one's log",
        ((OPEN, "    try expectInPlace(database)\n    try install", "    try install"),),
        ("LedgerFileTests",)),
    Mutation(
        "file-mounted-by-itself", "a ledger may have another log at each place of its file",
        ((FILE, "    guard !isMountPoint else {\n", "    guard !isMountPoint || true else {\n"),),
        ("LedgerFileTests",)),
    Mutation(
        "board-of-root", "what root leaves beside a ledger is of no use to its owner",
        ((BOARD, "if geteuid() == 0, let owner {", "if geteuid() == 0, let owner, owner.user == 0 {"),),
        ("SharedAccessTests",)),
    Mutation(
        "doctor-wants-one-user", "a ledger that a group shares is found wrong",
        ((CHECKUP, "      if !isShared && file.user", "      if file.user"),),
        ("DoctorTests",)),
    Mutation(
        "doctor-of-another-group", "a log that is closed to the group is no finding",
        ((CHECKUP, "      if isShared && (file.group", "      if isShared && false && (file.group"),),
        ("DoctorTests",)),
    Mutation(
        "python-of-a-replaced-ledger", "the Python client uses what was replaced while it opened it",
        ((PYTHON, "        if not os.path.samestat(found, main):\n",
          "        if not os.path.samestat(found, main) and False:\n"),),
        ("test_file",)),
    Mutation(
        "python-file-mounted-by-itself", "a file that is mounted by itself is opened",
        ((PYTHON, "    if _is_mount_point(real):\n", "    if _is_mount_point(real) and False:\n"),),
        ("test_file",)),
    Mutation(
        "python-lock-of-nobody", "an exception of a signal's handler leaves a ledger locked for ever",
        ((PYTHON, "        is_first = False\n        try:\n            # At work",
          "        is_first = False\n        if not self._lock.acquire(timeout=wait.left):\n"
          "            raise _bug(\"busy\")\n        self._lock.release()\n"
          "        try:\n            # At work"),),
        ("test_file",)),
    Mutation(
        "python-gate-of-nobody", "an exception of a signal's handler leaves the turnstile closed",
        ((PYTHON, "            self._entered = self._set\n            code = self._pass(wait)\n",
          "            code = self._pass(wait)\n            self._entered = self._set\n"),),
        ("test_file",)),
    Mutation(
        "python-call-in-a-call", "a handler's call works within the transaction of another",
        ((PYTHON, "timeout=wait.left) or self._is_at_work:", "timeout=wait.left):"),),
        ("test_file",)),
    Mutation(
        "python-deferred", "a writing transaction of the Python client begins without the lock",
        ((PYTHON, '            database.rows("BEGIN IMMEDIATE", (), wait)\n            try:\n',
          '            database.rows("BEGIN DEFERRED", (), wait)\n            try:\n'),),
        ("test_file", "test_trading")),
    Mutation(
        "python-permit-on-replay", "a repeated key gets the permit, whatever token it brings",
        ((PYTHON, "fill is None and attempt.token == same.token and ", "fill is None and "),),
        ("test_conformance", "test_trading")),
    Mutation(
        "python-across-a-fork", "a forked child goes on with its parent's connection",
        ((PYTHON, "        if self._pid != os.getpid():\n            raise _configuration(\n",
          "        if self._pid != os.getpid() and False:\n            raise _configuration(\n"),),
        ("test_file",)),
    Mutation(
        "python-sends-late", "the lease is not looked at before the exchange call",
        ((PYTHON, "            is_live = self.is_live(permit)\n", "            is_live = True\n"),),
        ("test_trading",)),
    Mutation(
        "python-void-on-any-error", "an order of which nobody knows what came becomes void",
        ((PYTHON, "        except BaseException as error:\n            if permit._void is None and",
          "        except BaseException as error:\n"
          "            if permit._fill is None and not permit._settled:\n"
          '                self._void_at_end(permit, "failed")\n'
          "            if permit._void is None and"),),
        ("test_trading",)),
    Mutation(
        "python-redelivery-has-no-key", "a task that is delivered again gets another key",
        ((PYTHON, "_key(str(task.request.id))", "_key(os.urandom(8).hex())"),),
        ("test_trading",)),
    Mutation(
        "python-settings-not-held", "a pragma that did not hold is passed over",
        ((PYTHON, '            self._expect(held, f"PRAGMA {pragma}")\n', ""),),
        ("test_file",)),
    Mutation(
        "python-restores-unread", "the Python client does not know that the ledger was restored",
        ((PYTHON, "    counted += [(restored, None) for restored in facts.restores]\n", ""),),
        ("test_conformance", "test_trading")),
    Mutation(
        "python-schema-trusted", "a trigger that was dropped is not missed",
        ((PYTHON, "        if missing:\n            raise self._altered(",
          "        if missing and False:\n            raise self._altered("),),
        ("test_file",)),
    drop("trade_after_restore", ("AttackTests",)),
    drop("trade_fence", ("AttackTests",)),
    drop("instance_shape", ("AttackTests",)),
    drop("instance_epoch", ("AttackTests",)),
    drop("instance_kept", ("AttackTests",)),
    drop("trade_cooldown", ("AttackTests",)),
    drop("trade_alone", ("AttackTests",)),
    drop("trade_key", ("AttackTests",)),
    drop("trade_transition", ("AttackTests",)),
    drop("trade_token", ("AttackTests",)),
]

# The tests of these are options of simulate.
SIMULATED = [
    Mutation(
        "simulate-drop-immediate", "a writing transaction begins without the lock",
        ((TRANSACTION, 'try run("BEGIN IMMEDIATE")', 'try run("BEGIN DEFERRED")'),),
        ("--chaos", "kill,pause")),
    Mutation(
        "simulate-permit-on-replay", "a task that is delivered again is traded again",
        ((ADMISSION, "withPermit = token == same.token && ", "withPermit = token == token && "),
         (WITH_TRADE, "    case .replayed(let trade, _): return .replayed(trade)\n",
          "    case .replayed(let same, let granted?):\n      trade = same\n"
          "      permit = granted\n    case .replayed(let same, nil): return .replayed(same)\n")),
        ("--exchange-failures", "20%")),
    Mutation(
        "simulate-void-on-any-error", "an order of which nobody knows what came becomes void",
        ((WITH_TRADE, "      return .inDoubt(trade, error)\n",
          '      return try await settleAsVoid(trade, permit, "\\(error)")\n'),),
        ("--exchange-failures", "20%")),
    Mutation(
        "simulate-name-of-the-living", "an instance name is taken from a holder that lives",
        ((HOLDER, "if seen.answer == .noSuchProcess {",
          "if seen.answer == .noSuchProcess || seen.answer == .permitted {"),),
        ("--chaos", "cleanup")),
]
