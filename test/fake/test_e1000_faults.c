/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Error paths of the e1000 driver: a port's whole life is gone through with one fault at one access
 * of one site, for each site, each kind of fault and each access; then with random faults.
 *
 * Whatever happens: no crash, no hang, an error with a text or none, nothing left behind; and once
 * the fault is over, plx_port_reset() or a new open brings traffic back.
 */
#include <errno.h>
#include <stdio.h>

#include "e1000_rig.h"

/* More than so many accesses of a site are tried in steps, unless UNIT_FACTOR says so. */
#define PER_SITE 60u

struct tally {
	uint64_t sites[FAKE_SITES][FAKE_FAULTS]; /* runs in which the fault struck */
	uint64_t failed, reset, reopened;
};

static bool settings(struct rig *r)
{
	const struct plx_mac mac = {{0x02, 0, 0, 0, 0, 0x11}};
	const struct plx_mac list[2] = {{{1, 0, 0x5e, 0, 0, 1}}, {{1, 0, 0x5e, 0, 0, 2}}};
	static uint8_t key[40];
	static uint16_t table[128];
	const struct plx_rss rss = {.key = key,
		.key_len = sizeof(key),
		.fields = PLX_RSS_IPV4 | PLX_RSS_IPV4_TCP,
		.table = table,
		.table_len = PLX_ARRAY_SIZE(table)};
	struct plx_xstat x[8];
	size_t n;
	bool ok;

	ok = unit_fine(plx_port_set_promisc(r->port, true));
	ok &= unit_fine(plx_port_set_allmulti(r->port, true));
	ok &= unit_fine(plx_port_set_mac(r->port, &mac));
	ok &= unit_fine(plx_port_set_mac(r->port, &r->info.mac));
	ok &= unit_fine(plx_port_set_mcast(r->port, list, 2));
	ok &= unit_fine(plx_port_vlan_filter(r->port, 7, true));
	ok &= unit_fine(plx_port_vlan_filter(r->port, 7, false));
	for (unsigned i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	ok &= unit_fine(plx_port_set_rss(r->port, &rss));
	ok &= unit_fine(plx_port_get_rss(r->port, NULL, table, NULL));
	ok &= unit_fine(plx_port_xstats(r->port, x, 8, &n));
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
	bool ok = unit_fine(plx_port_stop(r->port));
	uint64_t before = fake_count(r->f, FAKE_DMA_WRITE) + fake_count(r->f, FAKE_DMA_READ);
	uint8_t frame[100];

	rig_frame(frame, 0, 100);
	fake_82574_rx(r->m, frame, 100, 0);
	fake_advance(r->f, LINK_NS);
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
	ok &= unit_fine(rig_start(r));
	ok &= unit_fine(rig_link(r));
	rig_try_traffic(r, 4);
	plx_ctx_poll(r->ctx);
	ok &= unit_fine(plx_port_stats(r->port, &s));
	ok &= settings(r);
	ok &= unit_fine(plx_port_reset(r->port));
	ok &= unit_fine(rig_link(r));
	rig_try_traffic(r, 4);
	ok &= stop(r);
	ok &= unit_fine(rig_start(r));
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
		rig_start(r) == 0) {
		t->reset++;
	} else {
		rig_close(r);
		CHECK_STR(rig_open(r) == 0 ? "" : plx_errmsg(), "");
		CHECK_STR(rig_set_up(r) == 0 ? "" : plx_errmsg(), "");
		CHECK_STR(rig_start(r) == 0 ? "" : plx_errmsg(), "");
		t->reopened++;
	}
	CHECK_STR(rig_link(r) == 0 ? "" : plx_errmsg(), "");
	rig_traffic(r, 4);
	CHECK(stop(r));
}

/* One queue each way, or two with RSS. */
static void begin(struct rig *r, uint16_t queues)
{
	rig_begin(r, 0);
	r->conf.n_rxq = r->conf.n_txq = queues;
	if (queues > 1)
		r->conf.rx_offloads = PLX_RX_OFFLOAD_RSS_HASH;
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
	CHECK_STR(fake_82574_violation(r.m, 0), "");
	rig_end(&r);
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
			enum fake_site site = (enum fake_site)s;
			enum fake_fault fault = (enum fake_fault)f;
			uint64_t step = PLX_MAX(seen[s] / per_site, UINT64_C(1));

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

TEST(e1000_faults, each_site_with_each_fault)
{
	each_with_each(1);
}

TEST(e1000_faults, each_site_with_each_fault_of_two_queues_with_rss)
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
	enum fake_site site = (enum fake_site)roll(dice, FAKE_SITES);
	enum fake_fault fault = (enum fake_fault)roll(dice, FAKE_FAULTS);

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
			unit_fine(rig_start(r));
			break;
		case 6:
			plx_ctx_poll(r->ctx);
			break;
		}
	}
}

TEST(e1000_faults, random_seeds_lose_no_packet)
{
	static struct rig r;
	static struct tally t;
	unsigned seeds = PLX_MIN(unit_rounds(300), 5000u);
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

/* Registers that cannot be mapped; where they can, the sites above see none of the accesses. */
TEST(e1000_faults, a_window_that_cannot_be_mapped)
{
	static struct rig r;

	rig_begin(&r, 0);
	r.f->bars[0].flags |= FAKE_BAR_MAPPED;
	fake_inject(r.f, FAKE_WINDOW, 1, FAKE_FAIL);
	CHECK_EQ(rig_open(&r), -EIO);
	CHECK_HAS(plx_errmsg(), "mapping fails as planned");
	CHECK(r.port == NULL);
	CHECK_EQ(r.f->n_windows, 0);
	r.f->bars[0].flags = 0;
	rig_up(&r);
	rig_traffic(&r, 4);
	rig_end(&r);
}

TEST(e1000_faults, a_phy_that_does_not_answer)
{
	static struct rig r;
	struct plx_link link;

	rig_begin(&r, 0);
	fake_82574_phy_error(r.m, true);
	CHECK_EQ(rig_open(&r), -EIO);
	CHECK_HAS(plx_errmsg(), "PHY");
	fake_82574_phy_error(r.m, false);
	rig_up(&r);
	fake_82574_phy_error(r.m, true);
	CHECK_EQ(plx_port_link(r.port, true, &link), -EIO);
	CHECK_HAS(plx_errmsg(), "PHY");
	fake_82574_phy_error(r.m, false);
	rig_traffic(&r, 4);
	rig_end(&r);
}

/* Registers that never say what they should: each wait has its limit. */
TEST(e1000_faults, registers_that_stick)
{
	static const struct {
		uint32_t off, mask, value;
		int err;
		const char *says;
	} table[] = {
		{0x0000, 1u << 26, 1u << 26, -ETIMEDOUT, "RST"},
		{0x0020, 1u << 28, 0, -ETIMEDOUT, "MDIC"},
		{0x0010, 1u << 9, 0, 0, ""}, /* works without, or says so */
		{0x0008, 1u << 19, 1u << 19, 0, ""},
		{0x5404, 1u << 31, 0, -EINVAL, "MAC"},
	};

	for (size_t i = 0; i < PLX_ARRAY_SIZE(table); i++) {
		static struct rig r;

		rig_begin(&r, 0);
		fake_stick(r.f, 0, table[i].off, table[i].mask, table[i].value);
		CHECK_EQ(rig_open(&r), table[i].err);
		if (table[i].err != 0)
			CHECK_HAS(plx_errmsg(), table[i].says);
		fake_heal(r.f);
		rig_close(&r);
		rig_up(&r);
		rig_traffic(&r, 4);
		rig_end(&r);
	}
}
