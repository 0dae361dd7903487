/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The default source of memory: a memfd for each extent. It needs neither a mount nor root, also
 * with huge pages, and can be handed to peers and attached to a QEMU. It is sealed, so that no peer
 * it was sent to can shrink it under this process (SIGBUS).
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mem_priv.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u /* Linux 6.3 */
#endif
#define MFD_HUGE_AT 26 /* log2 of the page size goes here: memfd_create(2) */

static int memfd_round(
	struct plx_mem_source *src, const struct plx_mem_req *req, uint64_t *len, uint64_t *page)
{
	uint64_t unit;

	(void)src;
	*page = plx_page_base();
	if (req->huge == PLX_HUGE_2M || req->huge == PLX_HUGE_1G) {
		*page = plx_page_huge(req->huge);
		if (*page == 0)
			return plx_err(ENOMEM,
				"this kernel has no %s pages (/sys/kernel/mm/hugepages lists its sizes)",
				req->huge == PLX_HUGE_1G ? "1 GiB" : "2 MiB");
	}
	unit = *page;
	/* Whole transparent huge pages, unless that would waste about as much as is used. */
	if (req->huge == PLX_HUGE_AUTO && req->len > MEM_MIB)
		unit = PLX_MAX(unit, (uint64_t)MEM_2M);
	*len = plx_align_up(req->len, unit);
	if (*len < req->len || *len > INT64_MAX)
		return plx_err(ENOMEM, "%llu bytes are more than there can be",
			(unsigned long long)req->len);
	return 0;
}

static int create(const char *name, unsigned flags)
{
	int fd = memfd_create(name, flags | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, flags);
	return fd;
}

static int memfd_get(
	struct plx_mem_source *src, const struct plx_mem_req *req, struct plx_extent *ext)
{
	unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	uint64_t len, page;
	char name[64];
	int fd, err;

	err = memfd_round(src, req, &len, &page);
	if (err < 0)
		return err;
	if (page > plx_page_base())
		flags |= MFD_HUGETLB | (plx_log2_u64(page) << MFD_HUGE_AT);
	snprintf(name, sizeof(name), "pollux:%s", req->name);
	fd = create(name, flags);
	if (fd < 0) {
		err = errno;
		if (err == ENODEV || err == ENOSYS)
			return plx_err(
				ENOMEM, "memfd_create without such pages: %s", strerror(err));
		return plx_err(err, "memfd_create: %s", strerror(err));
	}
	if (ftruncate(fd, (off_t)len) < 0 ||
		fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
		err = errno;
		close(fd);
		return plx_err(err, "sizing a memfd to %llu bytes: %s", (unsigned long long)len,
			strerror(err));
	}
	ext->fd = fd;
	ext->offset = 0;
	ext->len = len;
	ext->page = page;
	ext->flags = req->flags;
	return 0;
}

static void memfd_put(struct plx_mem_source *src, struct plx_extent *ext)
{
	(void)src;
	close(ext->fd);
	ext->fd = -1;
}

const struct plx_mem_source_ops plx_source_memfd = {
	.name = "memfd",
	.round = memfd_round,
	.get = memfd_get,
	.put = memfd_put,
};
