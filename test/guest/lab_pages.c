/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where another process's huge pages lie in the guest's physical memory (Linux:
 * Documentation/admin-guide/mm/pagemap.rst; as root). They are looked at from outside the guest after the process
 * was killed: pages of the pool lie idle then, until the next program takes them.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lab.h"
#include "plx_base.h"

#define PFN_MASK (UINT64_C(1) << 55) - 1
enum { BASE = 4096, HUGE_PAGE = 2 << 20 };

static void print_page(int pagemap, uint64_t va)
{
	uint64_t entry = 0;

	if (pread(pagemap, &entry, sizeof(entry), (off_t)(va / BASE * sizeof(entry))) !=
		sizeof(entry))
		return; /* it was killed, or unmapped it */
	if (entry >> 63 != 0)
		printf("%" PRIu64 " %d\n", (entry & (PFN_MASK)) * BASE, HUGE_PAGE);
}

int lab_pages(int argc, char **argv)
{
	char path[64], line[512];
	bool memfd = false;
	uint64_t first = 0, end = 0;
	unsigned kib;
	FILE *maps;
	int pagemap;

	(void)argc;
	snprintf(path, sizeof(path), "/proc/%s/pagemap", argv[0]);
	pagemap = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%s/smaps", argv[0]);
	maps = fopen(path, "re");
	if (pagemap < 0 || maps == NULL)
		return 0; /* it is gone already */
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &first, &end) == 2)
			memfd = strstr(line, "/memfd:") != NULL;
		else if (memfd && sscanf(line, "KernelPageSize: %u kB", &kib) == 1 &&
			 kib == HUGE_PAGE / 1024)
			for (uint64_t va = first; va < end; va += HUGE_PAGE)
				print_page(pagemap, va);
	}
	fclose(maps);
	close(pagemap);
	return 0;
}
