/* SPDX-License-Identifier: BSD-3-Clause */
#include <time.h>

#include "rig.h"
#include "unit.h"

/* For things that happen in microseconds or milliseconds: only a broken driver takes so long. */
#define LONG_NS UINT64_C(5000000000)

#ifndef CONF_HUGE
#define CONF_HUGE PLX_HUGE_NONE
#endif

static void quiet(void *arg, enum plx_log_level level, const char *tag, const char *text)
{
}

void rig_ctx(struct rig *r)
{
	struct plx_ctx_opts opts = PLX_CTX_OPTS_INIT;
	const char *why;

	memset(r, 0, sizeof(*r));
	opts.huge = CONF_HUGE;
	opts.log_fn = quiet;
#ifdef CONF_ISA
	opts.isa = CONF_ISA;
#endif
	CHECK_EQ(plx_ctx_open(&opts, &r->ctx), 0);
	why = conf_begin(&r->c, r->ctx);
	if (why != NULL) {
		plx_ctx_close(r->ctx);
		SKIP(why);
	}
}

static void open_end(struct rig *r, struct end *e, const char *text)
{
	int err = plx_port_open(r->ctx, text, &e->port);

	CHECK_STR(err == 0 ? "" : plx_errmsg(), "");
	CHECK_EQ(plx_port_info(e->port, &e->info), 0);
}

/* Keeps the mbufs out of use whose data rooms lie in two pages of the device's. */
static void set_aside(struct rig *r)
{
	static struct plx_mbuf *all[16384];
	unsigned n = 0;

	if (r->c.page == 0)
		return;
	while (n < PLX_ARRAY_SIZE(all) && (all[n] = plx_mbuf_alloc(r->pool)) != NULL)
		n++;
	for (unsigned i = 0; i < n; i++) {
		uint64_t first = all[i]->buf_iova, last = first + r->pool->room - 1;

		if (first / r->c.page == last / r->c.page)
			plx_mbuf_free(all[i]);
		else if (r->n_aside < PLX_ARRAY_SIZE(r->aside))
			r->aside[r->n_aside++] = all[i];
	}
	plx_mempool_cache_flush(plx_mempool_thread_cache(&r->pool->mp));
}

void rig_open(struct rig *r, const struct rig_opts *o)
{
	struct plx_mbuf_pool_opts po = PLX_MBUF_POOL_OPTS_INIT;

	rig_ctx(r);
	open_end(r, &r->a, r->c.dev);
	if (r->c.peer[0] != '\0')
		open_end(r, &r->b, r->c.peer);
	po.n = r->n_mbufs = o->n_mbufs * o->n_queues; /* rings and caches of each */
	po.room = o->room;
	CHECK_EQ(plx_mbuf_pool_create(r->ctx, &po, &r->pool), 0);
	set_aside(r);
}

int end_set_up(struct rig *r, struct end *e, const struct rig_opts *o)
{
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	struct plx_rxq_conf rx = PLX_RXQ_CONF_INIT;
	struct plx_txq_conf tx = PLX_TXQ_CONF_INIT;
	int err;

	e->n_queues = o->n_queues < END_QUEUES ? o->n_queues : (uint16_t)END_QUEUES;
	if (e->n_queues > e->info.max_rxq)
		e->n_queues = e->info.max_rxq;
	if (e->n_queues > e->info.max_txq)
		e->n_queues = e->info.max_txq;
	conf.n_rxq = conf.n_txq = e->n_queues;
	conf.mtu = o->mtu;
	conf.promisc = true;
	if (o->chains) {
		conf.rx_offloads = e->info.rx_offloads & PLX_RX_OFFLOAD_SCATTER;
		conf.tx_offloads = e->info.tx_offloads & PLX_TX_OFFLOAD_MULTI_SEG;
	}
	if (o->rss_hash)
		conf.rx_offloads |= e->info.rx_offloads & PLX_RX_OFFLOAD_RSS_HASH;
	rx.pool = r->pool;
	rx.n_desc = tx.n_desc = o->n_desc;
	err = plx_port_configure(e->port, &conf);
	for (uint16_t i = 0; err == 0 && i < e->n_queues; i++) {
		err = plx_rxq_setup(e->port, i, &rx, &e->rxqs[i]);
		if (err == 0)
			err = plx_txq_setup(e->port, i, &tx, &e->txqs[i]);
	}
	e->rxq = e->rxqs[0];
	e->txq = e->txqs[0];
	return err;
}

static void start_end(struct rig *r, struct end *e, const struct rig_opts *o)
{
	int err = end_set_up(r, e, o);

	if (err == 0)
		err = plx_port_start(e->port);
	CHECK_STR(err == 0 ? "" : plx_errmsg(), "");
}

void rig_link(struct rig *r, struct end *e)
{
	const struct timespec ts = {
		(time_t)(r->c.deaf_ns / 1000000000), (long)(r->c.deaf_ns % 1000000000)};

	CHECK_EQ(plx_port_link_wait(e->port, r->c.link_ns), 0);
	if (r->c.deaf_ns != 0)
		nanosleep(&ts, NULL);
}

void rig_start(struct rig *r, const struct rig_opts *o)
{
	start_end(r, &r->a, o);
	if (r->b.port != NULL)
		start_end(r, &r->b, o);
	rig_link(r, &r->a);
	if (r->b.port != NULL)
		rig_link(r, &r->b);
}

void rig_up(struct rig *r, const struct rig_opts *o)
{
	rig_open(r, o);
	rig_start(r, o);
}

void rig_down(struct rig *r)
{
	CHECK_EQ(plx_port_close(r->a.port), 0);
	CHECK_EQ(plx_port_close(r->b.port), 0);
	for (; r->n_aside != 0; r->n_aside--)
		plx_mbuf_free(r->aside[r->n_aside - 1]);
	/* this thread's own cache holds some; none may be missing */
	plx_mempool_cache_flush(plx_mempool_thread_cache(&r->pool->mp));
	CHECK_EQ(plx_mbuf_pool_avail(r->pool), r->n_mbufs);
	plx_ctx_close(r->ctx);
	conf_end(&r->c);
}

enum { HEADER = 18 }; /* addresses, type, number */

static uint8_t byte_at(uint32_t number, uint32_t off)
{
	return (uint8_t)(number * 131u + off * 7u + (off >> 8));
}

static void frame_fill(uint8_t *p, uint32_t number, uint32_t len)
{
	static const uint8_t head[14] = {2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8, 0x88, 0xb5};

	memcpy(p, head, sizeof(head));
	plx_store_be32(p + 14, number);
	for (uint32_t i = HEADER; i < len; i++)
		p[i] = byte_at(number, i);
}

struct plx_mbuf *frame_make(struct rig *r, uint32_t number, uint32_t len, unsigned segs)
{
	static uint8_t bytes[PLX_PKT_LEN_MAX];
	uint32_t room = r->pool->room - PLX_MBUF_HEADROOM;
	uint32_t piece = PLX_MIN(len / PLX_MAX(segs, 1u) + 1, room), done = 0;
	struct plx_mbuf *head = NULL;

	frame_fill(bytes, number, len);
	while (done < len) {
		uint16_t n = (uint16_t)PLX_MIN(piece, len - done);
		struct plx_mbuf *m = plx_mbuf_alloc(r->pool);

		CHECK(m != NULL);
		memcpy(plx_mbuf_append(m, n), bytes + done, n);
		if (head == NULL)
			head = m;
		else
			CHECK_EQ(plx_mbuf_chain(head, m), 0);
		done += n;
	}
	return head;
}

uint32_t frame_check(const struct plx_mbuf *m, uint32_t len)
{
	static uint8_t got[PLX_PKT_LEN_MAX], want[PLX_PKT_LEN_MAX];
	uint32_t number;

	/* a NIC pads what is shorter than a frame may be */
	CHECK(m->pkt_len == len || (len < 60 && m->pkt_len == 60));
	CHECK_EQ(plx_mbuf_read(m, 0, got, m->pkt_len), 0);
	number = plx_load_be32(got + 14);
	frame_fill(want, number, len);
	CHECK_EQ(memcmp(got, want, len), 0);
	return number;
}

/* Ethernet, IP and the first bytes behind it, of so many kinds. */
static uint32_t flow_fill(uint8_t *p, unsigned i)
{
	static const uint8_t protos[8] = {6, 17, 6, 1, 6, 17, 6, 58};
	static const uint8_t macs[12] = {2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8};
	const bool v4 = i % 8 < 4;
	const uint32_t len = 100 + i % 50, seed = i * 2654435761u;
	uint8_t *ip = p + 14;

	memset(p, 0, len);
	memcpy(p, macs, sizeof(macs));
	if (i % 13 == 12) { /* no IP at all */
		plx_store_be16(p + 12, 0x88b5);
		return len;
	}
	plx_store_be16(p + 12, v4 ? 0x0800 : 0x86dd);
	for (unsigned j = v4 ? 12 : 8; j < (v4 ? 20u : 40u); j++)
		ip[j] = (uint8_t)(seed >> j % 24) ^ (uint8_t)(j * i);
	if (v4) {
		ip[0] = 0x45;
		plx_store_be16(ip + 2, (uint16_t)(len - 14));
		ip[8] = 64;
		ip[9] = protos[i % 8];
		if (i % 8 == 2) /* the first fragment of more */
			plx_store_be16(ip + 6, 0x2000);
	} else {
		ip[0] = 0x60;
		plx_store_be16(ip + 4, (uint16_t)(len - 54));
		ip[6] = protos[i % 8];
		ip[7] = 64;
		ip[8] = ip[24] = 0xfd;
	}
	ip += v4 ? 20 : 40;
	plx_store_be32(ip, seed ^ 0x12345678);
	if (protos[i % 8] == 17)
		plx_store_be16(ip + 4, (uint16_t)(len - (v4 ? 34 : 54)));
	else
		ip[12] = 0x50;
	return len;
}

struct plx_mbuf *flow_make(struct rig *r, unsigned i)
{
	struct plx_mbuf *m = plx_mbuf_alloc(r->pool);
	uint8_t bytes[160];
	uint32_t len = flow_fill(bytes, i);

	CHECK(m != NULL);
	memcpy(plx_mbuf_append(m, (uint16_t)len), bytes, len);
	return m;
}

void rx_check(const struct plx_mbuf *m)
{
	CHECK_STR(plx_mbuf_check(m) == 0 ? "" : plx_errmsg(), "");
	CHECK_EQ(m->flags & PLX_TX_OFFLOADS, 0);
	CHECK_EQ(m->flags >> 16, 0);
	CHECK_EQ(m->refcnt, 1);
	CHECK_EQ(m->kind, PLX_MBUF_OWN);
	if (!(m->flags & PLX_RX_VLAN))
		CHECK_EQ(m->vlan, 0);
	if (!(m->flags & PLX_RX_RSS_HASH))
		CHECK_EQ(m->rss_hash, 0);
	if (!(m->flags & PLX_RX_MARK))
		CHECK_EQ(m->mark, 0);
}

static void nap(struct rig *r)
{
	const struct timespec ts = {0, 100000};

	plx_ctx_poll(r->ctx);
	nanosleep(&ts, NULL);
}

void send_all(struct rig *r, struct end *e, struct plx_mbuf **pkts, unsigned n)
{
	uint64_t until = plx_clock_ns() + LONG_NS;

	while (n != 0) {
		uint16_t sent = plx_tx_burst(e->txq, pkts, (uint16_t)PLX_MIN(n, 64u));

		pkts += sent;
		n -= sent;
		CHECK(sent != 0 || plx_clock_ns() < until);
		if (sent == 0)
			nap(r);
	}
}

unsigned receive(struct rig *r, struct end *e, struct plx_mbuf **pkts, unsigned n)
{
	uint64_t until = plx_clock_ns() + LONG_NS;
	unsigned got = 0;

	while (got < n && plx_clock_ns() < until) {
		uint16_t k = plx_rx_burst(e->rxq, pkts + got, (uint16_t)PLX_MIN(n - got, 32u));

		got += k;
		if (k == 0)
			nap(r);
		else
			until = plx_clock_ns() + LONG_NS;
	}
	return got;
}
