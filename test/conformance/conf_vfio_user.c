/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The e1000 driver over vfio-user: two models of the 82574L with a wire between them, each behind a
 * server of its own (vfu_server.h), whose threads stand for another process.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "conf.h"
#include "fake_82574.h"
#include "unit.h"
#include "vfu_server.h"

struct pair {
	char dir[32], path[2][64];
	struct fake_82574 *nic[2];
	struct vfu_server *server[2];
};

const char *conf_begin(struct conf *c, struct plx_ctx *ctx)
{
	static struct pair p;
	struct fake_82574_opts o = FAKE_82574_OPTS_INIT;

	memset(&p, 0, sizeof(p));
	strcpy(p.dir, "/tmp/plx-vfu-XXXXXX");
	if (mkdtemp(p.dir) == NULL)
		return "no directory for the servers' sockets";
	o.wall_clock = true;
	o.link_ns = 2000000;
	for (int i = 0; i < 2; i++) {
		o.mac[5] = (uint8_t)(i + 1);
		p.nic[i] = fake_82574_new(i == 0 ? "conf-a" : "conf-b", &o);
		snprintf(p.path[i], sizeof(p.path[i]), "%s/%d", p.dir, i);
	}
	fake_82574_wire(p.nic[0], p.nic[1]);
	for (int i = 0; i < 2; i++)
		p.server[i] = vfu_start(p.path[i], fake_82574_pci(p.nic[i]), NULL);
	c->priv = &p;
	snprintf(c->dev, sizeof(c->dev), "vfio-user:%s", p.path[0]);
	snprintf(c->peer, sizeof(c->peer), "vfio-user:%s", p.path[1]);
	c->mapped_twice = true;
	c->max_len = 9018;
	c->link_ns = 5000000000u;
	c->packets = 1000;
	c->rounds = 50;
	return NULL;
}

void conf_end(struct conf *c)
{
	struct pair *p = c->priv;
	char nic[2][200], server[2][200];

	for (int i = 0; i < 2; i++)
		vfu_sync(p->server[i]);
	for (int i = 0; i < 2; i++) {
		snprintf(nic[i], sizeof(nic[i]), "%s", fake_82574_violation(p->nic[i], 0));
		snprintf(server[i], sizeof(server[i]), "%s", vfu_violation(p->server[i]));
		vfu_stop(p->server[i]);
	}
	for (int i = 0; i < 2; i++)
		fake_82574_free(p->nic[i]);
	rmdir(p->dir);
	/* neither the datasheet nor the protocol was broken */
	for (int i = 0; i < 2; i++) {
		CHECK_STR(nic[i], "");
		CHECK_STR(server[i], "");
	}
}

/* The server dies. */
bool conf_remove(struct conf *c)
{
	struct pair *p = c->priv;

	vfu_leave(p->server[0]);
	return true;
}
