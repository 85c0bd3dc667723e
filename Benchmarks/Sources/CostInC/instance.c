#include "attempt.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static int64_t look_at_instance(sqlite3 *db, sqlite3_stmt *statement, const char *name) {
  bind_text(statement, 1, name);
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

void open_names(struct names *all, const char *path, const char *directory, int number) {
  sqlite3 *db = all->db = open_ledger(path);
  all->helper = open_ledger(path);
  sqlite3_wal_hook(all->helper, NULL, NULL);
  snprintf(all->name, sizeof all->name, "desk-%d", number);
  char sql[128];
  snprintf(sql, sizeof sql, "INSERT INTO instances (name, epoch) VALUES ('%s', 1)", all->name);
  run(db, sql);
  all->begin = prepare(db, "BEGIN IMMEDIATE");
  all->commit = prepare(db, "COMMIT");
  all->version = prepare(db, read_file(directory, "schemaVersion.sql"));
  all->look = prepare(db, read_file(directory, "instance.sql"));
  all->take = prepare(db, read_file(directory, "takeInstance.sql"));
  all->release = prepare(db, read_file(directory, "releaseInstance.sql"));
}

// Seven statements to take a name, five to let go of it.
void hold_once(struct names *all) {
  sqlite3 *db = all->db;
  struct identity identity;
  read_identity(&identity);
  look_at_instance(db, all->look, all->name);
  step(db, all->begin);
  step(db, all->version);
  look_at_instance(db, all->look, all->name);
  bind_text(all->take, 1, all->name);
  bind_text(all->take, 2, identity.boot);
  sqlite3_bind_int64(all->take, 3, identity.pid_namespace);
  sqlite3_bind_int64(all->take, 4, identity.time_namespace);
  sqlite3_bind_int64(all->take, 5, getpid());
  sqlite3_bind_int64(all->take, 6, identity.start_ticks);
  bind_text(all->take, 7, identity.host);
  bind_text(all->take, 8, identity.command);
  sqlite3_bind_int64(all->take, 9, now_ns(CLOCK_REALTIME) / 1000);
  step(db, all->take);
  int64_t epoch = look_at_instance(db, all->look, all->name);
  step(db, all->commit);
  checkpoint_if_due(db, all->helper);
  step(db, all->begin);
  step(db, all->version);
  look_at_instance(db, all->look, all->name);
  bind_text(all->release, 1, all->name);
  sqlite3_bind_int64(all->release, 2, epoch);
  step(db, all->release);
  step(db, all->commit);
  checkpoint_if_due(db, all->helper);
}
