/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "conf.h"

const char *conf_begin(struct conf *c, struct plx_ctx *ctx)
{
	snprintf(c->dev, sizeof(c->dev), "null:size=64");
	c->source = true;
	c->takes_all = true;
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
