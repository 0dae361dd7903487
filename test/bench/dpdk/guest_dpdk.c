/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK's side of guest/guest_loop.h: guest-dpdk EAL-ARGUMENT..., with two NICs allowed. */
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_version.h>
#include <unistd.h>

typedef struct rte_mbuf packet;

static struct rte_mempool *pool;

static inline uint16_t packet_get(unsigned port, packet **pkts, uint16_t n)
{
	return rte_eth_rx_burst((uint16_t)port, 0, pkts, n);
}

static inline uint16_t packet_put(unsigned port, packet **pkts, uint16_t n)
{
	return rte_eth_tx_burst((uint16_t)port, 0, pkts, n);
}

static inline uint8_t *packet_data(packet *p)
{
	return rte_pktmbuf_mtod(p, uint8_t *);
}

static int packet_make(packet **pkts, uint16_t n, const uint8_t *data, uint16_t len)
{
	if (rte_pktmbuf_alloc_bulk(pool, pkts, n) != 0)
		return -1;
	for (uint16_t i = 0; i < n; i++)
		memcpy(rte_pktmbuf_append(pkts[i], len), data, len);
	return 0;
}

static void packet_free(packet **pkts, uint16_t n)
{
	rte_pktmbuf_free_bulk(pkts, n);
}

#include "guest_loop.h"

static int start(uint16_t port)
{
	const struct rte_eth_conf conf = {0};
	struct rte_eth_link link = {0};

	if (rte_eth_dev_configure(port, 1, 1, &conf) < 0 ||
		rte_eth_rx_queue_setup(port, 0, GUEST_RING, 0, NULL, pool) < 0 ||
		rte_eth_tx_queue_setup(port, 0, GUEST_RING, 0, NULL) < 0 ||
		rte_eth_dev_start(port) < 0 || rte_eth_promiscuous_enable(port) < 0)
		return -1;
	for (int i = 0; i < 100 && !link.link_status; i++) {
		usleep(100000);
		rte_eth_link_get_nowait(port, &link);
	}
	return link.link_status ? 0 : -1;
}

int main(int argc, char **argv)
{
	if (rte_eal_init(argc, argv) < 0 || rte_eth_dev_count_avail() != 2) {
		fprintf(stderr, "guest-dpdk: no two NICs\n");
		return 1;
	}
	printf("{\"side\": \"dpdk\", \"version\": \"%s\", \"compiler\": \"%s\", \"build\": \"%s\"}\n",
		rte_version(), __VERSION__, BENCH_BUILD);
	pool = rte_pktmbuf_pool_create(
		"pkts", GUEST_POOL - 1, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (pool == NULL || start(0) < 0 || start(1) < 0) {
		fprintf(stderr, "guest-dpdk: the NICs do not start, or have no link\n");
		return 1;
	}
	return guest_measure("dpdk") == 0 ? 0 : 1;
}
