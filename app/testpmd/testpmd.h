/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * testpmd: forwards packets between ports and says how fast.
 *
 *   options.c   the command line
 *   ports.c     opens and sets up the ports and the pool
 *   streams.c   which RX queue goes to which TX queue, on which thread
 *   plan.c      how the threads are told, also while they run
 *   workers.c   the threads
 *   fwd_X.c     one forwarding mode each
 *   run.c       start, stop, and when to end
 *   report.c    the live line and the table at the end; json.c: the same for programs
 *   live.c      the live table on a terminal; table.c: columns
 *   shell.c     where commands come from; edit.c: a terminal
 *   cmd.c       what a line of words means; commands.c has all of them, one row each
 *   cmd_X.c     what they do
 *
 * One thread, main's, is in control of everything but the queues; the others are workers. Which
 * streams a worker serves, and in which mode, is in a plan that nobody changes. To change anything,
 * control changes what is wanted (options, ports, forwarding) and calls plan_update(): streams that
 * are to change are taken out of the plan, which every worker has seen when the call goes on; they
 * are control's alone then, are changed, and come back with the next plan. All others go on.
 */
#ifndef TESTPMD_H
#define TESTPMD_H

#include <pthread.h>
#include <stdio.h>

#include "mode_opts.h"
#include "plx_ethdev.h"
#include "plx_stats.h"

enum { MAX_PORTS = 32, MAX_CORES = 64, MAX_BURST = 512, MAX_QUEUES = 64 };
enum { MAX_LATER = 2 * MAX_BURST };

enum topology { TOPOLOGY_PAIRED, TOPOLOGY_CHAINED, TOPOLOGY_LOOP };

/* What modes count beside packets; stream_ctr_names has their names. */
enum stream_ctr {
	CTR_BAD_IP,
	CTR_BAD_L4,
	CTR_BAD_OUTER_IP,
	CTR_BAD_OUTER_L4,
	CTR_ARP_REPLIES,
	CTR_ND_REPLIES,
	CTR_ECHO_REPLIES,
	CTR_IGNORED,
	STREAM_CTRS
};

struct fwd_mode;
struct testpmd;
struct plan;

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
	bool interactive, auto_start;
	const char *cmdline_file; /* NULL: none */
	const char *json;         /* NULL, "-" or a file */
	const char *stats_file;   /* NULL: none */
	struct mode_opts modes;
};

/* options.c: 0, or the program's exit code plus 1 (help and version end it with 0). */
int options_parse(struct options *o, int argc, char **argv);

struct tp_port {
	char *device;          /* the string it was opened with; NULL: no port has this number */
	struct plx_port *port; /* NULL: none */
	struct plx_port_info info;
	struct plx_mbuf_pool *pool;
	struct plx_mbuf_pool *own_pool; /* of a port that came later, for which pool is too small */
	uint32_t own_mbufs;
	uint16_t n_rxq, n_txq, rxd, txd, mtu; /* descriptors 0: the driver's default */
	bool promisc, allmulti, strip;
	/* that it is configured with; those that modes asked for stay with it */
	uint32_t rx_offloads, tx_offloads, mode_rx, mode_tx;
	bool started;
	bool held;   /* control needs its queues: its streams are in no plan */
	bool failed; /* a queue failed or the device left */
	/* of streams that are no more, or send elsewhere by now: what its TX queues did not take */
	uint64_t dropped;
};

/* What a stream is made for; streams whose wiring stays need not be touched. */
struct wiring {
	const struct fwd_mode *mode; /* NULL: it does not forward */
	struct tp_port *tx_port;
	struct plx_rxq *rxq;
	struct plx_txq *txq;
	uint16_t burst;
	uint16_t worker;
};

/* What one thread does again and again: packets of one RX queue to one TX queue. */
struct stream {
	/* hot */
	struct plx_rxq *rxq;
	struct plx_txq *txq;
	uint16_t burst;
	bool patient;     /* the input waits (a capture): never drop, wait for room */
	uint16_t n_later; /* packets in later */
	uint64_t *budget; /* packets that all streams may still take; NULL: any number */
	/* counters: written by the stream's thread, read by the one that reports; they only grow */
	uint64_t rx, tx, dropped;
	uint64_t busy_cycles, busy_packets; /* of the bursts that were measured */
	uint64_t ctr[STREAM_CTRS];
	/* cold */
	struct tp_port *rx_port, *tx_port;
	uint16_t queue; /* of rx_port; tx_port's may be another */
	int core;       /* the worker that the user wants; -1: any */
	void *state;    /* the mode's own */
	struct plx_mbuf_pool *pool;
	struct plx_mempool_cache *cache; /* of modes that make packets, and for drops */
	struct plx_mac peer, own;
	struct wiring now;
	struct wiring refused; /* in which it could not begin: not tried again; or mode NULL */
	bool changing, gone;   /* of control, inside plan_update() */
	uint64_t start_rx, start_tx, start_dropped; /* what there was at start */
	uint64_t dropped_before;           /* of dropped: what tx_port->dropped has already */
	uint64_t bursts[MAX_BURST + 1];    /* by size */
	struct plx_mbuf *later[MAX_LATER]; /* received, for which there was no room yet */
} PLX_CACHE_ALIGNED;

/* A forwarding mode: one file, one line in the list of fwd.c. */
struct fwd_mode {
	const char *name;
	const char *help;
	bool no_rx; /* it makes its packets itself */
	bool no_tx;
	bool counts_rx; /* with no_rx: it takes what comes in, too, and frees it */
	uint32_t rx_offloads, tx_offloads; /* wanted of ports that have them */
	uint32_t ctrs;                     /* a bit for each enum stream_ctr that it counts */
	bool echo; /* packets leave through the port that they came in through, whatever the topology */
	/* One burst of a stream; returns the packets it handled. It never waits. */
	uint16_t (*burst)(struct stream *s);
	/*
	 * Before the stream's first burst in this mode, and again after end when its ports, queues or
	 * burst have changed. May set s->state, which is NULL. 0, or -1 after complain(). The
	 * control thread, which has the stream for itself. May be NULL, as end.
	 */
	int (*begin)(struct testpmd *t, struct stream *s);
	/* After its last burst: frees s->state and the packets in it. The control thread. */
	void (*end)(struct stream *s);
};
extern const struct fwd_mode fwd_io, fwd_mac, fwd_macswap, fwd_rxonly, fwd_txonly;
extern const struct fwd_mode fwd_5tswap, fwd_noisy, fwd_flowgen, fwd_icmpecho, fwd_csum;
extern const struct fwd_mode *const fwd_modes[]; /* all, the default first, NULL last */
extern const char *const stream_ctr_names[STREAM_CTRS];

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

/* Sends what waits in later; is there still something? */
bool stream_later(struct stream *s);

static inline uint16_t stream_rx(struct stream *s, struct plx_mbuf **pkts)
{
	uint16_t want, n;

	if (plx_unlikely(s->n_later != 0) && stream_later(s))
		return 0;
	want = stream_want(s);
	n = plx_rx_burst(s->rxq, pkts, want);
	stream_got(s, want, n);
	plx_stats_add(&s->rx, n);
	return n;
}

void stream_tx_rest(struct stream *s, struct plx_mbuf **pkts, uint16_t n);

/* Sends n packets; what is not taken is dropped, or sent later if the input is patient. */
static inline void stream_tx(struct stream *s, struct plx_mbuf **pkts, uint16_t n)
{
	uint16_t sent = plx_likely(s->n_later == 0) ? plx_tx_burst(s->txq, pkts, n) : 0;

	plx_stats_add(&s->tx, sent);
	if (plx_unlikely(sent < n))
		stream_tx_rest(s, pkts + sent, (uint16_t)(n - sent));
}

/* What streams counted. */
struct counts {
	uint64_t rx, tx, dropped;
	uint64_t busy_cycles, busy_packets;
	uint64_t ctr[STREAM_CTRS];
	uint64_t bursts[MAX_BURST + 1];
};

struct worker {
	pthread_t thread;
	struct testpmd *t;
	uint16_t index;
	uint64_t seen; /* number of the plan it works on; atomic */
	int cpu;       /* that it is pinned to, or -1 */
	bool failed;   /* it could not be pinned; atomic */
};

/* What ports and streams have counted. */
struct totals {
	struct plx_port_stats ports[MAX_PORTS];
	struct plx_port_stats left; /* sums of ports that were detached */
	uint64_t left_dropped;
	uint64_t dropped[MAX_PORTS]; /* by the port that did not take them */
	uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes, all_dropped; /* of all these */
	uint64_t busy_cycles, busy_packets;
	uint64_t bursts, burst_packets; /* that brought something */
	uint64_t ctr[STREAM_CTRS];
	uint64_t by_size[MAX_BURST + 1];
	uint64_t ns;
};

struct testpmd {
	struct options opt;
	struct plx_ctx *ctx;
	struct plx_mbuf_pool *pool;
	struct plx_mbuf_pool **pools; /* all there are; each is named to every port */
	size_t n_pools;
	uint32_t n_mbufs;
	struct tp_port ports[MAX_PORTS];
	uint16_t n_ports;           /* numbers below this; some may have no port */
	struct plx_port_stats left; /* sums of ports that were detached */
	uint64_t left_dropped;
	struct stream **streams; /* by port, then queue */
	size_t n_streams;
	struct counts past;      /* of streams that are no more */
	bool forwarding;         /* wanted: between start and stop */
	const struct plan *plan; /* atomic: the one in force */
	uint64_t n_plans;
	pthread_mutex_t lock; /* workers without work sleep on wake */
	pthread_cond_t wake;
	struct worker workers[MAX_CORES];
	uint16_t n_workers;
	pthread_t control; /* main's */
	uint64_t budget;   /* of --packets; atomic */
	bool failed;
	bool quit; /* of the shell */
	/* of the forwarding between start and stop that is, or that was last */
	uint64_t start_ns, end_ns;
	bool reported; /* what forwarding since start came to was printed */
	uint64_t start_received;
	struct totals base;   /* at its start, or when counters were cleared */
	struct totals before; /* at the last live line */
	uint64_t next_live_ns;
	/* by show stats, and when; rx_packets UINT64_MAX: begun anew since, so that there is no rate */
	struct plx_port_stats shown[MAX_PORTS];
	uint64_t shown_ns;
	struct live *live; /* live.c; NULL: no table on the terminal */
};

/* ports.c */
int ports_open(struct testpmd *t);
int ports_start(struct testpmd *t);
int ports_stop(struct testpmd *t);
void ports_forget(struct testpmd *t);
/* One port alone, in this order; -1 after complain(). */
int port_open(struct testpmd *t, struct tp_port *p, const char *device);
int port_set_up(struct testpmd *t, struct tp_port *p);
int port_start(struct testpmd *t, struct tp_port *p);
/* Is it configured without an offload that it has and that the mode wants? */
bool port_lacks_offloads(const struct tp_port *p, const struct fwd_mode *mode);
int port_stop(struct testpmd *t, struct tp_port *p);
/* Its streams are gone or held. 0: there is no port of this number any more. */
int port_close(struct testpmd *t, struct tp_port *p);
/* Mbufs for a port that was not there when the pool was made. */
int port_feed(struct testpmd *t, struct tp_port *p);
/* complain("port N: what: plx_errmsg()"), -1. */
int port_complain(const struct testpmd *t, const struct tp_port *p, const char *what);
/* Its number. */
uint16_t port_number(const struct testpmd *t, const struct tp_port *p);

/* streams.c */
/* Makes the streams that the ports' queues need, and marks those as gone that have none any more. */
int streams_match(struct testpmd *t);
/* Streams no longer send to a port, which is told what it has dropped; they are in no plan. */
void streams_leave(struct testpmd *t, const struct tp_port *p);
/* Frees streams that are gone; they are in no plan. */
void streams_sweep(struct testpmd *t);
void streams_free(struct testpmd *t);
/* Gives up what waits for room; no stream is in a plan. */
void streams_drop_later(struct testpmd *t);
/* What each stream is to be, in the order of t->streams. */
void streams_want(struct testpmd *t, struct wiring *want);
/* That of an RX queue, or NULL. */
struct stream *stream_find(const struct testpmd *t, const struct tp_port *p, uint16_t queue);
/* The same but for the worker? */
bool wiring_same(const struct wiring *a, const struct wiring *b);
int stream_rewire(struct testpmd *t, struct stream *s, const struct wiring *want);
/* What all streams have counted, those that are gone included. */
void streams_count(const struct testpmd *t, struct counts *sum);

/* plan.c */
struct duty {
	struct stream **streams;
	size_t n;
	int cpu; /* -1: not pinned */
};
struct plan {
	uint64_t number;
	bool quit;
	const struct fwd_mode *mode;
	struct duty duties[MAX_CORES];
	struct stream *streams[];
};
/*
 * Makes the workers do what options and ports say. 0, or -1 after complain(): a stream that could
 * not have what it should is left out, until it is to have something else.
 */
int plan_update(struct testpmd *t);
/* Every worker has ended what it was doing, and begun anew. */
int plan_sync(struct testpmd *t);
/* Takes a port's streams out of the plan; plan_release() lets them back. */
int plan_hold(struct testpmd *t, struct tp_port *p);
int plan_release(struct testpmd *t, struct tp_port *p);
/* Begins all streams anew: what they took from ports or options has changed. */
int plan_refresh(struct testpmd *t);
/* Makes all streams ready for a mode, for this thread alone; not while packets are forwarded. */
int plan_lend(struct testpmd *t, const struct fwd_mode *mode);

/* workers.c */
int workers_start(struct testpmd *t, uint16_t n);
void workers_end(struct testpmd *t);
/* Puts a plan in force; returns when no worker looks at the one before. */
void workers_publish(struct testpmd *t, const struct plan *plan);
/* Has a worker failed? */
bool workers_failed(const struct testpmd *t);

/* run.c */
void signals_catch(bool on);
bool was_interrupted(void);
/* Forwards until there is a reason to end. */
int run(struct testpmd *t);
/* From start to stop; 0 or -1. So many bursts are sent out of each TX queue first. */
int forward_start(struct testpmd *t, uint64_t tx_first);
int forward_stop(struct testpmd *t);
/* Control work that is due, now and then: at least every few milliseconds. */
void tick(struct testpmd *t);
/* Is there a reason to stop forwarding: --packets, --duration? */
bool forward_over(struct testpmd *t);

/* report.c */
void totals_read(struct testpmd *t, struct totals *out);
/* What came between: *out = *now - *before. */
void totals_since(const struct totals *before, const struct totals *now, struct totals *out);
/* The forwarding that is counts from here; of one port, or (NULL) all. */
void totals_rebase(struct testpmd *t, const struct tp_port *p);
/* A port is about to be closed: what it counted stays in the sums. */
void totals_leave(struct testpmd *t, struct tp_port *p);
void report_live(struct testpmd *t, const struct totals *before, const struct totals *now);
void report_end(struct testpmd *t, const struct totals *run);
double cycles_per_packet(const struct totals *run);
/* Standard output, unless JSON or a port's packets go there. */
FILE *out_file(const struct testpmd *t);
double per_second(uint64_t n, uint64_t ns);
double ratio(uint64_t a, uint64_t b);

/* live.c */
/* Begins to show a table of all queues, if standard output is a terminal. */
void live_open(struct testpmd *t);
void live_draw(struct testpmd *t);
/* Leaves the terminal as it was. */
void live_close(struct testpmd *t);

/* drivers.c: 1 when it has printed them, or 2: it could not */
int drivers_print(void);

/* json.c */
int json_write(struct testpmd *t, const struct totals *run);

/* One line on standard error: "plx-testpmd: ...", or "FILE:LINE: ..." of a command. */
void complain_at(const char *file, unsigned line);
void complain(const char *fmt, ...) PLX_PRINTF(1, 2);

#endif
