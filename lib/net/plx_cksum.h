/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Internet checksum (RFC 1071) and SCTP's CRC32c.
 *
 * A sum is the one's complement sum of 16-bit words as the CPU loads them, in a uint32_t. The order
 * of the bytes in a word does not matter (RFC 1071, 2(B)): what comes out is stored as it is, which
 * is why checksums are plx_be16 and go into the field without a conversion:
 *
 *     ip->cksum = plx_ipv4_cksum(ip);
 *
 * Sums are made in pieces: plx_cksum_add() over each, then plx_cksum_finish(). Every sum that a call
 * here returns is less than 2^17, so thousands of them may be added with +.
 *
 *     uint32_t sum = plx_ipv4_phdr_sum(ip, PLX_IP_UDP, len);
 *     sum = plx_cksum_add(sum, udp, len);
 *     udp->cksum = plx_cksum_udp(sum);
 *
 * To see whether a checksum is right, sum everything with the checksum in place:
 * plx_cksum(ip, 20).v == 0, also when 0xffff was written where 0 is usual. Lengths and alignment are
 * whatever they are; long data is summed with vector instructions where the CPU has them.
 *
 * Any thread; nothing is kept and nothing fails but what says so.
 */
#ifndef PLX_CKSUM_H
#define PLX_CKSUM_H

#include "plx_net.h"
#include "plx_ptype.h"

PLX_BEGIN_DECLS

/** A sum as 16 bits, not complemented: what TX checksum offloads want in the field. */
static inline plx_be16 plx_cksum_fold(uint32_t sum)
{
	plx_be16 x;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	x.v = (uint16_t)sum;
	return x;
}

/** The checksum of a sum: its complement. */
static inline plx_be16 plx_cksum_finish(uint32_t sum)
{
	plx_be16 x = plx_cksum_fold(sum);

	x.v = (uint16_t)~x.v;
	return x;
}

/** The same for UDP: 0 would mean that there is none, and becomes 0xffff (RFC 768). */
static inline plx_be16 plx_cksum_udp(uint32_t sum)
{
	plx_be16 x = plx_cksum_finish(sum);

	if (x.v == 0)
		x.v = 0xffff;
	return x;
}

/* Any sum of 16-bit words, also of wider ones, brought below 2^17. */
static inline uint32_t plx_cksum_narrow_(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	return (uint32_t)((sum & 0xffff) + ((sum >> 16) & 0xffff) + (sum >> 32));
}

/**
 * Adds len bytes at p, which begin at an even offset of what is summed. A last odd byte counts as if
 * a zero followed it.
 */
PLX_API
uint32_t plx_cksum_add(uint32_t sum, const void *p, size_t len);

/** The checksum of len bytes at p: the complement, for the field. */
PLX_API
plx_be16 plx_cksum(const void *p, size_t len);

/**
 * plx_cksum_add() over len bytes from offset off of a packet, however its segments are cut. What lies
 * behind the packet's end counts as zero.
 */
PLX_API
uint32_t plx_cksum_add_mbuf(uint32_t sum, const struct plx_mbuf *m, uint32_t off, uint32_t len);

/** plx_cksum() over len bytes from offset off of a packet. */
PLX_API
plx_be16 plx_cksum_mbuf(const struct plx_mbuf *m, uint32_t off, uint32_t len);

/* ---- change of a field (RFC 1624, equation 3) ---- */

/**
 * The checksum after a 16-bit field at an even offset changed from was to is. Do not use it on a UDP
 * checksum of 0, which stays 0; with another, the result goes through plx_cksum_udp_nonzero().
 */
static inline plx_be16 plx_cksum_update16(plx_be16 cksum, plx_be16 was, plx_be16 is)
{
	return plx_cksum_finish((uint32_t)(uint16_t)~cksum.v + (uint16_t)~was.v + is.v);
}

/** The same for a field of 32 bits, such as an IPv4 address. */
static inline plx_be16 plx_cksum_update32(plx_be16 cksum, plx_be32 was, plx_be32 is)
{
	uint32_t sum = (uint16_t)~cksum.v;

	sum += (~was.v & 0xffff) + (~was.v >> 16);
	sum += (is.v & 0xffff) + (is.v >> 16);
	return plx_cksum_finish(sum);
}

/** The same for len bytes, an even number, at an even offset: an IPv6 address. */
PLX_API
plx_be16 plx_cksum_update(plx_be16 cksum, const void *was, const void *is, size_t len);

/** 0xffff instead of 0: the same checksum, where 0 means that there is none. */
static inline plx_be16 plx_cksum_udp_nonzero(plx_be16 cksum)
{
	if (cksum.v == 0)
		cksum.v = 0xffff;
	return cksum;
}

/* ---- IP ---- */

/**
 * The checksum of an IPv4 header with its options; what is in the field does not matter. The header
 * must be in one piece: at least 20 bytes, and as many as it says.
 */
static inline plx_be16 plx_ipv4_cksum(const struct plx_ipv4_hdr *ip)
{
	const uint8_t *p = (const uint8_t *)ip;
	uint32_t w0, w1;
	uint16_t ttl_proto;
	uint64_t sum = (uint64_t)ip->src.v + ip->dst.v;

	memcpy(&w0, p, sizeof(w0));
	memcpy(&w1, p + 4, sizeof(w1));
	memcpy(&ttl_proto, p + 8, sizeof(ttl_proto));
	sum += (uint64_t)w0 + w1 + ttl_proto;
	if (plx_unlikely(plx_ipv4_hdr_len(ip) > sizeof(*ip)))
		sum += plx_cksum_add(0, ip + 1, plx_ipv4_hdr_len(ip) - sizeof(*ip));
	return plx_cksum_finish(plx_cksum_narrow_(sum));
}

/**
 * The sum of the pseudo header (RFC 9293, 3.1): proto and len as the layer 4 header has them, len in
 * bytes with that header. For TSO, devices want len 0.
 */
static inline uint32_t plx_ipv4_phdr_sum(const struct plx_ipv4_hdr *ip, uint8_t proto, uint16_t len)
{
	uint64_t sum = (uint64_t)ip->src.v + ip->dst.v;

	return plx_cksum_narrow_(sum + plx_be16_make(proto).v + plx_be16_make(len).v);
}

/**
 * The same for IPv6 (RFC 8200, 8.1).
 * @param dst the final destination where a routing header has segments left; NULL: ip->dst.
 * @param proto of layer 4, not of an extension header.
 */
PLX_API
uint32_t plx_ipv6_phdr_sum(
	const struct plx_ipv6_hdr *ip, const uint8_t *dst, uint8_t proto, uint32_t len);

/**
 * The sum of the pseudo header for the headers that plx_pkt_parse() found, taken from the packet's
 * bytes; a routing header's final destination is found (types 0, 2, 3 and 4). 0 for ICMP, which has
 * none.
 * @param len bytes of layer 4: h->l4_bytes, or 0 for TSO.
 * @param sum out; untouched on failure.
 * @return 0, or -EINVAL: not IP, or a routing header of a type that nobody knows, or that lies.
 */
PLX_API
int plx_l4_phdr_sum_mbuf(
	const struct plx_mbuf *m, const struct plx_pkt_hdrs *h, uint32_t len, uint32_t *sum);

/**
 * The checksum that TCP, UDP, ICMP or ICMPv6 should have; what is in the field does not matter.
 * UDP's is never 0.
 * @param h info.hdr or info.outer of plx_pkt_parse() for this packet.
 * @param cksum out; untouched on failure.
 * @return 0, or -EINVAL: another protocol, a fragment, or a packet that ends too early.
 */
PLX_API
int plx_l4_cksum_mbuf(const struct plx_mbuf *m, const struct plx_pkt_hdrs *h, plx_be16 *cksum);

/**
 * Is the layer 4 checksum in the packet right, SCTP's included?
 * @return 1: right, or UDP over IPv4 without one; 0: wrong; -EINVAL: it cannot be told, as above.
 */
PLX_API
int plx_l4_cksum_check(const struct plx_mbuf *m, const struct plx_pkt_hdrs *h);

/** Is the IPv4 header's checksum right? 1: yes, or it is IPv6, which has none; 0: no or no IP. */
PLX_API
int plx_l3_cksum_check(const struct plx_mbuf *m, const struct plx_pkt_hdrs *h);

/**
 * Offset in the packet of the checksum field of layer 4: TCP, UDP, SCTP, ICMP, ICMPv6; 0: it has
 * none, or its header is not in the packet.
 */
PLX_API
uint32_t plx_l4_cksum_off(const struct plx_pkt_hdrs *h);

/* ---- SCTP (RFC 9260, 6.8) ---- */

/** CRC32c of len bytes, continuing crc; starts with 0xffffffff, and the complement is the CRC. */
PLX_API
uint32_t plx_crc32c(uint32_t crc, const void *p, size_t len);

/**
 * The checksum that an SCTP packet should have; what is in the field does not matter.
 * @return 0 or -EINVAL, as plx_l4_cksum_mbuf().
 */
PLX_API
int plx_sctp_cksum_mbuf(const struct plx_mbuf *m, const struct plx_pkt_hdrs *h, plx_le32 *cksum);

/* ---- the inlines as functions, for other languages ---- */

PLX_API
plx_be16 plx_cksum_fold_fn(uint32_t sum);
PLX_API
plx_be16 plx_cksum_finish_fn(uint32_t sum);
PLX_API
plx_be16 plx_cksum_udp_fn(uint32_t sum);
PLX_API
plx_be16 plx_cksum_update16_fn(plx_be16 cksum, plx_be16 was, plx_be16 is);
PLX_API
plx_be16 plx_cksum_update32_fn(plx_be16 cksum, plx_be32 was, plx_be32 is);
PLX_API
plx_be16 plx_cksum_udp_nonzero_fn(plx_be16 cksum);
PLX_API
plx_be16 plx_ipv4_cksum_fn(const struct plx_ipv4_hdr *ip);
PLX_API
uint32_t plx_ipv4_phdr_sum_fn(const struct plx_ipv4_hdr *ip, uint8_t proto, uint16_t len);

PLX_END_DECLS

#endif
