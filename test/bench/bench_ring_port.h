/* SPDX-License-Identifier: BSD-3-Clause */
/* Pairs of ports in a program, ours and others'. */
#ifndef BENCH_RING_PORT_H
#define BENCH_RING_PORT_H

#include "bench.h"

/*
 * Packets go round between two ends. One thread forwards from each end to the other, as a forwarding
 * program's io loop does; two threads have an end each and send back what they receive. bench_case.keep
 * packets are there.
 */
enum {
	PORT_DESC = 1024,
	PORT_BURST = 32,
	PORT_LEN = 60,
	PORT_TOUCH = 1, /* bench_case.flags: the receiver writes an address, as macswap does */
};

/* DPDK's net_ring. */
extern const struct bench_impl bench_dpdk;
int bench_dpdk_init(void);

/* Until another thread has sent something, which on a busy machine is when it gets a core. */
#define PORT_WAIT(t, n, rx, end, pkts)                                       \
	do {                                                                 \
		const uint64_t since = bench_ns(CLOCK_THREAD_CPUTIME_ID);    \
                                                                             \
		for (unsigned tries = 0; (n) == 0 && tries < 100; tries++) { \
			sched_yield();                                       \
			(n) = rx(end, pkts);                                 \
		}                                                            \
		(t)->idle_ns += bench_ns(CLOCK_THREAD_CPUTIME_ID) - since;   \
	} while (0)

/*
 * One step of a thread: rx(end, pkts) and tx(end, pkts, n) return how many; data(pkt) is where its bytes
 * are. All that was received is always taken: the rings have room for all packets there are.
 */
#define PORT_STEP(packet, rx, tx, data)                                          \
	do {                                                                     \
		const bool touch = (t->run->bench->flags & PORT_TOUCH) != 0;     \
		const bool alone = t->run->bench->threads == 1;                  \
		uint64_t moved = 0;                                              \
		packet *pkts[PORT_BURST];                                        \
                                                                                 \
		for (unsigned i = 0; i < 2 * BENCH_BATCH; i++) {                 \
			unsigned from = alone ? i % 2 : t->index;                \
			unsigned n = rx(from, pkts);                             \
                                                                                 \
			if (n == 0 && !alone)                                    \
				PORT_WAIT(t, n, rx, from, pkts);                 \
			if (n == 0)                                              \
				continue;                                        \
			for (unsigned k = 0; touch && k < n; k++)                \
				*(volatile uint64_t *)(void *)data(pkts[k]) = k; \
			moved += n;                                              \
			if (tx(alone ? !from : from, pkts, n) != n)              \
				abort();                                         \
		}                                                                \
		return moved;                                                    \
	} while (0)

#endif
