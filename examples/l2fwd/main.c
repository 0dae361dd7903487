/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * l2fwd: forwards between pairs of ports, as DPDK's example of that name. It learns nothing: what
 * comes in at a port leaves through its partner (0 and 1, 2 and 3; the last of an odd number is its
 * own), with the MAC addresses rewritten: from the sending port's, to 02:00:00:00:00:<port>.
 *
 *	cc main.c $(pkg-config --cflags --libs pollux) -pthread -o l2fwd
 *	./l2fwd -t 2 pci:0000:03:00.0 pci:0000:03:00.1
 *
 * Threads forward and touch nothing but queues; the main thread does control work, reports links and
 * prints statistics. Packets wait in a buffer of each TX queue until there is a full burst, or for
 * DRAIN_US. It ends when all captures that it reads do, or is interrupted.
 */
#include <plx_ethdev.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MAX_PORTS = 32, BURST = 32, DRAIN_US = 100, TICK_MS = 10 };

/* From a port to its partner. One thread owns both queues: no other lane sends there. */
struct lane {
	struct plx_rxq *rxq;
	struct plx_txq *txq;
	struct plx_mbuf *waiting[BURST];
	uint16_t n_waiting;
	uint8_t macs[2 * PLX_ETH_ALEN]; /* destination and source of what is sent */
	uint64_t dropped;               /* packets that the TX queue did not take */
} PLX_CACHE_ALIGNED;

static struct {
	char **names; /* device strings */
	struct plx_port *ports[MAX_PORTS];
	struct lane lanes[MAX_PORTS];
	pthread_t threads[MAX_PORTS];     /* thread t has the lanes t, t + n_threads, ... */
	int n_ports, n_threads, n_finite; /* finite: their input ends */
	uint64_t period_ns;               /* between statistics; 0: only at the end */
	bool keep_macs;
	bool stop; /* atomic: the threads end */
} fwd = {.n_threads = 1, .period_ns = UINT64_C(10000000000)};

static volatile sig_atomic_t quit;

static void on_signal(int sig)
{
	quit = sig;
}

/* ---- forwarding ---- */

static void flush(struct lane *l)
{
	uint16_t sent = plx_tx_burst(l->txq, l->waiting, l->n_waiting);

	if (sent < l->n_waiting) {
		plx_mbuf_free_bulk(l->waiting + sent, (unsigned)(l->n_waiting - sent));
		PLX_WRITE_ONCE(l->dropped, l->dropped + (uint64_t)(l->n_waiting - sent));
	}
	l->n_waiting = 0;
}

static void forward(struct lane *l)
{
	struct plx_mbuf *pkts[BURST];
	uint16_t n = plx_rx_burst(l->rxq, pkts, BURST);

	for (uint16_t i = 0; i < n; i++) {
		if (!fwd.keep_macs && pkts[i]->data_len >= sizeof(l->macs))
			memcpy(plx_mbuf_data(pkts[i]), l->macs, sizeof(l->macs));
		l->waiting[l->n_waiting++] = pkts[i];
		if (l->n_waiting == BURST)
			flush(l);
	}
}

/* What has waited for long enough goes; a queue without work gives back what it has sent. */
static void drain(struct lane *l)
{
	if (l->n_waiting != 0)
		flush(l);
	else
		plx_tx_reclaim(l->txq);
}

static void *work(void *arg)
{
	uint64_t ticks = plx_tsc_hz() / 1000000 * DRAIN_US, last = plx_tsc();
	int first = (int)((struct lane *)arg - fwd.lanes);

	for (bool stop = false; !stop;) {
		stop = __atomic_load_n(&fwd.stop, __ATOMIC_RELAXED);
		for (int i = first; i < fwd.n_ports; i += fwd.n_threads)
			forward(&fwd.lanes[i]);
		if (plx_tsc() - last < ticks && !stop)
			continue;
		for (int i = first; i < fwd.n_ports; i += fwd.n_threads)
			drain(&fwd.lanes[i]);
		last = plx_tsc();
	}
	return NULL;
}

/* ---- control: the main thread ---- */

static void on_event(void *arg, struct plx_port *port, enum plx_port_event event)
{
	int i = (int)((struct plx_port **)arg - fwd.ports);
	struct plx_link link;

	if (event == PLX_PORT_LINK && plx_port_link(port, false, &link) == 0)
		printf("port %d: link %s, %u Mbit/s\n", i, link.up ? "up" : "down",
			link.speed_mbps);
	else if (event !=
		 PLX_PORT_LINK) /* failed: its thread polls on, and gets nothing meanwhile */
		quit = event == PLX_PORT_GONE || plx_port_reset(port) < 0;
}

static int partner(int i)
{
	return (i ^ 1) < fwd.n_ports ? i ^ 1 : i;
}

/* Port i with a queue each way: where its lane begins and its partner's, back, ends. */
static int set_up(int i, struct plx_mbuf_pool *pool)
{
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	struct plx_rxq_conf rx = PLX_RXQ_CONF_INIT;
	struct plx_txq_conf tx = PLX_TXQ_CONF_INIT;
	struct plx_port *port = fwd.ports[i];
	struct lane *l = &fwd.lanes[i], *back = &fwd.lanes[partner(i)];
	struct plx_port_info info;

	if (plx_port_info(port, &info) < 0)
		return -1;
	fwd.n_finite += info.finite;
	memcpy(l->macs, (uint8_t[]){2, 0, 0, 0, 0, (uint8_t)partner(i)}, PLX_ETH_ALEN);
	memcpy(back->macs + PLX_ETH_ALEN, info.mac.b, PLX_ETH_ALEN);
	conf.promisc = true;
	/* packets longer than a buffer come and go as chains, where the port can do so */
	conf.rx_offloads = info.rx_offloads & PLX_RX_OFFLOAD_SCATTER;
	conf.tx_offloads = info.tx_offloads & PLX_TX_OFFLOAD_MULTI_SEG;
	rx.pool = pool;
	plx_port_on_event(port, on_event, &fwd.ports[i]);
	if (plx_port_configure(port, &conf) < 0 || plx_rxq_setup(port, 0, &rx, &l->rxq) < 0 ||
		plx_txq_setup(port, 0, &tx, &back->txq) < 0)
		return -1;
	return plx_port_start(port);
}

static void print_stats(void)
{
	struct plx_port_stats s;

	for (int i = 0; i < fwd.n_ports; i++)
		if (plx_port_stats(fwd.ports[i], &s) == 0)
			printf("port %d: received %llu, sent %llu, dropped %llu  %s\n", i,
				(unsigned long long)s.rx_packets, (unsigned long long)s.tx_packets,
				(unsigned long long)PLX_READ_ONCE(fwd.lanes[i].dropped),
				fwd.names[i]);
	fflush(stdout);
}

/* Are there inputs that end, and have all of them? */
static bool input_ended(void)
{
	int n = 0;

	for (int i = 0; i < fwd.n_ports; i++)
		n += plx_port_drained(fwd.ports[i]);
	return n != 0 && n == fwd.n_finite;
}

static void control(struct plx_ctx *ctx)
{
	struct pollfd fd = {.fd = plx_ctx_fd(ctx), .events = POLLIN};
	uint64_t next = plx_clock_ns() + fwd.period_ns;

	while (!quit && !input_ended()) {
		poll(&fd, 1, TICK_MS);
		plx_ctx_poll(ctx); /* links, the watchdog: on_event() runs in it */
		if (fwd.period_ns == 0 || plx_clock_ns() < next)
			continue;
		print_stats();
		next += fwd.period_ns;
	}
}

/* One for all: what rings and caches can hold, what waits in lanes, and a burst in each thread's hands. */
static int make_pool(struct plx_ctx *ctx, struct plx_mbuf_pool **pool)
{
	struct plx_mbuf_need need = {.burst = BURST};
	struct plx_mbuf_pool_opts opts = PLX_MBUF_POOL_OPTS_INIT;
	struct plx_port_info info;

	for (int i = 0; i < fwd.n_ports; i++) {
		if (plx_port_info(fwd.ports[i], &info) < 0)
			return -1;
		need.rx_desc += info.def_rx_desc;
		need.tx_desc += info.def_tx_desc;
	}
	/* each queue's cache, and each thread's own, through which it drops packets */
	need.queues = (uint32_t)(2 * fwd.n_ports + fwd.n_threads);
	need.threads = (uint32_t)(fwd.n_threads + fwd.n_ports);
	opts.n = plx_mbuf_pool_need(&need);
	return plx_mbuf_pool_create(ctx, &opts, pool);
}

/* The ports, their lanes and the threads, until it is time to end. */
static int run(struct plx_ctx *ctx)
{
	struct plx_mbuf_pool *pool;
	int started = 0;

	for (int i = 0; i < fwd.n_ports; i++)
		if (plx_port_open(ctx, fwd.names[i], &fwd.ports[i]) < 0)
			return -1;
	if (make_pool(ctx, &pool) < 0)
		return -1;
	for (int i = 0; i < fwd.n_ports; i++)
		if (set_up(i, pool) < 0)
			return -1;
	for (; started < fwd.n_threads; started++)
		if (pthread_create(&fwd.threads[started], NULL, work, &fwd.lanes[started]) != 0)
			break;
	if (started == fwd.n_threads)
		control(ctx);
	__atomic_store_n(&fwd.stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < started; i++)
		pthread_join(fwd.threads[i], NULL);
	for (int i = 0; i < fwd.n_ports; i++)
		plx_port_stop(fwd.ports[i]);
	print_stats();
	return started == fwd.n_threads ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct plx_ctx *ctx = NULL;
	int opt, err;

	while ((opt = getopt(argc, argv, "nt:T:")) != -1) {
		if (opt == 'n')
			fwd.keep_macs = true;
		else if (opt == 't')
			fwd.n_threads = atoi(optarg);
		else if (opt == 'T')
			fwd.period_ns = (uint64_t)atoi(optarg) * UINT64_C(1000000000);
		else
			fwd.n_threads = 0; /* wrong usage */
	}
	fwd.names = argv + optind;
	fwd.n_ports = argc - optind;
	if (fwd.n_ports > MAX_PORTS || fwd.n_threads < 1 || fwd.n_threads > fwd.n_ports) {
		fprintf(stderr, "usage: l2fwd [-n] [-t THREADS] [-T SECONDS] PORT...\n"
				"-n: MAC addresses stay; -T: between statistics, 0: none\n");
		return 2;
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	err = plx_ctx_open(NULL, &ctx) < 0 || run(ctx) < 0;
	if (err != 0)
		fprintf(stderr, "l2fwd: %s\n", plx_errmsg());
	plx_ctx_close(ctx); /* closes the ports and the pool, too */
	return err;
}
