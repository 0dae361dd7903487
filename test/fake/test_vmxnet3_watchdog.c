/* SPDX-License-Identifier: BSD-3-Clause */
/* Queues that stand still or that the device stops, its events, and RX interrupts. */
#include <errno.h>
#include <poll.h>
#include <time.h>

#include "vmxnet3_rig.h"

#define STALL_NS (250 * MS)
#define LONG_NS  (10000 * MS)

static uint8_t frame[200];

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

/* Control work until one has failed; frames keep coming, and are taken if they are to be. */
static int wait_failed(struct rig *r, bool rx, bool take)
{
	const uint64_t until = plx_clock_ns() + LONG_NS;
	struct plx_mbuf *m;
	int err = 0;

	rig_frame(frame, 1, 64);
	while ((rx ? plx_rxq_state(r->rxq, &err) : plx_txq_state(r->txq, &err)) !=
			PLX_QUEUE_FAILED &&
		plx_clock_ns() < until) {
		fake_vmxnet3_rx(r->m, frame, 64);
		while (take && plx_rx_burst(r->rxq, &m, 1) == 1)
			plx_mbuf_free(m);
		nap(r);
	}
	return err;
}

static void back_to_work(struct rig *r)
{
	fake_vmxnet3_stall(r->m, false, false);
	CHECK_EQ(plx_port_reset(r->port), 0);
	CHECK_EQ(plx_rxq_state(r->rxq, NULL), PLX_QUEUE_RUNNING);
	CHECK_EQ(plx_txq_state(r->txq, NULL), PLX_QUEUE_RUNNING);
	rig_traffic(r, 70);
}

TEST(vmxnet3_watchdog, a_device_that_stops_sending)
{
	static struct rig r;
	struct events e = {0};
	struct plx_mbuf *m;

	rig_begin(&r, STALL_NS);
	rig_up(&r);
	plx_port_on_event(r.port, on_event, &e);
	rig_traffic(&r, 70);
	fake_vmxnet3_stall(r.m, false, true);
	rig_frame(frame, 1, 64);
	m = rig_mbuf(&r, frame, 64);
	CHECK_EQ(plx_tx_burst(r.txq, &m, 1), 1);
	CHECK_EQ(wait_failed(&r, false, true), ETIMEDOUT);
	plx_ctx_poll(r.ctx);
	CHECK_EQ(e.failed, 1);
	back_to_work(&r);
	rig_end_clean(&r);
}

TEST(vmxnet3_watchdog, a_device_that_stops_receiving)
{
	static struct rig r;
	struct events e = {0};

	rig_begin(&r, STALL_NS);
	rig_up(&r);
	plx_port_on_event(r.port, on_event, &e);
	rig_traffic(&r, 70);
	fake_vmxnet3_stall(r.m, true, false);
	CHECK_EQ(wait_failed(&r, true, true), ETIMEDOUT);
	plx_ctx_poll(r.ctx);
	CHECK_EQ(e.failed, 1);
	back_to_work(&r);
	rig_end_clean(&r);
}

/* An idle port, or one that nobody polls while packets come and are dropped, is not a broken one. */
TEST(vmxnet3_watchdog, idleness_is_no_fault)
{
	static struct rig r;
	const uint64_t until = plx_clock_ns() + 3 * STALL_NS;

	rig_begin(&r, STALL_NS);
	rig_up(&r);
	rig_traffic(&r, 5);
	rig_frame(frame, 1, 64);
	while (plx_clock_ns() < until) {
		for (unsigned i = 0; i < 20; i++)
			fake_vmxnet3_rx(r.m, frame, 64);
		nap(&r);
	}
	CHECK_EQ(plx_rxq_state(r.rxq, NULL), PLX_QUEUE_RUNNING);
	CHECK_EQ(plx_txq_state(r.txq, NULL), PLX_QUEUE_RUNNING);
	rig_end_clean(&r);
}

/* The device says that it has stopped a queue. */
TEST(vmxnet3_watchdog, a_queue_that_the_device_stops)
{
	for (unsigned rx = 0; rx < 2; rx++) {
		static struct rig r;
		struct events e = {0};

		rig_begin(&r, 0);
		rig_up(&r);
		plx_port_on_event(r.port, on_event, &e);
		rig_traffic(&r, 5);
		fake_vmxnet3_stop_queue(r.m, rx != 0, 0, 0x80000004u);
		CHECK_EQ(wait_failed(&r, rx != 0, false), EIO);
		plx_ctx_poll(r.ctx);
		CHECK_EQ(e.failed, 1);
		CHECK_EQ(plx_rxq_state(r.rxq, NULL), rx ? PLX_QUEUE_FAILED : PLX_QUEUE_RUNNING);
		CHECK_EQ(plx_txq_state(r.txq, NULL), rx ? PLX_QUEUE_RUNNING : PLX_QUEUE_FAILED);
		back_to_work(&r);
		rig_end_clean(&r);
	}
}

TEST(vmxnet3_watchdog, a_link_that_goes_and_comes)
{
	static struct rig r;
	struct events e = {0};
	struct plx_link link;
	struct plx_mbuf *m;

	rig_begin(&r, 0);
	rig_up(&r);
	plx_port_on_event(r.port, on_event, &e);
	fake_vmxnet3_cable(r.m, false);
	while (e.link == 0)
		nap(&r);
	CHECK_EQ(plx_port_link(r.port, false, &link), 0);
	CHECK(!link.up);
	rig_frame(frame, 1, 64);
	m = rig_mbuf(&r, frame, 64);
	CHECK_EQ(plx_tx_burst(r.txq, &m, 1), 0);
	plx_mbuf_free(m);
	fake_vmxnet3_cable(r.m, true);
	while (e.link == 1)
		nap(&r);
	CHECK_EQ(plx_port_link(r.port, false, &link), 0);
	CHECK(link.up && link.full_duplex);
	CHECK_EQ(link.speed_mbps, 10000);
	rig_traffic(&r, 5);
	rig_end_clean(&r);
}

/* ---- interrupts ---- */

static bool readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

/* Frames of TCP that RSS spreads, until queue number q has one. */
static void arrives_on(struct rig *r, uint16_t q)
{
	struct plx_mbuf *m;
	unsigned came = 0;

	for (uint32_t port = 1; port < 64 && came == 0; port++) {
		rig_ipv4(frame, false, port, 200);
		CHECK(fake_vmxnet3_rx(r->m, frame, 200));
		for (uint16_t i = 0; i < r->conf.n_rxq; i++)
			while (i != q && plx_rx_burst(r->rxqs[i], &m, 1) == 1) {
				plx_mbuf_free(m);
				came += 64;
			}
		came = came == 0;
	}
	CHECK_EQ(came, 1);
}

static void take_one(struct rig *r, uint16_t q)
{
	struct plx_mbuf *m = NULL;

	CHECK_EQ(plx_rx_burst(r->rxqs[q], &m, 1), 1);
	plx_mbuf_free(m);
}

TEST(vmxnet3_watchdog, a_queue_can_be_waited_for)
{
	static struct rig r;
	int fds[4];

	rig_begin(&r, 0);
	r.conf.n_rxq = 4;
	rig_up(&r);
	CHECK_EQ(plx_rxq_set_moderation(r.rxqs[1], 20000), 0);
	CHECK_EQ(fake_vmxnet3_level(r.m, 1), 2);
	CHECK_EQ(plx_rxq_set_moderation(r.rxqs[1], 640001), -EINVAL);
	CHECK_EQ(plx_rxq_set_moderation(r.rxqs[1], 0), 0);
	CHECK_EQ(fake_vmxnet3_level(r.m, 1), 0);
	for (uint16_t q = 0; q < 4; q++) {
		fds[q] = plx_rxq_fd(r.rxqs[q]);
		CHECK(fds[q] >= 0);
		CHECK(q == 0 || fds[q] != fds[0]);
		CHECK(!readable(fds[q]));
	}
	for (uint16_t q = 0; q < 4; q++) {
		/* nothing wakes before it is armed */
		arrives_on(&r, q);
		CHECK(!readable(fds[q]));
		take_one(&r, q);
		CHECK_EQ(plx_rxq_arm(r.rxqs[q], true), 0);
		CHECK_EQ(plx_rxq_arm(r.rxqs[q], true), 0); /* what came before has woken */
		CHECK(!readable(fds[q]));
		arrives_on(&r, q);
		CHECK(readable(fds[q]));
		take_one(&r, q);
		CHECK_EQ(plx_rxq_arm(r.rxqs[q], false), 0);
	}
	/* armed over a reset, whose thread is woken to look */
	CHECK_EQ(plx_rxq_arm(r.rxqs[2], true), 0);
	CHECK_EQ(plx_port_reset(r.port), 0);
	CHECK_EQ(plx_rxq_fd(r.rxqs[2]), fds[2]);
	CHECK(readable(fds[2]));
	CHECK_EQ(plx_rxq_arm(r.rxqs[2], true), 0);
	CHECK(!readable(fds[2]));
	arrives_on(&r, 2);
	CHECK(readable(fds[2]));
	take_one(&r, 2);
	CHECK_EQ(r.f->irqs_lost, 0);
	rig_end_clean(&r);
}

/* Twice: what came before has fired then. */
static void arm_all(struct rig *r)
{
	for (unsigned i = 0; i < 2; i++)
		for (uint16_t q = 0; q < r->conf.n_rxq; q++)
			CHECK_EQ(plx_rxq_arm(r->rxqs[q], true), 0);
}

/* Fewer vectors than queues: they share. One of MSI, or INTx (0): everything does. */
TEST(vmxnet3_watchdog, vectors_are_shared)
{
	static const uint32_t vectors[] = {5, 4, 3, 1, 0};

	for (size_t i = 0; i < PLX_ARRAY_SIZE(vectors); i++) {
		static struct rig r;
		int fds[4];

		rig_begin(&r, 0);
		r.f->irq_max[PLX_IRQ_MSIX] = vectors[i] > 1 ? vectors[i] : 0;
		r.f->irq_max[PLX_IRQ_MSI] = vectors[i] == 1;
		r.f->irq_max[PLX_IRQ_INTX] = 1;
		r.conf.n_rxq = 4;
		rig_up(&r);
		rig_traffic(&r, 5);
		for (uint16_t q = 0; q < 4; q++)
			fds[q] = plx_rxq_fd(r.rxqs[q]);
		CHECK(fds[0] >= 0 && fds[3] == fds[3 % (vectors[i] > 2 ? vectors[i] - 2 : 1)]);
		for (uint16_t q = 0; q < 4; q++) {
			arm_all(&r);
			CHECK(!readable(fds[q]));
			arrives_on(&r, q);
			CHECK(readable(fds[q]));
			take_one(&r, q);
		}
		CHECK_EQ(r.f->irqs_lost, 0);
		rig_end_clean(&r);
	}
}

TEST(vmxnet3_watchdog, without_interrupts_queues_are_polled)
{
	static struct rig r;

	rig_begin(&r, 0);
	memset(r.f->irq_max, 0, sizeof(r.f->irq_max));
	rig_up(&r);
	rig_traffic(&r, 5);
	CHECK_EQ(plx_rxq_fd(r.rxq), -ENOTSUP);
	CHECK_EQ(plx_rxq_arm(r.rxq, true), -EINVAL);
	CHECK_EQ(plx_rxq_set_moderation(r.rxq, 10000), 0);
	rig_traffic(&r, 5);
	rig_end_clean(&r);
}
