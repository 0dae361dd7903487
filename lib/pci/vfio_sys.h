/* SPDX-License-Identifier: BSD-3-Clause */
/* The system calls `pci:` makes, and where it looks: a test puts a made-up kernel in their place. */
#ifndef VFIO_SYS_H
#define VFIO_SYS_H

#include <sys/types.h>

#include "plx_mem.h"

struct plx_vfio_sys {
	void *arg;         /* first argument of all calls */
	const char *sysfs; /* "/sys"; a test's own tree */
	const char *dev;   /* "/dev" */
	/* All return what the system calls of these names do, with errno. */
	int (*open)(void *arg, const char *path, int flags);
	int (*close)(void *arg, int fd);
	/* p: a pointer, or (void *)(uintptr_t)value */
	int (*ioctl)(void *arg, int fd, unsigned long request, void *p);
	ssize_t (*pread)(void *arg, int fd, void *buf, size_t n, uint64_t off);
	ssize_t (*pwrite)(void *arg, int fd, const void *buf, size_t n, uint64_t off);
	void *(*mmap)(void *arg, size_t len, int prot, int flags, int fd, uint64_t off);
	int (*munmap)(void *arg, void *va, size_t len);
	const char *proc; /* NULL: "/proc"; self/status and self/limits are read */
};

/*
 * Makes the context's `pci:` call sys, which must outlive the context, from its first device on:
 * not after one was opened. -ENOMEM.
 */
int plx_vfio_sys_set(struct plx_ctx *ctx, const struct plx_vfio_sys *sys);
/* The real one, unless a test set its own. */
const struct plx_vfio_sys *plx_vfio_sys(struct plx_ctx *ctx);

#endif
