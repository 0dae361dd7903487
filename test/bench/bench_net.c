/* SPDX-License-Identifier: BSD-3-Clause */
/* Checksums, Toeplitz and the parser, beside DPDK's where it is installed. */
#include "plx_cksum.h"
#include "plx_ptype.h"
#include "plx_toeplitz.h"

#include "bench_net.h"

uint64_t bench_net_found;

struct ours {
	struct net_input *in;
	struct plx_toeplitz key;
	struct plx_mbuf mbufs[NET_PACKETS], tails[NET_PACKETS];
};

static void drop(void *obj)
{
	struct ours *o = obj;

	if (o != NULL)
		free(o->in);
	free(o);
}

static void *make(const struct bench_case *bench)
{
	struct ours *o = aligned_alloc(64, sizeof(*o));

	if (o == NULL)
		return NULL;
	memset(o, 0, sizeof(*o));
	o->in = net_input_new(bench->flags == NET_PARSE ? bench->bulk : KIND_TCP4);
	if (o->in == NULL || plx_toeplitz_init(&o->key, plx_toeplitz_key_default, 40) < 0) {
		drop(o);
		return NULL;
	}
	for (unsigned n = 0; n < NET_PACKETS; n++) {
		struct plx_mbuf *m = &o->mbufs[n], *t = &o->tails[n];
		uint16_t first = bench->flags == NET_CHAIN ? 100 : o->in->lens[n];

		m->buf = o->in->packets[n];
		m->pkt_len = o->in->lens[n];
		m->data_len = first;
		m->nsegs = m->refcnt = 1;
		if (bench->flags == NET_CHAIN) {
			*t = *m;
			t->buf += first;
			t->data_len = (uint16_t)(bench->bulk - first);
			m->pkt_len = bench->bulk;
			m->next = t;
			m->nsegs = 2;
		}
	}
	return o;
}

/* Both checksums of a packet of len bytes with UDP, as a receiver would check them: 0 are right. */
static inline uint32_t verify(const uint8_t *p, unsigned len)
{
	const struct plx_ipv4_hdr *ip = (const struct plx_ipv4_hdr *)(p + 14);
	uint16_t bytes = (uint16_t)(len - 34);
	uint32_t sum = plx_ipv4_phdr_sum(ip, PLX_IP_UDP, bytes);

	return (uint32_t)plx_cksum_finish(plx_cksum_add(sum, p + 34, bytes)).v +
	       plx_ipv4_cksum(ip).v;
}

static inline uint32_t parse(struct plx_mbuf *m)
{
	struct plx_pkt_info info;

	plx_pkt_parse(m, &info);
	return (uint32_t)info.hdr.l3_len + info.hdr.l4_len;
}

static uint64_t step(struct bench_thread *t)
{
	struct ours *o = t->run->obj;
	struct net_input *in = o->in;
	const unsigned len = t->bulk;
	uint32_t hash[NET_PACKETS];

	switch (t->run->bench->flags) {
	case NET_CKSUM:
		NET_LOOP(plx_cksum_fold(plx_cksum_add(0, in->bytes + 14 * (i % 8), len)).v);
		break;
	case NET_CHAIN:
		NET_LOOP(plx_cksum_fold(plx_cksum_add_mbuf(0, &o->mbufs[i], 14, len - 14)).v);
		break;
	case NET_VERIFY:
		NET_LOOP(verify(in->packets[i], len));
		break;
	case NET_HASH:
		if (len == 12) {
			struct tuple {
				plx_be32 src, dst;
				plx_be16 sport, dport;
			} * p;

			NET_LOOP((p = (struct tuple *)in->tuples[i],
				plx_toeplitz_ipv4_l4(&o->key, p->src, p->dst, p->sport, p->dport)));
		} else {
			NET_LOOP(plx_toeplitz_hash(&o->key, in->tuples[i], len));
		}
		break;
	case NET_BULK:
		plx_toeplitz_hash_bulk(&o->key, in->tuples, NET_TUPLE, len, hash, NET_PACKETS);
		NET_LOOP(hash[i]);
		break;
	default:
		NET_LOOP(parse(&o->mbufs[i]));
		break;
	}
	return BENCH_BATCH;
}

static const struct bench_impl pollux = {"Pollux", make, drop, NULL, NULL, step};

static const struct bench_case cases[] = {
	{"cksum of 20 bytes", 1, 20, 0, NET_CKSUM},
	{"cksum of 64 bytes", 1, 64, 0, NET_CKSUM},
	{"cksum of 255 bytes", 1, 255, 0, NET_CKSUM},
	{"cksum of 256 bytes", 1, 256, 0, NET_CKSUM},
	{"cksum of 1500 bytes", 1, 1500, 0, NET_CKSUM},
	{"cksum of 9000 bytes", 1, 9000, 0, NET_CKSUM},
	{"cksum of 65536 bytes", 1, 65536, 0, NET_CKSUM},
	{"cksum of 1000 bytes, 2 segments", 1, 1000, 0, NET_CHAIN},
	{"IPv4, UDP cksum, 64-byte packet", 1, 64, 0, NET_VERIFY},
	{"IPv4, UDP cksum, 1514-byte packet", 1, 1514, 0, NET_VERIFY},
	{"Toeplitz of 12 bytes", 1, 12, 0, NET_HASH},
	{"Toeplitz of 36 bytes", 1, 36, 0, NET_HASH},
	{"Toeplitz of 12 bytes, 64 a call", 1, 12, 0, NET_BULK},
	{"Toeplitz of 36 bytes, 64 a call", 1, 36, 0, NET_BULK},
	{"parser: TCP over IPv4", 1, KIND_TCP4, 0, NET_PARSE},
	{"parser: UDP over IPv6", 1, KIND_UDP6, 0, NET_PARSE},
	{"parser: VLAN, TCP over IPv4", 1, KIND_VLAN, 0, NET_PARSE},
	{"parser: IPv6 with two extensions", 1, KIND_EXT6, 0, NET_PARSE},
	{"parser: GRE, IPv4, TCP", 1, KIND_GRE, 0, NET_PARSE},
	{"parser: a mixture of these", 1, KIND_MIX, 0, NET_PARSE},
};

/* One batch with each implementation: they must find the same. */
static int agree(const struct bench_impl *const *impls, unsigned n)
{
	for (unsigned c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		uint64_t first = 0;

		for (unsigned k = 0; k < n; k++) {
			struct bench_run run = {
				.bench = &cases[c], .obj = impls[k]->make(&cases[c])};
			struct bench_thread t = {.run = &run, .bulk = cases[c].bulk};

			if (run.obj == NULL)
				return -1;
			impls[k]->step(&t);
			impls[k]->drop(run.obj);
			first = k == 0 ? bench_net_found : first;
			if (bench_net_found != first) {
				fprintf(stderr, "%s: %s finds %llx, %s %llx\n", cases[c].name,
					impls[0]->name, (unsigned long long)first, impls[k]->name,
					(unsigned long long)bench_net_found);
				return -1;
			}
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
#ifdef BENCH_DPDK
	const struct bench_impl *const impls[] = {&bench_net_dpdk, &bench_net_dpdk_native, &pollux};
#else
	const struct bench_impl *const impls[] = {&pollux};
#endif
	const unsigned n = sizeof(impls) / sizeof(impls[0]);

	if (agree(impls, n) < 0)
		return 1;
	return bench_all(cases, sizeof(cases) / sizeof(cases[0]), impls, n, argc, argv);
}
