/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a driver of an Ethernet device provides.
 *
 * A few operations are required. Those that prepare and undo may be NULL where there is nothing to do,
 * and the optional ones where the device cannot: the call then returns -ENOTSUP by itself. All run
 * under the port's lock, one at a time, on control threads; while one runs that changes a queue's
 * hardware, no burst is inside that queue (see plx_rx_burst()).
 *
 * Life of a port:
 *   open        device found and reset, MAC known, priv filled in
 *   configure   numbers of queues, MTU, offloads: in port->conf, already checked against info
 *   rxq_setup / txq_setup   rings; the queue's memory is there, zeroed, its head filled in
 *   start       device programmed, rings filled, DMA on
 *   stop        DMA off, mbufs back
 *   rxq_release / txq_release   callable on a half set up queue
 *   close       callable after a half-done open
 *
 * A burst function's duties, RX: the mbufs it returns have all RX fields written (rearm, flags,
 * ptype, pkt_len, data_len, vlan, hash_mark; next is NULL but in chains); counters updated once a
 * burst with plx_ctr_add(). With the pool empty it drops the packet, keeps its buffer in the ring
 * and counts PLX_RXQ_NOMBUF; a ring that ran dry is refilled by the next poll even if nothing came.
 * TX: takes whole packets only, frees what was sent when it needs room, rings one doorbell.
 */
#ifndef ETHDEV_PMD_H
#define ETHDEV_PMD_H

#include <pthread.h>

#include "plx_dev.h"
#include "plx_ethdev.h"

PLX_BEGIN_DECLS

/** What the watchdog asks of a queue: does the device owe something, and how far has it come? */
struct plx_progress {
	bool owed;     /**< work was handed to the device that it has not finished */
	uint64_t done; /**< changes with every step that the device makes */
};

struct plx_eth_ops {
	size_t priv_size; /**< of the driver's part of a port: port->priv, zeroed */
	size_t rxq_size;  /**< of its RX queue struct, whose first field is struct plx_rxq */
	size_t txq_size;

	/* required */
	int (*open)(struct plx_port *port);
	int (*info)(struct plx_port *port, struct plx_port_info *info);
	int (*link)(struct plx_port *port, struct plx_link *link);
	/* The burst functions for the queue as it is configured now, chosen once at start. */
	plx_rx_fn (*rx_select)(struct plx_port *port, const struct plx_rxq *q);
	plx_tx_fn (*tx_select)(struct plx_port *port, const struct plx_txq *q);

	/* NULL: nothing to do */
	void (*close)(struct plx_port *port);
	int (*configure)(struct plx_port *port);
	int (*rxq_setup)(struct plx_port *port, struct plx_rxq *q, const struct plx_rxq_conf *conf);
	void (*rxq_release)(struct plx_port *port, struct plx_rxq *q);
	int (*txq_setup)(struct plx_port *port, struct plx_txq *q, const struct plx_txq_conf *conf);
	void (*txq_release)(struct plx_port *port, struct plx_txq *q);
	int (*start)(struct plx_port *port);
	/* Ends DMA and returns every mbuf of every ring to its pool; also after a half-done start and
	   when the device is gone. */
	void (*stop)(struct plx_port *port);
	/* Adds what the device counts (rx_missed, rx_errors, ...) to *stats, which has the queues'
	   sums; keeps 64-bit totals since the last reset of its own. */
	void (*stats)(struct plx_port *port, struct plx_port_stats *stats);
	void (*stats_reset)(struct plx_port *port);
	plx_reclaim_fn reclaim; /* of a driver whose TX keeps nothing back */

	/* optional */
	int (*reset)(struct plx_port *port); /* the device's reset, stopped; NULL: stop/start is */
	bool (*gone)(
		struct plx_port *port); /* has the device left? NULL: plx_pci_gone() or never */
	bool (*drained)(struct plx_port *port);
	void (*control)(struct plx_port *port, uint64_t now_ns); /* every 100 ms while started */
	/* From control work, beside a running burst: reads memory and registers, writes nothing. */
	void (*rxq_progress)(struct plx_port *port, struct plx_rxq *q, struct plx_progress *p);
	void (*txq_progress)(struct plx_port *port, struct plx_txq *q, struct plx_progress *p);
	/* For a packet with right metadata: what the device wants done in software, and what it cannot. */
	int (*tx_prepare)(struct plx_txq *q, struct plx_mbuf *m);
	int (*set_mtu)(struct plx_port *port, uint32_t mtu);
	int (*set_promisc)(struct plx_port *port, bool on);
	int (*set_allmulti)(struct plx_port *port, bool on);
	int (*set_mac)(struct plx_port *port, const struct plx_mac *mac);
	int (*add_mac)(struct plx_port *port, const struct plx_mac *mac);
	int (*del_mac)(struct plx_port *port, const struct plx_mac *mac);
	int (*set_mcast)(struct plx_port *port, const struct plx_mac *list, size_t n);
	int (*vlan_filter)(struct plx_port *port, uint16_t id, bool on);
	int (*vlan_strip)(struct plx_port *port, bool on);
	int (*set_rss)(struct plx_port *port, const struct plx_rss *rss);
	int (*get_rss)(struct plx_port *port, uint8_t *key, uint16_t *table, uint32_t *fields);
	int (*rxq_start)(struct plx_port *port, struct plx_rxq *q);
	int (*rxq_stop)(struct plx_port *port, struct plx_rxq *q);
	int (*txq_start)(struct plx_port *port, struct plx_txq *q);
	int (*txq_stop)(struct plx_port *port, struct plx_txq *q);
	int (*flow_create)(struct plx_port *port, const struct plx_flow_match *match,
		const struct plx_flow_action *action, uint32_t *id);
	int (*flow_destroy)(struct plx_port *port, uint32_t id);
	int (*get_pause)(struct plx_port *port, struct plx_pause *pause);
	int (*set_pause)(struct plx_port *port, const struct plx_pause *pause);
	int (*set_speed)(struct plx_port *port, const struct plx_link *want);
	int (*get_fec)(struct plx_port *port, enum plx_fec *fec);
	int (*set_fec)(struct plx_port *port, enum plx_fec fec);
	int (*set_moderation)(struct plx_port *port, struct plx_rxq *q, uint64_t ns);
	int (*rxq_fd)(struct plx_port *port, struct plx_rxq *q);
	int (*rxq_arm)(struct plx_port *port, struct plx_rxq *q, bool on);
	int (*xstats)(struct plx_port *port, struct plx_xstat *out, size_t max, size_t *n);
	int (*regs)(struct plx_port *port, struct plx_xstat *out, size_t max, size_t *n);
	/* Fills out with n slots from first, which are all in the ring; beside a running burst, as
	   rxq_progress: all of a slot but index, which is filled in. */
	void (*rxq_descs)(
		struct plx_port *port, struct plx_rxq *q, struct plx_desc *out, uint16_t n);
	void (*txq_descs)(
		struct plx_port *port, struct plx_txq *q, struct plx_desc *out, uint16_t n);
	int (*eeprom_len)(struct plx_port *port, uint32_t *len);
	int (*eeprom_read)(struct plx_port *port, uint32_t off, void *buf, uint32_t len);
	int (*eeprom_write)(struct plx_port *port, uint32_t off, const void *buf, uint32_t len);
	int (*module_eeprom)(struct plx_port *port, uint32_t off, void *buf, uint32_t len);
};

/** A port, as drivers see it. */
struct plx_port {
	const struct plx_eth_ops *ops;
	struct plx_dev *dev; /**< ctx, pci, opts */
	struct plx_ctx *ctx;
	void *priv;
	struct plx_port_conf conf;
	struct plx_port_info info; /**< as open left it */
	struct plx_rxq **rxqs;     /**< conf.n_rxq pointers, NULL until set up */
	struct plx_txq **txqs;
	struct plx_link link; /**< as control work saw it last */
	bool started;
	/* lib/ethdev's own, see ethdev_priv.h */
	struct plx_port_ctl *ctl;
};

/** For burst functions: adds to a counter that this thread alone writes and others may read. */
static inline void plx_ctr_add(uint64_t *ctr, uint64_t v)
{
	__atomic_store_n(ctr, __atomic_load_n(ctr, __ATOMIC_RELAXED) + v, __ATOMIC_RELAXED);
}

/* ---- for burst functions ---- */

/** All RX fields of a segment of len bytes, which came into the room of an mbuf of this pool. */
static PLX_ALWAYS_INLINE void plx_rx_fields(
	struct plx_mbuf *m, const struct plx_mbuf_pool *pool, uint32_t len)
{
	m->rearm = pool->rearm;
	m->flags = 0;
	m->ptype = 0;
	m->pkt_len = len;
	m->data_len = (uint16_t)len;
	m->vlan = 0;
	m->hash_mark = 0;
}

/** Counts an RX burst of n packets; nombuf and errors were dropped. @return n. */
static PLX_ALWAYS_INLINE uint16_t plx_rxq_count(
	struct plx_rxq *q, uint16_t n, uint64_t bytes, uint32_t nombuf, uint32_t errors)
{
	if (plx_unlikely(nombuf > 0))
		plx_ctr_add(&q->ctr[PLX_RXQ_NOMBUF], nombuf);
	if (plx_unlikely(errors > 0))
		plx_ctr_add(&q->ctr[PLX_RXQ_ERRORS], errors);
	if (n > 0) {
		plx_ctr_add(&q->ctr[PLX_RXQ_PACKETS], n);
		plx_ctr_add(&q->ctr[PLX_RXQ_BYTES], bytes);
		plx_ctr_add(&q->ctr[PLX_RXQ_BURSTS], 1);
	}
	return n;
}

/** Counts a TX burst of n packets that are done with, errors of them not sent. @return n. */
static PLX_ALWAYS_INLINE uint16_t plx_txq_count(
	struct plx_txq *q, uint16_t n, uint64_t bytes, uint32_t errors)
{
	if (n == 0)
		return 0;
	plx_ctr_add(&q->ctr[PLX_TXQ_PACKETS], n);
	plx_ctr_add(&q->ctr[PLX_TXQ_BYTES], bytes);
	plx_ctr_add(&q->ctr[PLX_TXQ_DONE], n);
	plx_ctr_add(&q->ctr[PLX_TXQ_BURSTS], 1);
	if (plx_unlikely(errors > 0))
		plx_ctr_add(&q->ctr[PLX_TXQ_ERRORS], errors);
	return n;
}

/** The same at the end of a burst that keeps no mbufs: frees them. @return n. */
static PLX_ALWAYS_INLINE uint16_t plx_txq_finish(
	struct plx_txq *q, struct plx_mbuf **pkts, uint16_t n, uint64_t bytes, uint32_t errors)
{
	if (n > 0)
		plx_mbuf_free_bulk_c(q->cache, pkts, n);
	return plx_txq_count(q, n, bytes, errors);
}

/* ---- for operations and control work ---- */

/** For set_mtu: the longest frame, for the queues that are set up and the bursts that may be in them. */
PLX_API
void plx_port_set_max_pkt(struct plx_port *port, uint32_t frame);

/** For a driver that finds its device gone or a queue broken, from control work or an operation. */
PLX_API
void plx_port_set_gone(struct plx_port *port);
PLX_API
void plx_rxq_set_failed(struct plx_rxq *q, int errnum);
PLX_API
void plx_txq_set_failed(struct plx_txq *q, int errnum);

/**
 * For a driver whose ports use each other's memory, from an operation of another port: waits until the
 * thread that polls q has left the burst that it may be in. One that begins later sees what was stored
 * before this call.
 * @return 0, or -EBUSY after a second: plx_errmsg() names the queue.
 */
PLX_API
int plx_txq_quiesce(struct plx_txq *q);

/** Has the port's control work run now: its link may have changed. Any thread, with any lock. */
PLX_API
void plx_port_kick(struct plx_port *port);

/** Largest frame on the wire for the configured MTU, without FCS. */
static inline uint32_t plx_port_max_frame(const struct plx_port *port)
{
	return port->conf.mtu + PLX_ETH_OVERHEAD - 4;
}

PLX_END_DECLS

#endif
