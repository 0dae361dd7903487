/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * testpmd: forwards packets between ports and says how fast.
 *
 *   options.c   the command line
 *   ports.c     opens and sets up the ports and the pool
 *   streams.c   which RX queue goes to which TX queue, on which thread
 *   fwd_X.c     one forwarding mode each
 *   run.c       the threads, and when to end
 *   report.c    the live line and the table at the end; json.c: the same for programs
 */
#ifndef TESTPMD_H
#define TESTPMD_H

#include <pthread.h>

#include "plx_ethdev.h"
#include "plx_stats.h"

enum { MAX_PORTS = 32, MAX_CORES = 64, MAX_BURST = 512, MAX_QUEUES = 64 };

enum topology { TOPOLOGY_PAIRED, TOPOLOGY_CHAINED, TOPOLOGY_LOOP };

struct fwd_mode;

struct options {
	const char *ports[MAX_PORTS];
	uint16_t n_ports;
	const struct fwd_mode *mode;
	enum topology topology;
	uint16_t nb_cores;
	uint16_t cores[MAX_CORES]; /* CPUs to pin to; n_cores 0: none */
	size_t n_cores;
	uint16_t rxq, txq, rxd, txd; /* descriptors 0: the driver's default */
	uint16_t burst;
	uint32_t total_num_mbufs; /* 0: computed */
	uint32_t mbuf_size;       /* data room, headroom included */
	uint32_t mtu;
	uint64_t stats_period_ns; /* 0: no live line */
	uint64_t duration_ns;     /* 0: no limit */
	uint64_t packets;         /* 0: no limit */
	uint64_t link_wait_ns;
	enum plx_huge huge;
	enum plx_isa isa;
	enum plx_log_level log_level;
	const char *json;       /* NULL, "-" or a file */
	const char *stats_file; /* NULL: none */
};

/* options.c: 0, or the program's exit code plus 1 (help and version end it with 0). */
int options_parse(struct options *o, int argc, char **argv);

struct tp_port {
	struct plx_port *port;
	struct plx_port_info info;
	uint16_t n_rxq, n_txq;
	bool failed; /* a queue failed or the device left */
};

/* What one thread does again and again: packets of one RX queue to one TX queue. */
struct stream {
	/* hot */
	struct plx_rxq *rxq;
	struct plx_txq *txq;
	uint16_t burst;
	bool patient;     /* the input waits (a capture): never drop, wait for room */
	uint64_t *budget; /* packets that all streams may still take; NULL: any number */
	/* counters: written by the stream's thread, read by the one that reports */
	uint64_t rx, tx, dropped;
	/* cold */
	struct tp_port *rx_port, *tx_port;
	struct plx_mbuf_pool *pool;
	struct plx_mempool_cache *cache; /* of modes that make packets, and for drops */
	struct plx_mac peer, own;
	const bool *stop;
	uint64_t bursts[MAX_BURST + 1]; /* by size */
} PLX_CACHE_ALIGNED;

/* A forwarding mode: one file, one line in the list of fwd.c. */
struct fwd_mode {
	const char *name;
	const char *help;
	bool no_rx; /* it makes its packets itself */
	bool no_tx;
	/* One burst of a stream; returns the packets it handled. */
	uint16_t (*burst)(struct stream *s);
};
extern const struct fwd_mode fwd_io, fwd_mac, fwd_macswap, fwd_rxonly, fwd_txonly;
extern const struct fwd_mode *const fwd_modes[]; /* all, the default first, NULL last */

/*
 * For modes. With --packets, streams take from one budget what they may want and give back what
 * they did not get: it is met exactly, whichever stream the packets come through.
 */
uint16_t budget_take(uint64_t *budget, uint16_t n);

static inline uint16_t stream_want(struct stream *s)
{
	return plx_likely(s->budget == NULL) ? s->burst : budget_take(s->budget, s->burst);
}

static inline void stream_got(struct stream *s, uint16_t wanted, uint16_t got)
{
	plx_stats_add(&s->bursts[got], 1);
	if (plx_unlikely(s->budget != NULL))
		__atomic_fetch_add(s->budget, (uint64_t)(wanted - got), __ATOMIC_RELAXED);
}

static inline uint16_t stream_rx(struct stream *s, struct plx_mbuf **pkts)
{
	uint16_t want = stream_want(s);
	uint16_t n = plx_rx_burst(s->rxq, pkts, want);

	stream_got(s, want, n);
	plx_stats_add(&s->rx, n);
	return n;
}

void stream_tx_rest(struct stream *s, struct plx_mbuf **pkts, uint16_t n);

/* Sends n packets; what is not taken is dropped, or waited for if the input is patient. */
static inline void stream_tx(struct stream *s, struct plx_mbuf **pkts, uint16_t n)
{
	uint16_t sent = plx_tx_burst(s->txq, pkts, n);

	plx_stats_add(&s->tx, sent);
	if (plx_unlikely(sent < n))
		stream_tx_rest(s, pkts + sent, (uint16_t)(n - sent));
}

struct worker {
	pthread_t thread;
	bool started;
	int cpu; /* -1: not pinned */
	struct stream **streams;
	size_t n_streams;
	const struct fwd_mode *mode;
	const bool *stop;
	uint64_t loops;                     /* passes over the streams; atomic */
	uint64_t busy_cycles, busy_packets; /* of the passes that were measured; atomic */
	int err;
};

struct testpmd {
	struct options opt;
	struct plx_ctx *ctx;
	struct plx_mbuf_pool *pool;
	uint32_t n_mbufs;
	struct tp_port ports[MAX_PORTS];
	struct stream *streams;
	size_t n_streams;
	struct worker workers[MAX_CORES];
	uint16_t n_workers;
	uint64_t budget; /* of --packets; atomic */
	bool stop;       /* atomic: the threads end */
	bool failed;
	uint64_t start_ns, end_ns;
};

/* ports.c */
int ports_open(struct testpmd *t);
int ports_start(struct testpmd *t);
int ports_stop(struct testpmd *t);

/* streams.c */
int streams_make(struct testpmd *t);
void streams_free(struct testpmd *t);

/* run.c */
int run(struct testpmd *t);

/* report.c */
struct totals {
	struct plx_port_stats ports[MAX_PORTS];
	uint64_t dropped[MAX_PORTS]; /* by the port that did not take them */
	uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes, all_dropped;
	uint64_t busy_cycles, busy_packets;
	uint64_t bursts, burst_packets; /* that brought something */
	uint64_t ns;
};
void totals_read(struct testpmd *t, struct totals *out);
void report_live(struct testpmd *t, const struct totals *before, const struct totals *now);
void report_end(struct testpmd *t, const struct totals *end);
double cycles_per_packet(const struct totals *before, const struct totals *now);

/* json.c */
int json_write(struct testpmd *t, const struct totals *end);

/* One line on standard error: "plx-testpmd: ..." */
void complain(const char *fmt, ...) PLX_PRINTF(1, 2);

#endif
