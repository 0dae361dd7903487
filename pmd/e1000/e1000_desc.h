/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Descriptors: what the device and we write into the rings (82574 datasheet, 7.1.4 and 7.2.10).
 */
#ifndef E1000_DESC_H
#define E1000_DESC_H

#include "plx_mbuf.h"

/*
 * What the address field of a slot holds that software owns: not zero (a zero address would be taken
 * as a null descriptor, 7.1.7.2), and nothing that an IOMMU could map, so that a device that reads
 * past its tail faults. IOMMUs translate up to 57 bits, VFIO's apertures have 39 or 48; above, an
 * access is refused before any table is looked at. It is canonical, as a bus bridge or an address
 * translation service may want addresses to be. A device that drives fewer bits than 64 asks for
 * 0x57a1e000, below all I/O addresses that lib/mem gives and outside the interrupt window, or for one
 * above 180 GiB, which they reach only when that much memory is mapped.
 */
#define E1000_NO_ADDR UINT64_C(0xffffdead57a1e000)
PLX_STATIC_ASSERT(E1000_NO_ADDR >> 47 == 0x1ffff, "canonical with 48 bits and more");

/*
 * RX descriptor: extended, as software writes it (7.1.4.1) and as the device writes it back. A legacy
 * one is as long, and written by software in the same way.
 */
union e1000_rx_desc {
	struct {
		plx_le64 addr;
		plx_le64 reserved; /* bit 0 is where DD will be: 0 */
	} read;
	struct {
		plx_le64 mrq_hash; /* RSS type 3:0, queue 12:8, hash 63:32 (7.1.4.2) */
		plx_le64 stat_len; /* status and errors 31:0, length 47:32, VLAN tag 63:48 */
	} wb;
	/* legacy: address; length 15:0, packet checksum 31:16, status 39:32, errors 47:40, tag 63:48 */
	plx_le64 q[2];
};
PLX_STATIC_ASSERT(sizeof(union e1000_rx_desc) == 16, "datasheet 7.1.4");

/* Extended status and errors (7.1.4.2), the low half of stat_len. */
#define E1000_RXS_DD         PLX_BIT(0) /* descriptor done */
#define E1000_RXS_EOP        PLX_BIT(1) /* last of its packet */
#define E1000_RXS_IXSM       PLX_BIT(2) /* ignore the checksum bits */
#define E1000_RXS_VP         PLX_BIT(3) /* a tag was stripped */
#define E1000_RXS_UDPCS      PLX_BIT(4) /* UDP checksum was checked */
#define E1000_RXS_TCPCS      PLX_BIT(5) /* TCP checksum was checked */
#define E1000_RXS_IPCS       PLX_BIT(6) /* IPv4 header checksum was checked */
#define E1000_RXS_PKTTYPE(s) (((s) >> 16) & 0xf)
#define E1000_RXS_CE         PLX_BIT(24) /* FCS or alignment */
#define E1000_RXS_SE         PLX_BIT(25) /* symbol */
#define E1000_RXS_SEQ        PLX_BIT(26) /* sequence */
#define E1000_RXS_CXE        PLX_BIT(28) /* carrier extension */
#define E1000_RXS_TCPE       PLX_BIT(29) /* TCP or UDP checksum is wrong */
#define E1000_RXS_IPE        PLX_BIT(30) /* IPv4 header checksum is wrong */
#define E1000_RXS_RXE        PLX_BIT(31) /* data */
#define E1000_RXS_BAD        (E1000_RXS_CE | E1000_RXS_SE | E1000_RXS_SEQ | E1000_RXS_CXE | E1000_RXS_RXE)

/*
 * The second quadword of a legacy descriptor with its halves swapped (8254x manual, 3.2.3): DD, EOP
 * and length are where an extended one has them, errors not.
 */
static inline uint64_t e1000_rx_swapped(uint64_t q1)
{
	return q1 << 32 | q1 >> 32;
}
#define E1000_RXL_PLAIN_MASK \
	(E1000_RXS_DD | E1000_RXS_EOP | E1000_RXS_VP | E1000_RXS_BAD >> 24 << 8)

/* All that it says, as an extended one says it; the packet checksum is left out. */
static inline uint64_t e1000_rx_extended(uint64_t q1)
{
	return (q1 & 0xffff) << 32 | (q1 >> 40 & 0xff) << 24 | (q1 >> 32 & 0xff) |
	       (q1 & UINT64_C(0xffff000000000000));
}

/*
 * Advanced RX descriptor (82576 datasheet, 7.1.5). Written by software it has the buffer's address and, as one buffer holds
 * header and data, 0; written back it has DD, EOP, VP, errors, length and tag where the 82574's extended
 * one has them, and so has the type of its hash. What it tells of the packet's layers is beside that.
 */
#define E1000_RXA_TYPE(q0) ((uint32_t)((q0) >> 4) & 0xff)
#define E1000_RXA_IPV4     PLX_BIT(0)
#define E1000_RXA_IPV4_EXT PLX_BIT(1)
#define E1000_RXA_IPV6     PLX_BIT(2)
#define E1000_RXA_IPV6_EXT PLX_BIT(3)
#define E1000_RXA_TCP      PLX_BIT(4)
#define E1000_RXA_UDP      PLX_BIT(5)
#define E1000_RXA_SCTP     PLX_BIT(6)

/* Has a packet an RSS hash? By mrq_hash. */
#define E1000_RX_HASHED(q0) (((q0)&0xf) != 0)

/* A packet in one descriptor about which there is nothing to say. */
#define E1000_RXS_PLAIN_MASK (E1000_RXS_DD | E1000_RXS_EOP | E1000_RXS_VP | E1000_RXS_BAD)
#define E1000_RXS_PLAIN      (E1000_RXS_DD | E1000_RXS_EOP)

/* TX descriptor: legacy (7.2.10.1), or extended data (7.2.10.3). */
struct e1000_tx_data {
	plx_le64 addr;
	plx_le32 cmd;  /* length 15:0, E1000_TXC_* */
	plx_le32 opts; /* status 3:0, packet options 15:8 (extended), VLAN tag 31:16 */
};

/* Context descriptor (7.2.10.2): where checksums start, end and go, for the data that follows. */
struct e1000_tx_ctx {
	uint8_t ipcss, ipcso;
	plx_le16 ipcse;
	uint8_t tucss, tucso;
	plx_le16 tucse;
	plx_le32 cmd; /* payload length 19:0 (TSO), E1000_TXC_* */
	uint8_t status, hdrlen;
	plx_le16 mss;
};

union e1000_tx_desc {
	struct e1000_tx_data data;
	struct e1000_tx_ctx ctx;
	plx_le64 q[2];
};
PLX_STATIC_ASSERT(sizeof(struct e1000_tx_data) == 16, "datasheet 7.2.10.1");
PLX_STATIC_ASSERT(sizeof(struct e1000_tx_ctx) == 16, "datasheet 7.2.10.2");
PLX_STATIC_ASSERT(sizeof(union e1000_tx_desc) == 16, "datasheet 7.2.10");

/* Bits of cmd: the command byte is 31:24, the type of an extended descriptor 23:20. */
#define E1000_TXC_DATA    PLX_BIT(20) /* extended data descriptor; 0: context */
#define E1000_TXC_EOP     PLX_BIT(24) /* data: last of its packet */
#define E1000_TXC_TCP     PLX_BIT(24) /* context: TCP; else UDP */
#define E1000_TXC_IFCS    PLX_BIT(25) /* data: the device appends the FCS */
#define E1000_TXC_IP      PLX_BIT(25) /* context: IPv4; else IPv6 */
#define E1000_TXC_TSE     PLX_BIT(26) /* both: cut TCP into segments */
#define E1000_TXC_RS      PLX_BIT(27) /* report status: set DD */
#define E1000_TXC_DEXT    PLX_BIT(29) /* extended descriptor */
#define E1000_TXC_VLE     PLX_BIT(30) /* insert the tag in opts */
/* Bits of opts. */
#define E1000_TXO_DD      PLX_BIT(0)
#define E1000_TXO_IXSM    PLX_BIT(8) /* insert the IPv4 header checksum */
#define E1000_TXO_TXSM    PLX_BIT(9) /* insert the TCP or UDP checksum */
#define E1000_TXO_VLAN(t) ((uint32_t)(t) << 16)

/* cmd of a packet in one legacy descriptor. */
#define E1000_TXC_PLAIN (E1000_TXC_EOP | E1000_TXC_IFCS)

#define E1000_TX_CKSUMS (PLX_TX_IP_CKSUM | PLX_TX_TCP_CKSUM | PLX_TX_UDP_CKSUM)
/* Flags of packets that need a context. */
#define E1000_TX_CTX    (E1000_TX_CKSUMS | PLX_TX_TSO)

/* Bytes of headers that come before each segment, and limits of them and of a segment's payload: 7.2.10. */
static inline uint32_t e1000_tso_headers(const struct plx_mbuf *m)
{
	return (uint32_t)m->tx.l2_len + (uint32_t)m->tx.l3_len + (uint32_t)m->tx.l4_len;
}
enum {
	E1000_TSO_HEADERS = 240, /* the device keeps so many (7.3.6) */
	E1000_TSO_MIN_MSS = 64,  /* more than 16 (7.2.10.2); a piece holds all headers */
	E1000_TSO_PIECE_LOG2 = 13,
};

/*
 * Log2 of the bytes that one descriptor of a TSO packet has at most. The device asks for room in its FIFO
 * for four segments at a time (Linux keeps buffers below 4 MSS and 8 KiB for it).
 */
static inline uint32_t e1000_tso_piece_log2(const struct plx_mbuf *m)
{
	return PLX_MIN(plx_log2_u64(m->tx.tso_segsz * 4u), (uint32_t)E1000_TSO_PIECE_LOG2);
}

/* Two quadwords, stored at once where the CPU can. */
typedef uint64_t e1000_v2 __attribute__((vector_size(16), may_alias));

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define E1000_TSAN 1
#endif
#elif defined(__SANITIZE_THREAD__)
#define E1000_TSAN 1
#endif

/* The watchdog or a dump may be reading: no more than one store a quadword. */
static inline void e1000_desc_store(void *desc, uint64_t q0, uint64_t q1)
{
#ifdef E1000_TSAN
	plx_le64_write_once((plx_le64 *)desc, q0);
	plx_le64_write_once((plx_le64 *)desc + 1, q1);
#else
	*(e1000_v2 *)desc = (e1000_v2){PLX_LE64_(q0), PLX_LE64_(q1)};
#endif
}

/* The second quadword of a data descriptor. */
static inline uint64_t e1000_tx_q1(uint32_t cmd, uint32_t len, uint32_t opts)
{
	return (uint64_t)opts << 32 | cmd | len;
}

/*
 * The two quadwords of the context descriptor for a packet of len bytes with a flag of E1000_TX_CTX. An
 * end of 0 is the packet's end.
 */
static inline void e1000_tx_context(const struct plx_mbuf *m, uint32_t len, uint64_t q[2])
{
	uint64_t l2 = m->tx.l2_len, l4 = l2 + m->tx.l3_len;
	uint64_t at = l4 + (m->flags & PLX_TX_UDP_CKSUM ? 6 : 16);
	uint32_t cmd = E1000_TXC_DEXT;

	if (m->flags & PLX_TX_IPV4)
		cmd |= E1000_TXC_IP;
	if (m->flags & (PLX_TX_TCP_CKSUM | PLX_TX_TSO))
		cmd |= E1000_TXC_TCP;
	q[0] = l2 | (l2 + 10) << 8 | (l4 - 1) << 16 | (l4 & 0xff) << 32 | (at & 0xff) << 40;
	q[1] = cmd;
	if (m->flags & PLX_TX_TSO) {
		const uint32_t headers = e1000_tso_headers(m);

		q[1] |= E1000_TXC_TSE | (len - headers) | (uint64_t)headers << 40 |
			(uint64_t)m->tx.tso_segsz << 48;
	}
}

/* cmd and opts that the flags of a packet ask for, without EOP. */
static inline void e1000_tx_command(const struct plx_mbuf *m, uint32_t *cmd, uint32_t *opts)
{
	*cmd = E1000_TXC_IFCS;
	*opts = 0;
	if (m->flags & E1000_TX_CTX)
		*cmd |= E1000_TXC_DEXT | E1000_TXC_DATA;
	if (m->flags & PLX_TX_IP_CKSUM)
		*opts |= E1000_TXO_IXSM;
	if (m->flags & (PLX_TX_TCP_CKSUM | PLX_TX_UDP_CKSUM))
		*opts |= E1000_TXO_TXSM;
	if (m->flags & PLX_TX_TSO) {
		*cmd |= E1000_TXC_TSE;
		*opts |= m->flags & PLX_TX_IPV4 ? E1000_TXO_IXSM | E1000_TXO_TXSM : E1000_TXO_TXSM;
	}
	if (m->flags & PLX_TX_VLAN) {
		*cmd |= E1000_TXC_VLE;
		*opts |= E1000_TXO_VLAN(m->vlan);
	}
}

/* PLX_RX_* for the checksum bits of a status. */
static inline uint32_t e1000_rx_cksum_flags(uint32_t st)
{
	uint32_t flags = 0;

	if (st & E1000_RXS_IXSM)
		return 0;
	if (st & E1000_RXS_IPCS)
		flags |= st & E1000_RXS_IPE ? PLX_RX_IP_CKSUM_BAD : PLX_RX_IP_CKSUM_GOOD;
	if (st & (E1000_RXS_TCPCS | E1000_RXS_UDPCS))
		flags |= st & E1000_RXS_TCPE ? PLX_RX_L4_CKSUM_BAD : PLX_RX_L4_CKSUM_GOOD;
	return flags;
}

/* PLX_PTYPE_* of layers 2 and 3: the packet type (7.1.4.2) tells IPv4 (1, 2) from IPv6 (5, 6). */
static inline uint32_t e1000_rx_ptype_l3(uint32_t st)
{
	uint32_t type = E1000_RXS_PKTTYPE(st);

	if (type == 1 || type == 2)
		return PLX_PTYPE_L2_ETHER | PLX_PTYPE_L3_IPV4_EXT;
	if (type == 5 || type == 6)
		return PLX_PTYPE_L2_ETHER | PLX_PTYPE_L3_IPV6_EXT;
	return PLX_PTYPE_L2_ETHER;
}

/*
 * And of layer 4: the packet type does not tell TCP from UDP, but which of the two was checked does.
 */
static inline uint32_t e1000_rx_ptype_l4(uint32_t st)
{
	if (st & E1000_RXS_IXSM)
		return 0;
	if (st & E1000_RXS_UDPCS)
		return PLX_PTYPE_L4_UDP;
	return st & E1000_RXS_TCPCS ? PLX_PTYPE_L4_TCP : 0;
}

#endif
