/* SPDX-License-Identifier: BSD-3-Clause */
/* Queues that stand still, and a link that comes and goes: what control work makes of them. */
#include <errno.h>
#include <time.h>

#include "e1000_rig.h"

#define STALL_NS (250 * MS)
#define LONG_NS  (10000 * MS)

struct events {
	unsigned link, failed, gone;
};

static void on_event(void *arg, struct plx_port *port, enum plx_port_event event)
{
	struct events *e = arg;

	e->link += event == PLX_PORT_LINK;
	e->failed += event == PLX_PORT_FAILED;
	e->gone += event == PLX_PORT_GONE;
}

static void nap(struct rig *r)
{
	const struct timespec ts = {0, 5000000};

	nanosleep(&ts, NULL);
	plx_ctx_poll(r->ctx);
}

static enum plx_queue_state tx_state(struct rig *r, int *err)
{
	return plx_txq_state(r->txq, err);
}

static enum plx_queue_state rx_state(struct rig *r, int *err)
{
	return plx_rxq_state(r->rxq, err);
}

/* Control work until the queue has failed; frames keep coming. */
static void wait_failed(struct rig *r, enum plx_queue_state (*state)(struct rig *r, int *err))
{
	uint64_t until = plx_clock_ns() + LONG_NS;
	struct plx_mbuf *m;
	uint8_t frame[64];
	int err = 0;

	rig_frame(frame, 1, 64);
	while (state(r, &err) == PLX_QUEUE_RUNNING && plx_clock_ns() < until) {
		fake_82574_rx(r->m, frame, 64, 0);
		while (plx_rx_burst(r->rxq, &m, 1) == 1)
			plx_mbuf_free(m);
		nap(r);
	}
	CHECK_EQ(state(r, &err), PLX_QUEUE_FAILED);
	CHECK_EQ(err, ETIMEDOUT);
}

static void back_to_work(struct rig *r)
{
	fake_82574_stall(r->m, false, false);
	CHECK_EQ(plx_port_reset(r->port), 0);
	CHECK_EQ(rig_link(r), 0);
	CHECK_EQ(rx_state(r, NULL), PLX_QUEUE_RUNNING);
	CHECK_EQ(tx_state(r, NULL), PLX_QUEUE_RUNNING);
	rig_traffic(r, 20);
}

TEST(e1000_watchdog, a_part_that_stops_sending)
{
	static struct rig r;
	struct events e = {0};
	struct plx_mbuf *m;
	uint8_t frame[64];

	rig_begin(&r, STALL_NS);
	rig_up(&r);
	plx_port_on_event(r.port, on_event, &e);
	rig_traffic(&r, 5);
	fake_82574_stall(r.m, false, true);
	rig_frame(frame, 1, 64);
	m = rig_mbuf(&r, frame, 64);
	CHECK_EQ(plx_tx_burst(r.txq, &m, 1), 1);
	wait_failed(&r, tx_state);
	CHECK_EQ(e.failed, 1);
	m = rig_mbuf(&r, frame, 64);
	CHECK_EQ(plx_tx_burst(r.txq, &m, 1), 0);
	plx_mbuf_free(m);
	back_to_work(&r);
	rig_end(&r);
}

TEST(e1000_watchdog, a_part_that_stops_receiving)
{
	static struct rig r;
	struct events e = {0};

	rig_begin(&r, STALL_NS);
	rig_up(&r);
	plx_port_on_event(r.port, on_event, &e);
	rig_traffic(&r, 5);
	fake_82574_stall(r.m, true, false);
	wait_failed(&r, rx_state);
	CHECK_EQ(e.failed, 1);
	back_to_work(&r);
	rig_end(&r);
}

/* An idle port, or one that nobody polls, is not a broken one. */
TEST(e1000_watchdog, idleness_is_no_fault)
{
	static struct rig r;
	uint64_t until;
	uint8_t frame[64];

	rig_begin(&r, STALL_NS);
	rig_up(&r);
	rig_frame(frame, 1, 64);
	/* more than ring and FIFO take: the part drops, because the program does not poll */
	for (int i = 0; i < 1000; i++)
		fake_82574_rx(r.m, frame, 64, 0);
	until = plx_clock_ns() + 3 * STALL_NS;
	while (plx_clock_ns() < until) {
		fake_82574_rx(r.m, frame, 64, 0);
		nap(&r);
	}
	CHECK_EQ(rx_state(&r, NULL), PLX_QUEUE_RUNNING);
	CHECK_EQ(tx_state(&r, NULL), PLX_QUEUE_RUNNING);
	rig_end(&r);
}

/*
 * Two queues of which one is not polled: its packets hold up the others', and the device drops. That is
 * no fault of the device, until the one has been polled and it drops all the same.
 */
TEST(e1000_watchdog, a_queue_that_nobody_polls_is_no_fault)
{
	static struct rig r;
	struct plx_mbuf *m;
	uint8_t frame[100];
	uint32_t port = 0, fields;
	uint16_t table[128];
	uint64_t until;

	rig_begin(&r, STALL_NS);
	r.conf.n_rxq = r.conf.n_txq = 2;
	rig_up(&r);
	CHECK_EQ(plx_port_get_rss(r.port, NULL, table, &fields), 0);
	for (unsigned i = 0; i < 128; i++)
		table[i] = 1;
	CHECK_EQ(plx_port_set_rss(r.port,
			 &(struct plx_rss){.fields = fields, .table = table, .table_len = 128}),
		0);
	until = plx_clock_ns() + 4 * STALL_NS;
	while (plx_clock_ns() < until) {
		for (int i = 0; i < 400; i++) {
			rig_tcp(frame, port++, 100);
			fake_82574_rx(r.m, frame, 100, 0);
		}
		while (plx_rx_burst(r.rxqs[0], &m, 1) == 1)
			plx_mbuf_free(m);
		nap(&r);
	}
	CHECK_EQ(plx_rxq_state(r.rxqs[0], NULL), PLX_QUEUE_RUNNING);
	CHECK_EQ(plx_rxq_state(r.rxqs[1], NULL), PLX_QUEUE_RUNNING);
	/* polled, it comes back to life, and so does the other */
	for (int i = 0; i < 1000; i++)
		while (plx_rx_burst(r.rxqs[1], &m, 1) == 1)
			plx_mbuf_free(m);
	rig_traffic(&r, 5);
	/* a part that stops receiving: both fail, though the drops are read from one counter */
	fake_82574_stall(r.m, true, false);
	wait_failed(&r, rx_state);
	until = plx_clock_ns() + LONG_NS;
	while (plx_rxq_state(r.rxqs[1], NULL) == PLX_QUEUE_RUNNING && plx_clock_ns() < until) {
		fake_82574_rx(r.m, frame, 100, 0);
		nap(&r);
	}
	CHECK_EQ(plx_rxq_state(r.rxqs[1], NULL), PLX_QUEUE_FAILED);
	back_to_work(&r);
	CHECK_EQ(plx_rxq_state(r.rxqs[1], NULL), PLX_QUEUE_RUNNING);
	rig_end(&r);
}

TEST(e1000_watchdog, a_cable_pulled_and_plugged)
{
	static struct rig r;
	struct events e = {0};
	struct plx_port_stats s;
	struct plx_link link;
	struct plx_mbuf *m;
	uint8_t frame[64];
	uint64_t until = plx_clock_ns() + LONG_NS;

	rig_begin(&r, STALL_NS);
	rig_up(&r);
	plx_port_on_event(r.port, on_event, &e);
	CHECK_EQ(plx_port_link(r.port, false, &link), 0);
	CHECK(link.up && link.full_duplex && link.autoneg);
	CHECK_EQ(link.speed_mbps, 1000);
	plx_ctx_poll(r.ctx);
	e.link = 0;
	fake_82574_cable(r.m, false);
	while (e.link == 0 && plx_clock_ns() < until)
		nap(&r);
	CHECK_EQ(e.link, 1);
	CHECK_EQ(plx_port_link(r.port, false, &link), 0);
	CHECK(!link.up);
	rig_frame(frame, 1, 64);
	m = rig_mbuf(&r, frame, 64);
	CHECK_EQ(plx_tx_burst(r.txq, &m, 1), 0);
	plx_mbuf_free(m);
	CHECK_EQ(plx_port_stats(r.port, &s), 0);
	CHECK_EQ(s.tx_nolink, 1);
	fake_82574_cable(r.m, true);
	CHECK_EQ(rig_link(&r), 0);
	rig_traffic(&r, 5);
	CHECK_STR(fake_82574_violation(r.m, 0), "");
	rig_end(&r);
}

TEST(e1000_watchdog, a_device_that_leaves)
{
	static struct rig r;
	struct events e = {0};
	struct plx_port_stats s;
	uint64_t until = plx_clock_ns() + LONG_NS;

	rig_begin(&r, STALL_NS);
	rig_up(&r);
	plx_port_on_event(r.port, on_event, &e);
	rig_traffic(&r, 5);
	fake_remove(r.f);
	while (e.gone == 0 && plx_clock_ns() < until) {
		rig_try_traffic(&r, 1);
		nap(&r);
	}
	CHECK_EQ(e.gone, 1);
	CHECK_EQ(tx_state(&r, NULL), PLX_QUEUE_GONE);
	CHECK_EQ(rx_state(&r, NULL), PLX_QUEUE_GONE);
	CHECK_EQ(plx_port_reset(r.port), -ENODEV);
	CHECK_HAS(plx_errmsg(), "gone");
	/* a device that is gone counts nothing new: not four billion drops */
	if (plx_port_stats(r.port, &s) == 0) {
		CHECK_EQ(s.rx_missed, 0);
		CHECK_EQ(s.rx_errors, 0);
	}
	rig_end(&r);
}
