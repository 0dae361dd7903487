/* SPDX-License-Identifier: BSD-3-Clause */
/* I/O addresses: compact, apart, inside and outside what they have to be. */
#include <sys/stat.h>

#include "fakes.h"

#define GIB4 (UINT64_C(4) << 30)
#define MIB  ((uint64_t)MEM_MIB)

static uint64_t get(uint64_t len, uint64_t align, uint64_t phase)
{
	struct iova_ask ask = {
		.len = len, .align = align, .phase = phase, .vfio_dir = "/nonexistent"};
	uint64_t at = 0;

	CHECK_EQ(plx_iova_get(&ask, &at), 0);
	return at;
}

TEST(iova, starts_at_4_gib_and_leaves_gaps)
{
	uint64_t a = get(4096, 4096, 0), b = get(4096, 4096, 0), c = get(2 * MIB, 2 * MIB, 0);

	CHECK_EQ(a, GIB4);
	CHECK_EQ(b, a + 4096 + IOVA_GAP);
	CHECK_EQ(c, GIB4 + 2 * MIB);
	plx_iova_put(a), plx_iova_put(b), plx_iova_put(c);
	CHECK_EQ(plx_iova_count(), 0);
}

TEST(iova, what_was_given_back_is_used_again)
{
	uint64_t a = get(MIB, 4096, 0), b = get(MIB, 4096, 0), c = get(MIB, 4096, 0), d;

	plx_iova_put(b);
	d = get(MIB, 4096, 0);
	CHECK_EQ(d, b);
	plx_iova_put(d);
	d = get(MIB + 4096, 4096, 0); /* does not fit there: the gap after it must stay */
	CHECK(d > c);
	plx_iova_put(a), plx_iova_put(c), plx_iova_put(d);
}

TEST(iova, keeps_the_phase)
{
	uint64_t a = get(4096, 4096, 0), b = get(64 * 1024, 2 * MIB, 0x1f3000), c;

	CHECK_EQ(b, GIB4 + 0x1f3000);
	c = get(4096, 2 * MIB, 0); /* right after the phase: the next 2 MiB */
	CHECK_EQ(c, GIB4 + 4 * MIB);
	plx_iova_put(a), plx_iova_put(b), plx_iova_put(c);
}

TEST(iova, refuses_nonsense)
{
	struct iova_ask ask = {.len = 0, .align = 4096, .vfio_dir = "/nonexistent"};
	uint64_t at;

	CHECK_EQ(plx_iova_get(&ask, &at), -EINVAL);
	ask.len = 4096, ask.align = 4095;
	CHECK_EQ(plx_iova_get(&ask, &at), -EINVAL);
	ask.len = UINT64_MAX, ask.align = 4096;
	CHECK_EQ(plx_iova_get(&ask, &at), -EINVAL);
	ask.len = UINT64_C(3) << 54, ask.align = UINT64_C(1) << 55;
	CHECK_EQ(plx_iova_get(&ask, &at), -ENOSPC); /* past the last I/O address */
	CHECK_HAS(plx_errmsg(), "no I/O addresses for 49152 TiB");
	plx_iova_put(12345); /* never given: ignored */
	CHECK_EQ(plx_iova_count(), 0);
}

TEST(iova, avoid_and_inside)
{
	const struct plx_range r[] = {{100, 199}, {250, 299}, {0, 9}};
	uint64_t at;

	at = 90, plx_iova_avoid(r, 3, 10, &at);
	CHECK_EQ(at, 90);
	at = 90, plx_iova_avoid(r, 3, 11, &at);
	CHECK_EQ(at, 200);
	at = 90, plx_iova_avoid(r, 3, 51, &at);
	CHECK_EQ(at, 300);
	at = 0;
	CHECK(plx_iova_inside(r, 3, 10, &at));
	CHECK_EQ(at, 0);
	at = 0;
	CHECK(plx_iova_inside(r, 3, 11, &at));
	CHECK_EQ(at, 100);
	at = 151;
	CHECK(plx_iova_inside(r, 3, 50, &at));
	CHECK_EQ(at, 250);
	at = 0;
	CHECK(!plx_iova_inside(r, 3, 101, &at));
	at = 300;
	CHECK(!plx_iova_inside(r, 3, 1, &at));
	at = 7;
	CHECK(plx_iova_inside(NULL, 0, 1, &at));
	CHECK_EQ(at, 7);
}

/* ---- sysfs of devices bound to vfio-pci ---- */

static char root[64];

static void device(const char *bdf, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, bdf);
	CHECK_EQ(mkdir(path, 0700), 0);
	if (text == NULL)
		return;
	snprintf(path, sizeof(path), "%s/%s/iommu_group", root, bdf);
	CHECK_EQ(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/%s/iommu_group/reserved_regions", root, bdf);
	f = fopen(path, "w");
	CHECK(f != NULL);
	fputs(text, f);
	fclose(f);
}

static void cleanup(void)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "rm -r %s", root);
	CHECK_EQ(system(cmd), 0);
}

TEST(iova, avoids_reserved_regions)
{
	struct iova_ask ask = {.len = 1 * MIB, .align = 4096, .vfio_dir = root};
	struct plx_range *r;
	uint64_t at;
	size_t n;

	strcpy(root, "/tmp/plx-iova-XXXXXX");
	CHECK(mkdtemp(root) != NULL);
	device("0000:03:00.0", "0x00000000fee00000 0x00000000feefffff msi\n"
			       "0x0000000100080000 0x00000001000fffff reserved\n");
	device("0000:04:00.0", "0x0000000100000000 0x000000010fffffff direct-relaxable\n"
			       "garbage\n"
			       "0x0000000100200000 0x0000000100100000 reserved\n"
			       "0x0000000100300000 0x00000001003fffff direct\n");
	device("0000:05:00.0", NULL);
	device("module", "0x0000000000000000 0xffffffffffffffff reserved\n");
	CHECK_EQ(plx_iova_reserved(root, &r, &n), 0);
	CHECK_EQ(n, 3);
	free(r);
	CHECK_EQ(plx_iova_get(&ask, &at), 0);
	CHECK_EQ(at, 0x100100000);
	plx_iova_put(at);
	ask.len = 3 * MIB;
	CHECK_EQ(plx_iova_get(&ask, &at), 0);
	CHECK_EQ(at, 0x100400000);
	plx_iova_put(at);
	ask.len = 512 * 1024;
	CHECK_EQ(plx_iova_get(&ask, &at), 0);
	CHECK_EQ(at, GIB4);
	plx_iova_put(at);
	cleanup();
}

TEST(iova, a_region_up_to_the_end_leaves_no_room)
{
	struct iova_ask ask = {.len = 4096, .align = 4096, .vfio_dir = root};
	uint64_t at;

	strcpy(root, "/tmp/plx-iova-XXXXXX");
	CHECK(mkdtemp(root) != NULL);
	device("0000:03:00.0", "0x0000000000000000 0xffffffffffffffff reserved\n");
	CHECK_EQ(plx_iova_get(&ask, &at), -ENOSPC);
	cleanup();
	CHECK_EQ(plx_iova_count(), 0);
}

TEST(iova, random_ranges_never_meet)
{
	enum { N = 64 };
	uint64_t at[N] = {0}, len[N] = {0};
	unsigned seed = 1;

	for (unsigned round = 0; round < 4000; round++) {
		size_t i = (size_t)rand_r(&seed) % N;

		if (len[i] != 0) {
			plx_iova_put(at[i]);
			len[i] = 0;
			continue;
		}
		len[i] = (uint64_t)(1 + rand_r(&seed) % 600) * 4096;
		at[i] = get(len[i], len[i] >= 2 * MIB ? 2 * MIB : 4096, 0);
		for (size_t j = 0; j < N; j++)
			CHECK(j == i || len[j] == 0 || at[j] + len[j] + IOVA_GAP <= at[i] ||
				at[i] + len[i] + IOVA_GAP <= at[j]);
	}
	for (size_t i = 0; i < N; i++)
		if (len[i] != 0)
			plx_iova_put(at[i]);
	CHECK_EQ(plx_iova_count(), 0);
}
