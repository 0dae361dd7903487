/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <unistd.h>

#include "conf_veth.h"

const char *conf_begin(struct conf *c, struct plx_ctx *ctx)
{
	const char *why = veth_begin();
	struct plx_port *port;

	if (why != NULL)
		return why;
	snprintf(c->dev, sizeof(c->dev), "af_xdp:pa");
	snprintf(c->peer, sizeof(c->peer), "af_xdp:pb");
	/* a driver's XDP program takes what fits a page */
	if (veth_ip("link set dev pa mtu 1500") != 0 || veth_ip("link set dev pb mtu 1500") != 0)
		return "the MTU of a veth pair cannot be set";
	if (plx_port_open(ctx, c->dev, &port) == -EPERM)
		return "loading a BPF program takes root; a user namespace is not enough";
	plx_port_close(port);
	c->max_len = 1518;
	c->link_ns = UINT64_C(5000000000);
	c->packets = 1000;
	c->rounds = 50;
	return NULL;
}

void conf_end(struct conf *c)
{
}

bool conf_remove(struct conf *c)
{
	return veth_ip("link del dev pa") == 0;
}
