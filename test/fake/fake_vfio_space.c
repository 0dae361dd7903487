/* SPDX-License-Identifier: BSD-3-Clause */
/* The fake kernel's I/O address spaces: what is mapped, where it may be, what is pinned and counted. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake_priv.h"
#include "fake_vfio_priv.h"

#define PAGE 4096u
/* x86 keeps its MSI window out of every address space. */
static const struct plx_range msi = {0xfee00000, 0xfeefffff};

struct fake_vfio_space *fv_space_new(struct fake_vfio *k, uint64_t *counted)
{
	struct fake_vfio_space *s = fv_must(calloc(1, sizeof(*s)));

	s->k = k;
	s->counted = counted;
	s->next = k->spaces;
	k->spaces = s;
	return s;
}

void fv_space_free(struct fake_vfio_space *s)
{
	struct fake_vfio_space **p;

	if (s == NULL)
		return;
	fv_space_unmap(s, 0, UINT64_MAX);
	for (p = &s->k->spaces; *p != s;)
		p = &(*p)->next;
	*p = s->next;
	for (unsigned i = 0; i < s->k->n_devs; i++)
		if (s->k->devs[i]->space == s)
			s->k->devs[i]->space = NULL;
	free(s);
}

struct fake_vfio_space *fv_space_find(struct fake_vfio *k, struct fv_iommu *of, uint32_t id)
{
	struct fake_vfio_space *s = k->spaces;

	while (s != NULL && (s->counted != &of->locked || s->id != id))
		s = s->next;
	return s;
}

/* ---- where it can map ---- */

static unsigned cut(struct plx_range *r, unsigned n, unsigned max, struct plx_range hole)
{
	for (unsigned i = 0; i < n; i++) {
		struct plx_range was = r[i];

		if (hole.last < was.first || hole.first > was.last)
			continue;
		if (hole.first <= was.first && hole.last >= was.last) {
			memmove(&r[i], &r[i + 1], (n - i - 1) * sizeof(*r));
			n--;
			i--;
		} else if (hole.first <= was.first) {
			r[i].first = hole.last + 1;
		} else if (hole.last >= was.last) {
			r[i].last = hole.first - 1;
		} else if (n < max) {
			memmove(&r[i + 1], &r[i], (n - i) * sizeof(*r));
			n++;
			r[i].last = hole.first - 1;
			r[i + 1].first = hole.last + 1;
		}
	}
	return n;
}

unsigned fv_space_ranges(const struct fake_vfio_space *s, struct plx_range *out, unsigned max)
{
	const struct fake_vfio *k = s->k;
	unsigned bits = k->opts.aw_bits, n = 1;
	bool any = false;

	for (unsigned i = 0; i < k->n_devs; i++)
		any = any || k->devs[i]->space == s;
	out[0].first = 0;
	out[0].last = any && bits < 64 ? (UINT64_C(1) << bits) - 1 : UINT64_MAX;
	if (!any)
		return 1; /* nothing that narrows it */
	n = cut(out, n, max, msi);
	for (unsigned i = 0; i < k->n_devs; i++)
		if (k->devs[i]->space == s && k->devs[i]->reserved.last != 0)
			n = cut(out, n, max, k->devs[i]->reserved);
	return n;
}

bool fv_space_allows(const struct fake_vfio_space *s, uint64_t iova, uint64_t len)
{
	struct plx_range r[FAKE_VFIO_RESERVED];
	unsigned n = fv_space_ranges(s, r, FAKE_VFIO_RESERVED);

	for (unsigned i = 0; i < n; i++)
		if (iova >= r[i].first && iova + len - 1 <= r[i].last)
			return true;
	return false;
}

/* ---- what is mapped ---- */

struct fv_mapping *fv_space_overlap(struct fake_vfio_space *s, uint64_t iova, uint64_t len)
{
	for (unsigned i = 0; i < s->n_maps; i++) {
		const struct fake_vfio_map *m = &s->maps[i].m;

		if (iova <= m->iova + m->len - 1 && m->iova <= iova + len - 1)
			return &s->maps[i];
	}
	return NULL;
}

/* Is all of it mapped in this process? mincore(2) fails where nothing is. */
static bool is_mapped(void *va, uint64_t len)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), step = 256 * page, n;
	unsigned char in[256];

	for (uint64_t off = 0; off < len; off += n) {
		n = len - off < step ? len - off : step;
		if (mincore((char *)va + off, n, in) < 0)
			return false;
	}
	return true;
}

/* Pinning brings pages in, with the access that DMA is to have. */
static int pin(struct fake_vfio_space *s, const struct fake_vfio_map *m, struct fv_pages **out)
{
	void *va = (void *)(uintptr_t)m->va;
	struct fv_pages *p;

	if (!is_mapped(va, m->len))
		return -EFAULT;
#ifdef MADV_POPULATE_WRITE
	if (madvise(va, m->len, m->write ? MADV_POPULATE_WRITE : MADV_POPULATE_READ) < 0 &&
		(errno == EFAULT || errno == ENOMEM))
		return -EFAULT;
#endif
	if (m->len > s->k->opts.memlock || *s->counted > s->k->opts.memlock - m->len)
		return -ENOMEM;
	p = fv_must(calloc(1, sizeof(*p)));
	p->refs = 0;
	p->len = m->len;
	p->counted = s->counted;
	*s->counted += m->len;
	s->k->locked += m->len;
	*out = p;
	return 0;
}

static void unpin(struct fake_vfio *k, struct fv_pages *p)
{
	if (--p->refs != 0)
		return;
	*p->counted -= p->len;
	k->locked -= p->len;
	free(p);
}

int fv_space_map(struct fake_vfio_space *s, const struct fake_vfio_map *m, struct fv_pages *pages)
{
	struct fake_vfio *k = s->k;
	int err;

	if (s->n_maps == FAKE_VFIO_MAPS)
		return -ENOMEM;
	if (pages == NULL) {
		err = pin(s, m, &pages);
		if (err < 0)
			return err;
	}
	pages->refs++;
	s->maps[s->n_maps].m = *m;
	s->maps[s->n_maps++].pages = pages;
	fv_space_sync(k);
	return 0;
}

uint64_t fv_space_unmap(struct fake_vfio_space *s, uint64_t iova, uint64_t last)
{
	struct fake_vfio *k = s->k;
	uint64_t sum = 0;

	for (unsigned i = 0; i < s->n_maps; i++) {
		struct fv_mapping *m = &s->maps[i];

		if (m->m.iova < iova || m->m.iova + m->m.len - 1 > last)
			continue;
		sum += m->m.len;
		unpin(k, m->pages);
		memmove(m, m + 1, (s->n_maps - i - 1) * sizeof(*m));
		s->n_maps--;
		i--;
	}
	fv_space_sync(k);
	return sum;
}

void fv_space_sync(struct fake_vfio *k)
{
	for (unsigned i = 0; i < k->n_devs; i++) {
		struct fake_vfio_dev *d = k->devs[i];
		struct fake_pci *f = d->f;

		fake_lock(f);
		f->n_extents = 0;
		for (unsigned n = 0; d->space != NULL && n < d->space->n_maps; n++) {
			const struct fake_vfio_map *m = &d->space->maps[n].m;

			if (f->n_extents == FAKE_EXTENTS)
				break;
			f->extents[f->n_extents++] = (struct plx_extent){
				.va = (void *)(uintptr_t)m->va,
				.iova = m->iova,
				.len = m->len,
				.page = PAGE,
				.fd = -1,
				.flags = m->write ? 0 : PLX_DMA_TO_DEVICE,
			};
		}
		fake_unlock(f);
	}
}

/* ---- what tests look at ---- */

const struct fake_vfio_map *fake_vfio_reach(const struct fake_vfio_dev *d, unsigned i)
{
	return d->space == NULL || i >= d->space->n_maps ? NULL : &d->space->maps[i].m;
}

uint64_t fake_vfio_locked(const struct fake_vfio *k)
{
	return k->locked;
}

unsigned fake_vfio_spaces(const struct fake_vfio *k)
{
	unsigned n = 0;

	for (const struct fake_vfio_space *s = k->spaces; s != NULL; s = s->next) {
		bool used = false;

		for (unsigned i = 0; i < k->n_devs; i++)
			used = used || k->devs[i]->space == s;
		n += used;
	}
	return n;
}
