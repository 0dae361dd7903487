/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets for the tests of lib/net: headers put one behind the other, and mbufs whose segments are
 * malloc()ed with just their size, so that AddressSanitizer and valgrind see a byte read too many.
 */
#ifndef NET_TEST_H
#define NET_TEST_H

#include "plx_cksum.h"
#include "plx_log.h"
#include "plx_ptype.h"
#include "plx_toeplitz.h"
#include "unit.h"

/* xorshift64: the same numbers in every run. */
static inline uint32_t rnd(uint64_t *state, uint32_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 16) % below;
}

static inline void rnd_fill(uint64_t *state, uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)rnd(state, 256);
}

/* RFC 1071, 1, byte by byte: the complement of the sum, in the CPU's order. */
struct naive {
	uint64_t sum;
	size_t n;
};

static inline void naive_add(struct naive *s, const void *data, size_t len)
{
	const uint8_t *p = (const uint8_t *)data;

	for (size_t i = 0; i < len; i++, s->n++)
		s->sum += s->n % 2 == 0 ? (uint64_t)p[i] << 8 : p[i];
}

static inline uint16_t naive_end(const struct naive *s)
{
	uint64_t sum = s->sum;

	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static inline uint16_t naive_cksum(const void *data, size_t len)
{
	struct naive s = {0, 0};

	naive_add(&s, data, len);
	return naive_end(&s);
}

static inline struct plx_mbuf *segment(const uint8_t *p, uint32_t len)
{
	struct plx_mbuf *m = aligned_alloc(PLX_CACHE_LINE, sizeof(*m));

	CHECK(m != NULL);
	memset(m, 0, sizeof(*m));
	m->buf = malloc(len != 0 ? len : 1);
	CHECK(m->buf != NULL);
	if (len != 0)
		memcpy(m->buf, p, len);
	m->nsegs = m->refcnt = 1;
	m->data_len = (uint16_t)len;
	m->pkt_len = len;
	return m;
}

/*
 * A packet of the bytes [p, p + len): first bytes in the first segment, then segments of up to piece
 * bytes each, of random lengths (also 0) if state is not NULL.
 */
static inline struct plx_mbuf *packet(
	const void *data, uint32_t len, uint32_t first, uint32_t piece, uint64_t *state)
{
	const uint8_t *p = (const uint8_t *)data;
	struct plx_mbuf *head = segment(p, PLX_MIN(first, len)), *last = head;

	for (uint32_t at = last->data_len; at < len; at += last->data_len) {
		uint32_t part = state != NULL ? rnd(state, piece + 1) : piece;

		last->next = segment(p + at, PLX_MIN(part, len - at));
		last = last->next;
		head->nsegs++;
	}
	head->pkt_len = len;
	return head;
}

static inline struct plx_mbuf *packet_whole(const void *data, uint32_t len)
{
	return packet(data, len, len, len, NULL);
}

static inline void packet_free(struct plx_mbuf *m)
{
	while (m != NULL) {
		struct plx_mbuf *next = m->next;

		free(m->buf);
		free(m);
		m = next;
	}
}

/* A packet under construction. */
struct frame {
	uint8_t b[2048];
	uint32_t len;
};

static inline void *put(struct frame *f, const void *p, uint32_t len)
{
	void *at = f->b + f->len;

	memcpy(at, p, len);
	f->len += len;
	return at;
}

static inline void put16(struct frame *f, uint16_t v)
{
	plx_store_be16(f->b + f->len, v);
	f->len += 2;
}

static inline void put_zero(struct frame *f, uint32_t len)
{
	memset(f->b + f->len, 0, len);
	f->len += len;
}

static inline void put_eth(struct frame *f, uint16_t type)
{
	put(f, "\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02", 12);
	put16(f, type);
}

static inline void put_tag(struct frame *f, uint16_t type)
{
	put16(f, 0x2064);
	put16(f, type);
}

/* An IPv4 header with payload bytes behind it, opts bytes of options (NOP), and a right checksum. */
static inline struct plx_ipv4_hdr *put_ipv4(
	struct frame *f, uint8_t proto, uint32_t opts, uint32_t payload)
{
	struct plx_ipv4_hdr h = {0}, *at;

	h.version_ihl = (uint8_t)(0x45 + opts / 4);
	h.len = plx_be16_make((uint16_t)(20 + opts + payload));
	h.id = plx_be16_make(0x1234);
	h.ttl = 64;
	h.proto = proto;
	h.src = plx_be32_make(0x0a000001);
	h.dst = plx_be32_make(0xc0a80a02);
	at = put(f, &h, sizeof(h));
	memset(f->b + f->len, 1, opts);
	f->len += opts;
	at->cksum = plx_be16_make(naive_cksum(at, 20 + opts));
	return at;
}

static inline struct plx_ipv6_hdr *put_ipv6(struct frame *f, uint8_t proto, uint32_t payload)
{
	struct plx_ipv6_hdr h = {0};

	h.vtc_flow = plx_be32_make(0x60000000);
	h.len = plx_be16_make((uint16_t)payload);
	h.proto = proto;
	h.hops = 64;
	memcpy(h.src, "\xfd\x00\0\0\0\0\0\0\0\0\0\0\0\0\x12\x01", 16);
	memcpy(h.dst, "\xfd\x00\0\0\0\0\0\0\0\0\0\0\0\0\x34\x02", 16);
	return put(f, &h, sizeof(h));
}

/* An extension header of 8 * (1 + more) bytes. */
static inline uint8_t *put_ext(struct frame *f, uint8_t next, uint8_t more)
{
	uint8_t *at = f->b + f->len;

	put_zero(f, 8u + 8u * more);
	at[0] = next;
	at[1] = more;
	return at;
}

static inline struct plx_udp_hdr *put_udp(struct frame *f, uint16_t dport, uint32_t payload)
{
	struct plx_udp_hdr h = {plx_be16_make(5000), plx_be16_make(dport),
		plx_be16_make((uint16_t)(8 + payload)), {0}};

	return put(f, &h, sizeof(h));
}

static inline struct plx_tcp_hdr *put_tcp(struct frame *f, uint32_t opts)
{
	struct plx_tcp_hdr h = {0}, *at;

	h.sport = plx_be16_make(80);
	h.dport = plx_be16_make(40000);
	h.data_off = (uint8_t)((5 + opts / 4) << 4);
	h.flags = PLX_TCP_ACK;
	at = put(f, &h, sizeof(h));
	put_zero(f, opts);
	return at;
}

#endif
