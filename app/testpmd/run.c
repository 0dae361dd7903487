/* SPDX-License-Identifier: BSD-3-Clause */
/* Start and stop, and the watch over the workers in between. */
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

void signals_catch(bool on)
{
	struct sigaction sa = {.sa_handler = on ? on_signal : SIG_DFL};

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
}

bool was_interrupted(void)
{
	return interrupted != 0;
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
	bool tx = t->opt.mode->no_rx;
	uint64_t n = tx ? t->past.tx : t->past.rx;

	for (size_t i = 0; i < t->n_streams; i++)
		n += tx ? PLX_READ_ONCE(t->streams[i]->tx) : PLX_READ_ONCE(t->streams[i]->rx);
	return n;
}

static bool quota_met(const struct testpmd *t)
{
	return t->opt.packets != 0 && received(t) - t->start_received >= t->opt.packets;
}

bool forward_over(struct testpmd *t)
{
	return quota_met(t) ||
	       (t->opt.duration_ns != 0 && plx_clock_ns() - t->start_ns >= t->opt.duration_ns);
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

/* A queue that failed or a device that left: said once; control work has logged why. */
static bool broken(struct testpmd *t)
{
	bool any = false;

	for (uint16_t i = 0; i < t->n_ports; i++) {
		struct tp_port *p = &t->ports[i];

		if (!p->failed)
			p->failed = port_broken(t, p);
		any |= p->failed;
	}
	return any;
}

void tick(struct testpmd *t)
{
	struct totals now;

	plx_ctx_poll(t->ctx);
	(void)broken(t);
	if (t->opt.stats_period_ns == 0 || plx_clock_ns() < t->next_live_ns)
		return;
	if (t->live != NULL) {
		live_draw(t);
	} else if (t->forwarding) {
		totals_read(t, &now);
		report_live(t, &t->before, &now);
		t->before = now;
	}
	t->next_live_ns = PLX_MAX(t->next_live_ns + t->opt.stats_period_ns, plx_clock_ns());
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

/* Is all of the inputs on its way out? */
static bool handed_on(struct testpmd *t)
{
	if (!inputs_consumed(t))
		return false;
	/* what the last burst read has been handed on when the pass is over */
	(void)plan_sync(t);
	return !any_later(t);
}

/* Watches until there is a reason to end. */
static void watch(struct testpmd *t)
{
	const struct timespec nap = {0, 1000000};

	while (!interrupted && !broken(t) && !forward_over(t)) {
		if (handed_on(t)) {
			if (!broken(t) && !all_drained(t))
				settle(t);
			return;
		}
		tick(t);
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

/* Gets a port that answers going: the streams are in no plan, so this thread may use them. */
static int send_first(struct testpmd *t, uint64_t bursts)
{
	if (plan_lend(t, &fwd_txonly) < 0)
		return -1;
	for (uint64_t k = 0; k < bursts && !interrupted; k++)
		for (size_t i = 0; i < t->n_streams; i++)
			if (t->streams[i]->now.mode == &fwd_txonly)
				fwd_txonly.burst(t->streams[i]);
	return 0;
}

int forward_start(struct testpmd *t, uint64_t tx_first)
{
	t->budget = t->opt.packets;
	t->end_ns = 0;
	t->reported = false;
	totals_rebase(t, NULL);
	t->start_received = received(t);
	t->start_ns = plx_clock_ns();
	t->next_live_ns = t->start_ns + t->opt.stats_period_ns;
	if (tx_first != 0 && send_first(t, tx_first) < 0) {
		(void)forward_stop(t);
		return -1;
	}
	t->forwarding = true;
	return plan_update(t);
}

int forward_stop(struct testpmd *t)
{
	int err;

	if (t->end_ns == 0)
		t->end_ns = plx_clock_ns();
	t->forwarding = false;
	err = plan_update(t);
	if (err == 0 && !broken(t))
		drain(t);
	return err;
}

int run(struct testpmd *t)
{
	int err = 0;

	if (!t->forwarding)
		err = forward_start(t, 0);
	if (err == 0)
		watch(t);
	if (forward_stop(t) < 0 || broken(t))
		err = -1;
	return err;
}
