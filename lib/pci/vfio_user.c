/* SPDX-License-Identifier: BSD-3-Clause */
/* The transport `vfio-user:`: a device that another process offers on a socket (vfio_user.h). */
#define PLX_LOG_TAG "vfio-user"
#include <fcntl.h>
#include <inttypes.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vfio_user.h"

/*
 * Where BARs are placed. Nobody but the server looks at these addresses, and most do not; they are
 * outside of what I/O addresses begin with (4 GiB), for those that have one address space for both.
 */
#define LOW_FIRST  UINT64_C(0x80000000)
#define LOW_LAST   UINT64_C(0xfebfffff)
#define HIGH_FIRST (UINT64_C(1) << 46)

struct vu_opts {
	uint64_t limit_ns;
	bool map;
	int iommu;
};

static const char *const iommu_names[] = {"shared", "private", NULL};

static const struct plx_opt_def opt_defs[] = {
	{.key = "limit",
		.type = PLX_OPT_TIME,
		.offset = offsetof(struct vu_opts, limit_ns),
		.min = 1000000,
		.max = 600000000000u,
		.help = "longest wait for an answer"},
	{.key = "mmap",
		.type = PLX_OPT_BOOL,
		.offset = offsetof(struct vu_opts, map),
		.help = "map what the server lets be mapped; off: every register by message"},
	{.key = "iommu",
		.type = PLX_OPT_ENUM,
		.offset = offsetof(struct vu_opts, iommu),
		.names = iommu_names,
		.help = "shared: it reaches all data of the context; private: what it is given"},
};

/* ---- configuration space and registers ---- */

static int cfg_inside(struct plx_pci_dev *dev, uint32_t off, unsigned width)
{
	const struct vu_dev *d = dev->priv;
	uint64_t len = d->regions[PLX_PCI_REGION_CFG].len;

	if (off <= len && width <= len - off)
		return 0;
	return plx_err(EINVAL,
		"%s: its configuration space has %" PRIu64 " bytes: there is no 0x%x", dev->name,
		len, off);
}

static int vu_cfg_read(struct plx_pci_dev *dev, uint32_t off, unsigned width, uint32_t *v)
{
	struct vu_dev *d = dev->priv;
	uint64_t got = UINT64_MAX;
	int err = cfg_inside(dev, off, width);

	if (err == 0)
		err = vu_read(d->s, PLX_PCI_REGION_CFG, off, width, &got);
	*v = (uint32_t)got;
	return err;
}

static int vu_cfg_write(struct plx_pci_dev *dev, uint32_t off, unsigned width, uint32_t v)
{
	struct vu_dev *d = dev->priv;
	int err = cfg_inside(dev, off, width);

	return err < 0 ? err : vu_write(d->s, PLX_PCI_REGION_CFG, off, width, v, false);
}

static uint64_t vu_reg_read(struct plx_pci_dev *dev, uint32_t bar, uint64_t off, unsigned width)
{
	struct vu_dev *d = dev->priv;
	uint64_t v;

	return vu_read(d->s, bar, off, width, &v) < 0 ? UINT64_MAX : v;
}

static void vu_reg_write(
	struct plx_pci_dev *dev, uint32_t bar, uint64_t off, unsigned width, uint64_t v)
{
	struct vu_dev *d = dev->priv;

	(void)vu_write(d->s, bar, off, width, v, true);
}

static bool vu_gone(struct plx_pci_dev *dev)
{
	struct vu_dev *d = dev->priv;

	return vu_dead(d->s);
}

/* ---- windows ---- */

static int vu_region_info(struct plx_pci_dev *dev, uint32_t region, struct plx_pci_region *info)
{
	const struct vu_dev *d = dev->priv;
	const struct vu_region *r = &d->regions[region];

	info->len = r->len;
	info->io = r->io;
	info->mappable = d->map && r->fd >= 0 && r->n_areas > 0;
	return 0;
}

/*
 * Is the file as long as what is to be mapped of it? A server that shortens it later makes an
 * access to the window end in SIGBUS, the one thing here that a server can do to the program. It
 * cannot where the file is sealed; so a seal is tried.
 */
static int check_file(struct plx_pci_dev *dev, const struct vu_region *r, uint64_t end)
{
	struct stat st;
	int seals;

	/* First: the length holds from here on. */
	(void)fcntl(r->fd, F_ADD_SEALS, F_SEAL_SHRINK);
	if (fstat(r->fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < 0 ||
		end > (uint64_t)st.st_size)
		return plx_err(ENOTSUP, "%s: what it lets be mapped is not in the file it sends",
			dev->name);
	seals = fcntl(r->fd, F_GET_SEALS);
	if (seals < 0 || (seals & F_SEAL_SHRINK) == 0)
		plx_logf(plx_ctx_log(dev->ctx), PLX_LOG_INFO,
			"%s: registers are mapped from a file that the server can shorten, which "
			"would end this program; mmap=off uses messages",
			dev->name);
	return 0;
}

static int vu_region_map(struct plx_pci_dev *dev, uint32_t region, uint64_t off, uint64_t len,
	volatile uint8_t **base)
{
	const struct vu_dev *d = dev->priv;
	const struct vu_region *r = &d->regions[region];
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), start = plx_align_down(off, page);
	uint64_t size = plx_align_up(off + len, page) - start;
	uint32_t i = 0;
	void *p;

	while (i < r->n_areas &&
		(start < r->areas[i].off || start + size > r->areas[i].off + r->areas[i].len))
		i++;
	if (i == r->n_areas || r->fd < 0)
		return -ENOTSUP; /* not all of it can be mapped: messages */
	if (check_file(dev, r, r->fd_base + start + size) < 0) {
		plx_logf(plx_ctx_log(dev->ctx), PLX_LOG_WARN, "%s; it is reached by message",
			plx_errmsg());
		return -ENOTSUP;
	}
	p = mmap(
		NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, (off_t)(r->fd_base + start));
	if (p == MAP_FAILED) {
		plx_logf(plx_ctx_log(dev->ctx), PLX_LOG_WARN,
			"%s: region %u: mapping: %s; it is reached by message", dev->name, region,
			strerror(errno));
		return -ENOTSUP;
	}
	pci_keep_to_us(p, size);
	*base = (volatile uint8_t *)p + (off - start);
	return 0;
}

static void vu_region_unmap(struct plx_pci_dev *dev, volatile uint8_t *base, uint64_t len)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), at = (uintptr_t)base;
	uintptr_t start = at & ~(page - 1);

	munmap((void *)start, (at - start + len + page - 1) & ~(page - 1));
}

/* ---- BARs ---- */

static int place(struct plx_pci_dev *dev, uint32_t i, bool two, uint64_t *low, uint64_t *high)
{
	struct vu_dev *d = dev->priv;
	uint64_t len = plx_roundup_pow2_u64(PLX_MAX(d->regions[i].len, UINT64_C(4096)));
	uint64_t at = plx_align_up(*low, len);
	int err;

	if (at <= LOW_LAST && len - 1 <= LOW_LAST - at) {
		*low = at + len;
	} else if (two && len <= HIGH_FIRST) {
		at = plx_align_up(*high, len);
		*high = at + len;
	} else {
		return plx_err(ENOSPC, "%s: BAR %u of %" PRIu64 " bytes: no address below 4 GiB",
			dev->name, i, d->regions[i].len);
	}
	d->regions[i].addr = at;
	err = vu_cfg_write(dev, PCI_BAR0 + 4 * i, 4, (uint32_t)at);
	if (err == 0 && two)
		err = vu_cfg_write(dev, PCI_BAR0 + 4 * (i + 1), 4, (uint32_t)(at >> 32));
	return err;
}

/* With decoding off. The sizes are known; what kind each is, its register says. */
static int place_bars(struct plx_pci_dev *dev)
{
	struct vu_dev *d = dev->priv;
	uint64_t low = LOW_FIRST, high = HIGH_FIRST;
	uint32_t header, v;
	bool two = false;
	int err = vu_cfg_read(dev, PCI_HEADER, 1, &header);

	if (err == 0 && (header & PCI_HEADER_TYPE) != 0)
		return plx_err(ENODEV, "%s: header type %u is no device's", dev->name,
			header & PCI_HEADER_TYPE);
	for (uint32_t i = 0; i < PLX_PCI_BARS && err == 0; i += two ? 2 : 1) {
		err = vu_cfg_read(dev, PCI_BAR0 + 4 * i, 4, &v);
		if (err < 0)
			break;
		d->regions[i].io = (v & PCI_BAR_IO) != 0;
		two = !d->regions[i].io && (v & PCI_BAR_TYPE) == PCI_BAR_64 && i + 1 < PLX_PCI_BARS;
		if (d->regions[i].len != 0 && !d->regions[i].io)
			err = place(dev, i, two, &low, &high);
	}
	return err;
}

/* ---- reset ---- */

/* Some servers keep configuration space over it, some do not. */
static int vu_reset(struct plx_pci_dev *dev)
{
	struct vu_dev *d = dev->priv;
	const struct vu_req r = {.cmd = VU_RESET};
	int err;

	if ((d->info.flags & VFIO_DEVICE_FLAGS_RESET) == 0)
		return -ENOTSUP;
	err = vu_call(d->s, &r, NULL);
	if (err == 0)
		err = place_bars(dev);
	if (err == 0) /* the table of vectors is in a BAR */
		err = vu_cfg_write(dev, PCI_COMMAND, 2, PCI_COMMAND_MEM);
	return err < 0 ? err : vu_irq_restore(dev);
}

/* ---- open and close ---- */

static int meet(struct plx_pci_dev *dev)
{
	struct vu_dev *d = dev->priv;
	int err = vu_version(d->s, &d->limits);

	if (err == 0)
		err = vu_get_info(d->s, &d->info);
	for (uint32_t i = 0; i < PLX_PCI_REGIONS && err == 0; i++)
		if (i != VFIO_PCI_ROM_REGION_INDEX)
			err = vu_get_region(d->s, i, &d->regions[i]);
	if (err == 0 && d->regions[PLX_PCI_REGION_CFG].len < PCI_CFG_MIN)
		return plx_err(ENODEV, "%s: its configuration space has %" PRIu64 " bytes",
			dev->name, d->regions[PLX_PCI_REGION_CFG].len);
	return err;
}

static void on_work(struct plx_work *work, uint64_t now_ns)
{
	struct vu_dev *d = plx_container_of(work, struct vu_dev, work);

	vu_pump(d->s);
	if (vu_dead(d->s)) /* readable for ever */
		plx_work_del(d->domain.dom.ctx, work);
}

static int start(struct plx_pci_dev *dev, bool is_private)
{
	struct vu_dev *d = dev->priv;
	int err = meet(dev);

	/* A program that was killed may have left it running: before it sees any memory. */
	if (err == 0)
		err = vu_cfg_write(dev, PCI_COMMAND, 2, 0);
	if (err == 0)
		err = place_bars(dev);
	if (err < 0)
		return err;
	d->domain.s = d->s;
	d->domain.log = plx_ctx_log(dev->ctx);
	d->domain.limits = d->limits;
	d->domain.dom.name = d->domain_name;
	d->domain.dom.is_private = is_private;
	err = vu_domain_open(&d->domain, dev->ctx);
	if (err < 0)
		return err;
	dev->domain = &d->domain.dom;
	d->work.fn = on_work;
	d->work.fd = vu_fd(d->s);
	err = plx_work_add(dev->ctx, &d->work);
	if (err == 0)
		vu_up(d->s);
	return err;
}

static int vu_dev_open(struct plx_pci_dev *dev, struct plx_opts *opts)
{
	struct vu_opts o = {.limit_ns = 5000000000u, .map = true};
	const char *path = plx_opts_address(opts);
	struct vu_dev *d;
	int err = plx_opts_apply(opts, opt_defs, PLX_ARRAY_SIZE(opt_defs), &o);

	if (err < 0)
		return err;
	if (path[0] == '\0')
		return plx_err(EINVAL,
			"vfio-user: which server? The path of its socket comes first: "
			"vfio-user:PATH");
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return plx_err(ENOMEM, "%s: no memory", dev->name);
	dev->priv = d;
	d->map = o.map;
	d->work.fd = -1;
	for (uint32_t i = 0; i < PLX_PCI_REGIONS; i++)
		d->regions[i].fd = -1;
	memcpy(d->domain_name, dev->name, sizeof(d->domain_name));
	err = vu_open(path, o.limit_ns, plx_ctx_log(dev->ctx), &d->s);
	return err < 0 ? err : start(dev, o.iommu == 1);
}

static void vu_dev_close(struct plx_pci_dev *dev)
{
	struct vu_dev *d = dev->priv;

	if (d == NULL)
		return;
	plx_work_del(dev->ctx, &d->work);
	vu_domain_close(&d->domain);
	for (uint32_t i = 0; i < PLX_PCI_REGIONS; i++)
		if (d->regions[i].fd >= 0)
			close(d->regions[i].fd);
	vu_close(d->s);
	dev->domain = NULL;
	dev->priv = NULL;
	free(d);
}

const struct plx_pci_transport plx_pci_vfio_user = {
	.kind = "vfio-user",
	.help = "vfio-user:PATH[,limit=5s][,mmap=off][,iommu=private]",
	.open = vu_dev_open,
	.close = vu_dev_close,
	.cfg_read = vu_cfg_read,
	.cfg_write = vu_cfg_write,
	.region_info = vu_region_info,
	.region_map = vu_region_map,
	.region_unmap = vu_region_unmap,
	.reg_read = vu_reg_read,
	.reg_write = vu_reg_write,
	.irq_max = vu_irq_max,
	.irq_set = vu_irq_set,
	.reset = vu_reset,
	.gone = vu_gone,
};
