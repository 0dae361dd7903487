/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parts of the tap driver.
 *
 *	tap.c       device string, operations
 *	tap_if.c    the interface: made or found, its queues, filter, carrier
 *	tap_rx.c    RX bursts: a read(2) a packet, into mbufs' rooms
 *	tap_tx.c    TX bursts: a write(2) a packet, from where its bytes are
 *
 * An RX queue is a descriptor of /dev/net/tun that is attached to the interface; TX queues write to
 * these descriptors. Formats: Documentation/networking/tuntap.rst of Linux, linux/if_tun.h.
 */
#ifndef TAP_H
#define TAP_H

#include <linux/virtio_net.h>
#include <sys/uio.h>

#include "ethdev_pmd.h"
#include "netif_pmd.h"
#include "plx_log.h"

#define TAP_QUEUES   64u
#define TAP_FRAME    14u  /* least frame: an Ethernet header */
#define TAP_SPARE    32u  /* mbufs that an RX queue takes from its cache at a time */
#define TAP_SEGS     256u /* of a packet, RX and TX */
#define TAP_ROOM_MIN 512u
#define TAP_GROUPS   1024u /* multicast addresses in its filter, which counts with 16 bits */
/** Before each packet, where the port has offloads: what is unfinished in it (virtio 1.2, 5.1.6). */
#define TAP_VNET     ((uint32_t)sizeof(struct virtio_net_hdr))

/** Values of the device string. */
struct tap_conf {
	bool persist;
	bool vnet;
};

struct tap_port {
	struct plx_netif netif;
	struct tap_conf conf;
	struct plx_log *log;
	int fds[TAP_QUEUES]; /* the first n_fds are attached to the interface */
	uint16_t n_fds;
	bool created; /* by this port: it was not there */
	bool multi;   /* has several queues */
	bool dead;    /* the interface was deleted: a burst or control saw it. Atomic */
	bool promisc, allmulti;
	struct plx_mac mac; /* of the port, the other end of the interface's wire */
	struct plx_mac *mcast;
	size_t n_mcast;
	uint64_t missed_base; /* packets that the kernel had dropped at the last reset */
};

struct tap_rxq {
	struct plx_rxq q;
	struct tap_port *tp;
	int fd;
	uint32_t vnet;     /* TAP_VNET, or 0 */
	uint32_t seg_max;  /* data bytes a segment has room for */
	uint16_t n_spare;  /* mbufs in spare */
	uint16_t n_tail;   /* further segments that the longest packet takes */
	bool cksum;        /* PLX_RX_OFFLOAD_CKSUM */
	bool tail_missing; /* mbufs of tail were delivered, and are to be replaced */
	bool exact;        /* a packet may fill its rooms to the last byte */
	struct plx_mbuf *spare[TAP_SPARE];
	struct plx_mbuf *tail[TAP_SEGS];
};

struct tap_txq {
	struct plx_txq q;
	struct tap_port *tp;
	int fd;
	uint32_t vnet;
};

/* ---- tap_if.c ---- */

/** Makes or finds the interface; tap_if_close() also after an error. */
int tap_if_open(struct plx_port *port, const char *name);
void tap_if_close(struct tap_port *tp);
/** Has the interface n queues: descriptors in fds. */
int tap_if_queues(struct plx_port *port, uint16_t n);
/** Up and connected: packets come from here on. Says what the kernel may leave to us (TUN_F_*). */
int tap_if_start(struct plx_port *port, unsigned offload);
void tap_if_stop(struct tap_port *tp);
/** Tells the kernel which packets to keep to itself. */
int tap_if_filter(struct plx_port *port);
bool tap_if_gone(struct tap_port *tp);
/** Is the interface up? Where that cannot be asked (it is in another network namespace): yes. */
bool tap_if_up(const struct tap_port *tp);
/** Packets that it dropped because nobody read them in time. */
uint64_t tap_if_dropped(const struct tap_port *tp);

/* ---- tap_rx.c, tap_tx.c ---- */

uint16_t tap_rx(struct plx_rxq *q, struct plx_mbuf **pkts, uint16_t n);
uint16_t tap_rx_chains(struct plx_rxq *q, struct plx_mbuf **pkts, uint16_t n);
/** Gives the mbufs back that the queue has taken beforehand. */
void tap_rx_stop(struct tap_rxq *rxq);
uint16_t tap_tx(struct plx_txq *q, struct plx_mbuf **pkts, uint16_t n);
int tap_tx_prepare(struct plx_txq *q, struct plx_mbuf *m);

#endif
