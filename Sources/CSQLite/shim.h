// What Swift cannot call by itself: C variadics and a macro that casts an integer to a pointer.
#ifndef TRADELEDGER_CSQLITE_SHIM_H
#define TRADELEDGER_CSQLITE_SHIM_H

#include <sqlite3.h>

// sqlite3_db_config with an int option; `*readback` receives the setting in force afterwards.
static inline int tl_sqlite3_db_config_int(sqlite3 *db, int option, int value, int *readback) {
  return sqlite3_db_config(db, option, value, readback);
}

// Binds text that SQLite copies at once.
static inline int tl_sqlite3_bind_text_copy(sqlite3_stmt *statement, int index,
                                            const char *bytes, int count) {
  return sqlite3_bind_text(statement, index, bytes, count, SQLITE_TRANSIENT);
}

#endif
