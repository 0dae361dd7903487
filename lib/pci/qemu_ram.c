/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory cut from the file that is a QEMU's RAM: a memory source whose I/O addresses are the
 * machine's physical addresses. A q35 with less than 2.75 GiB has all of it from address 0; one
 * with more has 2 GiB there and the rest from 4 GiB up.
 */
#define PLX_LOG_TAG "qemu"
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "qemu.h"

#define MIB       (UINT64_C(1) << 20)
#define GIB       (UINT64_C(1) << 30)
#define SPLIT_MIN UINT64_C(0xb0000000) /* RAM of this size or more is split at LOW_RAM */
#define LOW_RAM   (2 * GIB)
#define TEST_PAGE UINT64_C(4096) /* the last page is kept, to find out whether this is the RAM */

/* ---- the source ---- */

static int ram_round(
	struct plx_mem_source *src, const struct plx_mem_req *req, uint64_t *len, uint64_t *page)
{
	const struct qemu_ram *ram = plx_container_of(src, struct qemu_ram, src);
	uint64_t want = req->huge == PLX_HUGE_1G ? GIB : req->huge == PLX_HUGE_2M ? 2 * MIB : 0;

	if (want > ram->page)
		return plx_err(ENOMEM,
			"%s: memory comes from %s, whose pages have %" PRIu64
			" bytes; for larger ones put the file on a hugetlbfs of that page size",
			req->name, ram->path, ram->page);
	*page = ram->page;
	*len = plx_align_up(req->len, ram->page);
	return *len < req->len ? plx_err(ENOMEM, "%s: too large", req->name) : 0;
}

/* What a program before left in the file, or a device wrote, is not handed out. */
static int clear(const struct qemu_ram *ram, uint64_t off, uint64_t len)
{
	static const uint8_t zeros[65536];
	ssize_t n;

	if (fallocate(ram->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)off,
		    (off_t)len) == 0)
		return 0;
	while (len > 0) {
		n = pwrite(ram->fd, zeros, PLX_MIN(len, sizeof(zeros)), (off_t)off);
		if (n <= 0)
			return plx_err(n < 0 ? errno : EIO, "%s: clearing memory: %s", ram->path,
				n < 0 ? strerror(errno) : "short write");
		off += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return 0;
}

static int ram_get(
	struct plx_mem_source *src, const struct plx_mem_req *req, struct plx_extent *ext)
{
	const struct qemu_ram *ram = plx_container_of(src, struct qemu_ram, src);
	uint64_t len, page;
	int err = ram_round(src, req, &len, &page);

	if (err < 0)
		return err;
	if (ext->iova < src->iova_first || ext->iova > src->iova_last ||
		src->iova_last - ext->iova < len - 1)
		return plx_err(ENOSPC,
			"%s: %" PRIu64 " bytes at 0x%" PRIx64
			" are outside of %s; use a larger RAM "
			"file, or qmp= instead of ram=",
			req->name, len, ext->iova, ram->path);
	err = clear(ram, ext->iova - ram->delta, len);
	if (err < 0)
		return err;
	ext->fd = ram->fd;
	ext->offset = ext->iova - ram->delta;
	ext->len = len;
	ext->page = page;
	ext->flags = req->flags;
	return 0;
}

static void ram_put(struct plx_mem_source *src, struct plx_extent *ext)
{
	ext->fd = -1; /* the file stays the source's */
}

static const struct plx_mem_source_ops ram_ops = {
	.name = "QEMU's RAM file",
	.round = ram_round,
	.get = ram_get,
	.put = ram_put,
};

/* ---- the file ---- */

void qemu_ram_free(struct qemu_ram *ram)
{
	if (ram == NULL)
		return;
	if (ram->fd >= 0)
		close(ram->fd);
	free(ram->path);
	free(ram);
}

static int set_window(struct qemu_ram *ram)
{
	bool split = ram->size >= SPLIT_MIN;

	if (ram->size < 4 * MIB)
		return plx_err(EINVAL,
			"ram=%s: %" PRIu64 " bytes are too few to be the RAM of a machine: is QEMU "
			"running, with -object memory-backend-file,mem-path=%s,share=on?",
			ram->path, ram->size, ram->path);
	ram->delta = split ? 4 * GIB - LOW_RAM : 0;
	/* Below 1 MiB is what a PC has there: no plain memory. */
	ram->src.iova_first = split ? 4 * GIB : MIB;
	ram->src.iova_last = ram->size + ram->delta - TEST_PAGE - 1;
	return 0;
}

static int ram_file(struct qemu_ram *ram)
{
	struct statfs fs;
	struct stat st;

	ram->fd = open(ram->path, O_RDWR | O_CLOEXEC);
	if (ram->fd < 0)
		return plx_err(errno,
			"ram=%s: %s; it is the mem-path= of QEMU's memory-backend-file", ram->path,
			strerror(errno));
	if (fstat(ram->fd, &st) < 0 || fstatfs(ram->fd, &fs) < 0)
		return plx_err(errno, "ram=%s: %s", ram->path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return plx_err(EINVAL, "ram=%s: is not a file", ram->path);
	if (flock(ram->fd, LOCK_EX | LOCK_NB) < 0)
		return plx_err(errno == EWOULDBLOCK ? EBUSY : errno, "ram=%s: %s", ram->path,
			errno == EWOULDBLOCK
				? "another program (or context) has locked it and takes "
				  "its memory from there: end that one"
				: strerror(errno));
	ram->dev = st.st_dev;
	ram->ino = st.st_ino;
	ram->size = (uint64_t)st.st_size;
	ram->page = fs.f_type == HUGETLBFS_MAGIC ? (uint64_t)fs.f_bsize
						 : (uint64_t)sysconf(_SC_PAGESIZE);
	return set_window(ram);
}

/* The word that is put into the file has to be what the machine reads. */
static int is_ram_of(struct qemu_conn *c, const struct qemu_ram *ram)
{
	uint64_t at = ram->src.iova_last + 1, word, seen = 0;
	plx_le64 mark;
	int err = 0;

	for (unsigned i = 0; i < 2 && err == 0; i++) {
		word = plx_clock_ns() * 0x9e3779b97f4a7c15u + i;
		mark = plx_le64_make(word);
		if (pwrite(ram->fd, &mark, sizeof(mark), (off_t)(at - ram->delta)) !=
			(ssize_t)sizeof(mark))
			return plx_err(errno, "ram=%s: write: %s", ram->path, strerror(errno));
		err = qtest_read(c->q, at, 8, &seen);
		if (err == 0 && seen != word)
			return plx_err(EINVAL,
				"ram=%s: is not the RAM of the QEMU at %s, or not all of it: start "
				"it with -m %" PRIu64 "M -machine q35,memory-backend=ram -object "
				"memory-backend-file,id=ram,share=on,size=%" PRIu64 "M,mem-path=%s",
				ram->path, c->path, ram->size / MIB, ram->size / MIB, ram->path);
	}
	return err;
}

static int ram_new(struct qemu_conn *c, const char *path, struct qemu_ram **out)
{
	struct qemu_ram *ram = calloc(1, sizeof(*ram));
	int err;

	if (ram == NULL)
		return plx_err(ENOMEM, "ram=%s: no memory", path);
	ram->src.ops = &ram_ops;
	ram->fd = -1;
	ram->path = strdup(path);
	err = ram->path != NULL ? ram_file(ram) : plx_err(ENOMEM, "ram=%s: no memory", path);
	if (err == 0)
		err = is_ram_of(c, ram);
	if (err == 0)
		err = plx_ctx_set_source(c->ctx, &ram->src);
	if (err == -EBUSY)
		err = plx_err_prefix(err,
			"ram=%s: open this device before making pools, or use qmp=SOCKET", path);
	if (err < 0) {
		qemu_ram_free(ram);
		return err;
	}
	*out = ram;
	return 0;
}

/* The context has a RAM file already: is it this one, and this machine's? */
static int ram_same(struct qemu_conn *c, const struct qemu_ram *ram, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return plx_err(errno, "ram=%s: %s", path, strerror(errno));
	if (st.st_dev != ram->dev || st.st_ino != ram->ino)
		return plx_err(EBUSY,
			"ram=%s: this context takes its memory from %s already; give this QEMU the "
			"same file, or attach memory to it with qmp=SOCKET",
			path, ram->path);
	return is_ram_of(c, ram);
}

int qemu_ram_open(struct qemu_conn *c, struct qemu_slot *slot, const char *path)
{
	int err = slot->ram == NULL ? ram_new(c, path, &slot->ram) : ram_same(c, slot->ram, path);

	if (err < 0)
		return plx_err_prefix(err, "qemu:%s", c->path);
	c->ram = slot->ram;
	return 0;
}

int qemu_ram_map(struct qemu_conn *c, const struct plx_extent *ext)
{
	const struct qemu_ram *ram = c->ram;
	struct stat st;

	if (ext->fd < 0 || fstat(ext->fd, &st) < 0 || st.st_dev != ram->dev ||
		st.st_ino != ram->ino)
		return plx_err(ENOTSUP,
			"memory at I/O address 0x%" PRIx64 " does not lie in %s, and its devices "
			"reach no other: use qmp=SOCKET instead of ram=",
			ext->iova, ram->path);
	if (ext->iova < ram->src.iova_first || ext->iova > ram->src.iova_last ||
		ram->src.iova_last - ext->iova < ext->len - 1 ||
		ext->offset != ext->iova - ram->delta)
		return plx_err(EINVAL,
			"memory at I/O address 0x%" PRIx64 " is at offset 0x%" PRIx64
			" of %s, which "
			"the machine has at another address",
			ext->iova, ext->offset, ram->path);
	return 0;
}
