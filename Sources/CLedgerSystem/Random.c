#define _GNU_SOURCE
#include "CLedgerSystem.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>

// getrandom(2) and its kin give this many bytes whole.
enum { fetched_at_once = 256 };

// Moves in every forked child, so that it does not go on with what its parent holds.
static atomic_uint generation = 1;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void move_on(void) { atomic_fetch_add(&generation, 1); }
static void prepare(void) { (void)pthread_atfork(NULL, NULL, move_on); }

static _Thread_local struct {
  unsigned generation;
  size_t left;
  unsigned char bytes[fetched_at_once];
} held;

int tl_random_bits(uint64_t bits[2]) {
  const size_t size = 2 * sizeof *bits;
  pthread_once(&once, prepare);
  unsigned now = atomic_load(&generation);
  if (held.generation != now || held.left < size) {
    if (getentropy(held.bytes, sizeof held.bytes) != 0) return errno;
    held.generation = now;
    held.left = sizeof held.bytes;
  }
  held.left -= size;
  memcpy(bits, held.bytes + held.left, size);
  memset(held.bytes + held.left, 0, size);
  return 0;
}
