/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * net-see PIECE: what lib/net finds in packets, for oracle.py to compare with what others find.
 *
 * Reads packets from standard input, each with its length before it in 4 bytes, least significant
 * first; cuts them into segments of PIECE bytes (0: one segment), each in memory of just its size;
 * writes a line of NAME=VALUE for each.
 */
#include <stdio.h>
#include <stdlib.h>

#include "plx_cksum.h"
#include "plx_ptype.h"
#include "plx_toeplitz.h"

#define LONGEST 65535u

static struct plx_mbuf *segment(const uint8_t *p, uint32_t len)
{
	struct plx_mbuf *m = aligned_alloc(PLX_CACHE_LINE, sizeof(*m));
	uint8_t *buf = malloc(len);

	if (m == NULL || buf == NULL)
		exit(1);
	memset(m, 0, sizeof(*m));
	memcpy(buf, p, len);
	m->buf = buf;
	m->nsegs = m->refcnt = 1;
	m->data_len = (uint16_t)len;
	m->pkt_len = len;
	return m;
}

static struct plx_mbuf *packet(const uint8_t *p, uint32_t len, uint32_t piece)
{
	struct plx_mbuf *head = NULL, **end = &head;

	for (uint32_t at = 0; at == 0 || at < len; at += piece) {
		*end = segment(p + at, PLX_MIN(piece, len - at));
		end = &(*end)->next;
		if (piece == 0)
			break;
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

static void show_level(
	const char *name, const struct plx_mbuf *m, const struct plx_pkt_hdrs *h, bool hash)
{
	uint8_t tuple[PLX_TOEPLITZ_TUPLE_MAX];
	struct plx_toeplitz t;
	plx_be16 sum;

	printf(" %s.l2_len=%u %s.l3_len=%u %s.l4_len=%u %s.l4_bytes=%u", name, h->l2_len, name,
		h->l3_len, name, h->l4_len, name, h->l4_bytes);
	printf(" %s.l3_off=%u %s.l4_off=%u %s.type=%u %s.version=%u %s.proto=%u", name, h->l3_off,
		name, h->l4_off, name, h->ether_type, name, h->version, name, h->proto);
	printf(" %s.bad=%d %s.short=%d %s.frag=%d %s.tags=%u", name, !!(h->flags & PLX_PKT_BAD),
		name, !!(h->flags & PLX_PKT_SHORT), name, !!(h->flags & PLX_PKT_FRAG), name,
		h->tags);
	printf(" %s.l3_ok=%d %s.l4_ok=%d", name, plx_l3_cksum_check(m, h), name,
		plx_l4_cksum_check(m, h));
	if (plx_l4_cksum_mbuf(m, h, &sum) == 0)
		printf(" %s.l4_sum=%u", name, plx_be16_get(sum));
	if (hash && plx_toeplitz_init(&t, plx_toeplitz_key_default, PLX_TOEPLITZ_KEY_LEN) == 0)
		printf(" hash=%u", plx_toeplitz_hash(&t, tuple, plx_pkt_tuple(m, h, true, tuple)));
}

int main(int argc, char **argv)
{
	static uint8_t data[LONGEST];
	uint32_t piece = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
	uint8_t size[4];

	while (fread(size, sizeof(size), 1, stdin) == 1) {
		uint32_t len = plx_load_le32(size);
		struct plx_pkt_info info;
		struct plx_mbuf *m;

		if (len == 0 || len > LONGEST || fread(data, len, 1, stdin) != 1)
			return 1;
		m = packet(data, len, piece != 0 ? piece : len);
		plx_pkt_parse(m, &info);
		printf("ptype=%u", info.ptype);
		show_level("hdr", m, &info.hdr, true);
		show_level("outer", m, &info.outer, false);
		printf("\n");
		drop(m);
	}
	return 0;
}
