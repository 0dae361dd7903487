/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Locked memory: what an IOMMU may reach cannot be paged out, and the kernel counts it against
 * RLIMIT_MEMLOCK, huge pages too, once for each I/O address space that it is mapped in.
 */
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>

#include "mem_priv.h"

/* CAP_IPC_LOCK, linux/capability.h: the limit does not hold for who has it. */
#define CAP_BIT 14

int plx_locked_read(const char *status, struct mem_locked *l)
{
	FILE *f = fopen(status, "re");
	struct rlimit limit;
	uint64_t v;
	char line[256];

	*l = (struct mem_locked){.limit = UINT64_MAX};
	if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
		l->limit = limit.rlim_cur;
	if (f == NULL)
		return -errno;
	while (fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "VmLck: %" SCNu64, &v) == 1)
			l->locked = v * 1024;
		else if (sscanf(line, "VmPin: %" SCNu64, &v) == 1)
			l->pinned = v * 1024;
		else if (sscanf(line, "CapEff: %" SCNx64, &v) == 1)
			l->exempt = (v >> CAP_BIT & 1) != 0;
	}
	fclose(f);
	return 0;
}

/* Refused for another reason: the same errno says that, too. */
static int not_the_limit(const struct mem_locked *l, uint64_t asked)
{
	struct size_text size, limit;

	return plx_err(ENOMEM,
		"the kernel has no memory for %s in the IOMMU's tables, or its table of mappings is full "
		"(dma_entry_limit in /sys/module/vfio_iommu_type1/parameters); the limit on locked "
		"memory is not the reason (%s%s)",
		plx_size_text(&size, asked),
		l->limit == UINT64_MAX ? "none" : plx_size_text(&limit, l->limit),
		l->exempt ? ", and CAP_IPC_LOCK" : "");
}

int plx_locked_explain(const struct mem_locked *l, uint64_t asked, bool of_user)
{
	const uint64_t have = l->locked + l->pinned, need = have + asked;
	/* What other programs of the user have is not known: a fair guess is as much again. */
	const uint64_t raise = (of_user && need <= l->limit ? l->limit + asked : need) + 1023;
	struct size_text limit, size, had;

	if (l->exempt || l->limit == UINT64_MAX || (!of_user && need <= l->limit))
		return not_the_limit(l, asked);
	return plx_err(ENOMEM,
		"locked memory: the limit is %s, this process%s has %s locked already, and %s more "
		"is asked for; raise it to %" PRIu64 " KiB or more (ulimit -l, memlock in "
		"/etc/security/limits.conf, LimitMEMLOCK= of systemd), or give CAP_IPC_LOCK; plx-doctor "
		"shows it",
		plx_size_text(&limit, l->limit), of_user ? " (others of its user count, too)" : "",
		plx_size_text(&had, have), plx_size_text(&size, asked), raise / 1024);
}

int plx_locked_refused(uint64_t asked, bool of_user)
{
	struct mem_locked l;

	(void)plx_locked_read("/proc/self/status", &l);
	return plx_locked_explain(&l, asked, of_user);
}
