/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parser: where packets come in, chains, tunnels. Most packets are done by the short way of
 * parse_simple.h, all others by parse_level.c; both find the same.
 */
#include "plx_log.h"
#include "parse_simple.h"

const uint8_t *net_gather(struct cursor *c, uint32_t off, uint32_t len)
{
	const struct plx_mbuf *m = c->seg;
	uint32_t at = c->seg_off, got = 0;

	if (m == NULL || off < at || off + len > c->total)
		return NULL;
	while (off - at >= m->data_len) {
		at += m->data_len;
		m = m->next;
		if (m == NULL)
			return NULL;
	}
	c->seg = m;
	c->seg_off = at;
	for (off -= at; m != NULL; m = m->next, off = 0) {
		uint32_t part = PLX_MIN(len - got, m->data_len - off);

		memcpy(c->buf + got, plx_mbuf_data(m) + off, part);
		got += part;
		if (got == len)
			return c->buf;
	}
	return NULL;
}

/* The type of a packet with a tunnel, after those of its outside and its inside. */
static PLX_ALWAYS_INLINE uint32_t join(uint32_t ptype, const struct tunnel *t, uint32_t inner)
{
	inner &= ~(uint32_t)PLX_PTYPE_TUNNEL_MASK;
	ptype &= ~(uint32_t)PLX_PTYPE_TUNNEL_MASK;
	if ((ptype & PLX_PTYPE_L4_MASK) != PLX_PTYPE_L4_UDP)
		ptype &= ~(uint32_t)PLX_PTYPE_L4_MASK;
	return ptype | t->ptype | PLX_PTYPE_INNER(inner);
}

/* It was none after all. */
static PLX_NOINLINE uint32_t no_tunnel(struct plx_pkt_info *info, uint32_t ptype)
{
	info->hdr = info->outer;
	memset(&info->outer, 0, sizeof(info->outer));
	return ptype & ~(uint32_t)PLX_PTYPE_TUNNEL_MASK;
}

/*
 * info->outer may be what a tunnel is wrapped in. Its inside is parsed within what the outside has.
 * The second is for what parse_simple() has found, in a packet in one piece.
 */
static uint32_t parse_tunnel(struct cursor *c, struct plx_pkt_info *info, uint32_t ptype)
{
	const struct plx_pkt_hdrs *o = &info->outer;
	const uint32_t start = o->l4_off, n = PLX_MIN(TUNNEL_HDR, o->l4_bytes);
	const uint8_t *p = header(c, start, n);
	struct tunnel t;

	find_tunnel(p, p != NULL ? n : 0, o, &t);
	if (t.ptype == 0)
		return no_tunnel(info, ptype);
	c->total = start + o->l4_bytes;
	c->contig = PLX_MIN(c->contig, c->total);
	return join(ptype, &t,
		net_parse_level(c, start, start + t.len, t.type, &info->hdr, &info->hdr));
}

static PLX_NOINLINE uint32_t simple_tunnel(
	const uint8_t *p, struct plx_pkt_info *info, uint32_t ptype)
{
	const struct plx_pkt_hdrs *o = &info->outer;
	const uint32_t start = o->l4_off, end = start + o->l4_bytes;
	struct tunnel t;
	uint32_t inner;

	find_tunnel(p + start, o->l4_bytes, o, &t);
	if (plx_unlikely(t.ptype == 0)) {
		ptype = no_tunnel(info, ptype);
	} else {
		inner = parse_simple(p, end, start, start + t.len, t.type, &info->hdr, &info->hdr);
		if (plx_unlikely(inner == 0)) {
			struct cursor c;

			cursor_mem(&c, p, end);
			inner = net_parse_level(
				&c, start, start + t.len, t.type, &info->hdr, &info->hdr);
		}
		ptype = join(ptype, &t, inner);
	}
	info->ptype = ptype;
	return ptype;
}

static uint32_t parse_slow(struct cursor *c, struct plx_pkt_info *info)
{
	uint32_t ptype = net_parse_level(c, 0, 0, PARSE_ETHER, &info->hdr, &info->outer);

	if (ptype & PLX_PTYPE_TUNNEL_MASK)
		ptype = parse_tunnel(c, info, ptype);
	else
		memset(&info->outer, 0, sizeof(info->outer));
	info->ptype = ptype;
	return ptype;
}

static PLX_NOINLINE uint32_t slow_mem(const uint8_t *p, uint32_t len, struct plx_pkt_info *info)
{
	struct cursor c;

	cursor_mem(&c, p, len);
	return parse_slow(&c, info);
}

static PLX_NOINLINE uint32_t slow_mbuf(const struct plx_mbuf *m, struct plx_pkt_info *info)
{
	struct cursor c;

	cursor_mem(&c, plx_mbuf_data(m), m->data_len);
	if (m->next != NULL) {
		c.seg = m;
		for (m = m->next; m != NULL && c.total < PLX_PKT_LEN_MAX; m = m->next)
			c.total += m->data_len;
		c.total = PLX_MIN(c.total, PLX_PKT_LEN_MAX);
	}
	return parse_slow(&c, info);
}

/* The end of a parse that parse_simple() has done all of. */
static PLX_ALWAYS_INLINE uint32_t parsed(struct plx_pkt_info *info, uint32_t ptype)
{
	memset(&info->outer, 0, sizeof(info->outer));
	info->ptype = ptype;
	return ptype;
}

uint32_t plx_pkt_parse_mem(const void *data, uint32_t len, struct plx_pkt_info *info)
{
	const uint8_t *p = (const uint8_t *)data;
	uint32_t ptype;

	len = PLX_MIN(len, PLX_PKT_LEN_MAX);
	ptype = parse_simple(p, len, 0, 0, PARSE_ETHER, &info->hdr, &info->outer);
	if (plx_unlikely(ptype == 0))
		return slow_mem(p, len, info);
	if (plx_unlikely(ptype & PLX_PTYPE_TUNNEL_MASK))
		return simple_tunnel(p, info, ptype);
	return parsed(info, ptype);
}

uint32_t plx_pkt_parse(const struct plx_mbuf *m, struct plx_pkt_info *info)
{
	const uint8_t *p = plx_mbuf_data(m);
	uint32_t ptype;

	ptype = parse_simple(p, m->data_len, 0, 0, PARSE_ETHER, &info->hdr, &info->outer);
	if (plx_unlikely(ptype == 0))
		return slow_mbuf(m, info);
	if (plx_unlikely(ptype & PLX_PTYPE_TUNNEL_MASK))
		return simple_tunnel(p, info, ptype);
	return parsed(info, ptype);
}

void plx_pkt_info_untunnel(struct plx_pkt_info *info)
{
	if (!(info->ptype & PLX_PTYPE_TUNNEL_MASK))
		return;
	info->ptype &= PLX_PTYPE_L2_MASK | PLX_PTYPE_L3_MASK | PLX_PTYPE_L4_MASK;
	if (!(info->ptype & PLX_PTYPE_L4_MASK))
		info->ptype |= PLX_PTYPE_L4_NONFRAG;
	info->hdr = info->outer;
	memset(&info->outer, 0, sizeof(info->outer));
}

int plx_pkt_tx_lens(const struct plx_pkt_info *info, struct plx_tx_offload *tx)
{
	const struct plx_pkt_hdrs *h = &info->hdr, *o = &info->outer;

	if (h->l2_len > 127 || h->l3_len > 511 || h->l4_len > 255 || o->l2_len > 127 ||
		o->l3_len > 511)
		return plx_err(EOVERFLOW,
			"packet with headers of %u, %u and %u bytes: offloads take 127, 511 and 255",
			PLX_MAX(h->l2_len, o->l2_len), PLX_MAX(h->l3_len, o->l3_len), h->l4_len);
	memset(tx, 0, sizeof(*tx));
	tx->l2_len = h->l2_len & 0x7fu;
	tx->l3_len = h->l3_len & 0x1ffu;
	tx->l4_len = h->l4_len & 0xffu;
	tx->outer_l2_len = o->l2_len & 0x7fu;
	tx->outer_l3_len = o->l3_len & 0x1ffu;
	return 0;
}
