/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The allocator of I/O addresses: the only state that the process's contexts share, so that their
 * ranges are disjoint.
 *
 * First fit from 4 GiB up: I/O addresses stay low, as IOMMUs with 39 address bits are common, and
 * what was given back is used again. After each range a gap of 64 KiB is never mapped. That is
 * more than the largest frame a device can write past the end of the last buffer (65535 bytes), so
 * such a write faults instead of landing in the next range, and small enough for hundreds of small
 * ranges to share one page of the IOMMU's table. A range that wants 2 MiB alignment leaves a
 * larger gap before it by itself.
 */
#include <pthread.h>
#include <stdlib.h>

#include "mem_priv.h"

#define IOVA_LIMIT \
	(UINT64_C(1) << 56) /* no IOMMU has more address bits; keeps sums from wrapping */

/* Ranges in use, gaps included, sorted. */
static struct {
	pthread_mutex_t lock;
	struct plx_range *r;
	size_t n, max;
} table = {.lock = PTHREAD_MUTEX_INITIALIZER};

void plx_iova_avoid(const struct plx_range *r, size_t n, uint64_t len, uint64_t *at)
{
	bool again;

	do {
		again = false;
		for (size_t i = 0; i < n; i++) {
			if (r[i].first > *at + (len - 1) || r[i].last < *at)
				continue;
			if (r[i].last >= IOVA_LIMIT) {
				*at = IOVA_LIMIT;
				return;
			}
			*at = r[i].last + 1;
			again = true;
		}
	} while (again);
}

bool plx_iova_inside(const struct plx_range *r, size_t n, uint64_t len, uint64_t *at)
{
	uint64_t best = UINT64_MAX;

	if (r == NULL)
		return true;
	for (size_t i = 0; i < n; i++) {
		uint64_t start = PLX_MAX(*at, r[i].first);

		if (start <= r[i].last && r[i].last - start >= len - 1 && start < best)
			best = start;
	}
	if (best == UINT64_MAX)
		return false;
	*at = best;
	return true;
}

/* The smallest address >= at that is phase modulo align. */
static uint64_t congruent(uint64_t at, uint64_t align, uint64_t phase)
{
	return at + ((phase - at) & (align - 1));
}

static int search(const struct iova_ask *ask, const struct plx_range *reserved, size_t n_reserved,
	uint64_t *out)
{
	uint64_t at = ask->first != 0 ? ask->first : IOVA_FIRST, before;
	const char *why = "this process's other memory";

	/* Each rule only moves the address up, so this ends: at the first one that none moves. */
	do {
		before = at;
		at = congruent(at, ask->align, ask->phase);
		if (at >= IOVA_LIMIT)
			goto none;
		plx_iova_avoid(table.r, table.n, ask->len + IOVA_GAP, &at);
		plx_iova_avoid(reserved, n_reserved, ask->len, &at);
		if (at + ask->len > IOVA_LIMIT ||
			(ask->fit != NULL && !ask->fit(ask->arg, ask->len, &at, &why)))
			goto none;
	} while (at != before);
	*out = at;
	return 0;

none:;
	struct size_text size;

	return plx_err(ENOSPC, "no I/O addresses for %s: %s leaves no room from 0x%llx up",
		plx_size_text(&size, ask->len), why,
		(unsigned long long)(ask->first != 0 ? ask->first : IOVA_FIRST));
}

static int insert(uint64_t first, uint64_t last)
{
	size_t i = table.n;

	if (table.n == table.max) {
		size_t max = table.max == 0 ? 16 : table.max * 2;
		struct plx_range *r = realloc(table.r, max * sizeof(*r));

		if (r == NULL)
			return plx_err(ENOMEM, "no memory for the table of I/O addresses");
		table.r = r;
		table.max = max;
	}
	for (; i > 0 && table.r[i - 1].first > first; i--)
		table.r[i] = table.r[i - 1];
	table.r[i] = (struct plx_range){first, last};
	table.n++;
	return 0;
}

int plx_iova_get(const struct iova_ask *ask, uint64_t *iova)
{
	struct plx_range *reserved = NULL;
	size_t n_reserved = 0;
	uint64_t at = 0;
	int err;

	if (ask->len == 0 || ask->len >= IOVA_LIMIT || !plx_is_pow2_u64(ask->align) ||
		ask->align >= IOVA_LIMIT)
		return plx_err(EINVAL, "I/O addresses: length or alignment out of range");
	err = plx_iova_reserved(ask->vfio_dir, &reserved, &n_reserved);
	if (err < 0)
		return err;
	pthread_mutex_lock(&table.lock);
	err = search(ask, reserved, n_reserved, &at);
	if (err == 0)
		err = insert(at, at + ask->len + IOVA_GAP - 1);
	pthread_mutex_unlock(&table.lock);
	free(reserved);
	if (err == 0)
		*iova = at;
	return err;
}

void plx_iova_put(uint64_t iova)
{
	size_t i = 0;

	pthread_mutex_lock(&table.lock);
	while (i < table.n && table.r[i].first != iova)
		i++;
	if (i < table.n) {
		table.n--;
		for (; i < table.n; i++)
			table.r[i] = table.r[i + 1];
	}
	if (table.n == 0) { /* an idle library holds nothing */
		free(table.r);
		table.r = NULL;
		table.max = 0;
	}
	pthread_mutex_unlock(&table.lock);
}

size_t plx_iova_count(void)
{
	size_t n;

	pthread_mutex_lock(&table.lock);
	n = table.n;
	pthread_mutex_unlock(&table.lock);
	return n;
}
