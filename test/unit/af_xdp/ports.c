/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports of a veth pair: a map of sockets that two use, and what a stop finds unsent. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "af_xdp.h"
#include "unit.h"

struct lab {
	char dir[32], map[64];
	struct plx_ctx *ctx;
	struct plx_mbuf_pool *pool;
	struct plx_port *port;
};

static int ip(const char *arguments)
{
	char command[256];

	snprintf(command, sizeof(command), "ip %s >/dev/null 2>&1", arguments);
	return system(command);
}

static void quiet(void *arg, enum plx_log_level level, const char *tag, const char *text)
{
}

/* Namespaces of the test's own, with a veth pair pa, pb and a file system for the map's name. */
static void lab_open(struct lab *l)
{
	struct plx_mbuf_pool_opts po = PLX_MBUF_POOL_OPTS_INIT;
	struct plx_ctx_opts co = PLX_CTX_OPTS_INIT;

	memset(l, 0, sizeof(*l));
	if (unit_emulated())
		SKIP("an emulator may not know of AF_XDP sockets");
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) != 0)
		SKIP("namespaces of network and mounts take root");
	if (mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0)
		SKIP("mounts cannot be made private");
	snprintf(l->dir, sizeof(l->dir), "/tmp/plx-bpf-XXXXXX");
	CHECK(mkdtemp(l->dir) != NULL);
	if (mount("bpf", l->dir, "bpf", 0, NULL) != 0) {
		rmdir(l->dir);
		SKIP("no file system of BPF objects here");
	}
	snprintf(l->map, sizeof(l->map), "%s/xsks", l->dir);
	CHECK_EQ(ip("link add name pa type veth peer name pb"), 0);
	CHECK_EQ(ip("link set dev pa up"), 0);
	CHECK_EQ(ip("link set dev pb up"), 0);
	co.huge = PLX_HUGE_NONE;
	co.log_fn = quiet;
	CHECK_EQ(plx_ctx_open(&co, &l->ctx), 0);
	po.n = 4096;
	CHECK_EQ(plx_mbuf_pool_create(l->ctx, &po, &l->pool), 0);
}

static void lab_close(struct lab *l)
{
	plx_ctx_close(l->ctx);
	umount(l->dir);
	rmdir(l->dir);
}

static struct plx_port *set_up(struct lab *l, const char *text)
{
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	struct plx_rxq_conf rx = PLX_RXQ_CONF_INIT;
	struct plx_port *port;

	if (plx_port_open(l->ctx, text, &port) != 0)
		UNIT_FAIL(plx_errmsg());
	CHECK_EQ(plx_port_configure(port, &conf), 0);
	rx.pool = l->pool;
	CHECK_EQ(plx_rxq_setup(port, 0, &rx, NULL), 0);
	CHECK_EQ(plx_txq_setup(port, 0, NULL, NULL), 0);
	return port;
}

/* Gives the map of a port a name, as who loads a program for several does. */
static void pin(const struct lab *l, const struct plx_port *port)
{
	const struct axdp_port *ap = port->priv;
	union bpf_attr attr = {0};

	attr.pathname = (uintptr_t)l->map;
	attr.bpf_fd = (uint32_t)ap->map_fd;
	CHECK_EQ(syscall(__NR_bpf, BPF_OBJ_PIN, &attr, sizeof(attr)), 0);
}

/* Does a frame that is sent into pb now arrive within a second? What came before it has another mark. */
static bool arrives(struct plx_port *port, uint8_t mark)
{
	const struct sockaddr_ll to = {
		.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex("pb")};
	const struct timespec nap = {0, 10000000};
	const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	uint8_t frame[60];
	bool came = false;

	memset(frame, 0xff, sizeof(frame));
	frame[20] = mark;
	CHECK(fd >= 0);
	for (unsigned i = 0; i < 100 && !came; i++) {
		struct plx_mbuf *m;

		(void)sendto(fd, frame, sizeof(frame), 0, (const struct sockaddr *)&to, sizeof(to));
		nanosleep(&nap, NULL);
		while (!came && plx_rx_burst(plx_port_rxq(port, 0), &m, 1) == 1) {
			came = m->pkt_len == 60 && plx_mbuf_data(m)[20] == mark;
			plx_mbuf_free(m);
		}
	}
	close(fd);
	return came;
}

TEST(af_xdp, a_start_that_fails_leaves_others_in_the_map)
{
	struct plx_port *first, *second;
	char text[128];
	struct lab l;

	lab_open(&l);
	if (plx_port_open(l.ctx, "af_xdp:pa", &first) == -EPERM) {
		lab_close(&l);
		SKIP("loading a BPF program takes root; a user namespace is not enough");
	}
	CHECK_EQ(plx_port_close(first), 0);
	first = set_up(&l, "af_xdp:pa");
	pin(&l, first);
	if (plx_port_start(first) != 0)
		UNIT_FAIL(plx_errmsg());
	CHECK(arrives(first, 1));
	snprintf(text, sizeof(text), "af_xdp:pa,xsks_map=%s", l.map);
	second = set_up(&l, text);
	CHECK_EQ(plx_port_start(second), -EBUSY);
	CHECK_HAS(plx_errmsg(), "another AF_XDP socket's");
	CHECK(arrives(first, 2));
	/* and what it entered it takes out */
	CHECK_EQ(plx_port_stop(first), 0);
	CHECK_EQ(plx_port_close(second), 0);
	CHECK_EQ(plx_port_start(first), 0);
	CHECK(arrives(first, 3));
	lab_close(&l);
}

/* Taken before control work knew that the interface is down: not sent, and said so. */
TEST(af_xdp, what_a_stop_finds_unsent_is_an_error)
{
	struct plx_port_stats s;
	struct plx_mbuf *m[5];
	struct plx_port *port;
	struct lab l;

	lab_open(&l);
	if (plx_port_open(l.ctx, "af_xdp:pa", &port) == -EPERM) {
		lab_close(&l);
		SKIP("loading a BPF program takes root; a user namespace is not enough");
	}
	CHECK_EQ(plx_port_close(port), 0);
	port = set_up(&l, "af_xdp:pa");
	CHECK_EQ(plx_port_start(port), 0);
	CHECK_EQ(plx_port_link_wait(port, UINT64_C(5000000000)), 0);
	CHECK_EQ(ip("link set dev pa down"), 0);
	for (unsigned i = 0; i < 5; i++) {
		m[i] = plx_mbuf_alloc(l.pool);
		memset(plx_mbuf_append(m[i], 60), 0xff, 60);
	}
	CHECK_EQ(plx_tx_burst(plx_port_txq(port, 0), m, 5), 5);
	CHECK_EQ(plx_port_stop(port), 0);
	CHECK_EQ(plx_port_stats(port, &s), 0);
	CHECK_EQ(s.tx_packets, 5);
	CHECK_EQ(s.tx_done, 5);
	CHECK_EQ(s.tx_errors, 5);
	CHECK_EQ(plx_port_stats_reset(port), 0);
	CHECK_EQ(plx_port_stats(port, &s), 0);
	CHECK_EQ(s.tx_errors, 0);
	lab_close(&l);
}
