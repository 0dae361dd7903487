/* SPDX-License-Identifier: BSD-3-Clause */
/* A context and a fake device open in it, for the tests of lib/pci. */
#ifndef PCI_BENCH_H
#define PCI_BENCH_H

#include <stdio.h>

#include "fake_pci.h"
#include "unit.h"

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)

struct bench {
	struct plx_ctx *ctx;
	struct fake_pci *f;
	struct plx_pci_dev *dev;
};

static void quiet(void *arg, enum plx_log_level level, const char *tag, const char *text)
{
}

/* BAR 0: 64 KiB, BAR 1: I/O, BAR 2: 1 MiB, 64 bits, mapped. */
static inline void bench_new(struct bench *b, const struct fake_ops *ops, void *model)
{
	struct plx_ctx_opts o = PLX_CTX_OPTS_INIT;

	memset(b, 0, sizeof(*b));
	o.log_fn = quiet;
	CHECK_EQ(plx_ctx_open(&o, &b->ctx), 0);
	b->f = fake_new("dev", ops, model);
	fake_ids(b->f, 0x1234, 0x5678, 0x9abc, 0xdef0, 0x020000);
	fake_bar(b->f, 0, 65536, 0);
	fake_bar(b->f, 1, 32, FAKE_BAR_IO);
	fake_bar(b->f, 2, 1 << 20, FAKE_BAR_64 | FAKE_BAR_MAPPED);
	CHECK_EQ(fake_attach(b->ctx, b->f), 0);
}

static inline int bench_open(struct bench *b)
{
	struct plx_opts *opts;
	int err;

	CHECK_EQ(plx_opts_parse("fake:dev", &opts), 0);
	err = plx_pci_open(b->ctx, opts, &b->dev);
	plx_opts_free(opts);
	return err;
}

static inline void bench_free(struct bench *b)
{
	plx_pci_close(b->dev);
	plx_ctx_close(b->ctx);
	fake_free(b->f);
}

#endif
