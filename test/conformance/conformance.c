/* SPDX-License-Identifier: BSD-3-Clause */
/* What every Ethernet driver must do. */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>

#include "rig.h"
#include "unit.h"

static const struct rig_opts defaults = RIG_OPTS_INIT;

static unsigned count_dir(const char *path)
{
	DIR *d = opendir(path);
	unsigned n = 0;

	while (d != NULL && readdir(d) != NULL)
		n++;
	if (d != NULL)
		closedir(d);
	return n;
}

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

TEST(conf, open_close_leaks_nothing)
{
	unsigned fds = 0, maps = 0;
	struct rig r;

	for (int i = 0; i < 5; i++) {
		rig_up(&r, &defaults);
		rig_down(&r);
		/* the first round loads what stays: allocator arenas, libraries' tables */
		if (i == 1) {
			fds = count_dir("/proc/self/fd");
			maps = count_maps();
		}
	}
	CHECK_EQ(count_dir("/proc/self/fd"), fds);
	/* valgrind's own mappings come and go, and a sanitizer's for memory that is mapped twice */
	CHECK(unit_emulated() || (UNIT_SANITIZED && r.c.mapped_twice) || count_maps() <= maps + 2);
}

TEST(conf, info_is_consistent)
{
	struct rig r;

	rig_open(&r, &defaults);
	const struct plx_port_info *i = &r.a.info;

	CHECK(i->driver != NULL && i->driver[0] != '\0');
	CHECK_STR(i->device, r.c.dev);
	CHECK(i->max_rxq + i->max_txq > 0);
	CHECK(i->desc_align > 0 && i->min_desc <= i->max_desc);
	CHECK(i->def_rx_desc >= i->min_desc && i->def_rx_desc <= i->max_desc);
	CHECK(i->def_tx_desc >= i->min_desc && i->def_tx_desc <= i->max_desc);
	CHECK_EQ(i->def_rx_desc % i->desc_align, 0);
	CHECK_EQ(i->def_tx_desc % i->desc_align, 0);
	CHECK(i->min_mtu <= 1500 && i->max_mtu >= 1500);
	CHECK_EQ(i->mac.b[0] & 1, 0);
	rig_down(&r);
}

/* Control calls in random order: each works or says why not, and none does harm. */
TEST(conf, control_calls_in_every_order)
{
	uint32_t seed = 1;
	struct rig r;

	rig_open(&r, &defaults);
	for (unsigned i = 0; i < r.c.rounds * 4; i++) {
		struct plx_mbuf *pkts[32];
		struct plx_port_stats s;
		struct plx_link link;
		int err = 0;

		seed = seed * 1664525u + 1013904223u;
		switch ((seed >> 24) % 8) {
		case 0:
		case 1:
			err = plx_port_start(r.a.port);
			break;
		case 2:
			err = plx_port_stop(r.a.port);
			break;
		case 3:
			err = plx_port_reset(r.a.port);
			break;
		case 4:
			err = end_set_up(&r, &r.a, &defaults);
			break;
		case 5:
			err = plx_port_stats(r.a.port, &s);
			break;
		case 6:
			err = plx_port_link(r.a.port, true, &link);
			break;
		default:
			if (r.a.rxq != NULL)
				plx_mbuf_free_bulk(pkts, plx_rx_burst(r.a.rxq, pkts, 32));
			break;
		}
		CHECK(err == 0 || err == -EINVAL || err == -EBUSY);
		if (err != 0)
			CHECK(plx_errmsg()[0] != '\0');
	}
	rig_down(&r);
}

struct poller {
	pthread_t thread;
	struct end *e;
	bool stop;
	uint64_t rx, tx, dropped;
};

static void *poll_loop(void *arg)
{
	struct poller *p = arg;
	struct plx_mbuf *pkts[13];

	while (!__atomic_load_n(&p->stop, __ATOMIC_ACQUIRE)) {
		uint16_t n = plx_rx_burst(p->e->rxq, pkts, 13);
		uint16_t sent = plx_tx_burst(p->e->txq, pkts, n);

		plx_mbuf_free_bulk(pkts + sent, (unsigned)(n - sent));
		p->rx += n;
		p->tx += sent;
		p->dropped += (uint64_t)(n - sent);
		if (n == 0)
			sched_yield();
	}
	plx_mempool_cache_flush(plx_mempool_thread_cache(&p->e->rxq->pool->mp));
	return NULL;
}

TEST(conf, start_stop_reset_while_a_thread_polls)
{
	struct poller p = {0};
	struct plx_port_stats s;
	struct rig r;

	rig_up(&r, &defaults);
	p.e = &r.a;
	CHECK_EQ(pthread_create(&p.thread, NULL, poll_loop, &p), 0);
	for (unsigned i = 0; i < r.c.rounds; i++) {
		CHECK_EQ(i % 3 == 0 ? plx_port_reset(r.a.port) : plx_port_stop(r.a.port), 0);
		plx_ctx_poll(r.ctx);
		CHECK_EQ(plx_port_start(r.a.port), 0);
		sched_yield();
	}
	__atomic_store_n(&p.stop, true, __ATOMIC_RELEASE);
	pthread_join(p.thread, NULL);
	CHECK_EQ(plx_port_stop(r.a.port), 0);
	CHECK_EQ(plx_port_stats(r.a.port, &s), 0);
	/* received = sent + dropped + held, and nothing is held after a stop */
	CHECK_EQ(p.rx, p.tx + p.dropped);
	CHECK_EQ(s.rx_packets, p.rx);
	CHECK_EQ(s.tx_packets, p.tx);
	CHECK_EQ(s.tx_done, s.tx_packets);
	rig_down(&r);
}

/* All of both rings, again and again: what they say may be old, and is never of another ring. */
static void look_at_rings(struct end *e)
{
	static struct plx_desc d[32768];
	uint16_t n = 0;

	CHECK_EQ(plx_rxq_descs(e->rxq, 0, d, 32768, &n), 0);
	CHECK_EQ(n, e->rxq->n_desc);
	for (uint16_t i = 0; i < n; i++)
		CHECK(d[i].index == i && d[i].owner <= PLX_DESC_DONE && d[i].n_words <= 4);
	CHECK_EQ(plx_txq_descs(e->txq, 0, d, 32768, &n), 0);
	CHECK_EQ(n, e->txq->n_desc);
	for (uint16_t i = 0; i < n; i++)
		CHECK(d[i].index == i && d[i].owner <= PLX_DESC_DONE && d[i].n_words <= 4);
	CHECK_EQ(plx_rxq_descs(e->rxq, e->rxq->n_desc, d, 1, &n), -EINVAL);
}

TEST(conf, descriptors_can_be_looked_at_while_a_thread_polls)
{
	struct poller p = {0};
	struct plx_mbuf *out[32];
	struct plx_desc d;
	struct rig r;
	uint16_t n;

	rig_up(&r, &defaults);
	if (plx_rxq_descs(r.a.rxq, 0, &d, 1, &n) == -ENOTSUP) {
		rig_down(&r);
		SKIP("the driver has no rings to show");
	}
	p.e = &r.a;
	CHECK_EQ(pthread_create(&p.thread, NULL, poll_loop, &p), 0);
	for (unsigned i = 0; i < r.c.rounds; i++) {
		for (unsigned j = 0; j < 32 && r.b.port != NULL; j++)
			out[j] = frame_make(&r, j, 64, 1);
		if (r.b.port != NULL)
			send_all(&r, &r.b, out, 32);
		look_at_rings(&r.a);
	}
	__atomic_store_n(&p.stop, true, __ATOMIC_RELEASE);
	pthread_join(p.thread, NULL);
	rig_down(&r);
}

/* Packets of each size, in bursts of odd sizes, arrive whole and in order. */
static void exchange(struct rig *r, struct end *from, struct end *to, unsigned n, uint32_t min,
	uint32_t max, unsigned segs)
{
	struct plx_mbuf *out[64], *in[64];
	struct plx_port_stats before, after;
	uint64_t bytes = 0;

	CHECK_EQ(plx_port_stats(to->port, &before), 0);
	for (unsigned i = 0; i < n;) {
		unsigned k = PLX_MIN(1 + i % 37, n - i);
		uint32_t len[64];

		for (unsigned j = 0; j < k; j++) {
			len[j] = min + ((i + j) * 61u) % (max - min + 1);
			out[j] = frame_make(r, i + j, len[j], segs);
		}
		send_all(r, from, out, k);
		CHECK_EQ(receive(r, to, in, k), k);
		for (unsigned j = 0; j < k; j++) {
			rx_check(in[j]);
			CHECK_EQ(frame_check(in[j], len[j]), i + j);
			bytes += in[j]->pkt_len;
		}
		plx_mbuf_free_bulk(in, k);
		i += k;
	}
	CHECK_EQ(plx_port_stats(to->port, &after), 0);
	CHECK_EQ(after.rx_packets - before.rx_packets, n);
	CHECK_EQ(after.rx_bytes - before.rx_bytes, bytes);
}

static void need_wire(struct rig *r)
{
	if (r->b.port != NULL)
		return;
	rig_down(r);
	SKIP("this port has no other end");
}

TEST(conf, packets_arrive_whole_and_in_order_both_ways)
{
	struct plx_port_stats s;
	struct rig r;

	rig_up(&r, &defaults);
	need_wire(&r);
	exchange(&r, &r.a, &r.b, r.c.packets, 18, 1514, 1);
	exchange(&r, &r.b, &r.a, r.c.packets, 18, 1514, 1);
	CHECK_EQ(plx_port_stop(r.a.port), 0);
	CHECK_EQ(plx_port_stats(r.a.port, &s), 0);
	CHECK_EQ(s.tx_packets, r.c.packets);
	CHECK_EQ(s.tx_done, r.c.packets);
	rig_down(&r);
}

/* What a stop finds in the ring was not sent, and is no packet that the peer got. */
TEST(conf, what_stop_finds_unsent_is_an_error)
{
	struct plx_port_stats s, again;
	struct plx_mbuf *pkts[32];
	unsigned taken = 0, got = 0, n;
	struct rig r;

	rig_up(&r, &defaults);
	need_wire(&r);
	/* the peer looks at nothing meanwhile */
	for (unsigned i = 0; i < 40; i++) {
		for (unsigned k = 0; k < 32; k++)
			pkts[k] = frame_make(&r, i * 32 + k, 200, 1);
		n = plx_tx_burst(r.a.txq, pkts, 32);
		plx_mbuf_free_bulk(pkts + n, 32 - n);
		taken += n;
	}
	CHECK(taken > 0);
	CHECK_EQ(plx_port_stop(r.a.port), 0);
	CHECK_EQ(plx_port_stats(r.a.port, &s), 0);
	CHECK_EQ(s.tx_packets, taken);
	CHECK_EQ(s.tx_done, taken);
	CHECK(s.tx_errors <= taken);
	while ((n = receive(&r, &r.b, pkts, 32)) != 0) {
		got += n;
		plx_mbuf_free_bulk(pkts, n);
	}
	CHECK(got <= taken - s.tx_errors);
	/* that was the stop's, and nothing that goes on */
	CHECK_EQ(plx_port_start(r.a.port), 0);
	rig_link(&r, &r.a);
	CHECK_EQ(plx_port_stats(r.a.port, &again), 0);
	CHECK_EQ(again.tx_errors, s.tx_errors);
	rig_down(&r);
}

TEST(conf, chains_are_sent_as_one_packet)
{
	struct rig_opts o = defaults;
	struct rig r;

	o.chains = true;
	rig_up(&r, &o);
	need_wire(&r);
	if (!(r.a.info.tx_offloads & PLX_TX_OFFLOAD_MULTI_SEG)) {
		rig_down(&r);
		SKIP("the driver sends no chains");
	}
	for (unsigned segs = 2; segs < 12; segs += 3)
		exchange(&r, &r.a, &r.b, r.c.packets / 4, 60, 1514, segs);
	rig_down(&r);
}

TEST(conf, packets_longer_than_a_room_come_as_chains)
{
	struct rig_opts o = defaults;
	struct rig r;

	o.chains = true;
	o.room = PLX_MBUF_HEADROOM + 2048;
	rig_open(&r, &o);
	if (r.b.port == NULL || !(r.a.info.rx_offloads & PLX_RX_OFFLOAD_SCATTER) ||
		!(r.a.info.tx_offloads & PLX_TX_OFFLOAD_MULTI_SEG)) {
		rig_down(&r);
		SKIP("the driver has no scatter, or the port no other end");
	}
	rig_down(&r);
	o.mtu = r.c.max_len - 18;
	rig_up(&r, &o);
	exchange(&r, &r.a, &r.b, r.c.packets / 4, 60, r.c.max_len - 4, 1);
	exchange(&r, &r.b, &r.a, r.c.packets / 4, 60, r.c.max_len - 4, 3);
	rig_down(&r);
}

/* Stopped or not: a frame that no room could take would be dropped for ever after. */
TEST(conf, an_mtu_beyond_the_rooms_is_refused)
{
	struct rig_opts o = defaults;
	struct rig r;
	int err;

	rig_open(&r, &o);
	if (r.a.info.max_mtu < o.room) {
		rig_down(&r);
		SKIP("no MTU is longer than a room");
	}
	CHECK_EQ(end_set_up(&r, &r.a, &o), 0);
	err = plx_port_set_mtu(r.a.port, o.room);
	if (err == -ENOTSUP) {
		rig_down(&r);
		SKIP("the driver does not change its MTU");
	}
	CHECK_EQ(err, -EINVAL);
	CHECK_HAS(plx_errmsg(), "room");
	CHECK_EQ(plx_port_start(r.a.port), 0);
	CHECK_EQ(plx_port_set_mtu(r.a.port, o.room), -EINVAL);
	rig_down(&r);
}

/* A port that brings its own packets: bursts of every size, each field written. */
TEST(conf, a_source_writes_every_field)
{
	struct plx_mbuf *pkts[64], *all[4096];
	unsigned n = 0;
	struct rig_opts o = defaults;
	struct rig r;

	o.chains = true;
	rig_open(&r, &o);
	if (!r.c.source) {
		rig_down(&r);
		SKIP("packets come through the wire test here");
	}
	/* what lies in the pool is rubbish in each field that RX writes */
	while (n < 4096 && (all[n] = plx_mbuf_alloc(r.pool)) != NULL) {
		all[n]->flags = 0xffffffff;
		all[n]->ptype = all[n]->pkt_len = 0xffffffff;
		all[n]->data_len = all[n]->vlan = 0xffff;
		all[n]->hash_mark = UINT64_MAX;
		all[n]->data_off = 7;
		n++;
	}
	plx_mempool_put_bulk_nocache(&r.pool->mp, (void **)all, n);
	CHECK_EQ(end_set_up(&r, &r.a, &o), 0);
	CHECK_EQ(plx_port_start(r.a.port), 0);
	for (uint16_t size = 0; size <= 64; size++) {
		uint16_t got = plx_rx_burst(r.a.rxq, pkts, size);

		CHECK(got <= size);
		for (uint16_t i = 0; i < got; i++) {
			rx_check(pkts[i]);
			CHECK(pkts[i]->pkt_len >= 1);
			CHECK_EQ(pkts[i]->data_off, PLX_MBUF_HEADROOM);
		}
		plx_mbuf_free_bulk(pkts, got);
	}
	rig_down(&r);
}

TEST(conf, a_full_ring_takes_less_and_loses_nothing)
{
	struct rig_opts o = defaults;
	uint64_t taken = 0;
	bool full = false;
	struct plx_port_stats s;
	struct rig r;

	o.n_desc = 64;
	rig_up(&r, &o);
	/* offered at once, more than the ring has, again and again */
	for (unsigned round = 0; round < 8; round++) {
		struct plx_mbuf *pkts[200];
		uint16_t sent;

		for (unsigned i = 0; i < 200; i++)
			pkts[i] = frame_make(&r, i, 64, 1);
		sent = plx_tx_burst(r.a.txq, pkts, 200);
		CHECK(sent <= 200);
		taken += sent;
		full |= sent < 200;
		plx_mbuf_free_bulk(pkts + sent, 200u - sent);
	}
	CHECK(full || r.c.takes_all);
	CHECK_EQ(plx_port_stop(r.a.port), 0);
	CHECK_EQ(plx_port_stats(r.a.port, &s), 0);
	CHECK_EQ(s.tx_packets, taken);
	CHECK_EQ(s.tx_done, taken);
	rig_down(&r);
}

/* Throws away what is under way: until nothing came for as long as a port may hold it back. */
static void drain(struct end *e)
{
	uint64_t until = plx_clock_ns() + UINT64_C(20000000);
	struct plx_mbuf *pkts[32];

	while (plx_clock_ns() < until) {
		uint16_t got = plx_rx_burst(e->rxq, pkts, 32);

		plx_mbuf_free_bulk(pkts, got);
		if (got != 0)
			until = plx_clock_ns() + UINT64_C(20000000);
		else
			sched_yield();
	}
}

/* With every mbuf taken, RX brings nothing and breaks nothing; once they are back it goes on. */
TEST(conf, an_empty_pool_stops_rx_until_it_is_fed)
{
	struct plx_mbuf *held[4096], *pkts[32];
	unsigned n = 0, got;
	struct plx_port_stats s;
	struct rig r;

	rig_up(&r, &defaults);
	if (r.b.port == NULL && !r.c.source) {
		rig_down(&r);
		SKIP("nothing to receive");
	}
	if (r.b.port != NULL) {
		struct plx_mbuf *out[32];

		for (unsigned i = 0; i < 32; i++)
			out[i] = frame_make(&r, i, 64, 1);
		while (n < 4096 && (held[n] = plx_mbuf_alloc(r.pool)) != NULL)
			n++;
		send_all(&r, &r.b, out, 32);
	} else {
		while (n < 4096 && (held[n] = plx_mbuf_alloc(r.pool)) != NULL)
			n++;
	}
	/* what the queue's own cache has it may still give */
	for (unsigned i = 0; i < 2000; i++) {
		got = plx_rx_burst(r.a.rxq, pkts, 32);
		CHECK(n + got <= 4096);
		memcpy(&held[n], pkts, got * sizeof(pkts[0]));
		n += got;
	}
	CHECK_EQ(plx_port_stats(r.a.port, &s), 0);
	if (r.c.source && !r.c.patient)
		CHECK(s.rx_nombuf > 0);
	plx_mbuf_free_bulk(held, n);
	plx_mempool_cache_flush(plx_mempool_thread_cache(&r.pool->mp));
	if (r.b.port != NULL) {
		/* drain, then everything works as before */
		drain(&r.a);
		exchange(&r, &r.b, &r.a, 100, 60, 1514, 1);
	} else {
		got = receive(&r, &r.a, pkts, 32);
		CHECK_EQ(got, 32);
		plx_mbuf_free_bulk(pkts, got);
	}
	rig_down(&r);
}

TEST(conf, traffic_goes_on_after_stop_and_reset)
{
	struct rig r;

	rig_up(&r, &defaults);
	need_wire(&r);
	exchange(&r, &r.b, &r.a, 50, 60, 1514, 1);
	CHECK_EQ(plx_port_stop(r.a.port), 0);
	CHECK_EQ(plx_port_start(r.a.port), 0);
	rig_link(&r, &r.a);
	exchange(&r, &r.b, &r.a, 50, 60, 1514, 1);
	CHECK_EQ(plx_port_reset(r.a.port), 0);
	rig_link(&r, &r.a);
	exchange(&r, &r.a, &r.b, 50, 60, 1514, 1);
	exchange(&r, &r.b, &r.a, 50, 60, 1514, 1);
	rig_down(&r);
}

/* Foreign pools, shared and external buffers: all that TX frees finds its way home. */
TEST(conf, tx_frees_whatever_it_is_given)
{
	struct plx_mbuf_pool_opts po = PLX_MBUF_POOL_OPTS_INIT;
	struct plx_mbuf *pkts[32], *kept[32];
	struct plx_mbuf_pool *other;
	struct rig_opts o = defaults;
	struct rig r;

	o.chains = true;
	rig_up(&r, &o);
	po.n = 512;
	CHECK_EQ(plx_mbuf_pool_create(r.ctx, &po, &other), 0);
	for (unsigned round = 0; round < 20; round++) {
		for (unsigned i = 0; i < 32; i++) {
			struct plx_mbuf *m = frame_make(&r, i, 100, 1);

			kept[i] = m;
			switch ((i + round) % 4) {
			case 0:
				pkts[i] = plx_mbuf_copy(m, other);
				break;
			case 1:
				pkts[i] = plx_mbuf_clone(m, other);
				break;
			case 2:
				plx_mbuf_hold(m);
				pkts[i] = m;
				break;
			default:
				pkts[i] = m;
				kept[i] = NULL;
				break;
			}
			CHECK(pkts[i] != NULL);
		}
		send_all(&r, &r.a, pkts, 32);
		for (unsigned i = 0; i < 32; i++)
			plx_mbuf_free(kept[i]);
	}
	CHECK_EQ(plx_port_stop(r.a.port), 0);
	plx_mempool_cache_flush(plx_mempool_thread_cache(&other->mp));
	CHECK_EQ(plx_port_close(r.a.port), 0);
	r.a.port = NULL;
	if (r.c.passes_mbufs)
		CHECK_EQ(plx_port_stop(r.b.port), 0);
	CHECK_EQ(plx_mbuf_pool_avail(other), 512);
	rig_down(&r);
}

TEST(conf, removal_becomes_a_state)
{
	struct plx_mbuf *pkts[32];
	uint64_t until;
	struct rig r;

	rig_up(&r, &defaults);
	for (unsigned i = 0; i < 32; i++)
		pkts[i] = frame_make(&r, i, 64, 1);
	send_all(&r, &r.a, pkts, 32);
	if (!conf_remove(&r.c)) {
		rig_down(&r);
		SKIP("this device cannot leave");
	}
	until = plx_clock_ns() + UINT64_C(5000000000);
	while (plx_rxq_state(r.a.rxq, NULL) != PLX_QUEUE_GONE && plx_clock_ns() < until) {
		unsigned n = plx_rx_burst(r.a.rxq, pkts, 32);

		plx_mbuf_free_bulk(pkts, n);
		plx_ctx_poll(r.ctx);
	}
	CHECK_EQ(plx_rxq_state(r.a.rxq, NULL), PLX_QUEUE_GONE);
	CHECK_EQ(plx_txq_state(r.a.txq, NULL), PLX_QUEUE_GONE);
	CHECK_EQ(plx_rx_burst(r.a.rxq, pkts, 32), 0);
	CHECK_EQ(plx_port_reset(r.a.port), -ENODEV);
	CHECK_EQ(plx_port_start(r.a.port), -ENODEV);
	rig_down(&r);
}
