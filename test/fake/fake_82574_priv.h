/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the 82574L model share. Offsets: 10.2.1, the register summary. */
#ifndef FAKE_82574_PRIV_H
#define FAKE_82574_PRIV_H

#include "fake_82574.h"
#include "fake_priv.h"

enum {
	BAR_LEN = 128 * 1024,
	R_CTRL = 0x0000,
	R_STATUS = 0x0008,
	R_EEC = 0x0010,
	R_EERD = 0x0014,
	R_CTRL_EXT = 0x0018,
	R_MDIC = 0x0020,
	R_VET = 0x0038,
	R_ICR = 0x00c0,
	R_ITR = 0x00c4,
	R_ICS = 0x00c8,
	R_IMS = 0x00d0,
	R_IMC = 0x00d8,
	R_EIAC = 0x00dc,
	R_IAM = 0x00e0,
	R_IVAR = 0x00e4,
	R_EITR = 0x00e8, /* of vector 0; the next 4 further */
	R_RCTL = 0x0100,
	R_TCTL = 0x0400,
	R_PBA = 0x1000,
	R_RXRING = 0x2800, /* of queue 0; queue 1 0x100 further */
	R_RDTR = 0x2820,
	R_RXDCTL = 0x2828,
	R_TXRING = 0x3800,
	R_TIDV = 0x3820,
	R_TXDCTL = 0x3828,
	R_TARC0 = 0x3840, /* of queue 0; queue 1 0x100 further */
	R_CRCERRS = 0x4000,
	R_MPC = 0x4010,
	R_RLEC = 0x4040,
	R_PRC64 = 0x405c,
	R_GPRC = 0x4074,
	R_BPRC = 0x4078,
	R_MPRC = 0x407c,
	R_GPTC = 0x4080,
	R_GORCL = 0x4088,
	R_GOTCL = 0x4090,
	R_RNBC = 0x40a0,
	R_RUC = 0x40a4,
	R_ROC = 0x40ac,
	R_TORL = 0x40c0,
	R_TOTL = 0x40c8,
	R_TPR = 0x40d0,
	R_TPT = 0x40d4,
	R_PTC64 = 0x40d8,
	R_MPTC = 0x40f0,
	R_BPTC = 0x40f4,
	R_TSCTC = 0x40f8,
	R_SYMERRS = 0x4008,
	R_RXERRC = 0x400c,
	R_IAC = 0x4100,
	R_RXCSUM = 0x5000,
	R_RFCTL = 0x5008,
	R_MTA = 0x5200,
	R_RAL = 0x5400,
	R_VFTA = 0x5600,
	R_MRQC = 0x5818,
	R_RETA = 0x5c00,
	R_RSSRK = 0x5c80,
};

/* Registers of a ring, from its first. */
enum { QUEUES = 16 }; /* of the part that has most of them */
enum { BAL = 0x00, BAH = 0x04, LEN = 0x08, HEAD = 0x10, TAIL = 0x18 };

enum { /* 10.2.2.1 */
	CTRL_FD = 1u << 0,
	CTRL_GIO_DIS = 1u << 2,
	CTRL_SLU = 1u << 6,
	CTRL_FRCSPD = 1u << 11,
	CTRL_FRCDPX = 1u << 12,
	CTRL_RST = 1u << 26,
	CTRL_VME = 1u << 30,
};
#define CTRL_PHY_RST (1u << 31)

enum { /* 10.2.2.2 */
	STATUS_FD = 1u << 0,
	STATUS_LU = 1u << 1,
	STATUS_SPEED_1000 = 2u << 6,
	STATUS_PHYRA = 1u << 10,
	STATUS_GIO_ON = 1u << 19,
};

enum { /* 10.2.5.1 */
	RCTL_EN = 1u << 1,
	RCTL_SBP = 1u << 2,
	RCTL_UPE = 1u << 3,
	RCTL_MPE = 1u << 4,
	RCTL_LPE = 1u << 5,
	RCTL_BAM = 1u << 15,
	RCTL_VFE = 1u << 18,
	RCTL_CFIEN = 1u << 19,
	RCTL_CFI = 1u << 20,
	RCTL_DPF = 1u << 22,
	RCTL_PMCF = 1u << 23,
	RCTL_BSEX = 1u << 25,
	RCTL_SECRC = 1u << 26,
};

enum { TCTL_EN = 1u << 1, TCTL_PSP = 1u << 3 };
enum { RFCTL_EXSTEN = 1u << 15 };
enum { RXCSUM_IPPCSE = 1u << 12, RXCSUM_PCSD = 1u << 13 };
enum { TARC_ENABLE = 1u << 10 };

enum { /* 10.2.4.1 */
	ICR_TXDW = 1u << 0,
	ICR_TXQE = 1u << 1,
	ICR_LSC = 1u << 2,
	ICR_RXDMT0 = 1u << 4,
	ICR_RXO = 1u << 6,
	ICR_RXT0 = 1u << 7,
	ICR_RXQ0 = 1u << 20,
	ICR_RXQ1 = 1u << 21,
	ICR_TXQ0 = 1u << 22,
	ICR_TXQ1 = 1u << 23,
	ICR_OTHER = 1u << 24,
};
#define ICR_ASSERTED (1u << 31)

enum { VIOLATIONS = 32, VIOLATION_LEN = 200, DESC_LEN = 16, FRAME_MAX = 16384 };

struct m574_frame {
	struct m574_frame *next;
	uint32_t len, bad;
	uint32_t done; /* bytes of it that are in memory already */
	bool waited;   /* counted in RNBC */
	bool steered;  /* what follows is set */
	uint32_t queue, mrq, hash;
	uint8_t data[];
};

struct m574_queue {
	struct m574_frame *first, **last;
	uint64_t bytes;
};

/* A packet whose descriptors are being read: 7.2.10 */
struct m574_tx {
	uint8_t data[2 * 65536];
	uint32_t len, descs;
	uint32_t first_len; /* of its first descriptor, */
	uint8_t popts;      /* which has also these */
	bool tse;
};

/* The checksum and segmentation context, of which the part has one, whatever queue it came from: 7.2.6 */
struct m574_context {
	bool valid;
	uint8_t ipcss, ipcso, tucss, tucso, tucmd;
	uint16_t ipcse, tucse;
	uint32_t paylen; /* with TSE, and these: 7.2.10.2 */
	uint8_t hdrlen;
	uint16_t mss;
};

/* A row of a part's registers: 10.2.1. */
struct m574_reg {
	uint32_t off;
	uint16_t n;
	uint8_t stride, access; /* M574_* */
	const char *name;
};
enum { M574_RD = 1, M574_WR = 2, M574_CLR = 4, M574_RING = 8, M574_RW = M574_RD | M574_WR };

struct fake_82574;
struct m574_frame;
struct m574_packet;

/*
 * What a part does its own way; all else is the 82574L's. The model calls these with its lock held.
 * NULL: there is none of it.
 */
struct m574_gen {
	uint16_t device, vectors;
	uint32_t queues;                   /* each way */
	uint32_t rx_rings, tx_rings, step; /* registers of their rings */
	const struct m574_reg *regs;
	uint32_t n_regs;
	uint32_t rctl_reserved, tctl_reserved;

	/* Registers after a reset, as far as they are not 0 or those that all have; power: of all. */
	void (*reset)(struct fake_82574 *m, bool power);
	bool (*kept)(uint32_t off); /* by a reset */
	/* Registers with side effects of their own; false: there are none. */
	bool (*read)(struct fake_82574 *m, uint32_t off, uint32_t *v);
	bool (*write)(struct fake_82574 *m, uint32_t off, uint32_t v);
	void (*mdic)(struct fake_82574 *m); /* MDIC is written */
	void (*sync)(struct fake_82574 *m); /* time has passed */

	bool one_by_one; /* queues are set up while they are off, not while all are; descriptors are advanced */
	bool (*queue_on)(const struct fake_82574 *m, uint32_t block); /* what enables it alone */
	void (*receiver_on)(struct fake_82574 *m);                    /* what must be so then */
	uint32_t (*rx_limit)(const struct fake_82574 *m);             /* bytes with FCS */
	uint32_t (*rx_fifo)(const struct fake_82574 *m);              /* bytes */
	uint32_t (*tx_fifo)(const struct fake_82574 *m);
	uint32_t (*buffer)(const struct fake_82574 *m, uint32_t queue); /* bytes */
	/* No descriptors for a packet: is it dropped? */
	bool (*drops)(struct fake_82574 *m, uint32_t queue);
	void (*rss)(struct fake_82574 *m, struct m574_frame *fr); /* its queue and hash */
	void (*rx_desc)(const struct fake_82574 *m, uint8_t *d, const struct m574_packet *p,
		uint32_t piece, bool eop); /* what is written back */
	/* Executes a descriptor. False: memory does not answer. */
	bool (*tx_desc)(struct fake_82574 *m, uint32_t queue, uint64_t q0, uint64_t q1);
	/* Has ICR's bits, and a queue's own, fire. */
	void (*irq_sync)(struct fake_82574 *m);
	void (*queue_cause)(struct fake_82574 *m, bool rx, uint32_t queue);
};
extern const struct m574_gen m574_gen_82574, m574_gen_82576;

/* The 82576's own: 7.2.2.2, two contexts of each queue, as they stand in descriptors. */
struct m576_state {
	uint64_t context[QUEUES][2][2];
	bool valid[QUEUES][2];
	uint64_t enable_end[2 * QUEUES]; /* RXDCTL, TXDCTL: ENABLE takes effect */
	bool vle;                        /* of the packet at work, */
	uint32_t idx;                    /* and its context */
	uint32_t pending;                /* vectors that are to fire */
	uint64_t fired_at[32];
};

struct fake_82574 {
	struct fake_pci *pci;
	const struct m574_gen *gen;
	struct m576_state s576;
	struct fake_82574_opts opts;
	uint32_t *regs; /* BAR 0: reads of most registers are from here */
	uint8_t known[BAR_LEN / 4];
	uint64_t wall_start;

	/* times at which things end; 0: not under way */
	uint64_t reset_end, nvm_end, mdic_end, eerd_end, link_at, gio_end;
	uint32_t rx_budget;   /* descriptors until a pause: fake_82574_pause_rx() */
	uint32_t irq_pending; /* causes that are to fire */
	uint64_t fired_at[5]; /* when a vector did; 0: never */
	bool cable, phy_error, link, stall_rx, stall_tx, hung_rx, hung_tx;
	uint16_t phy[32];
	uint16_t nvm[64];

	struct m574_queue fifo;          /* received, waiting for descriptors: 7.1.2 */
	struct m574_tx txq[QUEUES], *tx; /* of which the one at work */
	struct m574_tx segment;          /* one of those that a packet is cut into */
	struct m574_context context;

	/* the wire; inbox has a lock of its own: see fake_82574_tx.c */
	struct fake_82574 *peer;
	pthread_mutex_t inbox_lock;
	struct m574_queue inbox;
	fake_82574_tx_fn tx_fn;
	void *tx_arg;

	struct fake_82574_counts counts;
	unsigned n_violations, n_texts;
	char texts[VIOLATIONS][VIOLATION_LEN];
};

struct m574_ring {
	uint64_t base;
	uint32_t n, head, tail, block;
};

/* One packet, as it will lie in memory, and what is reported with its last descriptor. */
struct m574_packet {
	uint8_t data[FRAME_MAX + 4];
	uint32_t len, staterr, type, mrq, hash; /* type: m574_rx_type() */
	uint16_t vlan;
};

static inline uint32_t m574_get(const struct fake_82574 *m, uint32_t off)
{
	return m->regs[off / 4];
}

static inline void m574_set(struct fake_82574 *m, uint32_t off, uint32_t v)
{
	m->regs[off / 4] = v;
}

/* fake_82574.c */
uint64_t m574_now(const struct fake_82574 *m);
__attribute__((format(printf, 2, 3))) void m574_violation(
	struct fake_82574 *m, const char *fmt, ...);
void m574_sync(struct fake_82574 *m); /* what time has brought */

/* fake_82574_regs.c */
void m574_regs_init(struct fake_82574 *m);
void m574_regs_reset(struct fake_82574 *m);
uint64_t m574_reg_read(struct fake_pci *f, uint32_t bar, uint64_t off, unsigned width);
void m574_reg_write(struct fake_pci *f, uint32_t bar, uint64_t off, unsigned width, uint64_t v);

/* Registers of a queue. */
static inline uint32_t m574_rx_block(const struct fake_82574 *m, uint32_t queue)
{
	return m->gen->rx_rings + queue * m->gen->step;
}

static inline uint32_t m574_tx_block(const struct fake_82574 *m, uint32_t queue)
{
	return m->gen->tx_rings + queue * m->gen->step;
}

/* fake_82574_ring.c */
void m574_ring(const struct fake_82574 *m, uint32_t block, struct m574_ring *r);
bool m574_ring_check(struct fake_82574 *m, uint32_t block, const char *what);
void m574_ring_write(struct fake_82574 *m, uint32_t off, uint32_t v);
bool m574_can_dma(struct fake_82574 *m);

/* fake_82574_rx.c */
uint32_t m574_rx_buffer(const struct fake_82574 *m, uint32_t queue);
void m574_rx_desc(const struct fake_82574 *m, uint8_t *d, const struct m574_packet *p,
	uint32_t piece, bool eop);
bool m574_rx(struct fake_82574 *m, const uint8_t *frame, uint32_t len, uint32_t bad);
void m574_rx_drain(struct fake_82574 *m);
void m574_queue_free(struct m574_queue *q);
void m574_queue_put(struct m574_queue *q, const uint8_t *data, uint32_t len, uint32_t bad);
struct m574_frame *m574_queue_get(struct m574_queue *q);
void m574_queue_init(struct m574_queue *q);

/* fake_82574_rss.c */
bool m574_rss_on(const struct fake_82574 *m);
void m574_rss(struct fake_82574 *m, struct m574_frame *fr); /* its queue and hash */
uint32_t m574_toeplitz(const struct fake_82574 *m, const uint8_t *input, uint32_t len);
void m574_rss_check(struct fake_82574 *m);
void m574_rss_write(struct fake_82574 *m, uint32_t off, uint32_t v);

/* fake_82574_filter.c */
bool m574_accepts(struct fake_82574 *m, const uint8_t *frame, uint32_t len);

/* fake_82574_tx.c */
bool m574_tx_desc(struct fake_82574 *m, uint32_t queue, uint64_t q0, uint64_t q1);
/* One buffer of a packet; popts, tse: of its descriptor. False when memory does not answer. */
bool m574_tx_data(struct fake_82574 *m, uint64_t addr, uint32_t len, uint8_t popts, bool tse);
/* Its end: cmd, and the tag to insert. */
void m574_tx_end(struct fake_82574 *m, uint8_t cmd, uint16_t vlan);
void m574_tx_kick(struct fake_82574 *m);
void m574_inbox_drain(struct fake_82574 *m);
void m574_send_frame(struct fake_82574 *m, uint8_t cmd, uint16_t vlan); /* m->tx */

/* fake_82574_tso.c */
void m574_tso_context(struct fake_82574 *m);
void m574_tso(struct fake_82574 *m, uint8_t cmd, uint16_t vlan); /* cuts and sends m->tx */

/* fake_82574_phy.c */
void m574_phy_reset(struct fake_82574 *m);
void m574_mdic(struct fake_82574 *m);
void m574_eerd(struct fake_82574 *m);
void m574_link_sync(struct fake_82574 *m);
void m574_nvm_init(struct fake_82574 *m);
void m574_nvm_load(struct fake_82574 *m);

/* fake_82574_stats.c */
void m574_count(struct fake_82574 *m, uint32_t off, uint32_t n);
void m574_count_frame(struct fake_82574 *m, bool rx, const uint8_t *frame, uint32_t len);
uint32_t m574_stat_read(struct fake_82574 *m, uint32_t off);

/* fake_82574_irq.c */
void m574_cause(struct fake_82574 *m, uint32_t bits);
void m574_irq_sync(struct fake_82574 *m);
void m574_queue_cause(struct fake_82574 *m, bool rx, uint32_t queue);
uint32_t m574_icr_read(struct fake_82574 *m);

/* fake_82574_sum.c */
uint32_t m574_crc(const uint8_t *p, uint32_t len);
uint32_t m574_sum(const uint8_t *p, uint32_t len, uint32_t sum); /* ones' complement, unfolded */
uint16_t m574_fold(uint32_t sum);
/* Status and error bits of 7.1.10 for a frame without tag; enable: RXCSUM. */
uint32_t m574_rx_sums(uint32_t rxcsum, const uint8_t *frame, uint32_t len);
uint32_t m574_rx_type(const uint8_t *frame, uint32_t len);

#endif
