/* SPDX-License-Identifier: BSD-3-Clause */
/* Faults of the fake device, and what it counts. */
#include "fake_priv.h"

/* Rows of a site: its name, and what can strike there. */
#define VALUES (1u << FAKE_ONES | 1u << FAKE_ZEROS | 1u << FAKE_FLIP)
#define BASE   (1u << FAKE_FAIL | 1u << FAKE_GONE)
static const struct {
	const char *name;
	uint32_t faults;
} sites[FAKE_SITES] = {
	[FAKE_OPEN] = {"open", BASE},
	[FAKE_CFG_READ] = {"configuration read", BASE | VALUES},
	[FAKE_CFG_WRITE] = {"configuration write", BASE},
	[FAKE_INFO] = {"region info", BASE},
	[FAKE_WINDOW] = {"window", BASE},
	[FAKE_REG_READ] = {"register read", BASE | VALUES},
	[FAKE_REG_WRITE] = {"register write", BASE},
	[FAKE_DMA_MAP] = {"DMA map", BASE},
	[FAKE_DMA_READ] = {"DMA read", BASE | VALUES},
	[FAKE_DMA_WRITE] = {"DMA write", BASE | VALUES},
	[FAKE_IRQ_SET] = {"interrupt set-up", BASE},
	[FAKE_IRQ_RAISE] = {"interrupt", BASE},
	[FAKE_RESET] = {"reset", BASE},
};

const char *fake_site_name(enum fake_site site)
{
	return sites[site].name;
}

const char *fake_fault_name(enum fake_fault fault)
{
	static const char *const names[FAKE_FAULTS] = {
		"ok", "fails", "gone", "all ones", "zeros", "complement"};

	return names[fault];
}

bool fake_fault_applies(enum fake_site site, enum fake_fault fault)
{
	return (sites[site].faults >> fault & 1) != 0;
}

/* xorshift64 */
static uint64_t next_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	*state = x;
	return x;
}

static enum fake_fault roll(struct fake_pci *f, enum fake_site site)
{
	uint64_t r;
	enum fake_fault fault;

	if (f->random == 0 || f->per_million == 0)
		return FAKE_OK;
	r = next_random(&f->random) >> 11;
	if (r % 1000000 >= f->per_million)
		return FAKE_OK;
	do
		fault = (enum fake_fault)(1 + next_random(&f->random) % (FAKE_FAULTS - 1));
	while (!fake_fault_applies(site, fault));
	return fault;
}

enum fake_fault fake_strike(struct fake_pci *f, enum fake_site site)
{
	struct fake_plan *plan = &f->plan[site];
	enum fake_fault fault;

	fake_lock(f);
	f->count[site]++;
	if (plan->at != 0 && plan->at == f->count[site]) {
		fault = plan->fault;
		plan->at = 0;
	} else {
		fault = roll(f, site);
	}
	if (fault != FAKE_OK)
		f->struck++;
	if (fault == FAKE_GONE)
		f->gone = true;
	fake_unlock(f);
	return fault;
}

uint64_t fake_spoil(enum fake_fault fault, uint64_t v)
{
	switch (fault) {
	case FAKE_FAIL:
	case FAKE_GONE:
	case FAKE_ONES:
		return UINT64_MAX;
	case FAKE_ZEROS:
		return 0;
	case FAKE_FLIP:
		return ~v;
	default:
		return v;
	}
}

void fake_trace(struct fake_pci *f, enum fake_site site, uint32_t bar, uint64_t off, unsigned width,
	uint64_t v)
{
	f->trace[f->n_trace++ % FAKE_TRACE] = (struct fake_access){site, bar, off, width, v};
}

void fake_inject(struct fake_pci *f, enum fake_site site, uint64_t n, enum fake_fault fault)
{
	fake_lock(f);
	f->plan[site].at = fault == FAKE_OK ? 0 : f->count[site] + n;
	f->plan[site].fault = fault;
	fake_unlock(f);
}

void fake_random(struct fake_pci *f, uint64_t seed, uint32_t per_million)
{
	fake_lock(f);
	f->random = seed;
	f->per_million = per_million;
	fake_unlock(f);
}

void fake_stick(struct fake_pci *f, uint32_t bar, uint32_t off, uint32_t mask, uint32_t value)
{
	fake_lock(f);
	f->bars[bar].stuck_off = off;
	f->bars[bar].stuck_mask = mask;
	f->bars[bar].stuck_value = value;
	fake_unlock(f);
}

void fake_heal(struct fake_pci *f)
{
	fake_lock(f);
	memset(f->plan, 0, sizeof(f->plan));
	f->random = 0;
	f->gone = false;
	for (uint32_t i = 0; i < PLX_PCI_BARS; i++)
		f->bars[i].stuck_mask = 0;
	fake_unlock(f);
}

uint64_t fake_count(const struct fake_pci *f, enum fake_site site)
{
	return f->count[site];
}

uint32_t fake_reads(const struct fake_pci *f, uint32_t bar, uint64_t off)
{
	return f->bars[bar].reads[off / 4];
}

uint32_t fake_writes(const struct fake_pci *f, uint32_t bar, uint64_t off)
{
	return f->bars[bar].writes[off / 4];
}

void fake_count_reset(struct fake_pci *f)
{
	fake_lock(f);
	memset(f->count, 0, sizeof(f->count));
	memset(f->plan, 0, sizeof(f->plan));
	for (uint32_t i = 0; i < PLX_PCI_BARS; i++) {
		struct fake_bar *b = &f->bars[i];

		if (b->len == 0)
			continue;
		memset(b->reads, 0, b->len / 4 * sizeof(*b->reads));
		memset(b->writes, 0, b->len / 4 * sizeof(*b->writes));
	}
	f->n_trace = 0;
	fake_unlock(f);
}
