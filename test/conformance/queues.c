/* SPDX-License-Identifier: BSD-3-Clause */
/* What every Ethernet driver with several queues must do. */
#include <pthread.h>
#include <sched.h>

#include "rig.h"
#include "unit.h"

struct owner {
	pthread_t thread;
	struct plx_rxq *rxq;
	struct plx_txq *txq;
	bool stop;
	uint64_t bursts; /* that brought something */
	uint64_t rx, tx, dropped;
};

/* One thread for one RX and one TX queue: what comes goes back. */
static void *own_queue(void *arg)
{
	struct owner *o = arg;
	struct plx_mbuf *pkts[16];

	while (!__atomic_load_n(&o->stop, __ATOMIC_ACQUIRE)) {
		uint16_t n = plx_rx_burst(o->rxq, pkts, 16);
		uint16_t sent = 0;

		for (int tries = 0; sent < n && tries < 10000; tries++)
			sent = (uint16_t)(sent +
					  plx_tx_burst(o->txq, pkts + sent, (uint16_t)(n - sent)));
		plx_mbuf_free_bulk(pkts + sent, (unsigned)(n - sent));
		o->rx += n;
		o->tx += sent;
		o->dropped += (uint64_t)(n - sent);
		__atomic_store_n(&o->bursts, o->bursts + (n != 0), __ATOMIC_RELAXED);
		if (n == 0)
			sched_yield();
	}
	plx_mempool_cache_flush(plx_mempool_thread_cache(&o->rxq->pool->mp));
	return NULL;
}

static void owners_start(struct owner *o, struct end *e)
{
	for (uint16_t i = 0; i < e->n_queues; i++) {
		o[i] = (struct owner){.rxq = e->rxqs[i], .txq = e->txqs[i]};
		CHECK_EQ(pthread_create(&o[i].thread, NULL, own_queue, &o[i]), 0);
	}
}

/* The sums of all threads, which have ended. */
static struct owner owners_stop(struct owner *o, struct end *e)
{
	struct owner sum = {0};

	for (uint16_t i = 0; i < e->n_queues; i++) {
		__atomic_store_n(&o[i].stop, true, __ATOMIC_RELEASE);
		pthread_join(o[i].thread, NULL);
		sum.rx += o[i].rx;
		sum.tx += o[i].tx;
		sum.dropped += o[i].dropped;
	}
	return sum;
}

static void up_with_queues(struct rig *r, uint16_t n)
{
	struct rig_opts o = RIG_OPTS_INIT;

	o.n_queues = n;
	rig_up(r, &o);
	if (r->a.n_queues > 1)
		return;
	rig_down(r);
	SKIP("the driver has one queue");
}

/* From each queue of the other end in turn; what comes back is counted. No more than a few are under way. */
static uint64_t send_and_count(struct rig *r, unsigned n)
{
	uint64_t until = plx_clock_ns() + UINT64_C(20000000000), back = 0;
	struct plx_mbuf *pkts[16];
	unsigned sent = 0;

	while (back < n && plx_clock_ns() < until) {
		if (sent < n && sent - back < 32) {
			struct plx_mbuf *m = flow_make(r, sent);

			if (plx_tx_burst(r->b.txqs[sent % r->b.n_queues], &m, 1) == 1)
				sent++;
			else
				plx_mbuf_free(m);
		}
		for (uint16_t i = 0; i < r->b.n_queues; i++) {
			uint16_t got = plx_rx_burst(r->b.rxqs[i], pkts, 16);

			for (uint16_t j = 0; j < got; j++)
				rx_check(pkts[j]);
			plx_mbuf_free_bulk(pkts, got);
			back += got;
		}
		plx_ctx_poll(r->ctx);
	}
	return back;
}

TEST(conf, several_queues_with_a_thread_each)
{
	struct owner o[END_QUEUES], sum;
	struct plx_port_stats s;
	struct rig r;

	up_with_queues(&r, END_QUEUES);
	owners_start(o, &r.a);
	if (r.b.port != NULL) {
		CHECK_EQ(send_and_count(&r, r.c.packets), r.c.packets);
	} else {
		for (uint16_t i = 0; i < r.a.n_queues; i++)
			while (r.c.source && __atomic_load_n(&o[i].bursts, __ATOMIC_RELAXED) < 20)
				sched_yield();
	}
	sum = owners_stop(o, &r.a);
	CHECK_EQ(plx_port_stop(r.a.port), 0);
	CHECK_EQ(plx_port_stats(r.a.port, &s), 0);
	CHECK_EQ(s.rx_packets, sum.rx);
	CHECK_EQ(s.tx_packets, sum.tx);
	CHECK_EQ(s.tx_done, s.tx_packets);
	CHECK_EQ(sum.rx, sum.tx + sum.dropped);
	if (r.b.port != NULL)
		CHECK_EQ(sum.rx, r.c.packets);
	rig_down(&r);
}

TEST(conf, several_queues_stop_and_start_while_threads_poll)
{
	struct owner o[END_QUEUES], sum;
	struct plx_port_stats s;
	struct rig r;

	up_with_queues(&r, END_QUEUES);
	owners_start(o, &r.a);
	for (unsigned i = 0; i < r.c.rounds / 4; i++) {
		CHECK_EQ(i % 3 == 0 ? plx_port_reset(r.a.port) : plx_port_stop(r.a.port), 0);
		CHECK_EQ(plx_port_start(r.a.port), 0);
		plx_ctx_poll(r.ctx);
	}
	sum = owners_stop(o, &r.a);
	CHECK_EQ(plx_port_stop(r.a.port), 0);
	CHECK_EQ(plx_port_stats(r.a.port, &s), 0);
	CHECK_EQ(s.rx_packets, sum.rx);
	CHECK_EQ(s.tx_packets, sum.tx);
	CHECK_EQ(s.tx_done, s.tx_packets);
	rig_down(&r);
}

/* One that nothing could start would get packets for ever, and deliver none. */
TEST(conf, a_deferred_queue_can_be_started_or_is_refused)
{
	struct plx_rxq_conf rx = PLX_RXQ_CONF_INIT;
	struct plx_txq_conf tx = PLX_TXQ_CONF_INIT;
	const struct rig_opts o = RIG_OPTS_INIT;
	struct rig r;
	int err;

	rig_open(&r, &o);
	CHECK_EQ(end_set_up(&r, &r.a, &o), 0);
	rx.pool = r.pool;
	rx.deferred = tx.deferred = true;
	err = plx_rxq_setup(r.a.port, 0, &rx, &r.a.rxq);
	if (err == 0) {
		CHECK_EQ(plx_port_start(r.a.port), 0);
		CHECK_EQ(plx_rxq_state(r.a.rxq, NULL), PLX_QUEUE_STOPPED);
		CHECK_EQ(plx_rxq_start(r.a.rxq), 0);
		CHECK_EQ(plx_rxq_state(r.a.rxq, NULL), PLX_QUEUE_RUNNING);
		CHECK_EQ(plx_port_stop(r.a.port), 0);
	} else {
		CHECK_EQ(err, -ENOTSUP);
		CHECK_HAS(plx_errmsg(), "one RX queue");
	}
	err = plx_txq_setup(r.a.port, 0, &tx, &r.a.txq);
	if (err == 0) {
		CHECK_EQ(plx_port_start(r.a.port), 0);
		CHECK_EQ(plx_txq_start(r.a.txq), 0);
		CHECK_EQ(plx_txq_state(r.a.txq, NULL), PLX_QUEUE_RUNNING);
	} else {
		CHECK_EQ(err, -ENOTSUP);
		CHECK_HAS(plx_errmsg(), "one TX queue");
	}
	rig_down(&r);
}

/* Fewer and more queues than before: none of the old ones is left behind. */
TEST(conf, the_number_of_queues_changes)
{
	struct rig_opts o = RIG_OPTS_INIT;
	struct rig r;

	up_with_queues(&r, END_QUEUES);
	for (uint16_t n = 1; n <= r.a.n_queues; n++) {
		CHECK_EQ(plx_port_stop(r.a.port), 0);
		o.n_queues = n;
		CHECK_EQ(end_set_up(&r, &r.a, &o), 0);
		CHECK_EQ(plx_port_start(r.a.port), 0);
		CHECK_EQ(r.a.n_queues, n);
		CHECK(plx_port_rxq(r.a.port, (uint16_t)(n - 1)) == r.a.rxqs[n - 1]);
		CHECK(plx_port_rxq(r.a.port, n) == NULL);
		CHECK(plx_port_txq(r.a.port, n) == NULL);
		o.n_queues = END_QUEUES;
		if (n == 1) {
			CHECK_EQ(plx_port_stop(r.a.port), 0);
			CHECK_EQ(end_set_up(&r, &r.a, &o), 0);
		}
	}
	rig_down(&r);
}
