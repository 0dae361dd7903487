/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The e1000 driver over `pci:` on two models of the 82574L behind a made-up kernel, with a wire
 * between them. CONF_VIA: the interface of the kernel, "group" or "cdev".
 */
#include <stdio.h>

#include "conf.h"
#include "fake_82574.h"
#include "fake_vfio.h"
#include "unit.h"

struct pair {
	struct fake_82574 *a, *b;
	struct fake_vfio *k;
	struct fake_vfio_dev *d;
};

const char *conf_begin(struct conf *c, struct plx_ctx *ctx)
{
	static struct pair p;
	struct fake_82574_opts o = FAKE_82574_OPTS_INIT;

	o.wall_clock = true;
	o.link_ns = 2000000;
	p.a = fake_82574_new("conf-a", &o);
	o.mac[5]++;
	p.b = fake_82574_new("conf-b", &o);
	fake_82574_wire(p.a, p.b);
	p.k = fake_vfio_new(NULL);
	p.d = fake_vfio_add(p.k, "0000:00:10.0", 7, fake_82574_pci(p.a));
	fake_vfio_add(p.k, "0000:00:11.0", 8, fake_82574_pci(p.b));
	CHECK_EQ(plx_vfio_sys_set(ctx, fake_vfio_sys(p.k)), 0);
	c->priv = &p;
	snprintf(c->dev, sizeof(c->dev), "pci:0000:00:10.0,via=" CONF_VIA);
	snprintf(c->peer, sizeof(c->peer), "pci:0000:00:11.0,via=" CONF_VIA);
	c->max_len = 9018;
	c->link_ns = 5000000000u;
	c->packets = 1000;
	c->rounds = 50;
	return NULL;
}

void conf_end(struct conf *c)
{
	struct pair *p = c->priv;
	char a[200], b[200], left[200];

	snprintf(a, sizeof(a), "%s", fake_82574_violation(p->a, 0));
	snprintf(b, sizeof(b), "%s", fake_82574_violation(p->b, 0));
	snprintf(left, sizeof(left), "%s", fake_vfio_left(p->k));
	fake_vfio_free(p->k);
	fake_82574_free(p->a);
	fake_82574_free(p->b);
	/* what the datasheet forbids has not been done, and the kernel has all back */
	CHECK_STR(a, "");
	CHECK_STR(b, "");
	CHECK_STR(left, "");
}

bool conf_remove(struct conf *c)
{
	struct pair *p = c->priv;

	fake_vfio_request(p->d);
	return true;
}
