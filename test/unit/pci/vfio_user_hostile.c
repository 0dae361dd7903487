/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The transport vfio-user against a server that breaks the protocol: the life of a device is gone
 * through with one answer spoilt in one way, for each command and each way. Whatever happens: no crash,
 * no hang, an error with a text or none, nothing left behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "vfio_user.h"
#include "vfu_rig.h"

/* ---- ways to spoil an answer ---- */

enum way {
	FINE,
	CUT_PAYLOAD, /* header and 4 bytes less, consistently */
	LONGER,      /* 64 bytes more, consistently */
	HALF_CLOSE,  /* half of it, and the connection is closed */
	HALF,        /* half of it, and silence */
	WRONG_ID,
	WRONG_CMD,
	FAILED,      /* with an errno */
	FAILED_BARE, /* without one, and with its payload */
	FAILED_ODD,  /* with an errno that is none */
	BAD_TYPE,    /* neither command nor reply */
	A_COMMAND,   /* the answer as a command */
	SIZE_0,
	SIZE_HUGE,
	ONES,
	ZEROS,
	FLIPPED,
	FDS_MORE, /* three that nobody asked for */
	FDS_MANY, /* more than a message may have */
	FDS_NONE,
	TWICE,
	ASKED_FIRST, /* a request for memory before it */
	SILENCE,
	CLOSE,
	WAYS
};

static const char *const way_names[WAYS] = {"fine", "cut", "longer", "half, close", "half",
	"wrong id", "wrong command", "error", "error 0", "error odd", "bad type", "a command",
	"size 0", "size huge", "all ones", "zeros", "complement", "fds more", "fds many",
	"fds none", "twice", "request first", "silence", "close"};

struct plan {
	unsigned at; /* number of the message */
	enum way way;
	bool struck;
	uint16_t struck_cmd;
	unsigned seen;
	uint8_t cmds[512]; /* of the messages seen */
	int fd;            /* to send along */
};

static void set_size(struct vfu_out *m, size_t len)
{
	m->len = len;
	plx_store_le32(m->data + 4, (uint32_t)len);
}

static void add_fds(struct vfu_out *m, unsigned n, int fd)
{
	while (n-- > 0 && m->n_fds < VFU_FDS)
		m->fds[m->n_fds++] = fd;
}

static void prepend_request(struct vfu_out *m)
{
	uint8_t req[32] = {0};

	plx_store_le16(req + 2, 11); /* DMA_READ of 16 bytes at 0 */
	plx_store_le32(req + 4, sizeof(req));
	plx_store_le64(req + 24, 16);
	memmove(m->data + sizeof(req), m->data, m->len);
	memcpy(m->data, req, sizeof(req));
	m->len += sizeof(req);
}

static void spoil_header(struct vfu_out *m, enum way way)
{
	uint32_t flags = plx_load_le32(m->data + 8);

	switch (way) {
	case WRONG_ID:
		m->data[0] ^= 0x55;
		break;
	case WRONG_CMD:
		m->data[2] ^= 1;
		break;
	case FAILED:
		set_size(m, 16);
		plx_store_le32(m->data + 8, flags | 0x20);
		plx_store_le32(m->data + 12, EIO);
		break;
	case FAILED_BARE:
	case FAILED_ODD:
		plx_store_le32(m->data + 8, flags | 0x20);
		plx_store_le32(m->data + 12, way == FAILED_ODD ? 0x80000000u : 0);
		break;
	case BAD_TYPE:
		plx_store_le32(m->data + 8, 2);
		break;
	case A_COMMAND:
		plx_store_le32(m->data + 8, 0);
		break;
	case SIZE_0:
		plx_store_le32(m->data + 4, 0);
		break;
	case SIZE_HUGE:
		plx_store_le32(m->data + 4, UINT32_MAX);
		break;
	default:
		break;
	}
}

static enum vfu_fate spoil_rest(struct vfu_out *m, enum way way, int fd)
{
	switch (way) {
	case CUT_PAYLOAD:
		set_size(m, PLX_MAX(m->len, (size_t)20) - 4);
		break;
	case LONGER:
		memset(m->data + m->len, 0x5a, 64);
		set_size(m, m->len + 64);
		break;
	case HALF_CLOSE:
	case HALF:
		m->len /= 2;
		return way == HALF ? VFU_SEND : VFU_SEND_AND_CLOSE;
	case ONES:
	case ZEROS:
		memset(m->data + 16, way == ONES ? 0xff : 0, m->len - 16);
		break;
	case FLIPPED:
		for (size_t i = 16; i < m->len; i++)
			m->data[i] = (uint8_t)~m->data[i];
		break;
	case FDS_MORE:
	case FDS_MANY:
		add_fds(m, way == FDS_MORE ? 3 : 24, fd);
		break;
	case FDS_NONE:
		m->n_fds = 0;
		break;
	case TWICE:
		memcpy(m->data + m->len, m->data, m->len);
		m->len *= 2;
		break;
	case ASKED_FIRST:
		prepend_request(m);
		break;
	case SILENCE:
		return VFU_DROP;
	case CLOSE:
		return VFU_CLOSE;
	default:
		break;
	}
	return VFU_SEND;
}

static enum vfu_fate mangle(void *arg, struct vfu_out *m)
{
	struct plan *p = arg;

	p->seen = m->number + 1;
	if (m->number < sizeof(p->cmds))
		p->cmds[m->number] = (uint8_t)m->cmd;
	if (p->way == FINE || m->number != p->at)
		return VFU_SEND;
	p->struck = true;
	p->struck_cmd = m->cmd;
	spoil_header(m, p->way);
	return spoil_rest(m, p->way, p->fd);
}

/* ---- the life of a device ---- */

static bool use(struct vfu_rig *r)
{
	struct plx_arena_opts ao = PLX_ARENA_OPTS_INIT;
	struct plx_arena *arena = NULL;
	enum plx_irq_type type;
	struct plx_win w, mapped;
	struct plx_dma a;
	uint32_t got;
	bool ok;

	ok = unit_fine(plx_pci_win(r->dev, 0, 0, 4096, &w));
	ok &= unit_fine(plx_pci_win(r->dev, 1, 4096, 4096, &mapped));
	if (w.dev != NULL) {
		plx_wr32(&w, 8, 1);
		(void)plx_rd32(&w, 8);
	}
	if (mapped.dev != NULL)
		plx_wr32(&mapped, 8, plx_rd32(&mapped, 0));
	ok &= unit_fine(plx_arena_create(r->ctx, &ao, &arena));
	if (ok)
		ok &= unit_fine(plx_arena_alloc(arena, 4096, 64, &a));
	ok &= unit_fine(plx_pci_set_master(r->dev, true));
	ok &= unit_fine(plx_pci_irq_enable(r->dev, 5, &got, &type));
	ok &= unit_fine(plx_pci_reset(r->dev));
	plx_pci_irq_disable(r->dev);
	plx_arena_destroy(arena);
	(void)plx_ctx_poll(r->ctx);
	plx_pci_win_close(&w);
	plx_pci_win_close(&mapped);
	return ok;
}

static bool life(struct vfu_rig *r, const char *options)
{
	bool ok;

	plx_err_clear();
	if (!unit_fine(vfu_rig_open(r, options)))
		return false;
	ok = use(r);
	vfu_rig_close(r);
	return ok;
}

static void begin(struct vfu_rig *r, struct plan *p)
{
	struct vfu_opts o = VFU_OPTS_INIT;

	memset(p, 0, sizeof(*p));
	p->fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	CHECK(p->fd >= 0);
	o.mapped_bar = 1;
	o.sealed = true;
	o.n_areas = 1;
	o.areas[0].off = 4096;
	o.areas[0].len = 8192;
	o.mangle = mangle;
	o.arg = p;
	vfu_rig_begin(r, &o);
}

static void end(struct vfu_rig *r, struct plan *p)
{
	plx_pci_close(r->dev);
	plx_ctx_close(r->ctx);
	vfu_stop(r->s);
	fake_free(r->f);
	rmdir(r->dir);
	close(p->fd);
}

enum { COMMANDS = 14 };

struct table {
	unsigned runs[COMMANDS][WAYS], failed[COMMANDS][WAYS];
};

static void one(struct vfu_rig *r, struct plan *p, unsigned at, enum way way, struct table *t)
{
	bool slow = way == SILENCE || way == HALF || way == SIZE_HUGE || way == A_COMMAND, ok;

	p->at = at;
	p->way = way;
	p->struck = false;
	vfu_sync(r->s);
	ok = life(r, slow ? ",limit=40ms" : ",limit=2s");
	vfu_sync(r->s);
	CHECK(r->dev == NULL);
	if (!p->struck || p->struck_cmd >= COMMANDS)
		return;
	t->runs[p->struck_cmd][way]++;
	t->failed[p->struck_cmd][way] += !ok;
}

static void print(const struct table *t, const uint8_t *present)
{
	printf("# runs (of which something failed), by command answered:");
	for (unsigned c = 0; c < COMMANDS; c++)
		if (present[c])
			printf(" %9u", c);
	printf("\n");
	for (unsigned w = 1; w < WAYS; w++) {
		printf("# %-56s", way_names[w]);
		for (unsigned c = 0; c < COMMANDS; c++)
			if (present[c])
				printf(" %4u(%3u)", t->runs[c][w], t->failed[c][w]);
		printf("\n");
	}
}

/* Its first, its last, and every so many between: those that are tried. */
static bool tried(const uint8_t *cmds, unsigned n, unsigned at, unsigned step, unsigned way)
{
	bool first = true, last = true;

	for (unsigned i = 0; i < n; i++) {
		if (cmds[i] != cmds[at])
			continue;
		first = first && i >= at;
		last = last && i <= at;
	}
	return first || last || (at + way) % step == 0;
}

TEST(vfio_user_hostile, each_answer_spoilt_in_each_way)
{
	static struct table t;
	static uint8_t cmds[512];
	uint8_t present[COMMANDS] = {0};
	unsigned n, fds, step = unit_rounds(1) > 1 ? 1 : 12;
	struct vfu_rig r;
	struct plan p;

	begin(&r, &p);
	CHECK(life(&r, ""));
	vfu_sync(r.s);
	n = p.seen;
	CHECK(n < sizeof(cmds));
	memcpy(cmds, p.cmds, n);
	fds = unit_fds();
	for (unsigned at = 0; at < n; at++) {
		present[cmds[at]] = 1;
		for (unsigned way = 1; way < WAYS; way++)
			if (tried(cmds, n, at, step, way))
				one(&r, &p, at, (enum way)way, &t);
	}
	print(&t, present);
	for (unsigned c = 0; c < COMMANDS; c++)
		for (unsigned way = 1; way < WAYS && present[c]; way++)
			CHECK(t.runs[c][way] > 0);
	/* all that a life has: VERSION, maps, infos, interrupts, registers, reset */
	for (unsigned c = 1; c < COMMANDS; c++)
		CHECK_EQ(present[c], c == 6 || c == 11 || c == 12 ? 0 : 1);
	p.way = FINE;
	vfu_sync(r.s);
	CHECK(life(&r, ""));
	/* the server's end of the last connection closes when it sees that */
	for (unsigned i = 0; i < 5000 && unit_fds() > fds; i++)
		usleep(1000);
	/* qemu-user loses descriptors of a message whose control data does not fit. */
	CHECK(unit_emulated() || unit_fds() <= fds);
	end(&r, &p);
}

/* ---- VERSION ---- */

TEST(vfio_user_hostile, versions)
{
	static const struct {
		const char *version;
		int err;
		const char *says;
	} table[] = {
		{"", 0, ""},
		{"{}", 0, ""},
		{"{\"capabilities\": {}}", 0, ""},
		{"{\"capabilities\": {\"max_msg_fds\": 1, \"unknown\": [1, {}]}, \"more\": null}",
			0, ""},
		{"{\"capabilities\": {\"max_msg_fds\": \"1\"}}", -EPROTO, "no such JSON text"},
		{"{\"capabilities\": {\"max_msg_fds\": -1}}", -EPROTO, "no such JSON text"},
		{"{\"capabilities\": {\"max_data_xfer_size\": 1e9}}", -EPROTO, "no such JSON text"},
		{"{\"capabilities\": {\"max_data_xfer_size\": 18446744073709551616}}", -EPROTO,
			"no such JSON text"},
		{"{\"capabilities\": {\"max_data_xfer_size\": 4}}", -EPROTO,
			"max_data_xfer_size 4"},
		{"{\"capabilities\": {\"pgsizes\": 0}}", -EPROTO, "pgsizes 0x0"},
		{"{\"capabilities\": 3}", -EPROTO, "no such JSON text"},
		{"{\"capabilities\": {", -EPROTO, "no such JSON text"},
		{"[]", -EPROTO, "no such JSON text"},
		{"{\"capabilities\": {}} x", -EPROTO, "no such JSON text"},
	};
	struct vfu_opts o = VFU_OPTS_INIT;
	struct vfu_rig r;

	vfu_rig_begin(&r, NULL);
	for (size_t i = 0; i < PLX_ARRAY_SIZE(table); i++) {
		r.opts.version = table[i].version;
		vfu_rig_restart(&r);
		CHECK_EQ(vfu_rig_open(&r, ""), table[i].err);
		if (table[i].err != 0)
			CHECK_HAS(plx_errmsg(), table[i].says);
		vfu_rig_close(&r);
	}
	r.opts = o;
	r.opts.minor = 2;
	vfu_rig_restart(&r);
	CHECK_EQ(vfu_rig_open(&r, ""), -EPROTO);
	CHECK_HAS(plx_errmsg(), "speaks vfio-user 0.2; this is 0.1");
	r.opts.minor = 0;
	vfu_rig_restart(&r);
	CHECK_EQ(vfu_rig_open(&r, ""), 0);
	vfu_rig_end(&r);
}

/* ---- DEVICE_GET_REGION_INFO ---- */

struct region_bytes {
	struct vu_region_info info;
	uint8_t caps[4096];
};

static void put_cap(uint8_t *at, uint16_t id, uint32_t next, uint32_t n_areas)
{
	memset(at, 0, 16);
	plx_store_le16(at, id);
	plx_store_le16(at + 2, 1);
	plx_store_le32(at + 4, next);
	plx_store_le32(at + 8, n_areas);
}

static void put_area(uint8_t *caps, unsigned i, uint64_t off, uint64_t len)
{
	plx_store_le64(caps + 16 + 16 * (size_t)i, off);
	plx_store_le64(caps + 24 + 16 * (size_t)i, len);
}

static const char *parse(const struct region_bytes *b, size_t len, struct vu_region *r)
{
	uint8_t *exact = malloc(len + 1); /* so that ASan sees a read past its end */
	const char *why;

	CHECK(exact != NULL);
	memcpy(exact, b, len);
	why = vu_parse_region(exact, len, 0, r);
	free(exact);
	return why != NULL ? why : "";
}

static void region(struct region_bytes *b, uint32_t n_areas)
{
	memset(b, 0, sizeof(*b));
	b->info =
		(struct vu_region_info){.argsz = 32, .flags = 15, .cap_offset = 32, .size = 65536};
	put_cap(b->caps, 1, 0, n_areas);
}

TEST(vfio_user_hostile, areas_and_capabilities)
{
	static struct region_bytes b;
	struct vu_region r;

	region(&b, 2);
	put_area(b.caps, 0, 4096, 8192);
	put_area(b.caps, 1, 61440, 4096);
	CHECK_STR(parse(&b, 32 + 48, &r), "");
	CHECK_EQ(r.n_areas, 2);
	/* one area is missing; the whole capability; a part of its header */
	CHECK_HAS(parse(&b, 32 + 47, &r), "more sparse areas than it sends");
	CHECK_STR(parse(&b, 32 + 16, &r), "announces more sparse areas than it sends");
	CHECK_HAS(parse(&b, 31, &r), "cut off");
	for (size_t len = 0; len < 32 + 48; len++)
		CHECK(parse(&b, len, &r)[0] != '\0');
	plx_store_le32(b.caps + 8, UINT32_MAX);
	CHECK_HAS(parse(&b, sizeof(b), &r), "more sparse areas");
	/* outside of the region, around the end */
	region(&b, 1);
	put_area(b.caps, 0, 61440, 8192);
	CHECK_HAS(parse(&b, 64, &r), "outside of its region");
	put_area(b.caps, 0, UINT64_MAX - 4095, 8192);
	CHECK_HAS(parse(&b, 64, &r), "outside of its region");
	put_area(b.caps, 0, 4096, UINT64_MAX);
	CHECK_HAS(parse(&b, 64, &r), "outside of its region");
	/* what cannot be mapped is left to messages; so is too much */
	put_area(b.caps, 0, 4095, 4096);
	CHECK_STR(parse(&b, 64, &r), "");
	CHECK_EQ(r.n_areas, 0);
	region(&b, 200);
	for (unsigned i = 0; i < 200; i++)
		put_area(b.caps, i, 4096, 4096);
	CHECK_STR(parse(&b, sizeof(b), &r), "");
	CHECK_EQ(r.n_areas, VU_AREAS);
}

TEST(vfio_user_hostile, lists_of_capabilities_end)
{
	static struct region_bytes b;
	struct vu_region r;

	region(&b, 0);
	/* one that nobody knows, then areas */
	put_cap(b.caps, 77, 32 + 16, 0);
	put_cap(b.caps + 16, 1, 0, 1);
	put_area(b.caps + 16, 0, 0, 4096);
	CHECK_STR(parse(&b, 32 + 48, &r), "");
	CHECK_EQ(r.n_areas, 1);
	/* to itself, to and fro, before the structure, past the end, off its alignment */
	put_cap(b.caps, 77, 32, 0);
	CHECK_HAS(parse(&b, sizeof(b), &r), "without end");
	put_cap(b.caps, 77, 48, 0);
	put_cap(b.caps + 16, 78, 32, 0);
	CHECK_HAS(parse(&b, sizeof(b), &r), "without end");
	for (uint32_t at = 1; at < 32; at++) {
		b.info.cap_offset = at;
		CHECK_HAS(parse(&b, sizeof(b), &r), "not there");
	}
	b.info.cap_offset = 33;
	CHECK_HAS(parse(&b, sizeof(b), &r), "not there");
	b.info.cap_offset = sizeof(b) - 4;
	CHECK_HAS(parse(&b, sizeof(b), &r), "not there");
	b.info.cap_offset = UINT32_MAX - 3;
	CHECK_HAS(parse(&b, sizeof(b), &r), "not there");
	/* sizes that no file has, another region */
	region(&b, 0);
	b.info.size = UINT64_MAX;
	CHECK_HAS(parse(&b, sizeof(b), &r), "absurd");
	b.info.size = 65536;
	b.info.offset = INT64_MAX - 4095;
	CHECK_HAS(parse(&b, sizeof(b), &r), "absurd");
	b.info.offset = 0;
	b.info.index = 1;
	CHECK_HAS(parse(&b, sizeof(b), &r), "another region");
	/* a register that may not be written is not mapped to be written */
	region(&b, 0);
	b.info.flags = 1 | 4;
	CHECK_STR(parse(&b, 32, &r), "");
	CHECK_EQ(r.n_areas, 0);
}
