/* SPDX-License-Identifier: BSD-3-Clause */
/* mac: the destination becomes the peer's address, the source the sending port's. */
#include "modes.h"

static void change(struct stream *s, struct plx_mbuf *m)
{
	set_macs(m, &s->peer, &s->own);
}

static uint16_t burst(struct stream *s)
{
	return stream_each(s, change);
}

const struct fwd_mode fwd_mac = {.name = "mac",
	.help = "to the peer's address (--eth-peer), from the sending port's",
	.burst = burst};
