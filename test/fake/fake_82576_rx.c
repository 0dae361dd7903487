/* SPDX-License-Identifier: BSD-3-Clause */
/* The 82576 model: advanced RX descriptors (7.1.5), queues that drop (7.1.4), RSS (7.1.11, 8.10.18). */
#include "fake_82576_priv.h"

enum { /* 8.10.18: MRQC */
	RSS_16_QUEUES = 2,
	FIELD_TCP_IPV4 = 1u << 16,
	FIELD_IPV4 = 1u << 17,
	FIELD_TCP_IPV6_EX = 1u << 18,
	FIELD_IPV6_EX = 1u << 19,
	FIELD_IPV6 = 1u << 20,
	FIELD_TCP_IPV6 = 1u << 21,
	FIELD_UDP_IPV4 = 1u << 22,
	FIELD_UDP_IPV6 = 1u << 23,
	FIELD_UDP_IPV6_EX = 1u << 24,
	FIELDS = 0x1ffu << 16,
};

/* 7.1.5.2: RSS type */
enum {
	TYPE_NONE,
	TYPE_TCP_IPV4,
	TYPE_IPV4,
	TYPE_TCP_IPV6,
	TYPE_IPV6_EX,
	TYPE_IPV6,
	TYPE_TCP_IPV6_EX,
	TYPE_UDP_IPV4,
	TYPE_UDP_IPV6,
	TYPE_UDP_IPV6_EX
};

static bool rss_on(const struct fake_82574 *m)
{
	return (m574_get(m, R_MRQC) & 7) == RSS_16_QUEUES;
}

/* Behind a tag: where layer 3 starts, and its EtherType. */
static uint32_t l3_of(const uint8_t *frame, uint32_t len, uint32_t *off)
{
	uint32_t type = plx_load_be16(frame + 12);

	*off = 14;
	if (type == 0x8100 && len >= 18) {
		type = plx_load_be16(frame + 16);
		*off = 18;
	}
	if (type == 0x0800 && len >= *off + 20 && frame[*off] >> 4 == 4)
		return 4;
	return type == 0x86dd && len >= *off + 40 && frame[*off] >> 4 == 6 ? 6 : 0;
}

/* The protocol of a packet whose ports can be looked at; 0: none. *at: where they are. */
static uint32_t l4_of(uint32_t version, const uint8_t *ip, uint32_t left, uint32_t *at)
{
	uint32_t proto = version == 4 ? ip[9] : ip[6];

	*at = version == 4 ? (ip[0] & 15u) * 4 : 40;
	if (version == 4 && (plx_load_be16(ip + 6) & 0x3fff) != 0)
		return 0;
	return (proto == 6 || proto == 17) && left >= *at + 8 ? proto : 0;
}

/* Which type a packet is hashed as. */
static uint32_t type_of(uint32_t fields, uint32_t version, uint32_t proto)
{
	static const struct {
		uint32_t field, version, proto, type;
	} rows[] = {/* layer 4 goes before layer 3 */
		{FIELD_TCP_IPV4, 4, 6, TYPE_TCP_IPV4}, {FIELD_UDP_IPV4, 4, 17, TYPE_UDP_IPV4},
		{FIELD_IPV4, 4, 0, TYPE_IPV4}, {FIELD_TCP_IPV6_EX, 6, 6, TYPE_TCP_IPV6_EX},
		{FIELD_TCP_IPV6, 6, 6, TYPE_TCP_IPV6}, {FIELD_UDP_IPV6_EX, 6, 17, TYPE_UDP_IPV6_EX},
		{FIELD_UDP_IPV6, 6, 17, TYPE_UDP_IPV6}, {FIELD_IPV6_EX, 6, 0, TYPE_IPV6_EX},
		{FIELD_IPV6, 6, 0, TYPE_IPV6}};

	for (size_t i = 0; i < PLX_ARRAY_SIZE(rows); i++)
		if ((fields & rows[i].field) != 0 && version == rows[i].version &&
			(rows[i].proto == 0 || rows[i].proto == proto))
			return rows[i].type;
	return TYPE_NONE;
}

static bool has_ports(uint32_t type)
{
	return type != TYPE_IPV4 && type != TYPE_IPV6 && type != TYPE_IPV6_EX;
}

void m576_rss(struct fake_82574 *m, struct m574_frame *fr)
{
	uint32_t off, at, version, proto, type, len, entry;
	const uint8_t *ip;
	uint8_t input[36];

	fr->queue = fr->mrq = fr->hash = 0;
	if (!rss_on(m))
		return;
	version = l3_of(fr->data, fr->len, &off);
	if (version == 0)
		return;
	ip = fr->data + off;
	proto = l4_of(version, ip, fr->len - off, &at);
	type = type_of(m574_get(m, R_MRQC), version, proto);
	if (type == TYPE_NONE)
		return;
	len = version == 4 ? 8 : 32;
	memcpy(input, ip + (version == 4 ? 12 : 8), len);
	if (has_ports(type)) {
		memcpy(input + len, ip + at, 4);
		len += 4;
	}
	fr->hash = m574_toeplitz(m, input, len);
	fr->mrq = type;
	/* 8.10.19: four entries a register, of which the low bits are the queue */
	entry = m574_get(m, R_RETA + (fr->hash & 0x7c)) >> 8 * (fr->hash & 3);
	fr->queue = entry & 15;
}

void m576_receiver_on(struct fake_82574 *m)
{
	if (rss_on(m) && (m574_get(m, R_RXCSUM) & RXCSUM_PCSD) == 0)
		m574_violation(m, "7.1.11.5: RSS without RXCSUM.PCSD");
	if (rss_on(m) && (m574_get(m, R_RXCSUM) & RXCSUM_IPPCSE) != 0)
		m574_violation(m, "7.1.11.5: RSS with RXCSUM.IPPCSE");
}

void m576_rss_write(struct fake_82574 *m, uint32_t off, uint32_t v)
{
	bool receiving = (m574_get(m, R_RCTL) & RCTL_EN) != 0;
	uint32_t old = m574_get(m, off);

	if (off == R_MRQC) {
		if ((v & ~(uint32_t)(FIELDS | 0x3f)) != 0 ||
			((v & 7) != 0 && (v & 7) != RSS_16_QUEUES))
			m574_violation(m, "8.10.18: MRQC: 0x%08x is reserved or not modelled", v);
		if (receiving && ((v ^ old) & 7) != 0)
			m574_violation(m, "8.10.18: MRQC: queues enabled or disabled while the "
					  "receiver is on");
	} else if (off >= R_RSSRK) {
		if (receiving && rss_on(m) && (m574_get(m, R_MRQC) & FIELDS) != 0)
			m574_violation(m, "7.1.11: RSSRK written while RSS is on");
	} else if ((v & 0xf0f0f0f0) != 0) {
		m574_violation(m, "8.10.19: RETA: reserved bits: 0x%08x", v);
	}
	m574_set(m, off, v);
}

/* 8.10.2: KiB, or what RCTL says */
uint32_t m576_buffer(const struct fake_82574 *m, uint32_t queue)
{
	uint32_t kb = m574_get(m, m574_rx_block(m, queue) + R6_SRRCTL) & 0x7f;

	return kb != 0 ? kb * 1024 : 2048u >> (m574_get(m, R_RCTL) >> 16 & 3);
}

bool m576_drops(struct fake_82574 *m, uint32_t queue)
{
	uint32_t block = m574_rx_block(m, queue), n = m574_get(m, block + R6_RQDPC);

	if (m574_get(m, block + R6_SRRCTL) >> 31 == 0)
		return false;
	m574_set(m, block + R6_RQDPC, PLX_MIN(n + 1, 0xfffu)); /* 8.10.9: 12 bits */
	return true;
}

/* 7.1.5.2: IPv4 0, IPv6 2, TCP 4, UDP 5, SCTP 6 */
static uint32_t packet_type(const struct m574_packet *p)
{
	uint32_t off, at, version = l3_of(p->data, p->len, &off), proto, type;

	if (version == 0)
		return 0;
	type = version == 4 ? 1u << 0 : 1u << 2;
	if (version == 4 && (p->data[off] & 15) > 5)
		type |= 1u << 1;
	proto = l4_of(version, p->data + off, p->len - off, &at);
	return type | (proto == 6 ? 1u << 4 : proto == 17 ? 1u << 5 : 0);
}

void m576_rx_desc(const struct fake_82574 *m, uint8_t *d, const struct m574_packet *p,
	uint32_t piece, bool eop)
{
	uint32_t status = 1u | (eop ? 2u : 0), bad = p->staterr >> 24 & 0x87;
	uint64_t q0 = 0;

	if (eop) {
		/* there is no bit that says to ignore others; any error of the MAC is RXE */
		status |= (p->staterr & 0x607000f8) | (bad != 0 ? 1u << 31 : 0);
		q0 = p->mrq | packet_type(p) << 4 | (uint64_t)p->hash << 32;
		/* without RXCSUM.PCSD: IP identification, packet checksum */
		if ((m574_get(m, R_RXCSUM) & RXCSUM_PCSD) == 0)
			q0 |= UINT64_C(0xabcd1234) << 32;
	}
	plx_store_le64(d, q0);
	plx_store_le64(d + 8, status | (uint64_t)piece << 32 | (uint64_t)(eop ? p->vlan : 0) << 48);
}
