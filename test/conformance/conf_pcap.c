/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "conf.h"

const char *conf_begin(struct conf *c, struct plx_ctx *ctx)
{
	static char out[64];
	int fd;

	snprintf(out, sizeof(out), "/tmp/plx-conf-XXXXXX");
	fd = mkstemp(out);
	if (fd < 0)
		return "no temporary file can be made in /tmp";
	close(fd);
	c->priv = out;
	snprintf(c->dev, sizeof(c->dev), "pcap:rx=%s/real.pcap,loop=0,tx=%s", TEST_DATA, out);
	c->source = true;
	c->patient = true;
	c->takes_all = true;
	c->packets = 1000;
	c->rounds = 100;
	return NULL;
}

void conf_end(struct conf *c)
{
	unlink(c->priv);
}

bool conf_remove(struct conf *c)
{
	return false;
}
