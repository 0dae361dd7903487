/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The smallest program that forwards: what comes in at the first port goes out at the second.
 *
 *	cc main.c $(pkg-config --cflags --libs pollux) -o skeleton
 *	./skeleton pcap:rx=in.pcap pcap:tx=out.pcap
 *
 * It ends when its input does, or is interrupted.
 */
#include <plx_ethdev.h>
#include <signal.h>
#include <stdio.h>

enum { BURST = 32 };

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	interrupted = sig;
}

/* One queue each way, with the driver's own numbers of descriptors. */
static int set_up(struct plx_port *port, struct plx_mbuf_pool *pool)
{
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	struct plx_rxq_conf rx = PLX_RXQ_CONF_INIT;
	struct plx_txq_conf tx = PLX_TXQ_CONF_INIT;
	struct plx_port_info info;
	int err = plx_port_info(port, &info);

	/* packets longer than a buffer come and go as chains, where the port can do so */
	conf.rx_offloads = info.rx_offloads & PLX_RX_OFFLOAD_SCATTER;
	conf.tx_offloads = info.tx_offloads & PLX_TX_OFFLOAD_MULTI_SEG;
	rx.pool = pool;
	if (err == 0)
		err = plx_port_configure(port, &conf);
	if (err == 0)
		err = plx_rxq_setup(port, 0, &rx, NULL);
	if (err == 0)
		err = plx_txq_setup(port, 0, &tx, NULL);
	if (err == 0)
		err = plx_port_start(port);
	return err;
}

static void forward(struct plx_ctx *ctx, struct plx_port *in, struct plx_port *out)
{
	struct plx_rxq *rxq = plx_port_rxq(in, 0);
	struct plx_txq *txq = plx_port_txq(out, 0);
	struct plx_mbuf *pkts[BURST];

	while (!interrupted && !plx_port_drained(in) &&
		plx_rxq_state(rxq, NULL) == PLX_QUEUE_RUNNING) {
		for (int i = 0; i < 1000; i++) {
			uint16_t n = plx_rx_burst(rxq, pkts, BURST);
			uint16_t sent = plx_tx_burst(txq, pkts, n);

			if (sent < n)
				plx_mbuf_free_bulk(pkts + sent, (unsigned)(n - sent));
		}
		plx_ctx_poll(ctx); /* links, the watchdog */
	}
}

/* A pool for both: what the rings and the caches of their queues can hold, and a burst in our hands. */
static int make_pool(
	struct plx_ctx *ctx, struct plx_port *const ports[2], struct plx_mbuf_pool **pool)
{
	struct plx_mbuf_need need = {.threads = 1, .burst = BURST};
	struct plx_mbuf_pool_opts opts = PLX_MBUF_POOL_OPTS_INIT;
	struct plx_port_info info;

	for (int i = 0; i < 2; i++) {
		if (plx_port_info(ports[i], &info) < 0)
			return -1;
		need.rx_desc += info.def_rx_desc;
		need.tx_desc += info.def_tx_desc;
		need.queues += 2;
	}
	need.queues++; /* this thread's own cache, through which it drops packets */
	opts.n = plx_mbuf_pool_need(&need);
	return plx_mbuf_pool_create(ctx, &opts, pool);
}

static int run(struct plx_ctx *ctx, char **names)
{
	struct plx_mbuf_pool *pool;
	struct plx_port *ports[2];
	struct plx_port_stats rx, tx;

	if (plx_port_open(ctx, names[0], &ports[0]) < 0 ||
		plx_port_open(ctx, names[1], &ports[1]) < 0 || make_pool(ctx, ports, &pool) < 0 ||
		set_up(ports[0], pool) < 0 || set_up(ports[1], pool) < 0)
		return -1;
	forward(ctx, ports[0], ports[1]);
	if (plx_port_stop(ports[0]) < 0 || plx_port_stop(ports[1]) < 0 ||
		plx_port_stats(ports[0], &rx) < 0 || plx_port_stats(ports[1], &tx) < 0)
		return -1;
	printf("received %llu, sent %llu\n", (unsigned long long)rx.rx_packets,
		(unsigned long long)tx.tx_packets);
	return 0;
}

int main(int argc, char **argv)
{
	struct plx_ctx *ctx = NULL;
	int err;

	if (argc != 3) {
		fprintf(stderr, "usage: skeleton PORT PORT, for example: skeleton null: null:\n");
		return 2;
	}
	signal(SIGINT, on_signal);
	err = plx_ctx_open(NULL, &ctx);
	if (err == 0)
		err = run(ctx, argv + 1);
	if (err != 0)
		fprintf(stderr, "skeleton: %s\n", plx_errmsg());
	plx_ctx_close(ctx); /* closes the ports and the pool, too */
	return err == 0 ? 0 : 1;
}
