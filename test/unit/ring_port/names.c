/* SPDX-License-Identifier: BSD-3-Clause */
/* Which ports are a pair, and what is refused. */
#include "ends.h"

static void refused(struct ends *e, const char *text, int err, const char *why)
{
	struct plx_port *port = NULL;

	CHECK_EQ(plx_port_open(e->ctx, text, &port), err);
	CHECK_HAS(plx_errmsg(), why);
	CHECK(port == NULL);
}

TEST(ring_port, a_name_is_needed_and_has_an_end)
{
	char text[200] = "ring:";
	struct ends e;

	ends_ctx(&e);
	refused(&e, "ring:", -EINVAL, "needs a name");
	refused(&e, "ring", -EINVAL, "needs a name");
	memset(text + 5, 'x', 64);
	text[5 + 64] = '\0';
	refused(&e, text, -EINVAL, "1 to 63 characters");
	ends_close(&e);
}

TEST(ring_port, an_unknown_key_is_refused_and_the_name_stays_free)
{
	struct ends_end a, b;
	struct ends e;

	ends_ctx(&e);
	for (unsigned i = 0; i < 3; i++)
		refused(&e, "ring:a,size=3", -EINVAL, "size");
	ends_pair(&e, &a, &b, "ring:a");
	ends_close(&e);
}

TEST(ring_port, a_third_end_is_refused_until_one_closes)
{
	struct ends_end a, b, c;
	struct ends e;

	ends_ctx(&e);
	ends_pair(&e, &a, &b, "ring:a");
	refused(&e, "ring:a", -EBUSY, "a ring has two ends");
	refused(&e, "ring:a,loop=1", -EBUSY, "both ends");
	CHECK_EQ(plx_port_close(a.port), 0);
	ends_start(&e, &c, "ring:a");
	CHECK(ends_up(&b));
	CHECK(ends_up(&c));
	refused(&e, "ring:a", -EBUSY, "a ring has two ends");
	ends_close(&e);
}

TEST(ring_port, a_loop_has_no_second_end)
{
	struct ends_end a;
	struct ends e;

	ends_ctx(&e);
	ends_start(&e, &a, "ring:a,loop=1");
	refused(&e, "ring:a", -EBUSY, "with loop=1");
	refused(&e, "ring:a,loop=1", -EBUSY, "with loop=1");
	CHECK_EQ(plx_port_close(a.port), 0);
	ends_start(&e, &a, "ring:a");
	CHECK(!ends_up(&a));
	ends_close(&e);
}

TEST(ring_port, names_are_a_contexts_own)
{
	struct ends_end a, b;
	struct ends e, f;

	ends_ctx(&e);
	ends_ctx(&f);
	ends_start(&e, &a, "ring:a");
	ends_start(&f, &b, "ring:a");
	CHECK(!ends_up(&a));
	CHECK(!ends_up(&b));
	ends_close(&e);
	ends_close(&f);
}

/* Each time the same for a name and an end, another for another, and one can be set. */
TEST(ring_port, mac_addresses_are_stable_and_differ)
{
	const struct plx_mac mine = {{2, 1, 2, 3, 4, 5}};
	struct plx_port_info first, again, other, second;
	struct ends_end a, b, c;
	struct ends e;

	ends_ctx(&e);
	ends_start(&e, &a, "ring:a");
	CHECK_EQ(plx_port_info(a.port, &first), 0);
	CHECK_EQ(plx_port_close(a.port), 0);
	ends_start(&e, &a, "ring:a");
	ends_start(&e, &b, "ring:a");
	ends_start(&e, &c, "ring:b");
	CHECK_EQ(plx_port_info(a.port, &again), 0);
	CHECK_EQ(plx_port_info(b.port, &second), 0);
	CHECK_EQ(plx_port_info(c.port, &other), 0);
	CHECK_EQ(memcmp(&first.mac, &again.mac, sizeof(first.mac)), 0);
	CHECK(memcmp(&first.mac, &second.mac, sizeof(first.mac)) != 0);
	CHECK(memcmp(&first.mac, &other.mac, sizeof(first.mac)) != 0);
	CHECK_EQ(first.mac.b[0], 2);
	CHECK_EQ(plx_port_set_mac(a.port, &mine), 0);
	CHECK_EQ(plx_port_reset(a.port), 0);
	CHECK_EQ(plx_port_info(a.port, &again), 0);
	CHECK_EQ(memcmp(&again.mac, &mine, sizeof(mine)), 0);
	ends_close(&e);
}
