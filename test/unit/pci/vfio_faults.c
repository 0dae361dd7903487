/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All that is done with devices over `pci:`, gone through with each system call failing, or answering
 * nonsense, at each place: nothing crashes, an error has a text, nothing is left, and once the fault is
 * over all works. What a driver does with it is in fake-e1000_vfio.
 */
#include "vfio_rig.h"

/* Places of a call that are tried, if there are more; UNIT_FACTOR times as many. */
#define PER_SITE 12u

static const int errnos[] = {EIO, ENOMEM, EINVAL, EAGAIN};
enum { KINDS = PLX_ARRAY_SIZE(errnos) + FAKE_VFIO_LIES };

struct tally {
	uint64_t runs, failed, struck;
};

static bool use(struct vrig *v, struct plx_pci_dev *dev)
{
	enum plx_irq_type type;
	struct plx_dma ring;
	struct plx_win w;
	uint32_t got;
	bool ok;

	ok = unit_fine(plx_pci_win(dev, 0, 0x1000, 0x1000, &w));
	if (ok) {
		plx_wr32(&w, 4, 7);
		(void)plx_rd32(&w, 4);
		plx_pci_win_close(&w);
	}
	if (unit_fine(plx_pci_irq_enable(dev, 2, &got, &type)))
		plx_pci_irq_disable(dev);
	else
		ok = false;
	if (unit_fine(plx_pci_dma_alloc(dev, 4096, 4096, &ring)))
		plx_pci_dma_free(dev, &ring);
	else
		ok = false;
	ok &= unit_fine(plx_pci_set_master(dev, true));
	ok &= unit_fine(plx_pci_reset(dev));
	plx_ctx_poll(v->ctx);
	return ok;
}

/* A shared device and a private one that reaches the same pool; true: nothing failed. */
static bool life(struct vrig *v, const char *via)
{
	struct plx_arena_opts ao = PLX_ARENA_OPTS_INIT;
	struct plx_arena *a = NULL;
	bool ok = true;

	ok &= vrig_open(v, 0, via, "") == 0;
	ok &= vrig_open(v, 1, via, ",iommu=private") == 0;
	ao.reserve = 64 * 1024;
	ok &= unit_fine(plx_arena_create(v->ctx, &ao, &a));
	if (a != NULL && v->dev[1] != NULL)
		ok &= unit_fine(plx_domain_map(plx_pci_domain(v->dev[1]), a));
	for (unsigned i = 0; i < 2; i++)
		ok &= v->dev[i] != NULL && use(v, v->dev[i]);
	vrig_close(v, 0);
	vrig_close(v, 1);
	plx_arena_destroy(a);
	return ok;
}

/* The second one can be reset by its bus alone. */
static void begin(struct vrig *v)
{
	vrig_new(v, NULL, 2, NULL);
	v->d[1]->no_reset = true;
	v->d[1]->reset_set = 1;
	v->f[1]->cfg[v->f[1]->cap_pm + 4] |= 8;
}

static bool applies(enum fake_vfio_call call, unsigned kind)
{
	unsigned lie = kind - (unsigned)PLX_ARRAY_SIZE(errnos);

	if (kind < PLX_ARRAY_SIZE(errnos))
		return true;
	return lie != FAKE_VFIO_TRUE && fake_vfio_lie_applies(call, (enum fake_vfio_lie)lie);
}

static void one(
	const char *via, enum fake_vfio_call call, unsigned kind, uint64_t n, struct tally *t)
{
	static struct vrig v;
	unsigned lie = kind - (unsigned)PLX_ARRAY_SIZE(errnos);

	begin(&v);
	if (kind < PLX_ARRAY_SIZE(errnos))
		fake_vfio_fail(v.k, call, n, errnos[kind]);
	else
		fake_vfio_lie(v.k, call, n, (enum fake_vfio_lie)lie);
	plx_err_clear();
	t->failed += !life(&v, via);
	t->runs++;
	t->struck += fake_vfio_struck(v.k);
	CHECK_STR(fake_vfio_left(v.k), "");
	fake_vfio_heal(v.k);
	CHECK_STR(life(&v, via) ? "" : plx_errmsg(), "");
	vrig_end(&v);
}

static void each_with_each(const char *via)
{
	unsigned per_site = PLX_MAX(unit_rounds(PER_SITE), PER_SITE);
	uint64_t seen[FAKE_VFIO_CALLS];
	static struct vrig v;

	begin(&v);
	CHECK_STR(life(&v, via) ? "" : plx_errmsg(), "");
	for (int c = 0; c < FAKE_VFIO_CALLS; c++)
		seen[c] = fake_vfio_count(v.k, (enum fake_vfio_call)c);
	vrig_end(&v);
	for (int c = 0; c < FAKE_VFIO_CALLS; c++) {
		struct tally t = {0, 0, 0};
		uint64_t step = (seen[c] + per_site - 1) / per_site;

		for (unsigned k = 0; k < KINDS && seen[c] != 0; k++)
			for (uint64_t n = 1; n <= seen[c]; n += step)
				if (applies((enum fake_vfio_call)c, k))
					one(via, (enum fake_vfio_call)c, k, n, &t);
		CHECK_EQ(t.struck, t.runs);
		if (seen[c] != 0)
			printf("# %-32s %3llu calls, %4llu faults, %4llu lives failed\n",
				fake_vfio_call_name((enum fake_vfio_call)c),
				(unsigned long long)seen[c], (unsigned long long)t.struck,
				(unsigned long long)t.failed);
	}
}

TEST(vfio_faults, each_call_by_groups_with_each_fault)
{
	each_with_each("group");
}

TEST(vfio_faults, each_call_by_cdev_with_each_fault)
{
	each_with_each("cdev");
}
