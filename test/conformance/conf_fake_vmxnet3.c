/* SPDX-License-Identifier: BSD-3-Clause */
/* The vmxnet3 driver on two models of its device with a wire between them. */
#include <stdio.h>

#include "conf.h"
#include "fake_vmxnet3.h"
#include "unit.h"

struct pair {
	struct fake_vmxnet3 *a, *b;
};

const char *conf_begin(struct conf *c, struct plx_ctx *ctx)
{
	static struct pair p;
	struct fake_vmxnet3_opts o = FAKE_VMXNET3_OPTS_INIT;

	p.a = fake_vmxnet3_new("conf-a", &o);
	o.mac[5]++;
	o.revs = 1;
	o.wants_prod = true;
	p.b = fake_vmxnet3_new("conf-b", &o);
	fake_vmxnet3_wire(p.a, p.b);
	CHECK_EQ(fake_attach(ctx, fake_vmxnet3_pci(p.a)), 0);
	CHECK_EQ(fake_attach(ctx, fake_vmxnet3_pci(p.b)), 0);
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

	snprintf(a, sizeof(a), "%s", fake_vmxnet3_violation(p->a, 0));
	snprintf(b, sizeof(b), "%s", fake_vmxnet3_violation(p->b, 0));
	fake_vmxnet3_free(p->a);
	fake_vmxnet3_free(p->b);
	/* what the device does not take has not been done */
	CHECK_STR(a, "");
	CHECK_STR(b, "");
}

bool conf_remove(struct conf *c)
{
	struct pair *p = c->priv;

	fake_remove(fake_vmxnet3_pci(p->a));
	return true;
}
