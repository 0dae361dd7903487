/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packet buffers.
 *
 * An mbuf is a header in private memory that points to a data room in device-reachable memory.
 * A device or a peer can write the room and nothing of the header: no pointer, length or flag that
 * this process follows lies where DMA can reach.
 *
 *      private memory               data memory
 *     +-------------+              +-----------+---------------+-----------+
 *     | mbuf        | -- buf ----> | headroom  | data          | tailroom  |
 *     +-------------+              +-----------+---------------+-----------+
 *                                  ^buf        ^buf + data_off              ^buf + room
 *
 * A packet is one mbuf or a chain of them (next, nsegs); pkt_len and the metadata live in the first.
 * The first 64 bytes hold all that RX writes and all that a plain, checksum or TSO TX reads. The
 * second line is touched only with timestamps, an outer VLAN tag, packets cut at capture or buffers
 * that are not the mbuf's own.
 *
 * In a pool an mbuf has refcnt 1, nsegs 1, kind PLX_MBUF_OWN and next NULL; these four stay true
 * while it is a plain packet, which is why the usual free is a comparison and a pointer store.
 *
 * Threads: an mbuf belongs to one owner at a time. The reference count is atomic, nothing else is.
 */
#ifndef PLX_MBUF_H
#define PLX_MBUF_H

#include "plx_mempool.h"

#if defined(__SANITIZE_THREAD__)
#define PLX_MBUF_TSAN_ 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define PLX_MBUF_TSAN_ 1
#endif
#endif

PLX_BEGIN_DECLS

#define PLX_MBUF_HEADROOM 128u   /**< bytes before the data of a received packet */
#define PLX_MBUF_ROOM_MAX 65535u /**< largest data room */
#define PLX_MBUF_ROOM     2176u  /**< default room: headroom and 2048 bytes */
#define PLX_PKT_LEN_MAX   65535u /**< longest packet that ports take, in bytes, all segments */

/** What buf points to. */
enum plx_mbuf_kind {
	PLX_MBUF_OWN = 0,      /**< the mbuf's own data room */
	PLX_MBUF_EXTERNAL = 1, /**< memory of the program, released through plx_mbuf_ext */
	PLX_MBUF_INDIRECT = 2, /**< another mbuf's room, which it holds a reference to */
};

/**
 * Flags. The low half is written by RX, the high half by the program for TX. A received packet
 * has the TX half clear.
 */
enum {
	PLX_RX_VLAN = 1u << 0,          /**< vlan holds the tag's TCI */
	PLX_RX_VLAN_STRIPPED = 1u << 1, /**< and the tag is no longer in the data */
	PLX_RX_QINQ = 1u << 2,          /**< vlan_outer holds the outer TCI (stripped) */
	PLX_RX_RSS_HASH = 1u << 3,      /**< rss_hash is valid */
	PLX_RX_MARK = 1u << 4,          /**< mark is valid: a flow rule's number */
	PLX_RX_IP_CKSUM_GOOD = 1u << 5,
	PLX_RX_IP_CKSUM_BAD = 1u << 6,
	PLX_RX_L4_CKSUM_GOOD = 1u << 7,
	PLX_RX_L4_CKSUM_BAD = 1u << 8,
	PLX_RX_OUTER_IP_CKSUM_BAD = 1u << 9,
	PLX_RX_OUTER_L4_CKSUM_BAD = 1u << 10,
	PLX_RX_TIMESTAMP = 1u << 11, /**< timestamp is valid: ns since the device's epoch */
	PLX_RX_LRO = 1u << 12,       /**< several packets joined by the device */
	PLX_RX_WIRE_LEN = 1u << 13,  /**< cut at capture: wire_len is its length on the wire */

	PLX_TX_VLAN = 1u << 16,     /**< insert vlan */
	PLX_TX_QINQ = 1u << 17,     /**< insert vlan_outer outside vlan */
	PLX_TX_IP_CKSUM = 1u << 18, /**< compute the IPv4 header checksum; needs l2_len, l3_len */
	PLX_TX_TCP_CKSUM =
		1u << 19, /**< needs l2_len, l3_len; the pseudo header sum in the field */
	PLX_TX_UDP_CKSUM = 1u << 20,
	PLX_TX_SCTP_CKSUM = 1u << 21,
	PLX_TX_IPV4 = 1u << 22, /**< the packet is IPv4; with IP or L4 checksum or TSO */
	PLX_TX_IPV6 = 1u << 23,
	PLX_TX_TSO = 1u << 24, /**< cut TCP into tso_segsz; needs l2_len, l3_len, l4_len */
	PLX_TX_OUTER_IP_CKSUM = 1u << 25,
	PLX_TX_OUTER_IPV4 = 1u << 26,
	PLX_TX_OUTER_IPV6 = 1u << 27,
	PLX_TX_TUNNEL = 1u << 28, /**< outer_l2_len and outer_l3_len are set */
};
#define PLX_TX_OFFLOADS                                                                      \
	(PLX_TX_VLAN | PLX_TX_QINQ | PLX_TX_IP_CKSUM | PLX_TX_TCP_CKSUM | PLX_TX_UDP_CKSUM | \
		PLX_TX_SCTP_CKSUM | PLX_TX_TSO | PLX_TX_OUTER_IP_CKSUM | PLX_TX_TUNNEL)

/** Packet types: one number a layer, so that a layer is compared with a mask. 0: unknown. */
enum {
	PLX_PTYPE_L2_ETHER = 0x1,
	PLX_PTYPE_L2_ETHER_VLAN = 0x2,
	PLX_PTYPE_L2_ETHER_ARP = 0x3,
	PLX_PTYPE_L2_ETHER_TIMESYNC = 0x4,
	PLX_PTYPE_L2_ETHER_LLDP = 0x5,
	PLX_PTYPE_L2_ETHER_QINQ = 0x6,
	PLX_PTYPE_L2_ETHER_MPLS = 0x7,
	PLX_PTYPE_L2_MASK = 0xf,
	PLX_PTYPE_L3_IPV4 = 0x10,     /**< without options */
	PLX_PTYPE_L3_IPV4_EXT = 0x20, /**< with or without options */
	PLX_PTYPE_L3_IPV6 = 0x30,
	PLX_PTYPE_L3_IPV6_EXT = 0x40,
	PLX_PTYPE_L3_MASK = 0xf0,
	PLX_PTYPE_L4_TCP = 0x100,
	PLX_PTYPE_L4_UDP = 0x200,
	PLX_PTYPE_L4_FRAG = 0x300,
	PLX_PTYPE_L4_SCTP = 0x400,
	PLX_PTYPE_L4_ICMP = 0x500,
	PLX_PTYPE_L4_NONFRAG = 0x600,
	PLX_PTYPE_L4_MASK = 0xf00,
	PLX_PTYPE_TUNNEL_IP = 0x1000, /**< IP in IP, either version in either */
	PLX_PTYPE_TUNNEL_GRE = 0x2000,
	PLX_PTYPE_TUNNEL_VXLAN = 0x3000,
	PLX_PTYPE_TUNNEL_NVGRE = 0x4000,
	PLX_PTYPE_TUNNEL_GENEVE = 0x5000,
	PLX_PTYPE_TUNNEL_VXLAN_GPE = 0x6000,
	PLX_PTYPE_TUNNEL_MASK = 0xf000,
	PLX_PTYPE_INNER_MASK = 0x0fff0000,
};
/** What is in a tunnel has the same numbers, 16 bits up: PLX_PTYPE_INNER(PLX_PTYPE_L4_TCP). */
#define PLX_PTYPE_INNER(ptype) ((uint32_t)(ptype) << 16)

/** TX offload lengths, in bytes. They share storage with rss_hash and mark. */
struct plx_tx_offload {
	uint64_t l2_len : 7; /**< Ethernet header and tags; with PLX_TX_TUNNEL all from the outer
				  IP header's end to the inner one: UDP, VXLAN, Ethernet */
	uint64_t l3_len : 9; /**< IP header with options or extension headers */
	uint64_t l4_len : 8; /**< TCP header with options */
	uint64_t tso_segsz : 16;
	uint64_t outer_l2_len : 7;
	uint64_t outer_l3_len : 9;
	uint64_t reserved : 8;
};

struct plx_mbuf_pool;
struct plx_mbuf_ext;

/** One segment of a packet. */
struct plx_mbuf {
	/* line 0 */
	uint8_t *buf;      /**< start of the room */
	uint64_t buf_iova; /**< its I/O address */
	union {
		uint64_t rearm; /**< the four below, written by RX in one store */
		struct {
			uint16_t data_off; /**< from buf to the data */
			uint16_t refcnt;   /**< owners of this mbuf */
			uint16_t nsegs;    /**< segments of the packet; first segment only */
			uint16_t kind;     /**< enum plx_mbuf_kind */
		};
	};
	uint32_t flags;    /**< PLX_RX_*, PLX_TX_* */
	uint32_t ptype;    /**< PLX_PTYPE_* as the device or a parser saw it */
	uint32_t pkt_len;  /**< bytes in all segments; first segment only */
	uint16_t data_len; /**< bytes in this segment */
	uint16_t vlan;     /**< VLAN TCI, host order */
	union {
		struct {
			uint32_t rss_hash;
			uint32_t mark;
		};
		struct plx_tx_offload tx;
		uint64_t hash_mark; /**< both, for one store */
	};
	struct plx_mbuf *next;      /**< next segment or NULL */
	struct plx_mbuf_pool *pool; /**< where it returns to */
	/* line 1 */
	uint64_t timestamp;  /**< ns; valid with PLX_RX_TIMESTAMP */
	uint16_t vlan_outer; /**< outer TCI */
	uint16_t ext_room;   /**< bytes at buf, when kind is not PLX_MBUF_OWN */
	uint32_t index;      /**< of this mbuf in its pool */
	union {
		struct plx_mbuf_ext *ext; /**< PLX_MBUF_EXTERNAL: whom to tell */
		struct plx_mbuf *direct;  /**< PLX_MBUF_INDIRECT: whose room it is */
	};
	uint8_t *own_buf; /**< the mbuf's own room, to go back to */
	uint64_t own_iova;
	uint32_t wire_len; /**< bytes it had before it was cut; valid with PLX_RX_WIRE_LEN */
	uint32_t reserved;
	uint64_t user[2]; /**< the program's; kept by nothing, cleared by nothing */
} __attribute__((aligned(PLX_CACHE_LINE)));

PLX_STATIC_ASSERT(offsetof(struct plx_mbuf, rearm) == 16, "RX writes 16..47");
PLX_STATIC_ASSERT(offsetof(struct plx_mbuf, flags) == 24, "RX writes 16..47");
PLX_STATIC_ASSERT(offsetof(struct plx_mbuf, pkt_len) == 32, "RX writes 16..47");
PLX_STATIC_ASSERT(offsetof(struct plx_mbuf, hash_mark) == 40, "RX writes 16..47");
PLX_STATIC_ASSERT(offsetof(struct plx_mbuf, timestamp) == 64, "line 1");
PLX_STATIC_ASSERT(sizeof(struct plx_mbuf) == 128, "two lines");

/**
 * Memory of the program as a packet buffer. free_fn runs, in the thread that frees the last mbuf
 * attached to it, when refcnt has come down to 0; it may release ext itself.
 *
 * reg is the registration that the memory is part of: each mbuf attached holds it until it is freed, so
 * that plx_mem_unregister() is -EBUSY while a device may still read it, and succeeds from free_fn on. NULL
 * is for memory that no device reaches, or that ends after the port.
 */
struct plx_mbuf_ext {
	void (*free_fn)(struct plx_mbuf_ext *ext);
	void *arg;
	uint32_t refcnt; /**< set before: how many mbufs it will be attached to; then atomic */
	struct plx_memreg *reg; /**< set before, and not changed; may be NULL */
};

/* ---- pools ---- */

struct plx_mbuf_pool_opts {
	size_t size;             /**< sizeof(struct plx_mbuf_pool_opts) */
	const char *name;        /**< for messages and statistics; copied */
	uint32_t n;              /**< mbufs; 1 to 2^24 */
	uint32_t room;           /**< bytes of a data room, headroom included; 0: no rooms (external
				   only), else 192 to PLX_MBUF_ROOM_MAX */
	int node;                /**< NUMA node; -1: the context's */
	struct plx_arena *arena; /**< take rooms from here; NULL: an arena of the pool's own */
	uint32_t arena_flags;    /**< of the pool's own arena: PLX_SHARE, PLX_DMA_TO_DEVICE */
};

#define PLX_MBUF_POOL_OPTS_INIT                                                        \
	{                                                                              \
		.size = sizeof(struct plx_mbuf_pool_opts), .name = "mbufs", .n = 2048, \
		.room = PLX_MBUF_ROOM, .node = -1, .arena = NULL, .arena_flags = 0     \
	}

/** A pool of mbufs. Fields are for the inlines below. */
struct plx_mbuf_pool {
	struct plx_mempool mp; /* first: a pool is a mempool of mbufs */
	uint64_t rearm;        /**< what RX writes to plx_mbuf.rearm */
	uint32_t room;         /**< bytes of a data room */
	uint32_t flags;        /**< of its arena */
	struct plx_ctx *ctx;
	struct plx_arena *arena; /**< NULL: no rooms */
};

/**
 * Makes a pool. It is closed with the context if not before.
 * @param opts NULL for the defaults.
 * @param pool out: the pool; untouched on failure.
 * @return 0, -EINVAL (what is out of range), -ENOMEM (with the arithmetic and the remedy),
 *   -ENOSPC (no I/O addresses), -EXDEV (the arena is another context's).
 * Any thread.
 */
PLX_API
int plx_mbuf_pool_create(
	struct plx_ctx *ctx, const struct plx_mbuf_pool_opts *opts, struct plx_mbuf_pool **pool);

/** Frees a pool; no port may use it and no mbuf of it may be out. NULL is allowed. */
PLX_API
void plx_mbuf_pool_destroy(struct plx_mbuf_pool *pool);

/** What a pool must feed, for plx_mbuf_pool_need(). */
struct plx_mbuf_need {
	uint32_t rx_desc; /**< the sum of all RX rings' descriptors */
	uint32_t tx_desc; /**< the sum of all TX rings' descriptors */
	uint32_t queues;  /**< RX and TX queues: each owns a cache */
	uint32_t cache;   /**< mbufs a queue's cache may hold; 0: the default */
	uint32_t threads; /**< threads that hold a burst */
	uint32_t burst;   /**< packets in a burst */
	uint32_t segs;    /**< segments of the longest packet; 0: 1 */
};

/**
 * How many mbufs a pool needs so that RX never runs dry for want of mbufs:
 * rx_desc + tx_desc + queues * cache + threads * burst * segs; UINT32_MAX if that is more.
 */
PLX_API
uint32_t plx_mbuf_pool_need(const struct plx_mbuf_need *need);

/** The mbufs in the pool's depot now (all caches not counted). Any thread. */
PLX_API
uint32_t plx_mbuf_pool_avail(const struct plx_mbuf_pool *pool);

/**
 * Where a pool's rooms are: piece after piece, in each from its va on, one every *stride bytes, in order
 * of the mbufs' indices. For drivers that register the memory with a kernel.
 * @param out gets up to max pieces. @param stride may be NULL.
 * @return how many pieces there are; 0: a pool without rooms. Any thread.
 */
PLX_API
size_t plx_mbuf_pool_rooms(
	const struct plx_mbuf_pool *pool, struct plx_dma *out, size_t max, size_t *stride);

/* ---- allocation ---- */

/**
 * Takes n mbufs, all or none, each empty: data_off is the headroom, lengths, flags, ptype 0.
 * Through the thread's own cache; loops that own a cache use plx_mbuf_alloc_bulk_c().
 * @return 0 or -ENOMEM: the message says how many there are, and how many a pool needs.
 * Any thread.
 */
PLX_API
int plx_mbuf_alloc_bulk(struct plx_mbuf_pool *pool, struct plx_mbuf **m, unsigned n);

/** One empty mbuf or NULL. */
PLX_API
struct plx_mbuf *plx_mbuf_alloc(struct plx_mbuf_pool *pool);

/** Frees a packet with all its segments. NULL is allowed. Through the thread's own cache. */
PLX_API
void plx_mbuf_free(struct plx_mbuf *m);

/** Frees n packets. */
PLX_API
void plx_mbuf_free_bulk(struct plx_mbuf **m, unsigned n);

/**
 * The general free of one packet: chains, shared, foreign, external. Segments of the cache's pool go
 * into the cache, all others to the depot of theirs. The cache may be NULL; it is not bound anew.
 */
PLX_API
void plx_mbuf_free_slow(struct plx_mempool_cache *cache, struct plx_mbuf *m);

/** Sets the fields of a fresh mbuf to those of an empty packet. */
static inline void plx_mbuf_reset(struct plx_mbuf *m)
{
	m->rearm = m->pool->rearm;
	m->flags = 0;
	m->ptype = 0;
	m->pkt_len = 0;
	m->data_len = 0;
	m->vlan = 0;
	m->hash_mark = 0;
}

/* The bits of rearm that a plain packet has in common with its pool's: all but data_off. */
#define PLX_MBUF_PLAIN_ (~UINT64_C(0xffff))

/*
 * rearm in one load, while other threads may give up their references. Relaxed: whoever finds
 * refcnt at 1 only stores from then on, and no CPU moves a store before the branch it depends on.
 */
static inline uint64_t plx_mbuf_rearm_(const struct plx_mbuf *m)
{
#ifdef PLX_MBUF_TSAN_
	(void)__atomic_load_n(&m->refcnt, __ATOMIC_ACQUIRE); /* it does not know of branches */
#endif
	return __atomic_load_n(&m->rearm, __ATOMIC_RELAXED);
}

/**
 * Is it a packet of one segment, unshared, in its own room, of this pool? Then freeing it is
 * putting its pointer back. data_off is whatever it became.
 */
static inline bool plx_mbuf_is_plain(const struct plx_mbuf *m, const struct plx_mbuf_pool *pool)
{
	return ((plx_mbuf_rearm_(m) ^ pool->rearm) & PLX_MBUF_PLAIN_) == 0 && m->pool == pool;
}

/**
 * Takes n mbufs, all or none, each empty, through a cache that the caller owns and has bound to a
 * pool of mbufs. The thread that uses the cache.
 * @return n, or 0 when there are fewer.
 */
static inline unsigned plx_mbuf_alloc_bulk_c(
	struct plx_mempool_cache *cache, struct plx_mbuf **m, unsigned n)
{
	n = plx_mempool_get_bulk(cache, (void **)m, n);
	for (unsigned i = 0; i < n; i++)
		plx_mbuf_reset(m[i]);
	return n;
}

/**
 * Frees n packets into a cache that the caller owns. Plain packets of the cache's pool are moved in
 * bulk. A cache that is empty, or that meets a run of several plain packets of another pool, is
 * flushed and bound to their pool; shorter runs go to the depot of theirs. The thread that uses the
 * cache, which must not be a thread's own one (plx_mempool_thread_cache()).
 */
PLX_API
void plx_mbuf_free_bulk_c(struct plx_mempool_cache *cache, struct plx_mbuf **m, unsigned n);

/* ---- data ---- */

/** First byte of the segment's data, and its I/O address. */
static inline uint8_t *plx_mbuf_data(const struct plx_mbuf *m)
{
	return m->buf + m->data_off;
}

static inline uint64_t plx_mbuf_iova(const struct plx_mbuf *m)
{
	return m->buf_iova + m->data_off;
}

/** Bytes of the room behind buf. */
static inline uint32_t plx_mbuf_room(const struct plx_mbuf *m)
{
	return plx_likely(m->kind == PLX_MBUF_OWN) ? m->pool->room : m->ext_room;
}

/** Bytes free before and behind the data of this segment. */
static inline uint32_t plx_mbuf_headroom(const struct plx_mbuf *m)
{
	return m->data_off;
}

static inline uint32_t plx_mbuf_tailroom(const struct plx_mbuf *m)
{
	return plx_mbuf_room(m) - m->data_off - m->data_len;
}

/** Last segment of a packet. */
static inline struct plx_mbuf *plx_mbuf_last(struct plx_mbuf *m)
{
	while (m->next != NULL)
		m = m->next;
	return m;
}

/**
 * Grows the packet by len bytes at its front (prepend) or end (append, in the last segment).
 * @return the first new byte, or NULL when the room has not that much space.
 */
static inline uint8_t *plx_mbuf_prepend(struct plx_mbuf *m, uint16_t len)
{
	if (plx_unlikely(len > m->data_off))
		return NULL;
	m->data_off = (uint16_t)(m->data_off - len);
	m->data_len = (uint16_t)(m->data_len + len);
	m->pkt_len += len;
	return plx_mbuf_data(m);
}

static inline uint8_t *plx_mbuf_append(struct plx_mbuf *m, uint16_t len)
{
	struct plx_mbuf *last = plx_mbuf_last(m);
	uint8_t *tail = plx_mbuf_data(last) + last->data_len;

	if (plx_unlikely(len > plx_mbuf_tailroom(last)))
		return NULL;
	last->data_len = (uint16_t)(last->data_len + len);
	m->pkt_len += len;
	return tail;
}

/**
 * Shrinks the packet by len bytes at its front (adj, first segment only) or end (trim, last
 * segment only).
 * @return 0, or -1 when that segment is shorter; nothing is changed then.
 */
static inline int plx_mbuf_adj(struct plx_mbuf *m, uint16_t len)
{
	if (plx_unlikely(len > m->data_len))
		return -1;
	m->data_off = (uint16_t)(m->data_off + len);
	m->data_len = (uint16_t)(m->data_len - len);
	m->pkt_len -= len;
	return 0;
}

static inline int plx_mbuf_trim(struct plx_mbuf *m, uint16_t len)
{
	struct plx_mbuf *last = plx_mbuf_last(m);

	if (plx_unlikely(len > last->data_len))
		return -1;
	last->data_len = (uint16_t)(last->data_len - len);
	m->pkt_len -= len;
	return 0;
}

/**
 * One more owner of every segment; plx_mbuf_free() gives up one. Owners of the same mbuf only read it,
 * header and data. Any thread that owns the packet.
 * @return 0, or -EOVERFLOW: a segment has 65535 owners already, and the packet none more than before.
 */
PLX_API
int plx_mbuf_hold(struct plx_mbuf *m);

/**
 * Appends packet tail to head; tail's metadata is lost, its segments belong to head.
 * @return 0 or -EOVERFLOW (more than PLX_PKT_LEN_MAX bytes or 65535 segments).
 */
PLX_API
int plx_mbuf_chain(struct plx_mbuf *head, struct plx_mbuf *tail);

/**
 * Copies len bytes from offset off of the packet to dst. -EINVAL when the packet is shorter.
 * plx_mbuf_write() copies the other way round.
 */
PLX_API
int plx_mbuf_read(const struct plx_mbuf *m, uint32_t off, void *dst, uint32_t len);
PLX_API
int plx_mbuf_write(struct plx_mbuf *m, uint32_t off, const void *src, uint32_t len);

/**
 * A packet of its own with the same bytes and metadata (not user), from pool.
 * @return NULL with plx_errmsg() set: the pool is empty or has no rooms.
 */
PLX_API
struct plx_mbuf *plx_mbuf_copy(const struct plx_mbuf *m, struct plx_mbuf_pool *pool);

/**
 * A packet whose segments are headers from pool that share m's data (reference counted). Both may
 * be freed in any order and by different threads; the bytes are to be read only, until the other is
 * gone. The pool may be one without rooms.
 * @return NULL with plx_errmsg() set: the pool is empty or m has 65535 owners.
 */
PLX_API
struct plx_mbuf *plx_mbuf_clone(struct plx_mbuf *m, struct plx_mbuf_pool *pool);

/**
 * Makes the memory [buf, buf + room) at I/O address iova the data room of m, which is a fresh mbuf.
 * data_off becomes 0; set it, data_len and pkt_len to what the memory holds. ext->free_fn releases
 * the memory when the last mbuf that uses it has been freed. For memory registered with
 * plx_mem_register() iova is plx_memreg_iova() and buf's distance from its beginning, and ext->reg the
 * registration, which m holds. Any thread that owns m.
 */
PLX_API
void plx_mbuf_attach_ext(
	struct plx_mbuf *m, void *buf, uint64_t iova, uint16_t room, struct plx_mbuf_ext *ext);

/**
 * Checks every rule of a packet (lengths, room, segments, reference counts).
 * @return 0 or -EINVAL with plx_errmsg() naming the field.
 */
PLX_API
int plx_mbuf_check(const struct plx_mbuf *m);

/* ---- the inlines as functions, for other languages ---- */

PLX_API
void plx_mbuf_reset_fn(struct plx_mbuf *m);
PLX_API
bool plx_mbuf_is_plain_fn(const struct plx_mbuf *m, const struct plx_mbuf_pool *pool);
PLX_API
unsigned plx_mbuf_alloc_bulk_c_fn(struct plx_mempool_cache *cache, struct plx_mbuf **m, unsigned n);
PLX_API
uint8_t *plx_mbuf_data_fn(const struct plx_mbuf *m);
PLX_API
uint64_t plx_mbuf_iova_fn(const struct plx_mbuf *m);
PLX_API
uint32_t plx_mbuf_room_fn(const struct plx_mbuf *m);
PLX_API
uint32_t plx_mbuf_headroom_fn(const struct plx_mbuf *m);
PLX_API
uint32_t plx_mbuf_tailroom_fn(const struct plx_mbuf *m);
PLX_API
struct plx_mbuf *plx_mbuf_last_fn(struct plx_mbuf *m);
PLX_API
uint8_t *plx_mbuf_prepend_fn(struct plx_mbuf *m, uint16_t len);
PLX_API
uint8_t *plx_mbuf_append_fn(struct plx_mbuf *m, uint16_t len);
PLX_API
int plx_mbuf_adj_fn(struct plx_mbuf *m, uint16_t len);
PLX_API
int plx_mbuf_trim_fn(struct plx_mbuf *m, uint16_t len);

PLX_END_DECLS

#endif
