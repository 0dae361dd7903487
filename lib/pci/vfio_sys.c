/* SPDX-License-Identifier: BSD-3-Clause */
/* The system calls of `pci:` (vfio_sys.h): the kernel's own. */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mem_lib.h"
#include "vfio_sys.h"

static int real_open(void *arg, const char *path, int flags)
{
	(void)arg;
	return open(path, flags | O_CLOEXEC);
}

static int real_close(void *arg, int fd)
{
	(void)arg;
	return close(fd);
}

static int real_ioctl(void *arg, int fd, unsigned long request, void *p)
{
	(void)arg;
	return ioctl(fd, request, p);
}

static ssize_t real_pread(void *arg, int fd, void *buf, size_t n, uint64_t off)
{
	(void)arg;
	return pread(fd, buf, n, (off_t)off);
}

static ssize_t real_pwrite(void *arg, int fd, const void *buf, size_t n, uint64_t off)
{
	(void)arg;
	return pwrite(fd, buf, n, (off_t)off);
}

static void *real_mmap(void *arg, size_t len, int prot, int flags, int fd, uint64_t off)
{
	(void)arg;
	return mmap(NULL, len, prot, flags, fd, (off_t)off);
}

static int real_munmap(void *arg, void *va, size_t len)
{
	(void)arg;
	return munmap(va, len);
}

static const struct plx_vfio_sys real = {
	.sysfs = "/sys",
	.dev = "/dev",
	.proc = "/proc",
	.open = real_open,
	.close = real_close,
	.ioctl = real_ioctl,
	.pread = real_pread,
	.pwrite = real_pwrite,
	.mmap = real_mmap,
	.munmap = real_munmap,
};

static const char slot_key; /* its address is the key */

int plx_vfio_sys_set(struct plx_ctx *ctx, const struct plx_vfio_sys *sys)
{
	int err = plx_ctx_slot_set(ctx, &slot_key, NULL, NULL);

	return err < 0 ? err : plx_ctx_slot_set(ctx, &slot_key, (void *)(uintptr_t)sys, NULL);
}

const struct plx_vfio_sys *plx_vfio_sys(struct plx_ctx *ctx)
{
	const struct plx_vfio_sys *sys = plx_ctx_slot(ctx, &slot_key);

	return sys != NULL ? sys : &real;
}
