/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "stats_test.h"

TEST(stats_writer, without_a_path)
{
	struct plx_stats *s = opened(NULL);
	uint64_t *c;

	CHECK_EQ(plx_stats_object(s, "q", two_names, 2, &c), 0);
	CHECK_EQ((uintptr_t)c % PLX_CACHE_LINE, 0);
	CHECK(c[0] == 0 && c[1] == 0);
	plx_stats_add(&c[1], 5);
	plx_stats_add(&c[1], 6);
	CHECK_EQ(c[1], 11);
	plx_stats_close(s);
}

/* The descriptor that leads to the file in memory; -1: none. */
static int memory_fd(void)
{
	char path[32], target[64];

	for (int fd = 0; fd < 256; fd++) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = '\0';
		if (strcmp(target, "/memfd:" PLX_STATS_MEMFD " (deleted)") == 0)
			return fd;
	}
	return -1;
}

TEST(stats_writer, without_a_path_it_is_read_through_proc)
{
	struct plx_stats *s = opened(NULL);
	struct plx_stats_reader *r;
	struct plx_stats_view v;
	int fd = memory_fd();
	char path[32];
	uint64_t *c;

	CHECK(fd >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK_EQ(plx_stats_object(s, "q", two_names, 2, &c), 0);
	plx_stats_add(&c[1], 5);
	CHECK_EQ(plx_stats_attach(path, &r), 0);
	CHECK_EQ(plx_stats_next(r, &v), 1);
	CHECK_STR(v.name, "q");
	CHECK_EQ(v.values[1], 5);
	CHECK(ftruncate(fd, 0) < 0 && errno == EPERM);
	plx_stats_close(s);
	CHECK_EQ(plx_stats_next(r, &v), 0); /* the end of the round */
	CHECK_EQ(plx_stats_next(r, &v), 1); /* as long as a reader has it open */
	plx_stats_detach(r);
	CHECK(memory_fd() < 0);
}

TEST(stats_writer, without_a_descriptor_left_counters_are_private)
{
	struct rlimit old, none;
	struct plx_stats *s;
	uint64_t *c;

	CHECK(getrlimit(RLIMIT_NOFILE, &old) == 0);
	none = old;
	none.rlim_cur = 0;
	CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
	s = opened(NULL);
	CHECK(setrlimit(RLIMIT_NOFILE, &old) == 0);
	CHECK(memory_fd() < 0);
	CHECK_EQ(plx_stats_object(s, "q", two_names, 2, &c), 0);
	plx_stats_add(&c[1], 5);
	CHECK_EQ(c[1], 5);
	plx_stats_close(s);
}

TEST(stats_writer, close_of_nothing)
{
	plx_stats_close(NULL);
	plx_stats_remove(NULL, NULL);
	plx_stats_detach(NULL);
	CHECK(true);
}

TEST(stats_writer, objects_share_no_cache_line)
{
	struct plx_stats *s = opened(NULL);
	uint64_t *c[32];
	static const char *const one[] = {"n"};

	for (int i = 0; i < 32; i++) {
		CHECK_EQ(plx_stats_object(s, "q", one, 1, &c[i]), 0);
		for (int j = 0; j < i; j++)
			CHECK((uintptr_t)c[i] / PLX_CACHE_LINE != (uintptr_t)c[j] / PLX_CACHE_LINE);
	}
	plx_stats_close(s);
}

static void grow(const char *path, size_t hint)
{
	enum { N = 3000 };
	static uint64_t *c[N];
	struct plx_stats *s;

	CHECK_EQ(plx_stats_open(path, hint, &s), 0);
	for (int i = 0; i < N; i++) {
		CHECK_EQ(plx_stats_object(s, "queue", two_names, 2, &c[i]), 0);
		CHECK(c[i][0] == 0 && c[i][1] == 0);
		c[i][0] = (uint64_t)i;
	}
	for (int i = 0; i < N; i++)
		CHECK_EQ(c[i][0], i);
	plx_stats_close(s);
}

TEST(stats_writer, grows_and_moves_nothing)
{
	struct folder f = folder_make();

	grow(NULL, 0);
	grow(f.file, 0);
	grow(f.file, 10000);
	grow(NULL, SIZE_MAX);
	folder_remove(&f);
}

TEST(stats_writer, removed_space_is_used_again)
{
	struct plx_stats *s = opened(NULL);
	uint64_t *a, *b, *again;

	CHECK_EQ(plx_stats_object(s, "a", two_names, 2, &a), 0);
	CHECK_EQ(plx_stats_object(s, "b", two_names, 2, &b), 0);
	a[0] = a[1] = 7;
	b[0] = 8;
	plx_stats_remove(s, a);
	CHECK_EQ(plx_stats_object(s, "c", two_names, 2, &again), 0);
	CHECK(again == a);
	CHECK(again[0] == 0 && again[1] == 0);
	CHECK_EQ(b[0], 8);
	plx_stats_remove(s, b);
	plx_stats_remove(s, b); /* is none of ours any more */
	CHECK_EQ(plx_stats_object(s, "d", two_names, 2, &a), 0);
	CHECK(a == b);
	CHECK_EQ(plx_stats_object(s, "e", two_names, 2, &a), 0);
	CHECK(a != b);
	plx_stats_close(s);
}

TEST(stats_writer, small_object_leaves_a_large_hole)
{
	const char *names[64];
	struct plx_stats *s = opened(NULL);
	uint64_t *large, *small, *again;

	for (int i = 0; i < 64; i++)
		names[i] = "some_counter_with_a_name";
	CHECK_EQ(plx_stats_object(s, "large", names, 64, &large), 0);
	plx_stats_remove(s, large);
	CHECK_EQ(plx_stats_object(s, "small", names, 1, &small), 0);
	CHECK(small > large);
	CHECK_EQ(plx_stats_object(s, "again", names, 64, &again), 0);
	CHECK(again == large);
	plx_stats_remove(s, again);
	CHECK_EQ(plx_stats_object(s, "a bit smaller", names, 60, &again), 0);
	CHECK(again < small);
	plx_stats_close(s);
}

TEST(stats_writer, counts_that_cannot_be)
{
	struct plx_stats *s = opened(NULL);
	static const char *names[PLX_STATS_COUNTERS_MAX + 1];
	uint64_t *c = (uint64_t *)8;

	for (int i = 0; i <= PLX_STATS_COUNTERS_MAX; i++)
		names[i] = "x";
	CHECK_EQ(plx_stats_object(s, "q", names, 0, &c), -EINVAL);
	CHECK(c == NULL);
	CHECK_STR(plx_errmsg(), "statistics: object q has 0 counters; 1 to 4096 will do");
	CHECK_EQ(plx_stats_object(s, "q", names, PLX_STATS_COUNTERS_MAX + 1, &c), -EINVAL);
	CHECK_STR(plx_errmsg(), "statistics: object q has 4097 counters; 1 to 4096 will do");
	CHECK_EQ(plx_stats_object(s, "q", names, PLX_STATS_COUNTERS_MAX, &c), 0);
	c[PLX_STATS_COUNTERS_MAX - 1] = 1;
	plx_stats_close(s);
}

TEST(stats_writer, names_that_cannot_be)
{
	struct plx_stats *s = opened(NULL);
	char name[PLX_STATS_COUNTER_NAME_MAX + 2];
	const char *names[] = {"good", name};
	uint64_t *c;

	memset(name, 'n', sizeof(name));
	name[PLX_STATS_COUNTER_NAME_MAX + 1] = '\0';
	CHECK_EQ(plx_stats_object(s, "q", names, 2, &c), -EINVAL);
	CHECK_STR(plx_errmsg(),
		"statistics: object q: the name of counter 1 has 64 bytes; 1 to 63 will do");
	name[PLX_STATS_COUNTER_NAME_MAX] = '\0';
	CHECK_EQ(plx_stats_object(s, "q", names, 2, &c), 0);
	names[0] = "";
	CHECK_EQ(plx_stats_object(s, "q", names, 2, &c), -EINVAL);
	CHECK_STR(plx_errmsg(),
		"statistics: object q: the name of counter 0 has 0 bytes; 1 to 63 will do");
	names[0] = NULL;
	CHECK_EQ(plx_stats_object(s, "q", names, 2, &c), -EINVAL);
	CHECK_EQ(plx_stats_object(s, "", two_names, 2, &c), -EINVAL);
	CHECK_STR(plx_errmsg(), "statistics: an object has no name");
	CHECK_EQ(plx_stats_object(s, NULL, two_names, 2, &c), -EINVAL);
	plx_stats_close(s);
}

TEST(stats_writer, full_set_is_an_error)
{
	static char name[64][PLX_STATS_COUNTER_NAME_MAX + 1];
	static const char *names[PLX_STATS_COUNTERS_MAX];
	struct plx_stats *s = opened(NULL);
	uint64_t *c, *last = NULL;
	int n = 0, err;

	for (int i = 0; i < PLX_STATS_COUNTERS_MAX; i++) {
		memset(name[i % 64], 'n', PLX_STATS_COUNTER_NAME_MAX);
		names[i] = name[i % 64];
	}
	while ((err = plx_stats_object(s, "big", names, PLX_STATS_COUNTERS_MAX, &c)) == 0) {
		last = c;
		n++;
		CHECK(n < 1000);
	}
	CHECK_EQ(err, -ENOSPC);
	CHECK(c == NULL);
	CHECK_HAS(plx_errmsg(), "objects fill the set; open it with a larger number of objects");
	CHECK(n > 100);
	plx_stats_remove(s, last); /* and there is room again */
	CHECK_EQ(plx_stats_object(s, "big", names, PLX_STATS_COUNTERS_MAX, &c), 0);
	CHECK(c == last);
	plx_stats_close(s);
}

TEST(stats_writer, full_file_system_is_an_error)
{
	struct folder f = folder_make();
	struct rlimit before, small;
	struct plx_stats *s = opened(f.file);
	uint64_t *c;
	int err = 0;

	signal(SIGXFSZ, SIG_IGN);
	CHECK_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 100000;
	CHECK_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (int i = 0; i < 10000 && err == 0; i++)
		err = plx_stats_object(s, "q", two_names, 2, &c);
	CHECK_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
	CHECK_EQ(err, -EFBIG);
	CHECK_HAS(plx_errmsg(), "s: cannot grow it to 131072 bytes: File too large");
	CHECK_EQ(plx_stats_object(s, "q", two_names, 2, &c), 0);
	plx_stats_close(s);
	folder_remove(&f);
}

TEST(stats_writer, no_room_at_the_start)
{
	struct folder f = folder_make();
	struct rlimit before, small;
	struct plx_stats *s;
	int err[2];

	signal(SIGXFSZ, SIG_IGN);
	CHECK_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
	for (int i = 0; i < 2; i++) {
		small = before;
		small.rlim_cur = i == 0 ? 0 : 1000;
		CHECK_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
		err[i] = plx_stats_open(f.file, 0, &s);
		CHECK_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
		CHECK(s == NULL);
	}
	CHECK_EQ(err[0], -ENOSPC);
	CHECK_EQ(err[1], -EFBIG);
	folder_remove(&f); /* nothing is left */
}

static unsigned open_files(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

TEST(stats_writer, thousand_times_leaks_no_file)
{
	struct folder f = folder_make();
	unsigned before = open_files();
	uint64_t *c;

	for (int i = 0; i < 1000; i++) {
		struct plx_stats *s = opened(f.file);
		struct plx_stats_reader *r;

		CHECK_EQ(plx_stats_object(s, "q", two_names, 2, &c), 0);
		CHECK_EQ(plx_stats_attach(f.file, &r), 0);
		plx_stats_detach(r);
		plx_stats_close(s);
	}
	CHECK_EQ(open_files(), before);
	folder_remove(&f);
}

static void *add_and_remove(void *arg)
{
	struct plx_stats *s = arg;
	uintptr_t bad = 0;

	for (int i = 0; i < 500; i++) {
		uint64_t *a, *b;

		if (plx_stats_object(s, "a", two_names, 2, &a) != 0 ||
			plx_stats_object(s, "b", two_names, 1, &b) != 0)
			return (void *)1000;
		bad += a[0] != 0 || b[0] != 0 || a == b;
		for (int j = 0; j < 100; j++) {
			plx_stats_add(&a[0], 1);
			plx_stats_add(&b[0], 2);
		}
		bad += a[0] != 100 || b[0] != 200;
		plx_stats_remove(s, a);
		plx_stats_remove(s, b);
	}
	return (void *)bad;
}

TEST(stats_writer, threads_add_and_remove)
{
	struct folder f = folder_make();
	struct plx_stats *s = opened(f.file);
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, add_and_remove, s), 0);
	for (int i = 0; i < 4; i++) {
		void *bad;

		pthread_join(t[i], &bad);
		CHECK_EQ((uintptr_t)bad, 0);
	}
	plx_stats_close(s);
	folder_remove(&f);
}
