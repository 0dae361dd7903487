/* SPDX-License-Identifier: BSD-3-Clause */
/* iface=: a pair of interfaces in a network namespace of the test's own. */
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "rig.h"

struct space {
	int was; /* the namespace before */
};

static const char *enter(struct space *s)
{
	s->was = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (geteuid() != 0)
		return "needs root";
	if (s->was < 0 || unshare(CLONE_NEWNET) != 0)
		return "no network namespaces here";
	if (system("ip link add plxa type veth peer name plxb 2>/dev/null && "
		   "sysctl -qw net.ipv6.conf.plxa.disable_ipv6=1 net.ipv6.conf.plxb.disable_ipv6=1; "
		   "ip link set plxa up && ip link set plxb up") != 0) {
		(void)setns(s->was, CLONE_NEWNET);
		return "no veth here (ip link add fails)";
	}
	return NULL;
}

static void leave(struct space *s)
{
	CHECK_EQ(setns(s->was, CLONE_NEWNET), 0);
	close(s->was);
}

/* Receives into a flat buffer: its length, or -1 after a second without. */
static int receive(struct rig_port *p, uint8_t *out)
{
	for (unsigned i = 0; i < 1000; i++) {
		const struct timespec nap = {0, 1000000};
		struct plx_mbuf *m;
		int len;

		if (plx_rx_burst(p->rxq, &m, 1) == 1) {
			len = (int)m->pkt_len;
			CHECK_EQ(plx_mbuf_check(m), 0);
			CHECK_EQ(plx_mbuf_read(m, 0, out, m->pkt_len), 0);
			plx_mbuf_free(m);
			return len;
		}
		nanosleep(&nap, NULL);
	}
	return -1;
}

static void to_and_fro(struct rig *r, struct rig_port *a, struct rig_port *b)
{
	static uint8_t want[1514], got[65536];

	for (unsigned len = 60; len <= 1514; len += 97) {
		struct plx_mbuf *m = plx_mbuf_alloc(r->pool), *last = m;

		for (unsigned i = 0; i < len; i++)
			want[i] = (uint8_t)(i < 6 ? 0xff : i * 3 + len);
		want[12] = 0x88; /* local experimental */
		want[13] = 0xb5;
		CHECK(m != NULL);
		for (unsigned at = 0; at < len; at += 500) {
			unsigned part = PLX_MIN(500u, len - at);

			if (at > 0) {
				last->next = plx_mbuf_alloc(r->pool);
				last = last->next;
				CHECK(last != NULL);
				m->nsegs++;
			}
			memcpy(plx_mbuf_data(last), want + at, part);
			last->data_len = (uint16_t)part;
		}
		m->pkt_len = len;
		CHECK_EQ(plx_tx_burst(a->txq, &m, 1), 1);
		CHECK_EQ(receive(b, got), len);
		CHECK(memcmp(want, got, len) == 0);
	}
}

TEST(pcap, live_interfaces)
{
	struct plx_port_stats s;
	struct plx_link link;
	struct space space;
	struct rig r;
	struct rig_port a, b;
	const char *why = enter(&space);
	uint8_t buf[65536];
	struct plx_mbuf *m;

	if (why != NULL)
		SKIP(why);
	if (unit_emulated()) {
		leave(&space);
		SKIP("an emulator stands between libpcap and the kernel's packet rings");
	}
	rig_open(&r, 2048, 1024);
	CHECK_EQ(rig_port_open(&r, &a, PLX_RX_OFFLOAD_SCATTER, "pcap:iface=plxa"), 0);
	CHECK_EQ(rig_port_open(&r, &b, PLX_RX_OFFLOAD_SCATTER, "pcap:iface=plxb"), 0);
	CHECK_EQ(plx_port_link(a.port, true, &link), 0);
	CHECK(link.up);
	CHECK_EQ(plx_port_set_promisc(b.port, true), 0);
	CHECK_EQ(plx_port_set_allmulti(b.port, true), 0);
	to_and_fro(&r, &a, &b);
	to_and_fro(&r, &b, &a);
	CHECK_EQ(plx_port_set_promisc(b.port, false), 0);
	/* what is sent is not received there, too */
	CHECK_EQ(plx_rx_burst(a.rxq, &m, 1), 0);
	CHECK_EQ(plx_port_stats(a.port, &s), 0);
	CHECK_EQ(s.rx_packets, s.tx_packets);
	CHECK_EQ(s.tx_done, s.tx_packets);
	CHECK_EQ(s.rx_errors + s.tx_errors + s.rx_nombuf + s.rx_missed, 0);

	/* longer than the MTU: taken, an error */
	m = plx_mbuf_alloc(r.pool);
	CHECK(m != NULL);
	CHECK(plx_mbuf_append(m, 14) != NULL);
	memset(plx_mbuf_data(m), 0xff, 14);
	for (unsigned i = 0; i < 4; i++) {
		struct plx_mbuf *more = plx_mbuf_alloc(r.pool);

		CHECK(more != NULL && plx_mbuf_append(more, 800) != NULL);
		CHECK_EQ(plx_mbuf_chain(m, more), 0);
	}
	CHECK_EQ(plx_tx_burst(a.txq, &m, 1), 1);
	CHECK_EQ(plx_port_stats(a.port, &s), 0);
	CHECK_EQ(s.tx_errors, 1);
	CHECK_EQ(receive(&b, buf), -1);

	/* the other end goes down, then the pair goes */
	CHECK_EQ(system("ip link set plxb down"), 0);
	/* the kernel tells the other end of a pair from a work queue, in its own time */
	for (unsigned i = 0; i < 500; i++) {
		const struct timespec nap = {.tv_nsec = 10000000};

		CHECK_EQ(plx_port_link(a.port, true, &link), 0);
		if (!link.up)
			break;
		nanosleep(&nap, NULL);
	}
	CHECK(!link.up);
	CHECK_EQ(system("ip link del plxa"), 0);
	while (plx_rxq_state(a.rxq, NULL) == PLX_QUEUE_RUNNING && plx_ctx_poll(r.ctx) >= 0)
		plx_rx_burst(a.rxq, &m, 1);
	CHECK_EQ(plx_port_link(a.port, true, &link), -ENODEV);
	rig_port_close(&a);
	rig_port_close(&b);
	rig_close(&r);
	leave(&space);
}

TEST(pcap, an_interface_that_is_not_there)
{
	struct rig r;
	struct rig_port p;

	rig_open(&r, 64, 0);
	CHECK_EQ(rig_port_open(&r, &p, 0, "pcap:iface=plx-none"), -ENODEV);
	CHECK_HAS(plx_errmsg(), "plx-none");
	CHECK_EQ(rig_port_open(&r, &p, 0, "pcap:iface=a-name-that-is-too-long"), -EINVAL);
	rig_close(&r);
}

TEST(pcap, without_permission_the_error_names_the_remedy)
{
	struct rig r;
	struct rig_port p;

	if (geteuid() == 0)
		SKIP("runs as root, which may");
	rig_open(&r, 64, 0);
	CHECK_EQ(rig_port_open(&r, &p, 0, "pcap:iface=lo"), -EPERM);
	CHECK_HAS(plx_errmsg(), "CAP_NET_RAW");
	rig_close(&r);
}

/* A program that is started while a port is open does not get the port's capture socket. */
TEST(pcap, sockets_are_not_for_other_programs)
{
	struct rig r;
	struct rig_port p;
	struct space s;
	const char *lacking = enter(&s);
	unsigned sockets = 0;

	if (lacking != NULL)
		SKIP(lacking);
	if (unit_emulated()) {
		leave(&s);
		SKIP("an emulator stands between libpcap and the kernel's packet rings");
	}
	rig_open(&r, 256, 0);
	CHECK_EQ(rig_port_open(&r, &p, 0, "pcap:iface=plxa"), 0);
	for (int fd = 3; fd < 256; fd++) {
		struct stat st;

		if (fstat(fd, &st) != 0 || !S_ISSOCK(st.st_mode))
			continue;
		CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		sockets++;
	}
	CHECK(sockets >= 2);
	rig_port_close(&p);
	rig_close(&r);
	leave(&s);
}
