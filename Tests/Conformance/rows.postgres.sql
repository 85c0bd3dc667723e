-- rows.sql for a ledger on a server, which has no boot clock: those columns are not compared.
SELECT * FROM (
  SELECT id, bot_id, key, origin, side, symbol, quantity, price, cooldown_us, token, instance,
    epoch, created_at - 1757276933000000, lease_until - 1757276933000000, NULL, NULL,
    status, filled_at - 1757276933000000, filled_price, filled_quantity, exchange_at,
    received_at - 1757276933000000, NULL, NULL, settled_with, reason, late, superseded
  FROM tradeledger.trades
  UNION ALL
  SELECT id, bot_id, trade_id::text, kind, NULL, NULL, quantity, price, NULL, token, NULL,
    NULL, at - 1757276933000000, NULL, NULL, NULL,
    NULL, NULL, NULL, NULL, exchange_at,
    received_at - 1757276933000000, NULL, NULL, NULL, NULL, NULL,
    NULL
  FROM tradeledger.conflicts
) AS stored ORDER BY origin = 'fill_after_void', id
