internal import Foundation
internal import LedgerTestSupport
internal import XCTest

/// `import` and `audit` of the databases that freqtrade and hummingbot keep, with the columns and
/// types that they publish, and of ccxt's unified trades.
final class PeerImportTests: ImportTestCase {
  /// One buy, a partly executed and cancelled sale 10 minutes later, a cancelled order without a
  /// fill, a stop loss of a short position, an open order; and a position without orders.
  private func freqtrade(_ more: String = "") throws -> String {
    try database(
      "tradesv3.sqlite",
      """
      CREATE TABLE trades (id INTEGER NOT NULL, exchange VARCHAR(25) NOT NULL,
        pair VARCHAR(25) NOT NULL, is_open BOOLEAN NOT NULL, amount FLOAT, open_date DATETIME,
        strategy VARCHAR(100), is_short BOOLEAN NOT NULL, PRIMARY KEY (id));
      CREATE TABLE orders (id INTEGER NOT NULL, ft_trade_id INTEGER NOT NULL,
        ft_order_side VARCHAR(25) NOT NULL, ft_pair VARCHAR(25) NOT NULL,
        ft_is_open BOOLEAN NOT NULL, ft_amount FLOAT NOT NULL, ft_price FLOAT NOT NULL,
        order_id VARCHAR(255) NOT NULL, status VARCHAR(255), symbol VARCHAR(25),
        order_type VARCHAR(50), side VARCHAR(25), price FLOAT, average FLOAT, amount FLOAT,
        filled FLOAT, remaining FLOAT, cost FLOAT, stop_price FLOAT, order_date DATETIME,
        order_filled_date DATETIME, order_update_date DATETIME, funding_fee FLOAT,
        ft_fee_base FLOAT, PRIMARY KEY (id),
        CONSTRAINT _order_pair_order_id UNIQUE (ft_pair, order_id),
        FOREIGN KEY(ft_trade_id) REFERENCES trades (id));
      INSERT INTO trades VALUES (1, 'binance', 'BTC/USDT', 0, 0.3, NULL, 'Sample', 0),
        (2, 'binance', 'ETH/USDT:USDT', 1, 7, NULL, 'Sample', 1),
        (3, 'binance', 'OLD/USDT', 0, 7, NULL, 'Sample', 0);
      INSERT INTO orders (id, ft_trade_id, ft_order_side, ft_pair, ft_is_open, ft_amount, ft_price,
        order_id, status, side, price, average, amount, filled, order_date, order_filled_date)
      VALUES
        (1, 1, 'buy', 'BTC/USDT', 0, 0.3, 1, 'o1', 'closed', 'buy', 64000.1, 64000.05, 0.3, 0.3,
          '2025-01-01 00:00:00.000000', '2025-01-01 00:00:01.123456'),
        (2, 1, 'sell', 'BTC/USDT', 0, 0.3, 1, 'o2', 'canceled', 'sell', 65000.0, NULL, 0.3, 0.1,
          '2025-01-01 00:09:00.000000', '2025-01-01 00:10:01.000000'),
        (3, 1, 'sell', 'BTC/USDT', 0, 0.3, 1, 'o3', 'canceled', 'sell', 65000.0, NULL, 0.3, 0.0,
          '2025-01-01 00:11:00.000000', NULL),
        (4, 2, 'stoploss', 'ETH/USDT:USDT', 0, 7, 1, 'o4', 'closed', NULL, 1.5, NULL, 7.0, NULL,
          '2025-02-01 00:10:00.000000', NULL),
        (5, 2, 'buy', 'ETH/USDT:USDT', 1, 7, 1, 'o5', 'open', 'buy', 1.5, NULL, 7.0, 0.0,
          '2025-02-02 00:10:00.000000', NULL);
      \(more)
      """)
  }

  private func hummingbot(_ type: String, price: String, amount: String) throws -> String {
    let fills =
      [("HBOT1", "BUY", 600_123, "t1"), ("HBOT1", "BUY", 601_123, "t2")]
      + [("HBOT2", "SELL", 701_123, "t3")]
    let rows = fills.map { order, side, at, id in
      "('conf_1.yml', 'pure_mm', 'binance', 'BTC-USDT', 'BTC', 'USDT', 1735689\(at), '\(order)',"
        + " '\(side)', 'LIMIT', \(price), \(amount), 1, '{}', 0, '\(id)', 'NIL')"
    }
    return try database(
      "hummingbot_\(type).sqlite",
      """
      CREATE TABLE "TradeFill" (config_file_path TEXT NOT NULL, strategy TEXT NOT NULL,
        market TEXT NOT NULL, symbol TEXT NOT NULL, base_asset TEXT NOT NULL,
        quote_asset TEXT NOT NULL, timestamp BIGINT NOT NULL, order_id TEXT NOT NULL,
        trade_type TEXT NOT NULL, order_type TEXT NOT NULL, price \(type) NOT NULL,
        amount \(type) NOT NULL, leverage INTEGER NOT NULL, trade_fee JSON NOT NULL,
        trade_fee_in_quote \(type), exchange_trade_id TEXT NOT NULL, position TEXT,
        PRIMARY KEY (market, order_id, exchange_trade_id));
      INSERT INTO "TradeFill" VALUES \(rows.joined(separator: ", "));
      """)
  }

  func testFreqtrade_ordersThatWereExecuted_areFacts() throws {
    makeLedger()
    let path = try freqtrade()
    let before = FileManager.default.contents(atPath: path)
    let answer = imported(["--freqtrade", path, "--cooldown", "15m"])
    XCTAssertEqual(answer["imported"] as? Int, 3)
    XCTAssertEqual(answer["trades_without_orders"] as? Int, 1)
    XCTAssertEqual(answer["cooldown_violations"] as? Int, 1)
    XCTAssertEqual(answer["times_without_zone"] as? Int, 3)
    XCTAssertEqual(
      try facts(),
      [
        [
          "Sample", "freqtrade:binance:BTC/USDT:o1", "buy", "BTC/USDT", "0.3", "64000.05",
          "1735689601123456",
        ],
        [
          "Sample", "freqtrade:binance:BTC/USDT:o2", "sell", "BTC/USDT", "0.1", "65000",
          "1735690201000000",
        ],
        [
          "Sample", "freqtrade:binance:ETH/USDT%3aUSDT:o4", "buy", "ETH/USDT:USDT", "7", "1.5",
          "1738368600000000",
        ],
      ])
    XCTAssertEqual(imported(["--freqtrade", path])["known"] as? Int, 3)
    XCTAssertEqual(FileManager.default.contents(atPath: path), before)
  }

  /// What is executed in part and still open can change: it is no fact yet.
  func testFreqtrade_openOrderWithAFill_isRejected() throws {
    makeLedger()
    let path = try freqtrade("UPDATE orders SET filled = 1.5 WHERE id = 5;")
    let answer = imported(["--freqtrade", path, "--cooldown", "15m"], 65)
    XCTAssertEqual(rejected(answer).count, 1)
    XCTAssertTrue(rejected(answer).first?.hasPrefix("5: ") == true)
    XCTAssertEqual(try facts(), [])
  }

  func testFreqtrade_audit_needsNoImport() throws {
    let path = try freqtrade()
    let found = run(["audit", "--freqtrade", path, "--cooldown", "15m", "--json"])
    expect(found, 1)
    let findings = json(found)["findings"] as? [[String: Any]]
    XCTAssertEqual(findings?.map { $0["trades"] as? [Int] }, [[1, 2]])
    XCTAssertEqual(findings?.first?["gap_us"] as? Int, 599_876_544)
    expect(run(["audit", "--freqtrade", path, "--cooldown", "9m"]), 0)
    expect(run(["audit", "--freqtrade", path, "--cooldown", "15m", "--bot", "pair"]), 1)
    expectError(["audit", "--freqtrade", path], 64)
    expectError(["audit", "--freqtrade", path, "--cooldown", "15m", "--time", "x"], 64)
    expectError(["audit", "--hummingbot", path, "--cooldown", "15m"], 65)
    let look = try XCTUnwrap(findings?.first?["next"] as? String)
    XCTAssertEqual(
      BuiltBinary.run("bash", ["-c", look]).stdout.split(separator: "\n").count, 3, look)
  }

  /// Two fills of one order are one trade, not a double one; whole numbers are millionths.
  func testHummingbot_fillsOfAnOrder_areOneTrade() throws {
    for (type, price, amount) in [("BIGINT", "64000100000", "300000"), ("FLOAT", "64000.1", "0.3")]
    {
      let ledger = directory.file("\(type).db")
      expect(run(["init"], db: ledger), 0)
      let path = try hummingbot(type, price: price, amount: amount)
      let answer = imported(["--hummingbot", path, "--cooldown", "15m"], db: ledger)
      XCTAssertEqual(answer["imported"] as? Int, 2)
      XCTAssertEqual(answer["fills"] as? Int, 3)
      XCTAssertEqual(answer["cooldown_violations"] as? Int, 1)
      XCTAssertEqual(
        try facts(ledger),
        [
          [
            "conf_1.yml", "hummingbot:binance:HBOT1", "buy", "BTC-USDT", "0.6", "64000.1",
            "1735689601123000",
          ],
          [
            "conf_1.yml", "hummingbot:binance:HBOT2", "sell", "BTC-USDT", "0.3", "64000.1",
            "1735689701123000",
          ],
        ], type)
      let audit = run(["audit", "--hummingbot", path, "--cooldown", "15m", "--json"])
      expect(audit, 1)
      XCTAssertEqual(json(audit)["examined"] as? Int, 2)
      expect(run(["audit", "--hummingbot", path, "--cooldown", "100s"]), 0)
    }
  }

  /// An array and NDJSON alike; the digits of the file, not those of a floating-point number.
  func testCcxt_keepsTheDigitsOfTheFile() throws {
    let trades = [
      #"{"id":"77","order":"o9","timestamp":1735689600123,"symbol":"BTC/USDT","side":"buy","#
        + #""amount":0.10,"price":64000.1,"fee":{"cost":1},"info":{"x":[1,{"y":"\u00e9\n"}]}}"#,
      #"{"id":"78","order":"o9","timestamp":1735689600223,"symbol":"BTC/USDT","side":"buy","#
        + #""amount":0.30,"price":64000.2}"#,
      #"{"id":79,"order":null,"timestamp":null,"datetime":"2025-01-01T01:00:00.123Z","#
        + #""symbol":"BTC/USDT","side":"sell","amount":9007199254740993.1,"price":null}"#,
    ]
    for (index, text) in [
      "[" + trades.joined(separator: ",\n") + "]\n", trades.joined(separator: "\n"),
    ].enumerated() {
      let ledger = directory.file("\(index).db")
      expect(run(["init"], db: ledger), 0)
      let file = try write("ccxt-\(index).json", text)
      let answer = imported(
        ["--ccxt", file, "--bot-name", "m", "--source", "binance", "--cooldown", "1s"], db: ledger)
      XCTAssertEqual(answer["mean_prices"] as? Int, 1)
      XCTAssertEqual(
        try facts(ledger),
        [
          [
            "m", "binance:BTC/USDT:o9", "buy", "BTC/USDT", "0.4", "64000.175", "1735689600223000",
          ],
          [
            "m", "binance:BTC/USDT:trade:79", "sell", "BTC/USDT", "9007199254740993.1", "NULL",
            "1735693200123000",
          ],
        ])
    }
  }

  /// An order of which one fill cannot be read is not entered with the rest of its quantity.
  func testCcxt_badFill_spoilsItsOrder_andBadJSONIsRefused() throws {
    makeLedger()
    let good = #"{"id":"1","order":"o","timestamp":1735689600123,"symbol":"X","side":"buy","#
    let file = try write("c.json", good + "\"amount\":1}\n" + good + "\"amount\":\"NaN\"}\n[]\n")
    let answer = imported(["--ccxt", file, "--bot-name", "m", "--partial"], 1)
    XCTAssertEqual(answer["imported"] as? Int, 0)
    XCTAssertEqual(Set(rejected(answer).map { $0.prefix(2) }), ["1:", "2:", "3:"])
    for bad in ["{\"a\":1,}", "[{}", "[{},]", "{\"a\":01x}", "[{}] {}", "{\"a\":\"x", "nul"] {
      expectError(["import", "--ccxt", try write("bad.json", bad), "--bot-name", "m"], 65)
    }
  }
}
