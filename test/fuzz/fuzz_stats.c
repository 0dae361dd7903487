/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A statistics file that lies. An input is a list of changes to a good file with three objects: bytes
 * 0-1 where to cut it, then six bytes each, an offset and a 32-bit number to put there. (Bytes alone
 * would rarely get past the header.) Whatever it says, the reader comes to an end, and what it gives
 * out can be read.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "plx_log.h"
#include "plx_stats.h"

#define IMAGE_SIZE 1024U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[64];
static uint8_t image[IMAGE_SIZE];

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void remove_file(void)
{
	unlink(path);
}

/* The good file, once. */
static void make_image(void)
{
	static const char *const names[] = {"packets", "bytes", "errors"};
	struct plx_stats *s;
	uint64_t *c;
	int fd;

	snprintf(path, sizeof(path), "/dev/shm/plx-fuzz-stats-%d", (int)getpid());
	must(plx_stats_open(path, 0, &s) == 0);
	for (size_t n = 1; n <= 3; n++)
		must(plx_stats_object(s, "object", names, n, &c) == 0);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	must(fd >= 0 && read(fd, image, sizeof(image)) == sizeof(image));
	close(fd);
	plx_stats_close(s);
	atexit(remove_file);
}

/* Touches all of what was given out, so that ASan sees it. */
static void use(const struct plx_stats_view *o)
{
	static volatile uint64_t sink;
	uint64_t sum = strlen(o->name);

	must(o->n >= 1 && o->n <= PLX_STATS_COUNTERS_MAX);
	for (size_t i = 0; i < o->n; i++)
		sum += strlen(o->names[i]) + o->values[i];
	sink = sum;
	(void)sink;
}

static void read_all(void)
{
	struct plx_stats_owner owner;
	struct plx_stats_reader *r;
	struct plx_stats_view o;
	int err, n = 0;

	plx_err_clear();
	if (plx_stats_attach(path, &r) < 0) {
		must(r == NULL && plx_errmsg()[0] != '\0');
		return;
	}
	plx_stats_reader_owner(r, &owner);
	must(owner.pid > 0);
	while ((err = plx_stats_next(r, &o)) == 1) {
		use(&o);
		must(++n <= (int)(IMAGE_SIZE / sizeof(struct plx_stats_record)));
	}
	must(err == 0 || plx_errmsg()[0] != '\0');
	plx_stats_detach(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t file[IMAGE_SIZE];
	size_t length = IMAGE_SIZE;
	int fd;

	if (path[0] == '\0')
		make_image();
	memcpy(file, image, sizeof(file));
	if (size >= 2)
		length -= plx_load_le16(data) % IMAGE_SIZE;
	for (size_t i = 2; i + 6 <= size; i += 6)
		memcpy(file + plx_load_le16(data + i) % (IMAGE_SIZE - 4), data + i + 2, 4);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	must(fd >= 0 && write(fd, file, length) == (ssize_t)length);
	close(fd);
	read_all();
	return 0;
}
