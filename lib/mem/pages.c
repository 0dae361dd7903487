/* SPDX-License-Identifier: BSD-3-Clause */
/* Page sizes, mapping at a wanted alignment, NUMA nodes, and populating without a SIGBUS. */
#include <fcntl.h>
#include <hugetlbfs.h>
#include <inttypes.h>
#include <numa.h>
#include <numaif.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mem_priv.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

uint64_t plx_page_base(void)
{
	long n = sysconf(_SC_PAGESIZE);

	return n > 0 ? (uint64_t)n : 4096;
}

uint64_t plx_page_huge(enum plx_huge huge)
{
	uint64_t above = huge == PLX_HUGE_1G ? (uint64_t)MEM_2M : plx_page_base();
	uint64_t most = huge == PLX_HUGE_1G ? MEM_1G : (uint64_t)MEM_2M;
	uint64_t best = 0;
	long sizes[16];
	int n = gethugepagesizes(sizes, PLX_ARRAY_SIZE(sizes));

	for (int i = 0; i < n; i++) {
		uint64_t size = sizes[i] > 0 ? (uint64_t)sizes[i] : 0;

		if (size > above && size <= most && size > best)
			best = size;
	}
	return best;
}

void plx_page_bind(void *va, size_t len, int node)
{
	unsigned long mask[1024 / (8 * sizeof(unsigned long))] = {0};
	size_t bits = 8 * sizeof(mask[0]);

	if (node < 0 || (size_t)node >= PLX_ARRAY_SIZE(mask) * bits || numa_available() < 0 ||
		numa_max_node() == 0)
		return;
	mask[(size_t)node / bits] |= 1ul << ((size_t)node % bits);
	/*
	 * Preferred and not bound: a node that is full costs speed, whereas a strict binding would
	 * have the kernel kill processes while other nodes have memory.
	 */
	(void)mbind(va, len, MPOL_PREFERRED, mask, PLX_ARRAY_SIZE(mask) * bits, 0);
}

const char *plx_size_text(struct size_text *buf, uint64_t n)
{
	static const char *const unit[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
	size_t i = 0;

	while (i + 1 < PLX_ARRAY_SIZE(unit) && n >= 1024 && n % 1024 == 0) {
		n /= 1024;
		i++;
	}
	snprintf(buf->s, sizeof(buf->s), "%" PRIu64 " %s", n, unit[i]);
	return buf->s;
}

/* MemAvailable in bytes, UINT64_MAX: not known. */
static uint64_t available(void)
{
	FILE *f = fopen("/proc/meminfo", "re");
	uint64_t kib, n = UINT64_MAX;
	char line[128];

	if (f == NULL)
		return n;
	while (n == UINT64_MAX && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "MemAvailable: %" SCNu64, &kib) == 1)
			n = kib * 1024;
	fclose(f);
	return n;
}

static uint64_t pool_number(uint64_t page, const char *what)
{
	char path[128];
	uint64_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%" PRIu64 "kB/%s",
		page / 1024, what);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	if (fscanf(f, "%" SCNu64, &n) != 1)
		n = 0;
	fclose(f);
	return n;
}

int plx_page_none(uint64_t len, uint64_t page)
{
	uint64_t need, total, unused, reserved;
	struct size_text size, psize, asize;

	if (page <= plx_page_base())
		return plx_err(ENOMEM,
			"no %s in pages of %s: %s are available (MemAvailable in /proc/meminfo), less "
			"what limits this process; ask for less, or free some",
			plx_size_text(&size, len), plx_size_text(&psize, page),
			plx_size_text(&asize, available()));
	need = (len + page - 1) / page;
	total = pool_number(page, "nr_hugepages");
	unused = pool_number(page, "free_hugepages");
	reserved = pool_number(page, "resv_hugepages");
	unused = unused > reserved ? unused - reserved : 0;
	plx_size_text(&psize, page);
	return plx_err(ENOMEM,
		"no %s in huge pages of %s: needs %" PRIu64 ", free are %" PRIu64 " of %" PRIu64
		"; reserve more, as root: echo %" PRIu64
		" > /sys/kernel/mm/hugepages/hugepages-%" PRIu64
		"kB/nr_hugepages%s; or do without (PLX_HUGE_NONE)",
		plx_size_text(&size, len), psize.s, need, unused, total,
		total + need - PLX_MIN(unused, need), page / 1024,
		page == MEM_2M ? " (sysctl vm.nr_hugepages)" : "");
}

int plx_page_touch(void *va, size_t len, uint64_t page, int fd, uint64_t off)
{
	volatile char *p = va;

	/* In a file the pages exist after this: the loop below cannot raise SIGBUS. */
	if (fd >= 0 && fallocate(fd, 0, (off_t)off, (off_t)len) < 0 && errno != EOPNOTSUPP)
		return plx_page_none(len, page);
	for (size_t i = 0; i < len; i += page)
		p[i] = p[i];
	return 0;
}

int plx_page_populate(void *va, size_t len, uint64_t page, int fd, uint64_t off)
{
	/* Short of ordinary pages the kernel kills rather than says no. */
	if (page <= plx_page_base() && len >= MEM_MIB && len > available())
		return plx_page_none(len, page);
	while (madvise(va, len, MADV_POPULATE_WRITE) < 0) {
		if (errno == EINTR || errno == EAGAIN)
			continue;
		if (errno == EINVAL || errno == ENOSYS)
			return plx_page_touch(va, len, page, fd, off);
		return plx_page_none(len, page);
	}
	return 0;
}

int plx_page_map(size_t len, uint64_t align, uint64_t phase, int fd, uint64_t off, void **va)
{
	uint64_t base = plx_page_base(), start, at, end;
	size_t room = len + align;
	struct size_text size;
	void *p = MAP_FAILED, *q;

	plx_size_text(&size, len);
	if (room > len)
		p = mmap(NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return plx_err(ENOMEM, "no address space for %s (see ulimit -v)", size.s);
	start = (uint64_t)(uintptr_t)p;
	end = start + room;
	at = start + ((phase - start) & (align - 1));
	if (fd >= 0) {
		q = mmap((char *)p + (at - start), len, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_FIXED, fd, (off_t)off);
		if (q == MAP_FAILED) {
			int err = errno;

			munmap(p, room);
			return plx_err(err, "mapping %s: %s", size.s, strerror(err));
		}
	}
	if (at > start)
		munmap(p, at - start);
	*va = (char *)p + (at - start);
	at += plx_align_up(len, base);
	if (at < end)
		munmap((char *)p + (at - start), end - at);
	return 0;
}
