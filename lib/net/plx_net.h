/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Headers of network protocols, and the numbers in them.
 *
 * Each struct is the header as it is on the wire: packed, so that it may lie at any address, and
 * with fields of the big-endian types of plx_base.h. A field is read with plx_be16_get(h->type) and
 * written with h->type = plx_be16_make(PLX_ETHER_IPV4); fields that are compared or copied as they
 * are need no conversion. MAC and IPv6 addresses are arrays of bytes.
 *
 * There is no bit field here: bits of a larger field are named by masks of its value in the CPU's
 * order, and have an accessor where they are used all the time (plx_ipv4_hdr_len() and so on).
 *
 * The library next to this header: plx_cksum.h computes checksums, plx_ptype.h finds the headers in
 * a packet, plx_toeplitz.h computes the hash of RSS. Everything here may be called from any thread.
 */
#ifndef PLX_NET_H
#define PLX_NET_H

#include "plx_base.h"

PLX_BEGIN_DECLS

/* --- Ethernet (IEEE 802.3 clause 3, 802.1Q clause 9) ------------------------------------------ */

#define PLX_MAC_LEN        6
#define PLX_ETHER_HDR_LEN  14
#define PLX_ETHER_MIN      60   /* shortest frame, without the 4 bytes of FCS */
#define PLX_ETHER_MAX      1514 /* longest standard frame, untagged and without FCS */
/* From here on the field is a type, below it is a length (802.3, 3.2.6). */
#define PLX_ETHER_TYPE_MIN 0x0600

/* EtherTypes (IANA, "IEEE 802 Numbers"). */
enum {
	PLX_ETHER_IPV4 = 0x0800,
	PLX_ETHER_ARP = 0x0806,
	PLX_ETHER_TEB = 0x6558, /* an Ethernet frame, in GRE and GENEVE (RFC 7637) */
	PLX_ETHER_RARP = 0x8035,
	PLX_ETHER_VLAN = 0x8100, /* C-tag */
	PLX_ETHER_IPV6 = 0x86dd,
	PLX_ETHER_FLOW = 0x8808, /* pause frames */
	PLX_ETHER_SLOW = 0x8809, /* LACP */
	PLX_ETHER_MPLS = 0x8847,
	PLX_ETHER_MPLS_MCAST = 0x8848,
	PLX_ETHER_PPPOE_DISC = 0x8863,
	PLX_ETHER_PPPOE = 0x8864,
	PLX_ETHER_QINQ = 0x88a8, /* S-tag */
	PLX_ETHER_LLDP = 0x88cc,
	PLX_ETHER_PTP = 0x88f7,
	PLX_ETHER_QINQ_OLD = 0x9100, /* S-tag before 802.1ad */
};

struct plx_eth_hdr {
	uint8_t dst[PLX_MAC_LEN];
	uint8_t src[PLX_MAC_LEN];
	plx_be16 type; /**< PLX_ETHER_*, or a length below PLX_ETHER_TYPE_MIN */
} PLX_PACKED;
PLX_STATIC_ASSERT(sizeof(struct plx_eth_hdr) == 14, "802.3");

/** What follows a tag's EtherType: the tag itself sits between addresses and type. */
struct plx_vlan_hdr {
	plx_be16 tci;  /**< priority, drop eligible, VLAN id: PLX_VLAN_* */
	plx_be16 type; /**< of what follows */
} PLX_PACKED;
PLX_STATIC_ASSERT(sizeof(struct plx_vlan_hdr) == 4, "802.1Q");

#define PLX_VLAN_ID_MASK  0x0fffu
#define PLX_VLAN_DEI      0x1000u
#define PLX_VLAN_PCP(tci) ((unsigned)(tci) >> 13)

/** Is it a group address (multicast or broadcast)? */
static inline bool plx_mac_is_group(const uint8_t mac[PLX_MAC_LEN])
{
	return (mac[0] & 1) != 0;
}

/** Is it all zero, which no station has? */
static inline bool plx_mac_is_zero(const uint8_t mac[PLX_MAC_LEN])
{
	return (mac[0] | mac[1] | mac[2] | mac[3] | mac[4] | mac[5]) == 0;
}

/* --- ARP (RFC 826) ---------------------------------------------------------------------------- */

enum {
	PLX_ARP_HW_ETHER = 1,
	PLX_ARP_REQUEST = 1,
	PLX_ARP_REPLY = 2,
};

/** For IPv4 over Ethernet: hw_len is 6 and proto_len 4; the addresses lie elsewhere if not. */
struct plx_arp_hdr {
	plx_be16 hw_type;    /**< PLX_ARP_HW_ETHER */
	plx_be16 proto_type; /**< PLX_ETHER_IPV4 */
	uint8_t hw_len;
	uint8_t proto_len;
	plx_be16 op; /**< PLX_ARP_REQUEST, PLX_ARP_REPLY */
	uint8_t sender_mac[PLX_MAC_LEN];
	plx_be32 sender_ip;
	uint8_t target_mac[PLX_MAC_LEN];
	plx_be32 target_ip;
} PLX_PACKED;
PLX_STATIC_ASSERT(sizeof(struct plx_arp_hdr) == 28, "RFC 826");

/* --- IPv4 (RFC 791, 3.1) ---------------------------------------------------------------------- */

/* Protocol numbers, the IPv6 extension headers among them (IANA, "Protocol Numbers"). */
enum {
	PLX_IP_HOPOPTS = 0, /* IPv6 hop-by-hop options */
	PLX_IP_ICMP = 1,
	PLX_IP_IGMP = 2,
	PLX_IP_IPIP = 4, /* an IPv4 packet */
	PLX_IP_TCP = 6,
	PLX_IP_UDP = 17,
	PLX_IP_IPV6 = 41,    /* an IPv6 packet */
	PLX_IP_ROUTING = 43, /* IPv6 routing header */
	PLX_IP_FRAGMENT = 44,
	PLX_IP_GRE = 47,
	PLX_IP_ESP = 50,
	PLX_IP_AH = 51,
	PLX_IP_ICMPV6 = 58,
	PLX_IP_NONE = 59,
	PLX_IP_DSTOPTS = 60, /* IPv6 destination options */
	PLX_IP_SCTP = 132,
	PLX_IP_MOBILITY = 135,
	PLX_IP_HIP = 139,
	PLX_IP_SHIM6 = 140,
};

struct plx_ipv4_hdr {
	uint8_t version_ihl; /**< version 4 above, header length in 4 bytes below */
	uint8_t tos;         /**< DSCP and ECN */
	plx_be16 len;        /**< header and payload, bytes */
	plx_be16 id;
	plx_be16 frag; /**< PLX_IPV4_DF, PLX_IPV4_MF, offset in 8 bytes */
	uint8_t ttl;
	uint8_t proto;  /**< PLX_IP_* */
	plx_be16 cksum; /**< plx_ipv4_cksum() */
	plx_be32 src;
	plx_be32 dst;
} PLX_PACKED;
PLX_STATIC_ASSERT(sizeof(struct plx_ipv4_hdr) == 20, "RFC 791");

#define PLX_IPV4_DF       0x4000u
#define PLX_IPV4_MF       0x2000u
#define PLX_IPV4_OFF_MASK 0x1fffu
#define PLX_IPV4_HDR_MAX  60

/** Header length in bytes as the header says: 0 to 60, of which less than 20 is a fault. */
static inline unsigned plx_ipv4_hdr_len(const struct plx_ipv4_hdr *h)
{
	return (h->version_ihl & 0xfu) * 4;
}

/** Is it a fragment: not all of a datagram? */
static inline bool plx_ipv4_is_frag(const struct plx_ipv4_hdr *h)
{
	return (h->frag.v & plx_be16_make(PLX_IPV4_MF | PLX_IPV4_OFF_MASK).v) != 0;
}

/* --- IPv6 (RFC 8200) -------------------------------------------------------------------------- */

#define PLX_IPV6_ADDR_LEN 16

struct plx_ipv6_hdr {
	plx_be32 vtc_flow; /**< version 6, traffic class, flow label: 4, 8, 20 bits (3) */
	plx_be16 len;      /**< extension headers and payload, bytes; 0 in a jumbogram */
	uint8_t proto;     /**< next header: PLX_IP_* */
	uint8_t hops;
	uint8_t src[PLX_IPV6_ADDR_LEN];
	uint8_t dst[PLX_IPV6_ADDR_LEN];
} PLX_PACKED;
PLX_STATIC_ASSERT(sizeof(struct plx_ipv6_hdr) == 40, "RFC 8200, 3");

/** Beginning of an extension header (4.3, 4.4, 4.6). */
struct plx_ipv6_ext_hdr {
	uint8_t proto; /**< next header */
	uint8_t len;   /**< in 8 bytes, without the first 8; in 4 bytes minus 2 for PLX_IP_AH */
} PLX_PACKED;
PLX_STATIC_ASSERT(sizeof(struct plx_ipv6_ext_hdr) == 2, "RFC 8200, 4");

struct plx_ipv6_routing_hdr {
	uint8_t proto;
	uint8_t len;
	uint8_t type;      /**< 2: mobility (RFC 6275), 3: RPL (RFC 6554), 4: segments (RFC 8754) */
	uint8_t segs_left; /**< routers still to visit; 0: dst is the final destination */
	uint8_t data[4];   /**< by type */
} PLX_PACKED;
PLX_STATIC_ASSERT(sizeof(struct plx_ipv6_routing_hdr) == 8, "RFC 8200, 4.4");

struct plx_ipv6_frag_hdr {
	uint8_t proto;
	uint8_t reserved;
	plx_be16 frag; /**< offset in 8 bytes in the upper 13 bits, PLX_IPV6_MF */
	plx_be32 id;
} PLX_PACKED;
PLX_STATIC_ASSERT(sizeof(struct plx_ipv6_frag_hdr) == 8, "RFC 8200, 4.5");

#define PLX_IPV6_MF       0x0001u
#define PLX_IPV6_OFF_MASK 0xfff8u

/** Is it a group address, ff00::/8 (RFC 4291, 2.7)? */
static inline bool plx_ipv6_is_group(const uint8_t addr[PLX_IPV6_ADDR_LEN])
{
	return addr[0] == 0xff;
}

/* --- UDP (RFC 768), TCP (RFC 9293, 3.1), SCTP (RFC 9260, 3.1) --------------------------------- */

struct plx_udp_hdr {
	plx_be16 sport;
	plx_be16 dport;
	plx_be16 len;   /**< header and payload, bytes */
	plx_be16 cksum; /**< 0: none, over IPv4 */
} PLX_PACKED;
PLX_STATIC_ASSERT(sizeof(struct plx_udp_hdr) == 8, "RFC 768");

/* UDP ports of tunnels (IANA). */
enum {
	PLX_UDP_VXLAN = 4789,
	PLX_UDP_VXLAN_GPE = 4790,
	PLX_UDP_GENEVE = 6081,
};

struct plx_tcp_hdr {
	plx_be16 sport;
	plx_be16 dport;
	plx_be32 seq;
	plx_be32 ack;
	uint8_t data_off; /**< header length in 4 bytes in the upper half */
	uint8_t flags;    /**< PLX_TCP_* */
	plx_be16 window;
	plx_be16 cksum;
	plx_be16 urgent;
} PLX_PACKED;
PLX_STATIC_ASSERT(sizeof(struct plx_tcp_hdr) == 20, "RFC 9293");

enum {
	PLX_TCP_FIN = 0x01,
	PLX_TCP_SYN = 0x02,
	PLX_TCP_RST = 0x04,
	PLX_TCP_PSH = 0x08,
	PLX_TCP_ACK = 0x10,
	PLX_TCP_URG = 0x20,
	PLX_TCP_ECE = 0x40,
	PLX_TCP_CWR = 0x80,
};

/** Header length in bytes as the header says: 0 to 60, of which less than 20 is a fault. */
static inline unsigned plx_tcp_hdr_len(const struct plx_tcp_hdr *h)
{
	return ((unsigned)h->data_off >> 4) * 4;
}

struct plx_sctp_hdr {
	plx_be16 sport;
	plx_be16 dport;
	plx_be32 tag;
	plx_le32 cksum; /**< CRC32c, least significant byte first (6.8, appendix A) */
} PLX_PACKED;
PLX_STATIC_ASSERT(sizeof(struct plx_sctp_hdr) == 12, "RFC 9260");

/* --- ICMP (RFC 792), ICMPv6 (RFC 4443), neighbour discovery (RFC 4861) ------------------------ */

enum {
	PLX_ICMP_ECHO_REPLY = 0,
	PLX_ICMP_UNREACHABLE = 3,
	PLX_ICMP_REDIRECT = 5,
	PLX_ICMP_ECHO = 8,
	PLX_ICMP_TIME_EXCEEDED = 11,
};

/** An echo request or reply; in other messages id and seq are something else. */
struct plx_icmp_hdr {
	uint8_t type; /**< PLX_ICMP_* */
	uint8_t code;
	plx_be16 cksum; /**< over the message, without a pseudo header */
	plx_be16 id;
	plx_be16 seq;
} PLX_PACKED;
PLX_STATIC_ASSERT(sizeof(struct plx_icmp_hdr) == 8, "RFC 792");

enum {
	PLX_ICMP6_UNREACHABLE = 1,
	PLX_ICMP6_TOO_BIG = 2,
	PLX_ICMP6_TIME_EXCEEDED = 3,
	PLX_ICMP6_ECHO = 128,
	PLX_ICMP6_ECHO_REPLY = 129,
	PLX_ICMP6_ROUTER_SOL = 133,
	PLX_ICMP6_ROUTER_ADV = 134,
	PLX_ICMP6_NEIGH_SOL = 135,
	PLX_ICMP6_NEIGH_ADV = 136,
	PLX_ICMP6_REDIRECT = 137,
};

/** An echo request or reply; in other messages id and seq are something else. */
struct plx_icmp6_hdr {
	uint8_t type; /**< PLX_ICMP6_* */
	uint8_t code;
	plx_be16 cksum; /**< over the message and the pseudo header (2.3) */
	plx_be16 id;
	plx_be16 seq;
} PLX_PACKED;
PLX_STATIC_ASSERT(sizeof(struct plx_icmp6_hdr) == 8, "RFC 4443");

/** Neighbour solicitation and advertisement (RFC 4861, 4.3 and 4.4); options follow. */
struct plx_nd_hdr {
	uint8_t type; /**< PLX_ICMP6_NEIGH_SOL, PLX_ICMP6_NEIGH_ADV */
	uint8_t code;
	plx_be16 cksum;
	plx_be32 flags; /**< PLX_ND_* in an advertisement, 0 in a solicitation */
	uint8_t target[PLX_IPV6_ADDR_LEN];
} PLX_PACKED;
PLX_STATIC_ASSERT(sizeof(struct plx_nd_hdr) == 24, "RFC 4861");

#define PLX_ND_ROUTER    0x80000000u
#define PLX_ND_SOLICITED 0x40000000u
#define PLX_ND_OVERRIDE  0x20000000u

/** The option that holds an Ethernet address (RFC 4861, 4.6.1). */
struct plx_nd_opt_mac {
	uint8_t type; /**< PLX_ND_OPT_* */
	uint8_t len;  /**< in 8 bytes: 1 */
	uint8_t mac[PLX_MAC_LEN];
} PLX_PACKED;
PLX_STATIC_ASSERT(sizeof(struct plx_nd_opt_mac) == 8, "RFC 4861");

enum {
	PLX_ND_OPT_SOURCE_MAC = 1,
	PLX_ND_OPT_TARGET_MAC = 2,
};

/* --- tunnels ---------------------------------------------------------------------------------- */

/** VXLAN (RFC 7348, 5) and VXLAN-GPE (draft-ietf-nvo3-vxlan-gpe-13, 3). */
struct plx_vxlan_hdr {
	uint8_t flags; /**< PLX_VXLAN_* */
	uint8_t reserved[2];
	uint8_t proto; /**< GPE: PLX_VXLAN_GPE_*; else reserved */
	plx_be32 vni;  /**< in the upper 24 bits */
} PLX_PACKED;
PLX_STATIC_ASSERT(sizeof(struct plx_vxlan_hdr) == 8, "RFC 7348");

enum {
	PLX_VXLAN_I = 0x08, /* the VNI is valid */
	PLX_VXLAN_P = 0x04, /* GPE: proto is valid */
	PLX_VXLAN_GPE_IPV4 = 1,
	PLX_VXLAN_GPE_IPV6 = 2,
	PLX_VXLAN_GPE_ETHER = 3,
};

/** GENEVE (RFC 8926, 3.4); options follow. */
struct plx_geneve_hdr {
	uint8_t ver_opt_len; /**< version in the upper 2 bits, length of options in 4 bytes below */
	uint8_t flags;
	plx_be16 proto; /**< an EtherType */
	plx_be32 vni;   /**< in the upper 24 bits */
} PLX_PACKED;
PLX_STATIC_ASSERT(sizeof(struct plx_geneve_hdr) == 8, "RFC 8926");

/**
 * GRE (RFC 2784, 2.1; RFC 2890, 2; NVGRE: RFC 7637, 3.2). Checksum, key and sequence number of 4
 * bytes each follow, in this order, if their flag is set.
 */
struct plx_gre_hdr {
	plx_be16 flags; /**< PLX_GRE_* */
	plx_be16 proto; /**< an EtherType */
} PLX_PACKED;
PLX_STATIC_ASSERT(sizeof(struct plx_gre_hdr) == 4, "RFC 2784");

#define PLX_GRE_CKSUM        0x8000u
#define PLX_GRE_ROUTING      0x4000u /* RFC 1701: no longer used */
#define PLX_GRE_KEY          0x2000u
#define PLX_GRE_SEQ          0x1000u
#define PLX_GRE_VERSION_MASK 0x0007u

/* ---- the inlines as functions, for other languages ---- */

PLX_API
bool plx_mac_is_group_fn(const uint8_t mac[PLX_MAC_LEN]);
PLX_API
bool plx_mac_is_zero_fn(const uint8_t mac[PLX_MAC_LEN]);
PLX_API
unsigned plx_ipv4_hdr_len_fn(const struct plx_ipv4_hdr *h);
PLX_API
bool plx_ipv4_is_frag_fn(const struct plx_ipv4_hdr *h);
PLX_API
bool plx_ipv6_is_group_fn(const uint8_t addr[PLX_IPV6_ADDR_LEN]);
PLX_API
unsigned plx_tcp_hdr_len_fn(const struct plx_tcp_hdr *h);

PLX_END_DECLS

#endif
