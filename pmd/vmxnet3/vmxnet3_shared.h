/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What lies in memory between driver and device, beside the rings: the shared area and the queues'
 * descriptors, as vmxnet3_defs.h lays them out (see vmxnet3_regs.h). The device reads its
 * configuration from there when a command says so; of what it could write there itself the driver
 * reads ecr, updateRxProd, the queues' status and their counters, and nothing else.
 */
#ifndef VMXNET3_SHARED_H
#define VMXNET3_SHARED_H

#include "plx_base.h"

enum {
	VMXNET3_MAX_QUEUES = 8,
	VMXNET3_MAX_INTRS = 25,
	VMXNET3_N_VFT = 128,    /* words: one bit for each VLAN id */
	VMXNET3_KEY_LEN = 40,   /* of RSS */
	VMXNET3_N_RETA = 128,   /* entries of the RSS table */
	VMXNET3_MAX_MCAST = 512 /* addresses of groups; more: all of them */
};

#define VMXNET3_MAGIC 0xbabefee1u

struct vmxnet3_misc_conf {
	plx_le32 version; /* of the driver */
	plx_le32 gos;     /* the operating system: VMXNET3_GOS */
	plx_le32 rev;     /* of the shared area: 1 */
	plx_le32 upt_rev;
	plx_le64 features; /* VMXNET3_F_* */
	plx_le64 dd_pa;    /* driver data: none */
	plx_le64 queue_desc_pa;
	plx_le32 dd_len;
	plx_le32 queue_desc_len;
	plx_le32 mtu;
	plx_le16 max_rx_sg; /* RX buffers in one packet */
	uint8_t n_txq;
	uint8_t n_rxq;
	plx_le32 reserved[4];
};
PLX_STATIC_ASSERT(sizeof(struct vmxnet3_misc_conf) == 72, "vmxnet3_defs.h");

/* 64 bits; the type that takes body buffers (QEMU's model: all but Windows). */
#define VMXNET3_GOS (2u | 1u << 2 | 1u << 6)

/* Features. */
#define VMXNET3_F_RXCSUM PLX_BIT(0)
#define VMXNET3_F_RSS    PLX_BIT(1)
#define VMXNET3_F_RXVLAN PLX_BIT(2) /* tags are stripped */
#define VMXNET3_F_LRO    PLX_BIT(3)

struct vmxnet3_intr_conf {
	uint8_t auto_mask; /* a vector that fires masks itself */
	uint8_t n_intrs;
	uint8_t event_intr;
	uint8_t levels[VMXNET3_MAX_INTRS]; /* of moderation: 0 none to 7, 8 adaptive */
	plx_le32 ctrl;                     /* VMXNET3_IC_* */
	plx_le32 reserved[2];
};
PLX_STATIC_ASSERT(sizeof(struct vmxnet3_intr_conf) == 40, "vmxnet3_defs.h");

#define VMXNET3_IC_DISABLE_ALL PLX_BIT(0)
#define VMXNET3_LEVEL_MAX      7u

struct vmxnet3_rx_filter {
	plx_le32 mode;   /* VMXNET3_RXM_* */
	plx_le16 mf_len; /* bytes of the multicast list */
	plx_le16 pad;
	plx_le64 mf_pa;
	plx_le32 vft[VMXNET3_N_VFT];
};
PLX_STATIC_ASSERT(sizeof(struct vmxnet3_rx_filter) == 528, "vmxnet3_defs.h");

#define VMXNET3_RXM_UCAST     PLX_BIT(0)
#define VMXNET3_RXM_MCAST     PLX_BIT(1) /* groups on the list */
#define VMXNET3_RXM_BCAST     PLX_BIT(2)
#define VMXNET3_RXM_ALL_MULTI PLX_BIT(3)
#define VMXNET3_RXM_PROMISC   PLX_BIT(4)

/* Where a part of the configuration lies that has a length of its own. */
struct vmxnet3_var_conf {
	plx_le32 version;
	plx_le32 len;
	plx_le64 pa;
};

struct vmxnet3_shared {
	plx_le32 magic;
	plx_le32 pad;
	struct vmxnet3_misc_conf misc;
	struct vmxnet3_intr_conf intr;
	struct vmxnet3_rx_filter filter;
	struct vmxnet3_var_conf rss, pm, plugin;
	plx_le32 ecr; /* VMXNET3_ECR_*: the device sets bits, a write to ECR clears them */
	plx_le32 reserved[5];
};
PLX_STATIC_ASSERT(offsetof(struct vmxnet3_shared, intr) == 80, "vmxnet3_defs.h");
PLX_STATIC_ASSERT(offsetof(struct vmxnet3_shared, filter) == 120, "vmxnet3_defs.h");
PLX_STATIC_ASSERT(offsetof(struct vmxnet3_shared, rss) == 648, "vmxnet3_defs.h");
PLX_STATIC_ASSERT(offsetof(struct vmxnet3_shared, ecr) == 696, "vmxnet3_defs.h");
PLX_STATIC_ASSERT(sizeof(struct vmxnet3_shared) == 720, "vmxnet3_defs.h");

struct vmxnet3_queue_status {
	uint8_t stopped;
	uint8_t pad[3];
	plx_le32 error; /* why: 0x80000000 on */
};

/* The device's counters of a queue: X(name in plx_port_xstats() without rx_ or tx_). */
/* clang-format off */
#define VMXNET3_TX_STATS(X)                                                                  \
	X(tso_packets) X(tso_bytes) X(unicast_packets) X(unicast_bytes) X(multicast_packets) \
	X(multicast_bytes) X(broadcast_packets) X(broadcast_bytes) X(error_packets)          \
	X(discarded_packets)
#define VMXNET3_RX_STATS(X)                                                                  \
	X(lro_packets) X(lro_bytes) X(unicast_packets) X(unicast_bytes) X(multicast_packets) \
	X(multicast_bytes) X(broadcast_packets) X(broadcast_bytes) X(out_of_buffers)         \
	X(error_packets)
/* clang-format on */
enum {
#define X(name) VMXNET3_TX_STAT_##name,
	VMXNET3_TX_STATS(X)
#undef X
		VMXNET3_N_STATS,
};
enum {
#define X(name) VMXNET3_RX_STAT_##name,
	VMXNET3_RX_STATS(X)
#undef X
		VMXNET3_N_RX_STATS,
};
PLX_STATIC_ASSERT(VMXNET3_N_STATS == 10 && VMXNET3_N_RX_STATS == 10, "vmxnet3_defs.h");

struct vmxnet3_tx_queue {
	plx_le32 deferred;  /* filled slots that the device was not told of */
	plx_le32 threshold; /* so many are worth a doorbell: the device's wish */
	plx_le64 reserved0;
	plx_le64 ring_pa, data_ring_pa, comp_pa, dd_pa, reserved1;
	plx_le32 ring_size, data_ring_size, comp_size, dd_len;
	uint8_t intr;
	uint8_t pad0[7];
	struct vmxnet3_queue_status status;
	plx_le64 stats[VMXNET3_N_STATS];
	uint8_t pad1[88];
};
PLX_STATIC_ASSERT(offsetof(struct vmxnet3_tx_queue, ring_size) == 56, "vmxnet3_defs.h");
PLX_STATIC_ASSERT(offsetof(struct vmxnet3_tx_queue, status) == 80, "vmxnet3_defs.h");
PLX_STATIC_ASSERT(sizeof(struct vmxnet3_tx_queue) == 256, "vmxnet3_defs.h");

struct vmxnet3_rx_queue {
	uint8_t update_prod; /* the device wants to be told of armed slots */
	uint8_t pad0[7];
	plx_le64 reserved0;
	plx_le64 ring_pa[2], comp_pa, dd_pa, reserved1;
	plx_le32 ring_size[2], comp_size, dd_len;
	uint8_t intr;
	uint8_t pad1[7];
	struct vmxnet3_queue_status status;
	plx_le64 stats[VMXNET3_N_STATS];
	uint8_t pad2[88];
};
PLX_STATIC_ASSERT(offsetof(struct vmxnet3_rx_queue, ring_size) == 56, "vmxnet3_defs.h");
PLX_STATIC_ASSERT(offsetof(struct vmxnet3_rx_queue, status) == 80, "vmxnet3_defs.h");
PLX_STATIC_ASSERT(sizeof(struct vmxnet3_rx_queue) == 256, "vmxnet3_defs.h");

/* One after the other: all TX queues, then all RX queues. */
union vmxnet3_queue_desc {
	struct vmxnet3_tx_queue tx;
	struct vmxnet3_rx_queue rx;
};

struct vmxnet3_rss_conf {
	plx_le16 hash_type; /* VMXNET3_RSS_* */
	plx_le16 hash_func; /* 1: Toeplitz */
	plx_le16 key_len;
	plx_le16 table_len;
	uint8_t key[VMXNET3_KEY_LEN];
	uint8_t table[VMXNET3_N_RETA];
};
PLX_STATIC_ASSERT(sizeof(struct vmxnet3_rss_conf) == 176, "vmxnet3_defs.h");

#define VMXNET3_RSS_IPV4     PLX_BIT(0)
#define VMXNET3_RSS_TCP_IPV4 PLX_BIT(1)
#define VMXNET3_RSS_IPV6     PLX_BIT(2)
#define VMXNET3_RSS_TCP_IPV6 PLX_BIT(3)
#define VMXNET3_RSS_TOEPLITZ 1u

#define VMXNET3_IDLE_DESC 32u /* slots of a ring that is there because one must be */

/* All of it, in one piece of device memory. */
struct vmxnet3_memory {
	/* rings of 512 bytes, the least there is; the device finds nothing in idle, ever */
	uint8_t idle[VMXNET3_IDLE_DESC * 16];
	uint8_t idle_comp[2][VMXNET3_IDLE_DESC * 16];
	union vmxnet3_queue_desc queues[2 * VMXNET3_MAX_QUEUES] __attribute__((aligned(128)));
	struct vmxnet3_shared shared __attribute__((aligned(64)));
	struct vmxnet3_rss_conf rss __attribute__((aligned(64)));
	uint8_t mcast[VMXNET3_MAX_MCAST][6] __attribute__((aligned(64)));
};

#endif
