/* SPDX-License-Identifier: BSD-3-Clause */
/* The vmxnet3 model: headers, checksums, the hash of RSS. */
#include "fake_vmxnet3_priv.h"

void vx_parse(const uint8_t *p, uint32_t len, struct vx_headers *h)
{
	uint32_t at = 14;
	uint16_t type = plx_load_be16(p + 12);
	uint8_t proto = 0;

	*h = (struct vx_headers){0};
	if (type == 0x8100 && len >= 18) {
		type = plx_load_be16(p + 16);
		at = 18;
	}
	h->l3 = at;
	if (type == 0x0800 && len >= at + 20 && p[at] >> 4 == 4 && (p[at] & 15) >= 5) {
		h->v4 = true;
		h->l4 = at + (p[at] & 15u) * 4;
		h->end = at + plx_load_be16(p + at + 2);
		h->fragment = (plx_load_be16(p + at + 6) & 0x3fff) != 0;
		proto = p[at + 9];
	} else if (type == 0x86dd && len >= at + 40 && p[at] >> 4 == 6) {
		h->v6 = true;
		h->l4 = at + 40;
		h->end = h->l4 + plx_load_be16(p + at + 4);
		proto = p[at + 6];
	}
	if (h->end > len || h->end < h->l4)
		*h = (struct vx_headers){.l3 = at};
	h->tcp = proto == 6 && !h->fragment && h->end >= h->l4 + 20;
	h->udp = proto == 17 && !h->fragment && h->end >= h->l4 + 8;
	if (!h->v4 && !h->v6)
		h->tcp = h->udp = false;
}

uint32_t vx_sum(const uint8_t *p, uint32_t len, uint32_t sum)
{
	for (uint32_t i = 0; i + 1 < len; i += 2)
		sum += plx_load_be16(p + i);
	if (len % 2 != 0)
		sum += (uint32_t)p[len - 1] << 8;
	return sum;
}

uint16_t vx_fold(uint32_t sum)
{
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

uint32_t vx_pseudo(const uint8_t *p, const struct vx_headers *h, uint32_t len)
{
	const uint8_t *ip = p + h->l3;
	const uint32_t proto = h->v4 ? ip[9] : ip[6];

	return vx_sum(
		h->v4 ? ip + 12 : ip + 8, h->v4 ? 8 : 32, proto + (len >> 16) + (len & 0xffff));
}

/* The exclusive or of what stands in the key, 32 bits from each place where the input has a 1. */
static uint32_t toeplitz(const uint8_t *key, const uint8_t *in, uint32_t len)
{
	uint64_t window = plx_load_be64(key);
	uint32_t hash = 0;

	for (uint32_t i = 0; i < len; i++) {
		for (uint32_t bit = 0; bit < 8; bit++) {
			if ((in[i] & 0x80 >> bit) != 0)
				hash ^= (uint32_t)(window >> 32);
			window <<= 1;
		}
		/* eight bits have left the lower half free */
		window |= i + 8 < 40 ? key[i + 8] : 0;
	}
	return hash;
}

uint32_t vx_hash(const struct vx_rss *rss, const uint8_t *p, uint32_t len, uint32_t *type)
{
	struct vx_headers h;
	uint8_t in[36];
	uint32_t n;

	*type = 0;
	vx_parse(p, len, &h);
	if (!h.v4 && !h.v6)
		return 0;
	n = h.v4 ? 8 : 32;
	memcpy(in, p + h.l3 + (h.v4 ? 12 : 8), n);
	if (h.tcp && (rss->types & (h.v4 ? 2 : 8)) != 0) {
		memcpy(in + n, p + h.l4, 4);
		n += 4;
		*type = h.v4 ? 2 : 4;
	} else if ((rss->types & (h.v4 ? 1 : 4)) != 0) {
		*type = h.v4 ? 1 : 3;
	} else {
		return 0;
	}
	return toeplitz(rss->key, in, n);
}
