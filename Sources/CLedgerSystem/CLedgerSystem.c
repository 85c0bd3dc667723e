#define _GNU_SOURCE
#include "CLedgerSystem.h"

#include <errno.h>
#include <stdio.h>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#else
#include <sys/mount.h>
#include <sys/param.h>
#include <sys/stat.h>
#endif

int tl_filesystem_type(const char *path, uint64_t *type) {
  struct statfs information;
  if (statfs(path, &information) != 0) return errno;
  *type = (uint64_t)(uint32_t)information.f_type;
  return 0;
}

int tl_rename_exclusively(const char *from, const char *to) {
#if defined(__linux__)
  if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) != 0) return errno;
#else
  if (renamex_np(from, to, RENAME_EXCL) != 0) return errno;
#endif
  return 0;
}

int tl_file_identity(const char *path, uint64_t *device, uint64_t *inode) {
#if defined(__linux__)
  struct statx information;
  if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_INO, &information) != 0) return errno;
  *device = makedev(information.stx_dev_major, information.stx_dev_minor);
  *inode = information.stx_ino;
#else
  struct stat information;
  if (stat(path, &information) != 0) return errno;
  *device = (uint64_t)information.st_dev;
  *inode = (uint64_t)information.st_ino;
#endif
  return 0;
}

int tl_is_mount_point(const char *path, bool *answer) {
#if defined(__linux__)
#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT 0x2000
#endif
  struct statx information;
  if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC | AT_SYMLINK_NOFOLLOW, 0, &information) != 0) {
    return errno;
  }
  *answer = (information.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
#else
  (void)path;
  *answer = false;
#endif
  return 0;
}

int tl_directory_open(const char *path) {
#if defined(__linux__)
  return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
#else
  return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
#endif
}

// `path` is empty to look at `descriptor` itself.
static int look(int descriptor, const char *path, tl_directory_state *state) {
#if defined(__linux__)
  struct statx information;
  int flags = AT_STATX_DONT_SYNC | AT_EMPTY_PATH;
  if (statx(descriptor, path, flags, STATX_INO | STATX_CTIME, &information) != 0) return errno;
  state->device = makedev(information.stx_dev_major, information.stx_dev_minor);
  state->inode = information.stx_ino;
  state->changed_seconds = information.stx_ctime.tv_sec;
  state->changed_nanoseconds = information.stx_ctime.tv_nsec;
#else
  struct stat information;
  if ((*path ? stat(path, &information) : fstat(descriptor, &information)) != 0) return errno;
  state->device = (uint64_t)information.st_dev;
  state->inode = (uint64_t)information.st_ino;
  state->changed_seconds = information.st_ctimespec.tv_sec;
  state->changed_nanoseconds = (uint32_t)information.st_ctimespec.tv_nsec;
#endif
  return 0;
}

int tl_directory_look(const char *path, tl_directory_state *state) {
  return look(AT_FDCWD, path, state);
}

int tl_directory_look_open(int descriptor, tl_directory_state *state) {
  return look(descriptor, "", state);
}

bool tl_directory_is_same(tl_directory_state one, tl_directory_state other) {
  return one.device == other.device && one.inode == other.inode &&
         one.changed_seconds == other.changed_seconds &&
         one.changed_nanoseconds == other.changed_nanoseconds;
}

int tl_become(char *const *arguments, char *const *environment) {
#if defined(__linux__)
  execvpe(arguments[0], arguments, environment);
#else
  extern char **environ;
  environ = (char **)environment;
  execvp(arguments[0], arguments);
#endif
  return errno;
}

static int make_pipe(int ends[2]) {
#if defined(__linux__)
  return pipe2(ends, O_CLOEXEC) == 0 ? 0 : errno;
#else
  if (pipe(ends) != 0) return errno;
  fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  fcntl(ends[1], F_SETFD, FD_CLOEXEC);
  return 0;
#endif
}

// Only calls that are safe between fork and exec.
static void wait_and_become(char *const *arguments, char *const *environment, char *blank,
                            size_t room, int gate, int report) {
  size_t length = 0;
  ssize_t count;
  while (true) {
    char letter;
    count = read(gate, &letter, 1);
    if (count < 0 && errno == EINTR) continue;
    if (count != 1 || length + 1 > room) _exit(0);
    blank[length] = letter == '\n' ? 0 : letter;
    if (letter == '\n') break;
    length++;
  }
  signal(SIGPIPE, SIG_DFL);
  signal(SIGXFSZ, SIG_DFL);
  signal(SIGCHLD, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  int code = tl_become(arguments, environment);
  count = write(report, &code, sizeof code);
  _exit(127);
}

int tl_held_start(char *const *arguments, char *const *environment, char *blank, size_t room,
                  bool dies_with_parent, tl_held_child *child) {
  int gate[2], report[2];
  int code = make_pipe(gate);
  if (code != 0) return code;
  if ((code = make_pipe(report)) != 0) {
    close(gate[0]);
    close(gate[1]);
    return code;
  }
  pid_t parent = getpid();
  pid_t pid = fork();
  code = errno;
  if (pid == 0) {
    close(gate[1]);
    close(report[0]);
#if defined(__linux__)
    if (dies_with_parent) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      // The parent may have ended before that was asked for.
      if (getppid() != parent) _exit(0);
    }
#else
    (void)dies_with_parent;
    (void)parent;
#endif
    wait_and_become(arguments, environment, blank, room, gate[0], report[1]);
  }
  close(gate[0]);
  close(report[1]);
  if (pid < 0) {
    close(gate[1]);
    close(report[0]);
    return code;
  }
  child->pid = pid;
  child->gate = gate[1];
  child->report = report[0];
  return 0;
}

#if defined(__APPLE__)
#include <string.h>
#include <sys/sysctl.h>

int tl_boot_session(char *text, size_t size) {
  return sysctlbyname("kern.bootsessionuuid", text, &size, NULL, 0) == 0 ? 0 : errno;
}

int tl_process_look(int32_t pid, int64_t *started_us, bool *is_zombie) {
  int name[] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, pid};
  struct kinfo_proc process;
  size_t size = sizeof process;
  memset(&process, 0, sizeof process);
  if (sysctl(name, 4, &process, &size, NULL, 0) != 0) return errno;
  if (size == 0) return ESRCH;
  struct timeval start = process.kp_proc.p_starttime;
  *started_us = (int64_t)start.tv_sec * 1000000 + start.tv_usec;
  *is_zombie = process.kp_proc.p_stat == SZOMB;
  return 0;
}
#endif
