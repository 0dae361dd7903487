/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of lib/net share. */
#ifndef NET_PRIV_H
#define NET_PRIV_H

#include "plx_cksum.h"
#include "plx_toeplitz.h"

/* Code for x86-64 that is chosen at run time: the compiler's run-time library knows the CPU. */
#if defined(__x86_64__)
#define NET_X86          1
#define NET_TARGET(isa)  __attribute__((target(isa)))
#define NET_CPU_HAS(isa) (__builtin_cpu_supports(isa) != 0)
#else
#define NET_X86 0
#endif

/* Fewest bytes for which the call pays. */
#define NET_AVX2_MIN 256

/* cksum_avx2.c: the sum of n bytes, n a multiple of 32, brought below 2^33. Needs AVX2. */
uint64_t net_sum_avx2(const uint8_t *p, size_t n);

/*
 * toeplitz_clmul.c: the hash of words * 4 bytes, of 2 or 3 words in the CPU's order, and of n inputs
 * that lie stride bytes apart. Need what net_toeplitz_have_clmul() looks for.
 */
bool net_toeplitz_have_clmul(void);
uint32_t net_toeplitz_clmul(const struct plx_toeplitz *t, const uint8_t *data, unsigned words);
uint32_t net_toeplitz_clmul2(const struct plx_toeplitz *t, uint32_t a, uint32_t b);
uint32_t net_toeplitz_clmul3(const struct plx_toeplitz *t, uint32_t a, uint32_t b, uint32_t c);
void net_toeplitz_clmul_bulk(const struct plx_toeplitz *t, const uint8_t *data, size_t stride,
	unsigned words, uint32_t *hash, unsigned n);

/*
 * Bytes [off, off + len) of a packet: where they lie if in one piece, else copied to buf. NULL: the
 * packet ends before.
 */
static inline const void *net_peek(const struct plx_mbuf *m, uint32_t off, uint32_t len, void *buf)
{
	uint8_t *to = (uint8_t *)buf;

	if (plx_likely((uint64_t)off + len <= m->data_len))
		return plx_mbuf_data(m) + off;
	for (; m != NULL; m = m->next) {
		uint32_t part;

		if (off >= m->data_len) {
			off -= m->data_len;
			continue;
		}
		part = PLX_MIN(len, m->data_len - off);
		memcpy(to, plx_mbuf_data(m) + off, part);
		to += part;
		len -= part;
		off = 0;
		if (len == 0)
			return buf;
	}
	return NULL;
}

#endif
