/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An I/O address space of VFIO as a domain of lib/mem. An extent is mapped whole, in one call: its
 * addresses are congruent in both address spaces, so the kernel uses the IOMMU's large pages where
 * the memory has them. What the kernel refuses is explained here, for all backends.
 */
#define PLX_LOG_TAG "vfio"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "vfio.h"

#define KIB 1024u

/* ---- why a mapping failed ---- */

/* What the kernel counts against the limit of locked memory, and whether it looks at the limit. */
struct memlock {
	bool known, limited;
	uint64_t limit, used; /* bytes */
};

/* Calls with lines of a file below /proc/self until it is read. */
static bool each_line(const struct vfio_iommu *s, const char *file, struct memlock *m,
	void (*fn)(struct memlock *m, const char *line))
{
	char path[256], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/self/%s", s->sys->proc != NULL ? s->sys->proc : "/proc",
		file);
	f = fopen(path, "re");
	if (f == NULL)
		return false;
	while (fgets(line, sizeof(line), f) != NULL)
		fn(m, line);
	fclose(f);
	return true;
}

/* proc(5): VmLck is what VFIO's type 1 counts, VmPin what iommufd does; CapEff bit 14 is CAP_IPC_LOCK. */
static void status_line(struct memlock *m, const char *line)
{
	uint64_t v;

	if (sscanf(line, "VmLck: %" SCNu64, &v) == 1 || sscanf(line, "VmPin: %" SCNu64, &v) == 1)
		m->used += v * KIB;
	if (sscanf(line, "CapEff: %" SCNx64, &v) == 1)
		m->limited = (v & plx_bit64(14)) == 0;
}

static void limits_line(struct memlock *m, const char *line)
{
	m->known = sscanf(line, "Max locked memory %" SCNu64, &m->limit) == 1 || m->known;
}

static struct memlock memlock_look(const struct vfio_iommu *s)
{
	struct memlock m = {.limited = true};

	(void)each_line(s, "limits", &m, limits_line);
	if (!each_line(s, "status", &m, status_line))
		m.known = false;
	return m;
}

static int no_memory(const struct vfio_iommu *s, const struct plx_extent *e)
{
	struct memlock m = memlock_look(s);

	/* A fake kernel's, or an older one's, count may be elsewhere: ours is the least there is. */
	m.used = PLX_MAX(m.used, s->slot->locked);
	if (!m.known || !m.limited || (m.used <= m.limit && e->len <= m.limit - m.used))
		return plx_err(ENOMEM,
			"the kernel has no memory to map %" PRIu64 " KiB for devices (%" PRIu64
			" KiB are mapped in this context)",
			e->len / KIB, s->slot->locked / KIB);
	return plx_err(ENOMEM,
		"%" PRIu64 " KiB more of locked memory are too many: RLIMIT_MEMLOCK is %" PRIu64
		" KiB, %" PRIu64 " KiB are locked already, %" PRIu64
		" KiB of them for devices of this context; ulimit -l %" PRIu64
		" (LimitMEMLOCK= of a service, memlock in limits.conf), or smaller pools",
		e->len / KIB, m.limit / KIB, m.used / KIB, s->slot->locked / KIB,
		(m.used + e->len) / KIB);
}

/* The domain's, which the context's memory lock guards: another thread may be asking for new ones. */
static void aperture_text(const struct plx_domain *dom, char *buf, size_t n)
{
	size_t at = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < dom->n_apertures && at < n; i++)
		at += (size_t)snprintf(buf + at, n - at, "%s0x%" PRIx64 " to 0x%" PRIx64,
			i > 0 ? ", " : "", dom->apertures[i].first, dom->apertures[i].last);
}

/* Returns err, with the message. */
static int explain(const struct vfio_iommu *s, const struct plx_extent *e, int err)
{
	uint64_t last = e->iova + e->len - 1;
	char text[256];

	switch (err) {
	case -ENOMEM:
		return no_memory(s, e);
	case -ENOSPC:
		return plx_err(ENOSPC,
			"the kernel's limit of mappings is reached; use fewer and larger pools, or "
			"raise dma_entry_limit of the module vfio_iommu_type1");
	case -EEXIST:
		return plx_err(EEXIST,
			"something is mapped already between I/O addresses 0x%" PRIx64
			" and 0x%" PRIx64,
			e->iova, last);
	case -EFAULT:
		return plx_err(EFAULT,
			"memory at %p, %" PRIu64 " KiB, is not mapped%s in this process", e->va,
			e->len / KIB, (e->flags & PLX_DMA_TO_DEVICE) != 0 ? "" : " writable");
	case -EINVAL:
		aperture_text(&s->dom, text, sizeof(text));
		return plx_err(EINVAL,
			"the IOMMU cannot map I/O addresses 0x%" PRIx64 " to 0x%" PRIx64
			" (it can: %s; pages of %" PRIu64 " KiB and more)",
			e->iova, last, text[0] != '\0' ? text : "not known",
			PLX_MAX((s->page_sizes & -s->page_sizes) / KIB, UINT64_C(4)));
	default:
		return plx_err(-err, "mapping %" PRIu64 " KiB at I/O address 0x%" PRIx64 ": %s",
			e->len / KIB, e->iova, strerror(-err));
	}
}

/* ---- the domain ---- */

static int dom_map(struct plx_domain *dom, const struct plx_extent *e)
{
	struct vfio_iommu *s = plx_container_of(dom, struct vfio_iommu, dom);
	int err = s->backend->map(s, e);

	if (err < 0)
		return explain(s, e, err);
	s->locked += e->len;
	if (err == 0)
		s->slot->locked += e->len;
	return 0;
}

static void dom_unmap(struct plx_domain *dom, const struct plx_extent *e)
{
	struct vfio_iommu *s = plx_container_of(dom, struct vfio_iommu, dom);
	int err = s->backend->unmap(s, e);

	if (err < 0)
		plx_logf(plx_ctx_log(s->slot->ctx), PLX_LOG_ERR,
			"%s: unmapping %" PRIu64 " KiB at I/O address 0x%" PRIx64 ": %s", s->name,
			e->len / KIB, e->iova, strerror(-err));
	s->locked -= e->len;
	if (err <= 0)
		s->slot->locked -= e->len;
}

static const struct plx_domain_ops dom_ops = {
	.name = "vfio",
	.map = dom_map,
	.unmap = dom_unmap,
};

int vfio_iommu_new(struct vfio_dev *d, struct vfio_iommu **out)
{
	struct vfio_iommu *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return plx_err(ENOMEM, "no memory");
	s->slot = d->slot;
	s->backend = d->backend;
	s->sys = d->sys;
	s->fd = -1;
	s->is_private = d->want_private;
	snprintf(s->name, sizeof(s->name), "pci (%s, from %s)",
		s->is_private ? "private" : "shared", d->bdf_text);
	s->dom.ops = &dom_ops;
	s->dom.name = s->name;
	s->dom.is_private = s->is_private;
	s->next = d->slot->iommus;
	d->slot->iommus = s;
	*out = s;
	return 0;
}

int vfio_iommu_aperture(struct vfio_iommu *s, uint64_t first, uint64_t last)
{
	struct plx_range *r;

	if (first > last || (s->n_apertures > 0 && first <= s->apertures[s->n_apertures - 1].last))
		return plx_err(EIO,
			"the kernel says its IOMMU can map 0x%" PRIx64 " to 0x%" PRIx64
			", which is no range or not behind the one before",
			first, last);
	r = realloc(s->apertures, (s->n_apertures + 1) * sizeof(*r));
	if (r == NULL)
		return plx_err(ENOMEM, "no memory");
	s->apertures = r;
	r[s->n_apertures++] = (struct plx_range){first, last};
	return 0;
}

int vfio_iommu_ready(struct vfio_iommu *s)
{
	struct plx_range *old = s->apertures;
	size_t n_old = s->n_apertures;
	int err;

	s->apertures = NULL;
	s->n_apertures = 0;
	err = s->backend->info(s);
	if (err < 0) {
		free(s->apertures);
		s->apertures = old;
		s->n_apertures = n_old;
		return err;
	}
	plx_domain_set_apertures(&s->dom, s->apertures, s->n_apertures);
	free(old);
	if (s->dom_added)
		return 0;
	err = plx_domain_add(s->slot->ctx, &s->dom);
	s->dom_added = err == 0;
	return err;
}

void vfio_iommu_free(struct vfio_iommu *s)
{
	struct vfio_iommu **p = &s->slot->iommus;

	while (*p != NULL && *p != s)
		p = &(*p)->next;
	if (*p == s)
		*p = s->next;
	if (s->dom_added)
		plx_domain_del(&s->dom);
	if (s->fd >= 0)
		s->sys->close(s->sys->arg, s->fd);
	free(s->apertures);
	free(s);
}
