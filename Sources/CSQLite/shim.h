// What Swift cannot call by itself: C variadics and a macro that casts an integer to a pointer.
#ifndef TRADELEDGER_CSQLITE_SHIM_H
#define TRADELEDGER_CSQLITE_SHIM_H

#include <sqlite3.h>
#include <stdint.h>
#include <string.h>

// sqlite3_db_config with an int option; `*readback` receives the setting in force afterwards.
static inline int tl_sqlite3_db_config_int(sqlite3 *db, int option, int value, int *readback) {
  return sqlite3_db_config(db, option, value, readback);
}

// Binds text that SQLite copies at once.
static inline int tl_sqlite3_bind_text_copy(sqlite3_stmt *statement, int index,
                                            const char *bytes, int count) {
  return sqlite3_bind_text(statement, index, bytes, count, SQLITE_TRANSIENT);
}

// The header of the WAL index as it stands in shared memory now, without a lock and without a
// system call: it changes with every commit and with every restart of the log. Returns 1 and sets
// `header`, or 0 where there is none, or where somebody is writing it. Call it on a connection that
// has read before, so that the index is mapped.
static inline int tl_sqlite3_wal_index_header(sqlite3 *db, uint32_t header[12]) {
  sqlite3_file *file = NULL;
  if (sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK) return 0;
  if (!file || !file->pMethods || file->pMethods->iVersion < 2 || !file->pMethods->xShmMap) return 0;
  volatile void *region = NULL;
  if (file->pMethods->xShmMap(file, 0, 32768, 0, &region) != SQLITE_OK || !region) return 0;
  // Two copies; a writer fills the second one first. A reader takes the first one first.
  volatile uint32_t *copies = (volatile uint32_t *)region;
  uint32_t second[12];
  for (int word = 0; word < 12; word++) header[word] = copies[word];
  __sync_synchronize();
  for (int word = 0; word < 12; word++) second[word] = copies[12 + word];
  return memcmp(header, second, sizeof second) == 0;
}

#endif
