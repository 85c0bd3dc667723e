#include "CLedgerSystem.h"

#include <errno.h>

#if defined(__linux__)
#include <sys/vfs.h>
#else
#include <sys/mount.h>
#include <sys/param.h>
#endif

int tl_filesystem_type(const char *path, uint64_t *type) {
  struct statfs information;
  if (statfs(path, &information) != 0) return errno;
  *type = (uint64_t)(uint32_t)information.f_type;
  return 0;
}
