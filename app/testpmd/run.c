/* SPDX-License-Identifier: BSD-3-Clause */
/* From start to end: the thread that watches the workers and decides when to end. */
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "testpmd.h"

/* When inputs have ended: silence on the wires for so long ends the run, and so does so much time. */
#define SETTLE_IDLE_NS  UINT64_C(150000000)
#define SETTLE_LIMIT_NS UINT64_C(1000000000)

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	interrupted = sig;
}

/* Does any stream hold packets back for which there was no room yet? */
static bool any_later(const struct testpmd *t)
{
	for (size_t i = 0; i < t->n_streams; i++)
		if (PLX_READ_ONCE(t->streams[i]->n_later) != 0)
			return true;
	return false;
}

/* Were there inputs that end, and have all of them? */
static bool inputs_consumed(const struct testpmd *t)
{
	bool any = false;

	if (t->opt.mode->no_rx)
		return false;
	for (uint16_t i = 0; i < t->n_ports; i++) {
		if (t->ports[i].port == NULL || !t->ports[i].info.finite)
			continue;
		if (!plx_port_drained(t->ports[i].port))
			return false;
		any = true;
	}
	return any;
}

/* Packets that came in (or, in modes that make them, went out), over all streams. */
static uint64_t received(const struct testpmd *t)
{
	uint64_t n = 0;

	for (size_t i = 0; i < t->n_streams; i++)
		n += t->opt.mode->no_rx ? PLX_READ_ONCE(t->streams[i]->tx)
					: PLX_READ_ONCE(t->streams[i]->rx);
	return n;
}

static bool quota_met(const struct testpmd *t)
{
	return t->opt.packets != 0 && received(t) >= t->opt.packets;
}

/* Says why if a queue of the port failed or its device left. */
static bool port_broken(const struct testpmd *t, const struct tp_port *p)
{
	static const char *const what[] = {
		[PLX_QUEUE_FAILED] = "failed", [PLX_QUEUE_GONE] = "is gone with its device"};

	for (uint16_t q = 0; p->port != NULL && q < p->n_rxq + p->n_txq; q++) {
		bool rx = q < p->n_rxq;
		uint16_t k = rx ? q : (uint16_t)(q - p->n_rxq);
		int err = 0;
		enum plx_queue_state s = rx ? plx_rxq_state(plx_port_rxq(p->port, k), &err)
					    : plx_txq_state(plx_port_txq(p->port, k), &err);

		if (s != PLX_QUEUE_FAILED && s != PLX_QUEUE_GONE)
			continue;
		complain("port %u (%s): %s queue %u %s%s%s", (unsigned)(p - t->ports), p->device,
			rx ? "RX" : "TX", k, what[s], err != 0 ? ": " : "",
			err != 0 ? strerror(err) : "");
		return true;
	}
	return false;
}

/* A queue that failed or a device that left ends the run; control work has logged why. */
static bool broken(struct testpmd *t)
{
	for (uint16_t i = 0; i < t->n_ports && !t->failed; i++)
		t->failed = port_broken(t, &t->ports[i]);
	return t->failed;
}

/* Have all ports nothing more to bring? Not so with a device or an endless source. */
static bool all_drained(const struct testpmd *t)
{
	for (uint16_t i = 0; i < t->n_ports; i++)
		if (t->ports[i].port != NULL && !plx_port_drained(t->ports[i].port))
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
			(void)plan_sync(t);
			(void)broken(t);
			if (t->failed || !any_later(t)) {
				if (!all_drained(t) && !t->failed)
					settle(t);
				return;
			}
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

/* Frees what a port's TX queues have sent; do they hold more? Their streams are in no plan. */
static bool reclaim(struct tp_port *p)
{
	struct plx_port_stats s;

	if (!p->started)
		return false;
	for (uint16_t q = 0; q < p->n_txq; q++)
		plx_tx_reclaim(plx_port_txq(p->port, q));
	return plx_port_stats(p->port, &s) == 0 && s.tx_done < s.tx_packets;
}

/* Lets the devices send what they hold; not for ever. */
static void drain(struct testpmd *t)
{
	const struct timespec nap = {0, 200000};
	uint64_t until = plx_clock_ns() + UINT64_C(2000000000);
	bool held = true;

	while (held && !interrupted && plx_clock_ns() < until) {
		held = false;
		for (uint16_t i = 0; i < t->n_ports; i++)
			held |= reclaim(&t->ports[i]);
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
	t->budget = t->opt.packets;
	t->start_ns = plx_clock_ns();
	t->forwarding = true;
	if (plan_update(t) < 0)
		t->failed = true;
	else
		watch(t);
	if (t->end_ns == 0)
		t->end_ns = plx_clock_ns();
	t->forwarding = false;
	if (plan_update(t) < 0)
		t->failed = true;
	workers_end(t);
	streams_drop_later(t);
	if (!t->failed)
		drain(t);
	set_handlers(SIG_DFL);
	return t->failed ? -1 : 0;
}
