/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets through a TAP interface, beside DPDK's net_tap where it is installed. Root: it makes a namespace. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>

#include "plx_ethdev.h"

#include "bench_tap.h"

void tap_inject(const char *ifname)
{
	static uint8_t frame[TAP_LEN] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5};
	static int fd = -1;
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_halen = 6};
	struct iovec iov = {frame, sizeof(frame)};
	struct mmsghdr m[TAP_INJECT];
	int done = 0, n;

	if (fd < 0)
		fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	to.sll_ifindex = (int)if_nametoindex(ifname);
	for (int i = 0; i < TAP_INJECT; i++)
		m[i].msg_hdr = (struct msghdr){.msg_name = &to,
			.msg_namelen = sizeof(to),
			.msg_iov = &iov,
			.msg_iovlen = 1};
	while (done < TAP_INJECT) {
		n = sendmmsg(fd, m + done, (unsigned)(TAP_INJECT - done), 0);
		if (n <= 0) {
			perror("sendmmsg");
			exit(1);
		}
		done += n;
	}
}

struct tap {
	struct plx_ctx *ctx;
	struct plx_mbuf_pool *pool;
	struct plx_port *port;
	struct plx_rxq *rx;
	struct plx_txq *tx;
};

static void *make(const struct bench_case *bench)
{
	static struct tap p;
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	struct plx_mbuf_pool_opts po = PLX_MBUF_POOL_OPTS_INIT;
	struct plx_rxq_conf rx = PLX_RXQ_CONF_INIT;
	(void)bench;

	conf.promisc = true;
	po.n = TAP_POOL;
	if (plx_ctx_open(NULL, &p.ctx) == 0 && plx_mbuf_pool_create(p.ctx, &po, &p.pool) == 0 &&
		plx_port_open(p.ctx, "tap:ptap", &p.port) == 0 &&
		plx_port_configure(p.port, &conf) == 0) {
		rx.pool = p.pool;
		if (plx_rxq_setup(p.port, 0, &rx, &p.rx) == 0 &&
			plx_txq_setup(p.port, 0, NULL, &p.tx) == 0 && plx_port_start(p.port) == 0 &&
			plx_port_link_wait(p.port, 1000000000) == 0)
			return &p;
	}
	fprintf(stderr, "%s\n", plx_errmsg());
	return NULL;
}

static void drop(void *obj)
{
	plx_ctx_close(((struct tap *)obj)->ctx);
}

static unsigned make_packets(const struct tap *p, struct plx_mbuf **pkts)
{
	if (plx_mbuf_alloc_bulk(p->pool, pkts, TAP_BURST) < 0)
		return 0;
	for (unsigned i = 0; i < TAP_BURST; i++)
		memset(plx_mbuf_append(pkts[i], TAP_LEN), 2, TAP_LEN);
	return TAP_BURST;
}

#define GET(pkts)     plx_rx_burst(p->rx, pkts, TAP_BURST)
#define PUT(pkts, n)  plx_tx_burst(p->tx, pkts, (uint16_t)(n))
#define FREE(pkts, n) plx_mbuf_free_bulk(pkts, n)
#define MAKE(pkts)    make_packets(p, pkts)

static uint64_t step(struct bench_thread *t)
{
	const struct tap *p = t->run->obj;

	TAP_STEP(struct plx_mbuf, "ptap", GET, PUT, FREE, MAKE);
}

static const struct bench_impl pollux = {"Pollux", make, drop, NULL, NULL, step};

static const struct bench_case cases[] = {
	{"receive, bursts of 32", 1, TAP_BURST, 0, TAP_RX},
	{"send, bursts of 32", 1, TAP_BURST, 0, TAP_TX},
	{"receive and send, bursts of 32", 1, TAP_BURST, 0, TAP_RX | TAP_TX},
};

/* Interfaces of this namespace say nothing by themselves. */
static void no_ipv6(void)
{
	int fd = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "1", 1) != 1)
		perror("disable_ipv6");
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
#ifdef BENCH_DPDK
	const struct bench_impl *const impls[] = {&bench_dpdk, &pollux};
#else
	const struct bench_impl *const impls[] = {&pollux};
#endif
	if (unshare(CLONE_NEWNET) != 0) {
		fprintf(stderr, "a network namespace: %s\n", strerror(errno));
		return 77;
	}
	no_ipv6();
#ifdef BENCH_DPDK
	if (bench_dpdk_init() < 0) {
		fprintf(stderr, "DPDK's net_tap does not start\n");
		return 1;
	}
#endif
	return bench_all(cases, sizeof(cases) / sizeof(cases[0]), impls,
		sizeof(impls) / sizeof(impls[0]), argc, argv);
}
