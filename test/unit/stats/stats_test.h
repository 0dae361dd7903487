/* SPDX-License-Identifier: BSD-3-Clause */
/* A folder for the files of one test. */
#ifndef STATS_TEST_H
#define STATS_TEST_H

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "plx_log.h"
#include "plx_stats.h"
#include "unit.h"

struct folder {
	char dir[64], file[80];
};

static inline struct folder folder_make(void)
{
	struct folder f = {"/tmp/plx-stats-XXXXXX", ""};

	CHECK(mkdtemp(f.dir) != NULL);
	snprintf(f.file, sizeof(f.file), "%s/s", f.dir);
	return f;
}

/* Fails if anything is left in it. */
static inline void folder_remove(const struct folder *f)
{
	CHECK_EQ(rmdir(f->dir), 0);
}

static inline bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static inline struct plx_stats *opened(const char *path)
{
	struct plx_stats *s;

	if (plx_stats_open(path, 0, &s) != 0)
		UNIT_FAIL(plx_errmsg());
	return s;
}

/* Overwrites a part of the file. */
static inline void poke(const char *path, size_t at, const void *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	CHECK(pwrite(fd, data, size, (off_t)at) == (ssize_t)size);
	close(fd);
}

static inline void poke32(const char *path, size_t at, uint32_t v)
{
	poke(path, at, &v, sizeof(v));
}

static inline void poke64(const char *path, size_t at, uint64_t v)
{
	poke(path, at, &v, sizeof(v));
}

static const char *const two_names[] = {"packets", "bytes"};

#endif
