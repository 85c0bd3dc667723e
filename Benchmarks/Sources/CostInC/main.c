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
//   CostInC ceiling DESIGN DIR PROCESSES MICROSECONDS
//                                            runs a design in so many processes: see ceiling.c
//   CostInC once LEDGER DIR BOT              one durable attempt, from start to exit
//   CostInC spawn PROGRAM ARG...             for each line `COUNT`, runs the program so often and
//                                            prints the nanoseconds from spawn to exit
//   CostInC statements                       prints how many statements one attempt is
//
// DIR holds the texts of the statements as scripts/cost takes them out of Statements.swift, so that
// the two sides cannot drift apart.
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "attempt.h"
#include "ceiling.h"

extern char **environ;

static void print_all(const int64_t *took, int count) {
  for (int number = 0; number < count; number++)
    printf("%lld%c", (long long)took[number], number + 1 < count ? ' ' : '\n');
  fflush(stdout);
}

static int reserve(const char *path, const char *directory) {
  struct attempts all;
  open_attempts(&all, path, directory);
  sqlite3_stmt *settle = prepare(
      all.db, "UPDATE trades SET status = 'void', received_at = (SELECT now_us FROM clock),"
              " settled_with = token, reason = 'measured' WHERE id = ?1");
  int count, reserved = 0;
  int64_t last = 0;
  while (scanf("%d", &count) == 1) {
    for (; reserved > 0; reserved--) {
      sqlite3_bind_int64(settle, 1, last - reserved + 1);
      step(all.db, settle);
      checkpoint_if_due(all.db, all.helper);
    }
    int64_t *took = calloc((size_t)count + 1, sizeof *took);
    for (int number = 0; number < count; number++) {
      int64_t start = now_ns(CLOCK_MONOTONIC);
      last = reserve_once(&all, number);
      took[number] = now_ns(CLOCK_MONOTONIC) - start;
    }
    reserved = count;
    print_all(took, count);
    free(took);
  }
  return 0;
}

static int instance(const char *path, const char *directory) {
  struct names all;
  open_names(&all, path, directory, 0);
  int count;
  while (scanf("%d", &count) == 1) {
    int64_t *took = calloc((size_t)count + 1, sizeof *took);
    for (int number = 0; number < count; number++) {
      int64_t start = now_ns(CLOCK_MONOTONIC);
      hold_once(&all);
      took[number] = now_ns(CLOCK_MONOTONIC) - start;
    }
    print_all(took, count);
    free(took);
  }
  return 0;
}

static int once(const char *path, const char *directory, int bot) {
  struct attempts all;
  open_attempts(&all, path, directory);
  return reserve_once(&all, bot) > 0 ? 0 : 1;
}

// The last of the arguments may hold %d: the number of the run.
static int spawn(char **words) {
  int count, number = 0;
  while (scanf("%d", &count) == 1) {
    int64_t *took = calloc((size_t)count + 1, sizeof *took);
    for (int run = 0; run < count; run++, number++) {
      char *arguments[32] = {0}, numbered[64];
      for (int index = 0; words[index] && index < 31; index++) {
        arguments[index] = words[index];
        char *place = strstr(words[index], "%d");
        if (!place) continue;
        snprintf(numbered, sizeof numbered, "%.*s%d", (int)(place - words[index]), words[index],
                 number);
        arguments[index] = numbered;
      }
      posix_spawn_file_actions_t actions;
      posix_spawn_file_actions_init(&actions);
      posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", 1, 0);
      pid_t pid;
      int status;
      int64_t start = now_ns(CLOCK_MONOTONIC);
      if (posix_spawn(&pid, words[0], &actions, NULL, arguments, environ) != 0) die(words[0], NULL);
      if (waitpid(pid, &status, 0) != pid || status != 0) die("the program failed", NULL);
      took[run] = now_ns(CLOCK_MONOTONIC) - start;
      posix_spawn_file_actions_destroy(&actions);
    }
    print_all(took, count);
    free(took);
  }
  return 0;
}

int main(int count, char **words) {
  if (count == 5 && !strcmp(words[1], "prepare"))
    return prepare_ledger(words[2], atoi(words[3]), words[4]);
  if (count == 4 && !strcmp(words[1], "reserve")) return reserve(words[2], words[3]);
  if (count == 4 && !strcmp(words[1], "instance")) return instance(words[2], words[3]);
  if (count == 6 && !strcmp(words[1], "ceiling"))
    return ceiling(words[2], words[3], atoi(words[4]), atoll(words[5]));
  if (count == 5 && !strcmp(words[1], "once")) return once(words[2], words[3], atoi(words[4]));
  if (count > 2 && !strcmp(words[1], "spawn")) return spawn(words + 2);
  if (count == 2 && !strcmp(words[1], "statements"))
    return printf("%d\n", statements_of_an_attempt) < 0;
  fprintf(stderr, "usage: see the head of main.c\n");
  return 64;
}
