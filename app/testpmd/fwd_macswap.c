/* SPDX-License-Identifier: BSD-3-Clause */
/* macswap: source and destination address change places. */
#include "modes.h"

static void change(struct stream *s, struct plx_mbuf *m)
{
	swap_macs(m);
}

static uint16_t burst(struct stream *s)
{
	return stream_each(s, change);
}

const struct fwd_mode fwd_macswap = {
	.name = "macswap", .help = "source and destination address swapped", .burst = burst};
