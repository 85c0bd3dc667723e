// What the programs here share: a connection with the settings of the library's.
#pragma once
#define _GNU_SOURCE
#include <sqlite3.h>
#include <stdint.h>
#include <time.h>

_Noreturn void die(const char *what, sqlite3 *db);
int64_t now_ns(clockid_t clock);
// A whole file; `name` may be empty where `directory` is the path.
char *read_file(const char *directory, const char *name);
void run(sqlite3 *db, const char *sql);
sqlite3 *open_ledger(const char *path);
sqlite3_stmt *prepare(sqlite3 *db, const char *sql);
int64_t step(sqlite3 *db, sqlite3_stmt *statement);
void bind_text(sqlite3_stmt *statement, int index, const char *value);
void checkpoint_if_due(sqlite3 *db, sqlite3 *helper);
int prepare_ledger(const char *path, int bots, const char *schema);
