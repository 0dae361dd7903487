/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two contexts in one process, each with its own device, memory and I/O address space. Frames cross
 * both ways; then the first context is closed, and the second opens its device anew and goes on.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lab.h"
#include "plx_ethdev.h"

enum { FRAMES = 500, LEN = 200, HEADER = 22, BURST = 16, DESC = 128, PAGE = 4096, EXTENTS = 16 };
#define LIMIT_NS UINT64_C(20000000000)

struct side {
	struct plx_ctx *ctx;
	struct plx_mbuf_pool *pool;
	struct plx_arena *arena;
	struct plx_port *port;
	struct plx_rxq *rxq;
	struct plx_txq *txq;
};

static void port_up(struct side *s, const char *dev)
{
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	struct plx_rxq_conf rx = PLX_RXQ_CONF_INIT;
	struct plx_txq_conf tx = PLX_TXQ_CONF_INIT;

	rx.pool = s->pool;
	conf.promisc = true;
	rx.n_desc = tx.n_desc = DESC;
	lab_check(plx_port_open(s->ctx, dev, &s->port), "open");
	lab_check(plx_port_configure(s->port, &conf), "configure");
	lab_check(plx_rxq_setup(s->port, 0, &rx, &s->rxq), "RX queue");
	lab_check(plx_txq_setup(s->port, 0, &tx, &s->txq), "TX queue");
	lab_check(plx_port_start(s->port), "start");
}

static void side_up(struct side *s, const char *dev)
{
	struct plx_mbuf_pool_opts opts = PLX_MBUF_POOL_OPTS_INIT;
	struct plx_arena_opts arena = PLX_ARENA_OPTS_INIT;
	struct plx_mbuf_need need = {
		.rx_desc = DESC, .tx_desc = DESC, .queues = 2, .threads = 1, .burst = BURST};

	opts.n = plx_mbuf_pool_need(&need);
	lab_check(plx_ctx_open(NULL, &s->ctx), "context");
	lab_check(plx_arena_create(s->ctx, &arena, &s->arena), "arena");
	opts.arena = s->arena;
	lab_check(plx_mbuf_pool_create(s->ctx, &opts, &s->pool), "pool");
	port_up(s, dev);
}

/* One I/O address means one thing in a process, whatever the context. */
static void disjoint(const struct side *a, const struct side *b)
{
	struct plx_extent ea[EXTENTS], eb[EXTENTS];
	size_t na = plx_arena_extents(a->arena, ea, EXTENTS),
	       nb = plx_arena_extents(b->arena, eb, EXTENTS);

	if (na == 0 || na > EXTENTS || nb == 0 || nb > EXTENTS)
		lab_fail("%zu and %zu extents", na, nb);
	for (size_t i = 0; i < na; i++)
		for (size_t k = 0; k < nb; k++)
			if (ea[i].iova < eb[k].iova + eb[k].len &&
				eb[k].iova < ea[i].iova + ea[i].len)
				lab_fail("both contexts have I/O address 0x%" PRIx64, eb[k].iova);
}

/* The wire may still hold frames of an earlier program: ours have the mark of this run's direction. */
static void frame_head(uint8_t head[HEADER], uint32_t mark, uint32_t number)
{
	static const uint8_t eth[14] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 8, 0x88, 0xb5};

	memcpy(head, eth, sizeof(eth));
	plx_store_be32(head + 14, mark);
	plx_store_be32(head + 18, number);
}

static uint8_t byte_at(uint32_t number, uint32_t off)
{
	return (uint8_t)(number * 31u + off);
}

/*
 * QEMU's models silently drop a packet in a buffer that lies in two pages, unless these are neighbours in
 * the guest's physical memory, too: with pages of 4 KiB such data begins in the second page.
 */
static uint8_t *frame_room(struct plx_mbuf *m)
{
	size_t left = PAGE - ((uintptr_t)plx_mbuf_data(m) & (PAGE - 1));
	uint8_t *p;

	if (left >= LEN)
		return plx_mbuf_append(m, LEN);
	p = plx_mbuf_append(m, (uint16_t)(left + LEN));
	plx_mbuf_adj(m, (uint16_t)left);
	return p + left;
}

static bool send_one(struct side *s, uint32_t mark, uint32_t number)
{
	struct plx_mbuf *m = plx_mbuf_alloc(s->pool);
	uint8_t *p;

	if (m == NULL)
		return false;
	p = frame_room(m);
	frame_head(p, mark, number);
	for (uint32_t i = HEADER; i < LEN; i++)
		p[i] = byte_at(number, i);
	if (plx_tx_burst(s->txq, &m, 1) == 1)
		return true;
	plx_mbuf_free(m);
	return false;
}

static void say_counters(const char *name, const struct side *s)
{
	struct plx_port_stats st;
	struct plx_link link;

	lab_check(plx_port_stats(s->port, &st), "counters");
	lab_check(plx_port_link(s->port, true, &link), "link");
	fprintf(stderr,
		"%s: link %d, rx %" PRIu64 " (missed %" PRIu64 ", no mbuf %" PRIu64 "), tx %" PRIu64
		" (done %" PRIu64 ", no link %" PRIu64 "), RX queue %d, TX queue %d\n",
		name, link.up, st.rx_packets, st.rx_missed, st.rx_nombuf, st.tx_packets, st.tx_done,
		st.tx_nolink, plx_rxq_state(s->rxq, NULL), plx_txq_state(s->txq, NULL));
}

/* Frames that came, in order, as they were sent. */
static uint32_t receive(struct side *s, uint32_t mark, uint32_t next)
{
	struct plx_mbuf *pkts[BURST];
	uint8_t head[HEADER];
	uint16_t n = plx_rx_burst(s->rxq, pkts, BURST);

	for (uint16_t i = 0; i < n; i++) {
		const uint8_t *p = plx_mbuf_data(pkts[i]);

		frame_head(head, mark, next);
		if (pkts[i]->pkt_len < HEADER || memcmp(p, head, HEADER - 4) != 0)
			continue;
		if (pkts[i]->pkt_len != LEN || memcmp(p, head, HEADER) != 0)
			say_counters("receiver", s);
		if (pkts[i]->pkt_len != LEN || memcmp(p, head, HEADER) != 0)
			lab_fail("instead of frame %u: %u bytes, number %u", next, pkts[i]->pkt_len,
				plx_load_be32(p + HEADER - 4));
		for (uint32_t k = HEADER; k < LEN; k++)
			if (p[k] != byte_at(next, k))
				lab_fail("frame %u: byte %u is wrong", next, k);
		next++;
	}
	plx_mbuf_free_bulk(pkts, n);
	return next;
}

static void cross(struct side *from, struct side *to)
{
	uint64_t begin = plx_clock_ns(), end = begin + LIMIT_NS;
	uint32_t mark = (uint32_t)begin;
	uint32_t sent = 0, got = 0;

	while (got < FRAMES) {
		if (sent < FRAMES && sent - got < BURST)
			sent += send_one(from, mark, sent);
		got = receive(to, mark, got);
		plx_ctx_poll(from->ctx);
		plx_ctx_poll(to->ctx);
		if (plx_clock_ns() > end) {
			say_counters("sender", from);
			say_counters("receiver", to);
			lab_fail("%u frames sent, %u came", sent, got);
		}
	}
	plx_tx_reclaim(from->txq);
}

static void links(struct side *a, struct side *b)
{
	lab_check(plx_port_link_wait(a->port, LIMIT_NS), "link");
	lab_check(plx_port_link_wait(b->port, LIMIT_NS), "link");
}

int lab_contexts(int argc, char **argv)
{
	struct side a, b;

	(void)argc;
	side_up(&a, argv[0]);
	side_up(&b, argv[1]);
	disjoint(&a, &b);
	links(&a, &b);
	cross(&a, &b);
	cross(&b, &a);
	plx_ctx_close(a.ctx);
	side_up(&a, argv[0]);
	links(&a, &b);
	cross(&b, &a);
	cross(&a, &b);
	plx_ctx_close(b.ctx);
	plx_ctx_close(a.ctx);
	printf("ok\n");
	return 0;
}
