/* SPDX-License-Identifier: BSD-3-Clause */
#include "vfio_rig.h"

static const char *const names[RIG_DEVS] = {"rig0", "rig1", "rig2", "rig3"};

static void keep(void *arg, enum plx_log_level level, const char *tag, const char *text)
{
	struct vrig *v = arg;

	if (v->n_log < sizeof(v->log))
		v->n_log += (size_t)snprintf(
			v->log + v->n_log, sizeof(v->log) - v->n_log, "%s\n", text);
}

/* A NIC's ids, registers that can be mapped, some that cannot, I/O space, all that can be reset. */
static struct fake_pci *make_pci(const char *name)
{
	struct fake_pci *f = fake_new(name, NULL, NULL);

	fake_ids(f, 0x8086, 0x10d3, 0x8086, 0xa01f, 0x020000);
	fake_bar(f, 0, 128 * 1024, FAKE_BAR_MAPPED);
	fake_bar(f, 2, 32, FAKE_BAR_IO);
	fake_bar(f, 3, 16 * 1024, 0);
	fake_cap_pm(f, false);
	fake_cap_pcie(f, false);
	fake_cap_msix(f, 5, 3, 0, 0x2000);
	return f;
}

void vrig_new(struct vrig *v, const struct fake_vfio_opts *o, unsigned n, const unsigned *groups)
{
	struct plx_ctx_opts co = PLX_CTX_OPTS_INIT;

	memset(v, 0, sizeof(*v));
	v->fds = unit_fds();
	co.huge = PLX_HUGE_NONE;
	co.log_fn = keep;
	co.log_arg = v;
	co.log_level = PLX_LOG_INFO;
	CHECK_EQ(plx_ctx_open(&co, &v->ctx), 0);
	v->k = fake_vfio_new(o);
	CHECK_EQ(plx_vfio_sys_set(v->ctx, fake_vfio_sys(v->k)), 0);
	for (unsigned i = 0; i < n; i++) {
		char bdf[24];

		snprintf(bdf, sizeof(bdf), "0000:00:10.%u", i);
		v->f[i] = make_pci(names[i]);
		v->d[i] = fake_vfio_add(v->k, bdf, groups != NULL ? groups[i] : 10 + i, v->f[i]);
	}
}

int vrig_open(struct vrig *v, unsigned i, const char *via, const char *more)
{
	struct plx_opts *opts;
	char text[128];
	int err;

	snprintf(text, sizeof(text), "pci:0000:00:10.%u,via=%s%s", i, via, more);
	CHECK_EQ(plx_opts_parse(text, &opts), 0);
	err = plx_pci_open(v->ctx, opts, &v->dev[i]);
	plx_opts_free(opts);
	if (err < 0)
		CHECK(v->dev[i] == NULL && plx_errmsg()[0] != '\0');
	return err;
}

void vrig_close(struct vrig *v, unsigned i)
{
	plx_pci_close(v->dev[i]);
	v->dev[i] = NULL;
}

void vrig_end(struct vrig *v)
{
	for (unsigned i = 0; i < RIG_DEVS; i++)
		vrig_close(v, i);
	CHECK_STR(fake_vfio_left(v->k), "");
	plx_ctx_close(v->ctx);
	fake_vfio_free(v->k);
	for (unsigned i = 0; i < RIG_DEVS; i++)
		fake_free(v->f[i]);
	CHECK_EQ(unit_fds(), v->fds);
}

struct plx_arena *vrig_arena(struct vrig *v, size_t len, uint32_t flags, struct plx_dma *dma)
{
	struct plx_arena_opts o = PLX_ARENA_OPTS_INIT;
	struct plx_arena *arena;

	o.flags = flags;
	CHECK_STR(plx_arena_create(v->ctx, &o, &arena) == 0 ? "" : plx_errmsg(), "");
	CHECK_STR(plx_arena_alloc(arena, len, 4096, dma) == 0 ? "" : plx_errmsg(), "");
	return arena;
}

bool vrig_writes(struct vrig *v, unsigned i, uint64_t iova)
{
	const uint64_t x = 0x0123456789abcdef;

	CHECK_EQ(plx_pci_set_master(v->dev[i], true), 0);
	return fake_dma_write(v->f[i], iova, &x, sizeof(x)) == 0;
}

bool vrig_reads(struct vrig *v, unsigned i, uint64_t iova)
{
	uint64_t x;

	CHECK_EQ(plx_pci_set_master(v->dev[i], true), 0);
	return fake_dma_read(v->f[i], iova, &x, sizeof(x)) == 0;
}
