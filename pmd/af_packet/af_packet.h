/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parts of the af_packet driver.
 *
 *	af_packet.c        device string, operations
 *	af_packet_ring.c   sockets and their rings: made at start, gone at stop
 *	af_packet_rx.c     RX bursts                 af_packet_tx.c   TX bursts
 *	af_packet_cut.c    TCP that the kernel hands over in large pieces
 *
 * Each queue is a packet socket (packet(7)) with one ring that the kernel and this process share.
 * The kernel is not the enemy here, but what it writes is read once and checked all the same.
 * Formats: Documentation/networking/packet_mmap.rst of Linux.
 */
#ifndef AF_PACKET_H
#define AF_PACKET_H

#include <linux/if_packet.h>
#include <linux/virtio_net.h>

#include "ethdev_pmd.h"
#include "netif_pmd.h"
#include "plx_log.h"

/** In front of each packet of an RX ring, and of a TX ring with offloads: struct virtio_net_hdr. */
#define AFP_VNET     ((uint32_t)sizeof(struct virtio_net_hdr))
/** From a frame's header to what follows it: TPACKET_ALIGN(). In TX the packet, or virtio_net_hdr. */
#define AFP_AFTER    ((uint32_t)((sizeof(struct tpacket3_hdr) + 15u) & ~(size_t)15u))
#define AFP_TX_SUMS  (PLX_TX_OFFLOAD_TCP_CKSUM | PLX_TX_OFFLOAD_UDP_CKSUM | PLX_TX_OFFLOAD_TSO)
/** RX memory for a descriptor: a frame of the usual MTU. */
#define AFP_RX_FRAME 2048u

/** Values of the device string. */
struct afp_conf {
	int fanout; /* index in names; the kernel's number is in a table beside it */
	bool qdisc_bypass;
	uint64_t block;      /* bytes of an RX block */
	uint64_t latency_ns; /* after which a block is handed over that is not full */
};

/** A mapped ring. The kernel owns what its status word says, this process the rest. */
struct afp_ring {
	int fd;
	uint8_t *base; /* NULL: not there */
	size_t bytes;
	uint32_t size; /* of a block (RX) or frame (TX) */
	uint32_t n;    /* of them */
};

/** Headers of a packet that is being cut fit in here: Ethernet, two tags, IP and TCP with options. */
#define AFP_HDR_MAX 256u

/** A packet that is delivered in pieces of mss bytes of payload, see af_packet_cut.c. */
struct afp_cut {
	const uint8_t *payload; /* in the ring: NULL when none is being cut */
	uint32_t left;          /* bytes of it */
	uint32_t mss;
	uint32_t done;  /* bytes of payload delivered */
	uint16_t index; /* of the next piece */
	uint16_t hdr_len, l3, l4;
	bool ipv6, udp;
	struct plx_mbuf model; /* flags, vlan, hash_mark and timestamp of each piece */
	uint8_t hdr[AFP_HDR_MAX];
};

/** A run of bytes of a packet that is being put together. */
struct afp_piece {
	const uint8_t *p;
	uint32_t len;
};

struct afp_rxq {
	struct plx_rxq q;
	struct afp_ring ring;
	uint32_t block;     /* the one that is read */
	uint32_t left;      /* packets in it that are not */
	uint32_t pos;       /* of the next one */
	uint32_t seg_max;   /* data bytes a segment has room for */
	uint32_t rx_flags;  /* PLX_RX_OFFLOAD_* that are configured */
	bool skip_outgoing; /* by hand: the kernel is older than PACKET_IGNORE_OUTGOING */
	struct afp_cut cut;
};

struct afp_txq {
	struct plx_txq q;
	struct afp_ring ring;
	uint32_t next;     /* frame to fill */
	uint32_t room;     /* bytes of a packet that fit a frame */
	uint32_t vnet;     /* AFP_VNET, or 0 */
	uint32_t if_frame; /* longest frame of the interface, without a tag; control work writes */
	uint32_t pending;  /* frames were filled that the kernel has not taken; so does it */
};

struct afp_port {
	struct plx_netif netif;
	struct afp_conf conf;
	struct plx_log *log;
	uint64_t missed, missed_base;       /* packets the kernel found no room for */
	uint64_t tx_unsent, tx_unsent_base; /* frames that were in rings at stop */
};

/* ---- af_packet_ring.c ---- */

/** PLX's error for errno of socket(2) and the like: what to do about EPERM. */
int afp_socket_error(const struct plx_port *port, const char *what, int err);
/** Makes socket and ring of each queue, and starts reception; afp_rings_close() also after an error. */
int afp_rings_open(struct plx_port *port);
void afp_rings_close(struct plx_port *port);
/** Adds what the kernel dropped since the last call to missed. */
void afp_missed(struct plx_port *port);

/* ---- af_packet_rx.c ---- */

uint16_t afp_rx(struct plx_rxq *q, struct plx_mbuf **pkts, uint16_t n);
/** Makes a packet of the pieces: as many segments as it takes. NULL: the pool has too few mbufs. */
struct plx_mbuf *afp_build(
	struct afp_rxq *rxq, const struct afp_piece *piece, unsigned n, uint32_t total);

/* ---- af_packet_cut.c ---- */

/** Begins to cut the packet of len bytes at data; tag: to put into it, or NULL. False: it cannot be. */
bool afp_cut_begin(struct afp_cut *cut, const struct virtio_net_hdr *vh, const uint8_t *data,
	uint32_t len, const uint8_t *tag);
/** The next piece; NULL with the pool empty, or if it does not fit: the piece is lost. */
struct plx_mbuf *afp_cut_next(struct afp_rxq *rxq, bool fit);

/* ---- af_packet_tx.c ---- */

uint16_t afp_tx(struct plx_txq *q, struct plx_mbuf **pkts, uint16_t n);
uint32_t afp_tx_reclaim(struct plx_txq *q);
int afp_tx_prepare(struct plx_txq *q, struct plx_mbuf *m);
/** Has the kernel send what is in the ring. Any thread. */
void afp_tx_kick(struct afp_txq *txq);

#endif
