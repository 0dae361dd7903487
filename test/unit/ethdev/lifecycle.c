/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A library can be opened and closed as often as one likes: contexts with ports, pools and traffic,
 * a thousand times, and the process is as it was. valgrind looks at the same rounds.
 */
#include <malloc.h>
#include <stdio.h>

#include "plx_ethdev.h"
#include "unit.h"

static unsigned count_maps(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	unsigned n = 0;
	int c;

	while (f != NULL && (c = fgetc(f)) != EOF)
		n += c == '\n';
	if (f != NULL)
		fclose(f);
	return n;
}

static struct plx_port *open_null(struct plx_ctx *ctx, struct plx_mbuf_pool *pool)
{
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	struct plx_rxq_conf rx = PLX_RXQ_CONF_INIT;
	struct plx_port *port = NULL;

	CHECK_EQ(plx_port_open(ctx, "null:", &port), 0);
	rx.pool = pool;
	CHECK_EQ(plx_port_configure(port, &conf), 0);
	CHECK_EQ(plx_rxq_setup(port, 0, &rx, NULL), 0);
	CHECK_EQ(plx_txq_setup(port, 0, NULL, NULL), 0);
	CHECK_EQ(plx_port_start(port), 0);
	return port;
}

/* by_hand: closes each object; else the context does. */
static void one_life(bool by_hand)
{
	struct plx_mbuf_pool_opts po = PLX_MBUF_POOL_OPTS_INIT;
	struct plx_ctx_opts opts = PLX_CTX_OPTS_INIT;
	struct plx_mbuf *pkts[32];
	struct plx_mbuf_pool *pool;
	struct plx_port *a, *b;
	struct plx_ctx *ctx;
	uint16_t n;

	opts.huge = PLX_HUGE_NONE;
	CHECK_EQ(plx_ctx_open(&opts, &ctx), 0);
	po.n = 600;
	CHECK_EQ(plx_mbuf_pool_create(ctx, &po, &pool), 0);
	a = open_null(ctx, pool);
	b = open_null(ctx, pool);
	n = plx_rx_burst(plx_port_rxq(a, 0), pkts, 32);
	CHECK_EQ(n, 32);
	CHECK_EQ(plx_tx_burst(plx_port_txq(b, 0), pkts, n), n);
	plx_ctx_poll(ctx);
	if (by_hand) {
		CHECK_EQ(plx_port_close(a), 0);
		CHECK_EQ(plx_port_close(b), 0);
		CHECK_EQ(plx_mbuf_pool_avail(pool), 600);
		plx_mbuf_pool_destroy(pool);
	}
	plx_ctx_close(ctx);
}

TEST(lifecycle, a_thousand_contexts_leave_nothing)
{
	unsigned fds, maps, n = 1000;
	size_t heap;

	/* what is made once and stays: libraries' tables, the thread's message; malloc() counts as used
	   what it keeps of freed blocks for this thread, which takes some lives to fill */
	for (int i = 0; i < 200; i++)
		one_life(i % 2 != 0);
	fds = unit_fds();
	maps = count_maps();
	heap = mallinfo2().uordblks;
	for (unsigned i = 0; i < n; i++)
		one_life(i % 2 != 0);
	CHECK_EQ(unit_fds(), fds);
	if (!unit_emulated() && !UNIT_SANITIZED)
		CHECK_EQ(count_maps(), maps);
	/* a sanitizer looks for leaks by itself, at the end */
	if (!UNIT_SANITIZED)
		CHECK_EQ(mallinfo2().uordblks, heap);
}

TEST(lifecycle, contexts_live_beside_each_other)
{
	struct plx_ctx *ctx[16];

	for (unsigned i = 0; i < 16; i++)
		CHECK_EQ(plx_ctx_open(NULL, &ctx[i]), 0);
	one_life(true);
	for (unsigned i = 0; i < 16; i++)
		plx_ctx_close(ctx[(i * 7) % 16]);
}
