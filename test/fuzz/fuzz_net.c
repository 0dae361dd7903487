/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A packet through lib/net, in one segment and cut up. The input's first two bytes choose where the
 * first cut is and how long the other segments are. Beside not crashing: the parser says the same of
 * both, and nothing that is not so; the checksum of a part is the sum byte by byte; the checksum of
 * layer 4 is right once it has been written into the packet; both ways to hash agree.
 */
#include <stdlib.h>

#include "plx_cksum.h"
#include "plx_ptype.h"
#include "plx_toeplitz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static struct plx_mbuf *segment(const uint8_t *p, uint32_t len)
{
	struct plx_mbuf *m = aligned_alloc(PLX_CACHE_LINE, sizeof(*m));

	must(m != NULL);
	memset(m, 0, sizeof(*m));
	m->buf = malloc(len != 0 ? len : 1);
	must(m->buf != NULL);
	if (len != 0)
		memcpy(m->buf, p, len);
	m->nsegs = m->refcnt = 1;
	m->data_len = (uint16_t)len;
	return m;
}

static struct plx_mbuf *packet(const uint8_t *p, uint32_t len, uint32_t first, uint32_t piece)
{
	struct plx_mbuf *head = segment(p, PLX_MIN(first, len)), *last = head;

	for (uint32_t at = last->data_len; at < len; at += last->data_len) {
		last->next = segment(p + at, PLX_MIN(piece, len - at));
		last = last->next;
		head->nsegs++;
	}
	head->pkt_len = len;
	return head;
}

static void drop(struct plx_mbuf *m)
{
	while (m != NULL) {
		struct plx_mbuf *next = m->next;

		free(m->buf);
		free(m);
		m = next;
	}
}

static uint16_t naive(const uint8_t *p, uint32_t len)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < len; i++)
		sum += i % 2 == 0 ? (uint64_t)p[i] << 8 : p[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void check_hdrs(const struct plx_pkt_hdrs *h, uint32_t start, uint32_t len)
{
	must(h->l3_off <= len);
	must(h->l3_off == 0 || h->l3_off == start + h->l2_len);
	must(h->tags <= PLX_PKT_TAGS);
	if (h->l4_off == 0) {
		must(h->l3_len == 0 && h->l4_len == 0 && h->l4_bytes == 0 && h->proto == 0);
		return;
	}
	must(h->version == 4 || h->version == 6);
	must(h->l4_off == h->l3_off + h->l3_len && h->l4_off + h->l4_bytes <= len);
	must(h->l4_len <= h->l4_bytes);
	must(h->routing == 0 || h->routing < h->l4_off);
}

/* Writes the layer 4 checksum, if there is one: it must be found right then. */
static void check_l4(struct plx_mbuf *m, const struct plx_pkt_hdrs *h)
{
	uint32_t at = plx_l4_cksum_off(h);
	plx_be16 sum;
	plx_le32 crc;

	(void)plx_l3_cksum_check(m, h);
	(void)plx_l4_cksum_check(m, h);
	if (plx_l4_cksum_mbuf(m, h, &sum) == 0) {
		must(h->proto != PLX_IP_UDP || sum.v != 0);
		must(plx_mbuf_write(m, at, &sum, sizeof(sum)) == 0);
		must(plx_l4_cksum_check(m, h) == 1);
	} else if (plx_sctp_cksum_mbuf(m, h, &crc) == 0) {
		must(plx_mbuf_write(m, at, &crc, sizeof(crc)) == 0);
		must(plx_l4_cksum_check(m, h) == 1);
	}
}

static void check_hash(const struct plx_mbuf *m, const struct plx_pkt_hdrs *h)
{
	uint8_t tuple[PLX_TOEPLITZ_TUPLE_MAX];
	struct plx_toeplitz t;
	unsigned len = plx_pkt_tuple(m, h, true, tuple);
	uint32_t hash;

	must(plx_toeplitz_init(&t, plx_toeplitz_key_default, PLX_TOEPLITZ_KEY_LEN) == 0);
	hash = plx_toeplitz_hash(&t, tuple, len);
	t.clmul = 0;
	must(plx_toeplitz_hash(&t, tuple, len) == hash);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct plx_pkt_info one, two;
	struct plx_tx_offload tx;
	struct plx_mbuf *m;
	uint32_t len, off, part;

	if (size < 2 || size > PLX_PKT_LEN_MAX)
		return 0;
	len = (uint32_t)size - 2;
	m = packet(data + 2, len, len, len);
	memset(&one, 0xa5, sizeof(one));
	must(plx_pkt_parse(m, &one) == one.ptype);
	drop(m);
	m = packet(data + 2, len, data[0], data[1] / 4 + 1u);
	plx_pkt_parse(m, &two);
	must(memcmp(&one, &two, sizeof(one)) == 0);
	if (one.ptype & PLX_PTYPE_TUNNEL_MASK) {
		check_hdrs(&one.outer, 0, len);
		check_hdrs(&one.hdr, one.outer.l4_off, len);
	} else {
		check_hdrs(&one.hdr, 0, len);
	}
	(void)plx_pkt_tx_lens(&one, &tx);
	off = data[1] % (len + 1);
	part = (len - off) * data[0] / 255;
	must(plx_be16_get(plx_cksum_mbuf(m, off, part)) == naive(data + 2 + off, part));
	check_hash(m, &one.hdr);
	/* outside last: what is inside is part of it */
	check_l4(m, &one.hdr);
	check_l4(m, &one.outer);
	plx_pkt_info_untunnel(&two);
	must(!(two.ptype & ~0xfffu));
	drop(m);
	return 0;
}
