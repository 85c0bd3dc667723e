// One durable attempt, as plain C makes it: the statements that the library sends for a reserve
// that is admitted, on the same schema, with the same settings of the connection. The counterpart
// of CostOfTheLibrary.
//
//   CostInC prepare LEDGER BOTS SCHEMA       makes a ledger with so many bots, cooldown 0
//   CostInC reserve LEDGER DIR               for each line `COUNT` of its input, reserves for the
//                                            first COUNT bots and prints the nanoseconds that each
//                                            took, in one line; before the next line, voids them
//   CostInC instance LEDGER DIR              for each line `COUNT`, takes an instance name and lets
//                                            go of it COUNT times, and reads /proc as one must
//   CostInC statements                       prints how many statements one attempt is
//
// DIR holds the texts of the statements as scripts/cost takes them out of Statements.swift, so that
// the two sides cannot drift apart.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what, sqlite3 *db) {
  fprintf(stderr, "error: %s: %s\n", what, db ? sqlite3_errmsg(db) : "");
  exit(1);
}

static int64_t now_ns(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static char *read_file(const char *directory, const char *name) {
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

static void run(sqlite3 *db, const char *sql) {
  if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) die(sql, db);
}

static int frames_in_wal;

static int count_frames(void *context, sqlite3 *db, const char *name, int frames) {
  (void)context, (void)db, (void)name;
  frames_in_wal = frames;
  return SQLITE_OK;
}

// The settings of Sources/SQLite/Open.swift that cost something.
static sqlite3 *open_ledger(const char *path) {
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

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql) {
  sqlite3_stmt *statement;
  if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) != SQLITE_OK)
    die(sql, db);
  return statement;
}

// Steps to the end and resets; gives the first column of the last row.
static int64_t step(sqlite3 *db, sqlite3_stmt *statement) {
  int64_t value = 0;
  int code;
  while ((code = sqlite3_step(statement)) == SQLITE_ROW) value = sqlite3_column_int64(statement, 0);
  if (code != SQLITE_DONE) die(sqlite3_sql(statement), db);
  sqlite3_reset(statement);
  return value;
}

static void text(sqlite3_stmt *statement, int index, const char *value) {
  sqlite3_bind_text(statement, index, value, -1, SQLITE_TRANSIENT);
}

static const char *boot = "0a1b2c3d-0000-4000-8000-000000000000/4026531834";

struct statements {
  sqlite3_stmt *admission, *begin, *schema_version, *insert, *commit;
};

// What admission reads: all columns are taken out of the row, as the library takes them.
static int64_t look(sqlite3 *db, sqlite3_stmt *statement, const char *bot, const char *key) {
  text(statement, 1, bot);
  text(statement, 2, key);
  sqlite3_bind_null(statement, 3);
  text(statement, 4, boot);
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
           (unsigned)(random[0] >> 16 & 0x3fff | 0x8000),
           (unsigned long long)(random[1] & 0xffffffffffff));
}

// A new token: 128 random bits.
static void make_token(char token[33]) {
  uint64_t random[2];
  if (getrandom(random, sizeof random, 0) != sizeof random) die("getrandom", NULL);
  snprintf(token, 33, "%016llx%016llx", (unsigned long long)random[0],
           (unsigned long long)random[1]);
}

static void insert(sqlite3 *db, sqlite3_stmt *statement, int64_t bot, const char *key,
                   const char *token) {
  int64_t wall = now_ns(CLOCK_REALTIME) / 1000;
  sqlite3_bind_int64(statement, 1, bot);
  text(statement, 2, key);
  text(statement, 3, "reserve");
  text(statement, 4, "buy");
  text(statement, 5, "BTC-USD");
  text(statement, 6, "0.25");
  text(statement, 9, token);
  sqlite3_bind_int64(statement, 8, 0);
  sqlite3_bind_int64(statement, 10, getpid());
  sqlite3_bind_int64(statement, 13, wall);
  sqlite3_bind_int64(statement, 14, wall + 30000000);
  text(statement, 15, boot);
  sqlite3_bind_int64(statement, 16, now_ns(CLOCK_MONOTONIC) / 1000);
  text(statement, 17, "pending");
  step(db, statement);
}

// The attempt: a look without the lock, then the same under it, then the row.
static void attempt(sqlite3 *db, struct statements *all, int number, int64_t version) {
  char bot[32], key[37], token[33];
  snprintf(bot, sizeof bot, "bot-%d", number);
  make_key(key);
  make_token(token);
  look(db, all->admission, bot, key);
  step(db, all->begin);
  if (step(db, all->schema_version) != version) die("the schema was changed", NULL);
  insert(db, all->insert, look(db, all->admission, bot, key), key, token);
  step(db, all->commit);
}
enum { statements_of_an_attempt = 6 };

// As the library does it: under the write lock, by a second connection, every 400 frames.
static void checkpoint_if_due(sqlite3 *db, sqlite3 *helper) {
  if (frames_in_wal < 400) return;
  run(db, "BEGIN IMMEDIATE");
  run(helper, "PRAGMA wal_checkpoint(PASSIVE)");
  run(db, "ROLLBACK");
  frames_in_wal = 0;
}

static int reserve(const char *path, const char *directory) {
  sqlite3 *db = open_ledger(path), *helper = open_ledger(path);
  sqlite3_wal_hook(helper, NULL, NULL);
  struct statements all = {
      .admission = prepare(db, read_file(directory, "admission.sql")),
      .begin = prepare(db, "BEGIN IMMEDIATE"),
      .schema_version = prepare(db, read_file(directory, "schemaVersion.sql")),
      .insert = prepare(db, read_file(directory, "insertTrade.sql")),
      .commit = prepare(db, "COMMIT"),
  };
  int64_t version = step(db, all.schema_version);
  sqlite3_stmt *settle = prepare(
      db, "UPDATE trades SET status = 'void', received_at = (SELECT now_us FROM clock),"
          " settled_with = token, reason = 'measured' WHERE id = ?1");
  int count, reserved = 0;
  int64_t last = 0;
  while (scanf("%d", &count) == 1) {
    for (; reserved > 0; reserved--) {
      sqlite3_bind_int64(settle, 1, last - reserved + 1);
      step(db, settle);
      checkpoint_if_due(db, helper);
    }
    int64_t *took = calloc((size_t)count + 1, sizeof *took);
    for (int number = 0; number < count; number++) {
      int64_t start = now_ns(CLOCK_MONOTONIC);
      attempt(db, &all, number, version);
      // The library's next call waits for the checkpoint too.
      checkpoint_if_due(db, helper);
      took[number] = now_ns(CLOCK_MONOTONIC) - start;
    }
    reserved = count;
    last = sqlite3_last_insert_rowid(db);
    for (int number = 0; number < count; number++)
      printf("%lld%c", (long long)took[number], number + 1 < count ? ' ' : '\n');
    fflush(stdout);
    free(took);
  }
  return 0;
}

static void small_file(const char *path, char *bytes, size_t size) {
  int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t count = descriptor < 0 ? -1 : read(descriptor, bytes, size - 1);
  if (count < 0) die(path, NULL);
  bytes[count] = 0;
  close(descriptor);
}

static int64_t link_number(const char *path) {
  char target[4096];
  ssize_t count = readlink(path, target, sizeof target - 1);
  if (count < 0) die(path, NULL);
  target[count] = 0;
  return atoll(strchr(target, '[') + 1);
}

struct identity {
  char boot[256], command[256], host[256];
  int64_t pid_namespace, time_namespace, start_ticks;
};

static void read_identity(struct identity *identity) {
  char line[256];
  small_file("/proc/self/stat", line, sizeof line);
  char *field = strrchr(line, ')') + 1;
  for (int number = 3; number <= 22; number++) field = strchr(field, ' ') + 1;
  identity->start_ticks = atoll(field);
  small_file("/proc/sys/kernel/random/boot_id", identity->boot, sizeof identity->boot);
  identity->boot[strcspn(identity->boot, "\n")] = 0;
  identity->pid_namespace = link_number("/proc/self/ns/pid");
  identity->time_namespace = link_number("/proc/self/ns/time");
  small_file("/proc/self/cmdline", identity->command, sizeof identity->command);
  if (gethostname(identity->host, sizeof identity->host) != 0) die("gethostname", NULL);
}

static int64_t look_at_instance(sqlite3 *db, sqlite3_stmt *statement) {
  text(statement, 1, "desk");
  int64_t epoch = 0;
  while (sqlite3_step(statement) == SQLITE_ROW) {
    epoch = sqlite3_column_int64(statement, 1);
    for (int column = 2; column < sqlite3_column_count(statement); column++)
      if (sqlite3_column_type(statement, column) == SQLITE_TEXT)
        sqlite3_column_text(statement, column);
  }
  sqlite3_reset(statement);
  if (sqlite3_errcode(db) != SQLITE_OK) die("instance", db);
  return epoch;
}

// Seven statements to take a name, five to let go of it.
static int instance(const char *path, const char *directory) {
  sqlite3 *db = open_ledger(path), *helper = open_ledger(path);
  sqlite3_wal_hook(helper, NULL, NULL);
  run(db, "INSERT INTO instances (name, epoch) VALUES ('desk', 1)");
  sqlite3_stmt *begin = prepare(db, "BEGIN IMMEDIATE"), *commit = prepare(db, "COMMIT");
  sqlite3_stmt *version = prepare(db, read_file(directory, "schemaVersion.sql"));
  sqlite3_stmt *look = prepare(db, read_file(directory, "instance.sql"));
  sqlite3_stmt *take = prepare(db, read_file(directory, "takeInstance.sql"));
  sqlite3_stmt *release = prepare(db, read_file(directory, "releaseInstance.sql"));
  int count;
  while (scanf("%d", &count) == 1) {
    for (int number = 0; number < count; number++) {
      int64_t start = now_ns(CLOCK_MONOTONIC);
      struct identity identity;
      read_identity(&identity);
      look_at_instance(db, look);
      step(db, begin);
      step(db, version);
      look_at_instance(db, look);
      text(take, 1, "desk");
      text(take, 2, identity.boot);
      sqlite3_bind_int64(take, 3, identity.pid_namespace);
      sqlite3_bind_int64(take, 4, identity.time_namespace);
      sqlite3_bind_int64(take, 5, getpid());
      sqlite3_bind_int64(take, 6, identity.start_ticks);
      text(take, 7, identity.host);
      text(take, 8, identity.command);
      sqlite3_bind_int64(take, 9, now_ns(CLOCK_REALTIME) / 1000);
      step(db, take);
      int64_t epoch = look_at_instance(db, look);
      step(db, commit);
      checkpoint_if_due(db, helper);
      step(db, begin);
      step(db, version);
      look_at_instance(db, look);
      text(release, 1, "desk");
      sqlite3_bind_int64(release, 2, epoch);
      step(db, release);
      step(db, commit);
      checkpoint_if_due(db, helper);
      printf("%lld%c", (long long)(now_ns(CLOCK_MONOTONIC) - start),
             number + 1 < count ? ' ' : '\n');
    }
    fflush(stdout);
  }
  return 0;
}

static int prepare_ledger(const char *path, int bots, const char *schema) {
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

int main(int count, char **words) {
  if (count == 5 && !strcmp(words[1], "prepare"))
    return prepare_ledger(words[2], atoi(words[3]), words[4]);
  if (count == 4 && !strcmp(words[1], "reserve")) return reserve(words[2], words[3]);
  if (count == 4 && !strcmp(words[1], "instance")) return instance(words[2], words[3]);
  if (count == 2 && !strcmp(words[1], "statements"))
    return printf("%d\n", statements_of_an_attempt) < 0;
  fprintf(stderr, "usage: see the head of main.c\n");
  return 64;
}
