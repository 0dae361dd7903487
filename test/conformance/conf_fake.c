/* SPDX-License-Identifier: BSD-3-Clause */
/* The e1000 driver on two models of the 82574L, or what CONF_PART says, with a wire between them. */
#include <stdio.h>

#include "conf.h"
#include "fake_82574.h"
#include "unit.h"

#ifndef CONF_PART
#define CONF_PART FAKE_82574L
#endif

struct pair {
	struct fake_82574 *a, *b;
};

const char *conf_begin(struct conf *c, struct plx_ctx *ctx)
{
	static struct pair p;
	struct fake_82574_opts o = FAKE_82574_OPTS_INIT;

	o.wall_clock = true;
	o.part = CONF_PART;
	o.link_ns = 2000000;
	p.a = fake_82574_new("conf-a", &o);
	o.mac[5]++;
	p.b = fake_82574_new("conf-b", &o);
	fake_82574_wire(p.a, p.b);
	CHECK_EQ(fake_attach(ctx, fake_82574_pci(p.a)), 0);
	c->priv = &p;
	snprintf(c->dev, sizeof(c->dev), "fake:conf-a");
	snprintf(c->peer, sizeof(c->peer), "fake:conf-b");
	c->max_len = 9018;
	c->link_ns = 5000000000u;
	c->packets = 1000;
	c->rounds = 100;
	return NULL;
}

void conf_end(struct conf *c)
{
	struct pair *p = c->priv;
	char a[200], b[200];

	snprintf(a, sizeof(a), "%s", fake_82574_violation(p->a, 0));
	snprintf(b, sizeof(b), "%s", fake_82574_violation(p->b, 0));
	fake_82574_free(p->a);
	fake_82574_free(p->b);
	/* what the datasheet forbids has not been done */
	CHECK_STR(a, "");
	CHECK_STR(b, "");
}

bool conf_remove(struct conf *c)
{
	struct pair *p = c->priv;

	fake_remove(fake_82574_pci(p->a));
	return true;
}
