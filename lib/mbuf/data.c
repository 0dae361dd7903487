/* SPDX-License-Identifier: BSD-3-Clause */
/* The bytes of packets, and the rules that packets keep. */
#include "plx_log.h"
#include "plx_mbuf.h"

int plx_mbuf_chain(struct plx_mbuf *head, struct plx_mbuf *tail)
{
	const uint32_t nsegs = (uint32_t)head->nsegs + tail->nsegs;
	const uint64_t len = (uint64_t)head->pkt_len + tail->pkt_len;

	if (nsegs > UINT16_MAX)
		return plx_err(EOVERFLOW, "mbuf chain: %u + %u segments, at most %u make a packet",
			head->nsegs, tail->nsegs, UINT16_MAX);
	if (len > PLX_PKT_LEN_MAX)
		return plx_err(EOVERFLOW, "mbuf chain: %u + %u bytes, at most %u make a packet",
			head->pkt_len, tail->pkt_len, PLX_PKT_LEN_MAX);
	plx_mbuf_last(head)->next = tail;
	head->nsegs = (uint16_t)nsegs;
	head->pkt_len = (uint32_t)len;
	tail->nsegs = 1;
	return 0;
}

/*
 * Copies between the packet's bytes [off, off + len) and buf; to the packet if write.
 */
static int move(const struct plx_mbuf *m, uint32_t off, uint8_t *buf, uint32_t len, bool write)
{
	const uint32_t pkt_len = m->pkt_len;

	if (off > pkt_len || len > pkt_len - off)
		goto out_of_range;
	for (; len > 0 && m != NULL; m = m->next) {
		uint32_t part;

		if (off >= m->data_len) {
			off -= m->data_len;
			continue;
		}
		part = PLX_MIN(len, m->data_len - off);
		if (write)
			memcpy(plx_mbuf_data(m) + off, buf, part);
		else
			memcpy(buf, plx_mbuf_data(m) + off, part);
		buf += part;
		len -= part;
		off = 0;
	}
	if (len == 0)
		return 0;
out_of_range:
	return plx_err(EINVAL, "mbuf %s: bytes %u to %llu are not in a packet of %u",
		write ? "write" : "read", off, (unsigned long long)off + len, pkt_len);
}

int plx_mbuf_read(const struct plx_mbuf *m, uint32_t off, void *dst, uint32_t len)
{
	return move(m, off, dst, len, false);
}

int plx_mbuf_write(struct plx_mbuf *m, uint32_t off, const void *src, uint32_t len)
{
	return move(m, off, (uint8_t *)(uintptr_t)src, len, true);
}

/* ---- check ---- */

/* What is wrong with where segment i has its memory, or NULL. */
static const char *bad_kind(const struct plx_mbuf *m)
{
	switch (m->kind) {
	case PLX_MBUF_OWN:
		if (m->buf != m->own_buf || m->buf_iova != m->own_iova)
			return "buf is not its own room, and kind is PLX_MBUF_OWN";
		return NULL;
	case PLX_MBUF_EXTERNAL:
		if (m->ext == NULL || m->ext->free_fn == NULL)
			return "ext or ext->free_fn is NULL, and kind is PLX_MBUF_EXTERNAL";
		if (m->ext->refcnt == 0)
			return "ext->refcnt is 0: the memory was released";
		return NULL;
	case PLX_MBUF_INDIRECT:
		if (m->direct == NULL || m->direct->kind == PLX_MBUF_INDIRECT)
			return "direct is NULL or indirect itself, and kind is PLX_MBUF_INDIRECT";
		if (m->direct->refcnt == 0)
			return "direct->refcnt is 0: whose room it is was freed";
		return NULL;
	default:
		return "kind is none of enum plx_mbuf_kind";
	}
}

/* What is wrong with one segment, or NULL. */
static const char *bad_seg(const struct plx_mbuf *m)
{
	const char *bad;

	if (m->pool == NULL)
		return "pool is NULL";
	if (m->refcnt == 0)
		return "refcnt is 0: it was freed";
	bad = bad_kind(m);
	if (bad != NULL)
		return bad;
	if ((uint32_t)m->data_off + m->data_len > plx_mbuf_room(m))
		return "data_off + data_len is past the end of the room";
	return NULL;
}

int plx_mbuf_check(const struct plx_mbuf *m)
{
	const struct plx_mbuf *seg = m;
	uint64_t sum = 0;

	if (m == NULL)
		return plx_err(EINVAL, "mbuf: NULL is no packet");
	if (m->nsegs == 0)
		return plx_err(EINVAL, "mbuf: nsegs is 0 in the first segment");
	for (unsigned i = 0; i < m->nsegs; i++, seg = seg->next) {
		const char *bad;

		if (seg == NULL)
			return plx_err(EINVAL, "mbuf: nsegs is %u, next ends the packet after %u",
				m->nsegs, i);
		bad = bad_seg(seg);
		if (bad != NULL)
			return plx_err(EINVAL,
				"mbuf segment %u: %s (refcnt %u, kind %u, data_off %u, data_len %u)",
				i, bad, seg->refcnt, seg->kind, seg->data_off, seg->data_len);
		sum += seg->data_len;
	}
	if (seg != NULL)
		return plx_err(EINVAL, "mbuf: nsegs is %u, next goes on after that", m->nsegs);
	if (sum != m->pkt_len)
		return plx_err(EINVAL, "mbuf: pkt_len is %u, the segments' data_len add up to %llu",
			m->pkt_len, (unsigned long long)sum);
	if (sum > PLX_PKT_LEN_MAX)
		return plx_err(EINVAL, "mbuf: pkt_len is %u, at most %u make a packet", m->pkt_len,
			PLX_PKT_LEN_MAX);
	return 0;
}
