/* SPDX-License-Identifier: BSD-3-Clause */
/* A TAP interface as a port, ours and others'. */
#ifndef BENCH_TAP_H
#define BENCH_TAP_H

#include "bench.h"

enum {
	TAP_BURST = 32,
	TAP_LEN = 60,
	TAP_INJECT = 256, /* packets that the interface is given at a time; it holds 1000 */
	TAP_POOL = 2048,
	/* bench_case.flags */
	TAP_RX = 1, /* receives what the interface is given */
	TAP_TX = 2, /* sends: what it received, or new packets */
};

/* DPDK's net_tap; the process is in its namespace. */
extern const struct bench_impl bench_dpdk;
int bench_dpdk_init(void);

/* Sends TAP_INJECT frames out of the interface, by a packet socket: the same for everyone. */
void tap_inject(const char *ifname);

/*
 * A step. get(pkts), put(pkts, n), free_all(pkts, n) and make(pkts) move packets; make() returns how many
 * it made. What is not received although it was given has been dropped, and does not count.
 */
#define TAP_STEP(packet, ifname, get, put, free_all, make)                               \
	do {                                                                             \
		const unsigned flags = t->run->bench->flags;                             \
		packet *pkts[TAP_BURST];                                                 \
		uint64_t moved = 0;                                                      \
		unsigned n, idle = 0;                                                    \
                                                                                         \
		if (flags & TAP_RX)                                                      \
			tap_inject(ifname);                                              \
		while (moved < TAP_INJECT && idle < 100) {                               \
			n = flags & TAP_RX ? (unsigned)get(pkts) : (unsigned)make(pkts); \
			idle = n == 0 ? idle + 1 : 0;                                    \
			moved += n;                                                      \
			if (!(flags & TAP_TX))                                           \
				free_all(pkts, n);                                       \
			else if (n > 0 && put(pkts, n) != n)                             \
				abort();                                                 \
		}                                                                        \
		return moved;                                                            \
	} while (0)

#endif
