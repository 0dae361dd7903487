/* SPDX-License-Identifier: BSD-3-Clause */
#include "tso_ref.h"

#include <string.h>

enum { SEQ = 0xfffff000u, ID = 0xfff0 }; /* both wrap within a long packet */

static uint32_t get(const uint8_t *p, unsigned n)
{
	uint32_t v = 0;

	while (n-- != 0)
		v = v << 8 | *p++;
	return v;
}

static void put(uint8_t *p, unsigned n, uint32_t v)
{
	while (n-- != 0) {
		p[n] = (uint8_t)v;
		v >>= 8;
	}
}

static uint8_t payload(uint32_t at)
{
	return (uint8_t)(at * 31 + (at >> 8) * 7 + 1);
}

/* Ones' complement sum of len bytes on top of sum: RFC 1071. */
static uint32_t ones(const uint8_t *p, uint32_t len, uint32_t sum)
{
	for (uint32_t i = 0; i < len; i++)
		sum += i % 2 != 0 ? p[i] : (uint32_t)p[i] << 8;
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static uint32_t l3_len(const struct tso_case *c)
{
	return c->v6 ? 40 : 20;
}

uint32_t tso_ref_headers(const struct tso_case *c)
{
	return 14 + l3_len(c) + 20 + c->options;
}

uint32_t tso_ref_segments(const struct tso_case *c)
{
	return (c->payload + c->mss - 1) / c->mss;
}

static void make_ip(uint8_t *ip, const struct tso_case *c)
{
	const uint32_t l4 = 20 + c->options + c->payload;

	memset(ip, 0, l3_len(c));
	if (c->v6) {
		ip[0] = 0x60;
		put(ip + 4, 2, l4);
		ip[6] = 6;
		ip[7] = 64;
		for (uint32_t i = 8; i < 40; i++)
			ip[i] = (uint8_t)(i * 5);
		return;
	}
	ip[0] = 0x45;
	put(ip + 2, 2, 20 + l4);
	put(ip + 4, 2, ID);
	ip[6] = 0x40;
	ip[8] = 64;
	ip[9] = 6;
	put(ip + 12, 4, 0x0a010203);
	put(ip + 16, 4, 0x0afe0405);
}

uint32_t tso_ref_make(uint8_t *p, const struct tso_case *c, const uint8_t to[6])
{
	uint8_t *ip = p + 14, *tcp = ip + l3_len(c), *data = tcp + 20 + c->options;

	memcpy(p, to, 6);
	memcpy(p + 6, "\x02\0\0\0\0\x09", 6);
	put(p + 12, 2, c->v6 ? 0x86dd : 0x0800);
	make_ip(ip, c);
	memset(tcp, 1, 20 + c->options); /* options: no operation */
	put(tcp, 2, 4321);
	put(tcp + 2, 2, 80);
	put(tcp + 4, 4, SEQ);
	tcp[12] = (uint8_t)((20 + c->options) / 4 << 4);
	tcp[13] = c->no_fin ? 0x10 : 0x19; /* ACK, PSH, FIN */
	put(tcp + 16, 2, 0);
	put(tcp + 18, 2, 0);
	for (uint32_t i = 0; i < c->payload; i++)
		data[i] = payload(i);
	return tso_ref_headers(c) + c->payload;
}

static const char *check_ip(const struct tso_case *c, uint32_t i, const uint8_t *ip, uint32_t bytes)
{
	uint8_t want[40];

	make_ip(want, c);
	if (c->v6) {
		put(want + 4, 2, bytes - 40);
		return memcmp(ip, want, 40) == 0 ? "" : "IPv6 header";
	}
	if (get(ip + 2, 2) != bytes)
		return "IPv4 total length";
	if (get(ip + 4, 2) != ((ID + i) & 0xffff))
		return "IPv4 identification";
	if (ones(ip, 20, 0) != 0xffff)
		return "IPv4 checksum";
	memcpy(want + 2, ip + 2, 4);
	memcpy(want + 10, ip + 10, 2);
	return memcmp(ip, want, 20) == 0 ? "" : "IPv4 header";
}

static const char *check_tcp(const struct tso_case *c, uint32_t i, const uint8_t *ip, uint32_t l4)
{
	const uint8_t *tcp = ip + l3_len(c), *data = tcp + 20 + c->options;
	const bool fin = i + 1 == tso_ref_segments(c) && !c->no_fin;
	uint32_t sum = ones(ip + (c->v6 ? 8 : 12), c->v6 ? 32 : 8, 6 + l4);

	if (ones(tcp, l4, sum) != 0xffff)
		return "TCP checksum";
	if (get(tcp, 2) != 4321 || get(tcp + 2, 2) != 80)
		return "TCP ports";
	if (get(tcp + 4, 4) != (uint32_t)(SEQ + i * c->mss))
		return "TCP sequence number";
	if (tcp[13] != (fin ? 0x19 : 0x10))
		return "TCP flags";
	for (uint32_t j = 20; j < 20 + c->options; j++)
		if (tcp[j] != 1)
			return "TCP options";
	for (uint32_t j = 0; j < l4 - 20 - c->options; j++)
		if (data[j] != payload(i * c->mss + j))
			return "payload";
	return "";
}

const char *tso_ref_check(const struct tso_case *c, uint32_t i, const uint8_t *frame, uint32_t len)
{
	const uint32_t tag = c->vlan >= 0 ? 4 : 0;
	const uint32_t done = i * c->mss, left = c->payload - done;
	const uint32_t want = tso_ref_headers(c) + tag + (left < c->mss ? left : c->mss);
	const uint8_t *ip = frame + 14 + tag;
	const char *wrong;

	if (i >= tso_ref_segments(c))
		return "one segment too many";
	if (len != (want < 60 ? 60 : want))
		return "length of the frame";
	if (tag != 0 && (get(frame + 12, 2) != 0x8100 || get(frame + 14, 2) != (uint32_t)c->vlan))
		return "VLAN tag";
	if (get(ip - 2, 2) != (c->v6 ? 0x86dd : 0x0800))
		return "EtherType";
	wrong = check_ip(c, i, ip, want - 14 - tag);
	return wrong[0] != '\0' ? wrong : check_tcp(c, i, ip, want - 14 - tag - l3_len(c));
}
