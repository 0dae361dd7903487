/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * preload=1: packets in memory, read once.
 *
 * They are copied into mbufs like those of a file, not lent to them: a program may change what it
 * receives, and the next pass must have the packets of the file.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "pcap_pmd.h"

#define STEP ((size_t)2 << 20)

static int grow(struct capt_store *s, size_t need, const char *name)
{
	size_t size = PLX_MAX(s->size, STEP);
	void *base;

	while (size - s->len < need)
		size += PLX_MAX(size / 2, need);
	size = plx_align_up(size, STEP);
	if (s->base == NULL)
		base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	else
		base = mremap(s->base, s->size, size, MREMAP_MAYMOVE);
	if (base == MAP_FAILED)
		return plx_err(ENOMEM,
			"%s: no memory for its packets (%zu MiB so far); use preload=0", name,
			s->len >> 20);
	(void)madvise(base, size, MADV_HUGEPAGE); /* fewer TLB misses, where there are such pages */
	s->base = base;
	s->size = size;
	return 0;
}

static int append(struct capt_store *s, const struct capt_pkt *p, const char *name)
{
	struct capt_rec rec = {.ts = p->ts, .caplen = p->caplen, .len = p->len};
	uint32_t data = capt_rec_data(p->caplen);
	size_t need = sizeof(rec) + plx_align_up(data, 8);
	int err = s->size - s->len < need ? grow(s, need, name) : 0;

	if (err < 0)
		return err;
	memcpy(s->base + s->len, &rec, sizeof(rec));
	if (data > 0)
		memcpy(s->base + s->len + sizeof(rec), p->data, data);
	s->len += need;
	return 0;
}

int capt_store_load(struct capt_store *s, struct capt_file *f, size_t hint)
{
	struct capt_pkt p;
	int got, err = grow(s, PLX_MAX(hint, (size_t)1), f->name);

	if (err < 0)
		return err;
	while ((got = capt_file_next(f, &p)) > 0) {
		err = append(s, &p, f->name);
		if (err < 0)
			return err;
	}
	if (got == 0)
		return 0;
	s->end_err = got;
	s->end_msg = strdup(plx_errmsg());
	return s->end_msg != NULL ? 0 : plx_err(ENOMEM, "%s: no memory", f->name);
}

int capt_store_end(const struct capt_store *s)
{
	return s->end_err == 0 ? 0 : plx_err(-s->end_err, "%s", s->end_msg);
}

void capt_store_free(struct capt_store *s)
{
	if (s->base != NULL)
		munmap(s->base, s->size);
	free(s->end_msg);
	memset(s, 0, sizeof(*s));
}
