/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "conf_veth.h"

const char *conf_begin(struct conf *c, struct plx_ctx *ctx)
{
	snprintf(c->dev, sizeof(c->dev), "af_packet:pa");
	snprintf(c->peer, sizeof(c->peer), "af_packet:pb");
	c->max_len = 9018;
	c->link_ns = UINT64_C(5000000000);
	c->packets = 1000;
	c->rounds = 50;
	return veth_begin();
}

void conf_end(struct conf *c)
{
}

bool conf_remove(struct conf *c)
{
	return veth_ip("link del dev pa") == 0;
}
