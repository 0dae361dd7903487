/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What it costs to let a device reach memory: bench-iommu PORT, behind an IOMMU.
 *
 * Arenas are made and destroyed in a context with the port. The operations of its domain are wrapped: what
 * counts is mapping and unmapping alone, neither getting the memory nor clearing it. The least of some rounds,
 * for ordinary pages and for pages of 2 MiB, in ticks of the time stamp counter (instructions where the guest
 * counts these) and in nanoseconds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ethdev_pmd.h"
#include "guest_clock.h"

enum { MIB = 16, ROUNDS = 15 };

struct price {
	uint64_t ticks, ns;
};

/* Those of the domain, and what they took last. */
static const struct plx_domain_ops *real;
static struct price mapped, unmapped;

__attribute__((noreturn)) static void fail(const char *what)
{
	fprintf(stderr, "bench-iommu: %s: %s\n", what, plx_errmsg());
	exit(1);
}

static struct price look(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (struct price){
		guest_now(), (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec};
}

static struct price since(struct price begin)
{
	const struct price end = look();

	return (struct price){end.ticks - begin.ticks, end.ns - begin.ns};
}

static int timed_map(struct plx_domain *dom, const struct plx_extent *ext)
{
	const struct price begin = look();
	int err = real->map(dom, ext);

	mapped = since(begin);
	return err;
}

static void timed_unmap(struct plx_domain *dom, const struct plx_extent *ext)
{
	const struct price begin = look();

	real->unmap(dom, ext);
	unmapped = since(begin);
}

static void keep_least(struct price *least, struct price now)
{
	least->ticks = PLX_MIN(least->ticks, now.ticks);
	least->ns = PLX_MIN(least->ns, now.ns);
}

static void row(const char *what, uint64_t page, struct price p)
{
	printf("{\"what\": \"%s\", \"page\": %llu, \"mib\": %d, \"ticks\": %llu, \"ns\": %llu}\n",
		what, (unsigned long long)page, MIB, (unsigned long long)p.ticks,
		(unsigned long long)p.ns);
}

static void pages(const char *name, enum plx_huge huge, uint64_t page)
{
	struct plx_domain_ops timed;
	struct price map = {UINT64_MAX, UINT64_MAX}, unmap = map;
	struct plx_ctx_opts opts = PLX_CTX_OPTS_INIT;
	struct plx_domain *dom;
	struct plx_ctx *ctx;
	struct plx_port *port;

	opts.huge = huge;
	if (plx_ctx_open(&opts, &ctx) < 0 || plx_port_open(ctx, name, &port) < 0)
		fail(name);
	dom = plx_pci_domain(port->dev->pci);
	real = dom->ops;
	timed = *real;
	timed.map = timed_map;
	timed.unmap = timed_unmap;
	dom->ops = &timed;
	for (int i = 0; i < ROUNDS; i++) {
		struct plx_arena_opts o = PLX_ARENA_OPTS_INIT;
		struct plx_arena *arena;

		o.reserve = (size_t)MIB << 20;
		if (plx_arena_create(ctx, &o, &arena) < 0)
			fail("arena");
		plx_arena_destroy(arena);
		keep_least(&map, mapped);
		keep_least(&unmap, unmapped);
	}
	dom->ops = real;
	row("map", page, map);
	row("unmap", page, unmap);
	plx_ctx_close(ctx);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: bench-iommu PORT\n");
		return 2;
	}
	pages(argv[1], PLX_HUGE_NONE, 4096);
	pages(argv[1], PLX_HUGE_2M, 2 << 20);
	return 0;
}
