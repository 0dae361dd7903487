/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the driver share: queues and the port's part. */
#ifndef E1000_H
#define E1000_H

#include "e1000_desc.h"
#include "e1000_hw.h"
#include "ethdev_pmd.h"

enum {
	E1000_MIN_DESC = 32,
	E1000_MAX_DESC = 4096,
	E1000_DESC_ALIGN = 8, /* RDLEN and TDLEN are multiples of 128 bytes */
	E1000_DEF_DESC = 256,
	E1000_FINISH_MS = 60, /* at stop: a ring of 4096 frames of 1518 bytes takes 51 */
	E1000_MAX_QUEUES = 8, /* of any generation, each way */
	E1000_MAX_SEGS = 40,  /* 64 KiB in rooms of 2 KiB, and headers apart */
	E1000_MIN_FRAME = 14, /* an Ethernet header */
	E1000_MIN_SEND = 17,  /* TCTL.PSP pads nothing shorter (10.2.6) */
	E1000_CHUNK = 32,     /* packets handled at a time; not above the smallest cache */
	E1000_TX_HOLD = 64,   /* descriptors in use before a burst looks for finished ones */
};

/*
 * RX ring. The device owns the slots from its head to the tail it was told (RDT); software owns the
 * rest, of which it has armed the first untold already. Slot i holds the buffer sw[i] exactly while
 * it is armed: [head, tail) in order of the ring. One slot at least is not armed, so that tail does
 * not meet head.
 */
struct e1000_rxq {
	struct plx_rxq h;
	/* hot */
	union e1000_rx_desc *ring;
	struct plx_mbuf **sw;
	uint16_t head;    /* the next slot that the device will finish */
	uint16_t tail;    /* the next slot to arm */
	uint16_t spare;   /* slots that want a buffer, beside the one that never has one */
	uint16_t untold;  /* armed slots that the device has not heard of */
	uint16_t batch;   /* so many are worth a doorbell */
	uint16_t buf_len; /* bytes the device writes to a buffer at most */
	bool middle;      /* the next slot does not start a packet: first is set, or ... */
	bool skip;        /* ... what was dropped is not over yet */
	bool scatter, strip;
	bool legacy, advanced;         /* descriptors */
	struct plx_win win;            /* e1000_rx_win() */
	struct plx_mbuf *first, *last; /* a packet of which only a part has come */
	const struct e1000_rx_table *table;
	/* cold */
	struct plx_dma dma;
	bool hash;            /* bursts report the RSS hash */
	uint32_t rdh_seen;    /* watchdog: RDH when last looked at, */
	uint64_t dropped;     /* packets that the device lost as this queue had no descriptor */
	uint64_t missed_seen; /* and the device's count of packets without a descriptor */
};

/*
 * TX ring. The device owns [head, tail); tail never meets head. sw[i] is the packet whose last
 * descriptor is slot i, else NULL. rs has the slots whose descriptors will be reported, oldest first:
 * one reported means that all before it are done.
 */
struct e1000_txq {
	struct plx_txq h;
	/* hot */
	union e1000_tx_desc *ring;
	struct plx_mbuf **sw;
	uint16_t *rs;
	uint16_t head, tail;
	uint16_t used;    /* descriptors in [head, tail) */
	uint16_t unplain; /* from head to the last that must be freed one by one; 0: none */
	uint16_t rs_head, rs_tail;
	uint16_t unmarked; /* descriptors since the last that will be reported */
	uint16_t last;     /* the last slot filled, and what it was filled with */
	uint64_t last_q1;
	/* the context that the device has, and what it makes of packets: length and tag are missing */
	uint64_t ctx_key; /* e1000_tx_key(); 0: none */
	uint64_t ctx_q1;
	uint16_t ctx_headers;
	bool vlan, tso;     /* tags may be inserted, TCP cut */
	bool alone;         /* no other queue sends: the device keeps the context */
	struct plx_win win; /* e1000_tx_win() */
	/* cold */
	struct plx_dma dma;
};

/*
 * What a status becomes: flags below, ptype above, as they lie in an mbuf. Made of
 * e1000_rx_cksum_flags() and e1000_rx_ptype(), which are too long for each packet.
 */
struct e1000_rx_table {
	uint64_t low[1024]; /* by status bits 7:0, and TCPE and IPE above: E1000_RX_LOW() */
	uint64_t type[256]; /* by packet type, of which not all members have so many */
};
#define E1000_RX_LOW(st)       (((st)&0xff) | ((st) >> 29 & 3) << 8)
#define E1000_RX_LOW_STATUS(i) (((i)&0xff) | ((i) >> 8) << 29)

static inline uint64_t e1000_rx_meaning(const struct e1000_rx_table *t, uint32_t st)
{
	return t->low[E1000_RX_LOW(st)] | t->type[E1000_RXS_PKTTYPE(st)];
}

/* With an advanced descriptor, whose packet type is in the first quadword. */
static inline uint64_t e1000_rx_meaning_adv(
	const struct e1000_rx_table *t, uint64_t q0, uint32_t st)
{
	return t->low[E1000_RX_LOW(st)] | t->type[E1000_RXA_TYPE(q0)];
}

/* The counters of 10.2.7, as 64-bit totals since the last reset of statistics. */
enum {
#define X(name, offset, bytes, in, text) E1000_STAT_##name,
	E1000_STATS(X)
#undef X
		E1000_N_STATS
};

/* What plx_port_set_rss() set; on: the device steers or hashes (MRQC), chosen at configure. */
struct e1000_rss {
	bool on;
	uint32_t fields; /* PLX_RSS_* */
	uint8_t key[E1000_KEY_LEN];
	uint8_t table[E1000_N_RETA]; /* queues */
};

/* Interrupts: e1000_irq.c. */
struct e1000_irq {
	struct plx_port *port;
	uint32_t n; /* vectors; 0: none */
	enum plx_irq_type type;
	uint32_t armed;                   /* queues: a bit each; atomic */
	uint32_t units[E1000_MAX_QUEUES]; /* least time between two, of ITR's */
	struct plx_work other;            /* on the last of several vectors */
};

struct e1000_port {
	struct e1000_hw hw;
	struct e1000_irq irq;
	struct plx_mac mac;
	struct e1000_rss rss;
	/* addresses that plx_port_add_mac() named: all zero where there is none */
	struct plx_mac more[E1000_N_RAR - 1];
	struct plx_pause pause; /* what is wanted */
	bool pause_known;       /* what this link has come to is in CTRL */
	bool promisc, allmulti, strip, tx_vlan;
	bool running; /* RX and TX units are on */
	uint32_t mta[E1000_N_MTA], vfta[E1000_N_VFTA];
	uint32_t n_vlans; /* bits in vfta */
	struct e1000_rx_table rx_table;
	uint64_t stats[E1000_N_STATS];
	uint32_t kept[E1000_N_STATS]; /* counters that reading did not clear, as they were then */
	uint64_t gathered_ns;         /* when they were last read; 0: never */
	uint64_t dropped;             /* packets that RX queues had no descriptor for, beside MPC */
};

static inline struct e1000_port *e1000_priv(const struct plx_port *port)
{
	return port->priv;
}

/* e1000_ring.c: rings and their buffers; release may be called on a half set up queue. */
int e1000_rxq_setup(struct plx_port *port, struct plx_rxq *q, const struct plx_rxq_conf *conf);
void e1000_rxq_release(struct plx_port *port, struct plx_rxq *q);
int e1000_txq_setup(struct plx_port *port, struct plx_txq *q, const struct plx_txq_conf *conf);
void e1000_txq_release(struct plx_port *port, struct plx_txq *q);
/* Fills the RX ring from the pool, as far as it goes. */
void e1000_rxq_fill(struct e1000_rxq *q);
/* All buffers back; the rings as new. The device must have stopped. */
void e1000_rxq_drain(struct e1000_rxq *q);
void e1000_txq_drain(struct e1000_txq *q);
/* Adds what a queue lost since last asked, if the device counts that for each, to its sum and the port's. */
void e1000_rxq_lost(struct e1000_port *p, struct e1000_rxq *q);
void e1000_rxq_progress(struct plx_port *port, struct plx_rxq *q, struct plx_progress *p);
void e1000_txq_progress(struct plx_port *port, struct plx_txq *q, struct plx_progress *p);

/* e1000_descs.c */
void e1000_rxq_descs(struct plx_port *port, struct plx_rxq *h, struct plx_desc *out, uint16_t n);
void e1000_txq_descs(struct plx_port *port, struct plx_txq *h, struct plx_desc *out, uint16_t n);

/* e1000_rx.c, e1000_rx_avx2.c: bursts */
uint16_t e1000_rx_plain(struct plx_rxq *h, struct plx_mbuf **pkts, uint16_t n);
/* Plain packets, one at a time: cheaper while there are fewer than four. */
uint16_t e1000_rx_few(struct e1000_rxq *q, struct plx_mbuf **pkts, uint16_t n);
uint16_t e1000_rx_avx2(struct plx_rxq *h, struct plx_mbuf **pkts, uint16_t n);
uint16_t e1000_rx_offload(struct plx_rxq *h, struct plx_mbuf **pkts, uint16_t n);
uint16_t e1000_rx_hash(struct plx_rxq *h, struct plx_mbuf **pkts, uint16_t n);
/* Of the 82574. */
void e1000_rx_table_make(struct e1000_rx_table *t);
/*
 * The rest of a burst that began at slot from and has got packets with so many bytes: any packets.
 * Ends the burst, and returns its packets.
 */
uint16_t e1000_rx_rest(struct e1000_rxq *q, struct plx_mbuf **pkts, uint16_t n, uint16_t from,
	uint16_t got, uint64_t bytes);
/* Plain packets, of up to k slots, in C. */
uint32_t e1000_rx_take(struct e1000_rxq *q, struct plx_mbuf **pkts, uint32_t k, uint64_t *bytes);

/* e1000_tx.c, e1000_tx_avx2.c: bursts, and which of them suits a queue of an 82574 or an 8254x */
plx_tx_fn e1000_82574_tx_select(struct plx_port *port, const struct plx_txq *q);
uint16_t e1000_tx(struct plx_txq *h, struct plx_mbuf **pkts, uint16_t n);
uint16_t e1000_tx_avx2(struct plx_txq *h, struct plx_mbuf **pkts, uint16_t n);
uint16_t e1000_tx_offload(struct plx_txq *h, struct plx_mbuf **pkts, uint16_t n);
uint32_t e1000_tx_reclaim(struct plx_txq *h);
/* Frees the packets of k slots from head, and has them own no address; @return how many. */
uint32_t e1000_tx_free(struct e1000_txq *q, uint16_t k);
/* Frees all that the device has reported; @return how many packets. */
uint32_t e1000_tx_done(struct e1000_txq *q);
/* One packet of any shape; adds its bytes. @return false when there is no room for it now. */
bool e1000_tx_send(struct e1000_txq *q, struct plx_mbuf *m, uint64_t *bytes);
/* Fills up to k slots from tail, which do not wrap, until a packet is not plain: in C. */
uint32_t e1000_tx_plain(
	struct e1000_txq *q, struct plx_mbuf *const *pkts, uint32_t k, uint64_t *bytes);

/* e1000_txprep.c */
int e1000_tx_prepare(struct plx_txq *h, struct plx_mbuf *m);

/* e1000_irq.c. Vectors: enable returns -ENOTSUP where there are none; disable undoes it. */
int e1000_irq_enable(struct plx_port *port);
void e1000_irq_disable(struct e1000_port *p);
/* The device has been set up, or is to be reset. */
void e1000_irq_start(struct plx_port *port);
void e1000_irq_stop(struct plx_port *port);
int e1000_rxq_fd(struct plx_port *port, struct plx_rxq *q);
int e1000_rxq_arm(struct plx_port *port, struct plx_rxq *q, bool on);
int e1000_set_moderation(struct plx_port *port, struct plx_rxq *q, uint64_t ns);

/* e1000_flow.c. Start: the device is reset; link: it was looked at, and may have come up. */
void e1000_pause_start(struct plx_port *port);
int e1000_pause_link(struct plx_port *port, const struct plx_link *link);
int e1000_get_pause(struct plx_port *port, struct plx_pause *pause);
int e1000_set_pause(struct plx_port *port, const struct plx_pause *pause);
int e1000_set_speed(struct plx_port *port, const struct plx_link *want);

/* e1000_nvm.c */
int e1000_eeprom_len(struct plx_port *port, uint32_t *len);
int e1000_eeprom_read(struct plx_port *port, uint32_t off, void *buf, uint32_t len);

/* e1000_rss.c: 7.1.11 */
void e1000_rss_init(struct e1000_rss *rss);
void e1000_rss_configure(struct plx_port *port);
void e1000_rss_start(struct e1000_port *p); /* before the receiver is on */
int e1000_set_rss(struct plx_port *port, const struct plx_rss *want);
int e1000_get_rss(struct plx_port *port, uint8_t *key, uint16_t *table, uint32_t *fields);

/* e1000_stats.c */
/* Adds what a counter says to its total. @return false: all ones. */
bool e1000_stat_update(struct e1000_port *p, unsigned i);
void e1000_stats_gather(struct e1000_port *p);
/* The same with what queues count, unless the device is gone. */
void e1000_stats_gather_all(struct plx_port *port);
void e1000_stats(struct plx_port *port, struct plx_port_stats *stats);
void e1000_stats_reset(struct plx_port *port);
int e1000_xstats(struct plx_port *port, struct plx_xstat *out, size_t max, size_t *n);
int e1000_regs(struct plx_port *port, struct plx_xstat *out, size_t max, size_t *n);

/* n slots on from i in a ring of size slots; n <= size. */
static inline uint16_t e1000_wrap(uint32_t i, uint32_t size)
{
	return (uint16_t)(i >= size ? i - size : i);
}

/* ---- what the RX bursts have in common ---- */

static inline void e1000_rx_arm_run(struct e1000_rxq *q, uint32_t at, void *const *new, uint32_t k)
{
	union e1000_rx_desc *d = q->ring + at;
	struct plx_mbuf *const *m = (struct plx_mbuf *const *)new;

	plx_ptrs_copy((void **)&q->sw[at], new, k);
	for (; k >= 4; k -= 4, d += 4, m += 4) {
		e1000_desc_store(d, m[0]->buf_iova + PLX_MBUF_HEADROOM, 0);
		e1000_desc_store(d + 1, m[1]->buf_iova + PLX_MBUF_HEADROOM, 0);
		e1000_desc_store(d + 2, m[2]->buf_iova + PLX_MBUF_HEADROOM, 0);
		e1000_desc_store(d + 3, m[3]->buf_iova + PLX_MBUF_HEADROOM, 0);
	}
	for (; k != 0; k--)
		e1000_desc_store(d++, (*m++)->buf_iova + PLX_MBUF_HEADROOM, 0);
}

typedef void (*e1000_arm_fn)(struct e1000_rxq *q, uint32_t at, void *const *new, uint32_t k);

/* Arms k slots from tail with the buffers that new holds. */
static PLX_ALWAYS_INLINE void e1000_rx_arm_with(
	struct e1000_rxq *q, void *const *new, uint32_t k, e1000_arm_fn arm)
{
	const uint32_t n = q->h.n_desc, at = q->tail;
	const uint32_t run = PLX_MIN(k, n - at);

	arm(q, at, new, run);
	if (plx_unlikely(run < k))
		e1000_rx_arm_run(q, 0, new + run, k - run);
	q->tail = e1000_wrap(at + k, n);
	q->untold = (uint16_t)(q->untold + k);
}

static inline void e1000_rx_arm(struct e1000_rxq *q, void *const *new, uint32_t k)
{
	e1000_rx_arm_with(q, new, k, e1000_rx_arm_run);
}

/*
 * For a ring that is full, at the start of a packet: how many slots from head may be looked at in
 * one go, up to want; they do not wrap, and there are buffers to replace theirs.
 */
static inline uint32_t e1000_rx_run(struct e1000_rxq *q, uint32_t want)
{
	uint32_t k = PLX_MIN(want, (uint32_t)E1000_CHUNK);

	k = PLX_MIN(k, (uint32_t)q->h.n_desc - q->head);
	if (plx_unlikely(q->h.cache->n < k) && !plx_mempool_cache_fill(q->h.cache, k))
		return 0;
	return k;
}

/* k packets from head were taken: other buffers in their places. */
static PLX_ALWAYS_INLINE void e1000_rx_replace(struct e1000_rxq *q, uint32_t k, e1000_arm_fn arm)
{
	void **new = plx_mempool_cache_get_zc(q->h.cache, k);

	q->head = e1000_wrap(q->head + k, q->h.n_desc);
	if (plx_likely(new != NULL))
		e1000_rx_arm_with(q, new, k, arm);
	else /* a debug build found fault with what the cache holds */
		q->spare = (uint16_t)(q->spare + k);
}

static inline void e1000_rx_count(struct e1000_rxq *q, uint16_t got, uint64_t bytes)
{
	uint64_t *ctr = q->h.ctr;

	plx_ctr_add(&ctr[PLX_RXQ_PACKETS], got);
	plx_ctr_add(&ctr[PLX_RXQ_BYTES], bytes);
	plx_ctr_add(&ctr[PLX_RXQ_BURSTS], 1);
}

static inline void e1000_rx_doorbell(struct e1000_rxq *q)
{
	plx_io_wmb(); /* the descriptors, then the doorbell */
	plx_wr32(&q->win, E1000_RDT, q->tail);
	q->untold = 0;
}

/* Longest plain packet, less the shortest. */
static inline uint32_t e1000_rx_max(const struct e1000_rxq *q)
{
	return PLX_MIN(PLX_READ_ONCE(q->h.max_pkt), (uint32_t)q->buf_len) - E1000_MIN_FRAME;
}

/* The end of a burst that took plain packets only. */
static inline void e1000_rx_end(struct e1000_rxq *q, uint16_t got, uint64_t bytes)
{
	/* the ring is full but for one slot, which loses what the device wrote there */
	e1000_desc_store(&q->ring[q->tail], E1000_NO_ADDR, 0);
	if (q->untold >= q->batch)
		e1000_rx_doorbell(q);
	e1000_rx_count(q, got, bytes);
}

/*
 * How a generation reads what a descriptor says: DD, EOP and VP where an extended one has them in
 * stat_len, and the length.
 */
typedef uint64_t (*e1000_load_fn)(const union e1000_rx_desc *d);

static inline uint64_t e1000_rx_load(const union e1000_rx_desc *d)
{
	return plx_le64_read_once(&d->wb.stat_len);
}

/* Are there fewer than four packets to take, as far as one look tells? */
static PLX_ALWAYS_INLINE bool e1000_rx_are_few(
	const struct e1000_rxq *q, uint16_t n, e1000_load_fn load)
{
	const uint32_t fourth = q->head + 3u;

	return n < 4 || (fourth < q->h.n_desc && !(load(&q->ring[fourth]) & E1000_RXS_DD));
}

/*
 * A burst for plain packets; arm is e1000_rx_arm_run() or does the same. take(q, pkts, k, bytes) takes those of up to k slots from head, which do
 * not wrap, until one is not plain, adds their bytes and returns how many they were.
 */
static PLX_ALWAYS_INLINE uint16_t e1000_rx_burst(struct e1000_rxq *q, struct plx_mbuf **pkts,
	uint16_t n,
	uint32_t (*take)(struct e1000_rxq *q, struct plx_mbuf **pkts, uint32_t k, uint64_t *bytes),
	e1000_arm_fn arm, e1000_load_fn load)
{
	const uint16_t from = q->head;
	uint64_t bytes = 0;
	uint16_t got = 0;

	if (plx_unlikely(q->spare != 0 || q->middle))
		return e1000_rx_rest(q, pkts, n, from, 0, 0);
	while (got < n) {
		const uint32_t k = e1000_rx_run(q, n - (uint32_t)got);
		const uint32_t took = take(q, pkts + got, k, &bytes);

		if (took != 0)
			e1000_rx_replace(q, took, arm);
		got = (uint16_t)(got + took);
		if (took < k || k == 0) {
			if (load(&q->ring[q->head]) & E1000_RXS_DD)
				return e1000_rx_rest(q, pkts, n, from, got, bytes);
			break;
		}
	}
	if (got == 0)
		return 0;
	e1000_rx_end(q, got, bytes);
	return got;
}

/* ---- what the TX bursts have in common ---- */

/* Bytes 20 to 27 of an mbuf: segments, kind, flags. One segment in its own room, no flag for TX. */
#define E1000_SHAPE_MASK  ((uint64_t)PLX_TX_OFFLOADS << 32 | UINT32_MAX)
#define E1000_SHAPE_PLAIN UINT64_C(1)
PLX_STATIC_ASSERT(offsetof(struct plx_mbuf, nsegs) == 20 && offsetof(struct plx_mbuf, kind) == 22 &&
			  offsetof(struct plx_mbuf, flags) == 24,
	"what E1000_SHAPE_MASK covers");

static inline void e1000_tx_advance(struct e1000_txq *q, uint32_t k)
{
	q->tail = e1000_wrap(q->tail + k, q->h.n_desc);
	q->used = (uint16_t)(q->used + k);
	q->unmarked = (uint16_t)(q->unmarked + k);
}

/* What a context depends on, and with it the descriptors that use it; not 0. */
static inline uint64_t e1000_tx_key(const struct plx_mbuf *m)
{
	const uint32_t flags = m->flags & (E1000_TX_CTX | PLX_TX_IPV4 | PLX_TX_IPV6);

	return (uint64_t)flags << 32 | (uint32_t)m->tx.l2_len << 16 | (uint32_t)m->tx.l3_len;
}

/* Has the device report the last slot that was filled, the last of its packet. */
static inline void e1000_tx_mark(struct e1000_txq *q)
{
	const uint16_t at = q->rs_tail;

	plx_le64_write_once(&q->ring[q->last].q[1], q->last_q1 | E1000_TXC_RS);
	PLX_WRITE_ONCE(q->rs[at], q->last);
	PLX_WRITE_ONCE(q->rs_tail, e1000_wrap(at + 1u, q->h.n_desc));
	q->unmarked = 0;
}

/* The end of a burst that took packets. */
static inline void e1000_tx_end(struct e1000_txq *q, uint16_t sent, uint64_t bytes)
{
	if (q->unmarked != 0)
		e1000_tx_mark(q);
	plx_io_wmb(); /* the descriptors, then the doorbell */
	plx_wr32(&q->win, E1000_TDT, q->tail);
	plx_ctr_add(&q->h.ctr[PLX_TXQ_PACKETS], sent);
	plx_ctr_add(&q->h.ctr[PLX_TXQ_BYTES], bytes);
	plx_ctr_add(&q->h.ctr[PLX_TXQ_BURSTS], 1);
}

/* Makes room for a burst of n if it can. */
static inline void e1000_tx_begin(struct e1000_txq *q, uint16_t n)
{
	if (q->used >= E1000_TX_HOLD || q->used + (uint32_t)n > q->h.n_desc - 1u)
		e1000_tx_done(q);
}

/*
 * Fills the slots from tail, which are free and do not wrap, with up to k packets until one is not plain,
 * adds their bytes and returns how many they were.
 */
typedef uint32_t (*e1000_fill_fn)(
	struct e1000_txq *q, struct plx_mbuf *const *pkts, uint32_t k, uint64_t *bytes);
/* One packet of any shape, as e1000_tx_send(). */
typedef bool (*e1000_send_fn)(struct e1000_txq *q, struct plx_mbuf *m, uint64_t *bytes);

/* A burst of which so many packets, with so many bytes, are sent. */
static PLX_ALWAYS_INLINE uint16_t e1000_tx_burst(struct e1000_txq *q, struct plx_mbuf **pkts,
	uint16_t n, uint16_t sent, uint64_t bytes, e1000_fill_fn plain, e1000_send_fn send)
{
	const uint32_t slots = q->h.n_desc - 1u;

	while (sent < n) {
		uint32_t k = PLX_MIN((uint32_t)n - sent, (uint32_t)E1000_CHUNK), did;

		k = PLX_MIN(k, slots - q->used);
		k = PLX_MIN(k, (uint32_t)q->h.n_desc - q->tail);
		did = plain(q, pkts + sent, k, &bytes);
		if (did != 0) {
			q->last = (uint16_t)(q->tail + did - 1);
			sent = (uint16_t)(sent + did);
			e1000_tx_advance(q, did);
		}
		if (plx_unlikely(did < k || k == 0)) {
			if (!send(q, pkts[sent], &bytes) &&
				(e1000_tx_done(q) == 0 || !send(q, pkts[sent], &bytes)))
				break;
			sent++;
		}
		if (q->unmarked >= E1000_CHUNK)
			e1000_tx_mark(q);
	}
	if (sent != 0)
		e1000_tx_end(q, sent, bytes);
	return sent;
}

#endif
