/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The offloads of the vmxnet3 driver against QEMU's model on a TAP interface, whose other end is the
 * kernel's: unfinished checksums and large packets pass both ways as they do on a machine's network.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "plx_cksum.h"
#include "plx_ethdev.h"
#include "qemu_run.h"
#include "unit.h"

#define LONG_NS UINT64_C(10000000000)

enum { MSS = 1400, HEAD = 54, LARGE = HEAD + 14 * MSS, ROOM = 2048 };

struct end {
	struct plx_port *port;
	struct plx_rxq *rxq;
	struct plx_txq *txq;
};

struct lab {
	struct qemu_run q;
	struct plx_ctx *ctx;
	struct plx_mbuf_pool *pool;
	struct end nic, kernel;
};

static void must(int err)
{
	CHECK_STR(err >= 0 ? "" : plx_errmsg(), "");
}

static void quiet(void *arg, enum plx_log_level level, const char *tag, const char *text)
{
}

/* Interfaces made from now on say nothing by themselves. */
static void silence(void)
{
	const int fd = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "1", 1) != 1)
		fprintf(stderr, "IPv6 stays on\n");
	if (fd >= 0)
		close(fd);
}

static void tap_make(void)
{
	if (unshare(CLONE_NEWNET) != 0)
		SKIP("a network namespace takes root, or test/net/netns.sh");
	if (system("ip link >/dev/null 2>&1") != 0)
		SKIP("ip (iproute2) is not installed");
	silence();
	if (system("ip tuntap add dev t0 mode tap vnet_hdr >/dev/null 2>&1 && "
		   "ip link set dev t0 up >/dev/null 2>&1") != 0)
		SKIP("this kernel makes no TAP interfaces");
}

static void up(struct lab *l, struct end *e, const char *dev, uint32_t rx, uint32_t tx)
{
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	struct plx_rxq_conf rx_conf = PLX_RXQ_CONF_INIT;
	struct plx_txq_conf tx_conf = PLX_TXQ_CONF_INIT;

	must(plx_port_open(l->ctx, dev, &e->port));
	conf.rx_offloads = rx;
	conf.tx_offloads = tx;
	conf.promisc = true;
	must(plx_port_configure(e->port, &conf));
	rx_conf.pool = l->pool;
	must(plx_rxq_setup(e->port, 0, &rx_conf, &e->rxq));
	must(plx_txq_setup(e->port, 0, &tx_conf, &e->txq));
	must(plx_port_start(e->port));
	must(plx_port_link_wait(e->port, LONG_NS));
}

static void lab_up(struct lab *l, uint32_t rx)
{
	static const char *const args[] = {"-netdev",
		"tap,id=n0,ifname=t0,script=no,downscript=no,vnet_hdr=on", "-device",
		"vmxnet3,addr=3,romfile=,netdev=n0", NULL};
	struct plx_mbuf_pool_opts po = PLX_MBUF_POOL_OPTS_INIT;
	struct plx_ctx_opts opts = PLX_CTX_OPTS_INIT;
	const char *missing = qemu_run_missing();
	char dev[512];

	memset(l, 0, sizeof(*l));
	if (missing != NULL)
		SKIP(missing);
	tap_make();
	must(qemu_run_init(&l->q));
	must(qemu_run_start(&l->q, 256, args));
	opts.huge = PLX_HUGE_NONE;
	opts.log_fn = quiet;
	must(plx_ctx_open(&opts, &l->ctx));
	/* memory is QEMU's from the first port on */
	snprintf(dev, sizeof(dev), "qemu:%s,slot=3,qmp=%s", l->q.qtest, l->q.qmp);
	po.room = PLX_MBUF_HEADROOM + ROOM;
	must(plx_mbuf_pool_create(l->ctx, &po, &l->pool));
	up(l, &l->nic, dev, rx,
		PLX_TX_OFFLOAD_TCP_CKSUM | PLX_TX_OFFLOAD_UDP_CKSUM | PLX_TX_OFFLOAD_TSO |
			PLX_TX_OFFLOAD_MULTI_SEG);
	up(l, &l->kernel, "af_packet:t0", PLX_RX_OFFLOAD_CKSUM | PLX_RX_OFFLOAD_SCATTER,
		PLX_TX_OFFLOAD_TCP_CKSUM | PLX_TX_OFFLOAD_UDP_CKSUM | PLX_TX_OFFLOAD_TSO |
			PLX_TX_OFFLOAD_MULTI_SEG);
}

static void lab_down(struct lab *l)
{
	must(plx_port_close(l->kernel.port));
	must(plx_port_close(l->nic.port));
	plx_ctx_close(l->ctx);
	qemu_run_stop(&l->q);
}

/* TCP of len bytes from a port, its checksum not computed; large ones to be cut. */
static void send_tcp(struct lab *l, struct end *e, uint16_t port, uint32_t len)
{
	static uint8_t p[LARGE];
	struct plx_mbuf *head = NULL;
	plx_be16 sum;

	memset(p, 0, HEAD);
	memset(p, 0xff, 6);
	p[6] = 2;
	plx_store_be16(p + 12, 0x0800);
	p[14] = 0x45;
	plx_store_be16(p + 16, (uint16_t)(len - 14));
	p[22] = 64;
	p[23] = 6;
	plx_store_be32(p + 26, 0x0a000001);
	plx_store_be32(p + 30, 0x0a000002);
	sum = plx_cksum(p + 14, 20);
	memcpy(p + 24, &sum, sizeof(sum));
	plx_store_be16(p + 34, port);
	plx_store_be16(p + 36, 9);
	p[46] = 0x50;
	p[47] = 0x10;
	for (uint32_t i = HEAD; i < len; i++)
		p[i] = (uint8_t)(i * 7 + port);
	for (uint32_t done = 0; done < len;) {
		struct plx_mbuf *m = plx_mbuf_alloc(l->pool);
		const uint16_t n = (uint16_t)PLX_MIN((uint32_t)ROOM, len - done);

		CHECK(m != NULL);
		memcpy(plx_mbuf_append(m, n), p + done, n);
		if (head == NULL)
			head = m;
		else
			must(plx_mbuf_chain(head, m));
		done += n;
	}
	head->flags |= PLX_TX_IPV4 | PLX_TX_TCP_CKSUM | (len > 1514 ? PLX_TX_TSO : 0u);
	head->tx.l2_len = 14;
	head->tx.l3_len = 20;
	head->tx.l4_len = 20;
	head->tx.tso_segsz = MSS;
	CHECK_STR(plx_tx_prepare(e->txq, &head, 1) == 1 ? "" : plx_errmsg(), "");
	CHECK_EQ(plx_tx_burst(e->txq, &head, 1), 1);
	plx_tx_reclaim(e->txq);
}

/* The next packet from that port: others, the kernel's, are passed over. */
static struct plx_mbuf *next(struct lab *l, struct end *e, uint16_t port)
{
	const uint64_t until = plx_clock_ns() + LONG_NS;

	while (plx_clock_ns() < until) {
		struct plx_mbuf *m;
		uint8_t p[HEAD];

		plx_ctx_poll(l->ctx);
		if (plx_rx_burst(e->rxq, &m, 1) == 0)
			continue;
		if (m->pkt_len >= HEAD && plx_mbuf_read(m, 0, p, HEAD) == 0 &&
			plx_load_be16(p + 12) == 0x0800 && plx_load_be16(p + 34) == port)
			return m;
		plx_mbuf_free(m);
	}
	UNIT_FAIL("no packet came");
	return NULL;
}

/* Its bytes, and right checksums if it is no packet that is to be cut; where its data is in the whole. */
static uint32_t check(struct plx_mbuf *m, uint16_t port, bool sums)
{
	static uint8_t p[LARGE];
	const struct plx_ipv4_hdr *ip = (const void *)(p + 14);
	const uint32_t len = m->pkt_len, l4_len = len - 34;
	uint32_t at;

	CHECK(len <= LARGE);
	must(plx_mbuf_read(m, 0, p, len));
	at = plx_load_be32(p + 38);
	for (uint32_t i = HEAD; i < len; i++)
		CHECK_EQ(p[i], (uint8_t)((i + at) * 7 + port));
	if (sums) {
		CHECK_EQ(plx_cksum(ip, 20).v, 0);
		CHECK_EQ(plx_cksum_fold(plx_cksum_add(plx_ipv4_phdr_sum(ip, 6, (uint16_t)l4_len),
						p + 34, l4_len))
				 .v,
			0xffff);
	}
	plx_mbuf_free(m);
	return len - HEAD;
}

TEST(vmxnet3_tap, unfinished_checksums_are_finished_both_ways)
{
	static struct lab l;

	lab_up(&l, PLX_RX_OFFLOAD_CKSUM);
	for (uint16_t i = 0; i < 50; i++) {
		const uint32_t len = 60 + i * 29u;
		struct plx_mbuf *m;

		send_tcp(&l, &l.kernel, (uint16_t)(100 + i), len);
		m = next(&l, &l.nic, (uint16_t)(100 + i));
		CHECK_EQ(m->flags, PLX_RX_IP_CKSUM_GOOD | PLX_RX_L4_CKSUM_GOOD);
		CHECK_EQ(m->ptype, PLX_PTYPE_L2_ETHER | PLX_PTYPE_L3_IPV4_EXT | PLX_PTYPE_L4_TCP);
		CHECK_EQ(check(m, (uint16_t)(100 + i), true), len - HEAD);
		send_tcp(&l, &l.nic, (uint16_t)(200 + i), len);
		m = next(&l, &l.kernel, (uint16_t)(200 + i));
		CHECK_EQ(check(m, (uint16_t)(200 + i), true), len - HEAD);
	}
	lab_down(&l);
}

TEST(vmxnet3_tap, large_packets_come_whole_with_lro)
{
	static struct lab l;

	lab_up(&l, PLX_RX_OFFLOAD_LRO | PLX_RX_OFFLOAD_SCATTER);
	for (uint16_t i = 0; i < 20; i++) {
		struct plx_mbuf *m;

		send_tcp(&l, &l.kernel, (uint16_t)(100 + i), LARGE);
		m = next(&l, &l.nic, (uint16_t)(100 + i));
		CHECK_EQ(m->pkt_len, LARGE);
		CHECK(m->nsegs > 5);
		CHECK(m->flags & PLX_RX_LRO);
		check(m, (uint16_t)(100 + i), false);
		send_tcp(&l, &l.kernel, (uint16_t)(100 + i), 200);
		m = next(&l, &l.nic, (uint16_t)(100 + i));
		CHECK_EQ(m->flags & PLX_RX_LRO, 0);
		check(m, (uint16_t)(100 + i), true);
	}
	lab_down(&l);
}

/* What the device is to cut reaches the kernel as a large packet, or in pieces. */
TEST(vmxnet3_tap, tso_reaches_the_kernel)
{
	static struct lab l;

	lab_up(&l, 0);
	for (uint16_t i = 0; i < 20; i++) {
		uint32_t came = 0;

		send_tcp(&l, &l.nic, (uint16_t)(100 + i), LARGE);
		while (came < LARGE - HEAD) {
			struct plx_mbuf *m = next(&l, &l.kernel, (uint16_t)(100 + i));
			const bool whole = m->pkt_len == LARGE;

			came += check(m, (uint16_t)(100 + i), !whole);
		}
		CHECK_EQ(came, LARGE - HEAD);
	}
	lab_down(&l);
}
