/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Toeplitz hash of RSS (Microsoft, "Introduction to Receive Side Scaling", "RSS Hashing Types").
 *
 * The hash of an input is the exclusive or, over the input's bits that are 1, of the 32 bits of the
 * key that begin at the place of that bit. Devices hash addresses and ports as they are on the wire:
 * source address, destination address, source port, destination port.
 *
 *     struct plx_toeplitz t;
 *
 *     plx_toeplitz_init(&t, key, sizeof(key));
 *     hash = plx_toeplitz_ipv4_l4(&t, ip->src, ip->dst, udp->sport, udp->dport);
 *
 * The context holds the key in the forms that the code for this CPU wants (carry-less multiplication
 * or tables); it is only read by the other calls and may be used by many threads.
 */
#ifndef PLX_TOEPLITZ_H
#define PLX_TOEPLITZ_H

#include "plx_net.h"
#include "plx_ptype.h"

PLX_BEGIN_DECLS

#define PLX_TOEPLITZ_KEY_MIN   16 /**< for IPv4 with ports */
#define PLX_TOEPLITZ_KEY_LEN   40 /**< the usual one: for IPv6 with ports */
#define PLX_TOEPLITZ_KEY_MAX   52
#define PLX_TOEPLITZ_INPUT_MAX (PLX_TOEPLITZ_KEY_MAX - 4) /**< bytes that a key can cover */
#define PLX_TOEPLITZ_TUPLE_MAX 36                         /**< bytes of an IPv6 tuple */

/** A key, ready to hash. The caller's memory; fields are the library's. */
struct plx_toeplitz {
	uint64_t window[PLX_TOEPLITZ_INPUT_MAX / 4];     /* of each 4 bytes: 63 bits, reversed */
	uint32_t nibble[PLX_TOEPLITZ_INPUT_MAX * 2][16]; /* hash of each half byte */
	uint32_t max;                                    /* bytes of input that the key covers */
	uint32_t clmul;                                  /* the CPU multiplies without carry */
};

/**
 * Prepares a key of len bytes. Memory of t may be anything before; nothing has to be undone.
 * @return 0, or -EINVAL: len is not PLX_TOEPLITZ_KEY_MIN to PLX_TOEPLITZ_KEY_MAX.
 * Any thread.
 */
PLX_API
int plx_toeplitz_init(struct plx_toeplitz *t, const uint8_t *key, size_t len);

/**
 * Makes a key under which both directions of a flow have the same hash: seed, not 0, repeated every
 * 16 bits. Its hashes have 16 bits of their own, repeated, and not 32.
 */
PLX_API
void plx_toeplitz_key_symmetric(uint8_t *key, size_t len, uint16_t seed);

/** The key of Microsoft's verification suite: what most drivers take by default. */
PLX_API
extern const uint8_t plx_toeplitz_key_default[PLX_TOEPLITZ_KEY_LEN];

/** The hash of len bytes. Bytes behind PLX_TOEPLITZ_INPUT_MAX or the key's end do not count. */
PLX_API
uint32_t plx_toeplitz_hash(const struct plx_toeplitz *t, const void *data, size_t len);

/** IPv4 addresses only: also for fragments, and protocols without ports. */
PLX_API
uint32_t plx_toeplitz_ipv4(const struct plx_toeplitz *t, plx_be32 src, plx_be32 dst);

/** IPv4 with TCP, UDP or SCTP. */
PLX_API
uint32_t plx_toeplitz_ipv4_l4(
	const struct plx_toeplitz *t, plx_be32 src, plx_be32 dst, plx_be16 sport, plx_be16 dport);

/** IPv6 addresses only. The key has 36 bytes or more. */
PLX_API
uint32_t plx_toeplitz_ipv6(const struct plx_toeplitz *t, const uint8_t src[PLX_IPV6_ADDR_LEN],
	const uint8_t dst[PLX_IPV6_ADDR_LEN]);

/** IPv6 with TCP, UDP or SCTP. The key has 40 bytes or more. */
PLX_API
uint32_t plx_toeplitz_ipv6_l4(const struct plx_toeplitz *t, const uint8_t src[PLX_IPV6_ADDR_LEN],
	const uint8_t dst[PLX_IPV6_ADDR_LEN], plx_be16 sport, plx_be16 dport);

/**
 * The hashes of n inputs of len bytes each, the first at data, the others each stride bytes behind
 * the one before. Faster than one by one.
 */
PLX_API
void plx_toeplitz_hash_bulk(const struct plx_toeplitz *t, const void *data, size_t stride,
	size_t len, uint32_t *hash, unsigned n);

/**
 * The input that a device would hash for this packet: addresses, and with ports != false the ports
 * of TCP, UDP or SCTP if it has them and is no fragment. The addresses are those in the IP header.
 * @param h info.hdr or info.outer of plx_pkt_parse() for this packet.
 * @param tuple out.
 * @return its length, 8, 12, 32 or 36; 0: not IP.
 */
PLX_API
unsigned plx_pkt_tuple(const struct plx_mbuf *m, const struct plx_pkt_hdrs *h, bool ports,
	uint8_t tuple[PLX_TOEPLITZ_TUPLE_MAX]);

PLX_END_DECLS

#endif
