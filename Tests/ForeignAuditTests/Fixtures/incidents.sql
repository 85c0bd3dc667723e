-- The tables of the first incident report, with the pairs that both reports publish. Only the
-- second pair's times are published in full; the other pairs begin at times of our own, a day
-- apart, and have the published gaps.
CREATE TABLE bots (
  id INTEGER PRIMARY KEY,
  name VARCHAR(100) NOT NULL,
  cooldown_minutes INTEGER NOT NULL
);
CREATE TABLE trades (
  id INTEGER PRIMARY KEY,
  bot_id INTEGER NOT NULL REFERENCES bots (id),
  side VARCHAR(4),
  status VARCHAR(20),
  created_at DATETIME NOT NULL,
  filled_at DATETIME
);
INSERT INTO bots VALUES (4, 'momentum', 15), (5, 'patient', 60), (6, 'quick', 0);
INSERT INTO trades VALUES
  (2941, 4, 'buy', 'filled', '2025-09-06 20:28:53.000000', NULL),
  (2942, 4, 'buy', 'filled', '2025-09-06 20:28:53.380000', NULL),
  (2943, 4, 'buy', 'filled', '2025-09-07T20:28:53.395950', NULL),
  (2944, 4, 'buy', 'filled', '2025-09-07T20:28:54.212493', NULL),
  (2945, 4, 'sell', 'filled', '2025-09-08 20:28:52.000000', '2025-09-08 20:28:53.000000'),
  (2946, 4, 'sell', 'filled', '2025-09-08 20:28:50.000000', '2025-09-08 20:28:53.820000'),
  -- Neighbours that are no double trades: another bot, one that was never sent, and a bot that may
  -- trade at any time.
  (2947, 5, 'sell', 'filled', '2025-09-08 20:28:53.500000', NULL),
  (2948, 4, 'buy', 'filled', '2025-09-09 20:28:53', NULL),
  (2949, 4, 'buy', 'filled', '2025-09-09 20:28:53.09', NULL),
  (2950, 4, 'buy', 'CANCELLED', '2025-09-09 20:28:54.000000', NULL),
  (2951, 6, 'buy', 'filled', '2025-09-09 20:28:54.000000', NULL),
  (2952, 6, 'buy', 'filled', '2025-09-09 20:28:54.000000', NULL);
