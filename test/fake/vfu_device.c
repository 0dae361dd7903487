/* SPDX-License-Identifier: BSD-3-Clause */
/* The vfio-user test server: what its messages do to the fake device. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vfu_priv.h"

enum { REGION_CFG = 7, REGIONS = 9, IRQ_TYPES = 5, IRQ_MSIX = 2, CAP_MSIX = 0x11 };

/* A request that the specification does not allow. */
__attribute__((format(printf, 2, 3))) static int wrong(struct vfu_server *s, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	vfu_wrong(s, "%s", text);
	return EINVAL;
}

static uint64_t region_len(const struct vfu_server *s, uint32_t region)
{
	if (region == REGION_CFG)
		return FAKE_CFG_SIZE;
	return region < PLX_PCI_BARS ? s->f->bars[region].len : 0;
}

/* ---- VERSION ---- */

static int version(struct vfu_server *s, const uint8_t *p, size_t len)
{
	char text[512];
	uint16_t major, minor;

	if (len < 4)
		return wrong(s, "VERSION of %zu bytes", len);
	memcpy(&major, p, 2);
	memcpy(&minor, p + 2, 2);
	if (major != 0)
		return wrong(s, "VERSION: major %u", major);
	if (len > 4 && (p[len - 1] != '\0' || strlen((const char *)p + 4) != len - 5 ||
			       strstr((const char *)p + 4, "\"capabilities\"") == NULL))
		return wrong(s, "VERSION: capabilities are no text that ends with a NUL");
	if (s->n_in_fds != 0)
		return wrong(s, "VERSION with descriptors");
	vfu_put(s, &major, 2);
	vfu_put(s, &s->opts.minor, 2);
	if (s->opts.version != NULL)
		snprintf(text, sizeof(text), "%s", s->opts.version);
	else
		snprintf(text, sizeof(text),
			"{ \"capabilities\": { \"max_msg_fds\": %u, \"max_data_xfer_size\": %llu, "
			"\"pgsizes\": %llu, \"migration\": { \"pgsize\": 4096 } } }",
			s->opts.max_fds, (unsigned long long)s->opts.max_data,
			(unsigned long long)s->opts.page_sizes);
	vfu_put(s, text, strlen(text) + 1);
	return 0;
}

/* ---- DEVICE_GET_INFO, DEVICE_GET_REGION_INFO, DEVICE_GET_IRQ_INFO ---- */

static int device_info(struct vfu_server *s, const uint8_t *p, size_t len)
{
	if (len < 16 || plx_load_le32(p) < 16)
		return wrong(s, "DEVICE_GET_INFO of %zu bytes", len);
	if (plx_load_le32(p + 4) != 0 || plx_load_le64(p + 8) != 0)
		return wrong(s, "DEVICE_GET_INFO: fields that are not zero");
	vfu_put32(s, 16);
	vfu_put32(s, 2 | (s->opts.no_reset ? 0 : 1)); /* PCI, RESET */
	vfu_put32(s, REGIONS);
	vfu_put32(s, IRQ_TYPES);
	return 0;
}

static void put_sparse(struct vfu_server *s)
{
	vfu_put32(s, 1 | 1 << 16); /* id 1, version 1 */
	vfu_put32(s, 0);           /* the last one */
	vfu_put32(s, s->opts.n_areas);
	vfu_put32(s, 0);
	for (uint32_t i = 0; i < s->opts.n_areas; i++) {
		vfu_put64(s, s->opts.areas[i].off);
		vfu_put64(s, s->opts.areas[i].len);
	}
}

static int region_info(struct vfu_server *s, const uint8_t *p, size_t len)
{
	uint32_t argsz, index, need = 32, flags;
	bool mapped, caps;

	if (len < 32 || (argsz = plx_load_le32(p)) < 32)
		return wrong(s, "DEVICE_GET_REGION_INFO of %zu bytes", len);
	index = plx_load_le32(p + 8);
	if (index >= REGIONS)
		return wrong(s, "DEVICE_GET_REGION_INFO of region %u", index);
	if (plx_load_le32(p + 4) != 0 || plx_load_le32(p + 12) != 0 || plx_load_le64(p + 16) != 0 ||
		plx_load_le64(p + 24) != 0)
		return wrong(s, "DEVICE_GET_REGION_INFO: fields that are not zero");
	mapped = index == s->opts.mapped_bar && s->bar_fd >= 0;
	if (mapped && s->opts.n_areas > 0)
		need += 16 + 16 * s->opts.n_areas;
	caps = need > 32 && need <= argsz;
	flags = region_len(s, index) != 0 ? 3 : 0;
	vfu_put32(s, need);
	vfu_put32(s, flags | (mapped ? 4 : 0) | (caps ? 8 : 0));
	vfu_put32(s, index);
	vfu_put32(s, caps ? 32 : 0);
	vfu_put64(s, region_len(s, index));
	vfu_put64(s, 0);
	if (caps)
		put_sparse(s);
	if (mapped)
		s->out.fds[s->out.n_fds++] = s->bar_fd;
	return 0;
}

static uint32_t irq_count(const struct vfu_server *s, uint32_t index)
{
	return index == IRQ_MSIX ? s->f->irq_max[PLX_IRQ_MSIX] : index == 0 ? 1 : 0;
}

static int irq_info(struct vfu_server *s, const uint8_t *p, size_t len)
{
	uint32_t index;

	if (len < 16 || plx_load_le32(p) < 16)
		return wrong(s, "DEVICE_GET_IRQ_INFO of %zu bytes", len);
	index = plx_load_le32(p + 8);
	if (index >= IRQ_TYPES)
		return wrong(s, "DEVICE_GET_IRQ_INFO of type %u", index);
	vfu_put32(s, 16);
	/* INTx masks itself */
	vfu_put32(s, (s->opts.no_irq ? 0 : 1) | (index == 0 ? 4 : 0) | (s->opts.no_resize ? 8 : 0));
	vfu_put32(s, index);
	vfu_put32(s, irq_count(s, index));
	return 0;
}

/* ---- DEVICE_SET_IRQS, and what of it signals ---- */

static uint32_t msix_cap(const struct vfu_server *s)
{
	uint32_t at = s->f->cfg[0x34];

	for (int i = 0; i < 48 && at != 0 && s->f->cfg[at] != CAP_MSIX; i++)
		at = s->f->cfg[at + 1];
	return at;
}

/* Gives the model the eventfds that may signal now. */
static void irq_update(struct vfu_server *s)
{
	uint32_t cap = msix_cap(s), control = cap != 0 ? fake_cfg_get(s->f, cap + 2, 2) : 0, table;
	bool on = (control & 0x8000) != 0 && (control & 0x4000) == 0;
	int fds[IRQS];

	if (cap == 0)
		return;
	table = fake_cfg_get(s->f, cap + 4, 4);
	for (uint32_t i = 0; i < s->n_irq; i++) {
		const uint8_t *entry = s->f->bars[table & 7].mem + (table & ~7u) + (size_t)i * 16;

		fds[i] = on && (entry[12] & 1) == 0 && s->irq[i] >= 0 ? s->irq[i] : s->nowhere;
	}
	(void)fake_transport.irq_set(&s->dev, PLX_IRQ_MSIX, s->n_irq, fds);
}

/* As after a reset of the part: every vector is masked. */
static void irq_mask_all(struct vfu_server *s)
{
	uint32_t cap = msix_cap(s), table;

	if (cap == 0)
		return;
	table = fake_cfg_get(s->f, cap + 4, 4);
	for (uint32_t i = 0; i < s->f->irq_max[PLX_IRQ_MSIX]; i++)
		s->f->bars[table & 7].mem[(table & ~7u) + (size_t)i * 16 + 12] = 1;
}

static void irq_close(struct vfu_server *s)
{
	uint32_t n = s->n_irq;

	s->n_irq = 0;
	irq_update(s);
	for (uint32_t i = 0; i < n; i++)
		if (s->irq[i] >= 0)
			close(s->irq[i]);
}

static int set_irqs(struct vfu_server *s, const uint8_t *p, size_t len)
{
	uint32_t flags, index, start, count;

	if (len < 20 || plx_load_le32(p) != len)
		return wrong(s, "DEVICE_SET_IRQS of %zu bytes", len);
	flags = plx_load_le32(p + 4);
	index = plx_load_le32(p + 8);
	start = plx_load_le32(p + 12);
	count = plx_load_le32(p + 16);
	if (index >= IRQ_TYPES || start > irq_count(s, index) ||
		count > irq_count(s, index) - start || start + count > IRQS)
		return wrong(s, "DEVICE_SET_IRQS: %u from %u of type %u", count, start, index);
	if (flags == 0x21 && count == 0 && start == 0 && s->n_in_fds == 0) {
		irq_close(s);
		return 0;
	}
	if (flags != 0x24 || count == 0 || s->n_in_fds != count || index != IRQ_MSIX)
		return wrong(s, "DEVICE_SET_IRQS: flags 0x%x, %u vectors, %u descriptors", flags,
			count, s->n_in_fds);
	if (s->opts.no_resize && s->n_irq != 0)
		return wrong(s, "DEVICE_SET_IRQS: more vectors of a type that has NORESIZE");
	while (s->n_irq < start + count)
		s->irq[s->n_irq++] = -1;
	for (uint32_t i = 0; i < count; i++) {
		if (s->irq[start + i] >= 0)
			close(s->irq[start + i]);
		s->irq[start + i] = s->in_fds[i];
		s->in_fds[i] = -1;
	}
	irq_update(s);
	return 0;
}

/* ---- DMA_MAP, DMA_UNMAP ---- */

/* The model reaches what came with a descriptor. */
static void give_model(struct vfu_server *s)
{
	struct fake_pci *f = s->f;

	fake_lock(f);
	f->n_extents = 0;
	for (unsigned i = 0; i < s->n_maps; i++)
		if (s->maps[i].va != NULL && f->n_extents < FAKE_EXTENTS)
			f->extents[f->n_extents++] = (struct plx_extent){
				.va = s->maps[i].va,
				.iova = s->maps[i].iova,
				.len = s->maps[i].len,
				.fd = -1,
				.flags = s->maps[i].write ? 0 : PLX_DMA_TO_DEVICE,
			};
	fake_unlock(f);
}

static int dma_map(struct vfu_server *s, const uint8_t *p, size_t len)
{
	struct vfu_map m = {0};
	uint32_t flags;
	uint64_t off;
	struct stat st;

	if (len != 32 || plx_load_le32(p) != 32)
		return wrong(s, "DMA_MAP of %zu bytes", len);
	flags = plx_load_le32(p + 4);
	off = plx_load_le64(p + 8);
	m.iova = plx_load_le64(p + 16);
	m.len = plx_load_le64(p + 24);
	m.write = (flags & 2) != 0;
	if ((flags & 1) == 0 || flags > 3 || m.len == 0 || m.iova + m.len < m.iova ||
		((off | m.iova | m.len) & 4095) != 0 || s->n_in_fds > 1 ||
		(s->n_in_fds == 0 && off != 0))
		return wrong(s,
			"DMA_MAP: flags 0x%x, %llu bytes at 0x%llx, offset %llu, %u descriptors",
			flags, (unsigned long long)m.len, (unsigned long long)m.iova,
			(unsigned long long)off, s->n_in_fds);
	for (unsigned i = 0; i < s->n_maps; i++)
		if (m.iova < s->maps[i].iova + s->maps[i].len && s->maps[i].iova < m.iova + m.len)
			return wrong(s, "DMA_MAP over what is mapped"), EEXIST;
	if (s->n_maps == MAPS)
		return ENOSPC;
	if (s->n_in_fds == 1) {
		if (fstat(s->in_fds[0], &st) < 0 || (uint64_t)st.st_size < off + m.len)
			return wrong(s, "DMA_MAP: its file ends before it does");
		if (!m.write && (fcntl(s->in_fds[0], F_GETFL) & O_ACCMODE) != O_RDONLY)
			return wrong(
				s, "DMA_MAP: to be read alone, and its descriptor can be written");
		m.va = mmap(NULL, m.len, PROT_READ | (m.write ? PROT_WRITE : 0), MAP_SHARED,
			s->in_fds[0], (off_t)off);
		if (m.va == MAP_FAILED)
			return errno;
	}
	s->maps[s->n_maps++] = m;
	give_model(s);
	return 0;
}

static void unmap(struct vfu_server *s, unsigned i)
{
	struct vfu_map m = s->maps[i];

	s->maps[i] = s->maps[--s->n_maps];
	give_model(s);
	if (m.va != NULL)
		munmap(m.va, m.len);
}

static int dma_unmap(struct vfu_server *s, const uint8_t *p, size_t len)
{
	if (len != 24 || plx_load_le32(p) < 24 || plx_load_le32(p + 4) != 0)
		return wrong(s, "DMA_UNMAP of %zu bytes", len);
	for (unsigned i = 0; i < s->n_maps; i++) {
		if (s->maps[i].iova != plx_load_le64(p + 8) ||
			s->maps[i].len != plx_load_le64(p + 16))
			continue;
		unmap(s, i);
		vfu_put(s, p, 24);
		return 0;
	}
	return wrong(s, "DMA_UNMAP of what is not mapped"), ENOENT;
}

/* ---- REGION_READ, REGION_WRITE, DEVICE_RESET ---- */

static int region_read(
	struct vfu_server *s, const uint8_t *head, uint32_t region, uint64_t off, uint32_t count)
{
	uint64_t v = 0;
	uint32_t c = 0;

	if (region == REGION_CFG) {
		if (fake_transport.cfg_read(&s->dev, (uint32_t)off, count, &c) < 0)
			return EIO;
		v = c;
	} else {
		v = fake_transport.reg_read(&s->dev, region, off, count);
	}
	vfu_put(s, head, 16);
	vfu_put(s, &v, count);
	return 0;
}

static int region_write(
	struct vfu_server *s, const uint8_t *head, uint32_t region, uint64_t off, uint32_t count)
{
	uint64_t v = 0;

	memcpy(&v, head + 16, count);
	if (region == REGION_CFG) {
		if (fake_transport.cfg_write(&s->dev, (uint32_t)off, count, (uint32_t)v) < 0)
			return EIO;
	} else {
		fake_transport.reg_write(&s->dev, region, off, count, v);
	}
	irq_update(s);
	vfu_put(s, head, 16);
	return 0;
}

static int access_region(struct vfu_server *s, const uint8_t *p, size_t len, bool write)
{
	uint32_t region, count;
	uint64_t off;

	if (len < 16)
		return wrong(s, "REGION access of %zu bytes", len);
	off = plx_load_le64(p);
	region = plx_load_le32(p + 8);
	count = plx_load_le32(p + 12);
	if (len != 16 + (write ? (size_t)count : 0))
		return wrong(s, "REGION access of %u bytes in a message of %zu", count, len);
	if ((count != 1 && count != 2 && count != 4 && count != 8) || off % count != 0 ||
		(region == REGION_CFG && count == 8) || off > region_len(s, region) ||
		count > region_len(s, region) - off)
		return wrong(s, "REGION access: %u bytes at %llu of region %u", count,
			(unsigned long long)off, region);
	if (region != REGION_CFG && (s->f->cfg[4] & 2) == 0 && !s->f->gone)
		wrong(s, "REGION access to a BAR with memory decoding off");
	return write ? region_write(s, p, region, off, count)
		     : region_read(s, p, region, off, count);
}

static int reset(struct vfu_server *s, size_t len)
{
	if (len != 0 || s->opts.no_reset)
		return wrong(s, "DEVICE_RESET");
	fake_reset(s->f);
	irq_mask_all(s);
	irq_update(s);
	return 0;
}

/* ---- all of them ---- */

int vfu_handle(struct vfu_server *s, uint16_t cmd, const uint8_t *p, size_t len)
{
	switch (cmd) {
	case C_VERSION:
		return version(s, p, len);
	case C_DMA_MAP:
		return dma_map(s, p, len);
	case C_DMA_UNMAP:
		return dma_unmap(s, p, len);
	case C_DEVICE_INFO:
		return device_info(s, p, len);
	case C_REGION_INFO:
		return region_info(s, p, len);
	case C_IRQ_INFO:
		return irq_info(s, p, len);
	case C_SET_IRQS:
		return set_irqs(s, p, len);
	case C_REGION_READ:
	case C_REGION_WRITE:
		return access_region(s, p, len, cmd == C_REGION_WRITE);
	case C_RESET:
		return reset(s, len);
	default:
		return wrong(s, "command %u", cmd), EINVAL;
	}
}

void vfu_forget(struct vfu_server *s)
{
	/* The device stays as it is, without memory and eventfds. */
	while (s->n_maps > 0)
		unmap(s, s->n_maps - 1);
	irq_close(s);
}

void vfu_bar_file(struct vfu_server *s)
{
	struct fake_bar *b;

	irq_mask_all(s);
	if (s->opts.mapped_bar >= PLX_PCI_BARS)
		return;
	b = &s->f->bars[s->opts.mapped_bar];
	s->bar_fd = memfd_create("bar", MFD_CLOEXEC | (s->opts.sealed ? MFD_ALLOW_SEALING : 0));
	if (s->bar_fd < 0 || ftruncate(s->bar_fd, (off_t)b->len) < 0 ||
		mmap(b->mem, b->len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, s->bar_fd,
			0) == MAP_FAILED) {
		perror("vfio-user test server: BAR");
		abort();
	}
}
