import Foundation

/// How clients without the library ask for a trade of a bot.
protocol ForeignClients {
  /// A program that is given the place, says `ready`, reads `MOMENT QUESTION`, waits for that
  /// moment of the boot clock, asks, and says `admitted` or why not.
  var python: String { get }
  var environment: [String: String] { get }
  func question(_ key: String, _ bot: String) -> String
  /// The database's own shell, which is given the place as well, and what it is to read. It says
  /// `admitted`, or why not.
  var shell: [String] { get }
  func script(_ key: String, _ bot: String) -> String
  /// How a refusal is told.
  var refusal: Regex<Substring> { get }
}

/// No library, only the file. They bring their own clock.
struct FileClients: ForeignClients {
  let python = """
    import sqlite3, sys, time
    db = sqlite3.connect(sys.argv[1], timeout=10, isolation_level=None)
    print('ready', flush=True)
    for line in sys.stdin:
        moment, sql = line.rstrip('\\n').split(' ', 1)
        while time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000 < int(moment): pass
        try:
            db.execute('BEGIN IMMEDIATE')
            db.execute(sql)
            db.execute('COMMIT')
            print('admitted', flush=True)
        except sqlite3.Error as error:
            if db.in_transaction: db.execute('ROLLBACK')
            print(f'refused {error}', flush=True)
    """
  let environment: [String: String] = [:]
  let shell = ["sqlite3", "-batch", "-bail"]
  var refusal: Regex<Substring> { /TL10/ }

  func question(_ key: String, _ bot: String) -> String {
    """
    INSERT INTO trades (bot_id, key, origin, side, symbol, quantity, cooldown_us, token, created_at,
    lease_until, status)
    SELECT bot_id, '\(key)', 'reserve', 'buy', 'BTC-USD', '1', cooldown_us, 'token-of-a-foreigner',
    now_us, now_us + lease_us, 'pending' FROM current_settings, clock WHERE name = '\(bot)'
    """.replacingOccurrences(of: "\n", with: " ")
  }

  func script(_ key: String, _ bot: String) -> String {
    """
    .timeout 10000
    BEGIN IMMEDIATE;
    \(question(key, bot));
    COMMIT;
    SELECT 'admitted';

    """
  }
}

#if PostgreSQL
  /// The client of clients/python, and psql.
  struct ServerClients: ForeignClients {
    let python = """
      import sys, time
      from tradeledger import Denied, Ledger
      ledger = Ledger(sys.argv[1])
      print('ready', flush=True)
      for line in sys.stdin:
          moment, key, bot = line.split()
          while time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000 < int(moment): pass
          try:
              ledger.reserve(bot, 'buy', 'BTC-USD', '1', key=key)
              print('admitted', flush=True)
          except Denied as denied:
              print(denied, flush=True)
      ledger.close()
      """
    let environment = [
      "PYTHONPATH": URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../clients/python").standardizedFileURL.path,
      "PYTHONDONTWRITEBYTECODE": "1",
    ]
    let shell = ["psql", "-XqAt"]
    var refusal: Regex<Substring> { /in_progress|cooldown/ }

    func question(_ key: String, _ bot: String) -> String { "\(key) \(bot)" }

    func script(_ key: String, _ bot: String) -> String {
      """
      SELECT COALESCE(reason, outcome) FROM tradeledger.attempt('reserve', '\(bot)', '\(key)',
        'buy', 'BTC-USD', '1', NULL, 'token-of-a-foreigner', NULL, NULL, NULL, NULL, NULL, NULL,
        10000, NULL);

      """
    }
  }
#endif
