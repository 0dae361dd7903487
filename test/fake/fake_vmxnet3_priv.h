/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the vmxnet3 model share. Offsets and values: vmxnet3_defs.h. */
#ifndef FAKE_VMXNET3_PRIV_H
#define FAKE_VMXNET3_PRIV_H

#include "fake_priv.h"
#include "fake_vmxnet3.h"

enum { BAR_LEN = 4096, MSIX_LEN = 8192, QUEUES = 8, INTRS = 25, DESC_LEN = 16 };

/* BAR 1 */
enum {
	R_VRRS = 0x00,
	R_UVRS = 0x08,
	R_DSAL = 0x10,
	R_DSAH = 0x18,
	R_CMD = 0x20,
	R_MACL = 0x28,
	R_MACH = 0x30,
	R_ICR = 0x38,
	R_ECR = 0x40,
};

/* BAR 0 */
enum { R_IMR = 0x000, R_TXPROD = 0x600, R_RXPROD = 0x800, R_RXPROD2 = 0xa00 };

/* Commands, less 0xcafe0000 for those that set and 0xf00d0000 for those that get. */
enum { CMD_SET = 0xcafe, CMD_GET = 0xf00d };
enum {
	SET_ACTIVATE,
	SET_QUIESCE,
	SET_RESET,
	SET_RX_MODE,
	SET_MAC_FILTERS,
	SET_VLAN_FILTERS,
	SET_RSSIDT,
	SET_IML,
	SET_PMCFG,
	SET_FEATURE
};
enum { GET_QUEUE_STATUS, GET_STATS, GET_LINK, GET_PERM_MAC_LO, GET_PERM_MAC_HI };

/* Places in the shared area. */
enum {
	SH_MAGIC = 0,
	SH_VERSION = 8,
	SH_GOS = 12,
	SH_REV = 16,
	SH_UPT = 20,
	SH_FEATURES = 24,
	SH_DD_PA = 32,
	SH_QUEUES_PA = 40,
	SH_DD_LEN = 48,
	SH_QUEUES_LEN = 52,
	SH_MTU = 56,
	SH_RX_SG = 60,
	SH_N_TXQ = 62,
	SH_N_RXQ = 63,
	SH_AUTO_MASK = 80,
	SH_N_INTRS = 81,
	SH_EVENT_INTR = 82,
	SH_LEVELS = 83,
	SH_INTR_CTRL = 108,
	SH_RX_MODE = 120,
	SH_MF_LEN = 124,
	SH_MF_PA = 128,
	SH_VFT = 136,
	SH_RSS = 648,
	SH_ECR = 696,
	SH_LEN = 720,
};

/* Places in a queue's descriptor. */
enum {
	QD_CTRL = 0, /* TX: deferred, threshold; RX: updateRxProd */
	QD_RINGS = 16,
	QD_TX_COMP = 32,
	QD_RX_COMP = 32,
	QD_DD_PA = 40,
	QD_SIZES = 56,
	QD_COMP_SIZE = 64,
	QD_DD_LEN = 68,
	QD_INTR = 72,
	QD_STATUS = 80,
	QD_STATS = 88,
	QD_LEN = 256,
};

enum { F_RXCSUM = 1, F_RSS = 2, F_RXVLAN = 4, F_LRO = 8 };
enum { RXM_UCAST = 1, RXM_MCAST = 2, RXM_BCAST = 4, RXM_ALL_MULTI = 8, RXM_PROMISC = 16 };
enum { ECR_RQERR = 1, ECR_TQERR = 2, ECR_LINK = 4 };
enum { TX_TSO, TX_TSO_BYTES, TX_UCAST, TX_MCAST = 4, TX_BCAST = 6, TX_ERROR = 8, TX_DISCARD };
enum { RX_LRO, RX_LRO_BYTES, RX_UCAST, RX_MCAST = 4, RX_BCAST = 6, RX_NO_BUF = 8, RX_ERROR };
enum { STATS = 10 };

enum { VIOLATIONS = 32, VIOLATION_LEN = 200, MCAST_MAX = 10922 };

struct vx_ring {
	uint64_t pa;
	uint32_t n, next, gen;
	uint32_t told; /* RX: RXPROD */
};

struct vx_queue {
	struct vx_ring ring[2], comp;
	uint64_t pa; /* of its descriptor */
	uint32_t intr;
	bool stopped;
	uint32_t error;
	uint64_t stats[STATS];
};

struct vx_intr {
	bool masked, pending, asserted;
};

struct vx_frame {
	struct vx_frame *next;
	uint32_t len;
	uint8_t data[];
};

struct vx_rss {
	uint32_t types, key_len, table_len;
	uint8_t key[40], table[128];
};

/* What is to be sent, as it is gathered. */
struct vx_tx {
	uint8_t data[FAKE_VMXNET3_PACKET + 4];
	uint32_t len, slots;
	uint64_t q1; /* of its first slot */
};

struct fake_vmxnet3 {
	struct fake_pci *pci;
	struct fake_vmxnet3_opts opts;
	uint8_t mac[6];
	uint32_t rev, upt; /* agreed on; 0: nothing yet */
	uint32_t dsal, macl;
	uint64_t shared; /* 0: not known */
	uint32_t last_cmd, answer, refuse;
	bool active, cable, stall_rx, stall_tx, bad;
	uint32_t pass_over;

	/* what it read from the shared area */
	uint64_t features;
	uint32_t mtu, rx_sg, n_txq, n_rxq, rx_mode;
	uint8_t levels[INTRS];
	uint32_t event_intr, n_intrs;
	bool auto_mask;
	uint32_t vft[128];
	uint32_t n_mcast;
	uint8_t mcast[MCAST_MAX][6];
	struct vx_rss rss;

	struct vx_queue txq[QUEUES], rxq[QUEUES];
	struct vx_intr intr[INTRS];
	struct vx_tx tx;
	struct {
		bool on;
		uint64_t q0, q1;
	} spoil[2]; /* of the next completion: TX, RX */

	/* the wire; the inbox has a lock of its own, for the other model's thread */
	struct fake_vmxnet3 *peer;
	pthread_mutex_t inbox_lock;
	struct vx_frame *inbox, **inbox_last;
	fake_vmxnet3_tx_fn tx_fn;
	void *tx_arg;

	struct fake_vmxnet3_counts counts;
	unsigned n_violations, n_texts;
	char texts[VIOLATIONS][VIOLATION_LEN];
};

/* fake_vmxnet3.c */
__attribute__((format(printf, 2, 3))) void vx_violation(
	struct fake_vmxnet3 *m, const char *fmt, ...);
void vx_fire(struct fake_vmxnet3 *m, uint32_t vector); /* something happened there */
void vx_mask(struct fake_vmxnet3 *m, uint32_t vector, bool on);
uint32_t vx_cause(struct fake_vmxnet3 *m); /* ICR, of INTx, which reading clears */
void vx_event(struct fake_vmxnet3 *m, uint32_t bits);
void vx_ack(struct fake_vmxnet3 *m, uint32_t bits);
void vx_sync(struct fake_vmxnet3 *m);
void vx_off(struct fake_vmxnet3 *m);

/* fake_vmxnet3_conf.c: what is read from memory */
void vx_activate(struct fake_vmxnet3 *m);
void vx_read_mode(struct fake_vmxnet3 *m);
void vx_read_vlans(struct fake_vmxnet3 *m);
void vx_read_groups(struct fake_vmxnet3 *m);
void vx_read_features(struct fake_vmxnet3 *m);
void vx_read_rss(struct fake_vmxnet3 *m);
void vx_read_levels(struct fake_vmxnet3 *m);
void vx_write_stats(struct fake_vmxnet3 *m);
void vx_write_status(struct fake_vmxnet3 *m);

/* fake_vmxnet3_regs.c */
uint64_t vx_reg_read(struct fake_pci *f, uint32_t bar, uint64_t off, unsigned width);
void vx_reg_write(struct fake_pci *f, uint32_t bar, uint64_t off, unsigned width, uint64_t v);

/* fake_vmxnet3_ring.c */
/* The next slot of a command ring, if it is the device's. */
bool vx_ring_get(struct fake_vmxnet3 *m, struct vx_ring *r, uint64_t q[2]);
void vx_ring_next(struct vx_ring *r);
/* Writes a completion, to which the generation is added. False: memory does not answer. */
bool vx_complete(struct fake_vmxnet3 *m, struct vx_queue *q, bool rx, uint64_t q0, uint64_t q1);

/* fake_vmxnet3_rx.c */
bool vx_rx(struct fake_vmxnet3 *m, const uint8_t *frame, uint32_t len, uint32_t mss, uint32_t segs);

/* fake_vmxnet3_tx.c */
void vx_tx(struct fake_vmxnet3 *m, uint32_t queue);
void vx_inbox_drain(struct fake_vmxnet3 *m);

/* fake_vmxnet3_net.c */
struct vx_headers {
	bool v4, v6, tcp, udp, fragment;
	uint32_t l3, l4, end; /* where they are; end of the IP packet */
};
void vx_parse(const uint8_t *p, uint32_t len, struct vx_headers *h);
uint32_t vx_sum(const uint8_t *p, uint32_t len, uint32_t sum); /* ones' complement, unfolded */
uint16_t vx_fold(uint32_t sum);
uint32_t vx_pseudo(const uint8_t *p, const struct vx_headers *h, uint32_t len);
/* The hash and its type (1 to 4) by the fields that are on; type 0: there is nothing to hash. */
uint32_t vx_hash(const struct vx_rss *rss, const uint8_t *p, uint32_t len, uint32_t *type);

#endif
