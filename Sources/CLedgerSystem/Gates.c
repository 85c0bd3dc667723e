#define _GNU_SOURCE
#include "CLedgerSystem.h"

#include <errno.h>
#include <time.h>

#if defined(__linux__)
#include <sys/ipc.h>
#include <sys/sem.h>

enum { gates_in_a_set = 256 };

union argument {
  int value;
  struct semid_ds *buffer;
};

uint16_t tl_gates_count(void) { return gates_in_a_set; }

int tl_gates_open(int32_t key, uint32_t uid, uint32_t gid, uint32_t mode, int *set) {
  *set = semget((key_t)key, gates_in_a_set, 0);
  if (*set >= 0) return 0;
  if (errno != ENOENT) return errno;
  // New semaphores are zero, and zero is an open gate: there is no moment between making and setting.
  *set = semget((key_t)key, gates_in_a_set, IPC_CREAT | IPC_EXCL | (int)mode);
  if (*set < 0) {
    if (errno != EEXIST) return errno;
    *set = semget((key_t)key, gates_in_a_set, 0);
    return *set < 0 ? errno : 0;
  }
  struct semid_ds owner = {0};
  owner.sem_perm.uid = uid;
  owner.sem_perm.gid = gid;
  owner.sem_perm.mode = (unsigned short)mode;
  union argument argument = {.buffer = &owner};
  (void)semctl(*set, 0, IPC_SET, argument);
  return 0;
}

int tl_gate_enter(int set, uint16_t index, int64_t nanoseconds) {
  struct sembuf closes[2] = {{index, 0, 0}, {index, 1, SEM_UNDO}};
  struct timespec limit = {nanoseconds / 1000000000, nanoseconds % 1000000000};
  if (nanoseconds <= 0) closes[0].sem_flg = IPC_NOWAIT;
  return semtimedop(set, closes, 2, nanoseconds <= 0 ? NULL : &limit) == 0 ? 0 : errno;
}

int tl_gate_leave(int set, uint16_t index) {
  struct sembuf opens = {index, -1, SEM_UNDO | IPC_NOWAIT};
  return semop(set, &opens, 1) == 0 ? 0 : errno;
}

int tl_gates_remove(int set) { return semctl(set, 0, IPC_RMID) == 0 ? 0 : errno; }

bool tl_gate_has_queue(int set, uint16_t index) { return semctl(set, index, GETZCNT) > 0; }

#else

// Elsewhere there is no wait with a limit: everybody goes straight to the lock.
uint16_t tl_gates_count(void) { return 1; }
int tl_gates_open(int32_t key, uint32_t uid, uint32_t gid, uint32_t mode, int *set) {
  (void)key, (void)uid, (void)gid, (void)mode, (void)set;
  return ENOSYS;
}
int tl_gate_enter(int set, uint16_t index, int64_t nanoseconds) {
  (void)set, (void)index, (void)nanoseconds;
  return ENOSYS;
}
int tl_gate_leave(int set, uint16_t index) {
  (void)set, (void)index;
  return ENOSYS;
}
int tl_gates_remove(int set) {
  (void)set;
  return ENOSYS;
}
bool tl_gate_has_queue(int set, uint16_t index) {
  (void)set, (void)index;
  return false;
}

#endif
