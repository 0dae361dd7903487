/* SPDX-License-Identifier: BSD-3-Clause */
/* The port around the file: options, loops, stop and reset, faults of writing. */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "rig.h"

#define REAL TEST_DATA "/real-ns.pcap"

static void refused(struct rig *r, int errnum, const char *has, const char *text)
{
	struct rig_port p;

	CHECK_EQ(rig_port_open(r, &p, 0, "%s", text), -errnum);
	CHECK_HAS(plx_errmsg(), has);
}

TEST(pcap, options_that_mean_nothing_are_refused)
{
	struct rig r;

	rig_open(&r, 64, 0);
	refused(&r, EINVAL, "rx=FILE", "pcap:");
	refused(&r, EINVAL, "pcap:rx=in.pcap", "pcap:in.pcap");
	refused(&r, EINVAL, "loop is for rx", "pcap:tx=/dev/null,loop=3");
	refused(&r, EINVAL, "tsprec is for tx", "pcap:rx=" REAL ",tsprec=nano");
	refused(&r, EINVAL, "iface stands alone", "pcap:iface=lo,rx=" REAL);
	refused(&r, EINVAL, "fast", "pcap:rx=" REAL ",speed=fast");
	refused(&r, EINVAL, "lop", "pcap:rx=" REAL ",lop=2");
	refused(&r, ENOENT, "no/such", "pcap:rx=/no/such");
	refused(&r, EISDIR, "/tmp", "pcap:rx=/tmp");
	refused(&r, ENOENT, "/no/such", "pcap:tx=/no/such/out");
	rig_close(&r);
}

TEST(pcap, a_wrong_option_does_not_empty_the_output)
{
	struct rig r;
	struct capfile_out *o;
	struct capfile c;
	struct rig_port p;
	const char *out;

	rig_open(&r, 64, 0);
	out = rig_path(&r, "out.pcap");
	o = capfile_create(out, false);
	capfile_add(o, 0, "0123456789abcd", 14, 14);
	capfile_done(o);
	CHECK_EQ(rig_port_open(&r, &p, 0, "pcap:tx=%s,nonsense=1", out), -EINVAL);
	CHECK_EQ(rig_port_open(&r, &p, 0, "pcap:rx=/no/such,tx=%s", out), -ENOENT);
	/* nor does reading and writing the same file */
	CHECK_EQ(rig_port_open(&r, &p, 0, "pcap:rx=%s,tx=%s", out, out), -EBUSY);
	CHECK_EQ(rig_port_open(&r, &p, 0, "pcap:rx=%s,tx=%s,preload=1", out, out), -EBUSY);
	CHECK_HAS(plx_errmsg(), "would destroy");
	CHECK(capfile_read(&c, out));
	CHECK_EQ(c.n, 1);
	capfile_free(&c);
	rig_close(&r);
}

TEST(pcap, two_ports_do_not_write_one_file)
{
	struct rig r;
	struct rig_port a, b;
	const char *out;

	rig_open(&r, 64, 0);
	out = rig_path(&r, "out.pcap");
	CHECK_EQ(rig_port_open(&r, &a, 0, "pcap:tx=%s", out), 0);
	CHECK_EQ(rig_port_open(&r, &b, 0, "pcap:tx=%s", out), -EBUSY);
	CHECK_EQ(rig_port_open(&r, &b, 0, "pcap:rx=%s", out), -EBUSY);
	rig_port_close(&a);
	CHECK_EQ(rig_port_open(&r, &b, 0, "pcap:rx=%s", out), 0);
	CHECK_EQ(rig_forward(&b, NULL, 8), 0);
	rig_port_close(&b);
	rig_close(&r);
}

static void loops(const char *file, const char *more)
{
	struct plx_port_info info;
	struct rig r;
	struct rig_port p;

	rig_open(&r, 512, 0);
	CHECK_EQ(rig_port_open(&r, &p, PLX_RX_OFFLOAD_SCATTER, "pcap:rx=%s,loop=3%s", file, more),
		0);
	CHECK_EQ(plx_port_info(p.port, &info), 0);
	CHECK(info.finite);
	CHECK_EQ(rig_forward(&p, NULL, 32), 3 * 89);
	rig_port_close(&p);
	rig_close(&r);
}

TEST(pcap, loops_of_each_kind)
{
	loops(TEST_DATA "/real-ns.pcap", "");
	loops(TEST_DATA "/real-ns.pcapng", "");
	loops(TEST_DATA "/real-ns.pcap", ",preload=1");
	loops(TEST_DATA "/real-ns.pcapng", ",preload=1");
}

TEST(pcap, for_ever_has_no_end_but_without_packets)
{
	struct plx_port_info info;
	struct plx_mbuf *m[32];
	struct rig r;
	struct rig_port p;
	unsigned n = 0;

	rig_open(&r, 512, 0);
	CHECK_EQ(rig_port_open(&r, &p, PLX_RX_OFFLOAD_SCATTER, "pcap:rx=" REAL ",loop=0"), 0);
	CHECK_EQ(plx_port_info(p.port, &info), 0);
	CHECK(!info.finite);
	while (n < 100 * 89) {
		uint16_t got = plx_rx_burst(p.rxq, m, 32);

		CHECK(got > 0);
		plx_mbuf_free_bulk(m, got);
		n += got;
	}
	CHECK(!plx_port_drained(p.port));
	rig_port_close(&p);
	CHECK_EQ(rig_port_open(&r, &p, 0, "pcap:rx=" TEST_DATA "/odd/no-packets.pcap,loop=0"), 0);
	CHECK_EQ(rig_forward(&p, NULL, 32), 0);
	rig_port_close(&p);
	rig_close(&r);
}

/* Nor has one whose packets all are too long: a burst that looked for one for ever never returned. */
TEST(pcap, for_ever_ends_when_nothing_can_be_delivered)
{
	static const uint8_t data[4000];
	struct capfile_out *o;
	struct plx_mbuf *m[1];
	struct plx_port_stats s;
	struct rig r;
	struct rig_port p;

	rig_open(&r, 64, 0);
	o = capfile_create(rig_path(&r, "long.pcap"), false);
	capfile_add(o, 0, data, sizeof(data), sizeof(data));
	capfile_add(o, 1, data, sizeof(data), sizeof(data));
	capfile_done(o);
	CHECK_EQ(rig_port_open(&r, &p, 0, "pcap:rx=%s,loop=0", rig_path(&r, "long.pcap")), 0);
	CHECK_EQ(plx_rx_burst(p.rxq, m, 1), 0);
	CHECK_EQ(plx_rx_burst(p.rxq, m, 1), 0);
	CHECK(plx_port_drained(p.port));
	CHECK_EQ(plx_port_stats(p.port, &s), 0);
	CHECK_EQ(s.rx_errors, 2);
	rig_port_close(&p);
	rig_close(&r);
}

/* What a program writes into a packet is not in the next pass. */
TEST(pcap, preloaded_packets_are_copies)
{
	struct plx_mbuf *a[1], *b[1];
	struct capfile_out *o;
	struct rig r;
	struct rig_port p;

	rig_open(&r, 64, 0);
	o = capfile_create(rig_path(&r, "in.pcap"), false);
	capfile_add(o, 0, "0123456789abcdef", 16, 16);
	capfile_done(o);
	CHECK_EQ(rig_port_open(&r, &p, 0, "pcap:rx=%s,loop=2,preload=1", rig_path(&r, "in.pcap")),
		0);
	CHECK_EQ(plx_rx_burst(p.rxq, a, 1), 1);
	memset(plx_mbuf_data(a[0]), 'x', 16);
	CHECK_EQ(plx_rx_burst(p.rxq, b, 1), 1);
	CHECK(memcmp(plx_mbuf_data(b[0]), "0123456789abcdef", 16) == 0);
	plx_mbuf_free(a[0]);
	plx_mbuf_free(b[0]);
	rig_port_close(&p);
	rig_close(&r);
}

TEST(pcap, stop_and_start_go_on_reset_begins_anew)
{
	struct plx_mbuf *m[128];
	struct rig r;
	struct rig_port p;
	uint16_t n;

	rig_open(&r, 512, 0);
	CHECK_EQ(rig_port_open(&r, &p, PLX_RX_OFFLOAD_SCATTER, "pcap:rx=" REAL), 0);
	CHECK_EQ(plx_rx_burst(p.rxq, m, 10), 10);
	plx_mbuf_free_bulk(m, 10);
	CHECK_EQ(plx_port_stop(p.port), 0);
	CHECK_EQ(plx_rx_burst(p.rxq, m, 10), 0);
	CHECK_EQ(plx_port_start(p.port), 0);
	n = plx_rx_burst(p.rxq, m, 128);
	CHECK_EQ(n, 79);
	plx_mbuf_free_bulk(m, n);
	CHECK_EQ(plx_rx_burst(p.rxq, m, 10), 0);
	CHECK(plx_port_drained(p.port));
	CHECK_EQ(plx_port_reset(p.port), 0);
	CHECK(!plx_port_drained(p.port));
	n = plx_rx_burst(p.rxq, m, 128);
	CHECK_EQ(n, 89);
	plx_mbuf_free_bulk(m, n);
	rig_port_close(&p);
	rig_close(&r);
}

TEST(pcap, reset_recovers_a_failed_queue)
{
	struct rig r;
	struct rig_port p;

	rig_open(&r, 512, 0);
	CHECK_EQ(rig_port_open(&r, &p, 0, "pcap:rx=" TEST_DATA "/malformed/packet-data-cut.pcap"),
		0);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(rig_forward(&p, NULL, 32), 2);
		CHECK_EQ(plx_rxq_state(p.rxq, NULL), PLX_QUEUE_FAILED);
		CHECK_EQ(plx_port_reset(p.port), 0);
		CHECK_EQ(plx_rxq_state(p.rxq, NULL), PLX_QUEUE_RUNNING);
	}
	rig_port_close(&p);
	rig_close(&r);
}

/* Sends n packets of 1000 bytes; how many were taken. */
static unsigned send_many(struct rig *r, struct rig_port *p, unsigned n)
{
	unsigned taken = 0;

	for (unsigned i = 0; i < n; i++) {
		struct plx_mbuf *m = plx_mbuf_alloc(r->pool);

		CHECK(m != NULL);
		memset(plx_mbuf_append(m, 1000), (int)i, 1000);
		if (plx_tx_burst(p->txq, &m, 1) == 1)
			taken++;
		else
			plx_mbuf_free(m);
	}
	return taken;
}

TEST(pcap, a_full_disk_at_open)
{
	struct rig r;

	if (access("/dev/full", W_OK) != 0)
		SKIP("no /dev/full");
	rig_open(&r, 64, 0);
	refused(&r, ENOSPC, "/dev/full: writing the file header", "pcap:tx=/dev/full");
	rig_close(&r);
}

/* The disk is full in the middle of a record: the file keeps whole records, all is accounted for. */
static void full(bool at_stop)
{
	const struct rlimit small = {150000, RLIM_INFINITY};
	struct plx_port_stats s;
	struct rlimit was;
	struct capfile c;
	struct rig r;
	struct rig_port p;
	unsigned taken;
	int err;

	signal(SIGXFSZ, SIG_IGN);
	CHECK_EQ(getrlimit(RLIMIT_FSIZE, &was), 0);
	rig_open(&r, 512, 0);
	CHECK_EQ(rig_port_open(&r, &p, 0, "pcap:tx=%s", rig_path(&r, "out.pcap")), 0);
	CHECK_EQ(setrlimit(RLIMIT_FSIZE, &(struct rlimit){small.rlim_cur, was.rlim_max}), 0);
	taken = send_many(&r, &p, at_stop ? 200 : 1000);
	if (!at_stop) {
		CHECK(taken < 1000);
		CHECK_EQ(plx_txq_state(p.txq, &err), PLX_QUEUE_FAILED);
		CHECK_EQ(err, EFBIG);
	}
	CHECK_EQ(plx_port_stop(p.port), 0);
	CHECK_EQ(setrlimit(RLIMIT_FSIZE, &was), 0);
	CHECK_HAS(r.log, "out.pcap: writing packets");
	CHECK_EQ(plx_port_stats(p.port, &s), 0);
	CHECK_EQ(s.tx_packets, taken);
	CHECK_EQ(s.tx_done, taken);
	CHECK(s.tx_errors > 0);
	CHECK(capfile_read(&c, rig_path(&r, "out.pcap")));
	CHECK_EQ(c.n, taken - s.tx_errors);
	CHECK_EQ(c.n, (150000 - 24) / 1016);
	capfile_free(&c);
	/* with room again, reset goes on behind the last whole record */
	CHECK_EQ(plx_port_start(p.port), 0);
	CHECK_EQ(plx_port_reset(p.port), 0);
	CHECK_EQ(send_many(&r, &p, 100), 100);
	rig_port_close(&p);
	CHECK(capfile_read(&c, rig_path(&r, "out.pcap")));
	CHECK_EQ(c.n, (150000 - 24) / 1016 + 100);
	capfile_free(&c);
	rig_close(&r);
}

TEST(pcap, a_full_disk_in_a_burst)
{
	full(false);
}

TEST(pcap, a_full_disk_at_stop)
{
	full(true);
}

TEST(pcap, a_pipe_is_read_to_its_end_once_or_preloaded)
{
	struct rig r;
	struct rig_port p;
	struct capfile c;
	int fd[2];

	rig_open(&r, 512, 0);
	CHECK(capfile_read(&c, REAL));
	for (int preload = 0; preload < 2; preload++) {
		char text[128];

		CHECK_EQ(pipe(fd), 0);
		CHECK_EQ(write(fd[1], c.bytes, c.size), c.size);
		close(fd[1]);
		snprintf(text, sizeof(text), "pcap:rx=/proc/self/fd/%d,loop=2", fd[0]);
		if (preload == 0) {
			refused(&r, ESPIPE, "preload=1", text);
			snprintf(text, sizeof(text), "pcap:rx=/proc/self/fd/%d", fd[0]);
			close(fd[0]);
			continue;
		}
		CHECK_EQ(rig_port_open(&r, &p, PLX_RX_OFFLOAD_SCATTER, "%s,preload=1", text), 0);
		CHECK_EQ(rig_forward(&p, NULL, 32), 2 * 89);
		rig_port_close(&p);
		close(fd[0]);
	}
	capfile_free(&c);
	rig_close(&r);
}

TEST(pcap, a_pipe_without_a_reader_is_an_error_and_no_signal)
{
	struct rig r;
	struct rig_port p;
	int fd[2], err;

	rig_open(&r, 512, 0);
	CHECK_EQ(pipe(fd), 0);
	CHECK_EQ(rig_port_open(&r, &p, 0, "pcap:tx=/proc/self/fd/%d", fd[1]), 0);
	close(fd[0]);
	CHECK(send_many(&r, &p, 1000) < 1000);
	CHECK_EQ(plx_txq_state(p.txq, &err), PLX_QUEUE_FAILED);
	CHECK_EQ(err, EPIPE);
	rig_port_close(&p);
	close(fd[1]);
	rig_close(&r);
}

TEST(pcap, without_tx_packets_are_dropped_and_counted_without_rx_none_come)
{
	struct plx_port_stats s;
	struct plx_mbuf *m[8];
	struct rig r;
	struct rig_port p;

	rig_open(&r, 512, 0);
	CHECK_EQ(rig_port_open(&r, &p, PLX_RX_OFFLOAD_SCATTER, "pcap:rx=" REAL), 0);
	CHECK_EQ(rig_forward(&p, &p, 32), 89);
	CHECK_EQ(plx_port_stats(p.port, &s), 0);
	CHECK_EQ(s.tx_packets, 89);
	CHECK_EQ(s.tx_done, 89);
	CHECK_EQ(s.tx_bytes, s.rx_bytes);
	rig_port_close(&p);
	CHECK_EQ(rig_port_open(&r, &p, 0, "pcap:tx=/dev/null"), 0);
	CHECK_EQ(plx_rx_burst(p.rxq, m, 8), 0);
	CHECK(!plx_port_drained(p.port));
	rig_port_close(&p);
	rig_close(&r);
}

/* A packet that breaks a rule is not written and does not stop those behind it. */
TEST(pcap, a_broken_packet_is_an_error_counted)
{
	struct plx_port_stats s;
	struct plx_mbuf *m[2];
	struct capfile c;
	struct rig r;
	struct rig_port p;

	rig_open(&r, 64, 0);
	CHECK_EQ(rig_port_open(&r, &p, 0, "pcap:tx=%s", rig_path(&r, "out.pcap")), 0);
	CHECK_EQ(plx_mbuf_alloc_bulk(r.pool, m, 2), 0);
	memset(plx_mbuf_append(m[0], 60), 1, 60);
	m[0]->pkt_len = 61;
	memset(plx_mbuf_append(m[1], 60), 2, 60);
	CHECK_EQ(plx_tx_burst(p.txq, m, 2), 2);
	CHECK_EQ(plx_port_stop(p.port), 0);
	CHECK_EQ(plx_port_stats(p.port, &s), 0);
	CHECK_EQ(s.tx_errors, 1);
	CHECK_EQ(s.tx_done, 2);
	CHECK(capfile_read(&c, rig_path(&r, "out.pcap")));
	CHECK_EQ(c.n, 1);
	CHECK_EQ(c.pkts[0].data[0], 2);
	capfile_free(&c);
	rig_port_close(&p);
	rig_close(&r);
}

TEST(pcap, a_thousand_rounds_leak_nothing)
{
	struct rig r;
	struct rig_port p;
	int first, last;

	rig_open(&r, 512, 0);
	first = dup(0);
	close(first);
	for (unsigned i = 0; i < unit_rounds(100); i++) {
		CHECK_EQ(rig_port_open(&r, &p, 0, "pcap:rx=" TEST_DATA "/real-ns.pcap%s,tx=%s",
				 i % 2 ? "ng" : "", rig_path(&r, "out.pcap")),
			0);
		rig_port_close(&p);
	}
	last = dup(0);
	close(last);
	CHECK_EQ(first, last);
	rig_close(&r);
}
