// System calls that Swift's Glibc overlay does not export.
#ifndef TRADELEDGER_CLEDGERSYSTEM_H
#define TRADELEDGER_CLEDGERSYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The file system type (`f_type` of statfs(2)) of the file or directory at `path`.
// Returns 0, or the errno of the failure.
int tl_filesystem_type(const char *path, uint64_t *type);

// Renames `from` to `to`, failing with EEXIST where `to` exists. Returns 0 or the errno.
int tl_rename_exclusively(const char *from, const char *to);

// The device and inode of `path`. Asks for nothing else: on kernels with multigrain timestamps a
// full stat(2) makes the next write take a new time and dirty the inode, which every fsync pays for.
// Returns 0 or the errno.
int tl_file_identity(const char *path, uint64_t *device, uint64_t *inode);

// Whether something is mounted at this very path; false before Linux 5.8, which does not say.
// Returns 0 or the errno.
int tl_is_mount_point(const char *path, bool *answer);

// What changes when an entry of a directory does, or when its path leads elsewhere.
typedef struct {
  uint64_t device;
  uint64_t inode;
  int64_t changed_seconds;
  uint32_t changed_nanoseconds;
} tl_directory_state;

// Opens the directory at `path` for nothing but looking at it. Returns a descriptor, or -1.
int tl_directory_open(const char *path);

// Looks at the directory at `path`. Returns 0 or the errno.
int tl_directory_look(const char *path, tl_directory_state *state);

// Looks at the open directory, wherever it is now. Returns 0 or the errno.
int tl_directory_look_open(int descriptor, tl_directory_state *state);

// Whether the two are one directory, unchanged.
bool tl_directory_is_same(tl_directory_state one, tl_directory_state other);

// Replaces this process by `arguments`, looked for in PATH, with `environment`. Returns the errno.
int tl_become(char *const *arguments, char *const *environment);

// A child process that waits for a word before it becomes a command.
typedef struct {
  int32_t pid;
  int gate;   // write a word and a newline: the child becomes the command; close: it ends with 0
  int report; // then the errno of a failed exec as an int, or the end of the file
} tl_held_child;

// Forks a child that waits at the gate, then becomes `arguments` with `environment`,
// with an empty signal mask and the default handling of SIGPIPE, SIGXFSZ and SIGCHLD (a caught
// signal gets it by exec, an ignored one stays ignored). The word from the gate is written to
// `blank`, the end of an entry of `environment`, which has `room` bytes with its final zero. With
// `dies_with_parent` the child gets SIGKILL as soon as the calling *thread* ends (Linux).
// Returns 0 or the errno.
int tl_held_start(char *const *arguments, char *const *environment, char *blank, size_t room,
                  bool dies_with_parent, tl_held_child *child);

// A gate lets one process at a time through, in the order in which they came, and is opened by the
// kernel when its holder ends, however it ends. Gates are semaphores of System V, in sets that
// belong to a user: nothing lies in a file system. They give order and never safety.
//
// Opens the set of `key`, or makes it for `uid` and `gid` with `mode`. Returns 0 or the errno.
int tl_gates_open(int32_t key, uint32_t uid, uint32_t gid, uint32_t mode, int *set);
// How many gates a set has.
uint16_t tl_gates_count(void);
// Goes through gate `index`, waiting at most `nanoseconds`. Returns 0, EAGAIN or another errno.
int tl_gate_enter(int set, uint16_t index, int64_t nanoseconds);
// Lets the next one through. Returns 0 or the errno.
int tl_gate_leave(int set, uint16_t index);
// Removes a set, whoever waits at it. Returns 0 or the errno.
int tl_gates_remove(int set);
// Whether somebody waits at gate `index`.
bool tl_gate_has_queue(int set, uint16_t index);

// Fills 16 bytes with random bits of the system, which are fetched many at a time for each thread
// and never used twice, not by a forked child either. Returns 0 or the errno.
int tl_random_bits(uint64_t bits[2]);

// Exchanges the files of two names in one step. Returns 0 or the errno.
int tl_rename_exchange(const char *one, const char *other);

// Locks the open directory for this process alone, until it is closed. Returns 0 or the errno.
int tl_lock_alone(int descriptor);

// Locks the open main file of a database as SQLite does before it excludes everybody else, without
// waiting. For files that SQLite cannot open. Returns 0 or the errno.
int tl_lock_as_sqlite(int descriptor);

typedef struct {
  bool is_closed;   // somebody has gone through and not left yet
  int32_t waiting;  // how many stand before it
  int32_t last_pid; // who went through or left last
} tl_gate_state;

// Looks at a gate. Returns 0 or the errno.
int tl_gate_look(int set, uint16_t index, tl_gate_state *state);

// Whether the kernel takes the wall clock for synchronized, by NTP for example. Returns 0 or the
// errno.
int tl_clock_is_synchronized(bool *answer);

#if defined(__APPLE__)
// The id of this boot of the machine, as text. Returns 0 or the errno.
int tl_boot_session(char *text, size_t size);

// When a process was started, in microseconds since 1970, and whether it waits to be reaped.
// Returns 0 or the errno.
int tl_process_look(int32_t pid, int64_t *started_us, bool *is_zombie);
#endif

#endif
