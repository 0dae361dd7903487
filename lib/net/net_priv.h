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
#define NET_AVX2_MIN 128

/* The most bytes whose words, each less 32768, have a sum of 32 bits: 128 KiB less two vectors. */
#define NET_PIECE 131008

/* 32 zeros and 32 ones: from byte n on, a mask of the last n bytes of a vector of 32. */
extern const uint8_t net_last_mask[64];

/* A last byte that is alone, as the word that it begins. */
static inline uint16_t net_odd_byte(const uint8_t *p)
{
	uint16_t x = 0;

	memcpy(&x, p, 1);
	return x;
}

/* cksum_avx2.c: plx_cksum_add() of 32 to NET_PIECE bytes. Needs AVX2. */
uint32_t net_cksum_add_avx2(uint32_t sum, const uint8_t *p, size_t len);

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
