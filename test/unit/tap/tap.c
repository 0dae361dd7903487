/* SPDX-License-Identifier: BSD-3-Clause */
/* TAP interfaces in a network namespace of the test's own; the kernel's stack is the other side. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "plx_cksum.h"
#include "plx_ethdev.h"
#include "unit.h"

struct lab {
	int was; /* the namespace before */
	struct plx_ctx *ctx;
	struct plx_mbuf_pool *pool;
	struct plx_port *port;
	struct plx_rxq *rxq;
	struct plx_txq *txq;
};

enum { MBUFS = 1024 };

static void quiet(void *arg, enum plx_log_level level, const char *tag, const char *text)
{
}

static int ip(const char *arguments)
{
	char command[512];

	snprintf(command, sizeof(command), "ip %s >/dev/null 2>&1", arguments);
	return system(command);
}

static void lab_open(struct lab *l)
{
	struct plx_ctx_opts co = PLX_CTX_OPTS_INIT;
	struct plx_mbuf_pool_opts po = PLX_MBUF_POOL_OPTS_INIT;
	int fd;

	memset(l, 0, sizeof(*l));
	l->was = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (access("/dev/net/tun", R_OK | W_OK) != 0)
		SKIP("no /dev/net/tun for this user");
	if (l->was < 0 || unshare(CLONE_NEWNET) != 0)
		SKIP("a network namespace takes root, or test/net/netns.sh");
	if (ip("link set lo up") != 0)
		SKIP("ip (iproute2) is not installed");
	fd = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		CHECK_EQ(write(fd, "1", 1), 1);
		close(fd);
	}
	co.huge = PLX_HUGE_NONE;
	co.log_fn = quiet;
	CHECK_EQ(plx_ctx_open(&co, &l->ctx), 0);
	po.n = MBUFS;
	CHECK_EQ(plx_mbuf_pool_create(l->ctx, &po, &l->pool), 0);
}

static void lab_close(struct lab *l)
{
	CHECK_EQ(plx_port_close(l->port), 0);
	plx_mempool_cache_flush(plx_mempool_thread_cache(&l->pool->mp));
	CHECK_EQ(plx_mbuf_pool_avail(l->pool), MBUFS);
	plx_ctx_close(l->ctx);
	CHECK_EQ(setns(l->was, CLONE_NEWNET), 0);
	close(l->was);
}

static void set_up(struct lab *l, const char *text, const struct plx_port_conf *conf)
{
	struct plx_rxq_conf rx = PLX_RXQ_CONF_INIT;

	if (plx_port_open(l->ctx, text, &l->port) != 0 || plx_port_configure(l->port, conf) != 0)
		UNIT_FAIL(plx_errmsg());
	rx.pool = l->pool;
	rx.cache = 32;
	for (uint16_t i = 0; i < conf->n_rxq; i++)
		CHECK_EQ(plx_rxq_setup(l->port, i, &rx, NULL), 0);
	for (uint16_t i = 0; i < conf->n_txq; i++)
		CHECK_EQ(plx_txq_setup(l->port, i, NULL, NULL), 0);
	if (plx_port_start(l->port) != 0)
		UNIT_FAIL(plx_errmsg());
	CHECK_EQ(plx_port_link_wait(l->port, UINT64_C(5000000000)), 0);
	l->rxq = plx_port_rxq(l->port, 0);
	l->txq = plx_port_txq(l->port, 0);
}

/* An interface t0 with 10.9.0.1 whose neighbour 10.9.0.2 is the port. */
static void neighbour(struct lab *l)
{
	struct plx_port_info info;
	char command[200];
	const uint8_t *b = info.mac.b;

	CHECK_EQ(plx_port_info(l->port, &info), 0);
	CHECK_EQ(ip("addr add 10.9.0.1/24 dev t0"), 0);
	snprintf(command, sizeof(command),
		"neigh add 10.9.0.2 lladdr %02x:%02x:%02x:%02x:%02x:%02x dev t0", b[0], b[1], b[2],
		b[3], b[4], b[5]);
	CHECK_EQ(ip(command), 0);
}

/* The next packet of EtherType IPv4 within a second, or NULL. */
static struct plx_mbuf *receive(struct lab *l)
{
	const struct timespec nap = {0, 1000000};
	struct plx_mbuf *m;

	for (unsigned i = 0; i < 1000; i++) {
		if (plx_rx_burst(l->rxq, &m, 1) == 0) {
			nanosleep(&nap, NULL);
			continue;
		}
		CHECK_EQ(plx_mbuf_check(m), 0);
		if (plx_load_be16(plx_mbuf_data(m) + 12) == 0x0800)
			return m;
		plx_mbuf_free(m);
	}
	return NULL;
}

static bool has_link(const char *name)
{
	return if_nametoindex(name) != 0;
}

static void refused(struct lab *l, const char *text, int err, const char *why)
{
	struct plx_port *port = NULL;

	CHECK_EQ(plx_port_open(l->ctx, text, &port), err);
	CHECK_HAS(plx_errmsg(), why);
	CHECK(port == NULL);
}

/* ---- the interface ---- */

TEST(tap, what_cannot_be_opened_is_refused_with_the_reason)
{
	struct plx_port *first;
	struct lab l;

	lab_open(&l);
	refused(&l, "tap:a-name-of-sixteen", -EINVAL, "at most 15 characters");
	refused(&l, "tap:lo", -EINVAL, "is no tap");
	refused(&l, "tap:a/b", -EINVAL, "no name");
	refused(&l, "tap:t0,presist=1", -EINVAL, "presist");
	CHECK(!has_link("t0"));
	/* one that is made for one queue has one user */
	CHECK_EQ(ip("tuntap add dev t1 mode tap"), 0);
	CHECK_EQ(plx_port_open(l.ctx, "tap:t1", &first), 0);
	refused(&l, "tap:t1", -EBUSY, "another program uses interface 't1'");
	CHECK_EQ(plx_port_close(first), 0);
	CHECK(has_link("t1"));
	lab_close(&l);
}

TEST(tap, an_interface_ends_with_its_port_unless_it_is_to_stay)
{
	struct plx_port *port;
	struct lab l;

	lab_open(&l);
	CHECK_EQ(plx_port_open(l.ctx, "tap:t0", &port), 0);
	CHECK(has_link("t0"));
	CHECK_EQ(plx_port_close(port), 0);
	CHECK(!has_link("t0"));
	CHECK_EQ(plx_port_open(l.ctx, "tap:p%d,persist=1", &port), 0);
	CHECK_EQ(plx_port_close(port), 0);
	CHECK(has_link("p0"));
	CHECK_EQ(plx_port_open(l.ctx, "tap:", &port), 0);
	CHECK(has_link("tap0"));
	CHECK_EQ(plx_port_close(port), 0);
	lab_close(&l);
}

/* In a child that gave up being root: its exit status, 0 for success. */
static int as_nobody(const char *text, const char *want)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct plx_ctx_opts co = PLX_CTX_OPTS_INIT;
		struct plx_ctx *ctx;
		struct plx_port *port;
		int err;

		co.huge = PLX_HUGE_NONE;
		co.log_fn = quiet;
		if (setgid(65534) != 0 || setuid(65534) != 0)
			_exit(2);
		if (plx_ctx_open(&co, &ctx) != 0)
			_exit(3);
		err = plx_port_open(ctx, text, &port);
		if (want == NULL)
			_exit(err == 0 ? 0 : 4);
		_exit(err == -EPERM && strstr(plx_errmsg(), want) != NULL ? 0 : 5);
	}
	CHECK(pid > 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(tap, an_ordinary_user_gets_his_own_and_else_is_told_what_to_do)
{
	struct lab l;

	lab_open(&l);
	if (geteuid() != 0 || getpwuid(65534) == NULL) {
		lab_close(&l);
		SKIP("becoming another user takes root");
	}
	if (as_nobody("null:", NULL) == 2) {
		lab_close(&l);
		SKIP("the user namespace has one user");
	}
	CHECK_EQ(as_nobody("tap:t0", "ip tuntap add dev t0 mode tap user $USER"), 0);
	CHECK_EQ(as_nobody("tap:t0", "CAP_NET_ADMIN"), 0);
	CHECK_EQ(ip("tuntap add dev t0 mode tap user 65534"), 0);
	CHECK_EQ(as_nobody("tap:t0", NULL), 0);
	CHECK_EQ(ip("tuntap add dev t1 mode tap multi_queue user 65534"), 0);
	CHECK_EQ(as_nobody("tap:t1", NULL), 0);
	lab_close(&l);
}

TEST(tap, queues_are_as_many_as_the_interface_may_have)
{
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	struct plx_port_info info;
	struct lab l;

	lab_open(&l);
	CHECK_EQ(ip("tuntap add dev t1 mode tap"), 0);
	CHECK_EQ(plx_port_open(l.ctx, "tap:t1", &l.port), 0);
	CHECK_EQ(plx_port_info(l.port, &info), 0);
	CHECK_EQ(info.max_rxq, 1);
	CHECK_EQ(info.max_txq, 64);
	CHECK_EQ(plx_port_close(l.port), 0);
	for (uint16_t n = 1; n < 6; n += 2) {
		struct plx_mbuf *m;

		conf.n_rxq = n;
		conf.n_txq = (uint16_t)(6 - n);
		set_up(&l, "tap:t0", &conf);
		for (uint16_t i = 0; i < conf.n_txq; i++) {
			m = plx_mbuf_alloc(l.pool);
			memset(plx_mbuf_append(m, 60), 0xff, 60);
			CHECK_EQ(plx_tx_burst(plx_port_txq(l.port, i), &m, 1), 1);
		}
		for (uint16_t i = 0; i < n; i++)
			CHECK_EQ(plx_rx_burst(plx_port_rxq(l.port, i), &m, 1), 0);
		CHECK_EQ(plx_port_close(l.port), 0);
	}
	l.port = NULL;
	lab_close(&l);
}

TEST(tap, the_link_follows_the_interface_and_the_port)
{
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	struct plx_port_stats s;
	struct plx_mbuf *m;
	struct plx_link link;
	struct lab l;

	lab_open(&l);
	set_up(&l, "tap:t0", &conf);
	CHECK_EQ(ip("link set t0 down"), 0);
	/* before control work knows it, and after */
	m = plx_mbuf_alloc(l.pool);
	memset(plx_mbuf_append(m, 60), 0xff, 60);
	CHECK_EQ(plx_tx_burst(l.txq, &m, 1), 0);
	CHECK_EQ(plx_port_link(l.port, true, &link), 0);
	CHECK(!link.up);
	CHECK_EQ(plx_tx_burst(l.txq, &m, 1), 0);
	CHECK_EQ(plx_port_stats(l.port, &s), 0);
	CHECK_EQ(s.tx_nolink, 2);
	CHECK_EQ(ip("link set t0 up"), 0);
	CHECK_EQ(plx_port_link(l.port, true, &link), 0);
	CHECK(link.up);
	CHECK_EQ(plx_tx_burst(l.txq, &m, 1), 1);
	lab_close(&l);
}

/* Deleted beside a polling thread: a state, soon, and no loop. */
TEST(tap, a_deleted_interface_is_a_port_that_is_gone)
{
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	const struct timespec nap = {0, 10000000};
	struct plx_mbuf *m;
	struct lab l;

	lab_open(&l);
	set_up(&l, "tap:t0", &conf);
	CHECK_EQ(ip("link del t0"), 0);
	CHECK_EQ(plx_rx_burst(l.rxq, &m, 1), 0);
	CHECK(plx_rxq_state(l.rxq, NULL) != PLX_QUEUE_RUNNING);
	m = plx_mbuf_alloc(l.pool);
	memset(plx_mbuf_append(m, 60), 0xff, 60);
	CHECK_EQ(plx_tx_burst(l.txq, &m, 1), 0);
	plx_mbuf_free(m);
	for (unsigned i = 0; i < 500 && plx_rxq_state(l.rxq, NULL) != PLX_QUEUE_GONE; i++) {
		nanosleep(&nap, NULL);
		plx_ctx_poll(l.ctx);
	}
	CHECK_EQ(plx_rxq_state(l.rxq, NULL), PLX_QUEUE_GONE);
	CHECK_EQ(plx_txq_state(l.txq, NULL), PLX_QUEUE_GONE);
	lab_close(&l);
}

TEST(tap, the_mtu_is_the_interfaces)
{
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	struct lab l;

	lab_open(&l);
	conf.mtu = 1280;
	set_up(&l, "tap:t0", &conf);
	CHECK_EQ(system("ip link show t0 | grep -q 'mtu 1280'"), 0);
	CHECK_EQ(plx_port_set_mtu(l.port, 1400), 0);
	CHECK_EQ(system("ip link show t0 | grep -q 'mtu 1400'"), 0);
	CHECK_EQ(plx_port_set_mtu(l.port, 9000), -EINVAL);
	CHECK_HAS(plx_errmsg(), "larger rooms");
	lab_close(&l);
}

/* ---- packets of the kernel ---- */

static int udp_socket(const char *address)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(7000)};
	const struct timeval limit = {2, 0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0);
	a.sin_addr.s_addr = inet_addr(address);
	CHECK_EQ(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	return fd;
}

static void udp_send(int fd, const char *text)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(7000)};

	a.sin_addr.s_addr = inet_addr("10.9.0.2");
	CHECK_EQ(sendto(fd, text, strlen(text), 0, (const struct sockaddr *)&a, sizeof(a)),
		strlen(text));
}

static uint16_t l4_sum(const struct plx_mbuf *m)
{
	const struct plx_ipv4_hdr *h = (const void *)(plx_mbuf_data(m) + 14);
	const uint32_t len = m->pkt_len - 34;

	return plx_cksum_finish(
		plx_cksum_add_mbuf(plx_ipv4_phdr_sum(h, PLX_IP_UDP, (uint16_t)len), m, 34, len))
		.v;
}

/* Whoever computes it, the kernel or the driver, a packet comes with the sum it has on a wire. */
TEST(tap, packets_of_the_kernel_are_complete)
{
	static const char *const texts[] = {"tap:t0", "tap:t0", "tap:t0,vnet=off"};
	const uint32_t offloads[] = {0, PLX_RX_OFFLOAD_CKSUM, 0};

	for (unsigned i = 0; i < 3; i++) {
		struct plx_port_conf conf = PLX_PORT_CONF_INIT;
		struct plx_mbuf *m;
		struct lab l;
		int fd;

		lab_open(&l);
		conf.rx_offloads = offloads[i];
		set_up(&l, texts[i], &conf);
		neighbour(&l);
		fd = udp_socket("10.9.0.1");
		udp_send(fd, "odd");
		m = receive(&l);
		CHECK(m != NULL);
		CHECK_EQ(m->pkt_len, 14 + 20 + 8 + 3);
		CHECK_EQ(l4_sum(m), 0);
		CHECK_EQ(m->flags, offloads[i] ? (uint32_t)PLX_RX_L4_CKSUM_GOOD : 0);
		plx_mbuf_free(m);
		close(fd);
		lab_close(&l);
	}
}

/* Of an interface with a larger MTU; not cut to what fits, in rooms with space behind or without. */
TEST(tap, packets_longer_than_the_mtu_are_errors)
{
	static const uint32_t rooms[] = {PLX_MBUF_ROOM, PLX_MBUF_HEADROOM + 1518};
	static char text[2000];

	memset(text, 'x', sizeof(text) - 1);
	for (unsigned i = 0; i < 2; i++) {
		struct plx_mbuf_pool_opts po = PLX_MBUF_POOL_OPTS_INIT;
		struct plx_port_conf conf = PLX_PORT_CONF_INIT;
		struct plx_port_stats s;
		struct plx_mbuf_pool *all;
		struct plx_mbuf *m;
		struct lab l;
		int fd;

		lab_open(&l);
		all = l.pool;
		po.n = 256;
		po.room = rooms[i];
		CHECK_EQ(plx_mbuf_pool_create(l.ctx, &po, &l.pool), 0);
		CHECK_EQ(ip("tuntap add dev t0 mode tap"), 0);
		CHECK_EQ(ip("link set t0 mtu 9000 up"), 0);
		set_up(&l, "tap:t0", &conf);
		neighbour(&l);
		fd = udp_socket("10.9.0.1");
		udp_send(fd, text);
		text[1518 - 42] = '\0';
		udp_send(fd, text);
		text[1518 - 42] = 'x';
		m = receive(&l);
		CHECK(m != NULL);
		CHECK_EQ(m->pkt_len, 1518);
		CHECK_EQ(l4_sum(m), 0);
		plx_mbuf_free(m);
		CHECK_EQ(plx_port_stats(l.port, &s), 0);
		CHECK_EQ(s.rx_errors, 1);
		CHECK_EQ(plx_port_set_mtu(l.port, 1400), 0);
		CHECK_EQ(plx_port_set_mtu(l.port, 1500), 0);
		close(fd);
		CHECK_EQ(plx_port_close(l.port), 0);
		l.port = NULL;
		l.pool = all;
		lab_close(&l);
	}
}

/* ---- an interface that others used before, and use afterwards ---- */

/* Uses t0 as a program that knows nothing of this one. */
static int attach(int more_flags)
{
	struct ifreq ifr = {.ifr_name = "t0"};
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	CHECK(fd >= 0);
	ifr.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | more_flags);
	CHECK_EQ(ioctl(fd, TUNSETIFF, &ifr), 0);
	return fd;
}

/* A virtual machine's virtio_net_hdr has 12 bytes, and the interface keeps that. */
TEST(tap, the_header_has_the_length_that_the_driver_thinks_it_has)
{
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	const int longer = 12;
	struct plx_mbuf *m;
	struct lab l;
	int fd;

	lab_open(&l);
	CHECK_EQ(ip("tuntap add dev t0 mode tap"), 0);
	fd = attach(IFF_VNET_HDR);
	CHECK_EQ(ioctl(fd, TUNSETVNETHDRSZ, &longer), 0);
	close(fd);
	set_up(&l, "tap:t0", &conf);
	neighbour(&l);
	fd = udp_socket("10.9.0.1");
	udp_send(fd, "odd");
	m = receive(&l);
	CHECK(m != NULL);
	CHECK_EQ(m->pkt_len, 14 + 20 + 8 + 3);
	CHECK_EQ(l4_sum(m), 0);
	plx_mbuf_free(m);
	close(fd);
	lab_close(&l);
}

/* The driver's filter would hide packets for the next one, who would see sums that nobody computed. */
TEST(tap, an_interface_that_stays_is_left_as_it_was)
{
	const struct timespec nap = {0, 10000000};
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	struct plx_mbuf *m;
	struct lab l;
	uint8_t got[2048];
	ssize_t n = 0;
	int fd, tap;

	lab_open(&l);
	CHECK_EQ(ip("tuntap add dev t0 mode tap"), 0);
	conf.rx_offloads = PLX_RX_OFFLOAD_CKSUM;
	set_up(&l, "tap:t0", &conf);
	neighbour(&l);
	CHECK_EQ(plx_port_close(l.port), 0);
	l.port = NULL;
	CHECK_EQ(ip("neigh replace 10.9.0.2 lladdr 02:00:00:00:00:99 dev t0"), 0);
	tap = attach(0);
	fd = udp_socket("10.9.0.1");
	for (unsigned i = 0; i < 200 && n != 14 + 20 + 8 + 3; i++) {
		udp_send(fd, "odd");
		nanosleep(&nap, NULL);
		n = read(tap, got, sizeof(got));
	}
	CHECK_EQ(n, 14 + 20 + 8 + 3);
	m = plx_mbuf_alloc(l.pool);
	memcpy(plx_mbuf_append(m, 45), got, 45);
	CHECK_EQ(l4_sum(m), 0);
	plx_mbuf_free(m);
	close(fd);
	close(tap);
	lab_close(&l);
}

/* Renamed or deleted between two looks of control work: no second one is made of the old name. */
TEST(tap, more_queues_are_of_the_interface_that_was_opened)
{
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	struct lab l;

	lab_open(&l);
	conf.n_rxq = 2;
	CHECK_EQ(plx_port_open(l.ctx, "tap:t0", &l.port), 0);
	CHECK_EQ(ip("link set t0 name t9"), 0);
	CHECK_EQ(plx_port_configure(l.port, &conf), 0);
	CHECK(!has_link("t0"));
	conf.n_rxq = 4;
	CHECK_EQ(ip("link del t9"), 0);
	CHECK_EQ(plx_port_configure(l.port, &conf), -ENODEV);
	CHECK_HAS(plx_errmsg(), "was deleted");
	CHECK(!has_link("t9"));
	lab_close(&l);
}

TEST(tap, groups_are_as_many_as_the_filter_takes)
{
	static struct plx_mac list[1025];
	struct lab l;

	if (unit_emulated())
		SKIP("an emulator may not pass a filter on as long as it is");
	lab_open(&l);
	CHECK_EQ(plx_port_open(l.ctx, "tap:t0", &l.port), 0);
	for (unsigned i = 0; i < 1025; i++)
		list[i] = (struct plx_mac){{1, 0, 0x5e, 0, (uint8_t)(i >> 8), (uint8_t)i}};
	CHECK_EQ(plx_port_set_mcast(l.port, list, 1024), 0);
	CHECK_EQ(plx_port_set_mcast(l.port, list, 1025), -EINVAL);
	CHECK_HAS(plx_errmsg(), "all-multicast");
	lab_close(&l);
}

/* What is for another station the kernel keeps, unless the port takes all. */
TEST(tap, the_filter_is_the_ports_address)
{
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	const struct plx_mac other = {{2, 0, 0, 0, 0, 99}};
	struct plx_mbuf *m;
	struct lab l;
	int fd;

	lab_open(&l);
	set_up(&l, "tap:t0", &conf);
	neighbour(&l);
	fd = udp_socket("10.9.0.1");
	CHECK_EQ(plx_port_set_mac(l.port, &other), 0);
	udp_send(fd, "hidden");
	CHECK_EQ(plx_port_set_promisc(l.port, true), 0);
	udp_send(fd, "shown");
	m = receive(&l);
	CHECK(m != NULL);
	CHECK_EQ(m->pkt_len, 14 + 20 + 8 + 5);
	plx_mbuf_free(m);
	close(fd);
	lab_close(&l);
}

TEST(tap, a_queue_can_be_waited_for)
{
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	struct pollfd p = {.events = POLLIN};
	struct plx_mbuf *m;
	struct lab l;
	int fd;

	lab_open(&l);
	set_up(&l, "tap:t0", &conf);
	neighbour(&l);
	fd = udp_socket("10.9.0.1");
	p.fd = plx_rxq_fd(l.rxq);
	CHECK_EQ(plx_rxq_arm(l.rxq, true), 0);
	CHECK_EQ(poll(&p, 1, 0), 0);
	udp_send(fd, "hello");
	CHECK_EQ(poll(&p, 1, 2000), 1);
	m = receive(&l);
	CHECK(m != NULL);
	plx_mbuf_free(m);
	close(fd);
	lab_close(&l);
}

/* ---- packets to the kernel ---- */

/* A UDP or TCP packet from 10.9.0.2 to the interface, without any sum; payload bytes of it. */
static struct plx_mbuf *make(struct lab *l, uint8_t proto, uint32_t payload)
{
	const uint8_t l4 = proto == PLX_IP_UDP ? 8 : 20;
	const uint32_t len = 34u + l4 + payload;
	const struct plx_mac own = {{2, 0, 0, 0, 0, 7}};
	struct plx_mbuf *head = NULL;
	uint8_t h[54] = {0};

	memset(h, 0xff, 6);
	memcpy(h + 6, own.b, 6);
	plx_store_be16(h + 12, 0x0800);
	h[14] = 0x45;
	plx_store_be16(h + 16, (uint16_t)(len - 14));
	h[22] = 64;
	h[23] = proto;
	plx_store_be32(h + 26, 0x0a090002);
	plx_store_be32(h + 30, 0x0a090001);
	plx_store_be16(h + 34, 7000);
	plx_store_be16(h + 36, 7000);
	if (proto == PLX_IP_UDP)
		plx_store_be16(h + 38, (uint16_t)(8 + payload));
	else
		h[46] = 0x50;
	for (uint32_t done = 0; done < len;) {
		struct plx_mbuf *m = plx_mbuf_alloc(l->pool);
		uint16_t part = (uint16_t)PLX_MIN(len - done, 1900u);

		CHECK(m != NULL);
		memset(plx_mbuf_append(m, part), 'x', part);
		if (head == NULL)
			head = m;
		else
			CHECK_EQ(plx_mbuf_chain(head, m), 0);
		done += part;
	}
	CHECK_EQ(plx_mbuf_write(head, 0, h, 34u + l4), 0);
	head->tx = (struct plx_tx_offload){.l2_len = 14, .l3_len = 20, .l4_len = l4};
	return head;
}

static void send_one(struct lab *l, struct plx_mbuf *m)
{
	if (plx_tx_prepare(l->txq, &m, 1) != 1)
		UNIT_FAIL(plx_errmsg());
	CHECK_EQ(plx_tx_burst(l->txq, &m, 1), 1);
}

static void offload_port(struct lab *l)
{
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;

	lab_open(l);
	conf.tx_offloads = PLX_TX_OFFLOAD_IP_CKSUM | PLX_TX_OFFLOAD_UDP_CKSUM |
			   PLX_TX_OFFLOAD_TCP_CKSUM | PLX_TX_OFFLOAD_TSO | PLX_TX_OFFLOAD_VLAN |
			   PLX_TX_OFFLOAD_MULTI_SEG;
	set_up(l, "tap:t0", &conf);
	neighbour(l);
}

/* Broadcast on Ethernet with a station's IP address is dropped by Linux: the socket takes raw frames. */
static int raw_socket(void)
{
	const struct timeval limit = {2, 0};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(0x0003));

	CHECK(fd >= 0);
	CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	return fd;
}

/* The next frame from station 2:0:0:0:0:7: its length. */
static ssize_t raw_receive(int fd, uint8_t *buf, size_t size)
{
	for (;;) {
		ssize_t n = recv(fd, buf, size, 0);

		if (n < 14 || memcmp(buf + 6, "\2\0\0\0\0\7", 6) == 0)
			return n;
	}
}

TEST(tap, the_kernel_takes_a_packet_whose_sums_it_is_to_make)
{
	struct plx_port_stats s;
	uint8_t got[4096];
	struct plx_mbuf *m;
	struct lab l;
	int fd;

	offload_port(&l);
	fd = raw_socket();
	m = make(&l, PLX_IP_UDP, 100);
	m->flags = PLX_TX_IPV4 | PLX_TX_IP_CKSUM | PLX_TX_UDP_CKSUM;
	send_one(&l, m);
	CHECK_EQ(raw_receive(fd, got, sizeof(got)), 142);
	CHECK_EQ(plx_cksum(got + 14, 20).v, 0);
	/* with a tag, and in several segments; the tag is out of band on a packet socket */
	m = make(&l, PLX_IP_UDP, 1000);
	m->flags = PLX_TX_IPV4 | PLX_TX_IP_CKSUM | PLX_TX_UDP_CKSUM | PLX_TX_VLAN;
	m->vlan = 5;
	send_one(&l, m);
	CHECK_EQ(raw_receive(fd, got, sizeof(got)), 1042);
	CHECK_EQ(plx_cksum(got + 14, 20).v, 0);
	m = make(&l, PLX_IP_UDP, 64);
	m->flags = PLX_TX_VLAN;
	send_one(&l, m);
	CHECK_EQ(raw_receive(fd, got, sizeof(got)), 106);
	CHECK_EQ(plx_load_be16(got + 12), 0x0800);
	CHECK_EQ(plx_port_stats(l.port, &s), 0);
	CHECK_EQ(s.tx_errors, 0);
	CHECK_EQ(s.tx_packets, 3);
	close(fd);
	lab_close(&l);
}

/* The whole way, with the kernel checking the sum it was promised. */
TEST(tap, a_socket_receives_what_was_sent_with_offloads)
{
	struct plx_port_info info;
	struct plx_mbuf *m;
	char got[200];
	struct lab l;
	int fd;

	offload_port(&l);
	CHECK_EQ(plx_port_info(l.port, &info), 0);
	fd = udp_socket("10.9.0.1");
	m = make(&l, PLX_IP_UDP, 100);
	/* the interface's own address, which differs from the port's in the last bit */
	info.mac.b[5] ^= 1;
	CHECK_EQ(plx_mbuf_write(m, 0, info.mac.b, 6), 0);
	m->flags = PLX_TX_IPV4 | PLX_TX_IP_CKSUM | PLX_TX_UDP_CKSUM;
	send_one(&l, m);
	CHECK_EQ(recv(fd, got, sizeof(got), 0), 100);
	CHECK_EQ(got[99], 'x');
	close(fd);
	lab_close(&l);
}

TEST(tap, the_kernel_takes_tcp_in_one_large_piece)
{
	static uint8_t got[65536];
	struct plx_port_stats s;
	struct plx_mbuf *m;
	struct lab l;
	int fd;

	offload_port(&l);
	fd = raw_socket();
	m = make(&l, PLX_IP_TCP, 20000);
	m->flags = PLX_TX_IPV4 | PLX_TX_TCP_CKSUM | PLX_TX_TSO;
	m->tx.tso_segsz = 1460;
	send_one(&l, m);
	CHECK_EQ(raw_receive(fd, got, sizeof(got)), 20054);
	CHECK_EQ(got[20053], 'x');
	CHECK_EQ(plx_cksum(got + 14, 20).v, 0);
	CHECK_EQ(plx_port_stats(l.port, &s), 0);
	CHECK_EQ(s.tx_errors, 0);
	close(fd);
	lab_close(&l);
}

TEST(tap, packets_that_break_a_rule_are_errors)
{
	struct plx_port_stats s;
	struct plx_mbuf *m;
	struct lab l;

	offload_port(&l);
	m = make(&l, PLX_IP_UDP, 1500);
	CHECK_EQ(plx_tx_burst(l.txq, &m, 1), 1); /* longer than the MTU */
	m = make(&l, PLX_IP_UDP, 10);
	m->pkt_len = m->data_len = 13;
	CHECK_EQ(plx_tx_burst(l.txq, &m, 1), 1);
	m = make(&l, PLX_IP_UDP, 0);
	m->flags = PLX_TX_IPV4 | PLX_TX_UDP_CKSUM;
	m->tx.l3_len = 60; /* the sum would lie behind the end */
	CHECK_EQ(plx_tx_burst(l.txq, &m, 1), 1);
	CHECK_EQ(plx_port_stats(l.port, &s), 0);
	CHECK_EQ(s.tx_errors, 3);
	CHECK_EQ(s.tx_done, 3);
	/* prepare says so beforehand */
	m = make(&l, PLX_IP_UDP, 0);
	m->flags = PLX_TX_IPV6 | PLX_TX_UDP_CKSUM;
	m->tx.l3_len = 40;
	CHECK_EQ(plx_tx_prepare(l.txq, &m, 1), 0);
	plx_mbuf_free(m);
	lab_close(&l);
}
