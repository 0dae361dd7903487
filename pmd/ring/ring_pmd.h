/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ring: what its files share.
 *
 *	ring.c        operations
 *	ring_wire.c   which ports are a pair, and what their TX queues send into
 *	ring_burst.c  bursts
 *
 *	ring_avx2.c   what of them is faster with AVX2
 *
 * Each RX queue has a ring (lib/ring) of mbufs, and a length beside each slot. The TX queue of the same
 * number at the other end fills it. Slots from the consumers' index to the producers' hold packets
 * that belong to the RX queue's end; the producers' end belongs to the thread of the TX queue while that has
 * the ring (ring_txq.ring), the consumers' end to the thread of the RX queue while that runs, and either
 * to whoever has the lock otherwise.
 */
#ifndef RING_PMD_H
#define RING_PMD_H

#include "ethdev_pmd.h"
#include "mem_lib.h"
#include "plx_ring.h"

#define RING_QUEUES   64u
#define RING_NAME_MAX 63u

/*
 * A length that says: RX must look at the packet, which is a chain, shared, not in its own room, empty or
 * longer than the receiver's frames. In all others TX has written every field that RX must, and RX does not
 * touch the mbuf at all.
 */
#define RING_ODD 0

/* All bits of plx_mbuf.rearm but data_off, of a packet of one segment that nobody shares. */
#define RING_PLAIN (UINT64_C(1) << 16 | UINT64_C(1) << 32)

/** What two ports of one name have in common. */
struct ring_wire {
	struct ring_wire *next;
	struct ring_port *end[2];
	bool loop; /* end[0] is its own other end */
	char name[RING_NAME_MAX + 1];
};

/** All wires of a context; in a slot of it. */
struct ring_net {
	pthread_mutex_t lock; /* of all that wires and their ports say of each other */
	struct ring_wire *wires;
};

struct ring_port {
	struct plx_port *port;
	struct ring_net *net;
	struct ring_wire *wire;
	unsigned side; /* wire->end[side] is this port */
	bool loop;     /* option */
	bool started;  /* its queues may be looked at and used; under the lock */
	struct plx_mac mac;
	uint64_t left, left_base; /* packets that stops found in its rings, and at the last reset */
};

struct ring_rxq {
	struct plx_rxq q;
	struct plx_ring *ring;
	uint16_t *lens;  /* one a slot */
	uint64_t copied; /* packets that came shared, or in more segments than it may have */
	uint32_t seg_max;
	bool scatter;
	bool deferred;
	bool open; /* takes packets; under the lock */
};

struct ring_txq {
	struct plx_txq q;
	struct plx_ring *ring; /* the other end's; NULL: nobody there takes packets. Atomic */
	uint16_t *lens;        /* that ring's */
	uint32_t max;          /* longest packet that is not odd. Atomic */
};

/* ---- ring_wire.c ---- */

/** Makes rp an end of the wire of that name. -EBUSY: it has all its ends; -ENOMEM. */
int ring_join(struct ring_port *rp, const char *name);
/** Undoes it; of a port that is no end of one, nothing. */
void ring_leave(struct ring_port *rp);
/** Connects the queues of a port that starts; and takes them apart, freeing what its rings hold. */
void ring_up(struct ring_port *rp);
void ring_down(struct ring_port *rp);
/** The same for one RX queue of a port that is started. */
void ring_rxq_up(struct ring_port *rp, struct ring_rxq *rxq);
void ring_rxq_down(struct ring_port *rp, struct ring_rxq *rxq);
/** Lets frames of a new length through. Its RX queues have it in max_pkt already. */
void ring_new_mtu(struct ring_port *rp);
bool ring_link_up(struct ring_port *rp);

/* ---- ring_burst.c ---- */

uint16_t ring_rx(struct plx_rxq *q, struct plx_mbuf **pkts, uint16_t n);
uint16_t ring_tx(struct plx_txq *q, struct plx_mbuf **pkts, uint16_t n);
/** The same with AVX2; which the CPU has. */
uint16_t ring_rx_avx2(struct plx_rxq *q, struct plx_mbuf **pkts, uint16_t n);
uint16_t ring_tx_avx2(struct plx_txq *q, struct plx_mbuf **pkts, uint16_t n);
/** What a burst does that is not as most are: some packets are odd or have metadata. */
uint16_t ring_rx_any(struct ring_rxq *rxq, struct plx_mbuf **pkts, uint16_t n);
uint16_t ring_tx_any(
	struct ring_txq *txq, struct plx_ring *ring, struct plx_mbuf **pkts, uint16_t n);
/** Takes all packets out of a ring and frees them: how many. No thread may be at the consumers' end. */
uint32_t ring_drain(struct plx_ring *ring);

#endif
