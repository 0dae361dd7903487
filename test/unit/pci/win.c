/* SPDX-License-Identifier: BSD-3-Clause */
/* Windows, waiting, delays. */
#include "bench.h"

TEST(win, mapped_and_by_message)
{
	struct bench b;
	struct plx_win msg, map;

	bench_new(&b, NULL, NULL);
	CHECK_EQ(bench_open(&b), 0);
	CHECK_EQ(plx_pci_bar_len(b.dev, 0), 65536);
	CHECK_EQ(plx_pci_bar_len(b.dev, 5), 0);
	CHECK_EQ(plx_pci_bar_len(b.dev, 6), 0);
	CHECK_EQ(plx_pci_win(b.dev, 0, 0x100, 0x100, &msg), 0);
	CHECK_EQ(plx_pci_win(b.dev, 2, 0x1000, 0x1000, &map), 0);
	CHECK(msg.base == NULL);
	CHECK(map.base != NULL);
	plx_wr32(&msg, 0x10, 0x11223344);
	CHECK_EQ(plx_load_le32(b.f->bars[0].mem + 0x110), 0x11223344);
	CHECK_EQ(plx_rd32(&msg, 0x10), 0x11223344);
	CHECK_EQ(plx_win_read(&msg, 0x11, 1), 0x33);
	plx_wr64(&msg, 0x18, 0x0102030405060708);
	CHECK(plx_rd64(&msg, 0x18) == 0x0102030405060708);
	CHECK(plx_rd64_lohi(&msg, 0x18) == 0x0102030405060708);
	plx_wr64_lohi(&msg, 0x20, 0x1122334455667788);
	CHECK(plx_rd64(&msg, 0x20) == 0x1122334455667788);
	CHECK_EQ(fake_writes(b.f, 0, 0x120), 1);
	CHECK_EQ(fake_writes(b.f, 0, 0x124), 1);

	plx_wr32(&map, 4, 0xaabbccdd);
	plx_wr64(&map, 8, 0x1122334455667788);
	CHECK_EQ(plx_load_le32(b.f->bars[2].mem + 0x1004), 0xaabbccdd);
	CHECK_EQ(plx_rd32(&map, 4), 0xaabbccdd);
	CHECK(plx_rd64(&map, 8) == 0x1122334455667788);
	CHECK_EQ(fake_count(b.f, FAKE_REG_WRITE), 4);
	CHECK_EQ(b.f->n_windows, 1);
	plx_pci_win_close(&msg);
	plx_pci_win_close(&map);
	plx_pci_win_close(&map);
	plx_pci_win_close(NULL);
	CHECK_EQ(b.f->n_windows, 0);
	bench_free(&b);
}

TEST(win, what_cannot_be_opened)
{
	static const struct {
		uint32_t bar;
		uint64_t off, len;
		const char *says;
	} rows[] = {
		{6, 0, 4, "BARs 0 to 5"},
		{4, 0, 4, "has no BAR 4"},
		{3, 0, 4, "has no BAR 3"}, /* the upper half of BAR 2 */
		{1, 0, 4, "I/O space"},
		{0, 0, 65537, "65536 bytes, too few for 65537 from offset 0"},
		{0, 65536, 1, "too few"},
		{0, UINT64_MAX, 2, "too few"},
		{0, 2, UINT64_MAX, "too few"},
		{0, 0, 0, "too few"},
	};
	struct bench b;
	struct plx_win w;

	bench_new(&b, NULL, NULL);
	CHECK_EQ(bench_open(&b), 0);
	for (size_t i = 0; i < PLX_ARRAY_SIZE(rows); i++) {
		CHECK_EQ(plx_pci_win(b.dev, rows[i].bar, rows[i].off, rows[i].len, &w), -EINVAL);
		CHECK_HAS(plx_errmsg(), rows[i].says);
		CHECK(w.dev == NULL);
	}
	fake_inject(b.f, FAKE_INFO, 1, FAKE_FAIL);
	CHECK_EQ(plx_pci_win(b.dev, 0, 0, 4, &w), -EIO);
	fake_inject(b.f, FAKE_WINDOW, 1, FAKE_FAIL);
	CHECK_EQ(plx_pci_win(b.dev, 2, 0, 4, &w), -EIO);
	CHECK_EQ(b.f->n_windows, 0);
	bench_free(&b);
}

TEST(win, access_outside_reaches_nothing)
{
	struct bench b;
	struct plx_win w, none = {0};

	bench_new(&b, NULL, NULL);
	CHECK_EQ(bench_open(&b), 0);
	CHECK_EQ(plx_pci_win(b.dev, 0, 0, 0x100, &w), 0);
	CHECK_EQ(plx_rd32(&w, 0x100), 0xffffffff);
	CHECK_EQ(plx_rd32(&w, UINT64_MAX), 0xffffffff);
	CHECK_EQ(plx_rd32(&w, 0xfe), 0xffffffff);
	CHECK(plx_rd64(&w, 0xfc) == UINT64_MAX);
	plx_wr32(&w, 0x100, 1);
	CHECK_EQ(plx_rd32(&none, 0), 0xffffffff);
	plx_wr32(&none, 0, 1);
	CHECK_EQ(fake_count(b.f, FAKE_REG_READ), 0);
	CHECK_EQ(fake_count(b.f, FAKE_REG_WRITE), 0);
	bench_free(&b);
}

/* A register whose bit 0 comes after *model nanoseconds. */
static uint64_t late_read(struct fake_pci *f, uint32_t bar, uint64_t off, unsigned width)
{
	return f->now_ns >= *(uint64_t *)f->model ? 0x101 : 0x100;
}

static const struct fake_ops late = {.reg_read = late_read};

TEST(win, waiting_ends_when_the_bit_comes)
{
	struct bench b;
	struct plx_win w;
	uint64_t when = 5 * MS;

	bench_new(&b, &late, &when);
	CHECK_EQ(bench_open(&b), 0);
	CHECK_EQ(plx_pci_win(b.dev, 0, 0, 4096, &w), 0);
	CHECK_EQ(plx_win_wait(&w, 0, 1, 1, 10 * MS, "ready"), 0);
	CHECK(b.f->now_ns >= when && b.f->now_ns <= when + 100 * US);
	/* At once, if it is there. */
	when = b.f->now_ns;
	CHECK_EQ(plx_win_wait(&w, 0, 1, 1, 0, "ready"), 0);
	CHECK_EQ(b.f->now_ns, when);
	bench_free(&b);
}

TEST(win, waiting_has_a_limit)
{
	struct bench b;
	struct plx_win w;
	uint64_t when = 50 * MS;

	bench_new(&b, &late, &when);
	CHECK_EQ(bench_open(&b), 0);
	CHECK_EQ(plx_pci_win(b.dev, 0, 0, 4096, &w), 0);
	CHECK_EQ(plx_win_wait(&w, 8, 1, 1, 10 * MS, "reset done"), -ETIMEDOUT);
	CHECK_STR(plx_errmsg(),
		"fake:dev: reset done: waited 10000 us for register 0x8 & 0x1 to be "
		"0x1; it reads 0x100");
	CHECK_EQ(b.f->now_ns, 10 * MS);
	CHECK(fake_reads(b.f, 0, 8) > 50 && fake_reads(b.f, 0, 8) < 200);
	CHECK_EQ(plx_win_wait(&w, 8, 1, 1, 0, "reset done"), -ETIMEDOUT);
	bench_free(&b);
}

TEST(win, waiting_ends_when_the_device_leaves)
{
	struct bench b;
	struct plx_win w;
	uint64_t when = 50 * MS;

	for (int zero = 0; zero < 2; zero++) {
		bench_new(&b, &late, &when);
		b.f->gone_reads_zero = zero != 0;
		CHECK_EQ(bench_open(&b), 0);
		CHECK_EQ(plx_pci_win(b.dev, 0, 0, 4096, &w), 0);
		fake_inject(b.f, FAKE_REG_READ, 5, FAKE_GONE);
		/* Waiting for what a device that is gone shows. */
		CHECK_EQ(plx_win_wait(&w, 0, 1, zero ? 1 : 0, 10 * MS, "ready"),
			zero != 0 ? -ENODEV : 0);
		CHECK_EQ(plx_win_wait(&w, 0, 0x100, zero ? 0 : 0x100, 10 * MS, "ready"),
			zero != 0 ? -ENODEV : 0);
		bench_free(&b);
	}
	bench_new(&b, &late, &when);
	CHECK_EQ(bench_open(&b), 0);
	CHECK_EQ(plx_pci_win(b.dev, 0, 0, 4096, &w), 0);
	fake_remove(b.f);
	CHECK_EQ(plx_win_wait(&w, 0, 0x100, 0x100, 10 * MS, "ready"), -ENODEV);
	CHECK_HAS(plx_errmsg(), "ready: the device is gone");
	bench_free(&b);
}

/* A transport without a clock of its own: the wall clock counts. */
TEST(win, the_wall_clock)
{
	struct plx_pci_transport t = fake_transport;
	struct bench b;
	struct plx_win w;
	uint64_t when = UINT64_MAX, start;

	bench_new(&b, &late, &when);
	CHECK_EQ(bench_open(&b), 0);
	t.delay = NULL;
	b.dev->t = &t;
	CHECK_EQ(plx_pci_win(b.dev, 0, 0, 4096, &w), 0);
	start = plx_clock_ns();
	CHECK_EQ(plx_win_wait(&w, 0, 1, 1, 3 * MS, "ready"), -ETIMEDOUT);
	CHECK(plx_clock_ns() - start >= 3 * MS);
	start = plx_clock_ns();
	plx_pci_delay(b.dev, 10 * US);
	CHECK(plx_clock_ns() - start >= 10 * US);
	start = plx_clock_ns();
	plx_pci_delay(b.dev, 2 * MS);
	CHECK(plx_clock_ns() - start >= 2 * MS);
	plx_pci_win_close(&w);
	b.dev->t = &fake_transport;
	bench_free(&b);
}
