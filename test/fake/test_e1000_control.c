/* SPDX-License-Identifier: BSD-3-Clause */
/* Pause, speed, EEPROM, more addresses: what the driver sets in the model and reads from it. */
#include <errno.h>

#include "e1000_rig.h"

enum { CTRL = 0, FCRTL = 0x2160, FCRTH = 0x2168, RFCE = 1 << 27, TFCE = 1 << 28 };
enum { ADV = 4, GBCR = 9, PAUSE = 0x400, ASM = 0x800 };

static void end(struct rig *r)
{
	CHECK_STR(fake_82574_violation(r->m, 0), "");
	rig_end(r);
}

static uint32_t ctrl(struct rig *r)
{
	return fake_82574_peek(r->m, CTRL) & (uint32_t)(RFCE | TFCE);
}

static void is_pause(struct rig *r, bool rx, bool tx, bool autoneg)
{
	struct plx_pause p;

	CHECK_EQ(plx_port_get_pause(r->port, &p), 0);
	CHECK_EQ(p.rx, rx);
	CHECK_EQ(p.tx, tx);
	CHECK_EQ(p.autoneg, autoneg);
	CHECK_EQ(ctrl(r), (rx ? (uint32_t)RFCE : 0) | (tx ? (uint32_t)TFCE : 0));
	CHECK_EQ(fake_82574_peek(r->m, FCRTH) != 0, tx);
	CHECK_EQ(fake_82574_peek(r->m, FCRTL) != 0, tx);
}

/* The model's other end offers both. */
TEST(e1000_control, pause_is_negotiated)
{
	static const struct {
		struct plx_pause want;
		uint32_t adv;
	} rows[] = {
		{{true, true, true}, PAUSE},
		{{true, false, true}, PAUSE | ASM},
		{{false, true, true}, ASM},
		{{false, false, true}, 0},
	};
	static struct rig r;

	rig_begin(&r, 0);
	rig_up(&r);
	is_pause(&r, false, false, true);
	CHECK_EQ(fake_82574_peek_phy(r.m, ADV) & (PAUSE | ASM), 0);
	for (size_t i = 0; i < PLX_ARRAY_SIZE(rows); i++) {
		const struct plx_pause *want = &rows[i].want;

		CHECK_EQ(plx_port_set_pause(r.port, want), 0);
		CHECK_EQ(fake_82574_peek_phy(r.m, ADV) & (PAUSE | ASM), rows[i].adv);
		CHECK_EQ(ctrl(&r), 0); /* not before there is a link again */
		CHECK_EQ(rig_link(&r), 0);
		is_pause(&r, want->rx, want->tx, true);
		rig_traffic(&r, 4);
		CHECK_EQ(plx_port_reset(r.port), 0);
		CHECK_EQ(rig_link(&r), 0);
		is_pause(&r, want->rx, want->tx, true);
	}
	end(&r);
}

TEST(e1000_control, pause_is_fixed)
{
	static struct rig r;

	rig_begin(&r, 0);
	rig_up(&r);
	for (unsigned i = 0; i < 4; i++) {
		const struct plx_pause want = {(i & 1) != 0, (i & 2) != 0, false};

		CHECK_EQ(plx_port_set_pause(r.port, &want), 0);
		is_pause(&r, want.rx, want.tx, false);
		CHECK_EQ(fake_82574_peek_phy(r.m, ADV) & (PAUSE | ASM), 0);
		CHECK_EQ(plx_port_reset(r.port), 0);
		is_pause(&r, want.rx, want.tx, false);
	}
	/* below the FIFO by a frame, and a little above where it ends */
	CHECK(fake_82574_peek(r.m, FCRTH) <= (RIG_PART == FAKE_82576 ? 64 : 20) * 1024 - 9234);
	CHECK_EQ(fake_82574_peek(r.m, FCRTL) & 0xffff, fake_82574_peek(r.m, FCRTH) - 8);
	end(&r);
}

TEST(e1000_control, speeds_are_offered)
{
	static const struct {
		struct plx_link want;
		uint32_t adv, gbcr;
	} rows[] = {
		{{.speed_mbps = 1000, .full_duplex = true}, 0, 0x200},
		{{.speed_mbps = 100, .full_duplex = true}, 0x100, 0},
		{{.speed_mbps = 100}, 0x80, 0},
		{{.speed_mbps = 10, .full_duplex = true}, 0x40, 0},
		{{.speed_mbps = 10}, 0x20, 0},
		{{.autoneg = true}, 0x1e0, 0x200},
	};
	const struct plx_link bad[] = {{.speed_mbps = 1000},
		{.speed_mbps = 2500, .full_duplex = true}, {.full_duplex = true}};
	static struct rig r;

	rig_begin(&r, 0);
	rig_up(&r);
	for (size_t i = 0; i < PLX_ARRAY_SIZE(rows); i++) {
		CHECK_EQ(plx_port_set_speed(r.port, &rows[i].want), 0);
		for (unsigned k = 0; k < 2; k++) {
			CHECK_EQ(fake_82574_peek_phy(r.m, ADV) & 0x1e0, rows[i].adv);
			CHECK_EQ(fake_82574_peek_phy(r.m, GBCR) & 0x300, rows[i].gbcr);
			CHECK_EQ(rig_link(&r), 0);
			CHECK_EQ(plx_port_reset(r.port), 0);
		}
	}
	for (size_t i = 0; i < PLX_ARRAY_SIZE(bad); i++) {
		CHECK_EQ(plx_port_set_speed(r.port, &bad[i]), -EINVAL);
		CHECK_HAS(plx_errmsg(), "10 and 100 with either, and 1000 with full");
	}
	end(&r);
}

TEST(e1000_control, eeprom)
{
	static struct rig r;
	uint8_t all[128], part[5];
	uint32_t len, sum = 0;

	rig_begin(&r, 0);
	rig_up(&r);
	CHECK_EQ(plx_port_eeprom_len(r.port, &len), 0);
	CHECK_EQ(len, sizeof(all));
	CHECK_EQ(plx_port_eeprom_read(r.port, 0, all, len), 0);
	CHECK_EQ(memcmp(all, r.info.mac.b, 6), 0);
	for (uint32_t i = 0; i < len; i += 2)
		sum += plx_load_le16(all + i);
	CHECK_EQ(sum & 0xffff, 0xbaba);
	CHECK_EQ(plx_port_eeprom_read(r.port, 3, part, 5), 0);
	CHECK_EQ(memcmp(part, all + 3, 5), 0);
	CHECK_EQ(plx_port_eeprom_read(r.port, 126, part, 3), -EINVAL);
	CHECK_EQ(plx_port_eeprom_write(r.port, 0, part, 1), -ENOTSUP);
	/* one that never answers */
	fake_stick(r.f, 0, 0x14, 2, 0);
	CHECK_EQ(plx_port_eeprom_read(r.port, 0, part, 1), -ETIMEDOUT);
	CHECK_HAS(plx_errmsg(), "EERD.DONE");
	fake_stick(r.f, 0, 0x14, 0, 0);
	fake_82574_forgive(r.m);
	CHECK_EQ(plx_port_eeprom_read(r.port, 0, part, 5), 0);
	CHECK_EQ(memcmp(part, all, 5), 0);
	end(&r);
}

static bool takes(struct rig *r, const struct plx_mac *to)
{
	uint8_t frame[100];
	struct plx_mbuf *m;

	rig_frame(frame, 1, sizeof(frame));
	memcpy(frame, to->b, 6);
	m = rig_receive(r, frame, sizeof(frame));
	if (m != NULL)
		plx_mbuf_free(m);
	return m != NULL;
}

TEST(e1000_control, more_addresses)
{
	static struct rig r;
	struct plx_mac mac = {{0x02, 0, 0, 0, 0, 0}};

	rig_begin(&r, 0);
	rig_up(&r);
	for (uint8_t i = 0; i < 15; i++) {
		mac.b[5] = i;
		CHECK(!takes(&r, &mac));
		CHECK_EQ(plx_port_add_mac(r.port, &mac), 0);
		CHECK_EQ(plx_port_add_mac(r.port, &mac), 0); /* is there already */
		CHECK(takes(&r, &mac));
	}
	mac.b[5] = 15;
	CHECK_EQ(plx_port_add_mac(r.port, &mac), -ENOSPC);
	CHECK_HAS(plx_errmsg(), "15 addresses");
	CHECK(!takes(&r, &mac)); /* and did not go promiscuous for it */
	CHECK_EQ(plx_port_del_mac(r.port, &mac), -EINVAL);
	CHECK_EQ(plx_port_reset(r.port), 0);
	CHECK_EQ(rig_link(&r), 0);
	for (uint8_t i = 0; i < 15; i++) {
		mac.b[5] = i;
		CHECK(takes(&r, &mac));
		CHECK_EQ(plx_port_del_mac(r.port, &mac), 0);
		CHECK(!takes(&r, &mac));
	}
	CHECK(takes(&r, &r.info.mac));
	end(&r);
}
