// The ceilings that the product is measured against: what anything on SQLite could reach at most
// (bare: two tables, one index, no triggers), and what the shipped schema with the product's own
// list of statements costs without the product's layers (same).
//
// Prints one line: operations, microseconds that passed, p50, p99, p99.9 and longest in
// nanoseconds, operations of the slowest and of the fastest process.
//
// The texts of the statements and the schema lie beside the program, in CostInC.statements, or in
// COST_STATEMENTS: a changed copy shows what a trigger or an index costs.
#include "ceiling.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attempt.h"

enum { bots_of_a_process = 16, batch = 64, sub_buckets = 128, buckets = 64 * sub_buckets };

struct shared {
  atomic_int ready, go;
  struct place {
    int64_t operations, elapsed, longest;
    uint32_t counts[buckets];
  } places[];
};

// Log-linear: 128 steps for each power of two, so a latency is kept to less than a hundredth.
static int bucket(int64_t value) {
  int power = 63 - __builtin_clzll((uint64_t)value | 1);
  if (power < 7) return (int)value;
  return (power - 6) * sub_buckets + (int)(value >> (power - 7) & (sub_buckets - 1));
}

static int64_t bucket_value(int index) {
  if (index < sub_buckets) return index;
  int power = index / sub_buckets + 6;
  return (int64_t)(sub_buckets + index % sub_buckets) << (power - 7);
}

// MARK: bare

static const char *bare_schema =
    "CREATE TABLE bots (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, cooldown_us INTEGER);"
    "CREATE TABLE trades (id INTEGER PRIMARY KEY, bot_id INTEGER NOT NULL, time INTEGER NOT NULL,"
    " side TEXT, symbol TEXT, quantity TEXT, status TEXT);"
    "CREATE INDEX last_trade ON trades (bot_id, time);";

struct bare {
  sqlite3 *db, *helper;
  sqlite3_stmt *begin, *look, *insert, *fill, *commit;
};

static void open_bare(struct bare *all, const char *path) {
  sqlite3 *db = all->db = open_ledger(path);
  all->helper = open_ledger(path);
  sqlite3_wal_hook(all->helper, NULL, NULL);
  all->begin = prepare(db, "BEGIN IMMEDIATE");
  all->look = prepare(db, "SELECT MAX(time) FROM trades WHERE bot_id = ?1");
  all->insert = prepare(
      db, "INSERT INTO trades (bot_id, time, side, symbol, quantity, status)"
          " VALUES (?1, ?2, 'buy', 'BTC-USD', '0.25', ?3)");
  all->fill = prepare(db, "UPDATE trades SET status = 'filled' WHERE id = ?1");
  all->commit = prepare(db, "COMMIT");
}

static int64_t bare_look(struct bare *all, int bot) {
  sqlite3_bind_int(all->look, 1, bot + 1);
  return step(all->db, all->look);
}

static int64_t bare_insert(struct bare *all, int bot, const char *status) {
  bare_look(all, bot);
  sqlite3_bind_int(all->insert, 1, bot + 1);
  sqlite3_bind_int64(all->insert, 2, now_ns(CLOCK_REALTIME) / 1000);
  bind_text(all->insert, 3, status);
  step(all->db, all->insert);
  return sqlite3_last_insert_rowid(all->db);
}

static void bare_commit(struct bare *all) {
  step(all->db, all->commit);
  checkpoint_if_due(all->db, all->helper);
}

static void prepare_bare(const char *path, int bots) {
  sqlite3 *db;
  if (sqlite3_open(path, &db) != SQLITE_OK) die(path, db);
  run(db, "PRAGMA journal_mode = wal");
  run(db, bare_schema);
  char sql[256];
  snprintf(sql, sizeof sql,
           "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
           " INSERT INTO bots (name, cooldown_us) SELECT 'bot-' || i, 0 FROM n;"
           "INSERT INTO trades (bot_id, time, status) VALUES (1, 0, 'filled')",
           bots - 1);
  run(db, sql);
  sqlite3_close(db);
}

// MARK: what each process does

struct worker {
  const char *design;
  int is_bare, number, next;
  struct bare bare;
  struct attempts same;
  struct names names;
};

// Gives how many operations it was.
static int operate(struct worker *worker) {
  const char *design = worker->design;
  int bot = worker->number * bots_of_a_process + worker->next++ % bots_of_a_process;
  if (!strcmp(design, "bare-accept")) {
    step(worker->bare.db, worker->bare.begin);
    bare_insert(&worker->bare, bot, "filled");
    bare_commit(&worker->bare);
  } else if (!strcmp(design, "bare-two-phase")) {
    step(worker->bare.db, worker->bare.begin);
    int64_t trade = bare_insert(&worker->bare, bot, "pending");
    bare_commit(&worker->bare);
    step(worker->bare.db, worker->bare.begin);
    sqlite3_bind_int64(worker->bare.fill, 1, trade);
    step(worker->bare.db, worker->bare.fill);
    bare_commit(&worker->bare);
  } else if (!strcmp(design, "bare-batch")) {
    step(worker->bare.db, worker->bare.begin);
    for (int index = 0; index < batch; index++)
      bare_insert(&worker->bare, bot + index % bots_of_a_process, "filled");
    bare_commit(&worker->bare);
    return batch;
  } else if (!strcmp(design, "bare-deny")) {
    bare_look(&worker->bare, 0);
  } else if (!strcmp(design, "same-accept")) {
    record_once(&worker->same, bot);
  } else if (!strcmp(design, "same-two-phase")) {
    fill_once(&worker->same, reserve_once(&worker->same, bot));
  } else if (!strcmp(design, "same-deny")) {
    look_once(&worker->same, 0);
  } else {
    hold_once(&worker->names);
  }
  return 1;
}

static int is_known(const char *design) {
  static const char *known[] = {"bare-accept", "bare-two-phase", "bare-batch", "bare-deny",
                                "same-accept", "same-two-phase", "same-deny",  "same-guard"};
  for (size_t index = 0; index < sizeof known / sizeof *known; index++)
    if (!strcmp(design, known[index])) return 1;
  return 0;
}

static void work(struct worker *worker, const char *path, const char *directory,
                 struct shared *shared, int64_t nanoseconds) {
  struct place *place = &shared->places[worker->number];
  if (worker->is_bare) {
    open_bare(&worker->bare, path);
  } else if (!strcmp(worker->design, "same-guard")) {
    open_names(&worker->names, path, directory, worker->number);
  } else {
    open_attempts(&worker->same, path, directory);
  }
  atomic_fetch_add(&shared->ready, 1);
  while (!atomic_load(&shared->go)) usleep(100);
  int64_t start = now_ns(CLOCK_MONOTONIC), before = start;
  while (before - start < nanoseconds) {
    place->operations += operate(worker);
    int64_t after = now_ns(CLOCK_MONOTONIC), took = after - before;
    place->counts[bucket(took)]++;
    if (took > place->longest) place->longest = took;
    before = after;
  }
  place->elapsed = before - start;
}

static int64_t percentile(const struct shared *shared, int processes, double share) {
  int64_t total = 0, seen = 0;
  for (int number = 0; number < processes; number++)
    for (int index = 0; index < buckets; index++) total += shared->places[number].counts[index];
  for (int index = 0; index < buckets; index++) {
    for (int number = 0; number < processes; number++)
      seen += shared->places[number].counts[index];
    if ((double)seen >= share * (double)total) return bucket_value(index);
  }
  return 0;
}

static void print(const struct shared *shared, int processes) {
  int64_t operations = 0, elapsed = 0, longest = 0, least = INT64_MAX, most = 0;
  for (int number = 0; number < processes; number++) {
    const struct place *place = &shared->places[number];
    operations += place->operations;
    if (place->elapsed > elapsed) elapsed = place->elapsed;
    if (place->longest > longest) longest = place->longest;
    if (place->operations < least) least = place->operations;
    if (place->operations > most) most = place->operations;
  }
  printf("%lld %lld %lld %lld %lld %lld %lld %lld\n", (long long)operations,
         (long long)elapsed / 1000, (long long)percentile(shared, processes, 0.5),
         (long long)percentile(shared, processes, 0.99),
         (long long)percentile(shared, processes, 0.999), (long long)longest, (long long)least,
         (long long)most);
}

static void remove_database(const char *path) {
  static const char *suffixes[] = {"", "-wal", "-shm"};
  char name[4096];
  for (int index = 0; index < 3; index++) {
    snprintf(name, sizeof name, "%s%s", path, suffixes[index]);
    unlink(name);
  }
}

static void find_texts(char *path, size_t size) {
  const char *given = getenv("COST_STATEMENTS");
  if (given) {
    snprintf(path, size, "%s", given);
    return;
  }
  ssize_t length = readlink("/proc/self/exe", path, size - 32);
  if (length < 0) die("which program is this", NULL);
  strcpy(path + length, ".statements");
}

int ceiling(const char *design, const char *directory, int processes, int64_t microseconds) {
  if (!is_known(design) || processes < 1 || processes > 64) die("not a design to run", NULL);
  char texts[4096], schema[4200], path[4096];
  find_texts(texts, sizeof texts);
  snprintf(schema, sizeof schema, "%s/schema.sql", texts);
  snprintf(path, sizeof path, "%s/ceiling-%d.db", directory, getpid());
  int is_bare = !strncmp(design, "bare", 4), bots = processes * bots_of_a_process;
  if (is_bare) {
    prepare_bare(path, bots);
  } else {
    prepare_ledger(path, bots, schema);
  }
  size_t size = sizeof(struct shared) + (size_t)processes * sizeof(struct place);
  struct shared *shared =
      mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) die("mmap", NULL);
  for (int number = 0; number < processes; number++) {
    pid_t pid = fork();
    if (pid < 0) die("fork", NULL);
    if (pid == 0) {
      struct worker worker = {.design = design, .is_bare = is_bare, .number = number};
      work(&worker, path, texts, shared, microseconds * 1000);
      _exit(0);
    }
  }
  int status, failed = 0, left = processes;
  while (atomic_load(&shared->ready) < processes && !failed) {
    if (waitpid(-1, &status, WNOHANG) > 0) left--, failed = 1;
    usleep(100);
  }
  atomic_store(&shared->go, 1);
  for (; left > 0; left--) failed |= wait(&status) < 0 || status != 0;
  remove_database(path);
  if (failed) return 1;
  print(shared, processes);
  return 0;
}
