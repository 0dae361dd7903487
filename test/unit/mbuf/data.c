/* SPDX-License-Identifier: BSD-3-Clause */
#include "mbuf_test.h"

TEST(mbuf_data, grows_and_shrinks_at_both_ends)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool = test_pool(ctx, 8, 512);
	struct plx_mbuf *m = plx_mbuf_alloc(pool);

	CHECK(plx_mbuf_append(m, 100) == m->buf + PLX_MBUF_HEADROOM);
	CHECK(plx_mbuf_prepend(m, 20) == m->buf + PLX_MBUF_HEADROOM - 20);
	CHECK_EQ(m->pkt_len, 120);
	CHECK_EQ(m->data_len, 120);
	CHECK_EQ(plx_mbuf_iova(m), m->buf_iova + 108);
	CHECK_EQ(plx_mbuf_tailroom(m), 512 - 128 - 100);
	CHECK_EQ(plx_mbuf_adj(m, 30), 0);
	CHECK_EQ(plx_mbuf_trim(m, 40), 0);
	CHECK_EQ(m->pkt_len, 50);
	CHECK_EQ(plx_mbuf_headroom(m), 138);
	CHECK_EQ(plx_mbuf_check(m), 0);
	plx_mbuf_free(m);
	plx_ctx_close(ctx);
}

TEST(mbuf_data, refuses_what_does_not_fit)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool = test_pool(ctx, 8, 512);
	struct plx_mbuf *m = plx_mbuf_alloc(pool);

	CHECK(plx_mbuf_prepend(m, 129) == NULL);
	CHECK(plx_mbuf_append(m, 385) == NULL);
	CHECK(plx_mbuf_append(m, UINT16_MAX) == NULL);
	CHECK_EQ(plx_mbuf_adj(m, 1), -1);
	CHECK_EQ(plx_mbuf_trim(m, 1), -1);
	CHECK(test_fresh(m));
	CHECK(plx_mbuf_append(m, 384) != NULL);
	CHECK(plx_mbuf_prepend(m, 128) == m->buf);
	CHECK_EQ(plx_mbuf_tailroom(m), 0);
	plx_mbuf_free(m);
	plx_ctx_close(ctx);
}

TEST(mbuf_data, chain_refuses_too_many_bytes)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool = test_pool(ctx, 8, 65535);
	struct plx_mbuf *a = plx_mbuf_alloc(pool), *b = plx_mbuf_alloc(pool);

	plx_mbuf_append(a, 65000);
	plx_mbuf_append(b, 536);
	CHECK_EQ(plx_mbuf_chain(a, b), -EOVERFLOW);
	CHECK_STR(plx_errmsg(), "mbuf chain: 65000 + 536 bytes, at most 65535 make a packet");
	CHECK_EQ(a->nsegs, 1);
	CHECK(a->next == NULL);
	CHECK_EQ(plx_mbuf_trim(b, 1), 0);
	CHECK_EQ(plx_mbuf_chain(a, b), 0);
	CHECK_EQ(a->pkt_len, 65535);
	CHECK_EQ(plx_mbuf_check(a), 0);
	plx_mbuf_free(a);
	plx_ctx_close(ctx);
}

TEST(mbuf_data, chain_refuses_too_many_segments)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool = test_pool(ctx, 8, 192);
	struct plx_mbuf *a = plx_mbuf_alloc(pool), *b = plx_mbuf_alloc(pool);

	a->nsegs = 65535;
	CHECK_EQ(plx_mbuf_chain(a, b), -EOVERFLOW);
	CHECK_STR(plx_errmsg(), "mbuf chain: 65535 + 1 segments, at most 65535 make a packet");
	a->nsegs = 1;
	plx_mbuf_free(a);
	plx_mbuf_free(b);
	plx_ctx_close(ctx);
}

TEST(mbuf_data, read_and_write_refuse_what_is_not_there)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool = test_pool(ctx, 8, 512);
	struct plx_mbuf *m = plx_mbuf_alloc(pool);
	uint8_t b[64];

	plx_mbuf_append(m, 60);
	CHECK_EQ(plx_mbuf_read(m, 0, b, 60), 0);
	CHECK_EQ(plx_mbuf_read(m, 60, b, 0), 0);
	CHECK_EQ(plx_mbuf_read(m, 0, b, 61), -EINVAL);
	CHECK_STR(plx_errmsg(), "mbuf read: bytes 0 to 61 are not in a packet of 60");
	CHECK_EQ(plx_mbuf_write(m, 61, b, 0), -EINVAL);
	CHECK_STR(plx_errmsg(), "mbuf write: bytes 61 to 61 are not in a packet of 60");
	CHECK_EQ(plx_mbuf_read(m, 2, b, UINT32_MAX), -EINVAL);
	CHECK_HAS(plx_errmsg(), "bytes 2 to 4294967297");
	m->pkt_len = 64; /* a lie: the segments end before */
	CHECK_EQ(plx_mbuf_read(m, 0, b, 64), -EINVAL);
	plx_mbuf_free(m);
	plx_ctx_close(ctx);
}

/* ---- random packets beside an array of bytes ---- */

#define ORACLE_MAX 6000u

struct oracle {
	struct plx_mbuf *m;
	uint8_t bytes[ORACLE_MAX];
	uint32_t len;
};

/* n random bytes, written to where and inserted before byte at. */
static void oracle_insert(struct oracle *o, uint32_t at, uint8_t *where, uint16_t n, uint64_t *r)
{
	if (where == NULL)
		return;
	memmove(o->bytes + at + n, o->bytes + at, o->len - at);
	for (uint16_t i = 0; i < n; i++)
		where[i] = o->bytes[at + i] = (uint8_t)test_random(r, 256);
	o->len += n;
}

static void oracle_remove(struct oracle *o, uint32_t at, uint16_t n)
{
	o->len -= n;
	memmove(o->bytes + at, o->bytes + at + n, o->len - at);
}

static void oracle_chain(struct oracle *o, struct plx_mbuf_pool *pool, uint64_t *r)
{
	struct plx_mbuf *tail = plx_mbuf_alloc(pool);

	CHECK(tail != NULL);
	CHECK_EQ(plx_mbuf_chain(o->m, tail), 0);
	CHECK(plx_mbuf_last(o->m) == tail);
	oracle_insert(o, o->len, plx_mbuf_append(o->m, 40), 40, r);
}

/* Writes or reads and compares some part of it. */
static void oracle_part(struct oracle *o, uint64_t *r)
{
	uint32_t off = test_random(r, o->len + 1), len = test_random(r, o->len - off + 1);
	uint8_t part[ORACLE_MAX];

	if (test_random(r, 2) == 0) {
		for (uint32_t i = 0; i < len; i++)
			part[i] = o->bytes[off + i] = (uint8_t)test_random(r, 256);
		CHECK_EQ(plx_mbuf_write(o->m, off, part, len), 0);
	} else {
		CHECK_EQ(plx_mbuf_read(o->m, off, part, len), 0);
		CHECK(memcmp(part, o->bytes + off, len) == 0);
	}
}

/* One random change to both. */
static void oracle_step(struct oracle *o, struct plx_mbuf_pool *pool, uint64_t *r)
{
	const uint16_t n = (uint16_t)test_random(r, 100);

	switch (test_random(r, 6)) {
	case 0:
		oracle_insert(o, o->len, plx_mbuf_append(o->m, n), n, r);
		break;
	case 1:
		oracle_insert(o, 0, plx_mbuf_prepend(o->m, n), n, r);
		break;
	case 2:
		if (plx_mbuf_adj(o->m, n) == 0)
			oracle_remove(o, 0, n);
		break;
	case 3:
		if (plx_mbuf_trim(o->m, n) == 0)
			oracle_remove(o, o->len - n, n);
		break;
	case 4:
		oracle_chain(o, pool, r);
		break;
	default:
		oracle_part(o, r);
		break;
	}
}

static void oracle_compare(const struct oracle *o, const struct plx_mbuf *m)
{
	uint8_t all[ORACLE_MAX];

	CHECK(m != NULL);
	if (plx_mbuf_check(m) != 0)
		UNIT_FAIL(plx_errmsg());
	CHECK_EQ(m->pkt_len, o->len);
	CHECK_EQ(plx_mbuf_read(m, 0, all, o->len), 0);
	CHECK(memcmp(all, o->bytes, o->len) == 0);
}

TEST(mbuf_data, random_chains_are_their_bytes)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pools[3] = {
		test_pool(ctx, 512, 192), test_pool(ctx, 512, 700), test_pool(ctx, 512, 0)};
	uint64_t r = 88172645463325252u;

	for (unsigned round = 0; round < unit_rounds(300); round++) {
		struct oracle o = {.m = plx_mbuf_alloc(pools[round % 2])};
		struct plx_mbuf *copy, *clone;

		for (int step = 0; step < 60 && o.len < ORACLE_MAX - 200; step++)
			oracle_step(&o, pools[test_random(&r, 2)], &r);
		oracle_compare(&o, o.m);
		copy = plx_mbuf_copy(o.m, pools[test_random(&r, 2)]);
		clone = plx_mbuf_clone(o.m, pools[test_random(&r, 3)]);
		oracle_compare(&o, copy);
		oracle_compare(&o, clone);
		plx_mbuf_free(round % 3 == 0 ? o.m : clone);
		oracle_compare(&o, round % 3 == 0 ? clone : o.m);
		plx_mbuf_free(round % 3 == 0 ? clone : o.m);
		oracle_compare(&o, copy);
		plx_mbuf_free(copy);
	}
	for (int i = 0; i < 3; i++)
		CHECK_EQ(test_avail(pools[i]), 512);
	plx_ctx_close(ctx);
}

/* ---- check ---- */

static void nothing(struct plx_mbuf_ext *ext)
{
}

/* m, a good packet with a second segment, is refused with this text after a change. */
#define REFUSED(change, text)                               \
	do {                                                \
		struct plx_mbuf m_was = *m, seg_was = *seg; \
		change;                                     \
		CHECK_EQ(plx_mbuf_check(m), -EINVAL);       \
		CHECK_HAS(plx_errmsg(), text);              \
		*m = m_was;                                 \
		*seg = seg_was;                             \
		CHECK_EQ(plx_mbuf_check(m), 0);             \
	} while (0)

static struct plx_mbuf *two_segments(struct plx_mbuf_pool *pool)
{
	struct plx_mbuf *m = plx_mbuf_alloc(pool), *seg = plx_mbuf_alloc(pool);

	plx_mbuf_append(m, 10);
	plx_mbuf_append(seg, 20);
	CHECK_EQ(plx_mbuf_chain(m, seg), 0);
	CHECK_EQ(plx_mbuf_check(m), 0);
	return m;
}

TEST(mbuf_check, segments_and_lengths)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool = test_pool(ctx, 8, 512);
	struct plx_mbuf *m = two_segments(pool), *seg = m->next;

	REFUSED(m->nsegs = 0, "mbuf: nsegs is 0 in the first segment");
	REFUSED(m->nsegs = 3, "mbuf: nsegs is 3, next ends the packet after 2");
	REFUSED(m->nsegs = 1, "mbuf: nsegs is 1, next goes on after that");
	REFUSED(seg->next = m, "mbuf: nsegs is 2, next goes on after that");
	REFUSED(m->pkt_len = 31, "mbuf: pkt_len is 31, the segments' data_len add up to 30");
	REFUSED(seg->pool = NULL, "mbuf segment 1: pool is NULL");
	REFUSED(seg->refcnt = 0, "mbuf segment 1: refcnt is 0: it was freed (refcnt 0, kind 0, ");
	REFUSED(m->data_off = 503, "segment 0: data_off + data_len is past the end of the room");
	CHECK_EQ(plx_mbuf_check(NULL), -EINVAL);
	CHECK_STR(plx_errmsg(), "mbuf: NULL is no packet");
	plx_mbuf_free(m);
	CHECK_EQ(test_avail(pool), 8);
	plx_ctx_close(ctx);
}

TEST(mbuf_check, whose_room)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool = test_pool(ctx, 8, 512);
	struct plx_mbuf *m = two_segments(pool), *seg = m->next, *other = plx_mbuf_alloc(pool);
	struct plx_mbuf_ext ext = {.free_fn = nothing, .refcnt = 1}, freed = {.free_fn = nothing};

	REFUSED(seg->kind = 3, "mbuf segment 1: kind is none of enum plx_mbuf_kind");
	REFUSED(m->buf++, "mbuf segment 0: buf is not its own room");
	REFUSED(m->buf_iova++, "mbuf segment 0: buf is not its own room");
	REFUSED(seg->kind = PLX_MBUF_EXTERNAL, "ext or ext->free_fn is NULL");
	REFUSED((seg->kind = PLX_MBUF_EXTERNAL, seg->ext = &freed), "ext->refcnt is 0");
	REFUSED((seg->kind = PLX_MBUF_EXTERNAL, seg->ext = &ext), "segment 1: data_off + data_len");
	REFUSED(seg->kind = PLX_MBUF_INDIRECT, "direct is NULL or indirect itself");
	REFUSED((seg->kind = PLX_MBUF_INDIRECT, seg->direct = seg), "direct is NULL or indirect");
	other->refcnt = 0;
	REFUSED((seg->kind = PLX_MBUF_INDIRECT, seg->direct = other), "direct->refcnt is 0");
	other->refcnt = 1;
	plx_mbuf_free(other);
	plx_mbuf_free(m);
	CHECK_EQ(test_avail(pool), 8);
	plx_ctx_close(ctx);
}

TEST(mbuf_check, too_long)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool = test_pool(ctx, 8, 65535);
	struct plx_mbuf *m = plx_mbuf_alloc(pool), *seg = plx_mbuf_alloc(pool);

	plx_mbuf_append(m, 60000);
	plx_mbuf_append(seg, 60000);
	m->next = seg;
	m->nsegs = 2;
	m->pkt_len = 120000;
	CHECK_EQ(plx_mbuf_check(m), -EINVAL);
	CHECK_STR(plx_errmsg(), "mbuf: pkt_len is 120000, at most 65535 make a packet");
	plx_mbuf_free(m);
	plx_ctx_close(ctx);
}

/* ---- the same as functions ---- */

TEST(mbuf_fn, does_what_the_inline_does)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool = test_pool(ctx, 64, 512);
	struct plx_mempool_cache *c;
	struct plx_mbuf *m;

	CHECK_EQ(plx_mempool_cache_create(ctx, 0, -1, &c), 0);
	plx_mempool_cache_bind(c, &pool->mp);
	CHECK_EQ(plx_mbuf_alloc_bulk_c_fn(c, &m, 1), 1);
	CHECK(plx_mbuf_append_fn(m, 100) == plx_mbuf_data_fn(m));
	CHECK(plx_mbuf_prepend_fn(m, 28) == m->buf + 100);
	CHECK_EQ(plx_mbuf_adj_fn(m, 8), 0);
	CHECK_EQ(plx_mbuf_trim_fn(m, 20), 0);
	CHECK_EQ(m->pkt_len, 100);
	CHECK_EQ(plx_mbuf_iova_fn(m), plx_mbuf_iova(m));
	CHECK_EQ(plx_mbuf_room_fn(m), 512);
	CHECK_EQ(plx_mbuf_headroom_fn(m), 108);
	CHECK_EQ(plx_mbuf_tailroom_fn(m), 512 - 208);
	CHECK(plx_mbuf_last_fn(m) == m);
	CHECK(plx_mbuf_is_plain_fn(m, pool));
	plx_mbuf_hold(m);
	CHECK(!plx_mbuf_is_plain_fn(m, pool));
	plx_mbuf_free(m);
	plx_mbuf_reset_fn(m);
	CHECK(test_fresh(m));
	plx_mbuf_free(m);
	plx_mempool_cache_free(c);
	plx_ctx_close(ctx);
}
