#include "database.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void die(const char *what, sqlite3 *db) {
  fprintf(stderr, "error: %s: %s\n", what, db ? sqlite3_errmsg(db) : "");
  exit(1);
}

int64_t now_ns(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

char *read_file(const char *directory, const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s%s%s", directory, *name ? "/" : "", name);
  FILE *file = fopen(path, "rb");
  if (!file) die(path, NULL);
  fseek(file, 0, SEEK_END);
  long size = ftell(file);
  rewind(file);
  char *text = calloc(1, (size_t)size + 1);
  if (fread(text, 1, (size_t)size, file) != (size_t)size) die(path, NULL);
  fclose(file);
  return text;
}

void run(sqlite3 *db, const char *sql) {
  if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) die(sql, db);
}

static int frames_in_wal;

static int count_frames(void *context, sqlite3 *db, const char *name, int frames) {
  (void)context, (void)db, (void)name;
  frames_in_wal = frames;
  return SQLITE_OK;
}

// The settings of Sources/SQLite/Open.swift that cost something.
sqlite3 *open_ledger(const char *path) {
  sqlite3 *db;
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
              SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
  if (sqlite3_open_v2(path, &db, flags, NULL) != SQLITE_OK) die(path, db);
  sqlite3_busy_timeout(db, 5000);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
  sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
  run(db, "PRAGMA cell_size_check = 1; PRAGMA mmap_size = 0; PRAGMA temp_store = 2;"
          "PRAGMA recursive_triggers = 1; PRAGMA synchronous = 2");
  sqlite3_wal_hook(db, count_frames, NULL);
  return db;
}

sqlite3_stmt *prepare(sqlite3 *db, const char *sql) {
  sqlite3_stmt *statement;
  if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) != SQLITE_OK)
    die(sql, db);
  return statement;
}

// Steps to the end and resets; gives the first column of the last row.
int64_t step(sqlite3 *db, sqlite3_stmt *statement) {
  int64_t value = 0;
  int code;
  while ((code = sqlite3_step(statement)) == SQLITE_ROW) value = sqlite3_column_int64(statement, 0);
  if (code != SQLITE_DONE) die(sqlite3_sql(statement), db);
  sqlite3_reset(statement);
  return value;
}

void bind_text(sqlite3_stmt *statement, int index, const char *value) {
  sqlite3_bind_text(statement, index, value, -1, SQLITE_TRANSIENT);
}

// As the library does it: under the write lock, by a second connection, every 400 frames.
void checkpoint_if_due(sqlite3 *db, sqlite3 *helper) {
  if (frames_in_wal < 400) return;
  run(db, "BEGIN IMMEDIATE");
  run(helper, "PRAGMA wal_checkpoint(PASSIVE)");
  run(db, "ROLLBACK");
  frames_in_wal = 0;
}

int prepare_ledger(const char *path, int bots, const char *schema) {
  sqlite3 *db;
  if (sqlite3_open(path, &db) != SQLITE_OK) die(path, db);
  run(db, "PRAGMA journal_mode = wal; BEGIN IMMEDIATE");
  run(db, read_file(schema, ""));
  run(db, "INSERT INTO ledger (id, mode, created_at) VALUES (1, 'paper', 0)");
  sqlite3_stmt *bot = prepare(db, "INSERT INTO bots (name) VALUES ('bot-' || ?1)");
  sqlite3_stmt *settings = prepare(
      db, "INSERT INTO settings (bot_id, cooldown_us, lease_us, in_doubt, enabled, at)"
          " SELECT ?1, 0, 30000000, 'cooldown', 1, now_us FROM clock");
  for (int number = 0; number < bots; number++) {
    sqlite3_bind_int(bot, 1, number);
    step(db, bot);
    sqlite3_bind_int64(settings, 1, sqlite3_last_insert_rowid(db));
    step(db, settings);
  }
  run(db, "COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
  sqlite3_finalize(bot);
  sqlite3_finalize(settings);
  return sqlite3_close(db) == SQLITE_OK ? 0 : 1;
}
