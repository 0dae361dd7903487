/* SPDX-License-Identifier: BSD-3-Clause */
/* Sums that software begins and somebody else finishes, and the other way round. */
#include <linux/virtio_net.h>

#include "net_pmd.h"
#include "net_test.h"

#define ETH 14u

/* A packet of TCP or UDP with l4 bytes of layer 4; its checksum fields hold 0xabcd. */
static uint32_t make(uint8_t *f, bool ipv6, uint8_t proto, uint32_t l4)
{
	uint32_t l3 = ipv6 ? 40 : 20;
	uint8_t *ip = f + ETH, *t = ip + l3;

	for (uint32_t i = 0; i < ETH + l3 + l4; i++)
		f[i] = (uint8_t)(7 * i + 1);
	plx_store_be16(f + 12, ipv6 ? 0x86dd : 0x0800);
	ip[0] = ipv6 ? 0x60 : 0x45;
	if (ipv6) {
		plx_store_be16(ip + 4, (uint16_t)l4);
		ip[6] = proto;
	} else {
		plx_store_be16(ip + 2, (uint16_t)(l3 + l4));
		plx_store_be16(ip + 6, 0);
		ip[9] = proto;
		plx_store_be16(ip + 10, 0xabcd);
	}
	if (proto == PLX_IP_TCP)
		t[12] = 0x50; /* data offset: 20 bytes */
	else
		plx_store_be16(t + 4, (uint16_t)l4);
	plx_store_be16(t + (proto == PLX_IP_UDP ? 6 : 16), 0xabcd);
	return ETH + l3 + l4;
}

static uint32_t flags_of(bool ipv6, uint8_t proto)
{
	return (ipv6 ? PLX_TX_IPV6 : PLX_TX_IPV4) |
	       (proto == PLX_IP_UDP ? PLX_TX_UDP_CKSUM : PLX_TX_TCP_CKSUM);
}

static struct plx_mbuf *asking(const uint8_t *f, uint32_t len, uint32_t first, uint32_t flags)
{
	struct plx_mbuf *m = packet(f, len, first, 100, NULL);

	m->flags = flags;
	m->tx = (struct plx_tx_offload){.l2_len = ETH, .l3_len = flags & PLX_TX_IPV6 ? 40 : 20};
	return m;
}

/* As the one who finishes it sees it: the sum from csum_start on, over the field as it was left. */
TEST(unfinished, what_tx_begins_rx_finishes)
{
	static const uint8_t protos[] = {PLX_IP_TCP, PLX_IP_UDP};
	uint8_t f[600];

	for (unsigned i = 0; i < 4; i++) {
		const bool ipv6 = i & 1;
		const uint8_t proto = protos[i / 2];
		const uint32_t len = make(f, ipv6, proto, 301);

		struct plx_mbuf *m = asking(f, len, 100, flags_of(ipv6, proto));
		struct virtio_net_hdr vh;
		struct plx_pkt_info info;

		CHECK_EQ(plx_tx_phdr(m), 0);
		CHECK(plx_vnet_tx(&vh, m, 0));
		CHECK_EQ(vh.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
		CHECK_EQ(vh.gso_type, VIRTIO_NET_HDR_GSO_NONE);
		CHECK_EQ(vh.csum_start, ETH + (ipv6 ? 40 : 20));
		CHECK_EQ(vh.csum_offset, proto == PLX_IP_UDP ? 6 : 16);
		CHECK(plx_vnet_rx(m, &vh, 0));
		plx_pkt_parse(m, &info);
		CHECK_EQ(plx_l4_cksum_check(m, &info.hdr), 1);
		packet_free(m);
	}
}

/* A driver puts a tag in before layer 3: fields lie 4 bytes further. */
TEST(unfinished, tags_move_the_fields)
{
	struct virtio_net_hdr vh, tagged;
	uint8_t f[200], t[204];
	uint32_t len = make(f, false, PLX_IP_TCP, 100);
	struct plx_mbuf *m = asking(f, len, len, flags_of(false, PLX_IP_TCP));
	struct plx_mbuf *with;
	struct plx_pkt_info info;

	CHECK_EQ(plx_tx_phdr(m), 0);
	CHECK(plx_vnet_tx(&vh, m, 0) && plx_vnet_tx(&tagged, m, 4));
	CHECK_EQ(tagged.csum_start, vh.csum_start + 4);
	memcpy(t, plx_mbuf_data(m), 12);
	plx_store_be16(t + 12, 0x8100);
	plx_store_be16(t + 14, 5);
	memcpy(t + 16, plx_mbuf_data(m) + 12, len - 12);
	with = packet(t, len + 4, 33, 51, NULL); /* the field across segments */
	CHECK(plx_vnet_rx(with, &vh, 4));
	plx_pkt_parse(with, &info);
	CHECK_EQ(plx_l4_cksum_check(with, &info.hdr), 1);
	packet_free(with);
	packet_free(m);
}

TEST(unfinished, packets_that_ask_for_nothing_stay_as_they_are)
{
	struct virtio_net_hdr vh;
	uint8_t f[200];
	uint32_t len = make(f, false, PLX_IP_UDP, 100);
	struct plx_mbuf *m = asking(f, len, len, PLX_TX_IPV4);

	CHECK_EQ(plx_tx_phdr(m), 0);
	CHECK_EQ(plx_tx_wants_ipv4_cksum(m), 0);
	CHECK(plx_vnet_tx(&vh, m, 0));
	CHECK_EQ(vh.flags, 0);
	CHECK(!plx_vnet_rx(m, &vh, 0));
	vh.flags = VIRTIO_NET_HDR_F_DATA_VALID;
	CHECK(plx_vnet_rx(m, &vh, 0));
	CHECK(memcmp(plx_mbuf_data(m), f, len) == 0);
	packet_free(m);
}

TEST(unfinished, what_is_longer_than_a_piece_is_cut)
{
	struct virtio_net_hdr vh;
	uint8_t f[400];
	uint32_t len = make(f, true, PLX_IP_TCP, 20 + 200);
	struct plx_mbuf *m = asking(f, len, len, PLX_TX_IPV6 | PLX_TX_TSO);

	m->tx.l4_len = 20;
	m->tx.tso_segsz = 200;
	CHECK(plx_vnet_tx(&vh, m, 0));
	CHECK_EQ(vh.gso_type, VIRTIO_NET_HDR_GSO_NONE);
	m->tx.tso_segsz = 199;
	CHECK(plx_vnet_tx(&vh, m, 4));
	CHECK_EQ(vh.gso_type, VIRTIO_NET_HDR_GSO_TCPV6);
	CHECK_EQ(vh.gso_size, 199);
	CHECK_EQ(vh.hdr_len, ETH + 40 + 20 + 4);
	m->tx.tso_segsz = 0;
	CHECK(!plx_vnet_tx(&vh, m, 0));
	packet_free(m);
}

/* The sum is of addresses and protocol alone; headers have no lengths. */
TEST(unfinished, pieces_get_their_lengths_from_the_device)
{
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		uint8_t f[400];
		const uint32_t l3 = ipv6 ? 40 : 20, len = make(f, ipv6, PLX_IP_TCP, 20 + 200);
		struct plx_mbuf *m =
			asking(f, len, len, PLX_TX_TSO | (ipv6 ? PLX_TX_IPV6 : PLX_TX_IPV4));
		uint8_t *ip = plx_mbuf_data(m) + ETH;
		uint32_t sum = PLX_IP_TCP;

		m->tx.l4_len = 20;
		m->tx.tso_segsz = 100;
		for (uint32_t i = ipv6 ? 8 : 12; i < l3; i += 2)
			sum += plx_load_be16(ip + i);
		while (sum > 0xffff)
			sum = (sum & 0xffff) + (sum >> 16);
		CHECK_EQ(plx_tx_phdr_tso(m), 0);
		CHECK_EQ(plx_load_be16(ip + l3 + 16), sum);
		CHECK_EQ(plx_load_be16(ip + (ipv6 ? 4 : 2)), 0);
		if (!ipv6)
			CHECK_EQ(plx_load_be16(ip + 10), 0);
		m->flags ^= PLX_TX_IPV4 | PLX_TX_IPV6;
		CHECK_EQ(plx_tx_phdr_tso(m), -EINVAL);
		packet_free(m);
	}
}

TEST(unfinished, ipv4_headers)
{
	uint8_t f[200];
	uint32_t len = make(f, false, PLX_IP_UDP, 8);
	struct plx_mbuf *m = asking(f, len, len, PLX_TX_IPV4 | PLX_TX_IP_CKSUM);

	CHECK_EQ(plx_tx_wants_ipv4_cksum(m), 1);
	plx_ipv4_cksum_put(f + ETH, 20);
	CHECK_EQ(plx_cksum(f + ETH, 20).v, 0);
	m->flags = PLX_TX_IPV4 | PLX_TX_TSO;
	CHECK_EQ(plx_tx_wants_ipv4_cksum(m), 1);
	m->tx.l3_len = 19;
	CHECK_EQ(plx_tx_wants_ipv4_cksum(m), -1);
	m->tx.l3_len = 60; /* behind the end */
	CHECK_EQ(plx_tx_wants_ipv4_cksum(m), -1);
	m->flags = PLX_TX_IPV6 | PLX_TX_TSO;
	CHECK_EQ(plx_tx_wants_ipv4_cksum(m), 0);
	packet_free(m);
}

TEST(unfinished, metadata_that_lies_is_refused)
{
	struct virtio_net_hdr vh;
	uint8_t f[200];
	uint32_t len = make(f, false, PLX_IP_TCP, 40);
	struct plx_mbuf *m = asking(f, len, ETH + 20 + 17, flags_of(false, PLX_IP_TCP));

	CHECK_EQ(plx_tx_phdr(m), -EINVAL); /* the field is in two segments */
	CHECK_HAS(plx_errmsg(), "first segment");
	packet_free(m);
	m = asking(f, len, len, flags_of(true, PLX_IP_TCP));
	CHECK_EQ(plx_tx_phdr(m), -EINVAL);
	CHECK_HAS(plx_errmsg(), "the flags say IPv6");
	packet_free(m);
	m = asking(f, len - 1, len, flags_of(false, PLX_IP_TCP)); /* less than the IP header says */
	CHECK_EQ(plx_tx_phdr(m), -EINVAL);
	CHECK_HAS(plx_errmsg(), "length is not the packet's");
	m->tx.l3_len = 60;
	CHECK(!plx_vnet_tx(&vh, m, 0));
	packet_free(m);
}

TEST(unfinished, a_peer_that_lies_changes_nothing)
{
	struct virtio_net_hdr vh = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM};
	uint8_t f[200];
	uint32_t len = make(f, false, PLX_IP_TCP, 40);
	struct plx_mbuf *m = asking(f, len, 50, 0);

	vh.csum_start = (uint16_t)len;
	CHECK(!plx_vnet_rx(m, &vh, 0));
	vh.csum_start = 34;
	vh.csum_offset = (uint16_t)(len - 34 - 1);
	CHECK(!plx_vnet_rx(m, &vh, 0));
	vh.csum_start = vh.csum_offset = 0xffff;
	CHECK(!plx_vnet_rx(m, &vh, 4));
	CHECK(memcmp(plx_mbuf_data(m), f, 50) == 0);
	packet_free(m);
}
