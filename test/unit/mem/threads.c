/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory from several threads: one context and several at once. */
#include "fakes.h"

enum { THREADS = 4 };

struct worker {
	pthread_t t;
	struct plx_ctx *ctx;
	struct plx_domain *dom;
	struct plx_arena *shared;
	unsigned no, bad;
};

/* Pieces of an arena that all use, an arena of its own, device memory, a registration. */
static void one_round(struct worker *w, char *own)
{
	struct plx_arena_opts o = PLX_ARENA_OPTS_INIT;
	struct plx_dma d[3] = {{NULL, 0, 0}};
	struct plx_arena *a = NULL;
	struct plx_memreg *reg = NULL;

	o.reserve = 4096;
	w->bad += plx_arena_alloc(w->shared, 5000, 64, &d[0]) != 0;
	w->bad += plx_arena_create(w->ctx, &o, &a) != 0;
	w->bad += plx_arena_alloc(a, 9000, 64, &d[1]) != 0;
	w->bad += plx_dma_alloc(w->dom, 3000, 64, &d[2]) != 0;
	w->bad += plx_mem_register(w->ctx, own, 4096, -1, 0, 0, &reg) != 0;
	for (unsigned i = 0; i < 3; i++)
		memset(d[i].va, (int)w->no, d[i].len);
	sched_yield();
	for (unsigned i = 0; i < 3; i++)
		w->bad += ((unsigned char *)d[i].va)[d[i].len - 1] != w->no;
	w->bad += plx_mem_unregister(reg) != 0;
	plx_dma_free(w->dom, &d[2]);
	plx_arena_free(a, &d[1]);
	plx_arena_destroy(a);
	plx_arena_free(w->shared, &d[0]);
}

static void *work(void *arg)
{
	static char own[THREADS][4096] PLX_ALIGNED(4096);
	struct worker *w = arg;

	for (unsigned i = 0; i < unit_rounds(100); i++)
		one_round(w, own[w->no]);
	return NULL;
}

static void run(struct worker *w)
{
	unsigned bad = 0;

	for (unsigned i = 0; i < THREADS; i++) {
		w[i].no = i;
		CHECK_EQ(pthread_create(&w[i].t, NULL, work, &w[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(w[i].t, NULL);
		bad += w[i].bad;
	}
	CHECK_EQ(bad, 0);
}

TEST(mem_threads, share_a_context)
{
	struct plx_ctx *ctx = ctx_open(PLX_HUGE_NONE);
	struct fake_domain dom = FAKE_DOMAIN("d");
	struct worker w[THREADS];
	struct plx_arena *shared;

	CHECK_EQ(plx_domain_add(ctx, &dom.d), 0);
	shared = arena_new(ctx, 4096);
	for (unsigned i = 0; i < THREADS; i++)
		w[i] = (struct worker){.ctx = ctx, .dom = &dom.d, .shared = shared};
	run(w);
	CHECK_EQ(plx_arena_used(shared), 0);
	CHECK_EQ(plx_arena_used(dom.d.device), 0);
	plx_domain_del(&dom.d);
	CHECK_EQ(dom.n + dom.wrong, 0);
	plx_ctx_close(ctx);
}

TEST(mem_threads, have_a_context_each)
{
	struct fake_domain dom[THREADS];
	struct worker w[THREADS];

	for (unsigned i = 0; i < THREADS; i++) {
		struct plx_ctx *ctx = ctx_open(PLX_HUGE_NONE);

		dom[i] = (struct fake_domain)FAKE_DOMAIN("d");
		CHECK_EQ(plx_domain_add(ctx, &dom[i].d), 0);
		w[i] = (struct worker){.ctx = ctx, .dom = &dom[i].d, .shared = arena_new(ctx, 0)};
	}
	run(w);
	for (unsigned i = 0; i < THREADS; i++) {
		plx_domain_del(&dom[i].d);
		CHECK_EQ(dom[i].n + dom[i].wrong, 0);
		plx_ctx_close(w[i].ctx);
	}
	CHECK_EQ(plx_iova_count(), 0);
}

/* ---- what a program adds to a context ---- */

enum { ITEMS = 200 };

static const char items_key;
static const char items[ITEMS];

static bool same_item(const void *a, const void *b)
{
	return a == b;
}

static void *add_all(void *arg)
{
	struct worker *w = arg;

	for (unsigned i = 0; i < ITEMS; i++) {
		int err = plx_ctx_item_add(w->ctx, &items_key, &items[i], same_item);

		w->no += err == 0;
		w->bad += err != 0 && err != -EEXIST;
	}
	return NULL;
}

/* All add the same: each item is in the list once, and one of the threads has added it. */
TEST(mem_threads, add_items_once)
{
	struct worker w[THREADS] = {{.no = 0}};
	unsigned added = 0, there = 0;
	struct plx_ctx *ctx;

	CHECK_EQ(plx_ctx_open(NULL, &ctx), 0);
	CHECK(plx_ctx_items(ctx, &items_key) == NULL);
	for (unsigned i = 0; i < THREADS; i++) {
		w[i].ctx = ctx;
		CHECK_EQ(pthread_create(&w[i].t, NULL, add_all, &w[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(w[i].t, NULL);
		CHECK_EQ(w[i].bad, 0);
		added += w[i].no;
	}
	for (const struct plx_ctx_item *i = plx_ctx_items(ctx, &items_key); i != NULL; i = i->next)
		there++;
	CHECK_EQ(added, ITEMS);
	CHECK_EQ(there, ITEMS);
	plx_ctx_close(ctx);
}
