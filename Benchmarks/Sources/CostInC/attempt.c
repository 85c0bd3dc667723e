#include "attempt.h"

#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

static const char *boot = "0a1b2c3d-0000-4000-8000-000000000000/4026531834";

// What admission reads: all columns are taken out of the row, as the library takes them.
static int64_t look(sqlite3 *db, sqlite3_stmt *statement, const char *bot, const char *key) {
  bind_text(statement, 1, bot);
  bind_text(statement, 2, key);
  sqlite3_bind_null(statement, 3);
  bind_text(statement, 4, boot);
  if (sqlite3_step(statement) != SQLITE_ROW) die("no such bot", db);
  int64_t id = sqlite3_column_int64(statement, 0);
  for (int column = 1; column < sqlite3_column_count(statement); column++) {
    if (sqlite3_column_type(statement, column) == SQLITE_TEXT) {
      sqlite3_column_text(statement, column);
    } else {
      sqlite3_column_int64(statement, column);
    }
  }
  if (sqlite3_step(statement) != SQLITE_DONE) die("one row expected", db);
  sqlite3_reset(statement);
  return id;
}

// A new client order id: a UUID of version 7.
static void make_key(char key[37]) {
  uint64_t random[2];
  if (getrandom(random, sizeof random, 0) != sizeof random) die("getrandom", NULL);
  uint64_t milliseconds = (uint64_t)now_ns(CLOCK_REALTIME) / 1000000;
  snprintf(key, 37, "%08x-%04x-7%03x-%04x-%012llx", (unsigned)(milliseconds >> 16),
           (unsigned)(milliseconds & 0xffff), (unsigned)(random[0] & 0xfff),
           (unsigned)((random[0] >> 16 & 0x3fff) | 0x8000),
           (unsigned long long)(random[1] & 0xffffffffffff));
}

// A new token: 128 random bits.
static void make_token(char token[33]) {
  uint64_t random[2];
  if (getrandom(random, sizeof random, 0) != sizeof random) die("getrandom", NULL);
  snprintf(token, 33, "%016llx%016llx", (unsigned long long)random[0],
           (unsigned long long)random[1]);
}

// `token` NULL: the trade is filled at once.
static int64_t insert(struct attempts *all, int64_t bot, const char *key, const char *token) {
  sqlite3_stmt *statement = all->insert;
  int64_t wall = now_ns(CLOCK_REALTIME) / 1000;
  sqlite3_clear_bindings(statement);
  sqlite3_bind_int64(statement, 1, bot);
  bind_text(statement, 2, key);
  bind_text(statement, 3, token ? "reserve" : "record");
  bind_text(statement, 4, "buy");
  bind_text(statement, 5, "BTC-USD");
  bind_text(statement, 6, "0.25");
  sqlite3_bind_int64(statement, 8, 0);
  sqlite3_bind_int64(statement, 10, getpid());
  sqlite3_bind_int64(statement, 13, wall);
  bind_text(statement, 15, boot);
  sqlite3_bind_int64(statement, 16, now_ns(CLOCK_MONOTONIC) / 1000);
  if (token) {
    bind_text(statement, 9, token);
    sqlite3_bind_int64(statement, 14, wall + 30000000);
    bind_text(statement, 17, "pending");
  } else {
    bind_text(statement, 17, "filled");
    sqlite3_bind_int64(statement, 18, wall);
    bind_text(statement, 20, "0.25");
    sqlite3_bind_int64(statement, 22, wall);
  }
  step(all->db, statement);
  return sqlite3_last_insert_rowid(all->db);
}

// A look without the lock, then the same under it, then the row.
static int64_t attempt(struct attempts *all, int number, int is_reserve) {
  char bot[32], key[37], token[33];
  snprintf(bot, sizeof bot, "bot-%d", number);
  make_key(key);
  if (is_reserve) make_token(token);
  look(all->db, all->admission, bot, key);
  step(all->db, all->begin);
  if (step(all->db, all->schema_version) != all->version) die("the schema was changed", NULL);
  int64_t id = look(all->db, all->admission, bot, key);
  int64_t trade = insert(all, id, key, is_reserve ? token : NULL);
  step(all->db, all->commit);
  checkpoint_if_due(all->db, all->helper);
  return trade;
}

int64_t reserve_once(struct attempts *all, int bot) { return attempt(all, bot, 1); }
int64_t record_once(struct attempts *all, int bot) { return attempt(all, bot, 0); }

int64_t look_once(struct attempts *all, int number) {
  char bot[32], key[37];
  snprintf(bot, sizeof bot, "bot-%d", number);
  make_key(key);
  return look(all->db, all->admission, bot, key);
}

// Five statements, as the library settles: the trade is read and written under the lock.
void fill_once(struct attempts *all, int64_t trade) {
  step(all->db, all->begin);
  if (step(all->db, all->schema_version) != all->version) die("the schema was changed", NULL);
  sqlite3_bind_int64(all->settle, 1, trade);
  sqlite3_bind_int64(all->settle, 2, now_ns(CLOCK_REALTIME) / 1000);
  step(all->db, all->settle);
  step(all->db, all->commit);
  checkpoint_if_due(all->db, all->helper);
}

void open_attempts(struct attempts *all, const char *path, const char *directory) {
  all->db = open_ledger(path);
  all->helper = open_ledger(path);
  sqlite3_wal_hook(all->helper, NULL, NULL);
  all->admission = prepare(all->db, read_file(directory, "admission.sql"));
  all->begin = prepare(all->db, "BEGIN IMMEDIATE");
  all->schema_version = prepare(all->db, read_file(directory, "schemaVersion.sql"));
  all->insert = prepare(all->db, read_file(directory, "insertTrade.sql"));
  all->commit = prepare(all->db, "COMMIT");
  all->settle = prepare(
      all->db, "UPDATE trades SET status = 'filled', filled_at = MAX(created_at, ?2),"
               " filled_quantity = quantity, received_at = ?2, settled_with = token WHERE id = ?1");
  all->version = step(all->db, all->schema_version);
}
