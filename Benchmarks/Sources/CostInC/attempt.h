// The product's own list of statements for an attempt, and for an instance name.
#pragma once
#include "database.h"

struct attempts {
  sqlite3 *db, *helper;
  sqlite3_stmt *admission, *begin, *schema_version, *insert, *commit, *settle;
  int64_t version;
};
enum { statements_of_an_attempt = 6 };

// `directory` holds the texts of the statements.
void open_attempts(struct attempts *all, const char *path, const char *directory);
// Reserves for the bot with this number, as the library does. Gives the trade.
int64_t reserve_once(struct attempts *all, int bot);
// The same, filled at once: what `record` does.
int64_t record_once(struct attempts *all, int bot);
// Fills a reserved trade.
void fill_once(struct attempts *all, int64_t trade);
// The look that a denial is: one statement, no lock.
int64_t look_once(struct attempts *all, int bot);

struct names {
  sqlite3 *db, *helper;
  sqlite3_stmt *begin, *commit, *version, *look, *take, *release;
  char name[32];
};
void open_names(struct names *all, const char *path, const char *directory, int number);
// Takes the name and lets go of it.
void hold_once(struct names *all);
