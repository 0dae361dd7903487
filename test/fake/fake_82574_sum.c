/* SPDX-License-Identifier: BSD-3-Clause */
/* The 82574L model: FCS (IEEE 802.3, 3.2.9) and Internet checksums (RFC 1071), on their own. */
#include "fake_82574_priv.h"

uint32_t m574_crc(const uint8_t *p, uint32_t len)
{
	uint32_t crc = UINT32_MAX;

	for (uint32_t i = 0; i < len; i++) {
		crc ^= p[i];
		for (int b = 0; b < 8; b++)
			crc = crc >> 1 ^ (0xedb88320u & (0u - (crc & 1)));
	}
	return ~crc;
}

uint32_t m574_sum(const uint8_t *p, uint32_t len, uint32_t sum)
{
	for (uint32_t i = 0; i < len; i++) {
		sum += (i & 1) != 0 ? p[i] : (uint32_t)p[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

uint16_t m574_fold(uint32_t sum)
{
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static uint32_t be16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

/* TCP or UDP behind an IP header: L4CS or UDPCS and L4CS, and TCPE where it is wrong. */
static uint32_t l4_sums(
	const uint8_t *l4, uint32_t len, uint8_t proto, const uint8_t *addrs, uint32_t addrs_len)
{
	uint32_t bits = 1u << 5, sum;

	if (proto == 17) {
		if (len < 8 || be16(l4 + 6) == 0) /* no checksum: not checked */
			return 0;
		bits |= 1u << 4;
	} else if (proto != 6 || len < 20) {
		return 0;
	}
	sum = m574_sum(addrs, addrs_len, proto + len);
	if (m574_fold(m574_sum(l4, len, sum)) != 0xffff)
		bits |= 1u << 29; /* TCPE */
	return bits;
}

/* 7.1.4: PKTTYPE: 0 anything, 1 IPv4, 2 IPv4 and TCP or UDP, 5 IPv6, 6 IPv6 and TCP or UDP */
uint32_t m574_rx_type(const uint8_t *frame, uint32_t len)
{
	uint32_t type = be16(frame + 12), off = 14, proto;

	if (type == 0x8100 && len >= 18) {
		type = be16(frame + 16);
		off = 18;
	}
	if (type == 0x0800 && len >= off + 20 && frame[off] >> 4 == 4) {
		proto = frame[off + 9];
		return (be16(frame + off + 6) & 0x3fff) == 0 && (proto == 6 || proto == 17) ? 2 : 1;
	}
	if (type == 0x86dd && len >= off + 40 && frame[off] >> 4 == 6) {
		proto = frame[off + 6];
		return proto == 6 || proto == 17 ? 6 : 5;
	}
	return 0;
}

/* Bits of the extended status and error fields: 7.1.4, 7.1.10 */
uint32_t m574_rx_sums(uint32_t rxcsum, const uint8_t *frame, uint32_t len)
{
	bool ip_on = (rxcsum & 1u << 8) != 0, l4_on = (rxcsum & 1u << 9) != 0;
	uint32_t off = 14, bits = 0, type = be16(frame + 12);

	if (!ip_on && !l4_on)
		return 1u << 2; /* IXSM */
	if (type == 0x8100 && len >= 18) {
		type = be16(frame + 16);
		off = 18;
	}
	if (type == 0x0800 && len >= off + 20 && frame[off] >> 4 == 4) {
		const uint8_t *ip = frame + off;
		uint32_t hlen = (ip[0] & 15u) * 4, total = be16(ip + 2);

		if (hlen < 20 || off + hlen > len || total < hlen || off + total > len)
			return 0;
		if (ip_on)
			bits |= 1u << 6; /* IPCS */
		if (ip_on && m574_fold(m574_sum(ip, hlen, 0)) != 0xffff)
			bits |= 1u << 30; /* IPE */
		if (l4_on && (be16(ip + 6) & 0x3fff) == 0)
			bits |= l4_sums(ip + hlen, total - hlen, ip[9], ip + 12, 8);
	} else if (type == 0x86dd && l4_on && len >= off + 40 && frame[off] >> 4 == 6) {
		const uint8_t *ip = frame + off;
		uint32_t plen = be16(ip + 4);

		if (off + 40 + plen <= len)
			bits |= l4_sums(ip + 40, plen, ip[6], ip + 8, 32);
	}
	return bits;
}
