/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A kernel that answers nonsense: something else may be what answers a system call. Nothing crashes,
 * hangs or is left behind, and an error has a text.
 */
#include "vfio_rig.h"
#include "vfio_uapi.h"

/* An answer that a test wrote; the n-th of a call, or all (0). */
struct script {
	enum fake_vfio_call call;
	unsigned n, seen;
	void (*write)(struct script *s, void *p);
	uint64_t a, b;
	uint32_t region; /* DEVICE_GET_REGION_INFO: of this one */
	int err;         /* what the call fails with then */
};

static int answer(void *arg, enum fake_vfio_call call, void *p, int ret)
{
	struct script *s = arg;

	if (call != s->call)
		return ret;
	if (call == FAKE_VFIO_DEVICE_GET_REGION_INFO &&
		((struct vfio_region_info *)p)->index != s->region)
		return ret;
	if (s->n != 0 && ++s->seen != s->n)
		return ret;
	s->write(s, p);
	if (s->err != 0) {
		errno = s->err;
		return -1;
	}
	return ret;
}

static void refused(struct vrig *v, const char *via, struct script *s, int err, const char *text)
{
	s->seen = 0;
	fake_vfio_answer(v->k, answer, s);
	CHECK_EQ(vrig_open(v, 0, via, ""), -err);
	CHECK_HAS(plx_errmsg(), text);
	fake_vfio_heal(v->k);
	CHECK_STR(fake_vfio_left(v->k), "");
}

/* ---- what the IOMMU can do ---- */

static struct vfio_iommu_type1_info_cap_iova_range *iova_cap(void *p)
{
	struct vfio_iommu_type1_info *info = p;
	struct vfio_info_cap_header *h = NULL;

	if (info->argsz <= sizeof(*info) || info->cap_offset == 0)
		return NULL;
	for (uint32_t at = info->cap_offset; at != 0; at = h->next) {
		h = (void *)((uint8_t *)p + at);
		if (h->id == VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE)
			return (void *)h;
	}
	return NULL;
}

/* The first range becomes [a, b]. */
static void write_range(struct script *s, void *p)
{
	struct vfio_iommu_type1_info_cap_iova_range *r;
	struct iommu_uapi_ioas_iova_ranges *a = p;
	struct iommu_uapi_iova_range *u;

	if (s->call == FAKE_VFIO_IOAS_IOVA_RANGES) {
		u = (void *)(uintptr_t)a->allowed_iovas;
		u[0].start = s->a;
		u[0].last = s->b;
		return;
	}
	r = iova_cap(p);
	if (r != NULL) {
		r->iova_ranges[0].start = s->a;
		r->iova_ranges[0].end = s->b;
	}
}

TEST(vfio_hostile, ranges_that_are_none_or_overlap)
{
	static const struct {
		uint64_t first, last;
	} bad[] = {{0x2000, 0x1000}, {0, 0xffffffffff}, {0xfef00000, 0xff000000}};
	struct vrig v;

	EACH_VIA(via)
	{
		vrig_new(&v, NULL, 1, NULL);
		for (size_t i = 0; i < PLX_ARRAY_SIZE(bad); i++) {
			struct script s = {.call = via[0] == 'g' ? FAKE_VFIO_IOMMU_GET_INFO
								 : FAKE_VFIO_IOAS_IOVA_RANGES,
				.write = write_range,
				.a = bad[i].first,
				.b = bad[i].last};

			refused(&v, via, &s, EIO, "which is no range or not behind the one before");
		}
		vrig_end(&v);
	}
}

static void write_count(struct script *s, void *p)
{
	struct vfio_iommu_type1_info_cap_iova_range *r;

	if (s->call == FAKE_VFIO_IOAS_IOVA_RANGES) {
		((struct iommu_uapi_ioas_iova_ranges *)p)->num_iovas = (uint32_t)s->a;
		return;
	}
	r = iova_cap(p);
	if (r != NULL)
		r->nr_iovas = (uint32_t)s->a;
}

TEST(vfio_hostile, counts_that_leave_the_buffer)
{
	static const uint32_t counts[] = {0, 1000, 1u << 28, UINT32_MAX};
	struct vrig v;

	EACH_VIA(via)
	{
		vrig_new(&v, NULL, 1, NULL);
		for (size_t i = 0; i < PLX_ARRAY_SIZE(counts); i++) {
			struct script s = {.call = via[0] == 'g' ? FAKE_VFIO_IOMMU_GET_INFO
								 : FAKE_VFIO_IOAS_IOVA_RANGES,
				.write = write_count,
				.a = counts[i]};

			refused(&v, via, &s, EIO, "");
			/* More to come, it says, and nothing more than there was room for. */
			s.err = EMSGSIZE;
			if (via[0] == 'c')
				refused(&v, via, &s, EIO, "what it can map");
		}
		vrig_end(&v);
	}
}

static void write_alignment(struct script *s, void *p)
{
	((struct iommu_uapi_ioas_iova_ranges *)p)->out_iova_alignment = s->a;
}

TEST(vfio_hostile, steps_of_an_ioas)
{
	static const uint64_t steps[] = {0, 3, 1 << 21, UINT64_MAX};
	struct vrig v;

	vrig_new(&v, NULL, 1, NULL);
	for (size_t i = 0; i < PLX_ARRAY_SIZE(steps); i++) {
		struct script s = {.call = FAKE_VFIO_IOAS_IOVA_RANGES,
			.write = write_alignment,
			.a = steps[i]};

		refused(&v, "cdev", &s, EIO, "in steps of");
	}
	vrig_end(&v);
}

static void write_pgsizes(struct script *s, void *p)
{
	((struct vfio_iommu_type1_info *)p)->iova_pgsizes = s->a;
}

/* It matters in a message only: mapping is what tells. */
TEST(vfio_hostile, no_page_sizes)
{
	struct script s = {.call = FAKE_VFIO_IOMMU_GET_INFO, .write = write_pgsizes, .a = 0};
	struct vrig v;

	vrig_new(&v, NULL, 1, NULL);
	fake_vfio_answer(v.k, answer, &s);
	CHECK_EQ(vrig_open(&v, 0, "group", ""), 0);
	fake_vfio_heal(v.k);
	vrig_end(&v);
}

/* ---- chains of capabilities, sizes that grow ---- */

TEST(vfio_hostile, chains_end_and_sizes_stop_growing)
{
	static const enum fake_vfio_call calls[] = {
		FAKE_VFIO_IOMMU_GET_INFO, FAKE_VFIO_DEVICE_GET_REGION_INFO};
	struct vrig v;

	vrig_new(&v, NULL, 1, NULL);
	for (size_t i = 0; i < PLX_ARRAY_SIZE(calls); i++)
		for (int lie = FAKE_VFIO_GROWS; lie <= FAKE_VFIO_CAP_LONG; lie++) {
			uint64_t before = fake_vfio_count(v.k, calls[i]);
			int err;

			fake_vfio_lie(v.k, calls[i], 0, (enum fake_vfio_lie)lie);
			err = vrig_open(&v, 0, "group", "");
			/* A chain without an end is one without the capability: all is mappable. */
			if (lie == FAKE_VFIO_CAP_LOOP || lie == FAKE_VFIO_CAP_OUTSIDE)
				CHECK_EQ(err, 0);
			else
				CHECK_EQ(err, -EIO);
			CHECK(fake_vfio_count(v.k, calls[i]) < before + 40);
			fake_vfio_heal(v.k);
			vrig_close(&v, 0);
			CHECK_STR(fake_vfio_left(v.k), "");
		}
	vrig_end(&v);
}

/* ---- regions ---- */

static void write_region(struct script *s, void *p)
{
	struct vfio_region_info *r = p;

	r->size = s->a;
	r->offset = s->b;
}

TEST(vfio_hostile, regions_of_absurd_size_and_place)
{
	static const struct {
		uint64_t size, offset;
	} bad[] = {{UINT64_MAX, 0}, {4096, UINT64_MAX - 100}, {UINT64_C(1) << 63, 0},
		{INT64_MAX, INT64_MAX}};
	struct vrig v;

	EACH_VIA(via)
	{
		vrig_new(&v, NULL, 1, NULL);
		for (size_t i = 0; i < PLX_ARRAY_SIZE(bad); i++) {
			struct script s = {.call = FAKE_VFIO_DEVICE_GET_REGION_INFO,
				.write = write_region,
				.a = bad[i].size,
				.b = bad[i].offset};

			for (s.region = 0; s.region < 8; s.region += 7)
				refused(&v, via, &s, EIO,
					"its size and offset leave the descriptor");
		}
		/* Configuration space that is none. */
		for (uint64_t size = 0; size < 256; size += 64) {
			struct script s = {.call = FAKE_VFIO_DEVICE_GET_REGION_INFO,
				.write = write_region,
				.a = size,
				.region = 7};

			refused(&v, via, &s, EIO, "too short for configuration space");
		}
		vrig_end(&v);
	}
}

/* A BAR that is larger than it says is not mapped by luck: the kernel refuses, and it goes by message. */
TEST(vfio_hostile, a_bar_larger_than_it_is)
{
	struct script s = {.call = FAKE_VFIO_DEVICE_GET_REGION_INFO,
		.write = write_region,
		.a = UINT64_C(1) << 40};
	struct plx_win w;
	struct vrig v;

	vrig_new(&v, NULL, 1, NULL);
	fake_vfio_answer(v.k, answer, &s);
	CHECK_EQ(vrig_open(&v, 0, "group", ""), 0);
	CHECK_EQ(plx_pci_win(v.dev[0], 0, 0, UINT64_C(1) << 40, &w), 0);
	CHECK(w.base == NULL);
	CHECK_EQ(plx_rd32(&w, UINT64_C(1) << 39), UINT32_MAX);
	plx_wr32(&w, UINT64_C(1) << 39, 1);
	plx_pci_win_close(&w);
	fake_vfio_heal(v.k);
	vrig_end(&v);
}

static void write_area(struct script *s, void *p)
{
	struct vfio_region_info *r = p;
	struct vfio_region_info_cap_sparse_mmap *c;

	if (r->cap_offset == 0)
		return;
	c = (void *)((uint8_t *)p + r->cap_offset);
	c->areas[0].offset = s->a;
	c->areas[0].size = s->b;
}

TEST(vfio_hostile, parts_that_can_be_mapped)
{
	static const struct {
		uint64_t offset, size;
		int err;
	} rows[] = {{0, UINT64_MAX, EIO}, {UINT64_MAX, 1, EIO}, {0x20000, 4096, EIO},
		{0x1f000, 8192, EIO}, {0, 0, 0}, {0x100, 0x200, 0}, {0x20000, 0, 0}};
	struct plx_win w;
	struct vrig v;

	vrig_new(&v, NULL, 1, NULL);
	v.d[0]->n_areas = 2;
	v.d[0]->areas[0] = (struct plx_range){0, 0xfff};
	v.d[0]->areas[1] = (struct plx_range){0x3000, 0x4fff};
	for (size_t i = 0; i < PLX_ARRAY_SIZE(rows); i++) {
		struct script s = {.call = FAKE_VFIO_DEVICE_GET_REGION_INFO,
			.write = write_area,
			.a = rows[i].offset,
			.b = rows[i].size};

		fake_vfio_answer(v.k, answer, &s);
		CHECK_EQ(vrig_open(&v, 0, "cdev", ""), -rows[i].err);
		if (rows[i].err != 0) {
			CHECK_HAS(plx_errmsg(), "a part lies outside");
		} else {
			/* Not on pages: by message. */
			CHECK_EQ(plx_pci_win(v.dev[0], 0, 0x100, 0x100, &w), 0);
			CHECK(w.base == NULL);
			plx_pci_win_close(&w);
		}
		fake_vfio_heal(v.k);
		vrig_close(&v, 0);
	}
	/* The truth: what lies in one part is mapped, what touches the rest goes by message. */
	CHECK_EQ(vrig_open(&v, 0, "cdev", ""), 0);
	for (unsigned i = 0; i < 4; i++) {
		static const struct {
			uint64_t off, len;
			bool mapped;
		} wins[] = {{0, 4096, true}, {0x3800, 0x1000, true}, {0, 4100, false},
			{0x2000, 16, false}};

		CHECK_EQ(plx_pci_win(v.dev[0], 0, wins[i].off, wins[i].len, &w), 0);
		CHECK_EQ(w.base != NULL, wins[i].mapped);
		plx_wr32(&w, 8, 0x600d0000 + i);
		CHECK_EQ(plx_load_le32(v.f[0]->bars[0].mem + wins[i].off + 8), 0x600d0000 + i);
		plx_pci_win_close(&w);
	}
	vrig_end(&v);
}

/* ---- the device ---- */

static void write_info(struct script *s, void *p)
{
	struct vfio_device_info *info = p;

	info->flags = (uint32_t)s->a;
	info->num_regions = (uint32_t)s->b;
}

TEST(vfio_hostile, a_device_that_is_none)
{
	struct script s = {.call = FAKE_VFIO_DEVICE_GET_INFO, .write = write_info};
	struct vrig v;

	EACH_VIA(via)
	{
		vrig_new(&v, NULL, 1, NULL);
		s.a = VFIO_DEVICE_FLAGS_PLATFORM;
		s.b = 9;
		refused(&v, via, &s, EPROTO, "does not describe it as a PCI device");
		s.a = VFIO_DEVICE_FLAGS_PCI;
		s.b = 7;
		refused(&v, via, &s, EPROTO, "7 regions");
		/* Configuration space of nobody. */
		memset(v.f[0]->cfg, 0xff, 4);
		CHECK_EQ(vrig_open(&v, 0, via, ""), -ENODEV);
		CHECK_HAS(plx_errmsg(), "vendor id reads 0xffff");
		fake_cfg_set(v.f[0], 0, 4, 0x10d38086);
		/* ... and one that is half read. */
		fake_vfio_lie(v.k, FAKE_VFIO_CFG_READ, 0, FAKE_VFIO_SHORT);
		CHECK_EQ(vrig_open(&v, 0, via, ""), -EIO);
		CHECK_HAS(plx_errmsg(), "too short");
		fake_vfio_heal(v.k);
		vrig_end(&v);
	}
}

/* A capability list that is a circle, or leads into the header. */
TEST(vfio_hostile, configuration_space_that_loops)
{
	struct vrig v;

	EACH_VIA(via)
	{
		vrig_new(&v, NULL, 1, NULL);
		for (unsigned next = 0; next < 256; next += 4) {
			v.f[0]->cfg[0x41] = (uint8_t)next;
			CHECK_EQ(vrig_open(&v, 0, via, ""), 0);
			CHECK_EQ(plx_pci_cap(v.dev[0], 0x77), 0);
			vrig_close(&v, 0);
		}
		vrig_end(&v);
	}
}

TEST(vfio_hostile, interrupts_of_absurd_number)
{
	enum plx_irq_type type;
	struct vrig v;
	uint32_t got;

	EACH_VIA(via)
	{
		for (int lie = FAKE_VFIO_ZEROS; lie <= FAKE_VFIO_NOISE; lie++) {
			vrig_new(&v, NULL, 1, NULL);
			fake_vfio_lie(
				v.k, FAKE_VFIO_DEVICE_GET_IRQ_INFO, 0, (enum fake_vfio_lie)lie);
			CHECK_EQ(vrig_open(&v, 0, via, ""), 0);
			CHECK_EQ(plx_pci_irq_enable(v.dev[0], 2, &got, &type), -ENOTSUP);
			CHECK_HAS(plx_errmsg(), "no interrupts: poll");
			vrig_end(&v);
		}
	}
}
