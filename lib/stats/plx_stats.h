/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Named counters of objects in a mapped file, read from outside while they change.
 *
 * The program opens one set of statistics; each object (a queue, a pool) gets an array of counters
 * that lies in the file. The thread that owns the object writes them with plain stores
 * (PLX_WRITE_ONCE), without locks or atomic operations: a reader in another process sees them
 * without stopping anything. Without a path the file is in memory alone (memfd_create(2), named
 * PLX_STATS_MEMFD): a reader opens /proc/PID/fd/N, and it ends with the process unless a reader still
 * has it open. `plx-stats` finds either kind.
 *
 * Put the file on a tmpfs (/run, /dev/shm): on a disk, writing it back would stall the counting
 * thread. It is made with mode 0600 and never through a symbolic link. plx_stats_close() removes
 * it; after a crash it stays, and names the process it was of.
 *
 * Threads: objects are added and removed from any thread. Counters belong to their object's thread.
 *
 * The file, version 1. Numbers are in the machine's byte order, which `order` shows. It starts with
 * struct plx_stats_header; objects follow from `first` to `used`, each a struct plx_stats_record,
 * and `size` leads from one to the next. Nothing ever moves and no size changes; removed objects
 * leave a free record that a later object of about the same size takes. `used` grows after the new
 * record is complete. `seq` of a record is odd while the record (but for the counters' values)
 * changes: read it, the record and it again; if it was odd or changed, try again, and if it stays
 * odd leave the object out.
 */
#ifndef PLX_STATS_H
#define PLX_STATS_H

#include "plx_base.h"

PLX_BEGIN_DECLS

#define PLX_STATS_MAGIC        "PLXSTATS"
#define PLX_STATS_VERSION      1U
#define PLX_STATS_ORDER        0x01020304U
#define PLX_STATS_MEMFD        "plx-stats" /* /proc/PID/fd/N leads to "/memfd:plx-stats (deleted)" */
#define PLX_STATS_RECORD_MAGIC 0x4f584c50U /* "PLXO" */

#define PLX_STATS_NAME_MAX         255  /* bytes of an object's name; a longer one is cut */
#define PLX_STATS_COUNTER_NAME_MAX 63   /* bytes of a counter's name */
#define PLX_STATS_COUNTERS_MAX     4096 /* counters of an object */
#define PLX_STATS_RECORD_SIZE_MAX  (1U << 20)

/* At offset 0. */
struct plx_stats_header {
	char magic[8];          /*   0 PLX_STATS_MAGIC, without a NUL */
	uint32_t version;       /*   8 PLX_STATS_VERSION */
	uint32_t order;         /*  12 PLX_STATS_ORDER */
	uint32_t pid;           /*  16 the process, as its PID namespace numbers it */
	uint32_t first;         /*  20 offset of the first record */
	uint64_t start_ticks;   /*  24 when it started: field 22 of /proc/PID/stat */
	uint64_t pid_namespace; /*  32 inode of /proc/PID/ns/pid; 0: not known */
	char boot_id[40];       /*  40 /proc/sys/kernel/random/boot_id, NUL at its end */
	uint64_t used;          /*  80 offset of the end of the last record */
	uint64_t created_ns;    /*  88 CLOCK_REALTIME when the file was made */
	uint8_t reserved[32];   /*  96 zero */
};

/* At a multiple of 64. */
struct plx_stats_record {
	uint32_t magic;      /*  0 PLX_STATS_RECORD_MAGIC */
	uint32_t seq;        /*  4 odd while it changes */
	uint32_t size;       /*  8 of all the record, a multiple of 64 */
	uint32_t live;       /* 12 1: an object; 0: free */
	uint32_t n_counters; /* 16 */
	uint32_t
		strings_offset; /* 20 from the record: the object's name and its counters' names, */
	uint32_t strings_size;  /* 24 each with a NUL at its end */
	uint32_t values_offset; /* 28 from the record, a multiple of 64: uint64_t[n_counters] */
	uint8_t reserved[32];   /* 32 zero */
};

PLX_STATIC_ASSERT(sizeof(struct plx_stats_header) == 128, "layout of the file");
PLX_STATIC_ASSERT(sizeof(struct plx_stats_record) == 64, "layout of the file");

/* --- writer ---------------------------------------------------------------------------------- */

struct plx_stats;

/*
 * Opens a set of statistics into *out; plx_stats_close() closes it. path = NULL: a file in memory
 * without a name, or private memory where there is none to be had. max_objects_hint is how many objects are expected (0: no idea); more will do.
 * A file that a dead process of this user left at path is replaced, and so is an empty one.
 * -EBUSY: the file is of a living process, which the message names, or of another PID namespace, or
 *	is being replaced by somebody else at this moment;
 * -EEXIST: something else is at path; -EPERM: the file there is another user's;
 * -EINVAL: path is empty or ends with '/'; -ENOSPC: no room in the file system; -ENOMEM; others as
 * open(2).
 */
PLX_API
int plx_stats_open(const char *path, size_t max_objects_hint, struct plx_stats **out);

/*
 * Adds an object with n counters, all 0: *counters is their array, 64-byte aligned and alone in its
 * cache lines. It does not move until plx_stats_remove(). The names are copied; two objects may have
 * the same name.
 * -EINVAL: n is 0 or over PLX_STATS_COUNTERS_MAX, or a name is empty, or a counter's is too long;
 * -ENOSPC: no room in the file system, or the set is full; -ENOMEM.
 */
PLX_API
int plx_stats_object(struct plx_stats *s, const char *name, const char *const *counter_names,
	size_t n, uint64_t **counters);

/* Removes an object. counters may be NULL, and s as well then. Its owner no longer writes them. */
PLX_API
void plx_stats_remove(struct plx_stats *s, uint64_t *counters);

/* Removes the file, if it is still the one that was made and by this process, and frees all. */
PLX_API
void plx_stats_close(struct plx_stats *s);

/* Adds n to a counter of the calling thread. */
static inline void plx_stats_add(uint64_t *counter, uint64_t n)
{
	PLX_WRITE_ONCE(*counter, *counter + n);
}

/* --- reader ---------------------------------------------------------------------------------- */

struct plx_stats_reader;

/* Whose statistics these are. */
struct plx_stats_owner {
	int pid;
	bool alive;          /* as far as it can be seen from here */
	uint64_t created_ns; /* CLOCK_REALTIME */
};

/* What plx_stats_next() found; valid until the next call with the same reader. */
struct plx_stats_view {
	const char *name;
	size_t n;
	const char *const *names; /* names[n] */
	const uint64_t *values;   /* values[n] */
};

/*
 * Opens somebody's statistics for reading into *out; plx_stats_detach() closes it. The file is not
 * trusted, neither now nor later: it is read, not mapped, so that even one that is cut short under
 * the reader does no harm.
 * -EINVAL: it is no statistics file or of another version or byte order; others as open(2).
 */
PLX_API
int plx_stats_attach(const char *path, struct plx_stats_reader **out);

/* Whose it is. */
PLX_API
void plx_stats_reader_owner(const struct plx_stats_reader *r, struct plx_stats_owner *out);

/*
 * The next object: 1 and *out, or 0 at the end, after which the next call starts again from the
 * first one with fresh values. Control characters in names become '?'. One thread at a time.
 * -EILSEQ: the file breaks its own rules; the message says where. The next call starts again from
 * the first object. -ENOMEM; others as pread(2).
 */
PLX_API
int plx_stats_next(struct plx_stats_reader *r, struct plx_stats_view *out);

/* NULL is fine. */
PLX_API
void plx_stats_detach(struct plx_stats_reader *r);

PLX_END_DECLS

#endif
