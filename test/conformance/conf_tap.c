/* SPDX-License-Identifier: BSD-3-Clause */
/* A TAP interface of a namespace of the test's own; the af_packet driver is what uses it. */
#include <stdio.h>
#include <unistd.h>

#include "conf_veth.h"

const char *conf_begin(struct conf *c, struct plx_ctx *ctx)
{
	const char *why = veth_begin();

	if (why != NULL)
		return why;
	if (access("/dev/net/tun", R_OK | W_OK) != 0)
		return "/dev/net/tun is not there for this user";
	if (veth_ip("tuntap add dev ta mode tap multi_queue") != 0)
		return "this kernel makes no TAP interfaces";
	if (veth_ip("link set dev ta mtu 9000 up") != 0)
		return "a TAP interface cannot be set up";
	snprintf(c->dev, sizeof(c->dev), "tap:ta" CONF_TAP_OPTIONS);
	snprintf(c->peer, sizeof(c->peer), "af_packet:ta");
	c->takes_all = true;
	c->max_len = 9018;
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
	return veth_ip("link del dev ta") == 0;
}
