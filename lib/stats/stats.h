/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to lib/stats. */
#ifndef PLX_STATS_PRIVATE_H
#define PLX_STATS_PRIVATE_H

#include <sys/stat.h>
#include "plx_stats.h"

/* For messages: a path, shortened. */
#define PATH_FMT       "statistics file %.200s%s"
#define PATH_ARG(path) (path), strlen(path) > 200 ? "..." : ""

/* --- owner.c: which process a file is of ------------------------------------------------------ */

enum owner_state {
	OWNER_DEAD,
	OWNER_ALIVE,
	OWNER_HIDDEN, /* in another PID namespace: cannot be told from here */
};

/* Fills in who this process is. What cannot be found out stays 0 or "". */
void plx_stats_sign(struct plx_stats_header *h);

/* Whether the process that signed h is there. h->pid is not 0. */
enum owner_state plx_stats_owner_state(const struct plx_stats_header *h);

/* --- file.c: making and removing the file ----------------------------------------------------- */

struct stats_file {
	int fd, dir;    /* dir: so that a chdir() or a moved folder does not matter; -1: none */
	char *name;     /* in dir; NULL: it has none */
	struct stat st; /* which file it is */
	uint32_t pid;   /* who made it */
};

/* 0: *h is the head of a statistics file of this version. -EINVAL: why not is in the message. */
int plx_stats_check_header(const struct plx_stats_header *h, const char *path);

/*
 * Makes the file at path, empty and locked against others who would replace it, after removing what
 * a dead process left there. Errors as plx_stats_open().
 */
int plx_stats_file_make(const char *path, struct stats_file *f);

/*
 * A file without a name, which others reach through /proc/PID/fd as long as the process lives. Where
 * there is none to be had (no descriptor left, an old kernel) f->fd is -1.
 */
void plx_stats_file_memory(struct stats_file *f);

/* The header is written: others may look. */
void plx_stats_file_ready(const struct stats_file *f);

/* Removes the file if it is still the one that was made, and closes it. f may be half-made. */
void plx_stats_file_drop(struct stats_file *f);

#endif
