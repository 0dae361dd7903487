/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory of a vfio-user device. The process behind the socket is the device: it gets what a device of
 * the context gets, as descriptors that it maps by itself. Three things differ from an IOMMU:
 *
 *   - a descriptor gives the whole file. Of an arena that is the extent and nothing else (each has a
 *     memfd of its own), unless the context takes its memory from a file with more in it;
 *   - memory that only goes to the device is sent as a descriptor that can only be read;
 *   - what was mapped cannot be taken back from a server that does not want to let go of it.
 *
 * Memory without a file is announced without a descriptor: the server asks for it by message, and is
 * answered from a table of what it was told of, in which every address is looked up.
 */
#define PLX_LOG_TAG "vfio-user"
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "vfio_user.h"

/* ---- the table, with the lock of the socket ---- */

/* Index of the first extent that ends after iova. */
static size_t find(const struct vu_extent *ext, size_t n, uint64_t iova)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (ext[mid].iova + (ext[mid].len - 1) < iova)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int insert(struct vu_domain *d, const struct plx_extent *e)
{
	size_t at;

	if (d->n == d->max) {
		size_t max = d->max + 16;
		struct vu_extent *x = realloc(d->ext, max * sizeof(*x));

		if (x == NULL)
			return plx_err(ENOMEM, "no memory");
		d->ext = x;
		d->max = max;
	}
	at = find(d->ext, d->n, e->iova);
	memmove(&d->ext[at + 1], &d->ext[at], (d->n - at) * sizeof(*d->ext));
	d->ext[at] = (struct vu_extent){
		.iova = e->iova,
		.len = e->len,
		.va = e->va,
		.read_only = (e->flags & PLX_DMA_TO_DEVICE) != 0,
	};
	d->n++;
	return 0;
}

static bool take_out(struct vu_domain *d, uint64_t iova)
{
	size_t at = find(d->ext, d->n, iova);

	if (at == d->n || d->ext[at].iova != iova)
		return false;
	d->n--;
	memmove(&d->ext[at], &d->ext[at + 1], (d->n - at) * sizeof(*d->ext));
	return true;
}

/* ---- requests of the server ---- */

/*
 * What a device does to memory is no thread's doing, and it may be a buffer that nobody has at the
 * moment: sanitizers are not to see it.
 */
__attribute__((no_sanitize("address", "thread"))) static void copy(
	volatile uint8_t *to, const volatile uint8_t *from, size_t n)
{
	while (n-- != 0)
		*to++ = *from++;
}

int vu_serve_memory(const struct vu_extent *ext, size_t n, uint16_t cmd, const uint8_t *in,
	size_t len, uint8_t *out, size_t *out_len)
{
	struct vu_dma_access a;
	const struct vu_extent *x;
	size_t at;

	if (cmd != VU_DMA_READ && cmd != VU_DMA_WRITE)
		return EOPNOTSUPP;
	if (len < sizeof(a))
		return EINVAL;
	memcpy(&a, in, sizeof(a));
	if (a.count > VU_DATA_MAX || len != sizeof(a) + (cmd == VU_DMA_WRITE ? a.count : 0))
		return EINVAL;
	at = find(ext, n, a.addr);
	if (at == n)
		return EFAULT;
	x = &ext[at];
	if (a.addr < x->iova || a.count > x->len - (a.addr - x->iova))
		return EFAULT;
	if (cmd == VU_DMA_WRITE && x->read_only)
		return EACCES;
	memcpy(out, &a, sizeof(a));
	*out_len = sizeof(a) + (cmd == VU_DMA_READ ? a.count : 0);
	if (cmd == VU_DMA_READ)
		copy(out + sizeof(a), x->va + (a.addr - x->iova), a.count);
	else
		copy(x->va + (a.addr - x->iova), in + sizeof(a), a.count);
	return 0;
}

static int serve(
	void *arg, uint16_t cmd, const uint8_t *in, size_t len, uint8_t *out, size_t *out_len)
{
	const struct vu_domain *d = arg;

	return vu_serve_memory(d->ext, d->n, cmd, in, len, out, out_len);
}

/* ---- the domain ---- */

static int check(const struct vu_domain *d, const struct plx_extent *e)
{
	uint64_t page = d->limits.page_sizes & (~d->limits.page_sizes + 1);

	if (d->n >= d->limits.max_maps)
		return plx_err(ENOSPC,
			"the server takes %" PRIu64
			" pieces of memory: use fewer and larger arenas",
			d->limits.max_maps);
	if (((e->iova | e->len | e->offset) & (page - 1)) != 0)
		return plx_err(ENOTSUP,
			"the server maps memory in pages of %" PRIu64
			" bytes: open the context with "
			"pages as large",
			page);
	return 0;
}

/* The descriptor to send: one that cannot be written through, if that is what the extent is. */
static int descriptor(const struct plx_extent *e, int *fd)
{
	char path[32];

	*fd = e->fd;
	if (e->fd < 0 || (e->flags & PLX_DMA_TO_DEVICE) == 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", e->fd);
	*fd = open(path, O_RDONLY | O_CLOEXEC);
	return *fd >= 0 ? 0
			: plx_err(errno, "%s: a descriptor that can only be read: %s", path,
				  strerror(errno));
}

static int tell(struct vu_domain *d, const struct plx_extent *e)
{
	const bool to_device = (e->flags & PLX_DMA_TO_DEVICE) != 0;
	struct vu_dma_map q = {
		.argsz = sizeof(q),
		.flags = VU_MAP_READ | (to_device ? 0 : VU_MAP_WRITE),
		.offset = e->fd >= 0 ? e->offset : 0,
		.addr = e->iova,
		.size = e->len,
	};
	struct vu_req r = {.cmd = VU_DMA_MAP, .data = &q, .len = sizeof(q)};
	int fd = -1, err = descriptor(e, &fd);

	if (err < 0)
		return err;
	if (fd >= 0 && d->limits.max_fds > 0) {
		r.fds = &fd;
		r.n_fds = 1;
	} else {
		q.offset = 0;
		plx_logf(d->log, PLX_LOG_NOTICE,
			"%s: %" PRIu64 " bytes at 0x%" PRIx64 " %s: the server reaches them by "
			"message, slowly, if at all, and only while plx_ctx_poll() runs",
			d->dom.name, e->len, e->iova,
			fd < 0 ? "have no file" : "have a file, and the server takes none");
	}
	err = vu_call(d->s, &r, NULL);
	if (fd != e->fd)
		close(fd);
	return err < 0 ? plx_err_prefix(err, "%" PRIu64 " bytes at I/O address 0x%" PRIx64, e->len,
				 e->iova)
		       : 0;
}

static int dom_map(struct plx_domain *dom, const struct plx_extent *e)
{
	struct vu_domain *d = plx_container_of(dom, struct vu_domain, dom);
	int err;

	/* A device that left, before or in the middle, does not keep the others from getting memory. */
	if (vu_dead(d->s))
		return 0;
	err = check(d, e);
	if (err < 0)
		return err;
	/* Before the server knows of it: it may ask at once. */
	vu_lock(d->s);
	err = insert(d, e);
	vu_unlock(d->s);
	if (err == 0)
		err = tell(d, e);
	else
		return err;
	if (err < 0) {
		vu_lock(d->s);
		(void)take_out(d, e->iova);
		vu_unlock(d->s);
	}
	return err < 0 && vu_dead(d->s) ? 0 : err;
}

static void dom_unmap(struct plx_domain *dom, const struct plx_extent *e)
{
	struct vu_domain *d = plx_container_of(dom, struct vu_domain, dom);
	const struct vu_dma_unmap q = {.argsz = sizeof(q), .addr = e->iova, .size = e->len};
	const struct vu_req r = {.cmd = VU_DMA_UNMAP, .data = &q, .len = sizeof(q)};
	bool there;

	vu_lock(d->s);
	there = take_out(d, e->iova);
	vu_unlock(d->s);
	if (!there || vu_dead(d->s))
		return;
	if (vu_call(d->s, &r, NULL) < 0)
		plx_logf(d->log, PLX_LOG_WARN, "%s: memory at 0x%" PRIx64 " stays mapped there: %s",
			dom->name, e->iova, plx_errmsg());
}

static const struct plx_domain_ops dom_ops = {
	.name = "vfio-user",
	.map = dom_map,
	.unmap = dom_unmap,
};

int vu_domain_open(struct vu_domain *d, struct plx_ctx *ctx)
{
	d->dom.ops = &dom_ops;
	vu_serve(d->s, serve, d);
	return plx_domain_add(ctx, &d->dom);
}

void vu_domain_close(struct vu_domain *d)
{
	plx_domain_del(&d->dom);
	if (d->s != NULL)
		vu_serve(d->s, NULL, NULL);
	free(d->ext);
	d->ext = NULL;
	d->n = d->max = 0;
}
