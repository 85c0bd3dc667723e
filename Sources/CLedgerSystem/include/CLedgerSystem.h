// System calls that Swift's Glibc overlay does not export.
#ifndef TRADELEDGER_CLEDGERSYSTEM_H
#define TRADELEDGER_CLEDGERSYSTEM_H

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

#endif
