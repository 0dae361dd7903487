/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two NICs of a stock QEMU on one hub, CONF_QEMU_NIC says which; the port under test is behind a root
 * port, so that it can be pulled out. CONF_QEMU_MEMORY says how memory is shared: "ram" or "qmp". It is a
 * QEMU that has the device CONF_QEMU_HAS, "": the system's.
 */
#include <stdio.h>
#include <stdlib.h>

#include "conf.h"
#include "qemu_run.h"

const char *conf_begin(struct conf *c, struct plx_ctx *ctx)
{
	static const char *const args[] = {"-netdev", "hubport,id=n0,hubid=1", "-netdev",
		"hubport,id=n1,hubid=1", "-device", "pcie-root-port,id=rp,addr=0x1c", "-device",
		CONF_QEMU_NIC ",bus=rp,romfile=,netdev=n0,mac=52:54:00:00:00:01", "-device",
		CONF_QEMU_NIC ",addr=3,romfile=,netdev=n1,mac=52:54:00:00:00:02", NULL};
	const char *missing = qemu_run_missing();
	struct qemu_run *r;
	const char *mem;
	char program[512] = "";

	/* not every version has it */
	if (missing == NULL && strcmp(CONF_QEMU_HAS, "") != 0)
		missing = qemu_run_find(CONF_QEMU_HAS, program, sizeof(program));
	if (missing != NULL)
		return missing;
	r = calloc(1, sizeof(*r));
	if (r == NULL || qemu_run_init(r) < 0) {
		free(r);
		return "no directory for QEMU's sockets";
	}
	c->priv = r;
	if (program[0] != '\0')
		strcpy(r->program, program);
	if (qemu_run_start(r, 256, args) < 0) {
		conf_end(c);
		return "QEMU does not start";
	}
	mem = strcmp(CONF_QEMU_MEMORY, "qmp") == 0 ? r->qmp : r->ram;
	snprintf(c->dev, sizeof(c->dev), "qemu:%s,port=0x1c,slot=0," CONF_QEMU_MEMORY "=%s",
		r->qtest, mem);
	snprintf(c->peer, sizeof(c->peer), "qemu:%s,slot=3," CONF_QEMU_MEMORY "=%s", r->qtest, mem);
	c->max_len = 9018;
	c->link_ns = UINT64_C(10000000000);
	/* the model of the 8254x has a timer that each write of RCTL starts */
	if (strcmp(CONF_QEMU_NIC, "e1000") == 0 || strcmp(CONF_QEMU_NIC, "e1000-82545em") == 0)
		c->deaf_ns = UINT64_C(1000000000);
	if (strcmp(CONF_QEMU_NIC, "vmxnet3") == 0)
		c->no_rss = "QEMU's vmxnet3 gives all packets to queue 0";
	c->packets = 300;
	c->rounds = 20;
	return NULL;
}

void conf_end(struct conf *c)
{
	qemu_run_stop(c->priv);
	free(c->priv);
	c->priv = NULL;
}

bool conf_remove(struct conf *c)
{
	return qemu_run_pull(c->priv) == 0;
}
