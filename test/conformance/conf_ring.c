/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "conf.h"

const char *conf_begin(struct conf *c, struct plx_ctx *ctx)
{
	snprintf(c->dev, sizeof(c->dev), "ring:conf");
	snprintf(c->peer, sizeof(c->peer), "ring:conf");
	c->passes_mbufs = true;
	c->max_len = 9018;
	c->link_ns = UINT64_C(5000000000);
	c->packets = 1000;
	c->rounds = 300;
	return NULL;
}

void conf_end(struct conf *c)
{
}

bool conf_remove(struct conf *c)
{
	return false;
}
