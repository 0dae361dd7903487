/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The 82574L model: receive side scaling (7.1.11, 10.2.5). The hash is that of Microsoft's "RSS
 * Hashing Functions" (ComputeHash), bit by bit as it stands there.
 *
 * Not modelled: addresses in extension headers (a home address, a routing header of type 2). A packet
 * with extension headers is one without TCP here.
 */
#include "fake_82574_priv.h"

enum { /* 10.2.5: MRQC, the fields that may be hashed */
	FIELD_TCP_IPV4 = 1u << 16,
	FIELD_IPV4 = 1u << 17,
	FIELD_TCP_IPV6 = 1u << 18,
	FIELD_IPV6_EX = 1u << 19,
	FIELD_IPV6 = 1u << 20,
	FIELDS = 0x1fu << 16,
};

/* 7.1.4: RSS type of the MRQ field */
enum { TYPE_NONE = 0, TYPE_TCP_IPV4, TYPE_IPV4, TYPE_TCP_IPV6, TYPE_IPV6_EX, TYPE_IPV6 };

static uint32_t key_bit(const struct fake_82574 *m, uint32_t n)
{
	uint32_t byte = n / 8; /* the first byte of the key is the lowest of the first register */

	return m574_get(m, R_RSSRK + (byte & ~3u)) >> (8 * (byte & 3) + 7 - n % 8) & 1;
}

uint32_t m574_toeplitz(const struct fake_82574 *m, const uint8_t *input, uint32_t len)
{
	uint32_t result = 0;

	for (uint32_t bit = 0; bit < 8 * len; bit++) {
		uint32_t leftmost = 0;

		if ((input[bit / 8] >> (7 - bit % 8) & 1) == 0)
			continue;
		for (uint32_t i = 0; i < 32; i++) /* of the key, shifted left by bit */
			leftmost = leftmost << 1 | (bit + i < 320 ? key_bit(m, bit + i) : 0);
		result ^= leftmost;
	}
	return result;
}

/* What is hashed of an IPv4 packet; its type. */
static uint32_t ipv4(
	uint32_t fields, const uint8_t *ip, uint32_t left, uint8_t *input, uint32_t *len)
{
	uint32_t hlen = (ip[0] & 15u) * 4;
	bool fragment = (plx_load_be16(ip + 6) & 0x3fff) != 0;

	memcpy(input, ip + 12, 8);
	*len = 8;
	if ((fields & FIELD_TCP_IPV4) != 0 && ip[9] == 6 && !fragment && left >= hlen + 4) {
		memcpy(input + 8, ip + hlen, 4);
		*len = 12;
		return TYPE_TCP_IPV4;
	}
	return (fields & FIELD_IPV4) != 0 ? TYPE_IPV4 : TYPE_NONE;
}

static uint32_t ipv6(
	uint32_t fields, const uint8_t *ip, uint32_t left, uint8_t *input, uint32_t *len)
{
	memcpy(input, ip + 8, 32);
	*len = 32;
	if ((fields & FIELD_TCP_IPV6) != 0 && ip[6] == 6 && left >= 44) {
		memcpy(input + 32, ip + 40, 4);
		*len = 36;
		return TYPE_TCP_IPV6;
	}
	if ((fields & FIELD_IPV6_EX) != 0)
		return TYPE_IPV6_EX;
	return (fields & FIELD_IPV6) != 0 ? TYPE_IPV6 : TYPE_NONE;
}

bool m574_rss_on(const struct fake_82574 *m)
{
	return (m574_get(m, R_MRQC) & 3) == 1;
}

void m574_rss(struct fake_82574 *m, struct m574_frame *fr)
{
	uint32_t fields = m574_get(m, R_MRQC), off = 14, type, len = 0, entry;
	const uint8_t *ip;
	uint8_t input[36];

	fr->queue = fr->mrq = fr->hash = 0;
	if (!m574_rss_on(m))
		return;
	type = plx_load_be16(fr->data + 12);
	if (type == 0x8100 && fr->len >= 18) {
		type = plx_load_be16(fr->data + 16);
		off = 18;
	}
	ip = fr->data + off;
	if (type == 0x0800 && fr->len >= off + 20 && ip[0] >> 4 == 4)
		type = ipv4(fields, ip, fr->len - off, input, &len);
	else if (type == 0x86dd && fr->len >= off + 40 && ip[0] >> 4 == 6)
		type = ipv6(fields, ip, fr->len - off, input, &len);
	else
		type = TYPE_NONE;
	if (type == TYPE_NONE) /* what cannot be hashed goes to queue 0, with hash 0 */
		return;
	fr->hash = m574_toeplitz(m, input, len);
	/* the 7 low bits choose one of 128 entries, whose bit 7 is the queue */
	entry = m574_get(m, R_RETA + (fr->hash & 0x7c)) >> 8 * (fr->hash & 3);
	fr->queue = entry >> 7 & 1;
	fr->mrq = type | fr->queue << 8;
}

/* What must be so when the receiver comes on, and stay so. */
void m574_rss_check(struct fake_82574 *m)
{
	uint32_t rxcsum = m574_get(m, R_RXCSUM);

	if (!m574_rss_on(m))
		return;
	if ((m574_get(m, R_RFCTL) & RFCTL_EXSTEN) == 0)
		m574_violation(m, "7.1.11: multiple queues with legacy descriptors");
	if ((rxcsum & RXCSUM_PCSD) == 0)
		m574_violation(m, "7.1.11: multiple queues without RXCSUM.PCSD");
	if ((rxcsum & RXCSUM_IPPCSE) != 0)
		m574_violation(m, "7.1.11: multiple queues with RXCSUM.IPPCSE");
}

void m574_rss_write(struct fake_82574 *m, uint32_t off, uint32_t v)
{
	bool receiving = (m574_get(m, R_RCTL) & RCTL_EN) != 0;
	uint32_t old = m574_get(m, off);

	if (off == R_MRQC) {
		if ((v & 3) > 1 || (v & ~(uint32_t)(FIELDS | 3)) != 0)
			m574_violation(m, "10.2.5: MRQC: reserved bits: 0x%08x", v);
		if (receiving && ((v ^ old) & 3) != 0)
			m574_violation(m, "10.2.5: MRQC: queues enabled or disabled while the "
					  "receiver is on");
	} else if (off >= R_RSSRK) {
		if (receiving && m574_rss_on(m) && (m574_get(m, R_MRQC) & FIELDS) != 0)
			m574_violation(m, "7.1.11: RSSRK written while RSS is on");
	} else if ((v & 0x7f7f7f7f) != 0) {
		m574_violation(m, "10.2.5: RETA: reserved bits: 0x%08x", v);
	}
	m574_set(m, off, v);
}
