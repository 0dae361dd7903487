/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The program's side: objects and their counters.
 *
 * Address space for all that may come is reserved at the start and filled from its beginning, so
 * that nothing moves. Where records lie is also kept in private memory: what is in the file is only
 * written here, never believed.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "plx_log.h"
#include "stats.h"

#define CHUNK          (64U << 10) /* growth; a multiple of every page size */
#define RESERVE        (UINT64_C(64) << 20)
#define HINT_MAX       ((size_t)1 << 20)
#define OBJECT_TYPICAL 512U

/* A record, live or free. */
struct slot {
	size_t offset;
	uint32_t size, values_offset, seq;
	bool live;
};

struct plx_stats {
	pthread_mutex_t lock; /* of all below; not of the counters */
	uint8_t *base;
	size_t reserved, mapped, used;
	struct slot *slot;
	size_t n_slots, slots_size;
	struct stats_file file; /* fd -1: none */
	char *path;             /* for messages */
};

static struct plx_stats_header *header(struct plx_stats *s)
{
	return (struct plx_stats_header *)s->base;
}

/* Makes the file longer. Returns 0 or an errno. */
static int extend(const struct stats_file *f, size_t from, size_t more)
{
	int err;

	if (f->name == NULL) /* no file system to fill: pages come as they are touched */
		return ftruncate(f->fd, (off_t)(from + more)) < 0 ? errno : 0;
	/* With its blocks: a full file system is an error here and not a SIGBUS later. */
	do {
		err = posix_fallocate(f->fd, (off_t)from, (off_t)more);
	} while (err == EINTR);
	return err;
}

/* Makes at least size bytes from the base usable. */
static int grow(struct plx_stats *s, size_t size)
{
	size_t more;
	int err;

	if (size <= s->mapped)
		return 0;
	more = plx_align_up(size, CHUNK) - s->mapped;
	if (size > s->reserved)
		return plx_err(ENOSPC,
			"statistics: %zu objects fill the set; open it with a larger number of "
			"objects",
			s->n_slots);
	if (s->file.fd < 0) {
		if (mprotect(s->base + s->mapped, more, PROT_READ | PROT_WRITE) < 0)
			return plx_err(errno, "statistics: no memory for %zu bytes more", more);
		s->mapped += more;
		return 0;
	}
	err = extend(&s->file, s->mapped, more);
	if (err != 0)
		return plx_err(err, PATH_FMT ": cannot grow it to %zu bytes: %s", PATH_ARG(s->path),
			s->mapped + more, strerrordesc_np(err));
	if (mmap(s->base + s->mapped, more, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		    s->file.fd, (off_t)s->mapped) == MAP_FAILED)
		return plx_err(errno, PATH_FMT ": cannot map %zu bytes of it: %s",
			PATH_ARG(s->path), more, strerrordesc_np(errno));
	s->mapped += more;
	return 0;
}

static int reserve(struct plx_stats *s, size_t size)
{
	void *p = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return plx_err(errno, "statistics: no address space for %zu bytes", size);
	s->base = p;
	s->reserved = size;
	return 0;
}

/* Writes the header and makes room for so many objects. */
static int begin(struct plx_stats *s, size_t objects)
{
	struct plx_stats_header h = {
		.version = PLX_STATS_VERSION,
		.order = PLX_STATS_ORDER,
		.first = sizeof(h),
		.used = sizeof(h),
	};
	int err = reserve(s, RESERVE + plx_align_up(objects * 8 * OBJECT_TYPICAL, CHUNK));

	if (err < 0)
		return err;
	memcpy(h.magic, PLX_STATS_MAGIC, sizeof(h.magic));
	plx_stats_sign(&h);
	s->used = sizeof(h);
	/* At once and whole, so that a file is either empty or says whose it is. */
	if (s->file.fd >= 0 && pwrite(s->file.fd, &h, sizeof(h), 0) != sizeof(h))
		return plx_err(ENOSPC, PATH_FMT ": no room for its header", PATH_ARG(s->path));
	err = grow(s, s->used + objects * OBJECT_TYPICAL);
	if (err == 0 && s->file.fd < 0)
		*header(s) = h;
	return err;
}

int plx_stats_open(const char *path, size_t max_objects_hint, struct plx_stats **out)
{
	struct plx_stats *s = calloc(1, sizeof(*s));
	int err = 0;

	*out = NULL;
	if (s == NULL)
		return plx_err(ENOMEM, "statistics: out of memory");
	pthread_mutex_init(&s->lock, NULL);
	s->file.fd = s->file.dir = -1;
	s->path = strdup(path != NULL ? path : "in memory");
	if (s->path == NULL)
		err = plx_err(ENOMEM, "statistics: out of memory");
	if (err == 0 && path != NULL)
		err = plx_stats_file_make(path, &s->file);
	else if (err == 0)
		plx_stats_file_memory(&s->file);
	if (err == 0)
		err = begin(s, PLX_MIN(max_objects_hint, HINT_MAX));
	if (err < 0) {
		plx_stats_close(s);
		return err;
	}
	if (path != NULL)
		plx_stats_file_ready(&s->file);
	*out = s;
	return 0;
}

void plx_stats_close(struct plx_stats *s)
{
	if (s == NULL)
		return;
	plx_stats_file_drop(&s->file);
	if (s->base != NULL)
		munmap(s->base, s->reserved);
	pthread_mutex_destroy(&s->lock);
	free(s->slot);
	free(s->path);
	free(s);
}

/* A new object as its record will have it. */
struct layout {
	const char *name, *const *names;
	size_t name_size; /* without a NUL; cut if over PLX_STATS_NAME_MAX */
	size_t n, strings_size, values_offset, size;
};

static int plan(struct layout *l, const char *name, const char *const *names, size_t n)
{
	if (name == NULL || *name == '\0')
		return plx_err(EINVAL, "statistics: an object has no name");
	if (n == 0 || n > PLX_STATS_COUNTERS_MAX)
		return plx_err(EINVAL, "statistics: object %.80s has %zu counters; 1 to %d will do",
			name, n, PLX_STATS_COUNTERS_MAX);
	*l = (struct layout){.name = name, .names = names, .n = n};
	l->name_size = PLX_MIN(strlen(name), (size_t)PLX_STATS_NAME_MAX);
	l->strings_size = l->name_size + 1;
	for (size_t i = 0; i < n; i++) {
		size_t len = names[i] != NULL ? strlen(names[i]) : 0;

		if (len == 0 || len > PLX_STATS_COUNTER_NAME_MAX)
			return plx_err(EINVAL,
				"statistics: object %.80s: the name of counter %zu has %zu bytes; 1 "
				"to %d will do",
				name, i, len, PLX_STATS_COUNTER_NAME_MAX);
		l->strings_size += len + 1;
	}
	l->values_offset =
		plx_align_up(sizeof(struct plx_stats_record) + l->strings_size, PLX_CACHE_LINE);
	l->size = l->values_offset + plx_align_up(n * sizeof(uint64_t), PLX_CACHE_LINE);
	return 0;
}

/* The smallest free record that is large enough and not twice as large as need be. */
static struct slot *find_free(struct plx_stats *s, size_t size)
{
	struct slot *best = NULL;

	for (size_t i = 0; i < s->n_slots; i++) {
		struct slot *slot = &s->slot[i];

		if (!slot->live && slot->size >= size && slot->size <= 2 * size &&
			(best == NULL || slot->size < best->size))
			best = slot;
	}
	return best;
}

/* A record at the end, not yet shown to readers. */
static int add_slot(struct plx_stats *s, size_t size, struct slot **out)
{
	int err = grow(s, s->used + size);

	if (err < 0)
		return err;
	if (s->n_slots == s->slots_size) {
		size_t n = s->slots_size == 0 ? 64 : 2 * s->slots_size;
		struct slot *p = reallocarray(s->slot, n, sizeof(*p));

		if (p == NULL)
			return plx_err(ENOMEM, "statistics: out of memory for %zu objects", n);
		s->slot = p;
		s->slots_size = n;
	}
	*out = &s->slot[s->n_slots++];
	**out = (struct slot){.offset = s->used, .size = (uint32_t)size};
	return 0;
}

static struct plx_stats_record *record_of(struct plx_stats *s, const struct slot *slot)
{
	return (struct plx_stats_record *)(s->base + slot->offset);
}

/* From here to end_change() readers leave the record alone. */
static void begin_change(struct plx_stats_record *r, struct slot *slot)
{
	PLX_WRITE_ONCE(r->seq, ++slot->seq);
	/* The odd number before what it announces. Not a C11 fence: ThreadSanitizer has none. */
	plx_io_wmb();
}

static void end_change(struct plx_stats_record *r, struct slot *slot)
{
	/* All of the record before the even number. */
	__atomic_store_n(&r->seq, ++slot->seq, __ATOMIC_RELEASE);
}

static void fill(struct plx_stats *s, struct slot *slot, const struct layout *l)
{
	struct plx_stats_record *r = record_of(s, slot);
	char *p = (char *)(r + 1);

	begin_change(r, slot);
	memset(p, 0, slot->size - sizeof(*r));
	r->magic = PLX_STATS_RECORD_MAGIC;
	r->size = slot->size;
	r->live = 1;
	r->n_counters = (uint32_t)l->n;
	r->strings_offset = sizeof(*r);
	r->strings_size = (uint32_t)l->strings_size;
	r->values_offset = (uint32_t)l->values_offset;
	memcpy(p, l->name, l->name_size);
	p += l->name_size + 1;
	for (size_t i = 0; i < l->n; i++) {
		size_t size = strlen(l->names[i]) + 1;

		memcpy(p, l->names[i], size);
		p += size;
	}
	slot->values_offset = r->values_offset;
	slot->live = true;
	end_change(r, slot);
}

static int add_object(struct plx_stats *s, const struct layout *l, uint64_t **counters)
{
	struct slot *slot = find_free(s, l->size);
	int err;

	if (slot == NULL) {
		err = add_slot(s, l->size, &slot);
		if (err < 0)
			return err;
	}
	fill(s, slot, l);
	if (slot->offset == s->used) {
		s->used += slot->size;
		/* The record before the offset that makes it visible. */
		__atomic_store_n(&header(s)->used, s->used, __ATOMIC_RELEASE);
	}
	*counters = (uint64_t *)(s->base + slot->offset + slot->values_offset);
	return 0;
}

int plx_stats_object(struct plx_stats *s, const char *name, const char *const *counter_names,
	size_t n, uint64_t **counters)
{
	struct layout l;
	int err;

	*counters = NULL;
	err = plan(&l, name, counter_names, n);
	if (err < 0)
		return err;
	pthread_mutex_lock(&s->lock);
	err = add_object(s, &l, counters);
	pthread_mutex_unlock(&s->lock);
	return err;
}

void plx_stats_remove(struct plx_stats *s, uint64_t *counters)
{
	if (counters == NULL)
		return;
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->n_slots; i++) {
		struct slot *slot = &s->slot[i];
		struct plx_stats_record *r = record_of(s, slot);

		if (!slot->live ||
			s->base + slot->offset + slot->values_offset != (uint8_t *)counters)
			continue;
		begin_change(r, slot);
		r->live = 0;
		r->n_counters = 0;
		slot->live = false;
		end_change(r, slot);
		break;
	}
	pthread_mutex_unlock(&s->lock);
}
