#if PostgreSQL
  internal import Foundation
  internal import PostgreSQL
  internal import XCTest

  /// A PostgreSQL server for tests: the one that TRADELEDGER_TEST_POSTGRES names, or one of this
  /// process's own, which ends with it.
  public final class TestServer: @unchecked Sendable {
    // `@unchecked`: nothing changes after `init` but the child, which guards itself.
    /// A URL of the database `postgres`, as a superuser.
    public let url: String
    private let child: ChildProcess?

    /// Made once. Where there is no server to be had, its tests are skipped.
    public static let shared: TestServer? = {
      if let given = ProcessInfo.processInfo.environment["TRADELEDGER_TEST_POSTGRES"] {
        return TestServer(url: given, child: nil)
      }
      return try? start()
    }()

    public static func orSkip() throws -> TestServer {
      guard let shared else {
        throw XCTSkip("no PostgreSQL server: neither TRADELEDGER_TEST_POSTGRES nor initdb")
      }
      return shared
    }

    /// A server of the test's own, whatever the environment names: it can be killed, stopped and set
    /// up in another way.
    public static func ownOrSkip(
      settings: [String] = [], isSmall: Bool = false, under wrapper: [String] = []
    ) throws -> TestServer {
      do { return try start(settings: settings, isSmall: isSmall, under: wrapper) } catch let error
        as NoServer
      {
        guard error.isNotToBeHad else { throw error }
        throw XCTSkip("no server of the test's own: \(error.reason)")
      }
    }

    private init(url: String, child: ChildProcess?) {
      self.url = url
      self.child = child
    }

    /// Starts a server that lives as long as this process, as a user who is not root.
    ///
    /// - Parameters:
    ///   - settings: lines of postgresql.conf.
    ///   - isSmall: with its log (WAL) in a file system that can be filled. Takes root.
    ///   - wrapper: a command that the server is put behind, as words of a shell.
    private static func start(
      settings: [String] = [], isSmall: Bool = false, under wrapper: [String] = []
    ) throws -> TestServer {
      let port = try freePort()
      // The shell ends when its standard input does, with this process at the latest.
      let script = """
        set -e
        initdb=$(command -v initdb || ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null | tail -1)
        [ -n "$initdb" ] || { echo "-there is no initdb"; exit; }
        bin=$(dirname "$initdb")
        dir=$(mktemp -d)
        clean_up() {
          umount "$dir/wal" 2>/dev/null || true
          rm -rf "$dir"
        }
        trap clean_up EXIT
        if [ "$(id -u)" = 0 ]; then
          user=$(id -un postgres 2>/dev/null || echo nobody)
          chown "$user" "$dir"
          as() { (cd "$dir"; runuser -u "$user" -- "$@"); }
        else
          as() { "$@"; }
        fi
        if [ "$2" = small ]; then
          as mkdir "$dir/wal"
          mount -t tmpfs -o "size=96m,mode=700,uid=$(as id -u)" tmpfs "$dir/wal" ||
            { echo "-no file system can be mounted here"; exit; }
          set -- "$1" --wal-segsize=1 -X "$dir/wal/pg_wal"
        else
          set -- "$1"
        fi
        lines=$1
        shift
        as "$bin/initdb" -D "$dir/data" -U owner -A trust --no-sync -E UTF8 --locale=C "$@" \\
          >/dev/null
        printf '%s\\n' "$lines" >> "$dir/data/postgresql.conf"
        start() {
          as \(wrapper.joined(separator: " ")) "$bin/pg_ctl" -D "$dir/data" -w -t 60 \\
            -l "$dir/log" -o "-p \(port) -k $dir -c listen_addresses=127.0.0.1" start >/dev/null
        }
        start
        echo "$dir"
        while read -r word; do
          case $word in
          crash)
            # It may have ended by itself.
            server=$(head -1 "$dir/data/postmaster.pid" || true)
            kill -9 $(ps -o pid= --ppid "$server") "$server" || true
            ;;
          STOP | CONT)
            server=$(head -1 "$dir/data/postmaster.pid")
            kill "-$word" "$server" $(ps -o pid= --ppid "$server")
            ;;
          start) until start; do sleep 0.1; done ;;
          esac
          echo "$word"
        done
        as "$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1 || true
        """
      let lines = ["max_connections = 200", "fsync = off"] + settings
      let child = try ChildProcess(
        "/bin/sh",
        ["-c", script, "sh", lines.joined(separator: "\n"), isSmall ? "small" : ""])
      let directory = child.readLine(timeout: 90) ?? ""
      guard directory.hasPrefix("/") else {
        child.closeInput()
        let reason = directory.dropFirst()
        throw NoServer(
          reason: reason.isEmpty ? child.standardError : String(reason),
          isNotToBeHad: !reason.isEmpty)
      }
      return TestServer(
        url: "postgresql://owner@127.0.0.1:\(port)/postgres", child: child,
        directory: directory, port: port)
    }

    public private(set) var directory = ""
    public private(set) var port = 0

    private convenience init(url: String, child: ChildProcess, directory: String, port: Int) {
      self.init(url: url, child: child)
      self.directory = directory
      self.port = port
    }

    public struct NoServer: Error {
      let reason: String
      /// By what is missing here, and not by an error.
      var isNotToBeHad = false
    }

    private static func freePort() throws -> Int {
      let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      defer { close(socket) }
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = inet_addr("127.0.0.1")
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      let code = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
          bind(socket, pointer, length) == 0 ? getsockname(socket, pointer, &length) : -1
        }
      }
      guard code == 0 else { throw NoServer(reason: "no free port") }
      return Int(UInt16(bigEndian: address.sin_port))
    }

    /// Kills every process of the server that is there, and starts it again.
    public func crash() { tell("crash", "start") }
    /// Kills every process of the server.
    public func kill() { tell("crash") }
    /// Starts it after that.
    public func restart() { tell("start") }
    /// SIGSTOP for each of its processes, and SIGCONT.
    public func pause() { tell("STOP") }
    public func goOn() { tell("CONT") }

    private func tell(_ words: String...) {
      for word in words {
        child?.write(word + "\n")
        XCTAssertEqual(child?.readLine(timeout: 60), word)
      }
    }

    /// Ends the server in an orderly way, for a test that has one of its own.
    public func stop() {
      child?.closeInput()
      _ = child?.wait(timeout: 30)
    }

    // MARK: Databases

    /// A new, empty database, and its URL.
    public func database() throws -> String {
      let name = "tl_" + UUID().uuidString.lowercased().filter { $0 != "-" }
      _ = try TestServer.query(url, "CREATE DATABASE \(name)")
      return TestServer.url(url, database: name)
    }

    /// `url` with another database, and perhaps another user.
    public static func url(_ url: String, database: String, user: String? = nil) -> String {
      var parts = URLComponents(string: url)
      parts?.path = "/" + database
      if let user { parts?.user = user }
      return parts?.string ?? url
    }

    /// `url` with a setting of the session, as NAME=VALUE.
    public static func url(_ url: String, setting: String) -> String {
      var parts = URLComponents(string: url)
      parts?.queryItems = [URLQueryItem(name: "options", value: "-c" + setting)]
      return parts?.string ?? url
    }

    /// Makes a role that trades with the ledger at `url` and may do nothing else.
    ///
    /// - Parameter settings: as of ALTER ROLE.
    /// - Returns: the URL for it.
    public static func worker(
      _ url: String, _ name: String = "worker", _ settings: String...
    ) throws -> String {
      let database = String(url.split(separator: "/").last ?? "")
      let role = name + "_" + database.suffix(8)
      try query(url, "CREATE ROLE \(role) LOGIN IN ROLE tradeledger_worker")
      for setting in settings { try query(url, "ALTER ROLE \(role) \(setting)") }
      return TestServer.url(url, database: database, user: role)
    }

    /// Gives the database at `url` to an owner of its own, who may make roles and is no superuser.
    ///
    /// - Returns: the URL for the owner.
    public static func owned(_ url: String) throws -> String {
      let database = String(url.split(separator: "/").last ?? "")
      try query(url, "CREATE ROLE \(database) LOGIN CREATEROLE")
      try query(url, "ALTER DATABASE \(database) OWNER TO \(database)")
      return TestServer.url(url, database: database, user: database)
    }

    /// Removes a database of `database()`, whoever uses it.
    public static func drop(_ url: String) throws {
      let database = url.split(separator: "/").last ?? ""
      try query(
        TestServer.url(url, database: "postgres"),
        "DROP DATABASE IF EXISTS \(database) WITH (FORCE)")
    }

    /// The rows of one statement, as texts; NULL for NULL.
    @discardableResult
    public static func query(_ url: String, _ sql: String) throws -> [[String]] {
      let connection = try Connection.open(try Address(url), wait: .seconds(20))
      let answer = try connection.run(Query(sql), wait: .seconds(60))
      return (0..<answer.rowCount).map { row in
        (0..<answer.columnCount).map { answer.text(row, $0) ?? "NULL" }
      }
    }

    /// Several statements of one text.
    public static func run(_ url: String, script: String) throws {
      let connection = try Connection.open(try Address(url), wait: .seconds(20))
      try connection.run(script: script, wait: .seconds(60))
    }

    /// The invariants that can be seen in the rows.
    public static func verify(
      _ url: String, file: StaticString = #filePath, line: UInt = #line
    ) throws {
      let twoPending = """
        SELECT bot_id FROM tradeledger.trade_rows WHERE status = 'pending'
        GROUP BY bot_id HAVING COUNT(*) > 1
        """
      XCTAssertEqual(try query(url, twoPending), [], "INV-2", file: file, line: line)
      // Looked at in pairs alone where any earlier trade could be too close.
      let doubles = """
        WITH counted AS (
          SELECT *, max(GREATEST(filled_at, created_at)) OVER (
            PARTITION BY bot_id ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
          ) AS latest
          FROM tradeledger.trade_rows WHERE status <> 'void' AND origin <> 'past')
        SELECT a.id, b.id FROM counted AS a JOIN counted AS b
          ON a.bot_id = b.bot_id AND a.id < b.id
        WHERE b.latest > b.created_at - b.cooldown_us
          AND b.created_at - b.cooldown_us < CASE
            WHEN a.filled_at IS NOT NULL AND a.received_at <= b.created_at THEN a.filled_at
            ELSE a.created_at END
        """
      XCTAssertEqual(try query(url, doubles), [], "INV-1", file: file, line: line)
    }
  }
#endif
