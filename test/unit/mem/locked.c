/* SPDX-License-Identifier: BSD-3-Clause */
/* What is said of the limit on locked memory. */
#include <sys/resource.h>

#include "fakes.h"

#define MIB UINT64_C(1048576)

TEST(locked, arithmetic)
{
	const struct mem_locked l = {.limit = 8 * MIB, .locked = 6 * MIB};

	CHECK_EQ(plx_locked_explain(&l, 4 * MIB, false), -ENOMEM);
	CHECK_STR(plx_errmsg(),
		"locked memory: the limit is 8 MiB, this process has 6 MiB locked already, and 4 MiB "
		"more is asked for; raise it to 10240 KiB or more (ulimit -l, memlock in "
		"/etc/security/limits.conf, LimitMEMLOCK= of systemd), or give CAP_IPC_LOCK; plx-doctor "
		"shows it");
}

/* What the kernel pins for iommufd is counted apart and for all processes of the user. */
TEST(locked, of_the_user)
{
	const struct mem_locked l = {.limit = 8 * MIB, .locked = MIB, .pinned = 2 * MIB};

	CHECK_EQ(plx_locked_explain(&l, 2 * MIB, true), -ENOMEM);
	CHECK_HAS(plx_errmsg(), "this process (others of its user count, too) has 3 MiB locked");
	CHECK_HAS(plx_errmsg(), "raise it to 10240 KiB or more");
	CHECK_EQ(plx_locked_explain(&l, 6 * MIB, true), -ENOMEM);
	CHECK_HAS(plx_errmsg(), "raise it to 9216 KiB or more");
}

TEST(locked, is_not_the_reason)
{
	struct mem_locked l = {.limit = 8 * MIB, .locked = 6 * MIB};

	/* up to the limit is allowed */
	CHECK_EQ(plx_locked_explain(&l, 2 * MIB, false), -ENOMEM);
	CHECK_HAS(plx_errmsg(),
		"no memory for 2 MiB in the IOMMU's tables, or its table of mappings");
	CHECK_HAS(plx_errmsg(), "the limit on locked memory is not the reason (8 MiB)");
	l.exempt = true;
	CHECK_EQ(plx_locked_explain(&l, 64 * MIB, false), -ENOMEM);
	CHECK_HAS(plx_errmsg(), "not the reason (8 MiB, and CAP_IPC_LOCK)");
	l = (struct mem_locked){.limit = UINT64_MAX};
	CHECK_EQ(plx_locked_explain(&l, 64 * MIB, true), -ENOMEM);
	CHECK_HAS(plx_errmsg(), "not the reason (none)");
}

TEST(locked, reads_what_the_kernel_says)
{
	char path[] = "/tmp/plx-status-XXXXXX";
	int fd = mkstemp(path);
	struct mem_locked l;
	struct rlimit limit;
	static const char text[] =
		"Name:\tx\nVmPeak:\t  100 kB\nVmLck:\t    4160 kB\nVmPin:\t      16 kB\n"
		"CapInh:\tffffffffffffffff\nCapEff:\t0000000000004000\n";

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, text, sizeof(text) - 1), (ssize_t)sizeof(text) - 1);
	close(fd);
	CHECK_EQ(plx_locked_read(path, &l), 0);
	unlink(path);
	CHECK_EQ(l.locked, 4160 * 1024);
	CHECK_EQ(l.pinned, 16 * 1024);
	CHECK(l.exempt);
	CHECK_EQ(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
	CHECK_EQ(l.limit, limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur);
	CHECK_EQ(plx_locked_read("/nonexistent", &l), -ENOENT);
	CHECK(!l.exempt);
	/* of this very process, something is said in any case */
	CHECK_EQ(plx_locked_refused(MIB, false), -ENOMEM);
	CHECK_HAS(plx_errmsg(), "1 MiB");
	CHECK_HAS(plx_errmsg(), "locked memory");
}
