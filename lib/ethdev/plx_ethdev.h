/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports and queues: Ethernet, for programs.
 *
 *   plx_port_open()        one string opens anything: "qemu:/run/q.sock,slot=2", "null:"
 *   plx_port_configure()   how many queues, MTU, offloads
 *   plx_rxq_setup()        each RX queue: descriptors and the pool it takes its mbufs from
 *   plx_txq_setup()        each TX queue: descriptors
 *   plx_port_map_pool()    further pools that it sends from; needed with iommu=private alone
 *   plx_port_start()       traffic from here on; returns at once, the link comes when it comes
 *   plx_rx_burst()         a polling thread takes up to n packets
 *   plx_tx_burst()         and hands up to n to the device, which then owns them
 *   plx_port_stop()        all mbufs the device held are back in their pools
 *   plx_port_close()
 *
 * A program calls plx_ctx_poll() now and then (or lets the context do so): link changes, the
 * watchdog and driver timers run there.
 *
 * Roles and threads. A queue belongs to one thread at a time, and which one is the program's
 * business: bursts on one queue never overlap. Control calls (everything here but the bursts and
 * reads of a queue's state) may come from any thread and are serialised by the port. Polling threads
 * need not be stopped for stop, reset, removal or close of a queue's hardware: the queue is taken
 * from under them (see plx_rx_burst()), and a burst on a queue that is not running returns 0. Only
 * plx_port_configure() and plx_port_close() end the life of the queue pointers themselves: no
 * thread may use one afterwards.
 *
 * What survives. Stop and start keep configuration, queues, MAC and filters. Reset is stop, the
 * device's own reset and start. Configure throws the queues away. Counters live until
 * plx_port_stats_reset().
 *
 * Why bursts: what a call costs beyond its packets (the call, the doorbell, the index updates) is
 * paid once for up to n packets. 32 to 64 is enough.
 *
 * Accounting: at every moment packets handed to plx_tx_burst() and taken = sent + not sent + held by the
 * ring, and after plx_port_stop() held is 0. Not sent (PLX_TXQ_ERRORS, tx_errors) are those that the device
 * cannot send, and those of which it has not said that they are sent when the port is stopped or reset; a
 * driver gives it some milliseconds to finish if there is a link. A peer that loses nothing receives no more
 * than tx_packets - tx_errors.
 */
#ifndef PLX_ETHDEV_H
#define PLX_ETHDEV_H

#include "plx_mbuf.h"
#include "plx_mem.h"

PLX_BEGIN_DECLS

struct plx_port;
struct plx_rxq;
struct plx_txq;

#define PLX_ETH_ALEN    6u
#define PLX_MTU_DEFAULT 1500u
#define PLX_ETH_OVERHEAD \
	22u /**< Ethernet header, one VLAN tag, FCS: what a frame has above its MTU */

struct plx_mac {
	uint8_t b[PLX_ETH_ALEN];
};

/* ---- queues ---- */

/** A queue's state. The errno of FAILED is in the upper half of the word. */
enum plx_queue_state {
	PLX_QUEUE_STOPPED = 0,
	PLX_QUEUE_RUNNING = 1,
	PLX_QUEUE_FAILED = 2, /**< stalled or broken: plx_port_reset() recovers */
	PLX_QUEUE_GONE = 3,   /**< the device has left */
};

/** Counters of a queue, in this order in its statistics object. Written by the queue's thread. */
enum {
	PLX_RXQ_PACKETS,
	PLX_RXQ_BYTES,
	PLX_RXQ_NOMBUF, /**< packets dropped because the pool was empty */
	PLX_RXQ_ERRORS, /**< packets the device marked bad, or that broke a rule; dropped */
	PLX_RXQ_BURSTS, /**< bursts that brought at least one packet */
	PLX_RXQ_COUNTERS = 8
};
enum {
	PLX_TXQ_PACKETS, /**< taken from the program */
	PLX_TXQ_BYTES,
	PLX_TXQ_DONE,   /**< taken packets whose mbufs are free again */
	PLX_TXQ_NOLINK, /**< packets refused because there was no link */
	PLX_TXQ_ERRORS, /**< packets taken and not sent, at stop, too; freed and counted in DONE */
	PLX_TXQ_BURSTS,
	PLX_TXQ_COUNTERS = 8
};

typedef uint16_t (*plx_rx_fn)(struct plx_rxq *q, struct plx_mbuf **pkts, uint16_t n);
typedef uint16_t (*plx_tx_fn)(struct plx_txq *q, struct plx_mbuf **pkts, uint16_t n);
typedef uint32_t (*plx_reclaim_fn)(struct plx_txq *q);

/**
 * The head of every RX queue; a driver's own fields follow. Programs read index, state and port
 * and leave the rest to the inlines.
 */
struct plx_rxq {
	plx_rx_fn burst; /**< published by control calls; a dummy when not running */
	uint32_t busy;   /**< the polling thread is inside burst */
	uint32_t state;  /**< enum plx_queue_state | errno << 16 */
	uint64_t *ctr;   /**< PLX_RXQ_COUNTERS counters, a cache line of their own */
	struct plx_mempool_cache *cache;
	struct plx_mbuf_pool *pool;
	struct plx_port *port;
	uint16_t index;
	uint16_t n_desc;
	uint32_t max_pkt; /**< longest frame to accept, without FCS */
	uint64_t reserved;
} __attribute__((aligned(PLX_CACHE_LINE)));

/** The head of every TX queue. */
struct plx_txq {
	plx_tx_fn burst;
	uint32_t busy;
	uint32_t state;
	uint64_t *ctr; /**< PLX_TXQ_COUNTERS counters */
	struct plx_mempool_cache *cache;
	plx_reclaim_fn reclaim;
	struct plx_port *port;
	uint16_t index;
	uint16_t n_desc;
	uint32_t max_pkt;
	uint64_t reserved;
} __attribute__((aligned(PLX_CACHE_LINE)));

PLX_STATIC_ASSERT(sizeof(struct plx_rxq) == PLX_CACHE_LINE, "a driver's fields start a line");
PLX_STATIC_ASSERT(sizeof(struct plx_txq) == PLX_CACHE_LINE, "a driver's fields start a line");
PLX_STATIC_ASSERT(offsetof(struct plx_rxq, burst) == 0, "burst is first");
PLX_STATIC_ASSERT(offsetof(struct plx_txq, burst) == 0, "burst is first");

/**
 * Takes up to n received packets, without waiting.
 *
 * The thread says that it is inside (a plain store), loads the function, calls it, and says that it
 * has left. A control call that takes the queue away stores the dummy function, issues
 * membarrier(PRIVATE_EXPEDITED) (which is the store-load barrier that this side leaves out) and
 * waits until busy is 0.
 *
 * @param pkts  out: the packets; their fields are as plx_mbuf.h says.
 * @return packets stored, 0 to n. 0 also when the queue is not running: plx_rxq_state() tells.
 * The thread that owns the queue.
 */
static inline uint16_t plx_rx_burst(struct plx_rxq *q, struct plx_mbuf **pkts, uint16_t n)
{
	uint16_t got;

	__atomic_store_n(&q->busy, 1, __ATOMIC_RELAXED);
	/* keeps the load of burst behind the store of busy; membarrier does the rest */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	/* acquire: what start wrote before it published the function */
	got = __atomic_load_n(&q->burst, __ATOMIC_ACQUIRE)(q, pkts, n);
	/* release: control that sees 0 sees all that the burst did */
	__atomic_store_n(&q->busy, 0, __ATOMIC_RELEASE);
	return got;
}

/**
 * Hands up to n packets to the device, without waiting.
 *
 * Those taken belong to the device until it has sent them; then they return to their pools. The
 * rest stay with the caller.
 *
 * @return packets taken, 0 to n: fewer when the ring is full, there is no link
 *   (PLX_TXQ_NOLINK counts) or the queue is not running.
 * The thread that owns the queue.
 */
static inline uint16_t plx_tx_burst(struct plx_txq *q, struct plx_mbuf **pkts, uint16_t n)
{
	uint16_t taken;

	__atomic_store_n(&q->busy, 1, __ATOMIC_RELAXED);
	/* as in plx_rx_burst() */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	taken = __atomic_load_n(&q->burst, __ATOMIC_ACQUIRE)(q, pkts, n);
	__atomic_store_n(&q->busy, 0, __ATOMIC_RELEASE);
	return taken;
}

/**
 * Frees the mbufs of packets that were sent. Bursts do so by themselves when they need room; a
 * queue that falls idle holds what it sent last until this call.
 * @return packets freed. The thread that owns the queue.
 */
static inline uint32_t plx_tx_reclaim(struct plx_txq *q)
{
	uint32_t done;

	__atomic_store_n(&q->busy, 1, __ATOMIC_RELAXED);
	/* as in plx_rx_burst() */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	done = __atomic_load_n(&q->reclaim, __ATOMIC_ACQUIRE)(q);
	__atomic_store_n(&q->busy, 0, __ATOMIC_RELEASE);
	return done;
}

/** The state of a queue; *err (may be NULL) gets the errno of PLX_QUEUE_FAILED. Any thread. */
static inline enum plx_queue_state plx_rxq_state(const struct plx_rxq *q, int *err)
{
	uint32_t s = __atomic_load_n(&q->state, __ATOMIC_ACQUIRE);

	if (err != NULL)
		*err = (int)(s >> 16);
	return (enum plx_queue_state)(s & 0xffff);
}

static inline enum plx_queue_state plx_txq_state(const struct plx_txq *q, int *err)
{
	uint32_t s = __atomic_load_n(&q->state, __ATOMIC_ACQUIRE);

	if (err != NULL)
		*err = (int)(s >> 16);
	return (enum plx_queue_state)(s & 0xffff);
}

/** The three bursts as functions, for other languages. */
PLX_API
uint16_t plx_rx_burst_fn(struct plx_rxq *q, struct plx_mbuf **pkts, uint16_t n);
PLX_API
uint16_t plx_tx_burst_fn(struct plx_txq *q, struct plx_mbuf **pkts, uint16_t n);
PLX_API
uint32_t plx_tx_reclaim_fn(struct plx_txq *q);

/**
 * Checks the offload metadata of up to n packets against what the device can do and the packets'
 * lengths, and does what the device wants done in software (pseudo header sums).
 * @return packets that may be sent; if fewer than n, plx_errmsg() says what is wrong with
 *   pkts[the result]. Without offload flags there is no need to call it. The queue's thread.
 */
PLX_API
uint16_t plx_tx_prepare(struct plx_txq *q, struct plx_mbuf **pkts, uint16_t n);

/* ---- ports ---- */

/** Offloads. The RX and TX sets are separate words. */
enum {
	PLX_RX_OFFLOAD_CKSUM = 1u << 0, /**< IPv4, TCP and UDP checksums are checked */
	PLX_RX_OFFLOAD_VLAN_STRIP = 1u << 1,
	PLX_RX_OFFLOAD_RSS_HASH = 1u << 2,
	PLX_RX_OFFLOAD_SCATTER = 1u << 3, /**< packets longer than a room come as chains */
	PLX_RX_OFFLOAD_TIMESTAMP = 1u << 4,
	PLX_RX_OFFLOAD_LRO = 1u << 5,
	PLX_RX_OFFLOAD_QINQ_STRIP = 1u << 6,
	PLX_RX_OFFLOAD_OUTER_CKSUM = 1u << 7,
};
enum {
	PLX_TX_OFFLOAD_IP_CKSUM = 1u << 0,
	PLX_TX_OFFLOAD_TCP_CKSUM = 1u << 1,
	PLX_TX_OFFLOAD_UDP_CKSUM = 1u << 2,
	PLX_TX_OFFLOAD_SCTP_CKSUM = 1u << 3,
	PLX_TX_OFFLOAD_VLAN = 1u << 4,
	PLX_TX_OFFLOAD_QINQ = 1u << 5,
	PLX_TX_OFFLOAD_TSO = 1u << 6,
	PLX_TX_OFFLOAD_MULTI_SEG = 1u << 7, /**< chains */
	PLX_TX_OFFLOAD_OUTER_CKSUM = 1u << 8,
};

struct plx_port_info {
	const char *driver; /**< "e1000" */
	const char *device; /**< the string it was opened with */
	int node;           /**< NUMA node or -1 */
	struct plx_mac mac; /**< as the device has it now */
	uint16_t max_rxq, max_txq;
	uint16_t min_desc, max_desc, desc_align; /**< of a ring; desc counts are multiples */
	uint16_t def_rx_desc, def_tx_desc, def_burst;
	uint32_t min_mtu, max_mtu;
	uint32_t min_rx_room; /**< data bytes (without headroom) a room must have at least */
	uint32_t rx_offloads, tx_offloads;
	uint16_t rss_key_len, rss_table_len; /**< 0: no RSS */
	uint32_t rss_fields;                 /**< PLX_RSS_* that it can hash */
	uint16_t max_tx_segs;                /**< segments in one packet */
	bool finite;     /**< its input ends (a capture file): plx_port_drained() */
	bool any_length; /**< its packets may be longer than the MTU allows: a capture's */
};

struct plx_port_conf {
	size_t size; /**< sizeof(struct plx_port_conf) */
	uint16_t n_rxq, n_txq;
	uint32_t mtu; /**< largest payload of a frame, bytes */
	uint32_t rx_offloads, tx_offloads;
	bool promisc;
	bool allmulti;
};

#define PLX_PORT_CONF_INIT                                                                    \
	{                                                                                     \
		.size = sizeof(struct plx_port_conf), .n_rxq = 1, .n_txq = 1,                 \
		.mtu = PLX_MTU_DEFAULT, .rx_offloads = 0, .tx_offloads = 0, .promisc = false, \
		.allmulti = false                                                             \
	}

struct plx_rxq_conf {
	size_t size;
	uint16_t n_desc;            /**< 0: the driver's default */
	struct plx_mbuf_pool *pool; /**< must be of the port's context */
	uint32_t cache;             /**< mbufs the queue may keep; 0: the default */
	bool deferred;              /**< not started with the port */
};
#define PLX_RXQ_CONF_INIT                                                                   \
	{                                                                                   \
		.size = sizeof(struct plx_rxq_conf), .n_desc = 0, .pool = NULL, .cache = 0, \
		.deferred = false                                                           \
	}

struct plx_txq_conf {
	size_t size;
	uint16_t n_desc; /**< 0: the driver's default */
	uint32_t cache;  /**< mbufs the queue may keep of those it frees; 0: the default */
	bool deferred;
};
#define PLX_TXQ_CONF_INIT                                                                       \
	{                                                                                       \
		.size = sizeof(struct plx_txq_conf), .n_desc = 0, .cache = 0, .deferred = false \
	}

struct plx_link {
	bool up;
	bool full_duplex;
	bool autoneg;
	uint32_t speed_mbps; /**< 0: unknown or none */
};

struct plx_port_stats {
	uint64_t rx_packets, tx_packets; /**< delivered to, taken from the program */
	uint64_t rx_bytes, tx_bytes;     /**< without FCS */
	uint64_t rx_missed;              /**< dropped by the device: no free descriptor */
	uint64_t rx_errors, tx_errors;
	uint64_t rx_nombuf; /**< dropped because the pool was empty */
	uint64_t tx_done;   /**< taken packets whose mbufs are free again */
	uint64_t tx_nolink;
};

/**
 * Opens a port. Nothing moves yet: the device is found, reset and identified.
 * @param text `kind:address,key=value,...`; the guide's transports page lists the kinds.
 * @return 0 or the error of plx_dev_open() or of the driver; plx_errmsg() has all of it.
 */
PLX_API
int plx_port_open(struct plx_ctx *ctx, const char *text, struct plx_port **port);

/**
 * Stops and closes it; the port and its queues are freed. NULL is allowed.
 * @return 0, or -EBUSY when a thread has been inside a burst for longer than a second: nothing was
 *   freed, call again.
 */
PLX_API
int plx_port_close(struct plx_port *port);

/**
 * What device and driver are and can do. mac is the address the device has now; of one that is gone,
 * what it had when it was opened.
 * @return 0 or the driver's error. Any thread.
 */
PLX_API
int plx_port_info(struct plx_port *port, struct plx_port_info *info);

/**
 * Sets numbers of queues, MTU and offloads; the port must be stopped. Queues of a former
 * configuration are freed.
 * @return 0, -EBUSY (running), -EINVAL, -ENOTSUP (names the offload or the limit), -ENOMEM.
 */
PLX_API
int plx_port_configure(struct plx_port *port, const struct plx_port_conf *conf);

/**
 * Sets up queue i < n_rxq. Set up again, it replaces the queue (its pointer ends).
 * @return 0, -EBUSY (running), -EINVAL (index, descriptors, room too small, PLX_DMA_TO_DEVICE pool),
 *   -EXDEV (a pool of another context), -ENOTSUP (deferred, where the driver starts no queue apart from
 *   its port), -ENOMEM.
 */
PLX_API
int plx_rxq_setup(
	struct plx_port *port, uint16_t i, const struct plx_rxq_conf *conf, struct plx_rxq **q);
PLX_API
int plx_txq_setup(
	struct plx_port *port, uint16_t i, const struct plx_txq_conf *conf, struct plx_txq **q);

/**
 * Lets the port's device read what is sent from a pool, when the port has an I/O address space of its
 * own (`iommu=private`); at once 0 where it shares the context's, or is no device that does DMA.
 *
 * A device in a private domain reaches its own rings and the pools that were named to it, nothing else:
 * not the other pools of the context, not registered memory, and other devices do not reach its
 * rings. plx_rxq_setup() names its queue's pool by itself. Packets of every other pool that is sent from
 * must be named before the first of them is sent: the device cannot reach it otherwise, so the IOMMU
 * refuses the access, the packet is not sent (or sent empty, as the device likes), and the queue may
 * stall until plx_port_reset(). Mapping costs each page's entry in one more table, and its share of locked
 * memory (RLIMIT_MEMLOCK) once more for each domain; packets cost nothing more.
 *
 * A pool stays named until the port or the pool is closed. Naming it again does nothing.
 * @return 0, -EXDEV (the pool is another context's), -EINVAL (NULL), -ENOMEM (locked memory, with the
 *   arithmetic), -ENOSPC (the device cannot address it), -ENODEV. Any thread.
 */
PLX_API
int plx_port_map_pool(struct plx_port *port, struct plx_mbuf_pool *pool);

/** Queue i, or NULL when it is not set up. */
PLX_API
struct plx_rxq *plx_port_rxq(struct plx_port *port, uint16_t i);
PLX_API
struct plx_txq *plx_port_txq(struct plx_port *port, uint16_t i);

/**
 * Starts all queues but the deferred ones. Returns before the link is up.
 * @return 0 (also when already started), -EINVAL (not configured, or a queue not set up: says
 *   which), or the driver's error; the port is stopped then.
 */
PLX_API
int plx_port_start(struct plx_port *port);

/**
 * Stops it: no DMA afterwards, every mbuf that rings and caches of its queues held is back in its pool.
 * Threads may go on polling. @return 0 (also when already stopped), -EBUSY as plx_port_close(): the
 * queues are taken away already, and the device not stopped.
 */
PLX_API
int plx_port_stop(struct plx_port *port);

/**
 * Resets the device and brings it back to where it was: configuration, MAC, filters, started or
 * not. Recovers failed queues. @return 0, -ENODEV (gone), -EBUSY, or the driver's error.
 */
PLX_API
int plx_port_reset(struct plx_port *port);

/** Is it between start and stop? Any thread. */
PLX_API
bool plx_port_started(struct plx_port *port);

/** Has a finite input (a capture) been read to its end, and all of it delivered? Any thread. */
PLX_API
bool plx_port_drained(struct plx_port *port);

/** The link as control work saw it last (fresh = false) or as the device says now. */
PLX_API
int plx_port_link(struct plx_port *port, bool fresh, struct plx_link *link);

/** Waits until the link is up. @return 0, -ETIMEDOUT, -ENODEV. */
PLX_API
int plx_port_link_wait(struct plx_port *port, uint64_t limit_ns);

/**
 * Sums over all queues that the port has and had, and what the device counts by itself, since the
 * last plx_port_stats_reset(). Also of a port that is stopped or gone.
 * @return 0. Any thread.
 */
PLX_API
int plx_port_stats(struct plx_port *port, struct plx_port_stats *stats);
/**
 * plx_port_stats() counts from 0 again. The queues' counters in the statistics file (plx_stats.h) go
 * on: they are their threads' alone.
 * @return 0. Any thread.
 */
PLX_API
int plx_port_stats_reset(struct plx_port *port);

/** What control work tells the program. */
enum plx_port_event {
	PLX_PORT_LINK,   /**< up or down: plx_port_link() */
	PLX_PORT_FAILED, /**< a queue failed: its state says why; plx_port_reset() */
	PLX_PORT_GONE,   /**< the device left; close the port */
};
/** fn runs in plx_ctx_poll(), without locks: it may call anything but plx_port_close(). */
typedef void (*plx_port_event_fn)(void *arg, struct plx_port *port, enum plx_port_event event);
/** Has fn called for the port's events, in place of the function before; NULL: nothing. Any thread. */
PLX_API
void plx_port_on_event(struct plx_port *port, plx_port_event_fn fn, void *arg);

/** The context it was opened in. */
PLX_API
struct plx_ctx *plx_port_ctx(struct plx_port *port);
/** Short name for messages: the device string. */
PLX_API
const char *plx_port_name(const struct plx_port *port);

/*
 * ---- what only some devices have ----
 *
 * Each returns 0, -ENOTSUP with a message when the driver has none of it, -EINVAL for values out of
 * range, -ENODEV when the device is gone. Settings hold over stop, start and reset. Unless a
 * comment says otherwise they may be called while traffic runs.
 */

/** Sets the MTU, min_mtu to max_mtu bytes. -EINVAL also when a frame would not fit a data room. */
PLX_API
int plx_port_set_mtu(struct plx_port *port, uint32_t mtu);
/** Takes packets for any station, or not. */
PLX_API
int plx_port_set_promisc(struct plx_port *port, bool on);
/** Takes packets for any group, or those of plx_port_set_mcast() alone. */
PLX_API
int plx_port_set_allmulti(struct plx_port *port, bool on);
/** Sets the station's address. -EINVAL: zero or a group's. */
PLX_API
int plx_port_set_mac(struct plx_port *port, const struct plx_mac *mac);
/** Takes packets for one more address, or (del) no longer does. -EINVAL: zero or a group's. */
PLX_API
int plx_port_add_mac(struct plx_port *port, const struct plx_mac *mac);
PLX_API
int plx_port_del_mac(struct plx_port *port, const struct plx_mac *mac);
/** Replaces the list of multicast addresses. */
PLX_API
int plx_port_set_mcast(struct plx_port *port, const struct plx_mac *list, size_t n);
/** Lets a VLAN id (0 to 4095) pass or not. */
PLX_API
int plx_port_vlan_filter(struct plx_port *port, uint16_t id, bool on);
/** Has the device take the VLAN tag out of received packets, as PLX_RX_OFFLOAD_VLAN_STRIP, or not. */
PLX_API
int plx_port_vlan_strip(struct plx_port *port, bool on);

/**
 * Which header fields the RSS hash covers: the addresses of IPv4 and IPv6 packets; of TCP and UDP,
 * where their bit is set, the ports, too. The hash is that of Microsoft's specification (plx_toeplitz.h).
 * A packet of which nothing is covered has no hash and goes to queue 0.
 */
enum {
	PLX_RSS_IPV4 = 1u << 0,
	PLX_RSS_IPV4_TCP = 1u << 1,
	PLX_RSS_IPV4_UDP = 1u << 2,
	PLX_RSS_IPV6 = 1u << 3,
	PLX_RSS_IPV6_TCP = 1u << 4,
	PLX_RSS_IPV6_UDP = 1u << 5,
};
struct plx_rss {
	const uint8_t *key; /**< rss_key_len bytes, or NULL: unchanged */
	uint16_t key_len;
	uint32_t fields;       /**< PLX_RSS_*; 0: RSS off */
	const uint16_t *table; /**< rss_table_len queue numbers, or NULL: unchanged */
	uint16_t table_len;
};
/**
 * Sets what the RSS hash covers, its key and the table of queues: entry i is the queue of packets
 * whose hash modulo rss_table_len is i. plx_port_configure() sets them anew, but for the key: with
 * several RX queues or PLX_RX_OFFLOAD_RSS_HASH all fields of info.rss_fields and queue i % n_rxq in
 * entry i, else RSS is off. The key is plx_toeplitz_key_default until one is set. Packets that arrive
 * during the call are steered by what was, by what will be, or go to queue 0.
 * @return as above; -EINVAL also: a length is not that of plx_port_info(), or the table names a queue
 *   that is not configured; -ENOTSUP also: a field that is not in info.rss_fields (the message names it).
 */
PLX_API
int plx_port_set_rss(struct plx_port *port, const struct plx_rss *rss);
/** Reads it back into buffers of the lengths that info gives; either may be NULL. */
PLX_API
int plx_port_get_rss(struct plx_port *port, uint8_t *key, uint16_t *table, uint32_t *fields);

/**
 * Starts and stops one queue of a port that is started: a deferred one, or one that was stopped. A
 * queue that is in the state already is left there. Stopping works beside the thread that polls it.
 * @return 0, -ENOTSUP, -ENODEV, -EINVAL (the port is not started), -EBUSY as plx_port_close().
 */
PLX_API
int plx_rxq_start(struct plx_rxq *q);
PLX_API
int plx_rxq_stop(struct plx_rxq *q);
PLX_API
int plx_txq_start(struct plx_txq *q);
PLX_API
int plx_txq_stop(struct plx_txq *q);

/** A flow rule: what matches goes to a queue, or is dropped, and may be marked. */
struct plx_flow_match {
	uint32_t fields; /**< PLX_FLOW_* that are compared */
	uint16_t ethertype, vlan;
	uint8_t ip_version, l4_proto; /**< 4 or 6; IPPROTO_* */
	uint8_t src_ip[16], dst_ip[16];
	uint16_t src_port, dst_port; /**< host order */
};
enum {
	PLX_FLOW_ETHERTYPE = 1u << 0,
	PLX_FLOW_VLAN = 1u << 1,
	PLX_FLOW_IP = 1u << 2,
	PLX_FLOW_SRC_IP = 1u << 3,
	PLX_FLOW_DST_IP = 1u << 4,
	PLX_FLOW_L4 = 1u << 5,
	PLX_FLOW_SRC_PORT = 1u << 6,
	PLX_FLOW_DST_PORT = 1u << 7,
};
struct plx_flow_action {
	bool drop;
	bool set_mark;
	uint16_t queue;
	uint32_t mark;
};
/**
 * Adds a rule; *id is for plx_flow_destroy(), which takes it away. -EINVAL: the queue is not
 * configured.
 */
PLX_API
int plx_flow_create(struct plx_port *port, const struct plx_flow_match *match,
	const struct plx_flow_action *action, uint32_t *id);
PLX_API
int plx_flow_destroy(struct plx_port *port, uint32_t id);

/** Flow control by pause frames: obeyed (rx), sent (tx), or negotiated with the link's other end. */
struct plx_pause {
	bool rx, tx, autoneg;
};
/** Pause frames: what is in force, and what is wanted. */
PLX_API
int plx_port_get_pause(struct plx_port *port, struct plx_pause *pause);
PLX_API
int plx_port_set_pause(struct plx_port *port, const struct plx_pause *pause);
/** Fixes speed and duplex, or autonegotiates (autoneg). */
PLX_API
int plx_port_set_speed(struct plx_port *port, const struct plx_link *want);
enum plx_fec { PLX_FEC_AUTO, PLX_FEC_NONE, PLX_FEC_BASER, PLX_FEC_RS };
/** Forward error correction: what is in force, and what is wanted. */
PLX_API
int plx_port_get_fec(struct plx_port *port, enum plx_fec *fec);
PLX_API
int plx_port_set_fec(struct plx_port *port, enum plx_fec fec);

/*
 * Waiting instead of polling. An interrupt says that something came since the queue was armed, so a thread
 * arms, looks once more, and only then sleeps: what came before it armed is seen by the look.
 *
 *	fd = plx_rxq_fd(q);			once; it stays the same until the port is configured anew
 *	for (;;) {
 *		while ((n = plx_rx_burst(q, pkts, N)) != 0)
 *			handle(pkts, n);
 *		plx_rxq_arm(q, true);
 *		n = plx_rx_burst(q, pkts, N);
 *		if (n != 0)
 *			handle(pkts, n);
 *		else if (plx_rxq_state(q, NULL) == PLX_QUEUE_RUNNING)
 *			poll(&(struct pollfd){fd, POLLIN}, 1, -1);
 *	}
 *
 * Nobody reads the descriptor: arming empties it. It may fire without a packet, and does when the port is
 * stopped or started, so that a thread that sleeps looks at the queue's state. An armed queue is armed again
 * by plx_port_start() and plx_port_reset(). Where the device has fewer vectors than queues, several queues
 * have the same descriptor: one thread waits for all of these and arms each of them.
 */
/**
 * Least time between two interrupts of a queue, in ns, rounded up to what the device counts in; 0: none. Of
 * queues that share a descriptor the longest counts. -EINVAL: more than the device can.
 */
PLX_API
int plx_rxq_set_moderation(struct plx_rxq *q, uint64_t ns);
/**
 * A descriptor that polls readable when an armed queue has packets; owned by the port.
 * @return it, -ENOTSUP (driver, device or transport, `qemu:` for one, has no interrupts: poll), or the
 *   transport's error.
 */
PLX_API
int plx_rxq_fd(struct plx_rxq *q);
/**
 * Arms or disarms the queue's interrupt. @return 0, -ENOTSUP, -EINVAL (plx_rxq_fd() was not called). The
 * queue's thread.
 */
PLX_API
int plx_rxq_arm(struct plx_rxq *q, bool on);

/** A named value of the device's own. */
struct plx_xstat {
	char name[48];
	uint64_t value;
};
/** Fills up to max; *n is how many there are. The same for registers. */
PLX_API
int plx_port_xstats(struct plx_port *port, struct plx_xstat *out, size_t max, size_t *n);
PLX_API
int plx_port_regs(struct plx_port *port, struct plx_xstat *out, size_t max, size_t *n);
/** Who a slot of a ring belongs to. */
enum plx_desc_owner {
	PLX_DESC_SW,     /**< software: empty, or filled and the device does not know yet */
	PLX_DESC_DEVICE, /**< the device: a buffer to fill (RX), or a packet to send (TX) */
	PLX_DESC_DONE,   /**< the device has finished it, and the queue's thread not yet looked */
};
/** A slot of a ring as it lies in memory: n_words words of the CPU's byte order, the rest 0. */
struct plx_desc {
	uint64_t word[4];
	uint16_t index; /**< of the slot */
	uint8_t n_words;
	uint8_t owner; /**< enum plx_desc_owner */
};
/**
 * Shows the descriptors of a queue's ring, from slot first (0 to n_desc - 1) up to max of them; *n
 * gets how many they were: fewer than max where the ring ends. Nothing is changed; the port may run
 * or not. Beside a running burst it is a snapshot that may be torn: each word was in the ring, the
 * words of a slot, or two slots, not always at the same time; who owns a slot is told from them.
 * @return 0, -ENOTSUP (the driver has no rings to show), -EINVAL (first is not in the ring), -ENODEV.
 *   Any thread.
 */
PLX_API
int plx_rxq_descs(
	struct plx_rxq *q, uint16_t first, struct plx_desc *out, uint16_t max, uint16_t *n);
PLX_API
int plx_txq_descs(
	struct plx_txq *q, uint16_t first, struct plx_desc *out, uint16_t max, uint16_t *n);

/** Bytes of the device's EEPROM or flash. */
PLX_API
int plx_port_eeprom_len(struct plx_port *port, uint32_t *len);
/** Reads and writes len bytes from offset off of it. -EINVAL: not all of them are in it. */
PLX_API
int plx_port_eeprom_read(struct plx_port *port, uint32_t off, void *buf, uint32_t len);
PLX_API
int plx_port_eeprom_write(struct plx_port *port, uint32_t off, const void *buf, uint32_t len);
/** Reads len bytes from offset off of the EEPROM in the plugged module (SFP, QSFP). */
PLX_API
int plx_port_module_eeprom(struct plx_port *port, uint32_t off, void *buf, uint32_t len);

/** The name of a bit of PLX_RSS_*, "ipv4-tcp", NULL beyond the last. */
PLX_API
const char *plx_rss_field_name(uint32_t bit);

/** The name of an offload bit, NULL beyond the last. */
PLX_API
const char *plx_rx_offload_name(uint32_t bit);
PLX_API
const char *plx_tx_offload_name(uint32_t bit);

PLX_END_DECLS

#endif
