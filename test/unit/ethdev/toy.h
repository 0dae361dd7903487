/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A driver made for these tests: `toy:`. Its rings exist from start to stop only, and its bursts
 * write to them without any care, so that a burst that outlives its queue shows under
 * ThreadSanitizer and AddressSanitizer. Each operation can be told to fail.
 */
#ifndef TOY_H
#define TOY_H

#include "ethdev_pmd.h"

enum toy_op { TOY_OPEN, TOY_CONFIGURE, TOY_RXQ_SETUP, TOY_TXQ_SETUP, TOY_START, TOY_LINK, TOY_OPS };

struct toy_state {
	enum toy_op fail_op;
	int fail_in;  /* the n-th call of fail_op fails; 0: none */
	bool link_up; /* atomic */
	bool gone;    /* atomic */
	bool stuck;   /* atomic: the watchdog is told that work is owed and nothing moves */
	bool hold;    /* TX keeps what it took until reclaim */
	unsigned opens, closes, starts, stops, resets, setups, releases, queue_ops;
};

/* One test runs at a time in a process; the driver has no other way to find its test. */
extern struct toy_state toy;

enum { TOY_RING = 64 };

int toy_add(struct plx_ctx *ctx);
void toy_clear(void);

#endif
