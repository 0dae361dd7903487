/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory attached to a running QEMU: each extent becomes a DIMM, at its I/O address, whose memory
 * is the extent's file. QEMU opens it as /proc/PID/fd/N.
 *
 * No operating system runs in the machine to let go of a DIMM, so that part of ACPI's memory
 * hotplug is done here: device_del, then the "eject" bit of the slot (docs/specs/acpi_mem_hotplug
 * in QEMU). Names start with "plx-": what a killed program left is found by them and removed.
 */
#define PLX_LOG_TAG "qemu"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "qemu.h"
#include "qmp_sock.h"

#define DIMM "plx-dimm-"
#define MEM  "plx-mem-"

/* ACPI memory hotplug, I/O ports of a q35. */
enum { HOTPLUG_SELECT = 0xa00, HOTPLUG_CONTROL = 0xa14, HOTPLUG_EJECT = 1 << 3 };

static int del_mem(struct qemu_conn *c, unsigned n)
{
	return qmp_run(c->dimms->qmp,
		"{\"execute\": \"object-del\", \"arguments\": {\"id\": \"" MEM "%u\"}}", n);
}

/* Takes a DIMM out and its memory away. */
static int del_dimm(struct qemu_conn *c, unsigned n)
{
	struct qmp *qmp = c->dimms->qmp;
	unsigned long slot;
	char *end;
	int err;

	err = qmp_run(qmp,
		"{\"execute\": \"qom-get\", \"arguments\": {\"path\": \"/machine/peripheral/" DIMM
		"%u\", \"property\": \"slot\"}}",
		n);
	if (err < 0)
		return err;
	slot = strtoul(qmp_return(qmp), &end, 10);
	if (*end != '\0' || slot > UINT16_MAX)
		return plx_err(EIO, "%s: slot '%.20s'", c->dom_name, qmp_return(qmp));
	/* Refused if it was asked before and the program ended then; the eject counts. */
	(void)qmp_run(
		qmp, "{\"execute\": \"device_del\", \"arguments\": {\"id\": \"" DIMM "%u\"}}", n);
	err = qtest_out(c->q, HOTPLUG_SELECT, 4, (uint32_t)slot);
	if (err == 0)
		err = qtest_out(c->q, HOTPLUG_CONTROL, 1, HOTPLUG_EJECT);
	if (err == 0)
		err = qtest_sync(c->q);
	return err < 0 ? err : del_mem(c, n);
}

/* Runs del for every number that follows prefix in the listing of a QOM path. */
static int del_left(struct qemu_conn *c, const char *path, const char *prefix,
	int (*del)(struct qemu_conn *c, unsigned n))
{
	char *list;
	int err = qmp_run(c->dimms->qmp,
		"{\"execute\": \"qom-list\", \"arguments\": {\"path\": \"%s\"}}", path);

	if (err < 0)
		return err;
	list = strdup(qmp_return(c->dimms->qmp));
	if (list == NULL)
		return plx_err(ENOMEM, "%s: no memory", c->dom_name);
	for (const char *p = list; err == 0 && (p = strstr(p, prefix)) != NULL;) {
		p += strlen(prefix);
		err = del(c, (unsigned)strtoul(p, NULL, 10));
	}
	free(list);
	return err < 0 ? plx_err_prefix(err, "removing what a program before left") : 0;
}

int qemu_dimms_open(struct qemu_conn *c, const char *path, uint64_t limit_ns)
{
	struct qemu_dimms *d = calloc(1, sizeof(*d));
	int err;

	if (d == NULL)
		return plx_err(ENOMEM, "%s: no memory", c->dom_name);
	c->dimms = d; /* qemu_dimms_close() frees it */
	d->path = strdup(path);
	err = d->path != NULL ? qmp_open(path, limit_ns, &d->qmp) : plx_err(ENOMEM, "no memory");
	if (err == 0)
		err = del_left(c, "/machine/peripheral", DIMM, del_dimm);
	if (err == 0)
		err = del_left(c, "/objects", MEM, del_mem);
	return err < 0 ? plx_err_prefix(err, "%s", c->dom_name) : 0;
}

void qemu_dimms_close(struct qemu_conn *c)
{
	if (c->dimms == NULL)
		return;
	qmp_close(c->dimms->qmp);
	free(c->dimms->path);
	free(c->dimms);
	c->dimms = NULL;
}

/* A refusal is about memory, not about the protocol; a lost connection stays one. */
static int refusal(int err, int instead)
{
	return err == -EREMOTEIO ? instead : err;
}

static int add(struct qemu_conn *c, const struct plx_extent *ext, unsigned n)
{
	struct qmp *qmp = c->dimms->qmp;
	int err;

	err = qmp_run(qmp,
		"{\"execute\": \"object-add\", \"arguments\": {\"qom-type\": "
		"\"memory-backend-file\", \"id\": \"" MEM "%u\", \"size\": %" PRIu64
		", \"mem-path\": \"/proc/%d/fd/%d\", \"share\": true, \"readonly\": %s}}",
		n, ext->len, (int)getpid(), ext->fd,
		(ext->flags & PLX_DMA_TO_DEVICE) != 0 ? "true" : "false");
	if (err < 0)
		return plx_err_prefix(refusal(err, -EACCES),
			"QEMU cannot open memory of process %d (it has to run as the same user, in "
			"the same PID namespace)",
			(int)getpid());
	err = qmp_run(qmp,
		"{\"execute\": \"device_add\", \"arguments\": {\"driver\": \"pc-dimm\", \"id\": \"" DIMM
		"%u\", \"memdev\": \"" MEM "%u\", \"addr\": %" PRIu64 "}}",
		n, n, ext->iova);
	if (err == 0)
		return 0;
	return plx_err_prefix(refusal(err, -ENOSPC),
		"%" PRIu64 " bytes at I/O address 0x%" PRIx64
		" (QEMU needs room for it: -m 256M,slots=32,maxmem=64G; or use fewer and larger "
		"arenas)",
		ext->len, ext->iova);
}

/* Tries again to take out what could not be. A DIMM may have gone since, and its memory not. */
static void free_stuck(struct qemu_conn *c)
{
	struct qemu_dimms *d = c->dimms;

	for (unsigned n = 0; n < QEMU_DIMMS; n++) {
		if (!d->slot[n].stuck || (del_dimm(c, n) < 0 && del_mem(c, n) < 0))
			continue;
		d->slot[n].iova = 0;
		d->slot[n].stuck = false;
	}
}

int qemu_dimms_map(struct qemu_conn *c, const struct plx_extent *ext)
{
	struct qemu_dimms *d = c->dimms;
	unsigned n = 0;
	int err;

	if (ext->fd < 0)
		return plx_err(ENOTSUP,
			"memory without a file cannot be attached to a QEMU: register it with one");
	if (ext->offset != 0)
		return plx_err(ENOTSUP,
			"memory at offset 0x%" PRIx64
			" of a file cannot be attached to a QEMU, only whole files; memory of a "
			"context that another QEMU was opened in with ram= is such: use qmp= for "
			"both",
			ext->offset);
	free_stuck(c);
	while (n < QEMU_DIMMS && d->slot[n].iova != 0)
		n++;
	if (n == QEMU_DIMMS)
		return plx_err(ENOSPC, "more than %u pieces of memory", QEMU_DIMMS);
	err = add(c, ext, n);
	if (err < 0) {
		char why[PLX_ERRMSG_SIZE];

		snprintf(why, sizeof(why), "%s", plx_errmsg());
		(void)del_mem(c, n);
		return plx_err(-err, "%s", why);
	}
	d->slot[n].iova = ext->iova;
	return 0;
}

void qemu_dimms_unmap(struct qemu_conn *c, const struct plx_extent *ext)
{
	struct qemu_dimms *d = c->dimms;

	for (unsigned n = 0; n < QEMU_DIMMS; n++) {
		if (d->slot[n].iova != ext->iova || d->slot[n].stuck)
			continue;
		d->slot[n].stuck = !qtest_dead(c->q) && del_dimm(c, n) < 0;
		if (!d->slot[n].stuck)
			d->slot[n].iova = 0;
		else
			plx_logf(plx_ctx_log(c->ctx), PLX_LOG_WARN,
				"%s: memory at 0x%" PRIx64 " stays attached: %s", c->dom_name,
				ext->iova, plx_errmsg());
	}
}
