/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hand-over under stress: polling threads never stop while control starts, stops, resets, fails
 * and removes the port. The toy driver frees its rings at stop, so a burst that survives a stop is a
 * data race or a use after free.
 *
 * UNIT_FACTOR multiplies the number of rounds.
 */
#include <pthread.h>
#include <sched.h>

#include "toy.h"
#include "unit.h"

struct poller {
	pthread_t thread;
	struct plx_rxq *rxq;
	struct plx_txq *txq;
	struct plx_mempool *mp;
	bool stop;       /* atomic */
	uint64_t bursts; /* atomic: that brought something */
	uint64_t rx, tx, dropped;
};

static void poll_once(struct poller *p)
{
	struct plx_mbuf *pkts[16];
	uint16_t n = plx_rx_burst(p->rxq, pkts, 16);
	uint16_t sent = plx_tx_burst(p->txq, pkts, n);

	plx_mbuf_free_bulk(pkts + sent, (unsigned)(n - sent));
	plx_tx_reclaim(p->txq);
	p->rx += n;
	p->tx += sent;
	p->dropped += (uint64_t)(n - sent);
	if (n != 0)
		__atomic_fetch_add(&p->bursts, 1, __ATOMIC_RELAXED);
	else
		sched_yield();
}

static void *poll_loop(void *arg)
{
	struct poller *p = arg;

	while (!__atomic_load_n(&p->stop, __ATOMIC_ACQUIRE))
		poll_once(p);
	return NULL;
}

enum { POLLERS = 2 };

static struct plx_port *open_port_of(
	struct plx_ctx *ctx, const char *text, struct plx_mbuf_pool *pool, struct poller *p)
{
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	struct plx_rxq_conf rc = PLX_RXQ_CONF_INIT;
	struct plx_port *port;

	CHECK_EQ(plx_port_open(ctx, text, &port), 0);
	conf.n_rxq = conf.n_txq = POLLERS;
	rc.pool = pool;
	CHECK_EQ(plx_port_configure(port, &conf), 0);
	for (uint16_t i = 0; i < POLLERS; i++) {
		CHECK_EQ(plx_rxq_setup(port, i, &rc, &p[i].rxq), 0);
		CHECK_EQ(plx_txq_setup(port, i, NULL, &p[i].txq), 0);
	}
	return port;
}

static struct plx_port *open_port(struct plx_ctx *ctx, struct plx_mbuf_pool *pool, struct poller *p)
{
	return open_port_of(ctx, "toy:", pool, p);
}

static struct plx_port *up(struct plx_ctx *ctx, struct plx_mbuf_pool *pool, struct poller *p)
{
	struct plx_port *port = open_port(ctx, pool, p);

	for (unsigned i = 0; i < POLLERS; i++)
		CHECK_EQ(pthread_create(&p[i].thread, NULL, poll_loop, &p[i]), 0);
	return port;
}

static void join(struct poller *p)
{
	for (unsigned i = 0; i < POLLERS; i++)
		__atomic_store_n(&p[i].stop, true, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < POLLERS; i++)
		pthread_join(p[i].thread, NULL);
}

static void accounts(struct plx_port *port, struct plx_mbuf_pool *pool, const struct poller *p)
{
	struct plx_port_stats s;
	uint64_t rx = 0, tx = 0;

	CHECK_EQ(plx_port_stats(port, &s), 0);
	for (unsigned i = 0; i < POLLERS; i++) {
		rx += p[i].rx;
		tx += p[i].tx;
		CHECK_EQ(p[i].rx, p[i].tx + p[i].dropped);
	}
	CHECK_EQ(s.rx_packets, rx);
	CHECK_EQ(s.tx_packets, tx);
	CHECK_EQ(s.tx_done, tx);
	CHECK_EQ(plx_port_close(port), 0);
	CHECK_EQ(plx_mbuf_pool_avail(pool), 2048);
}

static struct plx_ctx *context(struct plx_mbuf_pool **pool)
{
	struct plx_ctx_opts opts = PLX_CTX_OPTS_INIT;
	struct plx_mbuf_pool_opts po = PLX_MBUF_POOL_OPTS_INIT;
	struct plx_ctx *ctx;

	toy_clear();
	opts.huge = PLX_HUGE_NONE;
	opts.log_level = PLX_LOG_OFF;
	CHECK_EQ(plx_ctx_open(&opts, &ctx), 0);
	CHECK_EQ(toy_add(ctx), 0);
	CHECK_EQ(plx_mbuf_pool_create(ctx, &po, pool), 0);
	return ctx;
}

/* Some bursts must happen between two control calls, or the test shows nothing. */
static void let_poll(struct poller *p)
{
	uint64_t seen = __atomic_load_n(&p[0].bursts, __ATOMIC_RELAXED);

	while (__atomic_load_n(&p[0].bursts, __ATOMIC_RELAXED) == seen)
		sched_yield();
}

TEST(handover, start_stop_reset_against_polling_threads)
{
	unsigned n = unit_rounds(3000);
	struct poller p[POLLERS] = {0};
	struct plx_mbuf_pool *pool;
	struct plx_ctx *ctx = context(&pool);
	struct plx_port *port = up(ctx, pool, p);

	for (unsigned i = 0; i < n; i++) {
		CHECK_EQ(plx_port_start(port), 0);
		if (i % 16 == 0)
			let_poll(p);
		switch (i % 4) {
		case 0:
			CHECK_EQ(plx_port_reset(port), 0);
			break;
		case 1:
			plx_rxq_set_failed(p[0].rxq, EIO);
			plx_txq_set_failed(p[1].txq, EIO);
			break;
		case 2:
			PLX_WRITE_ONCE(toy.link_up, !PLX_READ_ONCE(toy.link_up));
			break;
		default:
			break;
		}
		plx_ctx_poll(ctx);
		CHECK_EQ(plx_port_stop(port), 0);
	}
	join(p);
	CHECK(p[0].rx > 0);
	accounts(port, pool, p);
	CHECK_EQ(toy.starts, toy.stops);
	plx_ctx_close(ctx);
}

/*
 * A port lives for one round: its pollers are told of its queues, and told to let go of them before
 * it is closed. Between these two it is removed under their hands.
 */
struct visitor {
	struct poller p;
	bool polling; /* atomic: rxq and txq are there, and the thread may use them */
	bool away;    /* atomic: the thread has let go */
};

static void *visit_loop(void *arg)
{
	struct visitor *v = arg;

	while (!__atomic_load_n(&v->p.stop, __ATOMIC_ACQUIRE)) {
		if (!__atomic_load_n(&v->polling, __ATOMIC_ACQUIRE)) {
			__atomic_store_n(&v->away, true, __ATOMIC_RELEASE);
			sched_yield();
			continue;
		}
		poll_once(&v->p);
	}
	plx_mempool_cache_flush(plx_mempool_thread_cache(v->p.mp));
	return NULL;
}

static void let_go(struct visitor *v)
{
	for (unsigned i = 0; i < POLLERS; i++) {
		__atomic_store_n(&v[i].away, false, __ATOMIC_RELEASE);
		__atomic_store_n(&v[i].polling, false, __ATOMIC_RELEASE);
	}
	for (unsigned i = 0; i < POLLERS; i++)
		while (!__atomic_load_n(&v[i].away, __ATOMIC_ACQUIRE))
			sched_yield();
}

/* The visitors' own counts of one round against the port's. */
static void round_accounts(struct plx_port *port, struct visitor *v)
{
	struct plx_port_stats s;
	uint64_t rx = 0, tx = 0;

	CHECK_EQ(plx_port_stats(port, &s), 0);
	for (unsigned i = 0; i < POLLERS; i++) {
		rx += v[i].p.rx;
		tx += v[i].p.tx;
		v[i].p.rx = v[i].p.tx = v[i].p.dropped = 0;
	}
	CHECK_EQ(s.rx_packets, rx);
	CHECK_EQ(s.tx_packets, tx);
	CHECK_EQ(s.tx_done, tx);
}

TEST(handover, removal_against_polling_threads)
{
	struct visitor v[POLLERS] = {0};
	struct plx_mbuf_pool *pool;
	struct plx_ctx *ctx = context(&pool);
	unsigned n = unit_rounds(3000);

	for (unsigned i = 0; i < POLLERS; i++) {
		v[i].p.mp = &pool->mp;
		CHECK_EQ(pthread_create(&v[i].p.thread, NULL, visit_loop, &v[i]), 0);
	}
	for (unsigned k = 0; k < n; k++) {
		struct poller p[POLLERS];
		struct plx_port *port = open_port(ctx, pool, p);

		for (unsigned i = 0; i < POLLERS; i++) {
			v[i].p.rxq = p[i].rxq;
			v[i].p.txq = p[i].txq;
			__atomic_store_n(&v[i].polling, true, __ATOMIC_RELEASE);
		}
		CHECK_EQ(plx_port_start(port), 0);
		if (k % 16 == 0)
			let_poll(&v[0].p);
		plx_port_set_gone(port);
		CHECK_EQ(plx_port_stop(port), 0);
		CHECK_EQ(plx_rxq_state(p[0].rxq, NULL), PLX_QUEUE_GONE);
		let_go(v);
		round_accounts(port, v);
		CHECK_EQ(plx_port_close(port), 0);
	}
	for (unsigned i = 0; i < POLLERS; i++)
		__atomic_store_n(&v[i].p.stop, true, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < POLLERS; i++)
		pthread_join(v[i].p.thread, NULL);
	CHECK_EQ(plx_mbuf_pool_avail(pool), 2048);
	CHECK_EQ(toy.opens, toy.closes);
	plx_ctx_close(ctx);
}

TEST(handover, a_thread_that_does_not_leave_its_burst_is_named)
{
	struct poller p[POLLERS] = {0};
	struct plx_mbuf_pool *pool;
	struct plx_ctx *ctx = context(&pool);
	struct plx_port *port = up(ctx, pool, p);

	CHECK_EQ(plx_port_start(port), 0);
	join(p);
	/* as a thread looks that was preempted for ever inside a burst */
	__atomic_store_n(&p[1].rxq->busy, 1, __ATOMIC_RELEASE);
	CHECK_EQ(plx_port_stop(port), -EBUSY);
	CHECK_HAS(plx_errmsg(), "inside a burst of RX queue 1");
	CHECK_EQ(plx_port_close(port), -EBUSY);
	CHECK_EQ(toy.stops, 0);
	__atomic_store_n(&p[1].rxq->busy, 0, __ATOMIC_RELEASE);
	CHECK_EQ(plx_port_stop(port), 0);
	CHECK_EQ(plx_rx_burst(p[1].rxq, NULL, 0), 0);
	accounts(port, pool, p);
	plx_ctx_close(ctx);
}

TEST(handover, a_stop_that_gave_up_is_not_taken_for_one)
{
	struct poller p[POLLERS] = {0};
	struct plx_mbuf_pool *pool;
	struct plx_ctx *ctx = context(&pool);
	struct plx_port *port = open_port_of(ctx, "toyq:", pool, p);

	CHECK_EQ(plx_port_start(port), 0);
	__atomic_store_n(&p[0].rxq->busy, 1, __ATOMIC_RELEASE);
	__atomic_store_n(&p[1].txq->busy, 1, __ATOMIC_RELEASE);
	CHECK_EQ(plx_rxq_stop(p[0].rxq), -EBUSY);
	CHECK_EQ(plx_rxq_stop(p[0].rxq), -EBUSY);
	CHECK_EQ(plx_rxq_start(p[0].rxq), -EBUSY);
	CHECK_EQ(plx_txq_stop(p[1].txq), -EBUSY);
	CHECK_EQ(plx_txq_stop(p[1].txq), -EBUSY);
	CHECK_EQ(toy.queue_ops, 0);
	CHECK_EQ(plx_port_stop(port), -EBUSY);
	CHECK_EQ(plx_port_start(port), -EBUSY);
	__atomic_store_n(&p[0].rxq->busy, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&p[1].txq->busy, 0, __ATOMIC_RELEASE);
	CHECK_EQ(plx_port_start(port), 0);
	CHECK_EQ(toy.stops, 1);
	CHECK_EQ(plx_rxq_state(p[0].rxq, NULL), PLX_QUEUE_RUNNING);
	CHECK_EQ(plx_rxq_stop(p[0].rxq), 0);
	CHECK_EQ(plx_rxq_start(p[0].rxq), 0);
	CHECK_EQ(toy.queue_ops, 2);
	CHECK_EQ(plx_port_close(port), 0);
	plx_ctx_close(ctx);
}
