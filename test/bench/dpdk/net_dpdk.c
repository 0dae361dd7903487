/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK's checksums, Toeplitz and parser for bench_net.c. It needs no EAL: the mbufs are ours.
 * Compiled twice: NET_NATIVE is for the CPU at hand.
 */
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_net.h>
#include <rte_thash.h>

#include "bench_net.h"

struct theirs {
	struct net_input *in;
	uint32_t key[10];
	uint8_t raw_key[40];
	uint64_t matrix[40];
	struct rte_mbuf mbufs[NET_PACKETS], tails[NET_PACKETS];
};

static const uint8_t key[40] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25,
	0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb,
	0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

static void drop(void *obj)
{
	struct theirs *o = (struct theirs *)obj;

	if (o != NULL)
		free(o->in);
	free(o);
}

static void *make(const struct bench_case *bench)
{
	struct theirs *o = (struct theirs *)aligned_alloc(64, (sizeof(*o) + 63) & ~(size_t)63);

	if (o == NULL)
		return NULL;
	memset(o, 0, sizeof(*o));
	o->in = net_input_new(bench->flags == NET_PARSE ? bench->bulk : KIND_TCP4);
	if (o->in == NULL) {
		drop(o);
		return NULL;
	}
	memcpy(o->raw_key, key, sizeof(key));
	rte_convert_rss_key((const uint32_t *)o->raw_key, o->key, sizeof(key));
#ifdef RTE_THASH_GFNI_DEFINED
	rte_thash_complete_matrix(o->matrix, o->raw_key, sizeof(key));
#endif
	for (unsigned n = 0; n < NET_PACKETS; n++) {
		struct rte_mbuf *m = &o->mbufs[n], *t = &o->tails[n];
		uint16_t first = bench->flags == NET_CHAIN ? 100 : o->in->lens[n];

		m->buf_addr = o->in->packets[n];
		m->pkt_len = o->in->lens[n];
		m->data_len = first;
		m->nb_segs = 1;
		if (bench->flags == NET_CHAIN) {
			*t = *m;
			t->buf_addr = o->in->packets[n] + first;
			t->data_len = (uint16_t)(bench->bulk - first);
			m->pkt_len = bench->bulk;
			m->next = t;
			m->nb_segs = 2;
		}
	}
	return o;
}

static inline uint32_t chain(const struct rte_mbuf *m, uint32_t len)
{
	uint16_t sum = 0;

	rte_raw_cksum_mbuf(m, 14, len - 14, &sum);
	return sum;
}

/*
 * The sum of a packet of len bytes and its pseudo header, and the header's, which DPDK wants with
 * its field in place.
 */
static inline uint32_t verify(const uint8_t *p, unsigned len)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(p + 14);
	struct {
		uint32_t src, dst;
		uint8_t zero, proto;
		uint16_t len;
	} pseudo = {ip->src_addr, ip->dst_addr, 0, 17, rte_cpu_to_be_16((uint16_t)(len - 34))};
	uint32_t sum = __rte_raw_cksum(&pseudo, sizeof(pseudo), 0);

	sum = __rte_raw_cksum(p + 34, len - 34, sum);
	return (uint32_t)(uint16_t)~__rte_raw_cksum_reduce(sum) + rte_ipv4_cksum(ip);
}

static inline uint32_t hash(struct theirs *o, unsigned i, unsigned len)
{
#ifdef RTE_THASH_GFNI_DEFINED
	return rte_thash_gfni(o->matrix, o->in->tuples[i], (int)len);
#else
	return rte_softrss_be(o->in->words[i], len / 4, (const uint8_t *)o->key);
#endif
}

static inline uint64_t bulk(struct theirs *o, unsigned len)
{
#ifdef RTE_THASH_GFNI_DEFINED
	uint8_t *tuples[NET_PACKETS];
	uint32_t found[NET_PACKETS];

	for (unsigned i = 0; i < NET_PACKETS; i++)
		tuples[i] = o->in->tuples[i];
	rte_thash_gfni_bulk(o->matrix, (int)len, tuples, found, NET_PACKETS);
	NET_LOOP(found[i]);
#else
	NET_LOOP(hash(o, i, len));
#endif
	return BENCH_BATCH;
}

static inline uint32_t parse(const struct rte_mbuf *m)
{
	struct rte_net_hdr_lens lens;
	uint32_t ptype;

	memset(&lens, 0, sizeof(lens));
	ptype = rte_net_get_ptype(m, &lens, RTE_PTYPE_ALL_MASK);
	if (ptype & RTE_PTYPE_TUNNEL_MASK)
		return (uint32_t)lens.inner_l3_len + lens.inner_l4_len;
	return (uint32_t)lens.l3_len + lens.l4_len;
}

static uint64_t step(struct bench_thread *t)
{
	struct theirs *o = (struct theirs *)t->run->obj;
	const unsigned len = t->bulk;

	switch (t->run->bench->flags) {
	case NET_CKSUM:
		NET_LOOP(rte_raw_cksum(o->in->bytes + 14 * (i % 8), len));
		break;
	case NET_CHAIN:
		NET_LOOP(chain(&o->mbufs[i], len));
		break;
	case NET_VERIFY:
		NET_LOOP(verify(o->in->packets[i], len));
		break;
	case NET_HASH:
		NET_LOOP(hash(o, i, len));
		break;
	case NET_BULK:
		return bulk(o, len);
	default:
		NET_LOOP(parse(&o->mbufs[i]));
		break;
	}
	return BENCH_BATCH;
}

#ifdef NET_NATIVE
const struct bench_impl bench_net_dpdk_native = {"DPDK native", make, drop, NULL, NULL, step};
#else
const struct bench_impl bench_net_dpdk = {"DPDK", make, drop, NULL, NULL, step};
#endif
