/* SPDX-License-Identifier: BSD-3-Clause */
/* speed=real against a clock that the test moves. */
#include "pcap_pmd.h"
#include "rig.h"

static uint64_t fake_now;

static uint64_t fake_clock(void)
{
	return fake_now;
}

TEST(pcap, due_times_are_sums_of_distances)
{
	static const uint64_t ts[] = {1000, 1500, 1500, 9000};
	static const uint64_t due[] = {0, 500, 500, 8000};
	struct capt_pace c = {.clock = fake_clock};

	fake_now = 77777;
	for (unsigned i = 0; i < 4; i++) {
		capt_pace_next(&c, ts[i]);
		CHECK_EQ(c.due_ns, due[i]);
	}
	CHECK_EQ(capt_pace_now(&c), 8000); /* first asked now, so the newest is due */
}

/* A clock set back in the capture: the packet is due at once, and those after it by their distance. */
TEST(pcap, time_that_runs_backwards_does_not_rush_the_rest)
{
	struct capt_pace c = {.clock = fake_clock};

	capt_pace_next(&c, 1000000);
	capt_pace_next(&c, 10);
	CHECK_EQ(c.due_ns, 0);
	capt_pace_next(&c, 110);
	CHECK_EQ(c.due_ns, 100);
}

TEST(pcap, passes_follow_each_other_at_the_mean_distance_and_do_not_drift)
{
	struct capt_pace c = {.clock = fake_clock};

	for (uint64_t pass = 0; pass < 1000; pass++) {
		for (uint64_t i = 0; i < 4; i++) {
			capt_pace_next(&c, 5000 + 300 * i);
			CHECK_EQ(c.due_ns, pass * 1200 + 300 * i);
		}
		capt_pace_pass(&c);
	}
}

TEST(pcap, a_stop_does_not_count)
{
	struct capt_pace c = {.clock = fake_clock};

	fake_now = 1000;
	capt_pace_next(&c, 0);
	CHECK_EQ(capt_pace_now(&c), 0);
	fake_now = 1100;
	capt_pace_next(&c, 400);
	CHECK_EQ(capt_pace_now(&c), 100);
	capt_pace_restart(&c);
	fake_now = 500000;
	/* what waits is due when traffic goes on */
	CHECK_EQ(capt_pace_now(&c), c.due_ns);
	fake_now += 5;
	CHECK_EQ(capt_pace_now(&c), c.due_ns + 5);
}

/* The driver delivers what is due and no more, also in the middle of a burst and over a loop. */
static void drive(const char *more)
{
	struct plx_mbuf *m[32];
	struct capfile_out *o;
	struct capt_port *cp;
	struct rig r;
	struct rig_port rx;

	rig_open(&r, 512, 0);
	o = capfile_create(rig_path(&r, "in.pcap"), true);
	for (unsigned i = 0; i < 5; i++)
		capfile_add(o, UINT64_C(1700000000000000000) + i * 1000, "01234567890123456789", 20,
			20);
	capfile_done(o);
	CHECK_EQ(rig_port_open(&r, &rx, 0, "pcap:rx=%s,speed=real,loop=2%s",
			 rig_path(&r, "in.pcap"), more),
		0);
	cp = rx.port->priv;
	cp->rx.pace.clock = fake_clock;
	fake_now = 123456789;
	CHECK_EQ(plx_rx_burst(rx.rxq, m, 32), 1);
	plx_mbuf_free(m[0]);
	CHECK_EQ(plx_rx_burst(rx.rxq, m, 32), 0);
	fake_now += 999;
	CHECK_EQ(plx_rx_burst(rx.rxq, m, 32), 0);
	fake_now += 1;
	CHECK_EQ(plx_rx_burst(rx.rxq, m, 32), 1);
	plx_mbuf_free(m[0]);
	fake_now += 3500; /* late: 2000, 3000, 4000 are due, the second pass begins at 5000 */
	CHECK_EQ(plx_rx_burst(rx.rxq, m, 32), 3);
	plx_mbuf_free_bulk(m, 3);
	fake_now += 499;
	CHECK_EQ(plx_rx_burst(rx.rxq, m, 32), 0);
	fake_now += 1;
	CHECK_EQ(plx_rx_burst(rx.rxq, m, 32), 1);
	plx_mbuf_free(m[0]);
	fake_now += 1000000;
	CHECK_EQ(plx_rx_burst(rx.rxq, m, 32), 4);
	plx_mbuf_free_bulk(m, 4);
	CHECK(!plx_port_drained(rx.port));
	CHECK_EQ(plx_rx_burst(rx.rxq, m, 32), 0);
	CHECK(plx_port_drained(rx.port));
	rig_port_close(&rx);
	rig_close(&r);
}

TEST(pcap, real_speed_from_the_file)
{
	drive("");
}

TEST(pcap, real_speed_from_memory)
{
	drive(",preload=1");
}
