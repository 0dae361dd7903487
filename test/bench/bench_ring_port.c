/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets between two ports of the ring driver, beside DPDK's net_ring where it is installed. */
#include "plx_ethdev.h"

#include "bench_ring_port.h"

struct pair {
	struct plx_ctx *ctx;
	struct plx_mbuf_pool *pool;
	struct plx_rxq *rx[2];
	struct plx_txq *tx[2];
};

static struct plx_port *end_open(struct pair *p, unsigned i)
{
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	struct plx_rxq_conf rx = PLX_RXQ_CONF_INIT;
	struct plx_port *port;

	rx.pool = p->pool;
	rx.n_desc = PORT_DESC;
	if (plx_port_open(p->ctx, "ring:bench", &port) < 0 || plx_port_configure(port, &conf) < 0 ||
		plx_rxq_setup(port, 0, &rx, &p->rx[i]) < 0 ||
		plx_txq_setup(port, 0, NULL, &p->tx[i]) < 0 || plx_port_start(port) < 0)
		return NULL;
	return port;
}

static bool inject(struct pair *p, unsigned packets)
{
	struct plx_mbuf *m;

	for (unsigned i = 0; i < packets; i++) {
		m = plx_mbuf_alloc(p->pool);
		if (m == NULL || plx_mbuf_append(m, PORT_LEN) == NULL ||
			plx_tx_burst(p->tx[i % 2], &m, 1) != 1)
			return false;
	}
	return true;
}

static void *make(const struct bench_case *bench)
{
	static struct pair p;
	struct plx_port *port[2];

	if (plx_ctx_open(NULL, &p.ctx) == 0 && plx_mbuf_pool_create(p.ctx, NULL, &p.pool) == 0 &&
		(port[0] = end_open(&p, 0)) != NULL && (port[1] = end_open(&p, 1)) != NULL &&
		plx_port_link_wait(port[0], 1000000000) == 0 &&
		plx_port_link_wait(port[1], 1000000000) == 0 && inject(&p, bench->keep))
		return &p;
	fprintf(stderr, "%s\n", plx_errmsg());
	return NULL;
}

static void drop(void *obj)
{
	plx_ctx_close(((struct pair *)obj)->ctx);
}

#define RX(end, pkts)    plx_rx_burst(p->rx[end], pkts, PORT_BURST)
#define TX(end, pkts, n) plx_tx_burst(p->tx[end], pkts, (uint16_t)(n))

static uint64_t step(struct bench_thread *t)
{
	const struct pair *p = t->run->obj;

	PORT_STEP(struct plx_mbuf, RX, TX, plx_mbuf_data);
}

static const struct bench_impl pollux = {"Pollux", make, drop, NULL, NULL, step};

static const struct bench_case cases[] = {
	{"1 thread, io, bursts of 32", 1, PORT_BURST, 64, 0},
	{"1 thread, writing, bursts of 32", 1, PORT_BURST, 64, PORT_TOUCH},
	{"2 threads, io, bursts of 32", 2, PORT_BURST, 256, 0},
	{"2 threads, writing, bursts of 32", 2, PORT_BURST, 256, PORT_TOUCH},
};

int main(int argc, char **argv)
{
#ifdef BENCH_DPDK
	const struct bench_impl *const impls[] = {&bench_dpdk, &pollux};

	if (bench_dpdk_init() < 0) {
		fprintf(stderr, "the EAL of DPDK does not start\n");
		return 1;
	}
#else
	const struct bench_impl *const impls[] = {&pollux};
#endif
	return bench_all(cases, sizeof(cases) / sizeof(cases[0]), impls,
		sizeof(impls) / sizeof(impls[0]), argc, argv);
}
