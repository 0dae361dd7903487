/* SPDX-License-Identifier: BSD-3-Clause */
/* RX interrupts: a queue is armed, looked at once more, and waited for; moderation; link changes. */
#include <errno.h>
#include <poll.h>

#include "e1000_rig.h"

static bool readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static void up(struct rig *r, uint16_t n_rxq)
{
	rig_begin(r, 0);
	r->conf.n_rxq = n_rxq;
	rig_up(r);
}

static void end(struct rig *r)
{
	CHECK_STR(fake_82574_violation(r->m, 0), "");
	CHECK_EQ(r->f->irqs_lost, 0);
	rig_end(r);
}

static int fd_of(struct plx_rxq *q)
{
	int fd = plx_rxq_fd(q);

	CHECK_STR(fd >= 0 ? "" : plx_errmsg(), "");
	return fd;
}

/* Frames of TCP that RSS spreads: until queue number q has one. */
static void arrives_on(struct rig *r, uint16_t q)
{
	uint8_t frame[200];
	struct plx_mbuf *m = NULL;

	for (uint32_t port = 1; port < 64; port++) {
		bool another = false;

		rig_tcp(frame, port, 200);
		CHECK(fake_82574_rx(r->m, frame, 200, 0));
		for (uint16_t i = 0; i < r->conf.n_rxq; i++) {
			while (i != q && plx_rx_burst(r->rxqs[i], &m, 1) == 1) {
				plx_mbuf_free(m);
				another = true;
			}
		}
		if (!another) {
			CHECK(readable(fd_of(r->rxqs[q])));
			return;
		}
		CHECK_EQ(plx_rxq_arm(r->rxqs[q], true), 0); /* they may share a vector */
	}
	UNIT_FAIL("no frame for that queue");
}

static void take_all(struct rig *r, uint16_t q)
{
	struct plx_mbuf *m;
	unsigned n = 0;

	while (plx_rx_burst(r->rxqs[q], &m, 1) == 1) {
		plx_mbuf_free(m);
		n++;
	}
	CHECK(n != 0);
}

static void frame_in(struct rig *r)
{
	uint8_t frame[100];

	rig_frame(frame, 1, sizeof(frame));
	CHECK(fake_82574_rx(r->m, frame, sizeof(frame), 0));
}

/* A vector each; armed, it fires once; disarmed, never. */
TEST(e1000_irq, each_queue_has_a_vector)
{
	static struct rig r;
	int fd[2];

	up(&r, 2);
	CHECK_EQ(r.f->irq_type, PLX_IRQ_MSIX);
	CHECK_EQ(r.f->n_irqs, 3);
	for (uint16_t i = 0; i < 2; i++)
		fd[i] = fd_of(r.rxqs[i]);
	CHECK(fd[0] != fd[1]);
	for (unsigned round = 0; round < 3; round++) {
		for (uint16_t i = 0; i < 2; i++) {
			CHECK_EQ(plx_rxq_arm(r.rxqs[i], true), 0);
			CHECK(!readable(fd[i]));
			arrives_on(&r, i);
			CHECK(!readable(fd[1 - i]));
			/* it masked itself: more packets fire nothing */
			uint64_t raised = r.f->irqs_raised;

			rig_try_traffic(&r, 0);
			frame_in(&r);
			CHECK_EQ(r.f->irqs_raised, raised);
			take_all(&r, i);
			if (i == 1)
				take_all(&r, 0);
			CHECK_EQ(plx_rxq_arm(r.rxqs[i], true), 0);
			CHECK(!readable(fd[i]));
			CHECK_EQ(plx_rxq_arm(r.rxqs[i], false), 0);
		}
		frame_in(&r);
		CHECK(!readable(fd[0]) && !readable(fd[1]));
		take_all(&r, 0);
		if (round == 0)
			CHECK_EQ(plx_port_reset(r.port), 0);
		else
			CHECK_EQ(plx_port_stop(r.port), 0);
		CHECK_EQ(plx_port_start(r.port), 0);
		CHECK_EQ(rig_link(&r), 0);
		CHECK_EQ(fd_of(r.rxqs[0]), fd[0]);
		while (readable(fd[0]) || readable(fd[1])) /* stopping woke */
			for (uint16_t i = 0; i < 2; i++) {
				CHECK_EQ(plx_rxq_arm(r.rxqs[i], true), 0);
				CHECK_EQ(plx_rxq_arm(r.rxqs[i], false), 0);
			}
	}
	end(&r);
}

/* The rule: a packet that came before arming is there to be seen after it, and need not fire. */
TEST(e1000_irq, arm_then_look_again)
{
	static struct rig r;
	int fd;

	up(&r, 1);
	fd = fd_of(r.rxq);
	frame_in(&r);
	CHECK_EQ(plx_rxq_arm(r.rxq, true), 0);
	CHECK(!readable(fd));
	take_all(&r, 0);
	frame_in(&r);
	CHECK(readable(fd));
	take_all(&r, 0);
	end(&r);
}

/* Whoever waits over a stop is woken, and what was armed is armed again after a start. */
TEST(e1000_irq, stop_wakes_and_start_arms)
{
	static struct rig r;
	int fd;

	up(&r, 1);
	fd = fd_of(r.rxq);
	CHECK_EQ(plx_rxq_arm(r.rxq, true), 0);
	CHECK_EQ(plx_port_stop(r.port), 0);
	CHECK(readable(fd));
	CHECK_EQ(plx_port_start(r.port), 0);
	CHECK_EQ(rig_link(&r), 0);
	CHECK(readable(fd));
	CHECK_EQ(plx_rxq_arm(r.rxq, true), 0);
	CHECK(!readable(fd));
	CHECK_EQ(plx_port_reset(r.port), 0);
	CHECK_EQ(rig_link(&r), 0);
	CHECK(readable(fd));
	frame_in(&r);
	take_all(&r, 0);
	end(&r);
}

/* MSI and INTx: one descriptor for both queues. */
TEST(e1000_irq, one_vector_for_all)
{
	for (enum plx_irq_type type = PLX_IRQ_INTX; type <= PLX_IRQ_MSI; type++) {
		static struct rig r;
		int fd;

		rig_begin(&r, 0);
		memset(r.f->irq_max, 0, sizeof(r.f->irq_max));
		r.f->irq_max[type] = 1;
		r.conf.n_rxq = 2;
		rig_up(&r);
		fd = fd_of(r.rxqs[0]);
		CHECK_EQ(fd_of(r.rxqs[1]), fd);
		CHECK_EQ(r.f->irq_type, type);
		for (uint16_t i = 0; i < 2; i++) {
			CHECK_EQ(plx_rxq_arm(r.rxqs[0], true), 0);
			CHECK_EQ(plx_rxq_arm(r.rxqs[1], true), 0);
			CHECK(!readable(fd));
			arrives_on(&r, i);
			/* disarmed, one alone keeps it on */
			CHECK_EQ(plx_rxq_arm(r.rxqs[i], false), 0);
			CHECK(fake_82574_peek(r.m, 0x00d0) & 1u << 7);
			take_all(&r, i);
			CHECK_EQ(plx_rxq_arm(r.rxqs[1 - i], false), 0);
			CHECK(!(fake_82574_peek(r.m, 0x00d0) & 1u << 7));
		}
		end(&r);
	}
}

/* Fewer vectors than queues: shared, but the last is that of events. */
TEST(e1000_irq, two_vectors_for_two_queues)
{
	static struct rig r;

	rig_begin(&r, 0);
	r.f->irq_max[PLX_IRQ_MSIX] = 2;
	r.conf.n_rxq = 2;
	rig_up(&r);
	CHECK_EQ(fd_of(r.rxqs[0]), fd_of(r.rxqs[1]));
	for (uint16_t i = 0; i < 2; i++) {
		CHECK_EQ(plx_rxq_arm(r.rxqs[i], true), 0);
		arrives_on(&r, i);
		take_all(&r, i);
	}
	end(&r);
}

/* The register of vector 0, its value for 100001 ns, and the longest time. */
static const struct {
	uint32_t reg, value;
	uint64_t max;
	const char *text;
} eitr[] = {
	[FAKE_82574L] = {0x00e8, 391, UINT64_C(65535) * 256, "at most 16776960"}, /* of 256 ns */
	[FAKE_82576] = {0x1680, 101 << 2, 8191000, "at most 8191000"},            /* of 1 us */
};

TEST(e1000_irq, moderation)
{
	static struct rig r;
	int fd;

	up(&r, 1);
	fd = fd_of(r.rxq);
	CHECK_EQ(plx_rxq_set_moderation(r.rxq, 100001), 0);
	CHECK_EQ(fake_82574_peek(r.m, eitr[RIG_PART].reg), eitr[RIG_PART].value);
	for (unsigned round = 0; round < 2; round++) {
		fake_advance(r.f, 200000);
		CHECK_EQ(plx_rxq_arm(r.rxq, true), 0);
		frame_in(&r);
		CHECK(readable(fd));
		CHECK_EQ(plx_rxq_arm(r.rxq, true), 0);
		frame_in(&r);
		CHECK(!readable(fd));
		fake_advance(r.f, 99000);
		CHECK(!readable(fd));
		fake_advance(r.f, 2000);
		CHECK(readable(fd));
		take_all(&r, 0);
		CHECK_EQ(plx_port_reset(r.port), 0);
		CHECK_EQ(rig_link(&r), 0);
	}
	CHECK_EQ(plx_rxq_set_moderation(r.rxq, eitr[RIG_PART].max + 1), -EINVAL);
	CHECK_HAS(plx_errmsg(), eitr[RIG_PART].text);
	CHECK_EQ(plx_rxq_set_moderation(r.rxq, 0), 0);
	CHECK_EQ(fake_82574_peek(r.m, eitr[RIG_PART].reg), 0);
	end(&r);
}

static void on_event(void *arg, struct plx_port *port, enum plx_port_event event)
{
	if (event == PLX_PORT_LINK)
		++*(unsigned *)arg;
}

/* The last vector makes the context's descriptor readable at once, and its work due. */
TEST(e1000_irq, link_changes_are_told)
{
	static struct rig r;
	unsigned events = 0;
	struct plx_link link;

	up(&r, 1);
	plx_port_on_event(r.port, on_event, &events);
	for (unsigned i = 0; i < 4; i++) {
		struct pollfd p = {.fd = plx_ctx_fd(r.ctx), .events = POLLIN};
		const unsigned before = events;

		fake_82574_cable(r.m, i % 2 != 0);
		if (i % 2 != 0)
			fake_advance(r.f, LINK_NS + 10 * MS);
		CHECK_EQ(poll(&p, 1, 0), 1);
		/* its vector, then what that kicked: without any time passing */
		for (unsigned k = 0; k < 3; k++)
			plx_ctx_poll(r.ctx);
		CHECK_EQ(events, before + 1);
		CHECK_EQ(plx_port_link(r.port, false, &link), 0);
		CHECK_EQ(link.up, i % 2 != 0);
	}
	end(&r);
}

/* Without interrupts all works but waiting. */
TEST(e1000_irq, a_transport_without)
{
	static struct rig r;

	rig_begin(&r, 0);
	memset(r.f->irq_max, 0, sizeof(r.f->irq_max));
	rig_up(&r);
	CHECK_EQ(plx_rxq_fd(r.rxq), -ENOTSUP);
	CHECK_HAS(plx_errmsg(), "no interrupts: poll");
	CHECK_EQ(plx_rxq_arm(r.rxq, true), -EINVAL);
	CHECK_EQ(plx_rxq_set_moderation(r.rxq, 1000), 0);
	rig_traffic(&r, 8);
	end(&r);
}
