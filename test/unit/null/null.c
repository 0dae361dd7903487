/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "plx_ethdev.h"
#include "plx_log.h"
#include "unit.h"

/* One port, one queue each way, one pool. */
struct bed {
	struct plx_ctx *ctx;
	struct plx_mbuf_pool *pool;
	struct plx_port *port;
	struct plx_rxq *rxq;
	struct plx_txq *txq;
	uint32_t mbufs;
};

static void bed_open(struct bed *b, const char *text, uint32_t mbufs, uint32_t room)
{
	struct plx_ctx_opts co = PLX_CTX_OPTS_INIT;
	struct plx_mbuf_pool_opts po = PLX_MBUF_POOL_OPTS_INIT;
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	struct plx_rxq_conf rxc = PLX_RXQ_CONF_INIT;
	struct plx_txq_conf txc = PLX_TXQ_CONF_INIT;

	co.huge = PLX_HUGE_NONE;
	CHECK_EQ(plx_ctx_open(&co, &b->ctx), 0);
	po.n = b->mbufs = mbufs;
	po.room = room;
	CHECK_EQ(plx_mbuf_pool_create(b->ctx, &po, &b->pool), 0);
	if (plx_port_open(b->ctx, text, &b->port) != 0)
		UNIT_FAIL(plx_errmsg());
	conf.mtu = 65535 - 18;
	conf.rx_offloads = PLX_RX_OFFLOAD_SCATTER;
	conf.tx_offloads = PLX_TX_OFFLOAD_MULTI_SEG;
	if (plx_port_configure(b->port, &conf) != 0)
		UNIT_FAIL(plx_errmsg());
	rxc.pool = b->pool;
	rxc.cache = txc.cache = 64;
	if (plx_rxq_setup(b->port, 0, &rxc, &b->rxq) != 0)
		UNIT_FAIL(plx_errmsg());
	CHECK_EQ(plx_txq_setup(b->port, 0, &txc, &b->txq), 0);
	CHECK_EQ(plx_port_start(b->port), 0);
}

/* After close every mbuf is in the pool again. */
static void bed_close(struct bed *b)
{
	CHECK_EQ(plx_port_stop(b->port), 0);
	CHECK_EQ(plx_port_close(b->port), 0);
	plx_mempool_cache_flush(plx_mempool_thread_cache(&b->pool->mp));
	CHECK_EQ(plx_mbuf_pool_avail(b->pool), b->mbufs);
	plx_ctx_close(b->ctx);
}

static struct plx_port_stats stats(struct bed *b)
{
	struct plx_port_stats s;

	CHECK_EQ(plx_port_stats(b->port, &s), 0);
	return s;
}

/* The caches of a stopped port's queues hold nothing: pools of what was sent may end before it. */
TEST(null, stop_leaves_no_mbufs_in_caches)
{
	struct plx_mbuf_pool_opts po = PLX_MBUF_POOL_OPTS_INIT;
	struct plx_mbuf_pool *other;
	struct plx_mbuf *pkts[32];
	struct bed b;

	bed_open(&b, "null:", 256, PLX_MBUF_ROOM);
	po.n = 256;
	for (unsigned round = 0; round < 2; round++) {
		CHECK_EQ(plx_mbuf_pool_create(b.ctx, &po, &other), 0);
		CHECK_EQ(plx_mbuf_alloc_bulk(other, pkts, 32), 0);
		CHECK_EQ(plx_tx_burst(b.txq, pkts, 32), 32);
		CHECK_EQ(plx_rx_burst(b.rxq, pkts, 32), 32);
		plx_mbuf_free_bulk(pkts, 32);
		plx_mempool_cache_flush(plx_mempool_thread_cache(&other->mp));
		plx_mempool_cache_flush(plx_mempool_thread_cache(&b.pool->mp));
		CHECK_EQ(plx_port_stop(b.port), 0);
		CHECK_EQ(plx_mbuf_pool_avail(other), 256);
		CHECK_EQ(plx_mbuf_pool_avail(b.pool), 256);
		plx_mbuf_pool_destroy(other);
		CHECK_EQ(plx_port_start(b.port), 0);
	}
	bed_close(&b);
}

TEST(null, says_what_it_is)
{
	struct bed b;
	struct plx_port_info info;
	struct plx_link link;

	bed_open(&b, "null:", 256, PLX_MBUF_ROOM);
	CHECK_EQ(plx_port_info(b.port, &info), 0);
	CHECK_STR(info.driver, "null");
	CHECK_EQ(info.max_rxq, 64);
	CHECK_EQ(info.max_txq, 64);
	CHECK_EQ(info.mac.b[0] & 3, 2); /* unicast, made up locally */
	CHECK(!info.finite);
	CHECK_EQ(plx_port_link(b.port, true, &link), 0);
	CHECK(link.up && link.full_duplex);
	CHECK_EQ(link.speed_mbps, 100000);
	bed_close(&b);
}

/* Leaves values in all fields that RX has to write, of all mbufs. */
static void dirty(struct bed *b)
{
	struct plx_mbuf *m[256];

	CHECK_EQ(plx_mbuf_alloc_bulk(b->pool, m, b->mbufs), 0);
	for (uint32_t i = 0; i < b->mbufs; i++) {
		m[i]->data_off = 1;
		m[i]->flags = m[i]->ptype = m[i]->pkt_len = UINT32_MAX;
		m[i]->data_len = m[i]->vlan = UINT16_MAX;
		m[i]->hash_mark = UINT64_MAX;
	}
	plx_mbuf_free_bulk(m, b->mbufs);
	plx_mempool_cache_flush(plx_mempool_thread_cache(&b->pool->mp));
}

static void check_packet(struct bed *b, const struct plx_mbuf *m, uint32_t size)
{
	if (plx_mbuf_check(m) != 0)
		UNIT_FAIL(plx_errmsg());
	CHECK_EQ(m->pkt_len, size);
	CHECK_EQ(m->data_off, PLX_MBUF_HEADROOM);
	CHECK_EQ(m->flags, 0);
	CHECK_EQ(m->ptype, 0);
	CHECK_EQ(m->vlan, 0);
	CHECK_EQ(m->hash_mark, 0);
	CHECK(m->pool == b->pool);
}

TEST(null, rx_writes_every_field)
{
	struct bed b;
	struct plx_mbuf *m[32];

	bed_open(&b, "null:size=100", 256, PLX_MBUF_ROOM);
	dirty(&b);
	for (int k = 0; k < 10; k++) {
		CHECK_EQ(plx_rx_burst(b.rxq, m, 32), 32);
		for (int i = 0; i < 32; i++) {
			check_packet(&b, m[i], 100);
			CHECK_EQ(m[i]->rearm, b.pool->rearm);
			CHECK_EQ(m[i]->data_len, 100);
			m[i]->flags = PLX_TX_TSO;
		}
		CHECK_EQ(plx_tx_burst(b.txq, m, 32), 32);
	}
	bed_close(&b);
}

TEST(null, bursts_of_all_sizes)
{
	struct bed b;
	struct plx_mbuf *m[200];
	uint64_t packets = 0;

	bed_open(&b, "null:0", 2000, PLX_MBUF_ROOM);
	for (uint16_t n = 0; n < 200; n++) {
		uint16_t got = plx_rx_burst(b.rxq, m, n);

		CHECK_EQ(got, n < 64 ? n : 64); /* its cache holds 64 */
		for (uint16_t i = 0; i < got; i++)
			check_packet(&b, m[i], 64);
		CHECK_EQ(plx_tx_burst(b.txq, m, got), got);
		packets += got;
	}
	CHECK_EQ(plx_tx_reclaim(b.txq), 0);
	CHECK_EQ(b.rxq->ctr[PLX_RXQ_BURSTS], 199);
	CHECK_EQ(b.txq->ctr[PLX_TXQ_BURSTS], 199);
	CHECK_EQ(stats(&b).rx_packets, packets);
	CHECK_EQ(stats(&b).tx_packets, packets);
	CHECK_EQ(stats(&b).tx_done, packets);
	CHECK_EQ(stats(&b).rx_bytes, packets * 64);
	CHECK_EQ(stats(&b).tx_bytes, packets * 64);
	CHECK_EQ(stats(&b).rx_nombuf, 0);
	CHECK_EQ(plx_port_stats_reset(b.port), 0);
	CHECK_EQ(stats(&b).rx_packets, 0);
	bed_close(&b);
}

TEST(null, empty_pool_drops)
{
	struct bed b;
	struct plx_mbuf *m[132];
	uint16_t have = 0, got;

	bed_open(&b, "null:", 100, PLX_MBUF_ROOM);
	while ((got = plx_rx_burst(b.rxq, m + have, 32)) > 0)
		have = (uint16_t)(have + got);
	CHECK_EQ(have, 100);
	CHECK_EQ(stats(&b).rx_nombuf, 28 + 32);
	CHECK_EQ(plx_tx_burst(b.txq, m, 40), 40);
	CHECK_EQ(plx_tx_burst(b.txq, m + 40, 60), 60);
	CHECK_EQ(stats(&b).rx_packets, 100);
	bed_close(&b);
}

TEST(null, chains)
{
	struct bed b;
	struct plx_mbuf *m[8];

	bed_open(&b, "null:size=9000", 256, 1128);
	dirty(&b);
	for (int k = 0; k < 20; k++) {
		CHECK_EQ(plx_rx_burst(b.rxq, m, 8), 8);
		for (int i = 0; i < 8; i++) {
			check_packet(&b, m[i], 9000);
			CHECK_EQ(m[i]->nsegs, 9);
			CHECK_EQ(m[i]->data_len, 1000);
		}
		CHECK_EQ(plx_tx_burst(b.txq, m, 8), 8);
	}
	CHECK_EQ(stats(&b).rx_bytes, 20 * 8 * 9000);
	CHECK_EQ(stats(&b).tx_bytes, 20 * 8 * 9000);
	bed_close(&b);
}

TEST(null, chain_of_1024)
{
	struct bed b;
	struct plx_mbuf *m[2];

	bed_open(&b, "null:size=65535,copy=1", 1200, 192);
	CHECK_EQ(plx_rx_burst(b.rxq, m, 2),
		1); /* the pool has no second one, and takes back its part */
	check_packet(&b, m[0], 65535);
	CHECK_EQ(m[0]->nsegs, 1024);
	CHECK_EQ(stats(&b).rx_nombuf, 1);
	CHECK_EQ(plx_tx_burst(b.txq, m, 1), 1);
	bed_close(&b);
}

TEST(null, longest_packet_in_one_room)
{
	struct bed b;
	struct plx_mbuf *m;

	bed_open(&b, "null:size=65407", 256, 65535);
	CHECK_EQ(plx_rx_burst(b.rxq, &m, 1), 1);
	check_packet(&b, m, 65407);
	CHECK_EQ(m->nsegs, 1);
	CHECK_EQ(plx_mbuf_tailroom(m), 0);
	CHECK_EQ(plx_tx_burst(b.txq, &m, 1), 1);
	bed_close(&b);
}

TEST(null, copy_writes_and_reads_the_bytes)
{
	static const uint32_t sizes[] = {14, 64, 1000, 2048, 5000};
	static const uint8_t head[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	for (size_t k = 0; k < PLX_ARRAY_SIZE(sizes); k++) {
		char text[64];
		struct bed b;
		struct plx_mbuf *m[4];
		uint8_t bytes[5000];

		snprintf(text, sizeof(text), "null:size=%u,copy=1", sizes[k]);
		bed_open(&b, text, 256, 1128);
		CHECK_EQ(plx_rx_burst(b.rxq, m, 4), 4);
		for (int i = 0; i < 4; i++) {
			check_packet(&b, m[i], sizes[k]);
			memset(bytes, 0xee, sizeof(bytes));
			CHECK_EQ(plx_mbuf_read(m[i], 0, bytes, sizes[k]), 0);
			CHECK(memcmp(bytes, head, sizeof(head)) == 0);
			CHECK_EQ(bytes[12] << 8 | bytes[13], 0x88b5);
			for (uint32_t at = 14; at < sizes[k]; at++)
				CHECK_EQ(bytes[at], 0);
		}
		CHECK_EQ(plx_tx_burst(b.txq, m, 4), 4);
		CHECK_EQ(stats(&b).tx_bytes, 4 * (uint64_t)sizes[k]);
		bed_close(&b);
	}
}

TEST(null, tx_frees_packets_of_all_sorts)
{
	struct bed b;
	struct plx_mbuf_pool_opts po = PLX_MBUF_POOL_OPTS_INIT;
	struct plx_mbuf_pool *other;
	struct plx_mbuf *m[32];

	bed_open(&b, "null:", 256, PLX_MBUF_ROOM);
	po.n = 64;
	po.room = 0;
	CHECK_EQ(plx_mbuf_pool_create(b.ctx, &po, &other), 0);
	for (int k = 0; k < 50; k++) {
		CHECK_EQ(plx_rx_burst(b.rxq, m, 24), 24);
		for (int i = 24; i < 32; i++)
			m[i] = plx_mbuf_clone(m[i - 1 - k % 9], other);
		CHECK_EQ(plx_mbuf_chain(m[0], plx_mbuf_clone(m[1], other)), 0);
		CHECK_EQ(plx_tx_burst(b.txq, m, 32), 32);
	}
	CHECK_EQ(stats(&b).tx_packets, 50 * 32);
	CHECK_EQ(stats(&b).tx_bytes, 50 * 33 * 64);
	CHECK_EQ(plx_port_stop(b.port), 0);
	plx_mempool_cache_flush(b.txq->cache);
	plx_mempool_cache_flush(plx_mempool_thread_cache(&other->mp));
	CHECK_EQ(plx_mbuf_pool_avail(other), 64);
	bed_close(&b);
}

TEST(null, stopped_moves_nothing)
{
	struct bed b;
	struct plx_mbuf *m[4];

	bed_open(&b, "null:", 256, PLX_MBUF_ROOM);
	CHECK_EQ(plx_rx_burst(b.rxq, m, 4), 4);
	CHECK_EQ(plx_port_stop(b.port), 0);
	CHECK_EQ(plx_tx_burst(b.txq, m, 4), 0);
	CHECK_EQ(plx_port_start(b.port), 0);
	CHECK_EQ(plx_tx_burst(b.txq, m, 4), 4);
	bed_close(&b);
}

/* ---- errors ---- */

static void refused(const char *text, int err, const char *message)
{
	struct plx_ctx *ctx;
	struct plx_port *port = NULL;

	CHECK_EQ(plx_ctx_open(NULL, &ctx), 0);
	CHECK_EQ(plx_port_open(ctx, text, &port), -err);
	CHECK(port == NULL);
	CHECK_HAS(plx_errmsg(), message);
	plx_ctx_close(ctx);
}

TEST(null, refuses_options)
{
	refused("null:size=13", ERANGE, "size");
	refused("null:size=65536", ERANGE, "65535");
	refused("null:copy=2", EINVAL, "copy");
	refused("null:colour=red", EINVAL, "colour");
}

TEST(null, refuses_packets_longer_than_the_mtu_lets_through)
{
	struct plx_ctx *ctx;
	struct plx_port *port;
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;

	CHECK_EQ(plx_ctx_open(NULL, &ctx), 0);
	CHECK_EQ(plx_port_open(ctx, "null:size=1519", &port), 0);
	CHECK_EQ(plx_port_configure(port, &conf), -EINVAL);
	CHECK_HAS(plx_errmsg(),
		"null:size=1519: size=1519 is longer than the frames of the MTU 1500 (1518 bytes); "
		"configure an MTU of 1501, or a smaller size");
	conf.mtu = 1501;
	CHECK_EQ(plx_port_configure(port, &conf), 0);
	plx_ctx_close(ctx);
}
