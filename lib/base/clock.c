/* SPDX-License-Identifier: BSD-3-Clause */
/* The clocks of plx_base.h. */
#include <time.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "plx_base.h"

/* Long enough that the two clock reads' jitter (under 1 us) is below 0.01 %. */
#define CALIBRATION_NS 10000000U

uint64_t plx_clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail with this clock and a valid address */
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

#if defined(__x86_64__) || defined(__i386__)

/*
 * Intel SDM volume 2, CPUID leaf 15H: TSC frequency = crystal (ECX, Hz) * EBX / EAX, where a zero
 * means "not enumerated" (and always is zero on AMD).
 */
static uint64_t hz_from_cpu(void)
{
	unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;

	if (__get_cpuid(0x15, &eax, &ebx, &ecx, &edx) == 0 || eax == 0 || ebx == 0)
		return 0;
	return (uint64_t)ecx * ebx / eax;
}

#elif defined(__aarch64__)

/* Arm ARM, CNTFRQ_EL0: the frequency of CNTVCT_EL0, as firmware entered it (0 if it did not). */
static uint64_t hz_from_cpu(void)
{
	uint64_t v;

	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(v));
	return v;
}

#endif

/* Reads both clocks for the same moment: the pair of several whose reads were closest together. */
static void read_both(uint64_t *tsc, uint64_t *ns)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < 5; i++) {
		uint64_t before = plx_tsc();
		uint64_t now = plx_clock_ns();
		uint64_t width = plx_tsc() - before;

		if (width < best) {
			best = width;
			*tsc = before + width / 2;
			*ns = now;
		}
	}
}

static uint64_t hz_measured(void)
{
	uint64_t tsc0 = 0, ns0 = 0, tsc1 = 0, ns1 = 0, hz;

	read_both(&tsc0, &ns0);
	do {
		plx_pause();
		read_both(&tsc1, &ns1);
	} while (ns1 - ns0 < CALIBRATION_NS);
	hz = (uint64_t)((double)(tsc1 - tsc0) * 1e9 / (double)(ns1 - ns0));
	return hz != 0 ? hz : 1;
}

uint64_t plx_tsc_hz(void)
{
	/*
	 * A property of the machine, not state: it is found once a process because measuring takes
	 * 10 ms, and never changes afterwards. Threads that find it at once agree on the first.
	 */
	static uint64_t cached;
	uint64_t hz = PLX_READ_ONCE(cached), none = 0;

	if (plx_likely(hz != 0))
		return hz;
	hz = hz_from_cpu();
	if (hz == 0)
		hz = hz_measured();
	if (!__atomic_compare_exchange_n(
		    &cached, &none, hz, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		hz = none;
	return hz;
}
