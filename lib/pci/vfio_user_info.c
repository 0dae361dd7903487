/* SPDX-License-Identifier: BSD-3-Clause */
/* What a vfio-user server says of itself, the device and its regions; and register accesses. */
#include <inttypes.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <unistd.h>

#include "json_text.h"
#include "vfio_user.h"

enum {
	MAJOR = 0,
	MINOR = 1,
	TEXT_MAX = 4096,  /* JSON of VERSION */
	INFO_MAX = 16384, /* region info with its capabilities */
	CAP_SPARSE = 1,   /* VFIO_REGION_INFO_CAP_SPARSE_MMAP */
};

struct version {
	uint16_t major, minor;
};

/* ---- VERSION ---- */

/* False: the member is there, and no number. */
static bool number(const char *caps, const char *key, uint64_t *out)
{
	const char *v;
	size_t len;

	return !json_text_member(caps, key, &v, &len) || json_text_u64(v, len, out);
}

bool vu_parse_caps(const char *text, struct vu_limits *out)
{
	char caps[TEXT_MAX];
	const char *v;
	size_t len;

	/* what holds where nothing is said */
	*out = (struct vu_limits){
		.max_fds = 1,
		.max_data = 1 << 20,
		.max_maps = 65535,
		.page_sizes = 4096,
	};
	if (text[0] == '\0')
		return true;
	if (!json_text_member(text, "capabilities", &v, &len))
		return json_text_object(text);
	if (len >= sizeof(caps))
		return false;
	memcpy(caps, v, len);
	caps[len] = '\0';
	return json_text_object(caps) && number(caps, "max_msg_fds", &out->max_fds) &&
	       number(caps, "max_data_xfer_size", &out->max_data) &&
	       number(caps, "max_dma_maps", &out->max_maps) &&
	       number(caps, "pgsizes", &out->page_sizes);
}

static int check_version(struct vu_sock *s, const uint8_t *data, size_t len, struct vu_limits *out)
{
	struct version v;

	memcpy(&v, data, sizeof(v));
	if (v.major != MAJOR || v.minor > MINOR)
		return vu_broken(
			s, "speaks vfio-user %u.%u; this is %u.%u", v.major, v.minor, MAJOR, MINOR);
	if (len == sizeof(v))
		return vu_parse_caps("", out) ? 0 : -EPROTO;
	if (memchr(data + sizeof(v), '\0', len - sizeof(v)) != data + len - 1 ||
		!vu_parse_caps((const char *)data + sizeof(v), out))
		return vu_broken(s, "sends capabilities in VERSION that are no such JSON text");
	if (out->max_data < 8 || out->page_sizes == 0)
		return vu_broken(s,
			"has max_data_xfer_size %" PRIu64 " and pgsizes 0x%" PRIx64
			", with which no register and no memory can be reached",
			out->max_data, out->page_sizes);
	return 0;
}

int vu_version(struct vu_sock *s, struct vu_limits *out)
{
	const struct version v = {MAJOR, MINOR};
	uint8_t data[sizeof(v) + TEXT_MAX];
	char caps[256];
	struct vu_req r = {.cmd = VU_VERSION, .data = &v, .len = sizeof(v), .more = caps};
	struct vu_answer a = {.data = data, .min = sizeof(v), .max = sizeof(data)};
	int n, err;

	n = snprintf(caps, sizeof(caps),
		"{\"capabilities\":{\"max_msg_fds\":%d,\"max_data_xfer_size\":%d,\"max_dma_maps\":65535,"
		"\"pgsizes\":4096}}",
		VU_FDS_MAX, VU_DATA_MAX);
	r.more_len = (size_t)n + 1;
	err = vu_call(s, &r, &a);
	return err < 0 ? err : check_version(s, data, a.len, out);
}

/* ---- DEVICE_GET_INFO, DEVICE_GET_REGION_INFO ---- */

int vu_get_info(struct vu_sock *s, struct vu_device_info *out)
{
	const struct vu_device_info q = {.argsz = sizeof(q)};
	const struct vu_req r = {.cmd = VU_GET_INFO, .data = &q, .len = sizeof(q)};
	struct {
		struct vu_device_info info;
		uint8_t later[240]; /* what later versions add */
	} d;
	struct vu_answer a = {.data = &d, .min = sizeof(d.info), .max = sizeof(d)};
	int err = vu_call(s, &r, &a);

	if (err < 0)
		return err;
	if ((d.info.flags & VFIO_DEVICE_FLAGS_PCI) == 0)
		return vu_broken(
			s, "offers a device that is no PCI device (flags 0x%x)", d.info.flags);
	if (d.info.num_regions <= PLX_PCI_REGION_CFG)
		return vu_broken(s, "offers a PCI device of %u regions", d.info.num_regions);
	*out = d.info;
	return 0;
}

/* The capability at data + at; whole: *len is from there to the end. */
static const char *parse_sparse(const uint8_t *cap, size_t len, struct vu_region *r)
{
	const uint64_t page = 4096;
	uint32_t n;

	/* header (8), number of areas, reserved */
	if (len < 16)
		return "sends a capability that is cut off";
	memcpy(&n, cap + 8, sizeof(n));
	if (n > (len - 16) / sizeof(struct vu_area))
		return "announces more sparse areas than it sends";
	r->n_areas = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct vu_area a;

		memcpy(&a, cap + 16 + i * sizeof(a), sizeof(a));
		if (a.off > r->len || a.len > r->len - a.off)
			return "has a sparse area outside of its region";
		/* what cannot be mapped is reached by message */
		if (a.len == 0 || a.off % page != 0 || a.len % page != 0 || r->n_areas == VU_AREAS)
			continue;
		r->areas[r->n_areas++] = a;
	}
	return NULL;
}

static const char *parse_region_caps(
	const uint8_t *data, size_t len, uint32_t at, struct vu_region *r)
{
	for (unsigned i = 0; at != 0; i++) {
		uint16_t id;
		const char *why;

		if (i == VU_CAPS)
			return "sends a list of capabilities without end";
		if (at < sizeof(struct vu_region_info) || at % 4 != 0 || at > len || len - at < 8)
			return "points to a capability that is not there";
		memcpy(&id, data + at, sizeof(id));
		why = id == CAP_SPARSE ? parse_sparse(data + at, len - at, r) : NULL;
		if (why != NULL)
			return why;
		memcpy(&at, data + at + 4, sizeof(at));
	}
	return NULL;
}

const char *vu_parse_region(const uint8_t *data, size_t len, uint32_t index, struct vu_region *r)
{
	struct vu_region_info info;
	const char *why = NULL;

	memset(r, 0, sizeof(*r));
	r->fd = -1;
	if (len < sizeof(info))
		return "sends a region that is cut off";
	memcpy(&info, data, sizeof(info));
	if (info.index != index)
		return "answers for another region";
	if (info.size > INT64_MAX || info.offset > INT64_MAX - info.size)
		return "has a region of absurd size or offset";
	r->len = info.size;
	r->flags = info.flags;
	r->fd_base = info.offset;
	/* without a list of areas all of it can be mapped */
	if ((info.flags & VU_REGION_MMAP) != 0 && info.size >= 4096 && info.size % 4096 == 0) {
		r->n_areas = 1;
		r->areas[0].len = info.size;
	}
	if ((info.flags & VU_REGION_CAPS) != 0)
		why = parse_region_caps(data, len, info.cap_offset, r);
	/* A register that is mapped is read and written. */
	if ((info.flags & (VU_REGION_MMAP | VU_REGION_R | VU_REGION_W)) !=
			(VU_REGION_MMAP | VU_REGION_R | VU_REGION_W) ||
		info.offset % 4096 != 0)
		r->n_areas = 0;
	return why;
}

int vu_get_region(struct vu_sock *s, uint32_t index, struct vu_region *r)
{
	struct vu_region_info q = {.argsz = INFO_MAX, .index = index};
	const struct vu_req req = {.cmd = VU_GET_REGION_INFO, .data = &q, .len = sizeof(q)};
	uint8_t data[INFO_MAX];
	int fd = -1, err;
	struct vu_answer a = {
		.data = data, .min = sizeof(q), .max = sizeof(data), .fds = &fd, .max_fds = 1};
	const char *why;

	r->fd = -1;
	err = vu_call(s, &req, &a);
	if (err < 0)
		return err;
	memcpy(&q, data, sizeof(q));
	why = q.argsz > INFO_MAX ? "has more capabilities of a region than are read"
				 : vu_parse_region(data, a.len, index, r);
	if (why == NULL && r->n_areas > 0 && a.n_fds == 1) {
		r->fd = fd;
		return 0;
	}
	r->n_areas = 0;
	if (a.n_fds == 1)
		close(fd);
	return why != NULL ? vu_broken(s, "%s (region %u)", why, index) : 0;
}

/* ---- REGION_READ, REGION_WRITE ---- */

int vu_read(struct vu_sock *s, uint32_t region, uint64_t off, unsigned width, uint64_t *v)
{
	const struct vu_region_access q = {off, region, width};
	const struct vu_req r = {.cmd = VU_REGION_READ, .data = &q, .len = sizeof(q)};
	struct {
		struct vu_region_access head;
		uint8_t data[8];
	} d = {.data = {0}};
	struct vu_answer a = {
		.data = &d, .min = sizeof(d.head) + width, .max = sizeof(d.head) + width};
	int err = vu_call(s, &r, &a);

	if (err < 0)
		return err;
	if (d.head.offset != off || d.head.region != region || d.head.count != width)
		return vu_broken(s,
			"answers REGION_READ of %u bytes at %" PRIu64 " of region %u with %u at "
			"%" PRIu64 " of region %u",
			width, off, region, d.head.count, d.head.offset, d.head.region);
	*v = plx_load_le64(d.data);
	return 0;
}

int vu_write(
	struct vu_sock *s, uint32_t region, uint64_t off, unsigned width, uint64_t v, bool posted)
{
	const struct vu_region_access q = {off, region, width};
	uint8_t data[8];
	const struct vu_req r = {.cmd = VU_REGION_WRITE,
		.data = &q,
		.len = sizeof(q),
		.more = data,
		.more_len = width};

	plx_store_le64(data, v);
	return posted ? vu_post(s, &r) : vu_call(s, &r, NULL);
}
