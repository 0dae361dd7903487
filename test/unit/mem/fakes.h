/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A domain that records what is mapped in it, a memory source around the default one, and a count
 * of what the process holds. Each call of an operation that can fail counts down `*fail_in` where
 * it is set, and the one that reaches 0 fails.
 */
#ifndef MEM_FAKES_H
#define MEM_FAKES_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mem_priv.h"
#include "unit.h"

static inline bool fails_now(int *fail_in)
{
	return fail_in != NULL && *fail_in > 0 && --*fail_in == 0;
}

enum { FAKE_MAPS = 256 };

struct fake_domain {
	struct plx_domain d;
	struct plx_extent m[FAKE_MAPS];
	size_t n;
	unsigned wrong; /* maps of what is mapped, unmaps of what is not */
	int *fail_in;
};

static inline size_t fake_find(const struct fake_domain *f, uint64_t iova)
{
	size_t i = 0;

	while (i < f->n && f->m[i].iova != iova)
		i++;
	return i;
}

static inline int fake_map(struct plx_domain *dom, const struct plx_extent *e)
{
	struct fake_domain *f = plx_container_of(dom, struct fake_domain, d);

	if (fails_now(f->fail_in))
		return plx_err(ENOMEM, "injected");
	f->wrong += f->n == FAKE_MAPS || fake_find(f, e->iova) < f->n;
	f->m[f->n++] = *e;
	return 0;
}

static inline void fake_unmap(struct plx_domain *dom, const struct plx_extent *e)
{
	struct fake_domain *f = plx_container_of(dom, struct fake_domain, d);
	size_t i = fake_find(f, e->iova);

	if (i == f->n || f->m[i].len != e->len) {
		f->wrong++;
		return;
	}
	f->m[i] = f->m[--f->n];
}

static const struct plx_domain_ops fake_domain_ops PLX_UNUSED = {"fake", fake_map, fake_unmap};

#define FAKE_DOMAIN(label)                                                                 \
	{                                                                                  \
		.d = {.ops = &fake_domain_ops, .name = (label), .apertures = NULL}, .n = 0 \
	}

struct fake_source {
	struct plx_mem_source s;
	struct plx_mem_source memfd;
	int *fail_in;
	int live; /* extents it has given and not taken back */
};

static inline int fake_round(
	struct plx_mem_source *src, const struct plx_mem_req *req, uint64_t *len, uint64_t *page)
{
	struct fake_source *f = plx_container_of(src, struct fake_source, s);

	if (fails_now(f->fail_in))
		return plx_err(ENOMEM, "injected");
	return f->memfd.ops->round(&f->memfd, req, len, page);
}

static inline int fake_get(
	struct plx_mem_source *src, const struct plx_mem_req *req, struct plx_extent *e)
{
	struct fake_source *f = plx_container_of(src, struct fake_source, s);
	int err;

	if (fails_now(f->fail_in))
		return plx_err(EMFILE, "injected");
	err = f->memfd.ops->get(&f->memfd, req, e);
	f->live += err == 0;
	if (err == 0 && fails_now(f->fail_in)) { /* a descriptor that cannot be mapped */
		close(e->fd);
		e->fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	}
	return err;
}

static inline void fake_put(struct plx_mem_source *src, struct plx_extent *e)
{
	struct fake_source *f = plx_container_of(src, struct fake_source, s);

	f->live--;
	f->memfd.ops->put(&f->memfd, e);
}

static const struct plx_mem_source_ops fake_source_ops PLX_UNUSED = {
	"fake source", fake_round, fake_get, fake_put};

#define FAKE_SOURCE                                                                            \
	{                                                                                      \
		.s = {.ops = &fake_source_ops}, .memfd = {.ops = &plx_source_memfd}, .live = 0 \
	}

/* ---- what the process holds ---- */

struct usage {
	unsigned fds, maps;
	size_t iovas;
};

static inline unsigned count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	while (dir != NULL && readdir(dir) != NULL)
		n++;
	if (dir != NULL)
		closedir(dir);
	return n;
}

/* Lines of /proc/self/maps with the text, and of the one without a name if text is NULL. */
static inline unsigned count_maps(const char *text)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[512];
	unsigned n = 0;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		n += text == NULL || strstr(line, text) != NULL;
	if (f != NULL)
		fclose(f);
	return n;
}

static inline struct usage usage_now(void)
{
	return (struct usage){count_fds(), count_maps("pollux:"), plx_iova_count()};
}

#define CHECK_USAGE(before)                               \
	do {                                              \
		struct usage unit_now = usage_now();      \
		CHECK_EQ(unit_now.fds, (before).fds);     \
		CHECK_EQ(unit_now.maps, (before).maps);   \
		CHECK_EQ(unit_now.iovas, (before).iovas); \
	} while (0)

static inline struct plx_ctx *ctx_open(enum plx_huge huge)
{
	struct plx_ctx_opts o = PLX_CTX_OPTS_INIT;
	struct plx_ctx *ctx = NULL;

	o.huge = huge;
	CHECK_EQ(plx_ctx_open(&o, &ctx), 0);
	return ctx;
}

static inline struct plx_arena *arena_new(struct plx_ctx *ctx, size_t reserve)
{
	struct plx_arena_opts o = PLX_ARENA_OPTS_INIT;
	struct plx_arena *a = NULL;

	o.reserve = reserve;
	CHECK_EQ(plx_arena_create(ctx, &o, &a), 0);
	return a;
}

#endif
