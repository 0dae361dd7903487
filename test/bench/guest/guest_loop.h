/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a packet costs in exact instructions, on two NICs of a guest whose time stamp counter advances by one
 * with each instruction (QEMU's -icount shift=0, one CPU). The same text measures ours and others'.
 *
 * The file that includes it defines before
 *
 *   packet                          what mbufs are
 *   packet_get(port, pkts, n)       receives up to n from port 0 or 1
 *   packet_put(port, pkts, n)       sends; returns how many were taken
 *   packet_data(p)                  its first byte
 *   packet_make(pkts, n, data, len) n packets with these bytes; 0 or -1
 *   packet_free(pkts, n)
 *
 * One burst of packets goes to and fro between the ports: what port 0 sends is in port 1's ring when the
 * doorbell returns, so that each burst that is polled for is full. Measured are
 *
 *   rx    the receiving call alone, with all that it does for the ring and its buffers
 *   tx    the sending call alone, with freeing what was sent before
 *   loop  poll, touch a byte of each packet, transmit (which frees what was sent)
 *
 * in windows of whole rounds of the rings and caches. A window in which the kernel's timer ticked within a
 * call has more than others: the least of all windows counts, and how many were equal to it is printed.
 */
#ifndef GUEST_LOOP_H
#define GUEST_LOOP_H

#include <stdio.h>
#include <string.h>

#include "guest_clock.h"

enum { GUEST_RING = 640, GUEST_POOL = 8192, GUEST_BURST = 256, GUEST_LEN = 60, GUEST_WINDOWS = 24 };

enum guest_what { GUEST_RX, GUEST_TX, GUEST_LOOP };

/* Ethernet, IPv4 and UDP: QEMU's e1000e drops what says IPv4 and is not. */
static const uint8_t guest_frame[GUEST_LEN] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00, 0x45,
	0, 0, 46, 0, 1, 0, 0, 64, 17, 0x66, 0xbc, 10, 0, 0, 1, 10, 0, 0, 2, 0x10, 0, 0x10, 1, 0,
	26};

struct guest_run {
	packet *pkts[GUEST_BURST];
	uint64_t look; /* guest_look() */
	uint16_t burst;
	unsigned port;
	const char *side;
};

/* One burst in and out at a port. Returns the instructions of what is measured; 0: a burst was not full. */
static inline uint64_t guest_step(struct guest_run *r, enum guest_what what)
{
	packet **pkts = r->pkts;
	uint64_t a = 0, b = 0;
	uint16_t n, sent;

	if (what != GUEST_TX)
		a = guest_now();
	n = packet_get(r->port, pkts, r->burst);
	if (what == GUEST_RX)
		b = guest_now();
	for (uint16_t i = 0; i < n; i++)
		packet_data(pkts[i])[0] ^= 1;
	if (what == GUEST_TX)
		a = guest_now();
	sent = packet_put(r->port, pkts, n);
	if (what != GUEST_RX)
		b = guest_now();
	r->port ^= 1;
	return n == r->burst && sent == n ? b - a - r->look : 0;
}

/* A window: the sum, or 0. */
static uint64_t guest_window(struct guest_run *r, enum guest_what what, unsigned bursts)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < bursts; i++) {
		uint64_t t;

		switch (what) { /* each with the others' looks left out by the compiler */
		case GUEST_RX:
			t = guest_step(r, GUEST_RX);
			break;
		case GUEST_TX:
			t = guest_step(r, GUEST_TX);
			break;
		default:
			t = guest_step(r, GUEST_LOOP);
			break;
		}
		if (t == 0)
			return 0;
		sum += t;
	}
	return sum;
}

static int guest_row(struct guest_run *r, enum guest_what what)
{
	static const char *const names[] = {"rx", "tx", "loop"};
	/* both ports go round their rings, in whole bursts */
	const unsigned packets = GUEST_RING * 2 * (r->burst > 64 ? r->burst / 64u : 1);
	uint64_t least = UINT64_MAX;
	unsigned same = 0;

	for (unsigned i = 0; i < GUEST_WINDOWS; i++) {
		const uint64_t sum = guest_window(r, what, packets / r->burst);

		if (sum == 0) {
			fprintf(stderr, "%s: %s of %u: a burst is not full\n", r->side, names[what],
				r->burst);
			return -1;
		}
		if (sum < least) {
			least = sum;
			same = 0;
		}
		same += sum == least;
	}
	printf("{\"side\": \"%s\", \"what\": \"%s\", \"burst\": %u, \"packets\": %u, "
	       "\"instructions\": %llu, \"windows\": %u, \"same\": %u}\n",
		r->side, names[what], r->burst, packets, (unsigned long long)least, GUEST_WINDOWS,
		same);
	fflush(stdout);
	return 0;
}

/* All rows of one size of bursts; what is under way at the end is freed. */
static int guest_burst(struct guest_run *r)
{
	uint16_t n;

	r->port = 0;
	if (packet_make(r->pkts, r->burst, guest_frame, GUEST_LEN) != 0 ||
		packet_put(1, r->pkts, r->burst) != r->burst) {
		fprintf(stderr, "%s: no packets to begin with\n", r->side);
		return -1;
	}
	/* until all is as it will be in each further round */
	if (guest_window(r, GUEST_LOOP, 64u * GUEST_RING / r->burst) == 0) {
		fprintf(stderr, "%s: bursts of %u are not full\n", r->side, r->burst);
		return -1;
	}
	for (enum guest_what what = GUEST_RX; what <= GUEST_LOOP; what++)
		if (guest_row(r, what) != 0)
			return -1;
	n = packet_get(r->port, r->pkts, r->burst);
	packet_free(r->pkts, n);
	return 0;
}

/* Prints a line of JSON for each row. 0 or -1. */
static int guest_measure(const char *side)
{
	static const uint16_t bursts[] = {1, 4, 8, 16, 32, 64, 128, 256};
	struct guest_run r = {.side = side, .look = guest_look()};

	for (unsigned i = 0; i < sizeof(bursts) / sizeof(bursts[0]); i++) {
		r.burst = bursts[i];
		if (guest_burst(&r) != 0)
			return -1;
	}
	return 0;
}

#endif
