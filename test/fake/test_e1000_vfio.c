/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A whole port over `pci:`: the e1000 driver on a model of the 82574L behind a made-up kernel, by groups
 * and by cdev. It works; it is taken away; and its life is gone through with each system call failing,
 * or answering nonsense, once.
 */
#include <errno.h>
#include <unistd.h>

#include "e1000_rig.h"
#include "fake_vfio.h"

/* Calls of a site that are tried, if there are more; UNIT_FACTOR times as many. */
#define PER_SITE 6u

struct port {
	struct rig r;
	struct fake_vfio *k;
	struct fake_vfio_dev *d;
	char device[64];
};

/* Time is the system's: a transport to real devices cannot move it. */
static const struct fake_82574_opts quick = {
	.mac = {0x00, 0x1b, 0x21, 0x00, 0x00, 0x01},
	.reset_ns = 1000,
	.nvm_ns = 1000,
	.mdic_ns = 100,
	.link_ns = 1000000,
	.wall_clock = true,
};

static void begin(struct port *p, const char *via)
{
	memset(p, 0, sizeof(*p));
	rig_model = &quick;
	rig_begin(&p->r, 0);
	p->k = fake_vfio_new(NULL);
	p->d = fake_vfio_add(p->k, "0000:00:10.0", 7, p->r.f);
	CHECK_EQ(plx_vfio_sys_set(p->r.ctx, fake_vfio_sys(p->k)), 0);
	snprintf(p->device, sizeof(p->device), "pci:0000:00:10.0,via=%s", via);
	p->r.device = p->device;
}

/* The port was closed. */
static void end(struct port *p)
{
	char violation[200];

	rig_close(&p->r);
	CHECK_STR(fake_vfio_left(p->k), "");
	plx_ctx_close(p->r.ctx);
	CHECK_STR(fake_vfio_left(p->k), "");
	fake_vfio_free(p->k);
	snprintf(violation, sizeof(violation), "%s", fake_82574_violation(p->r.m, 0));
	fake_82574_free(p->r.m);
	CHECK_STR(violation, "");
}

#define EACH_VIA(via) \
	for (const char *via = "group"; via != NULL; via = via[0] == 'g' ? "cdev" : NULL)

TEST(e1000_vfio, frames_go_both_ways)
{
	static struct port p;

	EACH_VIA(via)
	{
		begin(&p, via);
		rig_up(&p.r);
		rig_traffic(&p.r, 64);
		CHECK_EQ(plx_port_reset(p.r.port), 0);
		CHECK_EQ(rig_start(&p.r), 0);
		CHECK_EQ(rig_link(&p.r), 0);
		rig_traffic(&p.r, 64);
		CHECK_EQ(p.r.f->dma_faults, 0);
		CHECK_EQ(plx_port_stop(p.r.port), 0);
		end(&p);
	}
}

/* Control work looks at it a few times a second. */
static bool becomes_gone(struct port *p)
{
	for (unsigned ms = 0; ms < 10000; ms++) {
		plx_ctx_poll(p->r.ctx);
		if (plx_rxq_state(p->r.rxq, NULL) == PLX_QUEUE_GONE &&
			plx_txq_state(p->r.txq, NULL) == PLX_QUEUE_GONE)
			return true;
		usleep(1000);
	}
	return false;
}

TEST(e1000_vfio, a_device_that_the_kernel_wants_back_is_gone)
{
	static struct port p;

	EACH_VIA(via)
	{
		struct plx_mbuf *m = NULL;

		begin(&p, via);
		rig_up(&p.r);
		rig_traffic(&p.r, 4);
		fake_vfio_request(p.d);
		CHECK(becomes_gone(&p));
		CHECK_EQ(plx_rx_burst(p.r.rxq, &m, 1), 0);
		CHECK_EQ(plx_port_reset(p.r.port), -ENODEV);
		CHECK_HAS(plx_errmsg(), "gone");
		/* Closing it is what the kernel waits for. */
		CHECK_EQ(p.d->open_count, 1);
		end(&p);
	}
}

TEST(e1000_vfio, a_device_that_was_pulled_out_is_gone)
{
	static struct port p;

	EACH_VIA(via)
	{
		begin(&p, via);
		rig_up(&p.r);
		rig_traffic(&p.r, 4);
		fake_remove(p.r.f);
		CHECK(becomes_gone(&p));
		end(&p);
	}
}

/* ---- each call with each fault ---- */

static const int errnos[] = {EIO, ENOMEM, EINVAL, EBUSY};
enum { KINDS = PLX_ARRAY_SIZE(errnos) + FAKE_VFIO_LIES };

struct tally {
	uint64_t struck[FAKE_VFIO_CALLS][KINDS]; /* runs */
	uint64_t runs, failed;
};

/* Open, start, some traffic, reset, stop; closing is the caller's. True: nothing failed. */
static bool life(struct port *p)
{
	struct rig *r = &p->r;
	bool ok;

	if (!unit_fine(rig_open(r)))
		return false;
	ok = unit_fine(rig_set_up(r));
	if (r->rxq == NULL || r->txq == NULL)
		return false;
	ok &= unit_fine(rig_start(r));
	ok &= unit_fine(rig_link(r));
	rig_try_traffic(r, 2);
	plx_ctx_poll(r->ctx);
	ok &= unit_fine(plx_port_reset(r->port));
	ok &= unit_fine(plx_port_stop(r->port));
	return ok;
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
	static struct port p;
	unsigned lie = kind - (unsigned)PLX_ARRAY_SIZE(errnos);

	begin(&p, via);
	if (kind < PLX_ARRAY_SIZE(errnos))
		fake_vfio_fail(p.k, call, n, errnos[kind]);
	else
		fake_vfio_lie(p.k, call, n, (enum fake_vfio_lie)lie);
	plx_err_clear();
	if (!life(&p))
		t->failed++;
	rig_close(&p.r); /* with the fault, if it is one of closing */
	t->struck[call][kind] += fake_vfio_struck(p.k);
	t->runs++;
	/* The fault is over: all works. */
	fake_vfio_heal(p.k);
	fake_heal(p.r.f);
	CHECK_STR(rig_open(&p.r) == 0 ? "" : plx_errmsg(), "");
	CHECK_STR(rig_set_up(&p.r) == 0 ? "" : plx_errmsg(), "");
	CHECK_STR(rig_start(&p.r) == 0 ? "" : plx_errmsg(), "");
	CHECK_STR(rig_link(&p.r) == 0 ? "" : plx_errmsg(), "");
	rig_traffic(&p.r, 2);
	CHECK_EQ(plx_port_stop(p.r.port), 0);
	end(&p);
}

static void print_table(const struct tally *t, const uint64_t *seen)
{
	static const char *const heads[] = {"EIO", "ENOMEM", "EINVAL", "EBUSY"};

	printf("# %-32s %5s", "call", "calls");
	for (unsigned k = 0; k < KINDS; k++)
		if (k < PLX_ARRAY_SIZE(errnos))
			printf(" %7s", heads[k]);
		else if (k > PLX_ARRAY_SIZE(errnos))
			printf(" %7s", fake_vfio_lie_name(
					       (enum fake_vfio_lie)(k - PLX_ARRAY_SIZE(errnos))));
	printf("\n");
	for (int c = 0; c < FAKE_VFIO_CALLS; c++) {
		if (seen[c] == 0)
			continue;
		printf("# %-32s %5llu", fake_vfio_call_name((enum fake_vfio_call)c),
			(unsigned long long)seen[c]);
		for (unsigned k = 0; k < KINDS; k++) {
			if (k == PLX_ARRAY_SIZE(errnos))
				continue;
			if (applies((enum fake_vfio_call)c, k))
				printf(" %7llu", (unsigned long long)t->struck[c][k]);
			else
				printf(" %7s", "-");
		}
		printf("\n");
	}
	printf("# %llu runs; a call of the library failed in %llu\n", (unsigned long long)t->runs,
		(unsigned long long)t->failed);
}

/* One life without faults: how often each call is made, closing included. */
static void dry_run(const char *via, uint64_t *seen)
{
	static struct port p;

	begin(&p, via);
	CHECK_STR(life(&p) ? "" : plx_errmsg(), "");
	rig_close(&p.r);
	for (int c = 0; c < FAKE_VFIO_CALLS; c++)
		seen[c] = fake_vfio_count(p.k, (enum fake_vfio_call)c);
	end(&p);
}

static void each_with_each(const char *via)
{
	static struct tally t;
	uint64_t seen[FAKE_VFIO_CALLS];
	unsigned per_site = PLX_MAX(unit_rounds(PER_SITE), PER_SITE), fds;

	memset(&t, 0, sizeof(t));
	dry_run(via, seen);
	fds = unit_fds();
	for (int c = 0; c < FAKE_VFIO_CALLS; c++) {
		uint64_t step = (seen[c] + per_site - 1) / per_site;

		for (unsigned k = 0; k < KINDS && seen[c] != 0; k++) {
			if (!applies((enum fake_vfio_call)c, k))
				continue;
			for (uint64_t n = 1; n <= seen[c]; n += step)
				one(via, (enum fake_vfio_call)c, k, n, &t);
			CHECK(t.struck[c][k] != 0);
		}
	}
	print_table(&t, seen);
	CHECK_EQ(unit_fds(), fds);
	CHECK(t.failed > 0);
}

TEST(e1000_vfio, each_call_by_groups_with_each_fault)
{
	each_with_each("group");
}

TEST(e1000_vfio, each_call_by_cdev_with_each_fault)
{
	each_with_each("cdev");
}
