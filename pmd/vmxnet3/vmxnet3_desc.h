/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Descriptors: what we write into the command rings, and the device into the completion rings
 * (vmxnet3_defs.h, see vmxnet3_regs.h). All have 16 bytes, here as two quadwords.
 *
 * Who owns a slot is said by its generation bit. It is 1 in the first round through a ring and flips
 * with each further one: a command slot is the device's when its bit is that of the round in which the
 * device comes to it, a completion is news when its bit is that of the round in which we do. Nobody
 * clears a slot, and the device looks at no slot behind one that is not its own.
 */
#ifndef VMXNET3_DESC_H
#define VMXNET3_DESC_H

#include "plx_mbuf.h"

struct vmxnet3_desc {
	plx_le64 q[2];
} __attribute__((aligned(16)));
PLX_STATIC_ASSERT(sizeof(struct vmxnet3_desc) == 16, "vmxnet3_defs.h");

/*
 * What the address field of a slot holds that software owns: nothing that an IOMMU could map. IOMMUs
 * translate up to 57 bits, VFIO's apertures have 39 or 48; above, an access is refused before any table
 * is looked at.
 */
#define VMXNET3_NO_ADDR UINT64_C(0xffffdead57a1e000)

/* TX, quadword 1. */
#define VMXNET3_TX_LEN(n)  ((uint64_t)((n)&0x3fff)) /* 0: 16384 */
#define VMXNET3_TX_GEN     PLX_BIT64(14)
#define VMXNET3_TX_MSS(n)  ((uint64_t)(n) << 18) /* TSO: segment size; checksum: where it goes */
#define VMXNET3_TX_HLEN(n) ((uint64_t)(n) << 32) /* TSO: all headers; checksum: where it starts */
#define VMXNET3_TX_CSUM    (UINT64_C(2) << 42)
#define VMXNET3_TX_TSO     (UINT64_C(3) << 42)
#define VMXNET3_TX_EOP     PLX_BIT64(44)
#define VMXNET3_TX_CQ      PLX_BIT64(45) /* report it */
#define VMXNET3_TX_TI      PLX_BIT64(47) /* insert the tag */
#define VMXNET3_TX_TCI(t)  ((uint64_t)(t) << 48)
#define VMXNET3_TX_BUF_MAX 16384u
#define VMXNET3_TX_MSS_MAX 0x3fffu

/* A packet in one slot. */
#define VMXNET3_TX_PLAIN (VMXNET3_TX_EOP | VMXNET3_TX_CQ)

/* TX completion: the slot of the packet's end in quadword 0, the generation in quadword 1. */
#define VMXNET3_TXC_SLOT(q0) ((uint32_t)(q0)&0xfff)

/* Both completions, quadword 1. */
#define VMXNET3_C_GEN      PLX_BIT64(63)
#define VMXNET3_C_TYPE(q1) ((uint32_t)((q1) >> 56) & 0x7f)

/* RX, quadword 1. */
#define VMXNET3_RX_LEN(n)  ((uint64_t)(n))
#define VMXNET3_RX_LEN_MAX 0x3fffu
#define VMXNET3_RX_BODY    PLX_BIT64(14) /* not for the start of a packet */
#define VMXNET3_RX_GEN     PLX_BIT64(31)

/* RX completion, quadword 0. The hash of a packet of type LRO is none. */
#define VMXNET3_RXC_SLOT(q0) ((uint32_t)(q0)&0xfff)
#define VMXNET3_RXC_EOP      PLX_BIT64(14)
#define VMXNET3_RXC_SOP      PLX_BIT64(15)
#define VMXNET3_RXC_RQ(n) \
	((uint64_t)(n) << 16) /* queue n: its first ring; + all queues: its second */
#define VMXNET3_RXC_RQ_OF(q0) ((uint32_t)((q0) >> 16) & 0x3ff)
#define VMXNET3_RXC_RSS(q0)   ((uint32_t)((q0) >> 26) & 0xf) /* 0: no hash */
#define VMXNET3_RXC_CNC       PLX_BIT64(30)                  /* checksums were not computed */

/* RX completion, quadword 1. */
#define VMXNET3_RXC_LEN(q1) ((uint32_t)(q1)&0x3fff)
#define VMXNET3_RXC_ERR     PLX_BIT64(14)
#define VMXNET3_RXC_TS      PLX_BIT64(15) /* a tag was stripped */
#define VMXNET3_RXC_TCI(q1) ((uint16_t)((q1) >> 16))
#define VMXNET3_RXC_TUC     PLX_BIT64(48) /* TCP or UDP checksum is right */
#define VMXNET3_RXC_UDP     PLX_BIT64(49)
#define VMXNET3_RXC_TCP     PLX_BIT64(50)
#define VMXNET3_RXC_IPC     PLX_BIT64(51) /* IPv4 header checksum is right */
#define VMXNET3_RXC_V6      PLX_BIT64(52)
#define VMXNET3_RXC_V4      PLX_BIT64(53)
#define VMXNET3_RXC_FRG     PLX_BIT64(54) /* a fragment */

/* Types of completions: QEMU's model leaves 0 for all. */
enum { VMXNET3_TYPE_RX = 3, VMXNET3_TYPE_LRO = 4 };

/* A packet in one slot of which there is nothing to say: all of these bits but slot and round. */
#define VMXNET3_RXC_PLAIN0_MASK \
	(UINT64_C(0xfff) | VMXNET3_RXC_EOP | VMXNET3_RXC_SOP | VMXNET3_RXC_RQ(0x3ff))
#define VMXNET3_RXC_PLAIN0(queue) (VMXNET3_RXC_EOP | VMXNET3_RXC_SOP | VMXNET3_RXC_RQ(queue))
#define VMXNET3_RXC_PLAIN1_MASK \
	(VMXNET3_C_GEN | UINT64_C(0x7c) << 56 | VMXNET3_RXC_ERR | VMXNET3_RXC_TS)

#define VMXNET3_TX_CKSUMS (PLX_TX_TCP_CKSUM | PLX_TX_UDP_CKSUM)

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define VMXNET3_TSAN 1
#endif
#elif defined(__SANITIZE_THREAD__)
#define VMXNET3_TSAN 1
#endif

/* A command slot. The device may be looking: it is its own from the second quadword on. */
static inline void vmxnet3_desc_store(struct vmxnet3_desc *d, uint64_t q0, uint64_t q1)
{
	plx_le64_write_once(&d->q[0], q0);
	plx_io_wmb(); /* what the generation bit hands over, then the bit */
	plx_le64_write_once(&d->q[1], q1);
}

/*
 * What the flags and lengths of a packet ask for, to be added to quadword 1. false: the device
 * cannot, or the lengths are not those of a packet of len bytes.
 */
static inline bool vmxnet3_tx_asks(const struct plx_mbuf *m, uint32_t len, uint64_t *q1)
{
	const uint32_t flags = m->flags & PLX_TX_OFFLOADS;
	const uint32_t l2 = m->tx.l2_len, l4 = l2 + (uint32_t)m->tx.l3_len;
	const uint32_t headers = l4 + (uint32_t)m->tx.l4_len;

	if (flags & ~(uint32_t)(VMXNET3_TX_CKSUMS | PLX_TX_TSO | PLX_TX_VLAN))
		return false;
	*q1 = flags & PLX_TX_VLAN ? VMXNET3_TX_TI | VMXNET3_TX_TCI(m->vlan) : 0;
	if (flags & PLX_TX_TSO) {
		*q1 |= VMXNET3_TX_TSO | VMXNET3_TX_HLEN(headers) | VMXNET3_TX_MSS(m->tx.tso_segsz);
		return l2 >= 14 && m->tx.l3_len >= 20 && m->tx.l4_len >= 20 && headers < len &&
		       m->tx.tso_segsz - 1u < VMXNET3_TX_MSS_MAX;
	}
	if (flags & VMXNET3_TX_CKSUMS) {
		const uint32_t at = l4 + (flags & PLX_TX_UDP_CKSUM ? 6 : 16);

		*q1 |= VMXNET3_TX_CSUM | VMXNET3_TX_HLEN(l4) | VMXNET3_TX_MSS(at);
		return l2 >= 14 && m->tx.l3_len >= 20 && at + 2 <= len;
	}
	return true;
}

#endif
