/* SPDX-License-Identifier: BSD-3-Clause */
/* The forwarding threads, and the thread that watches them and decides when to end. */
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "testpmd.h"

/* One pass in so many is measured in cycles: the clock costs as much as a packet. */
enum { MEASURE_EVERY = 16 };

/* When inputs have ended: silence on the wires for so long ends the run, and so does so much time. */
#define SETTLE_IDLE_NS  UINT64_C(150000000)
#define SETTLE_LIMIT_NS UINT64_C(1000000000)

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	interrupted = sig;
}

static uint64_t pass(struct worker *w)
{
	uint64_t n = 0;

	for (size_t i = 0; i < w->n_streams; i++)
		n += w->mode->burst(w->streams[i]);
	return n;
}

static void measured_pass(struct worker *w)
{
	uint64_t begin = plx_tsc();
	uint64_t n = pass(w);

	if (n == 0)
		return;
	plx_stats_add(&w->busy_cycles, plx_tsc() - begin);
	plx_stats_add(&w->busy_packets, n);
}

static void *work(void *arg)
{
	struct worker *w = arg;

	if (w->cpu >= 0 && plx_cpu_pin(w->cpu) < 0) {
		complain("%s", plx_errmsg());
		__atomic_store_n(&w->err, 1, __ATOMIC_RELEASE);
		return NULL;
	}
	while (!PLX_READ_ONCE(*w->stop)) {
		measured_pass(w);
		for (int i = 1; i < MEASURE_EVERY; i++)
			pass(w);
		__atomic_store_n(&w->loops, w->loops + 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* Every thread has begun and ended a pass since. */
static void wait_a_pass(struct testpmd *t)
{
	const struct timespec nap = {0, 100000};

	for (uint16_t i = 0; i < t->n_workers; i++) {
		const struct worker *w = &t->workers[i];
		uint64_t loops = __atomic_load_n(&w->loops, __ATOMIC_ACQUIRE);

		while (__atomic_load_n(&w->loops, __ATOMIC_ACQUIRE) < loops + 2 && !interrupted &&
			!__atomic_load_n(&w->err, __ATOMIC_ACQUIRE))
			nanosleep(&nap, NULL);
	}
}

/* Were there inputs that end, and have all of them? */
static bool inputs_consumed(const struct testpmd *t)
{
	bool any = false;

	if (t->opt.mode->no_rx)
		return false;
	for (uint16_t i = 0; i < t->opt.n_ports; i++) {
		if (!t->ports[i].info.finite)
			continue;
		if (!plx_port_drained(t->ports[i].port))
			return false;
		any = true;
	}
	return any;
}

static bool quota_met(const struct testpmd *t)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < t->n_streams; i++)
		sum += t->opt.mode->no_rx ? PLX_READ_ONCE(t->streams[i].tx)
					  : PLX_READ_ONCE(t->streams[i].rx);
	return t->opt.packets != 0 && sum >= t->opt.packets;
}

/* A queue that failed or a device that left ends the run; control work has logged why. */
static bool broken(struct testpmd *t)
{
	static const char *const what[] = {
		[PLX_QUEUE_FAILED] = "failed", [PLX_QUEUE_GONE] = "is gone with its device"};

	for (uint16_t i = 0; i < t->opt.n_ports && !t->failed; i++) {
		const struct tp_port *p = &t->ports[i];

		for (uint16_t q = 0; q < p->n_rxq + p->n_txq; q++) {
			bool rx = q < p->n_rxq;
			uint16_t k = rx ? q : (uint16_t)(q - p->n_rxq);
			int err = 0;
			enum plx_queue_state s = rx ? plx_rxq_state(plx_port_rxq(p->port, k), &err)
						    : plx_txq_state(plx_port_txq(p->port, k), &err);

			if (s != PLX_QUEUE_FAILED && s != PLX_QUEUE_GONE)
				continue;
			complain("port %u (%s): %s queue %u %s%s%s", i, t->opt.ports[i],
				rx ? "RX" : "TX", k, what[s], err != 0 ? ": " : "",
				err != 0 ? strerror(err) : "");
			t->failed = true;
			break;
		}
	}
	for (uint16_t i = 0; i < t->n_workers; i++)
		t->failed |= __atomic_load_n(&t->workers[i].err, __ATOMIC_ACQUIRE) != 0;
	return t->failed;
}

/* Packets that came in, over all streams. */
static uint64_t received(const struct testpmd *t)
{
	uint64_t n = 0;

	for (size_t i = 0; i < t->n_streams; i++)
		n += PLX_READ_ONCE(t->streams[i].rx);
	return n;
}

/* Have all ports nothing more to bring? Not so with a device or an endless source. */
static bool all_drained(const struct testpmd *t)
{
	for (uint16_t i = 0; i < t->opt.n_ports; i++)
		if (!plx_port_drained(t->ports[i].port))
			return false;
	return true;
}

/*
 * The inputs are consumed, but what left through a wire may still come back in from it: waits until
 * nothing has for a while. An endless source is not waited for.
 */
static void settle(struct testpmd *t)
{
	const struct timespec nap = {0, 5000000};
	uint64_t begin = plx_clock_ns(), seen = received(t), last = begin, now = begin;

	while (!interrupted && now - begin < SETTLE_LIMIT_NS && now - last < SETTLE_IDLE_NS) {
		nanosleep(&nap, NULL);
		plx_ctx_poll(t->ctx);
		now = plx_clock_ns();
		if (received(t) != seen) {
			seen = received(t);
			last = now;
		}
	}
	t->end_ns = last;
}

/* Watches until there is a reason to end. */
static void watch(struct testpmd *t)
{
	const struct timespec nap = {0, 1000000};
	uint64_t period = t->opt.stats_period_ns;
	struct totals before, now;
	uint64_t next = t->start_ns + period;

	totals_read(t, &before);
	while (!interrupted && !broken(t) && !quota_met(t)) {
		uint64_t ns = plx_clock_ns();

		if (t->opt.duration_ns != 0 && ns - t->start_ns >= t->opt.duration_ns)
			return;
		if (inputs_consumed(t)) {
			/* what the last burst read has been handed on when the pass is over */
			wait_a_pass(t);
			(void)broken(t);
			if (!all_drained(t) && !t->failed)
				settle(t);
			return;
		}
		plx_ctx_poll(t->ctx);
		if (period != 0 && ns >= next) {
			totals_read(t, &now);
			report_live(t, &before, &now);
			before = now;
			next = PLX_MAX(next + period, ns);
		}
		nanosleep(&nap, NULL);
	}
}

/* Lets the devices send what they hold; not for ever. */
static void drain(struct testpmd *t)
{
	const struct timespec nap = {0, 200000};
	uint64_t until = plx_clock_ns() + UINT64_C(2000000000);
	bool held = true;

	while (held && !interrupted && plx_clock_ns() < until) {
		held = false;
		for (uint16_t i = 0; i < t->opt.n_ports; i++) {
			struct plx_port_stats s;

			for (uint16_t q = 0; q < t->ports[i].n_txq; q++)
				plx_tx_reclaim(plx_port_txq(t->ports[i].port, q));
			if (plx_port_stats(t->ports[i].port, &s) == 0)
				held |= s.tx_done < s.tx_packets;
		}
		plx_ctx_poll(t->ctx);
		if (held)
			nanosleep(&nap, NULL);
	}
}

static void set_handlers(void (*fn)(int))
{
	struct sigaction sa = {.sa_handler = fn};

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

int run(struct testpmd *t)
{
	set_handlers(on_signal);
	t->start_ns = plx_clock_ns();
	for (uint16_t i = 0; i < t->n_workers; i++) {
		int err = pthread_create(&t->workers[i].thread, NULL, work, &t->workers[i]);

		if (err != 0) {
			complain("cannot start thread %u: %s", i, strerror(err));
			t->failed = true;
			break;
		}
		t->workers[i].started = true;
	}
	if (!t->failed)
		watch(t);
	__atomic_store_n(&t->stop, true, __ATOMIC_RELEASE);
	if (t->end_ns == 0)
		t->end_ns = plx_clock_ns();
	for (uint16_t i = 0; i < t->n_workers; i++)
		if (t->workers[i].started)
			pthread_join(t->workers[i].thread, NULL);
	if (!t->failed)
		drain(t);
	set_handlers(SIG_DFL);
	return t->failed ? -1 : 0;
}
