/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parts of the af_xdp driver.
 *
 *	af_xdp.c        device string, operations
 *	af_xdp_prog.c   the XDP program that hands packets to the sockets, and its map
 *	af_xdp_sock.c   UMEM, sockets and rings: made at start, gone at stop
 *	af_xdp_rx.c     RX bursts                     af_xdp_tx.c     TX bursts
 *
 * Each queue pair is an AF_XDP socket (Documentation/networking/af_xdp.rst of Linux) bound to one queue
 * of the interface. Its UMEM is the memory of the RX queue's pool, in unaligned chunk mode: a frame is
 * the data room of an mbuf, so that packets are received into mbufs and sent out of them. The kernel
 * names frames by their offset; state[] says which rooms are in whose ring, and what the kernel says
 * is believed only of those.
 */
#ifndef AF_XDP_H
#define AF_XDP_H

#include <linux/if_xdp.h>

#include "ethdev_pmd.h"
#include "netif_pmd.h"
#include "plx_log.h"

#define AXDP_MAX_QUEUES   64u
/** What the kernel keeps free before each packet: XDP_PACKET_HEADROOM. */
#define AXDP_HEADROOM     256u
/** The shortest and the longest frame that a UMEM may have. */
#define AXDP_CHUNK_MIN    2048u
#define AXDP_CHUNK_MAX    4096u
/** In unaligned mode an address is a frame's offset, and above it that of the data in the frame. */
#define AXDP_OFFSET_SHIFT 48
#define AXDP_ADDR_MASK    ((UINT64_C(1) << AXDP_OFFSET_SHIFT) - 1)

enum axdp_mode { AXDP_AUTO, AXDP_ZEROCOPY, AXDP_COPY, AXDP_SKB };

enum axdp_sums { AXDP_SUMS_AUTO, AXDP_SUMS_ON, AXDP_SUMS_OFF };

/** Values of the device string. */
struct axdp_conf {
	uint32_t queue; /* of the interface, for queue 0 of the port */
	int mode;       /* enum axdp_mode */
	bool need_wakeup;
	int sums;           /* enum axdp_sums */
	uint32_t busy_poll; /* packets that a burst may have the kernel take from the NIC; 0: off */
	const char *xsks_map; /* pinned map of a program that somebody else loaded; NULL: ours */
};

/** One of a socket's four rings. Indices run freely; this side's is cached. */
struct axdp_ring {
	uint32_t *producer, *consumer;
	const uint32_t *flags;
	void *desc; /* struct xdp_desc (RX, TX) or uint64_t (fill, completion) */
	uint32_t mask;
	uint32_t head; /* what this side has written to its index */
	void *map;     /* NULL: not there */
	size_t bytes;
};

/** States of a room. */
enum { AXDP_FREE = 0, AXDP_IN_RX = 1, AXDP_IN_TX = 128 }; /* and the queue's number */

/** Memory of a pool, registered with the kernel. */
struct axdp_umem {
	struct plx_mbuf_pool *pool;
	int fd;         /* socket that it was registered by, and others share it with; not owned */
	uint8_t *area;  /* page of the first room */
	uint64_t len;   /* bytes from there */
	uint64_t first; /* offset of the first room */
	uint32_t n;     /* rooms */
	uint32_t lines; /* a room's stride in cache lines */
	uint64_t inverse; /* 2^40 / lines, rounded up: see axdp_index() */
	uint32_t chunk;   /* bytes of a frame */
	uint8_t *state;   /* of each room */
};

struct axdp_rxq {
	struct plx_rxq q;
	struct axdp_umem *umem;
	struct axdp_ring rx, fill;
	int fd;
	uint32_t lacking; /* rooms that the rings could have more: the pool was short at start */
	uint8_t mine;     /* state of rooms in these rings */
	bool mapped;      /* the map of sockets has this one */
	bool busy_poll;
	bool need_wakeup;
	bool sums; /* checksums that the kernel left out are computed */
};

struct axdp_txq {
	struct plx_txq q;
	struct axdp_umem *umem;
	struct axdp_ring tx, comp;
	int fd;       /* the RX queue's */
	uint32_t out; /* frames that the kernel has and did not complete */
	uint8_t mine;
	bool need_wakeup;
	uint32_t pending; /* the kernel was asked and did not take all; control work looks */
};

struct axdp_port {
	struct plx_netif netif;
	struct axdp_conf conf;
	struct plx_log *log;
	int prog_fd, map_fd, link_fd;
	bool sums;      /* complete checksums: of a veth, or as asked */
	bool skb_mode;  /* the program is attached behind the driver: no zero-copy */
	bool zero_copy; /* all queues are */
	struct axdp_umem umem[AXDP_MAX_QUEUES];
	struct xdp_statistics old, base; /* of sockets that were closed; at the last reset */
	uint64_t unsent, unsent_base; /* frames that stops found in TX rings; at the last reset */
};

/* ---- af_xdp_prog.c ---- */

/** Loads the program and makes its map, or opens the one that is pinned. */
int axdp_prog_open(struct plx_port *port);
void axdp_prog_close(struct axdp_port *ap);
/** Attaches it to the interface; detaching is axdp_detach(), or the end of this process. */
int axdp_attach(struct plx_port *port);
void axdp_detach(struct axdp_port *ap);
/** Gives packets of a queue of the interface to a socket. */
int axdp_map_set(struct plx_port *port, uint32_t queue, int fd);
void axdp_map_clear(struct axdp_port *ap, uint32_t queue);

/* ---- af_xdp_sock.c ---- */

/** Room for a packet in a frame of a pool with rooms of this size. */
static inline uint32_t axdp_frame_room(uint32_t room)
{
	uint32_t chunk = PLX_MIN(room, AXDP_CHUNK_MAX);

	return chunk > AXDP_HEADROOM ? chunk - AXDP_HEADROOM : 0;
}

int axdp_socks_open(struct plx_port *port);
void axdp_socks_close(struct plx_port *port);
/** Statistics of all sockets, open and closed. */
void axdp_counts(struct plx_port *port, struct xdp_statistics *s);

/**
 * The number of the room at this offset of the UMEM, n or more if there is none. Rooms are lines cache
 * lines apart: multiplying by 2^40 / lines, rounded up, is exact for multiples of lines below 2^24 * lines.
 */
static PLX_ALWAYS_INLINE uint32_t axdp_index(const struct axdp_umem *u, uint64_t offset)
{
	const uint64_t rel = offset - u->first;
	const uint64_t line = rel / PLX_CACHE_LINE;
	const uint32_t i = (uint32_t)((line * u->inverse) >> 40);

	if (plx_unlikely((uint64_t)i * u->lines * PLX_CACHE_LINE != rel))
		return UINT32_MAX;
	return i;
}

static inline struct plx_mbuf *axdp_mbuf(const struct axdp_umem *u, uint32_t i)
{
	return plx_mempool_obj(&u->pool->mp, i);
}

/** Offset of a room in the UMEM; m must be of the UMEM's pool, in its own room. */
static inline uint64_t axdp_offset(const struct axdp_umem *u, const struct plx_mbuf *m)
{
	return (uint64_t)(m->buf - u->area);
}

/* ---- af_xdp_rx.c, af_xdp_tx.c ---- */

/** Puts up to n empty mbufs into the fill ring, at start: how many it were. */
uint32_t axdp_fill(struct axdp_rxq *rxq, uint32_t n);
uint16_t axdp_rx(struct plx_rxq *q, struct plx_mbuf **pkts, uint16_t n);
uint16_t axdp_tx(struct plx_txq *q, struct plx_mbuf **pkts, uint16_t n);
uint32_t axdp_tx_reclaim(struct plx_txq *q);
/** Has the kernel send what is in the ring. Any thread. */
void axdp_kick(struct axdp_txq *txq);

#endif
