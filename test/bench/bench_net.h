/* SPDX-License-Identifier: BSD-3-Clause */
/* Checksums, hashes and parsing, ours and DPDK's: the inputs, which are the same bytes for both. */
#ifndef BENCH_NET_H
#define BENCH_NET_H

#include "bench.h"

/* bench_case.flags: what is measured. bench_case.bulk is a length or a kind of packet. */
enum {
	NET_CKSUM,  /* bytes in one piece */
	NET_CHAIN,  /* a packet of that length in two segments, the first of 100 bytes */
	NET_VERIFY, /* IPv4 and UDP checksums of a packet of that length */
	NET_HASH,   /* Toeplitz over that many bytes */
	NET_BULK,   /* the same, 64 in one call */
	NET_PARSE,  /* a packet of that kind */
};

/* Kinds of packet. */
enum { KIND_TCP4, KIND_UDP6, KIND_VLAN, KIND_EXT6, KIND_GRE, KIND_MIX, KINDS };

enum {
	NET_PACKETS = BENCH_BATCH,
	NET_ROOM = 33 * 64, /* an odd number of cache lines, as in pools */
	NET_TUPLE = 40,     /* bytes from one tuple to the next */
	NET_LONG = 65536,
};

struct net_input {
	uint8_t bytes[NET_LONG + NET_ROOM];
	uint8_t packets[NET_PACKETS][NET_ROOM];
	uint16_t lens[NET_PACKETS];
	uint8_t tuples[NET_PACKETS][NET_TUPLE];
	uint32_t words[NET_PACKETS][NET_TUPLE / 4]; /* the tuples, in the CPU's order */
};

/*
 * Two ways to use DPDK: as its pkg-config file has it, and compiled for the CPU at hand, where
 * AVX-512 and GFNI are used if there. NULL: not on this CPU.
 */
extern const struct bench_impl bench_net_dpdk, bench_net_dpdk_native;

/* Ethernet, tags of VLAN, IP, layer 4 of a packet of that kind; the rest is what the buffer holds. */
static inline uint16_t net_packet(uint8_t *p, unsigned kind, unsigned n)
{
	static const struct {
		uint8_t len;
		const char *hex;
	} rows[] = {
		[KIND_TCP4] = {54, "0200000000010200000000020800"
				   "450003e8123440004006000000000000c0a80002"
				   "c350c3510000000100000002501004000000"
				   "0000"},
		[KIND_UDP6] = {62,
			"02000000000102000000000286dd"
			"600000000200"
			"1140fd000000000000000000000000000001fd000000000000000000000000000002"
			"c350c35102000000"},
		[KIND_VLAN] = {58, "020000000001020000000002810020640800"
				   "450003e8123440004006000000000000c0a80002"
				   "c350c3510000000100000002501004000000"
				   "0000"},
		[KIND_EXT6] = {78,
			"02000000000102000000000286dd"
			"600000000210"
			"0040fd000000000000000000000000000001fd000000000000000000000000000002"
			"3c00010400000000"
			"1100010400000000"
			"c350c35102000000"},
		[KIND_GRE] = {78, "0200000000010200000000020800"
				  "450003e81234000040"
				  "2f00000a000001c0a80002"
				  "00000800"
				  "450003d0123440004006000000000000c0a80002"
				  "c350c3510000000100000002501004000000"
				  "0000"},
	};

	kind = kind == KIND_MIX ? n % KIND_MIX : kind;
	for (unsigned i = 0; i < rows[kind].len; i++) {
		const char *h = rows[kind].hex + (size_t)2 * i;
		unsigned high = (unsigned)(h[0] <= '9' ? h[0] - '0' : h[0] - 'a' + 10);
		unsigned low = (unsigned)(h[1] <= '9' ? h[1] - '0' : h[1] - 'a' + 10);

		p[i] = (uint8_t)(high << 4 | low);
	}
	return kind == KIND_VLAN ? 1018 : 1014; /* as IPv4 has it */
}

static inline struct net_input *net_input_new(unsigned kind)
{
	struct net_input *in =
		(struct net_input *)aligned_alloc(64, (sizeof(*in) + 63) & ~(size_t)63);
	uint64_t x = 88172645463325252u;

	if (in == NULL)
		return NULL;
	for (size_t i = 0; i < sizeof(*in); i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		((uint8_t *)in)[i] = (uint8_t)(x >> 24);
	}
	for (unsigned n = 0; n < NET_PACKETS; n++) {
		in->lens[n] = net_packet(in->packets[n], kind, n);
		for (unsigned w = 0; w < NET_TUPLE / 4; w++) {
			const uint8_t *t = in->tuples[n] + (size_t)4 * w;

			in->words[n][w] = (uint32_t)t[0] << 24 | (uint32_t)t[1] << 16 |
					  (uint32_t)t[2] << 8 | t[3];
		}
	}
	return in;
}

/*
 * What a call found, so that all of them may be compared: the sum over the last batch. It also keeps
 * the compiler from leaving out calls.
 */
extern uint64_t bench_net_found;

/* Calls expr, of i, for each of a batch; nothing is known of memory from one to the next. */
#define NET_LOOP(expr)                                       \
	do {                                                 \
		uint64_t sum_ = 0;                           \
		for (unsigned i = 0; i < BENCH_BATCH; i++) { \
			__asm__ volatile("" ::: "memory");   \
			sum_ += (expr);                      \
		}                                            \
		bench_net_found = sum_;                      \
	} while (0)

#endif
