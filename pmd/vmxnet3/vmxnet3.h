/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the driver share: queues and the port's part. */
#ifndef VMXNET3_H
#define VMXNET3_H

#include "ethdev_pmd.h"
#include "vmxnet3_desc.h"
#include "vmxnet3_hw.h"
#include "vmxnet3_shared.h"

enum {
	VMXNET3_MIN_DESC = 64,
	VMXNET3_MAX_DESC = 4096,
	VMXNET3_DESC_ALIGN =
		64, /* rings are multiples of 32; with scatter two share an RX queue's */
	VMXNET3_DEF_DESC = 256,
	VMXNET3_RING_ALIGN = 512,
	VMXNET3_MIN_MTU = 68,
	VMXNET3_MAX_MTU = 9000,
	VMXNET3_MIN_ROOM = 128, /* of a buffer for the start of a packet */
	VMXNET3_MAX_SEGS = 16,  /* slots in one packet that is not cut */
	VMXNET3_MAX_RX_SEGS = 64,
	VMXNET3_MIN_FRAME = 14, /* an Ethernet header */
	VMXNET3_FINISH_MS = 60, /* at stop */
	VMXNET3_CHUNK = 32,     /* packets handled at a time; not above the smallest cache */
	VMXNET3_TX_HOLD = 64,   /* slots in use before a burst looks for finished ones */
};

/*
 * RX ring. Slot i holds the buffer sw[i] exactly while it is armed: [head, tail) in order of the
 * ring; these the device owns until it reports them. The others are software's, among them always
 * one, so that tail does not meet head.
 */
struct vmxnet3_rx_ring {
	struct vmxnet3_desc *d;
	struct plx_mbuf **sw;
	uint64_t q1;    /* of the next slot to be armed, with the generation of its round */
	uint16_t n;     /* slots; 0: there is no such ring */
	uint16_t head;  /* the next slot that the device will report */
	uint16_t tail;  /* the next slot to arm */
	uint16_t spare; /* slots that want a buffer, beside the one that never has one */
};

/*
 * RX queue. Ring 0 has the buffers in which packets start, ring 1, with scatter, those in which they
 * go on. The completion ring has room for a report of every buffer of both; the device owns all of
 * it but the completions from at on, as far as their generation is that of this round.
 */
struct vmxnet3_rxq {
	struct plx_rxq h;
	/* hot */
	const struct vmxnet3_desc *comp;
	uint64_t gen;    /* VMXNET3_C_GEN or 0: of news in this round */
	uint64_t plain0; /* quadword 0 of a plain packet in slot 0 of ring 0 */
	uint16_t at;     /* the next completion */
	uint16_t n_comp;
	uint16_t buf_len; /* bytes the device writes to a buffer at most */
	bool middle;      /* the next completion does not start a packet: first is set, or ... */
	bool skip;        /* ... what was dropped is not over yet */
	bool scatter, lro, hash;
	const volatile uint8_t *wants_prod; /* update_prod of the queue's descriptor */
	struct vmxnet3_rx_ring ring[2];
	struct plx_mbuf *first, *last; /* a packet of which only a part has come */
	uint32_t first_flags;          /* what its first completion said: hash, LRO */
	uint32_t first_hash;
	const uint64_t *table; /* struct vmxnet3_port: rx_table */
	/* cold */
	struct vmxnet3_port *priv;
	struct plx_dma dma[2], comp_dma;
	uint16_t rq[2];       /* the rings' numbers in completions */
	uint64_t missed_seen; /* watchdog: the device's count of packets without a buffer */
};

/*
 * TX ring. The device owns [head, tail); tail never meets head. sw[i] is the packet whose last slot
 * is i, else NULL. The completion ring has as many slots; the device owns all of it but the
 * completions from at on, as far as their generation is that of this round.
 */
struct vmxnet3_txq {
	struct plx_txq h;
	/* hot */
	struct vmxnet3_desc *ring;
	struct plx_mbuf **sw;
	const struct vmxnet3_desc *comp;
	uint64_t gen;      /* VMXNET3_TX_GEN or 0: of the slots from tail on, to the ring's end */
	uint64_t comp_gen; /* VMXNET3_C_GEN or 0 */
	uint16_t head, tail;
	uint16_t used;      /* slots in [head, tail) */
	uint16_t unplain;   /* from head to the last that must be freed one by one; 0: none */
	uint16_t at;        /* the next completion */
	struct plx_win win; /* from the queue's TXPROD on */
	/* cold */
	struct plx_dma dma, comp_dma;
};

struct vmxnet3_rss {
	uint8_t key[VMXNET3_KEY_LEN];
	uint8_t table[VMXNET3_N_RETA];
	uint32_t fields;
	bool on; /* the device hashes: several queues, or the hash is wanted */
};

struct vmxnet3_port {
	struct vmxnet3_hw hw;
	struct plx_dma dma;
	struct vmxnet3_memory *mem;
	struct plx_mac mac;
	bool running, promisc, allmulti, strip;
	bool all_groups;       /* more groups than the list takes */
	uint16_t n_txq, n_rxq; /* that the device has: at least one each */
	uint16_t n_mcast;
	uint16_t n_vlans;
	uint32_t vft[VMXNET3_N_VFT];
	struct vmxnet3_rss rss;
	uint8_t levels[VMXNET3_MAX_QUEUES];
	struct {
		struct plx_port *port;
		enum plx_irq_type type;
		uint32_t n;     /* vectors, 1: one for all; 0: there are none */
		uint32_t armed; /* a bit for each RX queue; its threads' and control's */
		struct plx_work events;
	} irq;
	/* the device's counters: what they were when it was last stopped, less what was reset */
	uint64_t tx_base[VMXNET3_MAX_QUEUES][VMXNET3_N_STATS];
	uint64_t rx_base[VMXNET3_MAX_QUEUES][VMXNET3_N_STATS];
	/* flags and packet type for bits 54:48 of quadword 1, CNC and TS */
	uint64_t rx_table[512];
};

static inline struct vmxnet3_port *vmxnet3_priv(const struct plx_port *port)
{
	return (struct vmxnet3_port *)port->priv;
}

/* Queue i, or NULL where it is not set up. */
static inline struct vmxnet3_rxq *vmxnet3_rxq(const struct plx_port *port, uint16_t i)
{
	return (struct vmxnet3_rxq *)port->rxqs[i];
}

static inline struct vmxnet3_txq *vmxnet3_txq(const struct plx_port *port, uint16_t i)
{
	return (struct vmxnet3_txq *)port->txqs[i];
}

static inline union vmxnet3_queue_desc *vmxnet3_tx_desc(struct vmxnet3_port *p, uint32_t i)
{
	return &p->mem->queues[i];
}

static inline union vmxnet3_queue_desc *vmxnet3_rx_desc(struct vmxnet3_port *p, uint32_t i)
{
	return &p->mem->queues[p->n_txq + i];
}

/* Where a part of the shared memory is for the device. */
static inline uint64_t vmxnet3_iova(const struct vmxnet3_port *p, const volatile void *part)
{
	return p->dma.iova + (uint64_t)((uintptr_t)part - (uintptr_t)p->mem);
}

/* vmxnet3_ring.c: rings */
int vmxnet3_rxq_setup(struct plx_port *port, struct plx_rxq *h, const struct plx_rxq_conf *conf);
void vmxnet3_rxq_release(struct plx_port *port, struct plx_rxq *h);
int vmxnet3_txq_setup(struct plx_port *port, struct plx_txq *h, const struct plx_txq_conf *conf);
void vmxnet3_txq_release(struct plx_port *port, struct plx_txq *h);
/* Empties the rings, first round; returns every mbuf. The device is off. */
void vmxnet3_rxq_drain(struct vmxnet3_rxq *q);
void vmxnet3_txq_drain(struct vmxnet3_txq *q);
/*
 * Before the device is started: the slots as drain left them, whatever was written there since (it
 * would be the device's by its generation), and armed.
 */
void vmxnet3_rxq_begin(struct vmxnet3_rxq *q);
void vmxnet3_txq_begin(struct vmxnet3_txq *q);
/* Arms what wants a buffer, as far as the pool has some. */
void vmxnet3_rxq_fill(struct vmxnet3_rxq *q);

/* vmxnet3_watch.c: events, stalled queues */
void vmxnet3_control(struct plx_port *port, uint64_t now_ns);
void vmxnet3_rxq_progress(struct plx_port *port, struct plx_rxq *h, struct plx_progress *p);
void vmxnet3_txq_progress(struct plx_port *port, struct plx_txq *h, struct plx_progress *p);

/* vmxnet3_descs.c */
void vmxnet3_rxq_descs(struct plx_port *port, struct plx_rxq *h, struct plx_desc *out, uint16_t n);
void vmxnet3_txq_descs(struct plx_port *port, struct plx_txq *h, struct plx_desc *out, uint16_t n);

/* vmxnet3_conf.c: the shared area, from what the port is configured to */
void vmxnet3_conf_fill(struct plx_port *port);
void vmxnet3_conf_mode(struct vmxnet3_port *p);
void vmxnet3_conf_features(struct plx_port *port);

/* vmxnet3_filter.c: operations that set what is received */
int vmxnet3_filters(struct plx_port *port); /* all of them, on a device that was just started */
int vmxnet3_set_promisc(struct plx_port *port, bool on);
int vmxnet3_set_allmulti(struct plx_port *port, bool on);
int vmxnet3_set_mac(struct plx_port *port, const struct plx_mac *mac);
int vmxnet3_set_mcast(struct plx_port *port, const struct plx_mac *list, size_t n);
int vmxnet3_vlan_filter(struct plx_port *port, uint16_t id, bool on);
int vmxnet3_vlan_strip(struct plx_port *port, bool on);

/* vmxnet3_rss.c */
#define VMXNET3_RSS_FIELDS (PLX_RSS_IPV4 | PLX_RSS_IPV4_TCP | PLX_RSS_IPV6 | PLX_RSS_IPV6_TCP)
void vmxnet3_rss_init(struct vmxnet3_rss *rss);
void vmxnet3_rss_configure(struct plx_port *port);
void vmxnet3_rss_fill(struct vmxnet3_port *p);
int vmxnet3_set_rss(struct plx_port *port, const struct plx_rss *want);
int vmxnet3_get_rss(struct plx_port *port, uint8_t *key, uint16_t *table, uint32_t *fields);

/* vmxnet3_irq.c */
int vmxnet3_rxq_fd(struct plx_port *port, struct plx_rxq *h);
int vmxnet3_rxq_arm(struct plx_port *port, struct plx_rxq *h, bool on);
int vmxnet3_set_moderation(struct plx_port *port, struct plx_rxq *h, uint64_t ns);
int vmxnet3_irq_enable(struct plx_port *port);
void vmxnet3_irq_disable(struct vmxnet3_port *p);
/* Around the command that starts the device: vectors, what it is told of them, unmasking. */
void vmxnet3_irq_begin(struct plx_port *port);
void vmxnet3_irq_fill(struct vmxnet3_port *p);
void vmxnet3_irq_start(struct plx_port *port);
void vmxnet3_irq_stop(struct plx_port *port);

/* vmxnet3_stats.c */
/* Has a running device write its counters. */
int vmxnet3_stats_ask(struct vmxnet3_port *p);
/* Before the device is stopped, which clears them: keeps them. */
void vmxnet3_stats_keep(struct vmxnet3_port *p);
void vmxnet3_stats(struct plx_port *port, struct plx_port_stats *stats);
void vmxnet3_stats_reset(struct plx_port *port);
int vmxnet3_xstats(struct plx_port *port, struct plx_xstat *out, size_t max, size_t *n);
int vmxnet3_regs(struct plx_port *port, struct plx_xstat *out, size_t max, size_t *n);
/* The device's counter of a queue since it was started. */
uint64_t vmxnet3_rx_stat(struct vmxnet3_port *p, uint32_t queue, uint32_t i);
uint64_t vmxnet3_tx_stat(struct vmxnet3_port *p, uint32_t queue, uint32_t i);

/* vmxnet3_rx.c, vmxnet3_rx_avx2.c: bursts */
uint16_t vmxnet3_rx_plain(struct plx_rxq *h, struct plx_mbuf **pkts, uint16_t n);
uint16_t vmxnet3_rx_avx2(struct plx_rxq *h, struct plx_mbuf **pkts, uint16_t n);
uint16_t vmxnet3_rx_offload(struct plx_rxq *h, struct plx_mbuf **pkts, uint16_t n);
uint16_t vmxnet3_rx_hash(struct plx_rxq *h, struct plx_mbuf **pkts, uint16_t n);
void vmxnet3_rx_table_make(uint64_t table[512]);
/* Plain packets, one at a time: cheaper while there are fewer than four. */
uint16_t vmxnet3_rx_few(struct vmxnet3_rxq *q, struct plx_mbuf **pkts, uint16_t n);
/* The rest of a burst that has got packets with so many bytes: any packets. Ends the burst. */
uint16_t vmxnet3_rx_rest(
	struct vmxnet3_rxq *q, struct plx_mbuf **pkts, uint16_t n, uint16_t got, uint64_t bytes);
/* Plain packets, of up to k completions behind the next off ones, which were plain, too: in C. */
uint32_t vmxnet3_rx_take(
	struct vmxnet3_rxq *q, uint32_t off, struct plx_mbuf **pkts, uint32_t k, uint64_t *bytes);

/* vmxnet3_tx.c, vmxnet3_tx_avx2.c: bursts */
uint16_t vmxnet3_tx(struct plx_txq *h, struct plx_mbuf **pkts, uint16_t n);
uint16_t vmxnet3_tx_avx2(struct plx_txq *h, struct plx_mbuf **pkts, uint16_t n);
uint16_t vmxnet3_tx_offload(struct plx_txq *h, struct plx_mbuf **pkts, uint16_t n);
uint32_t vmxnet3_tx_reclaim(struct plx_txq *h);
/* Frees the packets of k slots from head; @return how many. */
uint32_t vmxnet3_tx_free(struct vmxnet3_txq *q, uint16_t k);
/* Frees all that the device has reported; @return how many packets. */
uint32_t vmxnet3_tx_done(struct vmxnet3_txq *q);
/* One packet of any shape; adds its bytes. @return false when there is no room for it now. */
bool vmxnet3_tx_send(struct vmxnet3_txq *q, struct plx_mbuf *m, uint64_t *bytes);
/* Fills up to k slots behind tail + off, which do not wrap, until a packet is not plain: in C. */
uint32_t vmxnet3_tx_plain(struct vmxnet3_txq *q, uint32_t off, struct plx_mbuf *const *pkts,
	uint32_t k, uint64_t *bytes);

/* vmxnet3_txprep.c */
int vmxnet3_tx_prepare(struct plx_txq *h, struct plx_mbuf *m);

/* n slots on from i in a ring of size slots; n <= size. */
static inline uint16_t vmxnet3_wrap(uint32_t i, uint32_t size)
{
	return (uint16_t)(i >= size ? i - size : i);
}

#endif
