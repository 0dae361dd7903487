/* SPDX-License-Identifier: BSD-3-Clause */
/* The fake device: its bus side (transport, configuration space, registers) and its clock. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake_priv.h"

/* Every fake there is, so that a name can be opened; guarded by its lock. */
static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;
static struct fake_pci *all;

static void *must(void *p)
{
	if (p == NULL) {
		fprintf(stderr, "fake: no memory\n");
		abort();
	}
	return p;
}

void fake_lock(struct fake_pci *f)
{
	pthread_mutex_lock(&f->lock);
}

void fake_unlock(struct fake_pci *f)
{
	pthread_mutex_unlock(&f->lock);
}

struct fake_pci *fake_new(const char *name, const struct fake_ops *ops, void *model)
{
	static const struct fake_ops none;
	struct fake_pci *f = must(calloc(1, sizeof(*f)));
	pthread_mutexattr_t attr;

	f->name = name;
	f->ops = ops != NULL ? ops : &none;
	f->model = model;
	f->cap_end = 0x40;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&f->lock, &attr);
	pthread_mutexattr_destroy(&attr);
	/* Command: memory, I/O, master, INTx disable. Interrupt line, cache line size. */
	f->cfg_rw[0x04] = 0x07;
	f->cfg_rw[0x05] = 0x04;
	f->cfg_rw[0x0c] = 0xff;
	f->cfg_rw[0x3c] = 0xff;
	pthread_mutex_lock(&all_lock);
	f->next = all;
	all = f;
	pthread_mutex_unlock(&all_lock);
	return f;
}

void fake_free(struct fake_pci *f)
{
	struct fake_pci **p;

	if (f == NULL)
		return;
	pthread_mutex_lock(&all_lock);
	for (p = &all; *p != NULL && *p != f;)
		p = &(*p)->next;
	if (*p == f)
		*p = f->next;
	pthread_mutex_unlock(&all_lock);
	for (uint32_t i = 0; i < PLX_PCI_BARS; i++) {
		if (f->bars[i].mem != NULL)
			munmap(f->bars[i].mem, plx_align_up(f->bars[i].len, 4096));
		free(f->bars[i].reads);
		free(f->bars[i].writes);
	}
	pthread_mutex_destroy(&f->lock);
	free(f);
}

int fake_attach(struct plx_ctx *ctx, struct fake_pci *f)
{
	int err;

	if (plx_pci_transport_find(ctx, "fake") == &fake_transport)
		return 0;
	err = plx_pci_transport_add(ctx, &fake_transport);
	return err < 0 ? plx_err_prefix(err, "fake:%s", f->name) : 0;
}

struct fake_pci *fake_of(struct plx_pci_dev *dev)
{
	return dev->priv;
}

/* ---- building the device ---- */

uint32_t fake_cfg_get(const struct fake_pci *f, uint32_t off, unsigned width)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < width; i++)
		v |= (uint32_t)f->cfg[off + i] << 8 * i;
	return v;
}

void fake_cfg_set(struct fake_pci *f, uint32_t off, unsigned width, uint32_t v)
{
	for (unsigned i = 0; i < width; i++)
		f->cfg[off + i] = (uint8_t)(v >> 8 * i);
}

void fake_ids(struct fake_pci *f, uint16_t vendor, uint16_t device, uint16_t subvendor,
	uint16_t subdevice, uint32_t class_code)
{
	fake_cfg_set(f, 0x00, 2, vendor);
	fake_cfg_set(f, 0x02, 2, device);
	fake_cfg_set(f, 0x08, 4, class_code << 8);
	fake_cfg_set(f, 0x2c, 2, subvendor);
	fake_cfg_set(f, 0x2e, 2, subdevice);
}

void fake_bar(struct fake_pci *f, uint32_t bar, uint64_t len, uint32_t flags)
{
	struct fake_bar *b = &f->bars[bar];
	uint32_t at = 0x10 + 4 * bar;
	uint64_t mask = ~(len - 1);

	b->len = len;
	b->flags = flags;
	b->mem = mmap(NULL, plx_align_up(len, 4096), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (b->mem == MAP_FAILED)
		b->mem = must(NULL);
	b->reads = must(calloc(len / 4, sizeof(*b->reads)));
	b->writes = must(calloc(len / 4, sizeof(*b->writes)));
	for (uint32_t i = 0; i < ((flags & FAKE_BAR_64) != 0 ? 8u : 4u); i++)
		f->cfg_rw[at + i] = (uint8_t)(mask >> 8 * i);
	f->cfg[at] = (uint8_t)((flags & FAKE_BAR_IO) != 0 ? 1 : (flags & FAKE_BAR_64) != 0 ? 4 : 0);
}

uint32_t fake_cap(struct fake_pci *f, uint8_t id, const void *body, const void *rw, uint32_t len)
{
	uint32_t at = f->cap_end;

	if (at + 2 + len > 0x100) {
		fprintf(stderr, "fake: no room for capability 0x%02x\n", id);
		abort();
	}
	f->cfg[at] = id;
	f->cfg[f->cap_last != 0 ? f->cap_last + 1 : 0x34] = (uint8_t)at;
	f->cfg[0x06] |= 0x10;
	if (body != NULL)
		memcpy(&f->cfg[at + 2], body, len);
	if (rw != NULL)
		memcpy(&f->cfg_rw[at + 2], rw, len);
	f->cap_last = at;
	f->cap_end = (at + 2 + len + 3) & ~3u;
	return at;
}

uint32_t fake_cap_pm(struct fake_pci *f, bool no_soft_reset)
{
	const uint8_t body[6] = {0x03, 0, no_soft_reset ? 8 : 0};
	const uint8_t rw[6] = {0, 0, 3, 1};

	f->cap_pm = fake_cap(f, 0x01, body, rw, sizeof(body));
	return f->cap_pm;
}

uint32_t fake_cap_pcie(struct fake_pci *f, bool flr)
{
	/* version 2, endpoint; device capabilities with FLR in bit 28; device control */
	const uint8_t body[0x3a] = {0x02, 0, 0, 0, 0, flr ? 0x10 : 0};
	const uint8_t rw[0x3a] = {[6] = 0xff, [7] = flr ? 0xff : 0x7f};

	f->cap_exp = fake_cap(f, 0x10, body, rw, sizeof(body));
	return f->cap_exp;
}

uint32_t fake_cap_msix(struct fake_pci *f, uint32_t n, uint32_t bar, uint32_t table, uint32_t pba)
{
	uint8_t body[10] = {(uint8_t)(n - 1), (uint8_t)((n - 1) >> 8)};
	const uint8_t rw[10] = {0, 0xc0};

	plx_store_le32(body + 2, table | bar);
	plx_store_le32(body + 6, pba | bar);
	f->irq_max[PLX_IRQ_MSIX] = n;
	return fake_cap(f, 0x11, body, rw, sizeof(body));
}

bool fake_master(const struct fake_pci *f)
{
	return (f->cfg[0x04] & 4) != 0;
}

/* ---- time, state ---- */

void fake_advance(struct fake_pci *f, uint64_t ns)
{
	fake_lock(f);
	f->now_ns += ns;
	if (f->ops->tick != NULL && !f->gone)
		f->ops->tick(f);
	fake_unlock(f);
}

void fake_remove(struct fake_pci *f)
{
	fake_lock(f);
	f->gone = true;
	fake_unlock(f);
}

void fake_reset(struct fake_pci *f)
{
	fake_lock(f);
	f->n_resets++;
	f->cfg[0x04] = f->cfg[0x05] = 0;
	for (uint32_t i = 0x10; i < 0x28; i++)
		f->cfg[i] &= (uint8_t)~f->cfg_rw[i];
	if (f->ops->reset != NULL)
		f->ops->reset(f);
	fake_unlock(f);
}

/* ---- the transport ---- */

static int fake_open(struct plx_pci_dev *dev, struct plx_opts *opts)
{
	const char *name = plx_opts_address(opts);
	struct fake_pci *f;
	int err;

	pthread_mutex_lock(&all_lock);
	for (f = all; f != NULL && strcmp(f->name, name) != 0;)
		f = f->next;
	pthread_mutex_unlock(&all_lock);
	if (f == NULL)
		return plx_err(ENOENT, "%s: no such fake", dev->name);
	if (f->open)
		return plx_err(EBUSY, "%s: it is open", dev->name);
	if (fake_strike(f, FAKE_OPEN) == FAKE_FAIL)
		return plx_err(EIO, "%s: open fails as planned", dev->name);
	err = fake_domain_open(f, dev);
	if (err < 0)
		return err;
	f->open = true;
	f->dev = dev;
	f->n_irqs = 0;
	dev->priv = f;
	dev->domain = &f->domain;
	return 0;
}

static void fake_close(struct plx_pci_dev *dev)
{
	struct fake_pci *f = dev->priv;

	if (f == NULL)
		return;
	plx_domain_del(&f->domain);
	f->open = false;
	f->dev = NULL;
	dev->priv = NULL;
}

static int fake_cfg_read(struct plx_pci_dev *dev, uint32_t off, unsigned width, uint32_t *v)
{
	struct fake_pci *f = dev->priv;
	enum fake_fault fault;

	fake_lock(f);
	fault = fake_strike(f, FAKE_CFG_READ);
	*v = f->gone ? UINT32_MAX : (uint32_t)fake_spoil(fault, fake_cfg_get(f, off, width));
	fake_trace(f, FAKE_CFG_READ, 0, off, width, *v);
	fake_unlock(f);
	return fault == FAKE_FAIL
		       ? plx_err(EIO, "%s: configuration read fails as planned", dev->name)
		       : 0;
}

/* What a write starts: function level reset, D3hot to D0. */
static void cfg_effects(struct fake_pci *f, unsigned old_state)
{
	uint32_t e = f->cap_exp, p = f->cap_pm;

	if (e != 0 && (f->cfg[e + 9] & 0x80) != 0 && (f->cfg[e + 7] & 0x10) != 0) {
		f->cfg[e + 9] &= 0x7f;
		fake_reset(f);
	}
	if (p != 0 && old_state == 3 && (f->cfg[p + 4] & 3) == 0 && (f->cfg[p + 4] & 8) == 0)
		fake_reset(f);
}

static int fake_cfg_write(struct plx_pci_dev *dev, uint32_t off, unsigned width, uint32_t v)
{
	struct fake_pci *f = dev->priv;
	unsigned state = f->cap_pm != 0 ? f->cfg[f->cap_pm + 4] & 3u : 0;
	enum fake_fault fault;

	fake_lock(f);
	fault = fake_strike(f, FAKE_CFG_WRITE);
	fake_trace(f, FAKE_CFG_WRITE, 0, off, width, v);
	if (!f->gone && fault == FAKE_OK) {
		for (unsigned i = 0; i < width; i++) {
			uint8_t b = (uint8_t)(v >> 8 * i), rw = f->cfg_rw[off + i];
			uint8_t *at = &f->cfg[off + i];

			*at = (uint8_t)((*at & ~rw) | (b & rw));
			*at &= (uint8_t) ~(b & f->cfg_w1c[off + i]);
		}
		cfg_effects(f, state);
		if (f->ops->cfg_written != NULL)
			f->ops->cfg_written(f, off, width);
	}
	fake_unlock(f);
	return fault == FAKE_FAIL
		       ? plx_err(EIO, "%s: configuration write fails as planned", dev->name)
		       : 0;
}

static int fake_region_info(struct plx_pci_dev *dev, uint32_t region, struct plx_pci_region *info)
{
	struct fake_pci *f = dev->priv;

	if (fake_strike(f, FAKE_INFO) == FAKE_FAIL)
		return plx_err(EIO, "%s: region %u: size unknown as planned", dev->name, region);
	if (region >= PLX_PCI_BARS)
		return 0;
	info->len = f->bars[region].len;
	info->io = (f->bars[region].flags & FAKE_BAR_IO) != 0;
	info->mappable = (f->bars[region].flags & FAKE_BAR_MAPPED) != 0;
	return 0;
}

static int fake_region_map(struct plx_pci_dev *dev, uint32_t region, uint64_t off, uint64_t len,
	volatile uint8_t **base)
{
	struct fake_pci *f = dev->priv;

	if (fake_strike(f, FAKE_WINDOW) == FAKE_FAIL)
		return plx_err(EIO, "%s: BAR %u: mapping fails as planned", dev->name, region);
	f->n_windows++;
	*base = f->bars[region].mem + off;
	return 0;
}

static void fake_region_unmap(struct plx_pci_dev *dev, volatile uint8_t *base, uint64_t len)
{
	struct fake_pci *f = dev->priv;

	f->n_windows--;
}

/* Does the device answer at its BARs? Gone, in D3hot or with decoding off it does not. */
static bool decodes(const struct fake_pci *f)
{
	return !f->gone && (f->cfg[0x04] & 2) != 0 &&
	       (f->cap_pm == 0 || (f->cfg[f->cap_pm + 4] & 3) == 0);
}

static uint64_t plain_read(const uint8_t *p, unsigned width)
{
	switch (width) {
	case 1:
		return *p;
	case 2:
		return plx_load_le16(p);
	case 4:
		return plx_load_le32(p);
	default:
		return plx_load_le64(p);
	}
}

static void plain_write(uint8_t *p, unsigned width, uint64_t v)
{
	for (unsigned i = 0; i < width; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static uint64_t fake_reg_read(struct plx_pci_dev *dev, uint32_t bar, uint64_t off, unsigned width)
{
	struct fake_pci *f = dev->priv;
	struct fake_bar *b = &f->bars[bar];
	enum fake_fault fault;
	uint64_t v;

	fake_lock(f);
	fault = fake_strike(f, FAKE_REG_READ);
	b->reads[off / 4]++;
	if (!decodes(f)) {
		v = f->gone && f->gone_reads_zero ? 0 : UINT64_MAX;
	} else {
		v = f->ops->reg_read != NULL ? f->ops->reg_read(f, bar, off, width)
					     : plain_read(b->mem + off, width);
		v = fake_spoil(fault, v);
		if (b->stuck_mask != 0 && b->stuck_off == off)
			v = (v & ~(uint64_t)b->stuck_mask) | (b->stuck_value & b->stuck_mask);
	}
	fake_trace(f, FAKE_REG_READ, bar, off, width, v);
	fake_unlock(f);
	return v;
}

static void fake_reg_write(
	struct plx_pci_dev *dev, uint32_t bar, uint64_t off, unsigned width, uint64_t v)
{
	struct fake_pci *f = dev->priv;
	enum fake_fault fault;

	fake_lock(f);
	fault = fake_strike(f, FAKE_REG_WRITE);
	f->bars[bar].writes[off / 4]++;
	fake_trace(f, FAKE_REG_WRITE, bar, off, width, v);
	if (decodes(f) && fault == FAKE_OK) {
		if (f->ops->reg_write != NULL)
			f->ops->reg_write(f, bar, off, width, v);
		else
			plain_write(f->bars[bar].mem + off, width, v);
	}
	fake_unlock(f);
}

static int fake_irq_max(struct plx_pci_dev *dev, enum plx_irq_type type, uint32_t *max)
{
	struct fake_pci *f = dev->priv;

	*max = PLX_MIN(f->irq_max[type], (uint32_t)FAKE_IRQS);
	return 0;
}

static int fake_irq_set(struct plx_pci_dev *dev, enum plx_irq_type type, uint32_t n, const int *fds)
{
	struct fake_pci *f = dev->priv;
	enum fake_fault fault;

	fake_lock(f);
	fault = fake_strike(f, FAKE_IRQ_SET);
	if (fault != FAKE_FAIL) {
		f->irq_type = n != 0 ? type : PLX_IRQ_NONE;
		f->n_irqs = n;
		if (n != 0)
			memcpy(f->irq_fds, fds, n * sizeof(*fds));
	} else if (n == 0) {
		f->n_irqs = 0; /* the descriptors are closed all the same */
	}
	fake_unlock(f);
	return fault == FAKE_FAIL ? plx_err(EIO, "%s: interrupts fail as planned", dev->name) : 0;
}

static int fake_transport_reset(struct plx_pci_dev *dev)
{
	struct fake_pci *f = dev->priv;
	uint8_t bars[24];

	if (!f->has_reset)
		return -ENOTSUP;
	if (fake_strike(f, FAKE_RESET) == FAKE_FAIL)
		return plx_err(EIO, "%s: reset fails as planned", dev->name);
	memcpy(bars, &f->cfg[0x10], sizeof(bars));
	fake_reset(f);
	memcpy(&f->cfg[0x10], bars, sizeof(bars)); /* as the transport's interface demands */
	return 0;
}

static bool fake_gone(struct plx_pci_dev *dev)
{
	struct fake_pci *f = dev->priv;
	bool gone;

	fake_lock(f);
	gone = f->gone;
	fake_unlock(f);
	return gone;
}

static void fake_delay(struct plx_pci_dev *dev, uint64_t ns)
{
	fake_advance(dev->priv, ns);
}

const struct plx_pci_transport fake_transport = {
	.kind = "fake",
	.help = "fake:NAME (tests only)",
	.open = fake_open,
	.close = fake_close,
	.cfg_read = fake_cfg_read,
	.cfg_write = fake_cfg_write,
	.region_info = fake_region_info,
	.region_map = fake_region_map,
	.region_unmap = fake_region_unmap,
	.reg_read = fake_reg_read,
	.reg_write = fake_reg_write,
	.irq_max = fake_irq_max,
	.irq_set = fake_irq_set,
	.reset = fake_transport_reset,
	.gone = fake_gone,
	.delay = fake_delay,
};
