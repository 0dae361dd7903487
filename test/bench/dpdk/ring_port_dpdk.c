/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK's net_ring for bench_ring_port.c: two rings, crossed, on the EAL without huge pages. */
#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "bench_ring_port.h"

static char arg_name[] = "bench", arg_huge[] = "--no-huge", arg_pci[] = "--no-pci",
	    arg_conf[] = "--no-shconf", arg_tel[] = "--no-telemetry", arg_cores[] = "-l",
	    arg_core[] = "0", arg_mem[] = "-m", arg_mib[] = "64", arg_log[] = "--log-level=3";

struct pair {
	struct rte_mempool *pool;
	struct rte_ring *ring[2];
	uint16_t port[2];
};

static struct pair the_pair;

static int start(struct pair *p, uint16_t port)
{
	const struct rte_eth_conf conf = {0};

	if (rte_eth_dev_configure(port, 1, 1, &conf) < 0 ||
		rte_eth_rx_queue_setup(port, 0, PORT_DESC, 0, NULL, p->pool) < 0 ||
		rte_eth_tx_queue_setup(port, 0, PORT_DESC, 0, NULL) < 0)
		return -1;
	return rte_eth_dev_start(port);
}

int bench_dpdk_init(void)
{
	char *argv[] = {arg_name, arg_huge, arg_pci, arg_conf, arg_tel, arg_cores, arg_core,
		arg_mem, arg_mib, arg_log, NULL};
	struct pair *p = &the_pair;

	if (rte_eal_init(10, argv) < 0)
		return -1;
	p->pool = rte_pktmbuf_pool_create("pkts", 2048, 0, 0, 2176, SOCKET_ID_ANY);
	for (unsigned i = 0; i < 2; i++) /* the kind of ring that its own device string makes */
		p->ring[i] = rte_ring_create(i == 0 ? "r0" : "r1", PORT_DESC, SOCKET_ID_ANY,
			RING_F_SP_ENQ | RING_F_SC_DEQ);
	if (p->pool == NULL || p->ring[0] == NULL || p->ring[1] == NULL)
		return -1;
	for (unsigned i = 0; i < 2; i++) {
		int port = rte_eth_from_rings(
			i == 0 ? "p0" : "p1", &p->ring[i], 1, &p->ring[!i], 1, 0);

		if (port < 0 || start(p, (uint16_t)port) < 0)
			return -1;
		p->port[i] = (uint16_t)port;
	}
	return 0;
}

static void *make(const struct bench_case *bench)
{
	struct pair *p = &the_pair;
	struct rte_mbuf *m;

	for (unsigned i = 0; i < bench->keep; i++) {
		m = rte_pktmbuf_alloc(p->pool);
		if (m == NULL || rte_pktmbuf_append(m, PORT_LEN) == NULL ||
			rte_eth_tx_burst(p->port[i % 2], 0, &m, 1) != 1)
			return NULL;
	}
	return p;
}

static void drop(void *obj)
{
	struct pair *p = (struct pair *)obj;
	struct rte_mbuf *m;

	for (unsigned i = 0; i < 2; i++)
		while (rte_eth_rx_burst(p->port[i], 0, &m, 1) == 1)
			rte_pktmbuf_free(m);
}

#define RX(end, pkts)    rte_eth_rx_burst(p->port[end], 0, pkts, PORT_BURST)
#define TX(end, pkts, n) rte_eth_tx_burst(p->port[end], 0, pkts, (uint16_t)(n))
#define DATA(pkt)        rte_pktmbuf_mtod(pkt, void *)

static uint64_t step(struct bench_thread *t)
{
	const struct pair *p = t->run->obj;

	PORT_STEP(struct rte_mbuf, RX, TX, DATA);
}

const struct bench_impl bench_dpdk = {"DPDK", make, drop, NULL, NULL, step};
