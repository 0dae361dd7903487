/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is in a packet: a parser for Ethernet frames.
 *
 *     plx_pkt_parse(m, &info);
 *
 *               outer, all zero without a tunnel       hdr, the headers that TX offloads speak of
 *     |<------ l2 ----->|<- l3 ->|     |<---------------- l2 ------------->|<- l3 ->|<- l4 ->|
 *     | Ethernet | VLAN |   IP   |     |  UDP  | VXLAN ... | Ethernet      |   IP   |   TCP  | ...
 *
 * Without a tunnel hdr.l2_len is the Ethernet header with its tags. In a tunnel it is all between
 * the outer IP header and the inner one, as struct plx_tx_offload wants it with PLX_TX_TUNNEL;
 * outer.l2_len is the outer Ethernet header then. The inner headers of one tunnel are looked at,
 * whatever is in them is payload.
 *
 * The parser reads no byte that is not in the packet, whatever the bytes are, in how many segments
 * they lie and where these are cut; it does not trust pkt_len. Its work has a limit: PLX_PKT_TAGS
 * VLAN tags and PLX_PKT_EXTS extension headers a level. It counts on segments that stay as they are
 * while it runs: a packet whose bytes a peer can still write is copied first.
 *
 * Any thread; nothing is kept.
 */
#ifndef PLX_PTYPE_H
#define PLX_PTYPE_H

#include "plx_mbuf.h"

PLX_BEGIN_DECLS

#define PLX_PKT_TAGS 8  /**< VLAN tags that are followed, at each level */
#define PLX_PKT_EXTS 16 /**< IPv6 extension headers that are followed, at each level */

/** What is known of the headers of one level. */
enum {
	/** A header is cut off, or lies, or too many follow each other: all fields below it are 0. */
	PLX_PKT_BAD = 1u << 0,
	/**
	 * The packet ends before its IP header or UDP header says so: headers are whole, the payload
	 * is not, so that no layer 4 checksum can be computed.
	 */
	PLX_PKT_SHORT = 1u << 1,
	/** A fragment: proto is what its first one begins with; l4_len is 0. */
	PLX_PKT_FRAG = 1u << 2,
	/** With PLX_PKT_FRAG: the first one, which begins with the layer 4 header. */
	PLX_PKT_FRAG_FIRST = 1u << 3,
	/** IPv4 options or IPv6 extension headers. */
	PLX_PKT_OPTIONS = 1u << 4,
};

/** The headers of one level. Offsets are from the packet's first byte; all numbers are bytes. */
struct plx_pkt_hdrs {
	uint16_t l2_len;     /**< see above */
	uint16_t l3_len;     /**< IP header with options or extension headers; 0: no IP */
	uint16_t l4_len;     /**< TCP with options, UDP 8, SCTP 12, ICMP and ICMPv6 8; else 0 */
	uint16_t l3_off;     /**< of the IP header, or of what follows Ethernet */
	uint16_t l4_off;     /**< of what follows the IP header; 0: no IP */
	uint16_t routing;    /**< offset of an IPv6 routing header that has segments left; else 0 */
	uint32_t l4_bytes;   /**< header and payload of layer 4 that are in the packet */
	uint16_t ether_type; /**< of layer 3, in the CPU's order, behind all tags; 0: unknown */
	uint8_t version;     /**< 4 or 6; 0: no IP */
	uint8_t proto;       /**< of layer 4, PLX_IP_*, behind all extension headers */
	uint8_t flags;       /**< PLX_PKT_* */
	uint8_t tags;        /**< VLAN tags in l2_len */
	uint16_t reserved;   /**< 0 */
};
PLX_STATIC_ASSERT(sizeof(struct plx_pkt_hdrs) == 24, "no byte that is not written");

/** What plx_pkt_parse() finds. */
struct plx_pkt_info {
	uint32_t ptype;            /**< PLX_PTYPE_*: all layers, also inner ones */
	struct plx_pkt_hdrs hdr;   /**< the inner headers in a tunnel, else the packet's */
	struct plx_pkt_hdrs outer; /**< those around a tunnel; all zero without one */
};

/**
 * Finds the headers of an Ethernet frame. m is not changed: its ptype is for the caller to set.
 * @param m a packet, chains too; its metadata is not looked at, only its bytes.
 * @param info out: always written, whatever the packet is.
 * @return info->ptype; 0 for less than an Ethernet header.
 * Any thread that owns the packet.
 */
PLX_API
uint32_t plx_pkt_parse(const struct plx_mbuf *m, struct plx_pkt_info *info);

/** The same for len bytes in one piece. */
PLX_API
uint32_t plx_pkt_parse_mem(const void *data, uint32_t len, struct plx_pkt_info *info);

/**
 * Forgets a tunnel: hdr becomes outer, as if what is in the tunnel were payload. Nothing happens
 * without a tunnel.
 */
PLX_API
void plx_pkt_info_untunnel(struct plx_pkt_info *info);

/**
 * The lengths that TX offloads need, all but tso_segsz (0).
 * @return 0, or -EOVERFLOW when a length does not fit its field: this packet's checksums have to be
 *   computed in software.
 * Any thread.
 */
PLX_API
int plx_pkt_tx_lens(const struct plx_pkt_info *info, struct plx_tx_offload *tx);

PLX_END_DECLS

#endif
