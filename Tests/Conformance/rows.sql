-- What stands in a ledger at the end of a case: everything but who asked. Instants from the case's
-- start, 1757276933000000.
SELECT * FROM (
  SELECT id, bot_id, key, origin, side, symbol, quantity, price, cooldown_us, token, instance,
    epoch, created_at - 1757276933000000, lease_until - 1757276933000000, boot_id, created_boot_us,
    status, filled_at - 1757276933000000, filled_price, filled_quantity, exchange_at,
    received_at - 1757276933000000, filled_boot_id, filled_boot_us, settled_with, reason, late,
    superseded
  FROM trades
  UNION ALL
  SELECT id, bot_id, trade_id, kind, NULL, NULL, quantity, price, NULL, token, NULL,
    NULL, at - 1757276933000000, NULL, boot_id, boot_us,
    NULL, NULL, NULL, NULL, exchange_at,
    received_at - 1757276933000000, NULL, NULL, NULL, NULL, NULL,
    NULL
  FROM conflicts
) ORDER BY origin = 'fill_after_void', id
