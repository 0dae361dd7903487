/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <sched.h>
#include <time.h>
#include "plx_base.h"
#include "unit.h"

PLX_STATIC_ASSERT(sizeof(plx_le16) == 2 && sizeof(plx_le32) == 4 && sizeof(plx_le64) == 8, "le");
PLX_STATIC_ASSERT(sizeof(plx_be16) == 2 && sizeof(plx_be32) == 4 && sizeof(plx_be64) == 8, "be");
PLX_STATIC_ASSERT(PLX_BIT(31) == 0x80000000U && PLX_BIT64(63) == 0x8000000000000000U, "bits");

TEST(base, bits)
{
	CHECK_EQ(plx_bit32(0), 1);
	CHECK_EQ(plx_bit32(31), 0x80000000U);
	CHECK_EQ(plx_bit32(32), 0);
	CHECK_EQ(plx_bit64(32), 0x100000000);
	CHECK(plx_bit64(63) == 0x8000000000000000U);
	CHECK_EQ(plx_bit64(64), 0);
}

TEST(base, is_pow2)
{
	CHECK(!plx_is_pow2_u64(0));
	CHECK(plx_is_pow2_u64(1));
	CHECK(plx_is_pow2_u64(2));
	CHECK(!plx_is_pow2_u64(3));
	CHECK(plx_is_pow2_u64(PLX_BIT64(63)));
	CHECK(!plx_is_pow2_u64(PLX_BIT64(63) + 1));
	CHECK(!plx_is_pow2_u64(UINT64_MAX));
}

TEST(base, align_up)
{
	CHECK_EQ(plx_align_up(0, 64), 0);
	CHECK_EQ(plx_align_up(1, 64), 64);
	CHECK_EQ(plx_align_up(64, 64), 64);
	CHECK_EQ(plx_align_up(65, 64), 128);
	CHECK_EQ(plx_align_up(7, 1), 7);
	CHECK(plx_align_up(UINT64_MAX - 4095, 4096) == UINT64_MAX - 4095);
	CHECK_EQ(plx_align_up(UINT64_MAX, 4096), 0);
}

TEST(base, align_down)
{
	CHECK_EQ(plx_align_down(0, 64), 0);
	CHECK_EQ(plx_align_down(63, 64), 0);
	CHECK_EQ(plx_align_down(64, 64), 64);
	CHECK(plx_align_down(UINT64_MAX, 4096) == UINT64_MAX - 4095);
}

TEST(base, log2)
{
	CHECK_EQ(plx_log2_u64(0), 0);
	CHECK_EQ(plx_log2_u64(1), 0);
	CHECK_EQ(plx_log2_u64(2), 1);
	CHECK_EQ(plx_log2_u64(3), 1);
	CHECK_EQ(plx_log2_u64(4), 2);
	CHECK_EQ(plx_log2_u64(UINT64_MAX), 63);
}

TEST(base, roundup_pow2)
{
	CHECK_EQ(plx_roundup_pow2_u64(0), 1);
	CHECK_EQ(plx_roundup_pow2_u64(1), 1);
	CHECK_EQ(plx_roundup_pow2_u64(2), 2);
	CHECK_EQ(plx_roundup_pow2_u64(3), 4);
	CHECK_EQ(plx_roundup_pow2_u64(4096), 4096);
	CHECK_EQ(plx_roundup_pow2_u64(4097), 8192);
	CHECK(plx_roundup_pow2_u64(PLX_BIT64(63) - 1) == PLX_BIT64(63));
	CHECK(plx_roundup_pow2_u64(PLX_BIT64(63)) == PLX_BIT64(63));
	CHECK_EQ(plx_roundup_pow2_u64(PLX_BIT64(63) + 1), 0);
}

TEST(base, min_max_evaluate_once)
{
	int n = 0;
	uint32_t a = 3;
	uint64_t b = 0x100000001;

	CHECK_EQ(PLX_MIN(++n, 10), 1);
	CHECK_EQ(n, 1);
	CHECK_EQ(PLX_MAX(n++, 0), 1);
	CHECK_EQ(n, 2);
	CHECK_EQ(PLX_MIN(a, b), 3);
	CHECK_EQ(PLX_MAX(a, b), 0x100000001);
	/* nested: the inner names do not shadow the outer ones */
	CHECK_EQ(PLX_MIN(PLX_MIN(9, 7), PLX_MAX(4, 5)), 5);
	CHECK_EQ(PLX_MIN(-1, 1), -1);
}

TEST(base, container_of)
{
	struct outer {
		int a;
		struct {
			char b;
		} in;
	} o;

	CHECK(plx_container_of(&o.in, struct outer, in) == &o);
	CHECK(plx_container_of(&o.a, struct outer, a) == &o);
}

TEST(base, array_size)
{
	static const int a[7] = {0};

	CHECK_EQ(PLX_ARRAY_SIZE(a), 7);
}

TEST(base, little_endian_in_memory)
{
	plx_le16 a = plx_le16_make(0x0102);
	plx_le32 b = plx_le32_make(0x01020304);
	plx_le64 c = plx_le64_make(0x0102030405060708);

	CHECK(memcmp(&a, "\x02\x01", 2) == 0);
	CHECK(memcmp(&b, "\x04\x03\x02\x01", 4) == 0);
	CHECK(memcmp(&c, "\x08\x07\x06\x05\x04\x03\x02\x01", 8) == 0);
	CHECK_EQ(plx_le16_get(a), 0x0102);
	CHECK_EQ(plx_le32_get(b), 0x01020304);
	CHECK_EQ(plx_le64_get(c), 0x0102030405060708);
}

TEST(base, big_endian_in_memory)
{
	plx_be16 a = plx_be16_make(0x0102);
	plx_be32 b = plx_be32_make(0x01020304);
	plx_be64 c = plx_be64_make(0x0102030405060708);

	CHECK(memcmp(&a, "\x01\x02", 2) == 0);
	CHECK(memcmp(&b, "\x01\x02\x03\x04", 4) == 0);
	CHECK(memcmp(&c, "\x01\x02\x03\x04\x05\x06\x07\x08", 8) == 0);
	CHECK_EQ(plx_be16_get(a), 0x0102);
	CHECK_EQ(plx_be32_get(b), 0x01020304);
	CHECK_EQ(plx_be64_get(c), 0x0102030405060708);
}

TEST(base, unaligned_load_and_store)
{
	uint8_t m[12];

	for (size_t at = 0; at < 4; at++) {
		memset(m, 0xee, sizeof(m));
		plx_store_le16(m + at, 0xa1b2);
		CHECK(m[at] == 0xb2 && m[at + 1] == 0xa1 && m[at + 2] == 0xee);
		CHECK_EQ(plx_load_le16(m + at), 0xa1b2);
		CHECK_EQ(plx_load_be16(m + at), 0xb2a1);
		plx_store_be16(m + at, 0xa1b2);
		CHECK(m[at] == 0xa1 && m[at + 1] == 0xb2 && m[at + 2] == 0xee);
		plx_store_le32(m + at, 0xa1b2c3d4);
		CHECK(m[at] == 0xd4 && m[at + 3] == 0xa1 && m[at + 4] == 0xee);
		CHECK_EQ(plx_load_le32(m + at), 0xa1b2c3d4);
		CHECK_EQ(plx_load_be32(m + at), 0xd4c3b2a1);
		plx_store_be32(m + at, 0xa1b2c3d4);
		CHECK(m[at] == 0xa1 && m[at + 3] == 0xd4 && m[at + 4] == 0xee);
		plx_store_le64(m + at, 0x0102030405060708);
		CHECK(m[at] == 8 && m[at + 7] == 1 && (at == 4 || m[at + 8] == 0xee));
		CHECK_EQ(plx_load_le64(m + at), 0x0102030405060708);
		CHECK_EQ(plx_load_be64(m + at), 0x0807060504030201);
		plx_store_be64(m + at, 0x0102030405060708);
		CHECK(m[at] == 1 && m[at + 7] == 8);
	}
}

TEST(base, read_and_write_once)
{
	plx_le16 a;
	plx_le32 b;
	plx_le64 c;
	const int constant = 5;
	const char *text = "x", *got;

	plx_le16_write_once(&a, 0x1234);
	plx_le32_write_once(&b, 0x12345678);
	plx_le64_write_once(&c, 0x123456789abcdef0);
	CHECK_EQ(a.v, plx_le16_make(0x1234).v);
	CHECK_EQ(plx_le16_read_once(&a), 0x1234);
	CHECK_EQ(plx_le32_read_once(&b), 0x12345678);
	CHECK_EQ(plx_le64_read_once(&c), 0x123456789abcdef0);
	CHECK_EQ(PLX_READ_ONCE(constant), 5);
	PLX_WRITE_ONCE(got, text);
	CHECK(PLX_READ_ONCE(got) == text);
}

/*
 * A descriptor ring in small: data, write barrier, index; index, read barrier, data. The reader
 * counts what it saw in the wrong order.
 */
static struct {
	uint32_t index PLX_CACHE_ALIGNED;
	uint32_t data PLX_CACHE_ALIGNED;
} shared;

static void *barrier_writer(void *arg)
{
	for (uint32_t i = 1; i <= 100000; i++) {
		PLX_WRITE_ONCE(shared.data, i);
		plx_io_wmb();
		PLX_WRITE_ONCE(shared.index, i);
	}
	return arg;
}

TEST(base, barriers_order_data_and_index)
{
	pthread_t t;
	uint32_t index, bad = 0;

	CHECK_EQ(pthread_create(&t, NULL, barrier_writer, NULL), 0);
	do {
		index = PLX_READ_ONCE(shared.index);
		plx_io_rmb();
		bad += PLX_READ_ONCE(shared.data) < index;
		plx_pause();
	} while (index != 100000);
	pthread_join(t, NULL);
	CHECK_EQ(bad, 0);
}

/*
 * Store buffering: two threads store to one word and load the other's; with a full barrier between,
 * at least one of them sees the other's store. Two words a step, each in its own cache line, and the
 * threads wait for each other at the start of every round, so that their steps overlap.
 */
enum { SB_STEPS = 256, SB_ROUNDS = 400 };

struct sb_word {
	uint32_t v PLX_CACHE_ALIGNED;
};

static struct sb_word sb[2][SB_STEPS];
static uint32_t sb_seen[2][SB_STEPS], sb_at[2] PLX_CACHE_ALIGNED;

static void sb_meet(int me, uint32_t at)
{
	__atomic_store_n(&sb_at[me], at, __ATOMIC_RELEASE);
	for (unsigned n = 1; __atomic_load_n(&sb_at[!me], __ATOMIC_ACQUIRE) < at; n++) {
		plx_pause();
		if (n % 1024 == 0)
			sched_yield(); /* there may be one core */
	}
}

static uint32_t sb_run(int me)
{
	uint32_t bad = 0;

	for (uint32_t round = 1; round <= SB_ROUNDS; round++) {
		sb_meet(me, 3 * round);
		for (int i = 0; i < SB_STEPS; i++) {
			PLX_WRITE_ONCE(sb[me][i].v, round);
			plx_io_mb();
			sb_seen[me][i] = PLX_READ_ONCE(sb[!me][i].v);
		}
		sb_meet(me, 3 * round + 1);
		for (int i = 0; i < SB_STEPS; i++)
			bad += sb_seen[0][i] != round && sb_seen[1][i] != round;
		sb_meet(me, 3 * round + 2);
	}
	return bad;
}

static void *sb_other(void *arg)
{
	return (void *)(uintptr_t)sb_run(1);
}

TEST(base, full_barrier_orders_store_and_load)
{
	pthread_t t;
	void *bad_there;
	uint32_t bad;

	CHECK_EQ(pthread_create(&t, NULL, sb_other, NULL), 0);
	bad = sb_run(0);
	pthread_join(t, &bad_there);
	CHECK_EQ(bad, 0);
	CHECK_EQ((uintptr_t)bad_there, 0);
}

TEST(base, prefetch_of_any_address)
{
	plx_prefetch(NULL);
	plx_prefetchw((const void *)(uintptr_t)0xdeadbeef000);
	CHECK(true);
}

TEST(base, clock_is_monotonic)
{
	struct timespec ts;
	uint64_t before, now;

	before = plx_clock_ns();
	CHECK_EQ(clock_gettime(CLOCK_MONOTONIC, &ts), 0);
	now = (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
	CHECK(before <= now);
	CHECK(now <= plx_clock_ns());
}

TEST(base, tsc_advances_and_its_rate_stays)
{
	uint64_t hz = plx_tsc_hz(), tsc = plx_tsc(), ns = plx_clock_ns();

	CHECK(hz > 1000000);
	CHECK_EQ(plx_tsc_hz(), (long long)hz);
	while (plx_clock_ns() - ns < 1000000)
		plx_pause();
	CHECK(plx_tsc() > tsc);
}

static void *hz_of_thread(void *out)
{
	*(uint64_t *)out = plx_tsc_hz();
	return NULL;
}

TEST(base, threads_agree_on_the_tsc_rate)
{
	pthread_t t[4];
	uint64_t hz[4];

	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, hz_of_thread, &hz[i]), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(hz[i], plx_tsc_hz());
}
