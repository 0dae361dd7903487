/* SPDX-License-Identifier: BSD-3-Clause */
/* Reference counts of mbufs and of external memory. */
#ifndef MBUF_REF_H
#define MBUF_REF_H

#include "plx_base.h"

/* One more; false when there can be no more. Relaxed: the caller owns a reference. */
static inline bool mbuf_ref_get(uint16_t *ref)
{
	uint16_t v = __atomic_load_n(ref, __ATOMIC_RELAXED);

	do {
		if (v == UINT16_MAX)
			return false;
	} while (!__atomic_compare_exchange_n(
		ref, &v, (uint16_t)(v + 1), true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return true;
}

/*
 * One less; true for the last. Acquire: what the other owners did is over before the memory is used
 * anew; release: what this one did is. The last owner needs no atomic instruction.
 */
static inline bool mbuf_ref_put(uint16_t *ref)
{
	return __atomic_load_n(ref, __ATOMIC_ACQUIRE) == 1 ||
	       __atomic_sub_fetch(ref, 1, __ATOMIC_ACQ_REL) == 0;
}

static inline bool mbuf_ref_put32(uint32_t *ref)
{
	return __atomic_load_n(ref, __ATOMIC_ACQUIRE) == 1 ||
	       __atomic_sub_fetch(ref, 1, __ATOMIC_ACQ_REL) == 0;
}

#endif
