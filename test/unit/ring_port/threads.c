/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each end polled by a thread of its own while control stops, resets, closes and opens them: every packet
 * is accounted for, and every mbuf comes back.
 */
#include <pthread.h>
#include <sched.h>

#include "ends.h"

enum { BURST = 17 };

struct poller {
	pthread_t thread;
	struct ends *e;
	struct ends_end end;
	bool stop;
	bool makes; /* packets of its own; else it sends back what it gets */
	uint32_t next, out_of_order;
	uint64_t rx, tx, dropped;
};

/* Numbers of one sender come in order, with gaps where a stop threw some away. */
static void look(struct poller *p, struct plx_mbuf *m)
{
	uint32_t number;

	memcpy(&number, plx_mbuf_data(m), sizeof(number));
	if (number < p->next)
		p->out_of_order++;
	p->next = number + 1;
}

static uint16_t fill(struct poller *p, struct plx_mbuf **pkts, uint32_t *number)
{
	if (plx_mbuf_alloc_bulk(p->e->pool, pkts, BURST) < 0)
		return 0;
	for (unsigned i = 0; i < BURST; i++) {
		uint8_t *data = plx_mbuf_append(pkts[i], 60);

		memset(data, 0, 60);
		memcpy(data, number, sizeof(*number));
		(*number)++;
		pkts[i]->flags = i % 2 ? PLX_TX_VLAN : 0;
	}
	return BURST;
}

static void *poll_loop(void *arg)
{
	struct poller *p = arg;
	struct plx_mbuf *pkts[BURST];
	uint32_t number = 0;

	while (!__atomic_load_n(&p->stop, __ATOMIC_ACQUIRE)) {
		uint16_t n = plx_rx_burst(p->end.rxq, pkts, BURST), sent;

		p->rx += n;
		if (p->makes) {
			plx_mbuf_free_bulk(pkts, n);
			n = fill(p, pkts, &number);
		} else {
			for (unsigned i = 0; i < n; i++)
				look(p, pkts[i]);
		}
		sent = plx_tx_burst(p->end.txq, pkts, n);
		p->tx += sent;
		p->dropped += (uint64_t)(n - sent);
		plx_mbuf_free_bulk(pkts + sent, (unsigned)(n - sent));
		if (sent == 0)
			sched_yield();
	}
	plx_mempool_cache_flush(plx_mempool_thread_cache(&p->e->pool->mp));
	return NULL;
}

static void begin(struct poller *p)
{
	__atomic_store_n(&p->stop, false, __ATOMIC_RELEASE);
	CHECK_EQ(pthread_create(&p->thread, NULL, poll_loop, p), 0);
}

static void end(struct poller *p)
{
	__atomic_store_n(&p->stop, true, __ATOMIC_RELEASE);
	CHECK_EQ(pthread_join(p->thread, NULL), 0);
}

/* What one end took is what the other received, or lost to a stop and says so. */
static void balance(const struct ends_end *from, const struct ends_end *to)
{
	struct plx_port_stats f = ends_stats(from), t = ends_stats(to);

	CHECK_EQ(f.tx_packets, t.rx_packets + t.rx_missed);
	CHECK_EQ(f.tx_packets, f.tx_done);
	CHECK_EQ(t.rx_errors + t.rx_nombuf + f.tx_errors, 0);
}

TEST(ring_port, stops_and_resets_lose_nothing_that_is_not_counted)
{
	struct poller a = {.makes = true}, b = {.makes = false};
	struct ends e;

	ends_ctx(&e);
	a.e = b.e = &e;
	ends_pair(&e, &a.end, &b.end, "ring:a");
	begin(&a);
	begin(&b);
	for (unsigned i = 0; i < unit_rounds(300); i++) {
		struct plx_port *port = i % 2 ? a.end.port : b.end.port;

		CHECK_EQ(i % 3 == 0 ? plx_port_reset(port) : plx_port_stop(port), 0);
		plx_ctx_poll(e.ctx);
		CHECK_EQ(plx_port_start(port), 0);
		plx_ctx_poll(e.ctx);
		sched_yield();
	}
	end(&a);
	end(&b);
	CHECK_EQ(plx_port_stop(a.end.port), 0);
	CHECK_EQ(plx_port_stop(b.end.port), 0);
	balance(&a.end, &b.end);
	balance(&b.end, &a.end);
	CHECK_EQ(ends_stats(&b.end).rx_packets, b.rx);
	CHECK_EQ(ends_stats(&a.end).tx_packets, a.tx);
	CHECK_EQ(b.rx, b.tx + b.dropped);
	CHECK_EQ(b.out_of_order, 0);
	CHECK(b.rx > 0);
	CHECK_EQ(ends_avail(&e), MBUFS);
	ends_close(&e);
}

/* The other end goes and comes, closed by this thread, while b's thread polls on. */
TEST(ring_port, an_end_closes_while_the_other_polls)
{
	struct poller b = {.makes = true};
	uint64_t took = 0, gave = 0, missed = 0;
	struct plx_port_stats s;
	struct ends_end a;
	struct ends e;

	ends_ctx(&e);
	b.e = &e;
	ends_start(&e, &b.end, "ring:a");
	begin(&b);
	for (unsigned i = 0; i < unit_rounds(100); i++) {
		struct plx_mbuf *pkts[BURST];
		uint32_t number = 0;
		uint16_t n, sent;

		ends_start(&e, &a, "ring:a");
		CHECK(ends_up(&a));
		plx_ctx_poll(e.ctx);
		for (unsigned k = 0; k < 5; k++) {
			n = plx_rx_burst(a.rxq, pkts, BURST);
			took += n;
			plx_mbuf_free_bulk(pkts, n);
			n = fill(&b, pkts, &number);
			sent = plx_tx_burst(a.txq, pkts, n);
			gave += sent;
			plx_mbuf_free_bulk(pkts + sent, (unsigned)(n - sent));
			sched_yield();
		}
		CHECK_EQ(plx_port_stop(a.port), 0);
		missed += ends_stats(&a).rx_missed;
		CHECK_EQ(plx_port_close(a.port), 0);
	}
	end(&b);
	CHECK_EQ(plx_port_stop(b.end.port), 0);
	s = ends_stats(&b.end);
	CHECK_EQ(s.tx_packets, took + missed);
	CHECK_EQ(s.rx_packets + s.rx_missed, gave);
	CHECK_EQ(s.rx_packets, b.rx);
	CHECK_EQ(ends_avail(&e), MBUFS);
	ends_close(&e);
}

/* Two ends stop and start from two threads at once: no order of locks hangs. */
static void *stop_and_start(void *arg)
{
	struct ends_end *a = arg;

	for (unsigned i = 0; i < unit_rounds(200); i++)
		if (plx_port_stop(a->port) != 0 || plx_port_start(a->port) != 0)
			return a;
	return NULL;
}

TEST(ring_port, both_ends_are_controlled_at_once)
{
	struct poller p = {.makes = true};
	struct ends_end a;
	pthread_t t[2];
	struct ends e;

	ends_ctx(&e);
	p.e = &e;
	ends_pair(&e, &a, &p.end, "ring:a");
	begin(&p);
	CHECK_EQ(pthread_create(&t[0], NULL, stop_and_start, &a), 0);
	CHECK_EQ(pthread_create(&t[1], NULL, stop_and_start, &p.end), 0);
	for (unsigned i = 0; i < 2; i++) {
		void *failed;

		CHECK_EQ(pthread_join(t[i], &failed), 0);
		CHECK(failed == NULL);
	}
	end(&p);
	CHECK_EQ(plx_port_stop(a.port), 0);
	CHECK_EQ(plx_port_stop(p.end.port), 0);
	balance(&p.end, &a);
	CHECK_EQ(ends_avail(&e), MBUFS);
	ends_close(&e);
}
