/* SPDX-License-Identifier: BSD-3-Clause */
/* The program's own memory, registered for devices. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem_priv.h"

static bool overlaps(const struct plx_extent *e, uint64_t va, uint64_t len)
{
	uint64_t at = (uint64_t)(uintptr_t)e->va;

	return va < at + e->len && at < va + len;
}

static int check_args(void *va, size_t len, int fd, uint64_t offset, uint32_t flags)
{
	uint64_t page = plx_page_base(), at = (uint64_t)(uintptr_t)va;
	struct stat st;

	if (at == 0 || len == 0 || at % page != 0 || len % page != 0 || at + len < at)
		return plx_err(EINVAL, "memory at %p, %zu bytes: not whole pages of %" PRIu64, va,
			len, page);
	if ((flags & ~(uint32_t)(PLX_SHARE | PLX_DMA_TO_DEVICE)) != 0)
		return plx_err(EINVAL, "memory at %p: unknown flags 0x%x", va, flags);
	if (fd < 0)
		return 0;
	if (offset % page != 0)
		return plx_err(EINVAL,
			"memory at %p: offset %" PRIu64 " is no multiple of %" PRIu64, va, offset,
			page);
	if (fstat(fd, &st) < 0)
		return plx_err(errno, "memory at %p: descriptor %d: %s", va, fd, strerror(errno));
	if (st.st_size < 0 || offset > (uint64_t)st.st_size || len > (uint64_t)st.st_size - offset)
		return plx_err(EINVAL,
			"memory at %p: its file has %lld bytes, not %zu from offset %" PRIu64 " on",
			va, (long long)st.st_size, len, offset);
	return 0;
}

/* It has one I/O address at most. */
static int check_new(struct plx_ctx *ctx, const struct plx_extent *e)
{
	uint64_t va = (uint64_t)(uintptr_t)e->va;

	for (struct plx_memreg *r = ctx->memregs; r != NULL; r = r->next)
		if (overlaps(&r->e, va, e->len))
			return plx_err(EEXIST,
				"memory at %p, %" PRIu64
				" bytes: overlaps the registration at %p, %" PRIu64 " bytes",
				e->va, e->len, r->e.va, r->e.len);
	for (struct plx_arena *a = ctx->arenas; a != NULL; a = a->next)
		for (struct mem_extent *x = a->first; x != NULL; x = x->next)
			if (overlaps(&x->e, va, e->len))
				return plx_err(EEXIST,
					"memory at %p, %" PRIu64
					" bytes: overlaps arena %s, which devices can reach already",
					e->va, e->len, a->name);
	return 0;
}

static int reserve_and_map(struct plx_memreg *r)
{
	const struct domain_fit fit = {r->ctx, NULL, NULL};
	/* Whatever pages it is made of up to 2 MiB, the IOMMU can use the same. */
	const struct iova_ask ask = {
		.len = r->e.len,
		.align = MEM_2M,
		.phase = (uint64_t)(uintptr_t)r->e.va % MEM_2M,
		.fit = plx_domains_fit,
		.arg = &fit,
		.vfio_dir = r->ctx->vfio_dir,
	};
	int err = plx_iova_get(&ask, &r->e.iova);

	if (err < 0)
		return err;
	err = plx_domains_map(r->ctx, NULL, &r->e);
	if (err < 0)
		plx_iova_put(r->e.iova);
	return err;
}

static int add(struct plx_memreg *r)
{
	struct plx_ctx *ctx = r->ctx;
	int err;

	pthread_mutex_lock(&ctx->mem);
	err = check_new(ctx, &r->e);
	if (err == 0)
		err = reserve_and_map(r);
	if (err == 0) {
		r->next = ctx->memregs;
		if (ctx->memregs != NULL)
			ctx->memregs->prev = r;
		ctx->memregs = r;
	}
	pthread_mutex_unlock(&ctx->mem);
	return err;
}

int plx_mem_register(struct plx_ctx *ctx, void *va, size_t len, int fd, uint64_t offset,
	uint32_t flags, struct plx_memreg **out)
{
	struct plx_memreg *r;
	int err = check_args(va, len, fd, offset, flags);

	if (err < 0)
		return err;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return plx_err(ENOMEM, "memory at %p: no memory for its registration", va);
	r->ctx = ctx;
	r->e = (struct plx_extent){
		.va = va,
		.len = len,
		.page = plx_page_base(),
		.fd = -1,
		.offset = fd < 0 ? 0 : offset,
		.flags = flags,
	};
	if (fd >= 0) {
		/* Of its own: the program may close the one it gave. */
		r->e.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (r->e.fd < 0) {
			err = plx_err(
				errno, "memory at %p: descriptor %d: %s", va, fd, strerror(errno));
			free(r);
			return err;
		}
	}
	err = add(r);
	if (err < 0) {
		if (r->e.fd >= 0)
			close(r->e.fd);
		free(r);
		return err;
	}
	*out = r;
	return 0;
}

void plx_memreg_delete(struct plx_memreg *r)
{
	plx_domains_unmap(r->ctx, NULL, &r->e);
	plx_iova_put(r->e.iova);
	if (r->prev != NULL)
		r->prev->next = r->next;
	else
		r->ctx->memregs = r->next;
	if (r->next != NULL)
		r->next->prev = r->prev;
	if (r->e.fd >= 0)
		close(r->e.fd);
	free(r);
}

int plx_mem_unregister(struct plx_memreg *reg)
{
	struct plx_ctx *ctx;
	uint32_t held;

	if (reg == NULL)
		return 0;
	ctx = reg->ctx;
	/* Acquire: what the releasing threads did with the memory is over before it is unmapped. */
	held = __atomic_load_n(&reg->held, __ATOMIC_ACQUIRE);
	if (held != 0)
		return plx_err(EBUSY,
			"memory at %p: held by %u transfers or mbufs; wait for their end and free what "
			"was sent (plx_tx_reclaim()), or stop the port",
			reg->e.va, held);
	pthread_mutex_lock(&ctx->mem);
	plx_memreg_delete(reg);
	pthread_mutex_unlock(&ctx->mem);
	return 0;
}

uint64_t plx_memreg_iova(const struct plx_memreg *reg)
{
	return reg->e.iova;
}

void plx_memreg_hold(struct plx_memreg *reg)
{
	__atomic_fetch_add(&reg->held, 1, __ATOMIC_RELAXED);
}

void plx_memreg_release(struct plx_memreg *reg)
{
	__atomic_fetch_sub(&reg->held, 1, __ATOMIC_RELEASE);
}
