/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK's net_tap for bench_tap.c, on the EAL without huge pages. */
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "bench_tap.h"

static char arg_name[] = "bench", arg_huge[] = "--no-huge", arg_pci[] = "--no-pci",
	    arg_conf[] = "--no-shconf", arg_tel[] = "--no-telemetry", arg_cores[] = "-l",
	    arg_core[] = "0", arg_mem[] = "-m", arg_mib[] = "64", arg_log[] = "--log-level=3",
	    arg_vdev[] = "--vdev=net_tap0,iface=dtap";

struct tap {
	struct rte_mempool *pool;
	uint16_t port;
};

static struct tap the_tap;

int bench_dpdk_init(void)
{
	char *argv[] = {arg_name, arg_huge, arg_pci, arg_conf, arg_tel, arg_cores, arg_core,
		arg_mem, arg_mib, arg_log, arg_vdev, NULL};
	const struct rte_eth_conf conf = {0};
	struct tap *p = &the_tap;

	if (rte_eal_init(11, argv) < 0 || rte_eth_dev_count_avail() != 1)
		return -1;
	p->pool = rte_pktmbuf_pool_create(
		"pkts", TAP_POOL, RTE_MEMPOOL_CACHE_MAX_SIZE, 0, 2176, SOCKET_ID_ANY);
	if (p->pool == NULL || rte_eth_dev_configure(0, 1, 1, &conf) < 0 ||
		rte_eth_rx_queue_setup(0, 0, 256, 0, NULL, p->pool) < 0 ||
		rte_eth_tx_queue_setup(0, 0, 256, 0, NULL) < 0 || rte_eth_dev_start(0) < 0 ||
		rte_eth_promiscuous_enable(0) < 0)
		return -1;
	return 0;
}

static void *make(const struct bench_case *bench)
{
	(void)bench;
	return &the_tap;
}

static void drop(void *obj)
{
	struct rte_mbuf *m;
	(void)obj;

	while (rte_eth_rx_burst(0, 0, &m, 1) == 1)
		rte_pktmbuf_free(m);
}

/* Only a thread with an lcore number has a cache of the pool. */
static void begin(struct bench_thread *t)
{
	(void)t;
	if (rte_thread_register() < 0)
		exit(1);
}

static void end(struct bench_thread *t)
{
	(void)t;
	rte_thread_unregister();
}

static unsigned make_packets(const struct tap *p, struct rte_mbuf **pkts)
{
	if (rte_pktmbuf_alloc_bulk(p->pool, pkts, TAP_BURST) != 0)
		return 0;
	for (unsigned i = 0; i < TAP_BURST; i++)
		memset(rte_pktmbuf_append(pkts[i], TAP_LEN), 2, TAP_LEN);
	return TAP_BURST;
}

#define GET(pkts)     rte_eth_rx_burst(p->port, 0, pkts, TAP_BURST)
#define PUT(pkts, n)  rte_eth_tx_burst(p->port, 0, pkts, (uint16_t)(n))
#define FREE(pkts, n) rte_pktmbuf_free_bulk(pkts, n)
#define MAKE(pkts)    make_packets(p, pkts)

static uint64_t step(struct bench_thread *t)
{
	const struct tap *p = t->run->obj;

	TAP_STEP(struct rte_mbuf, "dtap", GET, PUT, FREE, MAKE);
}

const struct bench_impl bench_dpdk = {"DPDK", make, drop, begin, end, step};
