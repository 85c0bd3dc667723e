#define _GNU_SOURCE
#include "CLedgerSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/sem.h>
#include <sys/timex.h>
#endif

int tl_rename_exchange(const char *one, const char *other) {
#if defined(__linux__)
  if (renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE) != 0) return errno;
#else
  if (renamex_np(one, other, RENAME_SWAP) != 0) return errno;
#endif
  return 0;
}

int tl_lock_alone(int descriptor) {
  return flock(descriptor, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
}

int tl_lock_as_sqlite(int descriptor) {
  // The bytes of SQLite's locks on a main file: pending, reserved, and 510 for readers.
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0x40000000, .l_len = 512};
  return fcntl(descriptor, F_SETLK, &lock) == 0 ? 0 : errno;
}

int tl_gate_look(int set, uint16_t index, tl_gate_state *state) {
#if defined(__linux__)
  int value = semctl(set, index, GETVAL);
  if (value < 0) return errno;
  state->is_closed = value > 0;
  state->waiting = semctl(set, index, GETZCNT);
  state->last_pid = semctl(set, index, GETPID);
  return 0;
#else
  (void)set, (void)index, (void)state;
  return ENOSYS;
#endif
}

int tl_clock_is_synchronized(bool *answer) {
#if defined(__linux__)
  struct timex state = {0};
  int code = adjtimex(&state);
  if (code < 0) return errno;
  *answer = (state.status & STA_UNSYNC) == 0;
  return 0;
#else
  (void)answer;
  return ENOSYS;
#endif
}
