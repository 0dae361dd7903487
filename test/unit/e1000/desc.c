/* SPDX-License-Identifier: BSD-3-Clause */
/* Descriptors of the e1000 family: what is written for the device, what is read from it. */
#include "e1000.h"
#include "unit.h"

/* The bytes of the slot, as the device sees them. */
static void slot_bytes(uint8_t b[16], uint64_t q0, uint64_t q1)
{
	static union e1000_tx_desc d;

	e1000_desc_store(&d, q0, q1);
	memcpy(b, &d, 16);
}

TEST(e1000_desc, a_plain_packet_is_a_legacy_descriptor)
{
	uint8_t b[16];

	slot_bytes(b, 0x1122334455667788u, e1000_tx_q1(E1000_TXC_PLAIN, 0x1234, 0));
	CHECK_EQ(memcmp(b, "\x88\x77\x66\x55\x44\x33\x22\x11\x34\x12\x00\x03\x00\x00\x00\x00", 16),
		0);
}

TEST(e1000_desc, a_vlan_tag_and_a_checksum_make_an_extended_descriptor)
{
	static struct plx_mbuf m;
	uint32_t cmd, opts;
	uint8_t b[16];

	m.flags = PLX_TX_VLAN | PLX_TX_IPV4 | PLX_TX_IP_CKSUM | PLX_TX_UDP_CKSUM;
	m.vlan = 0xa123;
	e1000_tx_command(&m, &cmd, &opts);
	slot_bytes(b, 0, e1000_tx_q1(cmd | E1000_TXC_EOP | E1000_TXC_RS, 60, opts));
	/* length, type 1 in the upper half of byte 10, DCMD: VLE DEXT RS IFCS EOP, POPTS: TXSM IXSM */
	CHECK_EQ(memcmp(b + 8, "\x3c\x00\x10\x6b\x00\x03\x23\xa1", 8), 0);
}

TEST(e1000_desc, a_context_says_where_checksums_are)
{
	static struct plx_mbuf m;
	uint64_t q[2];
	uint8_t b[16];

	m.flags = PLX_TX_IPV4 | PLX_TX_IP_CKSUM | PLX_TX_TCP_CKSUM;
	m.tx.l2_len = 18;
	m.tx.l3_len = 24;
	e1000_tx_context(&m, 0, q);
	slot_bytes(b, q[0], q[1]);
	CHECK_EQ(b[0], 18);                         /* IPCSS */
	CHECK_EQ(b[1], 18 + 10);                    /* IPCSO */
	CHECK_EQ(plx_load_le16(b + 2), 42 - 1);     /* IPCSE */
	CHECK_EQ(b[4], 42);                         /* TUCSS */
	CHECK_EQ(b[5], 42 + 16);                    /* TUCSO */
	CHECK_EQ(plx_load_le16(b + 6), 0);          /* TUCSE: to the end */
	CHECK_EQ(plx_load_le32(b + 8), 0x23000000); /* DEXT, IP, TCP; type 0 */
	m.flags = PLX_TX_IPV6 | PLX_TX_UDP_CKSUM;
	m.tx.l2_len = 14;
	m.tx.l3_len = 40;
	e1000_tx_context(&m, 0, q);
	slot_bytes(b, q[0], q[1]);
	CHECK_EQ(b[4], 54);
	CHECK_EQ(b[5], 60);
	CHECK_EQ(plx_load_le32(b + 8), 0x20000000);
}

TEST(e1000_desc, a_context_says_how_tcp_is_cut)
{
	static struct plx_mbuf m;
	uint32_t cmd, opts;
	uint64_t q[2];
	uint8_t b[16];

	m.flags = PLX_TX_IPV4 | PLX_TX_TSO;
	m.tx = (struct plx_tx_offload){.l2_len = 14, .l3_len = 20, .l4_len = 32, .tso_segsz = 1448};
	e1000_tx_context(&m, 66 + 0xabcd, q);
	slot_bytes(b, q[0], q[1]);
	CHECK_EQ(b[0], 14);
	CHECK_EQ(b[4], 34);
	CHECK_EQ(b[5], 34 + 16);
	CHECK_EQ(plx_load_le32(b + 8), 0x2700abcd); /* DEXT, TSE, IP, TCP; type 0; PAYLEN */
	CHECK_EQ(b[13], 66);                        /* HDRLEN */
	CHECK_EQ(plx_load_le16(b + 14), 1448);      /* MSS */
	e1000_tx_command(&m, &cmd, &opts);
	CHECK_EQ(cmd, 0x26100000); /* DEXT, TSE, IFCS; type 1 */
	CHECK_EQ(opts, 0x300);     /* TXSM, IXSM */
	m.flags = PLX_TX_IPV6 | PLX_TX_TSO | PLX_TX_TCP_CKSUM;
	e1000_tx_context(&m, 100, q);
	CHECK_EQ(q[1] >> 24 & 0xff, 0x25);
	e1000_tx_command(&m, &cmd, &opts);
	CHECK_EQ(opts, 0x200);
}

TEST(e1000_desc, checksum_bits_become_flags)
{
	const uint32_t good = E1000_RXS_DD | E1000_RXS_EOP | E1000_RXS_IPCS | E1000_RXS_TCPCS;

	CHECK_EQ(e1000_rx_cksum_flags(E1000_RXS_DD | E1000_RXS_EOP), 0);
	CHECK_EQ(e1000_rx_cksum_flags(good), PLX_RX_IP_CKSUM_GOOD | PLX_RX_L4_CKSUM_GOOD);
	CHECK_EQ(e1000_rx_cksum_flags(good | E1000_RXS_IPE),
		PLX_RX_IP_CKSUM_BAD | PLX_RX_L4_CKSUM_GOOD);
	CHECK_EQ(e1000_rx_cksum_flags(good | E1000_RXS_TCPE),
		PLX_RX_IP_CKSUM_GOOD | PLX_RX_L4_CKSUM_BAD);
	CHECK_EQ(e1000_rx_cksum_flags(good | E1000_RXS_IXSM | E1000_RXS_IPE), 0);
	/* an error bit without the check it belongs to means nothing */
	CHECK_EQ(e1000_rx_cksum_flags(E1000_RXS_TCPE | E1000_RXS_IPE), 0);
	CHECK_EQ(e1000_rx_cksum_flags(E1000_RXS_UDPCS), PLX_RX_L4_CKSUM_GOOD);
}

TEST(e1000_desc, packet_types)
{
	CHECK_EQ(e1000_rx_ptype_l3(0), PLX_PTYPE_L2_ETHER);
	CHECK_EQ(e1000_rx_ptype_l3(1 << 16), PLX_PTYPE_L2_ETHER | PLX_PTYPE_L3_IPV4_EXT);
	CHECK_EQ(e1000_rx_ptype_l3(2 << 16), PLX_PTYPE_L2_ETHER | PLX_PTYPE_L3_IPV4_EXT);
	CHECK_EQ(e1000_rx_ptype_l3(5 << 16), PLX_PTYPE_L2_ETHER | PLX_PTYPE_L3_IPV6_EXT);
	CHECK_EQ(e1000_rx_ptype_l3(15 << 16), PLX_PTYPE_L2_ETHER);
	CHECK_EQ(e1000_rx_ptype_l4(E1000_RXS_IPCS), 0);
	CHECK_EQ(e1000_rx_ptype_l4(E1000_RXS_TCPCS), PLX_PTYPE_L4_TCP);
	CHECK_EQ(e1000_rx_ptype_l4(E1000_RXS_TCPCS | E1000_RXS_UDPCS), PLX_PTYPE_L4_UDP);
	CHECK_EQ(e1000_rx_ptype_l4(E1000_RXS_TCPCS | E1000_RXS_IXSM), 0);
}

TEST(e1000_desc, the_table_says_what_the_functions_say)
{
	static struct e1000_rx_table t;
	const uint32_t st = 2 << 16 | E1000_RXS_PLAIN | E1000_RXS_VP | E1000_RXS_IPCS |
			    E1000_RXS_TCPCS | E1000_RXS_TCPE;
	uint64_t v;

	e1000_rx_table_make(&t);
	v = e1000_rx_meaning(&t, st);
	CHECK_EQ((uint32_t)v,
		PLX_RX_VLAN | PLX_RX_VLAN_STRIPPED | PLX_RX_IP_CKSUM_GOOD | PLX_RX_L4_CKSUM_BAD);
	CHECK_EQ(v >> 32, PLX_PTYPE_L2_ETHER | PLX_PTYPE_L3_IPV4_EXT | PLX_PTYPE_L4_TCP);
	CHECK_EQ((uint32_t)e1000_rx_meaning(&t, E1000_RXS_PLAIN), 0);
}

TEST(e1000_desc, buffer_sizes)
{
	static const struct {
		uint32_t room, len, rctl;
	} rows[] = {
		{256, 256, 3 << 16},
		{511, 256, 3 << 16},
		{512, 512, 2 << 16},
		{1024, 1024, 1 << 16},
		{2047, 1024, 1 << 16},
		{2048, 2048, 0},
		{3000, 2048, 0},
		{3072, 3072, 3u << 27},
		{4096, 4096, 1 << 25 | 3 << 16},
		{8192, 8192, 1 << 25 | 2 << 16},
		{9216, 9216, 9u << 27},
		{16383, 15360, 15u << 27},
		{16384, 16384, 1 << 25 | 1 << 16},
		{65407, 16384, 1 << 25 | 1 << 16},
	};

	for (size_t i = 0; i < PLX_ARRAY_SIZE(rows); i++) {
		uint32_t rctl;

		CHECK_EQ(e1000_gen_82574.buf_len(rows[i].room, &rctl), rows[i].len);
		CHECK_EQ(rctl, rows[i].rctl);
	}
}

TEST(e1000_desc, multicast_hash)
{
	const struct plx_mac a = {{0x01, 0xaa, 0x00, 0x12, 0x34, 0x56}};

	/* bits 47:36 of 56:34:12:00:aa:01, most significant byte first */
	CHECK_EQ(e1000_mcast_bit(&a), 0x563);
}

TEST(e1000_desc, registers_have_rows)
{
	CHECK(e1000_reg_known(E1000_RCTL));
	CHECK(e1000_reg_known(0x04010));
	CHECK(!e1000_reg_known(0x0fffc));
}

/* 8254x manual, 3.2.3: bytes of a slot: address, length, checksum, status, errors, tag. */
TEST(e1000_desc, a_legacy_descriptor_says_what_an_extended_one_does)
{
	static const uint8_t slot[8] = {0x34, 0x12, 0xcd, 0xab, 0x6b, 0xe1, 0x23, 0xa1};
	const uint64_t q1 = plx_load_le64(slot), ext = e1000_rx_extended(q1);
	const uint64_t swapped = e1000_rx_swapped(q1);

	CHECK_EQ(ext & 0xff, 0x6b);
	CHECK_EQ(ext >> 24 & 0xff, 0xe1);
	CHECK_EQ(ext >> 32 & 0xffff, 0x1234);
	CHECK_EQ(ext >> 48, 0xa123);
	CHECK_EQ(E1000_RXS_PKTTYPE((uint32_t)ext), 0); /* there is none */
	CHECK_EQ(swapped & 0xff, 0x6b);
	CHECK_EQ(swapped >> 32 & 0xffff, 0x1234);
	CHECK_EQ(e1000_rx_extended(UINT64_MAX), 0xffffffffff0000ffu);
}

/* One bit at a time: what makes an extended descriptor not plain does so with a legacy one. */
TEST(e1000_desc, the_same_bits_make_a_legacy_descriptor_not_plain)
{
	for (unsigned bit = 0; bit < 64; bit++) {
		const uint64_t q1 = UINT64_C(1) << bit;
		const bool ext = (e1000_rx_extended(q1) & E1000_RXS_PLAIN_MASK) != 0;

		CHECK_EQ((e1000_rx_swapped(q1) & E1000_RXL_PLAIN_MASK) != 0, ext);
	}
}
