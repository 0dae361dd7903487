/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading somebody's statistics file. Nothing in it is trusted, and it is read with pread(): a
 * mapping of a file that its owner cuts short would raise SIGBUS.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "plx_log.h"
#include "stats.h"

/* How often to look at a record that changes. Its owner may be stopped in the middle of it. */
#define TRIES 100

struct plx_stats_reader {
	int fd;
	char *path;
	struct plx_stats_header header;
	uint64_t at, used; /* the next record; 0: start again */
	uint8_t *record;   /* a copy of the record that was found */
	size_t record_size;
	const char **names;
	size_t names_size;
};

static int read_exactly(const struct plx_stats_reader *r, void *buf, size_t size, uint64_t at)
{
	ssize_t n;

	do {
		n = pread(r->fd, buf, size, (off_t)at);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return plx_err(errno, PATH_FMT ": cannot read it: %s", PATH_ARG(r->path),
			strerrordesc_np(errno));
	if ((size_t)n != size)
		return plx_err(EILSEQ, PATH_FMT ": it ends before offset %llu", PATH_ARG(r->path),
			(unsigned long long)(at + size));
	return 0;
}

static int open_file(struct plx_stats_reader *r)
{
	struct stat st;

	r->fd = open(r->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (r->fd < 0)
		return plx_err(errno, PATH_FMT ": %s", PATH_ARG(r->path), strerrordesc_np(errno));
	if (fstat(r->fd, &st) < 0 || !S_ISREG(st.st_mode))
		return plx_err(
			EINVAL, PATH_FMT " is none: it is no regular file", PATH_ARG(r->path));
	if (st.st_size < (off_t)sizeof(r->header))
		return plx_err(EINVAL, PATH_FMT " is none: it has %lld bytes", PATH_ARG(r->path),
			(long long)st.st_size);
	return 0;
}

int plx_stats_attach(const char *path, struct plx_stats_reader **out)
{
	struct plx_stats_reader *r = calloc(1, sizeof(*r));
	int err = 0;

	*out = NULL;
	if (r == NULL)
		return plx_err(ENOMEM, "statistics: out of memory");
	r->fd = -1;
	r->path = strdup(path);
	if (r->path == NULL)
		err = plx_err(ENOMEM, "statistics: out of memory");
	if (err == 0)
		err = open_file(r);
	if (err == 0)
		err = read_exactly(r, &r->header, sizeof(r->header), 0);
	if (err == 0)
		err = plx_stats_check_header(&r->header, path);
	if (err < 0) {
		plx_stats_detach(r);
		return err;
	}
	*out = r;
	return 0;
}

void plx_stats_detach(struct plx_stats_reader *r)
{
	if (r == NULL)
		return;
	if (r->fd >= 0)
		close(r->fd);
	free(r->names);
	free(r->record);
	free(r->path);
	free(r);
}

void plx_stats_reader_owner(const struct plx_stats_reader *r, struct plx_stats_owner *out)
{
	out->pid = (int)r->header.pid;
	out->created_ns = r->header.created_ns;
	out->alive = plx_stats_owner_state(&r->header) != OWNER_DEAD;
}

static int damaged(const struct plx_stats_reader *r, const char *what)
{
	return plx_err(EILSEQ, PATH_FMT ": the record at offset %llu %s", PATH_ARG(r->path),
		(unsigned long long)r->at, what);
}

/* Makes room for a record of this size and its names. */
static int make_room(struct plx_stats_reader *r, size_t size)
{
	size_t n = size / sizeof(uint64_t); /* a record has fewer counters than that */

	if (size > r->record_size) {
		free(r->record);
		r->record = malloc(size);
		r->record_size = r->record != NULL ? size : 0;
	}
	if (n > r->names_size) {
		free(r->names);
		r->names = malloc(n * sizeof(*r->names));
		r->names_size = r->names != NULL ? n : 0;
	}
	if (r->record == NULL || r->names == NULL)
		return plx_err(ENOMEM, "statistics: out of memory for a record of %zu bytes", size);
	return 0;
}

/*
 * Copies the record at r->at to r->record. Its head is read before and after: if its number is even
 * and the same, all between belongs together. 1: it is there; 0: it does not stop changing. *size is
 * set in either case.
 */
static int copy_record(struct plx_stats_reader *r, uint32_t *size)
{
	struct plx_stats_record before, after;
	int err;

	for (int i = 0; i < TRIES; i++) {
		err = read_exactly(r, &before, sizeof(before), r->at);
		if (err < 0)
			return err;
		if (before.magic != PLX_STATS_RECORD_MAGIC)
			return damaged(r, "has no magic number");
		if (before.size < sizeof(before) || before.size % PLX_CACHE_LINE != 0 ||
			before.size > PLX_STATS_RECORD_SIZE_MAX || before.size > r->used - r->at)
			return damaged(r, "has a size that cannot be");
		*size = before.size;
		err = make_room(r, before.size);
		if (err == 0)
			err = read_exactly(r, r->record, before.size, r->at);
		if (err == 0)
			err = read_exactly(r, &after, sizeof(after), r->at);
		if (err < 0)
			return err;
		if (before.seq == after.seq && before.seq % 2 == 0) {
			/* What was checked is what is used from here on. */
			memcpy(r->record, &before, sizeof(before));
			return 1;
		}
		sched_yield();
	}
	return 0;
}

/* The strings of the record to o->name and r->names. */
static int take_strings(
	struct plx_stats_reader *r, const struct plx_stats_record *h, struct plx_stats_view *o)
{
	char *p = (char *)r->record + h->strings_offset, *end = p + h->strings_size;

	for (char *c = p; c < end; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = *c == '\0' ? '\0' : '?';
	for (uint32_t i = 0; i <= h->n_counters; i++) {
		char *nul = memchr(p, '\0', (size_t)(end - p));

		if (nul == NULL)
			return damaged(r, "has too few names");
		if (i == 0)
			o->name = p;
		else
			r->names[i - 1] = p;
		p = nul + 1;
	}
	return 0;
}

static int take_object(struct plx_stats_reader *r, struct plx_stats_view *o)
{
	struct plx_stats_record h;
	int err;

	memcpy(&h, r->record, sizeof(h));
	if (h.n_counters == 0 || h.n_counters > PLX_STATS_COUNTERS_MAX)
		return damaged(r, "has a number of counters that cannot be");
	if (h.strings_offset < sizeof(h) || h.strings_offset > h.size ||
		h.strings_size > h.size - h.strings_offset)
		return damaged(r, "has its names outside itself");
	if (h.values_offset < sizeof(h) || h.values_offset % PLX_CACHE_LINE != 0 ||
		h.values_offset > h.size ||
		h.n_counters > (h.size - h.values_offset) / sizeof(uint64_t))
		return damaged(r, "has its values outside itself");
	if (h.strings_offset < h.values_offset + h.n_counters * sizeof(uint64_t) &&
		h.values_offset < h.strings_offset + h.strings_size)
		return damaged(r, "has its names among its values");
	err = take_strings(r, &h, o);
	if (err < 0)
		return err;
	o->n = h.n_counters;
	o->names = r->names;
	o->values = (const uint64_t *)(const void *)(r->record + h.values_offset);
	return 1;
}

static int start(struct plx_stats_reader *r)
{
	int err =
		read_exactly(r, &r->used, sizeof(r->used), offsetof(struct plx_stats_header, used));

	if (err < 0)
		return err;
	if (r->used < r->header.first || r->used % PLX_CACHE_LINE != 0 || r->used > INT64_MAX)
		return plx_err(EILSEQ, PATH_FMT ": its end, offset %llu, cannot be",
			PATH_ARG(r->path), (unsigned long long)r->used);
	r->at = r->header.first;
	return 0;
}

/* The next live record: 1, or 0 at the end. */
static int next(struct plx_stats_reader *r, struct plx_stats_view *out)
{
	int err = r->at == 0 ? start(r) : 0;

	while (err == 0 && r->at < r->used) {
		uint32_t size = 0, live;

		err = copy_record(r, &size);
		if (err < 0)
			return err;
		live = err == 1 ? ((const struct plx_stats_record *)(const void *)r->record)->live
				: 0;
		err = live != 0 ? take_object(r, out) : 0;
		if (err < 0)
			return err;
		r->at += size;
	}
	return err;
}

int plx_stats_next(struct plx_stats_reader *r, struct plx_stats_view *out)
{
	int err = next(r, out);

	if (err != 1)
		r->at = 0;
	return err;
}
