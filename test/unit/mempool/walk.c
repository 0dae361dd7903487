/* SPDX-License-Identifier: BSD-3-Clause */
/* Random gets and puts through several caches and none: nothing is lost, nothing is given twice. */
#include "pools.h"

enum { CACHES = 4, N = 2500, BURST = 90 };

struct walk {
	struct plx_mempool *mp;
	struct plx_mempool_cache *caches[CACHES];
	void *out[N];
	bool is_out[N];
	unsigned n_out, seed;
};

static unsigned random_below(struct walk *w, unsigned n)
{
	w->seed = w->seed * 1664525 + 1013904223;
	return (w->seed >> 8) % n;
}

static void got(struct walk *w, void *const *objs, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		CHECK(plx_mempool_owns(w->mp, objs[i]));
		CHECK(!w->is_out[obj_index(w->mp, objs[i])]);
		w->is_out[obj_index(w->mp, objs[i])] = true;
		w->out[w->n_out++] = objs[i];
	}
}

/* Takes a random one of those that are out. */
static void *pick(struct walk *w)
{
	unsigned i = random_below(w, w->n_out);
	void *obj = w->out[i];

	w->out[i] = w->out[--w->n_out];
	w->is_out[obj_index(w->mp, obj)] = false;
	return obj;
}

static void step_get(struct walk *w, unsigned n)
{
	struct plx_mempool_cache *c = w->caches[random_below(w, CACHES)];
	void *objs[BURST], **zc;
	uint32_t available = plx_mempool_avail(w->mp) + c->n;
	unsigned way = random_below(w, 3), k;

	if (way == 0) {
		available = plx_mempool_avail(w->mp);
		k = plx_mempool_get_bulk_nocache(w->mp, objs, n);
		got(w, objs, k);
	} else if (way == 1 || n > c->size) {
		k = plx_mempool_get_bulk(c, objs, n);
		got(w, objs, k);
	} else {
		zc = plx_mempool_cache_get_zc(c, n);
		k = zc == NULL ? 0 : n;
		if (zc != NULL)
			got(w, zc, n);
	}
	CHECK_EQ(k, n <= available ? n : 0);
}

static void step_put(struct walk *w, unsigned n)
{
	struct plx_mempool_cache *c = w->caches[random_below(w, CACHES)];
	void *objs[BURST], **zc = objs;
	unsigned way = random_below(w, 3);

	n = PLX_MIN(n, w->n_out);
	if (way == 2 && n <= c->size) {
		zc = plx_mempool_cache_put_zc(c, n);
		CHECK(zc != NULL);
	}
	for (unsigned i = 0; i < n; i++)
		zc[i] = pick(w);
	if (way == 0)
		plx_mempool_put_bulk_nocache(w->mp, objs, n);
	else if (zc == objs)
		plx_mempool_put_bulk(c, objs, n);
}

TEST(mempool_walk, nothing_is_lost_or_doubled)
{
	static const uint32_t sizes[CACHES] = {32, 64, 100, 256};
	static struct walk w;
	struct plx_ctx *ctx = ctx_open(NULL);
	uint32_t held;

	memset(&w, 0, sizeof(w));
	w.mp = pool_new(ctx, N);
	for (unsigned i = 0; i < CACHES; i++)
		w.caches[i] = cache_new(ctx, w.mp, sizes[i]);
	w.seed = 7;
	for (unsigned step = 0; step < 60000; step++) {
		/* Tides: mostly gets until it is empty, then mostly puts. */
		bool rising = step / 500 % 2 == 0;
		unsigned n = random_below(&w, BURST);

		if ((random_below(&w, 10) < 7) == rising)
			step_get(&w, n);
		else
			step_put(&w, n);
		if (random_below(&w, 100) == 0)
			plx_mempool_cache_flush(w.caches[random_below(&w, CACHES)]);
		held = 0;
		for (unsigned i = 0; i < CACHES; i++) {
			CHECK(w.caches[i]->n <= w.caches[i]->size);
			held += w.caches[i]->n;
		}
		CHECK_EQ(held + w.n_out + plx_mempool_avail(w.mp), N);
	}
	while (w.n_out != 0)
		step_put(&w, BURST);
	for (unsigned i = 0; i < CACHES; i++)
		plx_mempool_cache_free(w.caches[i]);
	CHECK_EQ(plx_mempool_avail(w.mp), N);
	plx_mempool_destroy(w.mp);
	plx_ctx_close(ctx);
}
