/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Error paths of the vmxnet3 driver: a port's whole life is gone through with one fault at one access
 * of one site, for each site, each kind of fault and each access; then with random faults.
 *
 * Whatever happens: no crash, no hang, an error with a text or none, nothing left behind; and once
 * the fault is over, plx_port_reset() or a new open brings traffic back.
 */
#include <errno.h>
#include <stdio.h>

#include "vmxnet3_rig.h"

/* More than so many accesses of a site are tried in steps, unless UNIT_FACTOR says so. */
#define PER_SITE 60u

struct tally {
	uint64_t sites[FAKE_SITES][FAKE_FAULTS]; /* runs in which the fault struck */
	uint64_t failed, reset, reopened;
};

static bool filters(struct rig *r)
{
	const struct plx_mac mac = {{0x02, 0, 0, 0, 0, 0x11}};
	const struct plx_mac list[2] = {{{1, 0, 0x5e, 0, 0, 1}}, {{1, 0, 0x5e, 0, 0, 2}}};
	bool ok;

	ok = unit_fine(plx_port_set_promisc(r->port, true));
	ok &= unit_fine(plx_port_set_allmulti(r->port, true));
	ok &= unit_fine(plx_port_set_mac(r->port, &mac));
	ok &= unit_fine(plx_port_set_mac(r->port, &r->info.mac));
	ok &= unit_fine(plx_port_set_mcast(r->port, list, 2));
	ok &= unit_fine(plx_port_vlan_filter(r->port, 7, true));
	ok &= unit_fine(plx_port_vlan_filter(r->port, 7, false));
	ok &= unit_fine(plx_port_vlan_strip(r->port, true));
	ok &= unit_fine(plx_port_vlan_strip(r->port, false));
	return ok;
}

static bool settings(struct rig *r)
{
	static uint8_t key[40] = {7, 1};
	static uint16_t table[128];
	const struct plx_rss rss = {.key = key,
		.key_len = sizeof(key),
		.fields = PLX_RSS_IPV4 | PLX_RSS_IPV4_TCP,
		.table = table,
		.table_len = PLX_ARRAY_SIZE(table)};
	struct plx_xstat x[8];
	struct plx_desc d[8];
	uint16_t n_desc;
	bool ok = filters(r);
	size_t n;
	int fd;

	ok &= unit_fine(plx_port_set_rss(r->port, &rss));
	ok &= unit_fine(plx_port_xstats(r->port, x, 8, &n));
	ok &= unit_fine(plx_port_regs(r->port, x, 8, &n));
	ok &= unit_fine(plx_rxq_descs(r->rxq, 0, d, 8, &n_desc));
	ok &= unit_fine(plx_rxq_set_moderation(r->rxq, 50000));
	fd = plx_rxq_fd(r->rxq);
	ok &= unit_fine(fd < 0 ? fd : 0);
	if (fd >= 0) {
		unit_fine(plx_rxq_arm(r->rxq, true));
		unit_fine(plx_rxq_arm(r->rxq, false));
	}
	return ok;
}

/* What a stopped port says of its packets. */
static void accounts(struct rig *r)
{
	struct plx_port_stats s = {0};

	/* counters are the program's own memory: they do not depend on the device */
	if (plx_port_stats(r->port, &s) < 0)
		return;
	CHECK_EQ(s.tx_packets, s.tx_done);
	CHECK_EQ(s.rx_packets, r->freed);
}

/* Stops; whatever failed, the device then leaves memory alone: the buffers are the pool's again. */
static bool stop(struct rig *r)
{
	const bool ok = unit_fine(plx_port_stop(r->port));
	const uint64_t before = fake_count(r->f, FAKE_DMA_WRITE) + fake_count(r->f, FAKE_DMA_READ);
	uint8_t frame[100];

	rig_frame(frame, 0, 100);
	fake_vmxnet3_rx(r->m, frame, 100);
	fake_advance(r->f, MS);
	CHECK_EQ(fake_count(r->f, FAKE_DMA_WRITE) + fake_count(r->f, FAKE_DMA_READ), before);
	if (r->f->struck == 0)
		CHECK(!fake_master(r->f));
	return ok;
}

/* The life of a port; true: nothing failed. */
static bool life(struct rig *r)
{
	struct plx_port_stats s;
	bool ok;

	if (!unit_fine(rig_open(r)))
		return false;
	ok = unit_fine(rig_set_up(r));
	if (r->rxq == NULL || r->txq == NULL)
		return false;
	ok &= unit_fine(plx_port_start(r->port));
	ok &= unit_fine(rig_link(r));
	rig_try_traffic(r, 4);
	fake_vmxnet3_event(r->m, 1u << 3);
	plx_ctx_poll(r->ctx);
	ok &= unit_fine(plx_port_stats(r->port, &s));
	ok &= settings(r);
	rig_try_traffic(r, 2);
	ok &= unit_fine(plx_port_reset(r->port));
	ok &= unit_fine(rig_link(r));
	rig_try_traffic(r, 4);
	ok &= stop(r);
	ok &= unit_fine(plx_port_start(r->port));
	rig_try_traffic(r, 2);
	ok &= stop(r);
	accounts(r);
	ok &= unit_fine(plx_port_stats_reset(r->port));
	return ok;
}

/* The fault is over: the port works again, by a reset or by a new open. */
static void recover(struct rig *r, struct tally *t)
{
	fake_heal(r->f);
	if (r->port != NULL && r->rxq != NULL && r->txq != NULL && plx_port_reset(r->port) == 0 &&
		plx_port_start(r->port) == 0) {
		t->reset++;
	} else {
		rig_close(r);
		rig_up(r);
		t->reopened++;
	}
	CHECK_STR(rig_link(r) == 0 ? "" : plx_errmsg(), "");
	rig_traffic(r, 4);
	CHECK(stop(r));
}

/* One queue each way; or two, with RSS, chains and everything else. */
static void begin(struct rig *r, uint16_t queues)
{
	rig_begin(r, 0);
	r->conf.n_rxq = r->conf.n_txq = queues;
	if (queues == 1)
		return;
	r->room = PLX_MBUF_HEADROOM + 512;
	r->conf.rx_offloads = PLX_RX_OFFLOAD_RSS_HASH | PLX_RX_OFFLOAD_SCATTER |
			      PLX_RX_OFFLOAD_CKSUM | PLX_RX_OFFLOAD_LRO;
	r->conf.tx_offloads = PLX_TX_OFFLOAD_MULTI_SEG;
}

static void one(
	enum fake_site site, enum fake_fault fault, uint64_t n, uint16_t queues, struct tally *t)
{
	static struct rig r;

	rig_isa = n % 2 == 0 ? PLX_ISA_SCALAR : PLX_ISA_AUTO;
	begin(&r, queues);
	fake_inject(r.f, site, n, fault);
	plx_err_clear();
	if (!life(&r))
		t->failed++;
	t->sites[site][fault] += r.f->struck;
	recover(&r, t);
	rig_end(&r);
}

static void print_table(const struct tally *t, const uint64_t *seen)
{
	printf("# %-20s %8s", "site", "accesses");
	for (int f = FAKE_FAIL; f < FAKE_FAULTS; f++)
		printf(" %10s", fake_fault_name((enum fake_fault)f));
	printf("\n");
	for (int s = 0; s < FAKE_SITES; s++) {
		printf("# %-20s %8llu", fake_site_name((enum fake_site)s),
			(unsigned long long)seen[s]);
		for (int f = FAKE_FAIL; f < FAKE_FAULTS; f++)
			if (fake_fault_applies((enum fake_site)s, (enum fake_fault)f))
				printf(" %10llu", (unsigned long long)t->sites[s][f]);
			else
				printf(" %10s", "-");
		printf("\n");
	}
	printf("# a call failed in %llu runs; recovered by reset in %llu, by a new open in %llu\n",
		(unsigned long long)t->failed, (unsigned long long)t->reset,
		(unsigned long long)t->reopened);
}

/* One life without faults: how often each site is passed. */
static void dry_run(uint16_t queues, uint64_t *seen)
{
	static struct rig r;

	begin(&r, queues);
	CHECK(life(&r));
	for (int s = 0; s < FAKE_SITES; s++)
		seen[s] = fake_count(r.f, (enum fake_site)s);
	rig_end_clean(&r);
}

static void each_with_each(uint16_t queues)
{
	struct tally t = {0};
	uint64_t seen[FAKE_SITES];
	unsigned per_site = PLX_MAX(unit_rounds(PER_SITE), PER_SITE), fds;

	dry_run(queues, seen);
	fds = unit_fds();
	for (int s = 0; s < FAKE_SITES; s++) {
		for (int f = FAKE_FAIL; f < FAKE_FAULTS; f++) {
			const enum fake_site site = (enum fake_site)s;
			const enum fake_fault fault = (enum fake_fault)f;
			const uint64_t step = PLX_MAX(seen[s] / per_site, UINT64_C(1));

			if (!fake_fault_applies(site, fault))
				continue;
			for (uint64_t n = 1; n <= seen[s]; n += step)
				one(site, fault, n, queues, &t);
			CHECK(seen[s] == 0 || t.sites[s][f] != 0);
		}
	}
	print_table(&t, seen);
	CHECK_EQ(unit_fds(), fds);
	CHECK(t.reset > 0);
	CHECK(t.reopened > 0);
}

TEST(vmxnet3_faults, each_site_with_each_fault)
{
	each_with_each(1);
}

TEST(vmxnet3_faults, each_site_with_each_fault_of_two_queues_with_all_offloads)
{
	each_with_each(2);
}

static uint32_t roll(uint32_t *dice, uint32_t n)
{
	*dice = *dice * 1664525u + 1013904223u;
	return (*dice >> 16) % n;
}

/* A fault of a device that stays, soon, anywhere. */
static void plan_fault(struct rig *r, uint32_t *dice)
{
	const enum fake_site site = (enum fake_site)roll(dice, FAKE_SITES);
	const enum fake_fault fault = (enum fake_fault)roll(dice, FAKE_FAULTS);

	if (fault != FAKE_OK && fault != FAKE_GONE && fake_fault_applies(site, fault))
		fake_inject(r->f, site, 1 + roll(dice, 8), fault);
}

/* A life with random faults under traffic; control calls and resets in between. */
static void random_life(struct rig *r, uint32_t seed, bool planned)
{
	uint32_t dice = seed;

	for (unsigned i = 0; i < 60 && !r->f->gone; i++) {
		struct plx_port_stats s;

		if (planned)
			plan_fault(r, &dice);
		rig_try_traffic(r, 3);
		switch (roll(&dice, 12)) {
		case 0:
			unit_fine(plx_port_stats(r->port, &s));
			break;
		case 1:
			settings(r);
			break;
		case 2:
			unit_fine(rig_link(r));
			break;
		case 3:
			unit_fine(plx_port_reset(r->port));
			break;
		case 4:
			unit_fine(plx_port_stop(r->port));
			break;
		case 5:
			unit_fine(plx_port_start(r->port));
			break;
		case 6:
			plx_ctx_poll(r->ctx);
			break;
		}
	}
}

TEST(vmxnet3_faults, random_seeds_lose_no_packet)
{
	static struct rig r;
	static struct tally t;
	const unsigned seeds = PLX_MIN(unit_rounds(300), 5000u);
	uint64_t struck = 0;

	for (unsigned seed = 1; seed <= seeds; seed++) {
		rig_isa = seed % 3 == 0 ? PLX_ISA_SCALAR : PLX_ISA_AUTO;
		begin(&r, 1 + seed / 2 % 2);
		rig_up(&r);
		if (seed % 2 == 0) /* devices that may leave, too */
			fake_random(r.f, seed * UINT64_C(0x9e3779b97f4a7c15), 1u << (seed % 16));
		random_life(&r, seed, seed % 2 != 0);
		fake_random(r.f, 0, 0);
		CHECK_EQ(plx_port_stop(r.port), 0);
		accounts(&r);
		plx_ctx_poll(r.ctx);
		struck += r.f->struck;
		recover(&r, &t);
		rig_end(&r);
	}
	printf("# %u seeds, %llu faults; recovered by reset in %llu, by a new open in %llu\n",
		seeds, (unsigned long long)struck, (unsigned long long)t.reset,
		(unsigned long long)t.reopened);
	CHECK(struck > 0);
}

/* BARs that cannot be mapped; where they can, the sites above see none of the accesses. */
TEST(vmxnet3_faults, a_window_that_cannot_be_mapped)
{
	for (uint64_t n = 1; n <= 2; n++) {
		static struct rig r;

		rig_begin(&r, 0);
		r.f->bars[0].flags |= FAKE_BAR_MAPPED;
		r.f->bars[1].flags |= FAKE_BAR_MAPPED;
		fake_inject(r.f, FAKE_WINDOW, n, FAKE_FAIL);
		CHECK_EQ(rig_open(&r), -EIO);
		CHECK_HAS(plx_errmsg(), "mapping fails as planned");
		CHECK_EQ(r.f->n_windows, 0);
		r.f->bars[0].flags = r.f->bars[1].flags = 0;
		rig_up(&r);
		rig_traffic(&r, 4);
		rig_end_clean(&r);
	}
}

/* The command that starts the device does not go well: the error names it. */
TEST(vmxnet3_faults, a_device_that_does_not_start)
{
	static struct rig r;

	rig_begin(&r, 0);
	CHECK_EQ(rig_open(&r), 0);
	CHECK_EQ(rig_set_up(&r), 0);
	fake_vmxnet3_refuse(r.m, 0xcafe0000);
	CHECK_EQ(plx_port_start(r.port), -ETIMEDOUT);
	CHECK_HAS(plx_errmsg(), "ACTIVATE_DEV: to start");
	CHECK(!fake_master(r.f));
	fake_vmxnet3_refuse(r.m, 0);
	CHECK_EQ(plx_port_start(r.port), 0);
	CHECK_EQ(rig_link(&r), 0);
	rig_traffic(&r, 4);
	rig_end_clean(&r);
}

/* A device that does not obey its reset is refused; at stop, memory is out of its reach all the same. */
TEST(vmxnet3_faults, a_reset_that_does_not_end)
{
	static struct rig r;

	rig_begin(&r, 0);
	fake_vmxnet3_refuse(r.m, 0xcafe0002);
	CHECK_EQ(rig_open(&r), -ETIMEDOUT);
	CHECK_HAS(plx_errmsg(), "RESET_DEV");
	fake_vmxnet3_refuse(r.m, 0);
	rig_up(&r);
	fake_vmxnet3_refuse(r.m, 0xcafe0001);
	CHECK_EQ(plx_port_stop(r.port), 0);
	CHECK(!fake_master(r.f));
	CHECK_EQ(plx_port_reset(r.port), 0);
	fake_vmxnet3_refuse(r.m, 0);
	CHECK_EQ(plx_port_start(r.port), 0);
	CHECK_EQ(rig_link(&r), 0);
	rig_traffic(&r, 4);
	rig_end_clean(&r);
}

/* What the device says of itself: revisions and address. */
TEST(vmxnet3_faults, a_device_that_cannot_be_used)
{
	static const struct {
		struct fake_vmxnet3_opts o;
		int err;
		const char *says;
	} table[] = {
		{{.mac = {0, 0x50}, .revs = 4, .upts = 1}, -ENOTSUP, "VRRS 0x00000004"},
		{{.mac = {0, 0x50}, .revs = 0, .upts = 1}, -ENOTSUP, "VRRS 0x00000000"},
		{{.mac = {0, 0x50}, .revs = 1, .upts = 2}, -ENOTSUP, "UVRS 0x00000002"},
		{{.mac = {0}, .revs = 1, .upts = 1}, -EINVAL, "MAC address"},
		{{.mac = {1}, .revs = 1, .upts = 1}, -EINVAL, "MAC address"},
	};

	for (size_t i = 0; i < PLX_ARRAY_SIZE(table); i++) {
		static struct rig r;

		rig_model = &table[i].o;
		rig_begin(&r, 0);
		CHECK_EQ(rig_open(&r), table[i].err);
		CHECK_HAS(plx_errmsg(), table[i].says);
		rig_end_clean(&r);
		rig_model = NULL;
	}
}
