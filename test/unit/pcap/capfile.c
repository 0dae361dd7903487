/* SPDX-License-Identifier: BSD-3-Clause */
#include "capfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t u32(const uint8_t *p, bool big)
{
	return big ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]
		   : (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static bool add(struct capfile *c, const uint8_t *data, uint32_t caplen, uint32_t len, uint64_t ts)
{
	struct capfile_pkt *p = realloc(c->pkts, (c->n + 1) * sizeof(*p));

	if (p == NULL || data + caplen > c->bytes + c->size)
		return false;
	c->pkts = p;
	p[c->n++] = (struct capfile_pkt){data, caplen, len, ts};
	c->total += caplen;
	return true;
}

static bool classic(struct capfile *c, bool big, uint32_t unit)
{
	const uint8_t *end = c->bytes + c->size;

	c->ts_ok = true;
	for (const uint8_t *p = c->bytes + 24; p < end; p += 16 + u32(p + 8, big)) {
		uint64_t ts;

		if (end - p < 16)
			return false;
		ts = u32(p, big) * UINT64_C(1000000000) + (uint64_t)u32(p + 4, big) * unit;
		if (!add(c, p + 16, u32(p + 8, big), u32(p + 12, big), ts))
			return false;
	}
	return true;
}

/* Blocks: section 0x0a0d0d0a, interface 1, simple packet 3, enhanced packet 6. */
static bool ng(struct capfile *c)
{
	const uint8_t *end = c->bytes + c->size;
	uint32_t snap = 0;
	bool big = false;

	for (const uint8_t *p = c->bytes; p < end; p += u32(p + 4, big)) {
		uint32_t type = u32(p, big), len;

		if (u32(p, false) == 0x0a0d0d0a)
			big = u32(p + 8, false) != 0x1a2b3c4d;
		if (end - p < 12 || u32(p + 4, big) < 12)
			return false;
		if (type == 1)
			snap = u32(p + 12, big);
		len = u32(p + 8, big);
		if (type == 3 && !add(c, p + 12, snap != 0 && snap < len ? snap : len, len, 0))
			return false;
		if (type == 6 && !add(c, p + 28, u32(p + 20, big), u32(p + 24, big), 0))
			return false;
	}
	return true;
}

bool capfile_read(struct capfile *c, const char *path)
{
	FILE *f = fopen(path, "rb");
	long size = -1;

	memset(c, 0, sizeof(*c));
	if (f == NULL)
		return false;
	if (fseek(f, 0, SEEK_END) == 0)
		size = ftell(f);
	rewind(f);
	c->size = size > 0 ? (size_t)size : 0;
	c->bytes = malloc(c->size + 1);
	size = c->bytes != NULL && fread(c->bytes, 1, c->size, f) == c->size;
	fclose(f);
	if (size != 1 || c->size < 24)
		return false;
	switch (u32(c->bytes, false)) {
	case 0xa1b2c3d4:
		return classic(c, false, 1000);
	case 0xa1b23c4d:
		return classic(c, false, 1);
	case 0xd4c3b2a1:
		return classic(c, true, 1000);
	case 0x4d3cb2a1:
		return classic(c, true, 1);
	case 0x0a0d0d0a:
		return ng(c);
	default:
		return false;
	}
}

void capfile_free(struct capfile *c)
{
	free(c->pkts);
	free(c->bytes);
	memset(c, 0, sizeof(*c));
}

struct capfile_out {
	FILE *f;
	bool nano;
};

static void put(FILE *f, const uint32_t *v, unsigned n)
{
	for (unsigned i = 0; i < 4 * n; i++)
		fputc((int)(v[i / 4] >> 8 * (i % 4) & 255), f);
}

struct capfile_out *capfile_create(const char *path, bool nano)
{
	struct capfile_out *o = malloc(sizeof(*o));
	const uint32_t h[6] = {nano ? 0xa1b23c4d : 0xa1b2c3d4, 0x00040002, 0, 0, 262144, 1};

	if (o == NULL)
		return NULL;
	o->nano = nano;
	o->f = fopen(path, "wb");
	if (o->f != NULL)
		put(o->f, h, 6);
	return o;
}

void capfile_add(
	struct capfile_out *o, uint64_t ts, const void *data, uint32_t caplen, uint32_t len)
{
	const uint32_t h[4] = {(uint32_t)(ts / 1000000000),
		(uint32_t)(ts % 1000000000 / (o->nano ? 1 : 1000)), caplen, len};

	if (o->f == NULL)
		return;
	put(o->f, h, 4);
	fwrite(data, 1, caplen, o->f);
}

void capfile_done(struct capfile_out *o)
{
	if (o->f != NULL)
		fclose(o->f);
	free(o);
}
