/* One case of scripts/lib/postgres/bench.py: processes that ask a server as fast as answers come.

   bench CONNECTION CASE own|hot|denied PROCESSES SECONDS

   Prints how many operations were answered in a second, then how long each took, in microseconds.
   Every statement is prepared. */

#include <libpq-fe.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { batch = 64, most_samples = 1 << 20 };

struct result {
  double seconds;
  long operations;
  uint32_t microseconds[most_samples];
};

static PGconn *connection;
static char bot_number[16], bot_name[32];

static _Noreturn void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, connection ? PQerrorMessage(connection) : "");
  exit(1);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Like a UUID of version 7: grows at one end, and no two are the same. */
static void make_key(char key[40]) {
  static unsigned count;
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  snprintf(key, 40, "%012llx-%08x-%08x",
    (unsigned long long)time.tv_sec * 1000 + (unsigned long long)time.tv_nsec / 1000000,
    (unsigned)getpid(), count++);
}

static void prepare(const char *name, const char *text) {
  PGresult *result = PQprepare(connection, name, text, 0, NULL);
  if (PQresultStatus(result) != PGRES_COMMAND_OK) fail(name);
  PQclear(result);
}

/* Every statement gives `rows` rows; -1: no matter. */
static void execute(const char *name, int count, const char *const *values, int rows) {
  PGresult *result = PQexecPrepared(connection, name, count, values, NULL, NULL, 0);
  ExecStatusType status = PQresultStatus(result);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) fail(name);
  if (rows >= 0 && PQntuples(result) != rows) fail("not as many rows as expected");
  PQclear(result);
}

static void prepare_all(void) {
  prepare("begin", "BEGIN");
  prepare("commit", "COMMIT");
  prepare("row", "SELECT id FROM peer.bots WHERE id = $1::integer FOR UPDATE");
  prepare("advisory", "SELECT pg_advisory_xact_lock($1::integer)");
  prepare("last", "SELECT max(created_at) FROM peer.trades WHERE bot_id = $1::integer");
  prepare("insert",
    "INSERT INTO peer.trades (bot_id, key, side, symbol, quantity) "
    "VALUES ($1::integer, $2::text, 'buy', 'BTC-USD', '0.25') RETURNING id");
  prepare("function",
    "SELECT peer.attempt($1::text, $2::text, 'buy', 'BTC-USD', '0.25', interval '0')");
  prepare("attempt",
    "SELECT * FROM tradeledger.attempt('record', $1::text, $2::text, 'buy', 'BTC-USD', '0.25', "
    "NULL, NULL, 1, NULL, NULL, NULL, NULL, NULL, 5000)");
  prepare("work", "SELECT * FROM tradeledger.work($1::jsonb, 5000)");
}

static void locked(const char *lock) {
  char key[40];
  make_key(key);
  execute("begin", 0, NULL, -1);
  execute(lock, 1, (const char *[]){bot_number}, 1);
  execute("last", 1, (const char *[]){bot_number}, 1);
  execute("insert", 2, (const char *[]){bot_number, key}, 1);
  execute("commit", 0, NULL, -1);
}

static void work(int first) {
  static char elements[batch * 256];
  char key[40], *end = elements;
  for (int n = 0; n < batch; n++) {
    make_key(key);
    end += sprintf(end,
      "%c{\"do\":\"attempt\",\"kind\":\"record\",\"bot\":\"bot-%d\",\"key\":\"%s\",\"side\":\"buy\","
      "\"symbol\":\"BTC-USD\",\"quantity\":\"0.25\",\"pid\":1}",
      n ? ',' : '[', first + n, key);
  }
  strcpy(end, "]");
  execute("work", 1, (const char *[]){elements}, batch);
}

static void operate(const char *name, int first) {
  char key[40];
  if (!strcmp(name, "row") || !strcmp(name, "advisory")) {
    locked(name);
  } else if (!strcmp(name, "insert")) {
    make_key(key);
    execute(name, 2, (const char *[]){bot_number, key}, 1);
  } else if (!strcmp(name, "work")) {
    work(first);
  } else {
    make_key(key);
    execute(name, 2, (const char *[]){bot_name, key}, 1);
  }
}

int main(int count, char **arguments) {
  if (count != 6) fail("usage: bench CONNECTION CASE own|hot|denied PROCESSES SECONDS");
  const char *name = arguments[2], *bots = arguments[3];
  int processes = atoi(arguments[4]);
  double seconds = atof(arguments[5]);
  struct result *results = mmap(NULL, sizeof(struct result) * (size_t)processes,
    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int ready[2], go[2];
  if (results == MAP_FAILED || pipe(ready) || pipe(go)) fail("no memory");
  for (int n = 0; n < processes; n++) {
    pid_t pid = fork();
    if (pid < 0) fail("no process");
    if (pid > 0) continue;
    char byte = 0;
    close(go[1]);
    connection = PQconnectdb(arguments[1]);
    if (PQstatus(connection) != CONNECTION_OK) fail("no connection");
    prepare_all();
    int bot = strcmp(bots, "own") ? 0 : !strcmp(name, "work") ? n * batch : n;
    sprintf(bot_number, "%d", bot);
    sprintf(bot_name, strcmp(bots, "denied") ? "bot-%d" : "denied", bot);
    operate(name, bot);
    /* All are ready before the first begins. */
    if (write(ready[1], &byte, 1) != 1 || read(go[0], &byte, 1) != 0) fail("no start");
    struct result *result = &results[n];
    double start = now(), before = start, after;
    do {
      operate(name, bot);
      after = now();
      result->microseconds[result->operations++ % most_samples] = (uint32_t)((after - before) * 1e6);
      before = after;
    } while (after - start < seconds);
    result->seconds = after - start;
    exit(0);
  }
  char byte;
  close(ready[1]);
  for (int n = 0; n < processes; n++)
    if (read(ready[0], &byte, 1) != 1) fail("a process ended early");
  close(go[1]);
  for (int n = 0; n < processes; n++) {
    int status;
    if (wait(&status) < 0 || status != 0) fail("a process failed");
  }
  double rate = 0;
  for (int n = 0; n < processes; n++) rate += (double)results[n].operations / results[n].seconds;
  printf("%.1f\n", rate);
  for (int n = 0; n < processes; n++)
    for (long at = 0; at < results[n].operations && at < most_samples; at++)
      printf("%u\n", results[n].microseconds[at]);
}
