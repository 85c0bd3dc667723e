#define _GNU_SOURCE
#include "CLedgerSystem.h"

#include <errno.h>
#include <stdio.h>

#if defined(__linux__)
#include <fcntl.h>
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
