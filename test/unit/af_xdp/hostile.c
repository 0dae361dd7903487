/* SPDX-License-Identifier: BSD-3-Clause */
/* What a kernel writes into AF_XDP rings is checked: a room comes back once, or not at all. */
#include <stdlib.h>

#include "af_xdp.h"
#include "unit.h"

#define N     64u /* descriptors of each ring */
#define MBUFS 2048u

struct rig {
	struct plx_ctx *ctx;
	struct plx_mbuf_pool *pool;
	struct axdp_umem umem;
	struct axdp_rxq rxq;
	struct axdp_txq txq;
	uint64_t rx_ctr[PLX_RXQ_COUNTERS], tx_ctr[PLX_TXQ_COUNTERS];
	uint32_t index[8]; /* producers and consumers */
	uint32_t flags;
	uint32_t seed;
};

static uint32_t number(struct rig *r, uint32_t below)
{
	r->seed = r->seed * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)(r->seed >> 8) * below) >> 24);
}

static void ring(struct axdp_ring *ring, uint32_t *index, const uint32_t *flags, size_t desc)
{
	*ring = (struct axdp_ring){
		.producer = index, .consumer = index + 1, .flags = flags, .mask = N - 1};
	ring->desc = calloc(N, desc);
	CHECK(ring->desc != NULL);
}

static void rig_up(struct rig *r)
{
	struct plx_mbuf_pool_opts o = PLX_MBUF_POOL_OPTS_INIT;
	struct plx_ctx_opts co = PLX_CTX_OPTS_INIT;
	struct plx_dma rooms;
	size_t stride;

	memset(r, 0, sizeof(*r));
	r->seed = 1;
	co.huge = PLX_HUGE_NONE;
	CHECK_EQ(plx_ctx_open(&co, &r->ctx), 0);
	o.n = MBUFS;
	CHECK_EQ(plx_mbuf_pool_create(r->ctx, &o, &r->pool), 0);
	CHECK_EQ(plx_mbuf_pool_rooms(r->pool, &rooms, 1, &stride), 1);
	r->umem = (struct axdp_umem){.pool = r->pool,
		.area = rooms.va,
		.n = MBUFS,
		.lines = (uint32_t)(stride / PLX_CACHE_LINE),
		.chunk = PLX_MBUF_ROOM};
	r->umem.inverse = (UINT64_C(1) << 40) / r->umem.lines + 1;
	r->umem.state = calloc(MBUFS, 1);
	CHECK(r->umem.state != NULL);
	ring(&r->rxq.rx, &r->index[0], &r->flags, sizeof(struct xdp_desc));
	ring(&r->rxq.fill, &r->index[2], &r->flags, sizeof(uint64_t));
	ring(&r->txq.tx, &r->index[4], &r->flags, sizeof(struct xdp_desc));
	ring(&r->txq.comp, &r->index[6], &r->flags, sizeof(uint64_t));
	CHECK_EQ(plx_mempool_cache_create(r->ctx, 0, -1, &r->rxq.q.cache), 0);
	CHECK_EQ(plx_mempool_cache_create(r->ctx, 0, -1, &r->txq.q.cache), 0);
	plx_mempool_cache_bind(r->rxq.q.cache, &r->pool->mp);
	r->rxq.q.pool = r->pool;
	r->rxq.q.ctr = r->rx_ctr;
	r->txq.q.ctr = r->tx_ctr;
	r->rxq.q.max_pkt = r->txq.q.max_pkt = 1518;
	r->rxq.q.n_desc = r->txq.q.n_desc = N;
	r->rxq.umem = r->txq.umem = &r->umem;
	r->rxq.fd = r->txq.fd = -1;
	r->rxq.mine = AXDP_IN_RX;
	r->txq.mine = AXDP_IN_TX;
	r->rxq.need_wakeup = r->txq.need_wakeup = true;
	CHECK_EQ(axdp_fill(&r->rxq, N), N);
}

/* No mbuf is lost, and none is there twice: those in rings and those in the pool make all. */
static void rig_down(struct rig *r)
{
	unsigned held = 0;

	for (unsigned i = 0; i < MBUFS; i++) {
		struct plx_mbuf *m = axdp_mbuf(&r->umem, i);

		if (r->umem.state[i] != AXDP_FREE) {
			held++;
			plx_mempool_put_bulk_nocache(&r->pool->mp, (void *const *)&m, 1);
		}
	}
	CHECK(held >= N);
	plx_mempool_cache_free(r->rxq.q.cache);
	plx_mempool_cache_free(r->txq.q.cache);
	plx_mempool_cache_flush(plx_mempool_thread_cache(&r->pool->mp));
	CHECK_EQ(plx_mbuf_pool_avail(r->pool), MBUFS);
	free(r->umem.state);
	free(r->rxq.rx.desc);
	free(r->rxq.fill.desc);
	free(r->txq.tx.desc);
	free(r->txq.comp.desc);
	plx_ctx_close(r->ctx);
}

static uint64_t wild(struct rig *r)
{
	const uint64_t stride = r->umem.lines * (uint64_t)PLX_CACHE_LINE;

	switch (number(r, 5)) {
	case 0:
		return ((uint64_t)number(r, 1u << 24) << 40) ^
		       ((uint64_t)number(r, 1u << 24) << 16) ^ number(r, 1u << 16);
	case 1:
		return number(r, MBUFS + 2) * stride + number(r, 2);
	case 2:
		return number(r, MBUFS) * stride +
		       ((uint64_t)number(r, 1u << 16) << AXDP_OFFSET_SHIFT);
	case 3:
		return (uint64_t)0 - number(r, 4) * stride;
	default:
		return number(r, MBUFS) * stride + ((uint64_t)AXDP_HEADROOM << AXDP_OFFSET_SHIFT);
	}
}

TEST(af_xdp, rooms_are_found_by_their_offset)
{
	struct rig r;

	rig_up(&r);
	for (uint32_t lines = 33; lines < 1026; lines += 2) {
		struct axdp_umem u = {.first = 64,
			.lines = lines,
			.n = 1u << 24,
			.inverse = (UINT64_C(1) << 40) / lines + 1};

		for (uint32_t i = 0; i < 1u << 24; i = i * 3 + 1)
			CHECK_EQ(axdp_index(&u, 64 + (uint64_t)i * lines * 64), i);
		CHECK_EQ(axdp_index(&u, 64 + ((UINT64_C(1) << 24) - 1) * lines * 64),
			(1u << 24) - 1);
		CHECK_EQ(axdp_index(&u, 128), UINT32_MAX);
		CHECK_EQ(axdp_index(&u, 0), UINT32_MAX);
	}
	rig_down(&r);
}

TEST(af_xdp, received_descriptors_may_be_anything)
{
	const unsigned rounds = unit_rounds(2000);
	unsigned got = 0;
	struct rig r;

	rig_up(&r);
	for (unsigned i = 0; i < rounds; i++) {
		struct xdp_desc *d = r.rxq.rx.desc;
		struct plx_mbuf *pkts[40];
		uint16_t n;

		/* now and then the index itself makes no sense */
		for (unsigned k = number(&r, 40); k > 0; k--)
			d[r.index[0]++ & (N - 1)] = (struct xdp_desc){.addr = wild(&r),
				.len = number(&r, 3) ? number(&r, 2000) : wild(&r) & ~0u};
		if (number(&r, 50) == 0)
			r.index[0] += number(&r, 1000);
		n = axdp_rx(&r.rxq.q, pkts, 40);
		for (uint16_t k = 0; k < n; k++) {
			CHECK_STR(plx_mbuf_check(pkts[k]) == 0 ? "" : plx_errmsg(), "");
			CHECK_EQ(r.umem.state[pkts[k]->index], AXDP_FREE);
			plx_mbuf_free(pkts[k]);
		}
		got += n;
		r.index[0] = r.rxq.rx.head;
	}
	CHECK(got > 0);
	CHECK(r.rx_ctr[PLX_RXQ_ERRORS] > 0);
	rig_down(&r);
}

TEST(af_xdp, completions_may_be_anything)
{
	const unsigned rounds = unit_rounds(2000);
	uint64_t taken = 0;
	struct rig r;

	rig_up(&r);
	for (unsigned i = 0; i < rounds; i++) {
		uint64_t *comp = r.txq.comp.desc;
		struct plx_mbuf *m[8];
		uint16_t sent;

		CHECK_EQ(plx_mbuf_alloc_bulk(r.pool, m, 8), 0);
		for (unsigned k = 0; k < 8; k++)
			memset(plx_mbuf_append(m[k], 60), 0, 60);
		sent = axdp_tx(&r.txq.q, m, 8);
		plx_mbuf_free_bulk(m + sent, 8u - sent);
		taken += sent;
		for (unsigned k = number(&r, 40); k > 0; k--)
			comp[r.index[6]++ & (N - 1)] = wild(&r);
		axdp_tx_reclaim(&r.txq.q);
		CHECK(r.txq.out <= N);
		CHECK_EQ(r.tx_ctr[PLX_TXQ_PACKETS], r.tx_ctr[PLX_TXQ_DONE] + r.txq.out);
	}
	CHECK_EQ(r.tx_ctr[PLX_TXQ_PACKETS], taken);
	CHECK(r.tx_ctr[PLX_TXQ_DONE] > N);
	rig_down(&r);
}
