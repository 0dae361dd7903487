/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the devices of one QEMU share. A q35 without firmware: whoever connects programs it from
 * scratch. So the first thing is to stop every device from decoding memory and from DMA, whatever
 * a program that was killed left behind; addresses of BARs are then handed out anew.
 *
 * The machine's address space (Intel Q35 datasheet, and QEMU's documentation of the machine):
 * RAM ends at 0xb0000000 at most, ECAM lies at 0xb0000000 once enabled, the chipset's own registers
 * start at 0xfec00000. What is between is for BARs: devices on bus 0 take from its start, each root
 * port one window.
 */
#define PLX_LOG_TAG "qemu"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "qemu.h"

#define ECAM         0xb0000000u
#define ECAM_ENABLE  1u    /* and 256 buses */
#define PCIEXBAR     0x60u /* register of 00:00.0: where ECAM is */
#define HOLE_FIRST   0xc0000000u
#define HOLE_LAST    0xfebfffffu
#define PORT_WINDOW  0x2000000u /* of a root port */
#define CFG_ADDRESS  0xcf8u
#define CFG_DATA     0xcfcu
#define CFG_ENABLE   0x80000000u
#define CLASS_HOST   0x0600u
#define CLASS_ISA    0x0601u
#define CLASS_BRIDGE 0x0604u

/* PCI-to-PCI Bridge 1.2, 3.2: the header of a root port. */
enum {
	BRIDGE_BUSES = 0x18,    /* primary, secondary, subordinate, latency timer */
	BRIDGE_IO = 0x1c,       /* base and limit, 8 bits each */
	BRIDGE_MEM = 0x20,      /* base and limit, 16 bits each: address bits 31 to 20 */
	BRIDGE_PREFETCH = 0x24, /* the same */
	BRIDGE_PREFETCH_HI = 0x28,
	BRIDGE_CLOSED = 0x0000fff0, /* base above limit: nothing passes */
};

static const char slot_key; /* its address is the key */

/* ---- addresses ---- */

int qemu_space_get(struct qemu_space *s, uint64_t len, const void *owner, uint64_t *addr)
{
	uint64_t at;
	size_t i;

	len = PLX_MAX(len, UINT64_C(4096));
	at = plx_align_up(s->first, len);
	for (i = 0; i < s->n; i++) {
		if (s->used[i].first > at && s->used[i].first - at >= len)
			break;
		if (s->used[i].last >= at)
			at = plx_align_up(s->used[i].last + 1, len);
	}
	if (at < s->first || at > s->last || s->last - at < len - 1)
		return plx_err(ENOSPC,
			"%" PRIu64 " bytes do not fit between 0x%" PRIx64 " and 0x%" PRIx64, len,
			s->first, s->last);
	if (s->n == s->max) {
		size_t max = s->max + 16;
		struct qemu_range *r = realloc(s->used, max * sizeof(*r));

		if (r == NULL)
			return plx_err(ENOMEM, "no memory");
		s->used = r;
		s->max = max;
	}
	memmove(&s->used[i + 1], &s->used[i], (s->n - i) * sizeof(*s->used));
	s->used[i] = (struct qemu_range){at, at + len - 1, owner};
	s->n++;
	*addr = at;
	return 0;
}

void qemu_space_put(struct qemu_space *s, const void *owner)
{
	size_t to = 0;

	for (size_t i = 0; i < s->n; i++)
		if (s->used[i].owner != owner)
			s->used[to++] = s->used[i];
	s->n = to;
}

/* ---- configuration space ---- */

uint64_t qemu_ecam(uint32_t bus, uint32_t slot, uint32_t func, uint32_t off)
{
	return ECAM | bus << 20 | slot << 15 | func << 12 | off;
}

int qemu_cfg_read(struct qemu_conn *c, uint64_t ecam, unsigned width, uint32_t *v)
{
	uint64_t got = UINT64_MAX;
	int err = qtest_read(c->q, ecam, width, &got);

	*v = (uint32_t)(got & pci_ones(width));
	return err;
}

/* Through the I/O ports, which always work: where ECAM is to be. Also after a machine's reset. */
static int ecam_on(struct qemu_conn *c)
{
	uint32_t id = 0;
	int err = qtest_out(c->q, CFG_ADDRESS, 4, CFG_ENABLE);

	if (err == 0)
		err = qtest_in(c->q, CFG_DATA, 4, &id);
	if (err < 0)
		return err;
	if (id != 0x29c08086) /* Q35 host bridge */
		return plx_err(ENODEV,
			"qemu:%s: the machine's host bridge is 0x%08x, not that of a q35: start "
			"QEMU with -machine q35",
			c->path, id);
	err = qtest_out(c->q, CFG_ADDRESS, 4, CFG_ENABLE | PCIEXBAR);
	if (err == 0)
		err = qtest_out(c->q, CFG_DATA, 4, ECAM | ECAM_ENABLE);
	return err;
}

static int quiet(struct qemu_conn *c, uint32_t slot, uint32_t func, uint32_t header)
{
	uint32_t class = 0, cmd = 0, off = PCI_COMMAND_MEM | PCI_COMMAND_MASTER;
	int err = qemu_cfg_read(c, qemu_ecam(0, slot, func, PCI_CLASS), 2, &class);

	if (err == 0)
		err = qemu_cfg_read(c, qemu_ecam(0, slot, func, PCI_COMMAND), 2, &cmd);
	if (err < 0 || class == CLASS_HOST || class == CLASS_ISA)
		return err;
	if ((cmd & off) != 0)
		err = qtest_write(c->q, qemu_ecam(0, slot, func, PCI_COMMAND), 2, cmd & ~off);
	if (err == 0 && (header & PCI_HEADER_TYPE) == 1 && class == CLASS_BRIDGE)
		err = qtest_write(c->q, qemu_ecam(0, slot, func, BRIDGE_BUSES), 4, 0);
	return err;
}

/* Stops all that is on bus 0, bridges too. */
static int quiet_all(struct qemu_conn *c)
{
	uint32_t id, header = 0, n_func;
	int err = 0;

	for (uint32_t slot = 0; slot < 32; slot++) {
		n_func = 1;
		for (uint32_t func = 0; func < n_func && err == 0; func++) {
			err = qemu_cfg_read(c, qemu_ecam(0, slot, func, PCI_VENDOR), 4, &id);
			if (err < 0 || id == UINT32_MAX || id == 0)
				continue;
			err = qemu_cfg_read(c, qemu_ecam(0, slot, func, PCI_HEADER), 1, &header);
			if (err == 0)
				err = quiet(c, slot, func, header);
			if (func == 0 && (header & PCI_HEADER_MULTI) != 0)
				n_func = 8;
		}
	}
	return err;
}

/* ---- root ports ---- */

static int port_program(struct qemu_conn *c, uint32_t slot, uint64_t base)
{
	const uint64_t at = qemu_ecam(0, slot, 0, 0);
	const uint32_t bus = slot + 1;
	const struct {
		uint32_t off, width, v;
	} regs[] = {
		{BRIDGE_BUSES, 4, bus << 8 | bus << 16},
		{BRIDGE_IO, 2, 0x00f0},
		{BRIDGE_MEM, 4,
			(uint32_t)(base >> 16) | (uint32_t)((base + PORT_WINDOW - 1) & 0xfff00000)},
		{BRIDGE_PREFETCH, 4, BRIDGE_CLOSED},
		{BRIDGE_PREFETCH_HI, 4, 0},
		{PCI_COMMAND, 2, PCI_COMMAND_MEM | PCI_COMMAND_MASTER},
	};
	int err = 0;

	for (size_t i = 0; i < PLX_ARRAY_SIZE(regs) && err == 0; i++)
		err = qtest_write(c->q, at + regs[i].off, regs[i].width, regs[i].v);
	return err;
}

int qemu_port_get(struct qemu_conn *c, uint32_t slot, uint32_t *bus)
{
	struct qemu_port *p = &c->ports[slot];
	uint32_t header = 0, class = 0;
	uint64_t base;
	int err;

	*bus = slot + 1;
	if (p->refs > 0) {
		p->refs++;
		/* Once more: a reset of the machine has cleared it. */
		return port_program(c, slot, p->space.first);
	}
	err = qemu_cfg_read(c, qemu_ecam(0, slot, 0, PCI_HEADER), 1, &header);
	if (err == 0)
		err = qemu_cfg_read(c, qemu_ecam(0, slot, 0, PCI_CLASS), 2, &class);
	if (err < 0)
		return err;
	if ((header & PCI_HEADER_TYPE) != 1 || class != CLASS_BRIDGE)
		return plx_err(ENODEV,
			"qemu:%s: port=0x%x is no root port (-device pcie-root-port,addr=0x%x)",
			c->path, slot, slot);
	err = qemu_space_get(&c->space, PORT_WINDOW, p, &base);
	if (err < 0)
		return plx_err_prefix(err, "qemu:%s: window of root port 0x%x", c->path, slot);
	p->space.first = base;
	p->space.last = base + PORT_WINDOW - 1;
	p->refs = 1;
	err = port_program(c, slot, base);
	if (err < 0)
		qemu_port_put(c, slot);
	return err;
}

void qemu_port_put(struct qemu_conn *c, uint32_t slot)
{
	struct qemu_port *p = &c->ports[slot];

	if (--p->refs > 0)
		return;
	(void)qtest_write(c->q, qemu_ecam(0, slot, 0, PCI_COMMAND), 2, 0);
	free(p->space.used);
	memset(p, 0, sizeof(*p));
	qemu_space_put(&c->space, p);
}

/* ---- devices ---- */

int qemu_claim_get(struct qemu_conn *c, struct qemu_claim *claim, uint64_t ecam)
{
	for (const struct qemu_claim *o = c->claims; o != NULL; o = o->next)
		if (o->ecam == ecam)
			return plx_err(EBUSY, "the device is open already in this context");
	claim->ecam = ecam;
	claim->next = c->claims;
	c->claims = claim;
	return 0;
}

void qemu_claim_put(struct qemu_conn *c, struct qemu_claim *claim)
{
	struct qemu_claim **p = &c->claims;

	while (*p != NULL && *p != claim)
		p = &(*p)->next;
	if (*p == claim)
		*p = claim->next;
	claim->ecam = 0;
}

/* ---- the domain ---- */

static int dom_map(struct plx_domain *dom, const struct plx_extent *ext)
{
	struct qemu_conn *c = plx_container_of(dom, struct qemu_conn, dom);

	return c->ram != NULL ? qemu_ram_map(c, ext) : qemu_dimms_map(c, ext);
}

static void dom_unmap(struct plx_domain *dom, const struct plx_extent *ext)
{
	struct qemu_conn *c = plx_container_of(dom, struct qemu_conn, dom);

	if (c->dimms != NULL)
		qemu_dimms_unmap(c, ext);
}

static const struct plx_domain_ops dom_ops = {
	.name = "qemu",
	.map = dom_map,
	.unmap = dom_unmap,
};

/* ---- the connection ---- */

static void slot_free(void *data)
{
	struct qemu_slot *slot = data;

	qemu_ram_free(slot->ram);
	pthread_mutex_destroy(&slot->lock);
	free(slot);
}

int qemu_lock(struct plx_ctx *ctx)
{
	struct qemu_slot *slot = plx_ctx_slot(ctx, &slot_key);

	if (slot == NULL) {
		slot = calloc(1, sizeof(*slot));
		if (slot == NULL)
			return plx_err(ENOMEM, "qemu: no memory");
		pthread_mutex_init(&slot->lock, NULL);
		slot = plx_ctx_slot_offer(ctx, &slot_key, slot, slot_free);
		if (slot == NULL)
			return -ENOMEM;
	}
	pthread_mutex_lock(&slot->lock);
	return 0;
}

void qemu_unlock(struct plx_ctx *ctx)
{
	struct qemu_slot *slot = plx_ctx_slot(ctx, &slot_key);

	pthread_mutex_unlock(&slot->lock);
}

/* The RAM file of the last connection that has it goes, too, unless memory came from it. */
static void ram_leave(struct qemu_slot *slot, const struct qemu_conn *c)
{
	char why[PLX_ERRMSG_SIZE]; /* the error that may have led here is to stay the last */

	if (c->ram == NULL)
		return;
	for (const struct qemu_conn *other = slot->conns; other != NULL; other = other->next)
		if (other->ram == c->ram)
			return;
	snprintf(why, sizeof(why), "%s", plx_errmsg());
	if (plx_ctx_unset_source(c->ctx, &slot->ram->src) < 0) {
		plx_err(EBUSY, "%s", why);
		return;
	}
	qemu_ram_free(slot->ram);
	slot->ram = NULL;
}

static void conn_free(struct qemu_conn *c)
{
	struct qemu_slot *slot = plx_ctx_slot(c->ctx, &slot_key);
	struct qemu_conn **p = &slot->conns;

	while (*p != NULL && *p != c)
		p = &(*p)->next;
	if (*p == c)
		*p = c->next;
	if (c->dom_added)
		plx_domain_del(&c->dom);
	ram_leave(slot, c);
	qemu_dimms_close(c);
	if (c->q != NULL && !qtest_dead(c->q))
		(void)qtest_sync(c->q);
	qtest_close(c->q);
	free(c->space.used);
	free(c->path);
	free(c);
}

static int conn_start(struct qemu_conn *c, struct qemu_slot *slot, const struct qemu_opts *o)
{
	int err = qtest_open(c->path, o->limit_ns, plx_ctx_log(c->ctx), &c->q);

	if (err == 0)
		err = ecam_on(c);
	if (err == 0)
		err = quiet_all(c);
	if (err == 0)
		err = o->ram != NULL ? qemu_ram_open(c, slot, o->ram)
				     : qemu_dimms_open(c, o->qmp, o->limit_ns);
	if (err < 0)
		return err;
	c->dom.ops = &dom_ops;
	c->dom.name = c->dom_name;
	err = plx_domain_add(c->ctx, &c->dom);
	c->dom_added = err == 0;
	return err;
}

static int conn_new(struct plx_ctx *ctx, const char *path, const struct qemu_opts *o,
	struct qemu_slot *slot, struct qemu_conn **out)
{
	struct qemu_conn *c = calloc(1, sizeof(*c));
	int err;

	if (c == NULL)
		return plx_err(ENOMEM, "qemu:%s: no memory", path);
	c->ctx = ctx;
	c->space.first = HOLE_FIRST;
	c->space.last = HOLE_LAST;
	c->path = strdup(path);
	snprintf(c->dom_name, sizeof(c->dom_name), "qemu:%s", path);
	err = c->path != NULL ? conn_start(c, slot, o) : plx_err(ENOMEM, "qemu: no memory");
	if (err < 0) {
		conn_free(c);
		return err;
	}
	c->refs = 1;
	c->next = slot->conns;
	slot->conns = c;
	*out = c;
	return 0;
}

/* A further device of a QEMU has to share memory as the first does. */
static int same_memory(const struct qemu_conn *c, const struct qemu_opts *o)
{
	const char *has = c->ram != NULL ? c->ram->path : c->dimms->path;
	const char *wants = c->ram != NULL ? o->ram : o->qmp;

	if (wants != NULL && strcmp(has, wants) == 0)
		return 0;
	return plx_err(EINVAL,
		"qemu:%s: a device of this QEMU is open with %s%s: give the same for all of them",
		c->path, c->ram != NULL ? "ram=" : "qmp=", has);
}

int qemu_conn_get(
	struct plx_ctx *ctx, const char *path, const struct qemu_opts *o, struct qemu_conn **out)
{
	struct qemu_slot *slot = plx_ctx_slot(ctx, &slot_key);
	struct qemu_conn *c;
	int err;

	for (c = slot->conns; c != NULL && strcmp(c->path, path) != 0;)
		c = c->next;
	if (c == NULL)
		return conn_new(ctx, path, o, slot, out);
	if (qtest_dead(c->q))
		return plx_err(ENODEV,
			"qemu:%s: this QEMU is gone; close its other devices before opening one again",
			path);
	err = same_memory(c, o);
	if (err == 0)
		err = ecam_on(c);
	if (err < 0)
		return err;
	c->refs++;
	*out = c;
	return 0;
}

void qemu_conn_put(struct qemu_conn *c)
{
	if (--c->refs == 0)
		conn_free(c);
}
