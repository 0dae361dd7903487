/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * speed=real: when a packet is due.
 *
 * Due times are sums of distances of timestamps, in whole nanoseconds, over all passes, and are
 * compared with one clock. Nothing is added up from measured times, so nothing drifts; the clock is
 * CLOCK_MONOTONIC, read in user space from the TSC with the kernel's corrections, as the TSC's own
 * rate is known only approximately and hours of a capture would show it.
 */
#include "pcap_pmd.h"

void capt_pace_next(struct capt_pace *c, uint64_t ts)
{
	if (c->n == 0) {
		c->due_ns += c->gap_ns; /* 0 in the first pass */
		c->first_due = c->due_ns;
	} else if (ts > c->last_ts) {
		c->due_ns += ts - c->last_ts;
	}
	c->last_ts = ts;
	c->n++;
}

void capt_pace_pass(struct capt_pace *c)
{
	if (c->n > 1)
		c->gap_ns = (c->due_ns - c->first_due) / (c->n - 1);
	c->n = 0;
}

void capt_pace_restart(struct capt_pace *c)
{
	c->begun = false;
}

uint64_t capt_pace_now(struct capt_pace *c)
{
	uint64_t now = c->clock();

	if (!c->begun) {
		c->begun = true;
		c->start_ns = now - c->due_ns;
	}
	return now - c->start_ns;
}
