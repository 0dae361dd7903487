/* SPDX-License-Identifier: BSD-3-Clause */
/* "Did you mean": the nearest of the known keys. */
#include "opts.h"

#define WORD_MAX 32

/*
 * How many single-character insertions, deletions, replacements and swaps of neighbours lead from a
 * to b (optimal string alignment). Longer words than WORD_MAX are as far apart as can be.
 */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[3][WORD_MAX + 1] = {{0}};
	size_t na = strnlen(a, WORD_MAX + 1), nb = strnlen(b, WORD_MAX + 1);

	if (na > WORD_MAX || nb > WORD_MAX)
		return WORD_MAX;
	for (unsigned j = 0; j <= nb; j++)
		row[0][j] = j;
	for (unsigned i = 1; i <= na; i++) {
		unsigned *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];

		now[0] = i;
		for (unsigned j = 1; j <= nb; j++) {
			unsigned d = last[j - 1] + (a[i - 1] != b[j - 1]);

			d = PLX_MIN(d, PLX_MIN(last[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d = PLX_MIN(d, before[j - 2] + 1);
			now[j] = d;
		}
	}
	return row[na % 3][nb];
}

const char *plx_opt_nearest(const char *key, const char *const *known, size_t n)
{
	const char *best = NULL;
	unsigned best_distance = 3; /* farther than this is another word */

	for (size_t i = 0; i < n; i++) {
		unsigned d = distance(key, known[i]);

		/* Of a short key all of it could be changed: half of it must stay. */
		if (d < best_distance && 2 * d <= strlen(known[i])) {
			best = known[i];
			best_distance = d;
		}
	}
	return best;
}
