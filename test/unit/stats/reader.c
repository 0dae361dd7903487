/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pthread.h>
#include <sys/wait.h>
#include "stats_test.h"

#define AT(field)  offsetof(struct plx_stats_header, field)
#define REC(field) (sizeof(struct plx_stats_header) + offsetof(struct plx_stats_record, field))

static struct plx_stats_reader *attached(const char *path)
{
	struct plx_stats_reader *r;

	if (plx_stats_attach(path, &r) != 0)
		UNIT_FAIL(plx_errmsg());
	return r;
}

TEST(stats_reader, sees_objects_and_values)
{
	struct folder f = folder_make();
	struct plx_stats *s = opened(f.file);
	struct plx_stats_reader *r = attached(f.file);
	static const char *const three[] = {"a", "b", "c"};
	struct plx_stats_view o;
	uint64_t *rx, *pool;

	CHECK_EQ(plx_stats_next(r, &o), 0);
	CHECK_EQ(plx_stats_object(s, "port0.rx", two_names, 2, &rx), 0);
	CHECK_EQ(plx_stats_object(s, "pool", three, 3, &pool), 0);
	rx[0] = 5;
	rx[1] = UINT64_MAX;
	pool[2] = 9;
	CHECK_EQ(plx_stats_next(r, &o), 1);
	CHECK_STR(o.name, "port0.rx");
	CHECK_EQ(o.n, 2);
	CHECK_STR(o.names[0], "packets");
	CHECK_STR(o.names[1], "bytes");
	CHECK(o.values[0] == 5 && o.values[1] == UINT64_MAX);
	CHECK_EQ(plx_stats_next(r, &o), 1);
	CHECK_STR(o.name, "pool");
	CHECK_EQ(o.n, 3);
	CHECK_STR(o.names[2], "c");
	CHECK(o.values[0] == 0 && o.values[2] == 9);
	CHECK_EQ(plx_stats_next(r, &o), 0);
	plx_stats_add(&rx[0], 1);
	CHECK_EQ(plx_stats_next(r, &o), 1); /* from the start again */
	CHECK_STR(o.name, "port0.rx");
	CHECK_EQ(o.values[0], 6);
	plx_stats_detach(r);
	plx_stats_close(s);
	folder_remove(&f);
}

TEST(stats_reader, leaves_out_removed_objects)
{
	struct folder f = folder_make();
	struct plx_stats *s = opened(f.file);
	struct plx_stats_reader *r = attached(f.file);
	struct plx_stats_view o;
	uint64_t *a, *b;

	CHECK_EQ(plx_stats_object(s, "a", two_names, 2, &a), 0);
	CHECK_EQ(plx_stats_object(s, "b", two_names, 2, &b), 0);
	plx_stats_remove(s, a);
	CHECK_EQ(plx_stats_next(r, &o), 1);
	CHECK_STR(o.name, "b");
	CHECK_EQ(plx_stats_next(r, &o), 0);
	CHECK_EQ(plx_stats_object(s, "other", two_names, 1, &a), 0);
	CHECK_EQ(plx_stats_next(r, &o), 1);
	CHECK_STR(o.name, "other");
	CHECK_EQ(o.n, 1);
	plx_stats_remove(s, a);
	plx_stats_remove(s, b);
	plx_stats_detach(r);
	r = attached(f.file);
	CHECK_EQ(plx_stats_next(r, &o), 0);
	plx_stats_detach(r);
	plx_stats_close(s);
	folder_remove(&f);
}

TEST(stats_reader, long_name_is_cut)
{
	struct folder f = folder_make();
	struct plx_stats *s = opened(f.file);
	struct plx_stats_reader *r = attached(f.file);
	struct plx_stats_view o;
	char name[1000];
	uint64_t *c;

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	CHECK_EQ(plx_stats_object(s, name, two_names, 2, &c), 0);
	CHECK_EQ(plx_stats_next(r, &o), 1);
	CHECK_EQ(strlen(o.name), PLX_STATS_NAME_MAX);
	CHECK_STR(o.names[0], "packets");
	plx_stats_detach(r);
	plx_stats_close(s);
	folder_remove(&f);
}

TEST(stats_reader, largest_object)
{
	static char name[PLX_STATS_COUNTER_NAME_MAX + 1];
	static const char *names[PLX_STATS_COUNTERS_MAX];
	struct folder f = folder_make();
	struct plx_stats *s = opened(f.file);
	struct plx_stats_reader *r = attached(f.file);
	struct plx_stats_view o;
	uint64_t *c;

	memset(name, 'n', PLX_STATS_COUNTER_NAME_MAX);
	for (int i = 0; i < PLX_STATS_COUNTERS_MAX; i++)
		names[i] = name;
	CHECK_EQ(plx_stats_object(s, name, names, PLX_STATS_COUNTERS_MAX, &c), 0);
	c[PLX_STATS_COUNTERS_MAX - 1] = 3;
	CHECK_EQ(plx_stats_next(r, &o), 1);
	CHECK_EQ(o.n, PLX_STATS_COUNTERS_MAX);
	CHECK_STR(o.names[PLX_STATS_COUNTERS_MAX - 1], name);
	CHECK_EQ(o.values[PLX_STATS_COUNTERS_MAX - 1], 3);
	plx_stats_detach(r);
	plx_stats_close(s);
	folder_remove(&f);
}

TEST(stats_reader, tells_whose_it_is)
{
	struct folder f = folder_make();
	struct plx_stats *s = opened(f.file);
	struct plx_stats_reader *r = attached(f.file);
	struct plx_stats_owner owner;
	pid_t pid;

	plx_stats_reader_owner(r, &owner);
	CHECK_EQ(owner.pid, getpid());
	CHECK(owner.alive);
	CHECK(owner.created_ns > 1600000000000000000U);
	plx_stats_detach(r);
	plx_stats_close(s);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		_exit(plx_stats_open(f.file, 0, &s) != 0);
	CHECK(waitpid(pid, NULL, 0) == pid);
	r = attached(f.file);
	plx_stats_reader_owner(r, &owner);
	CHECK_EQ(owner.pid, pid);
	CHECK(!owner.alive);
	plx_stats_detach(r);
	unlink(f.file);
	folder_remove(&f);
}

/* --- files that nobody should trust ---------------------------------------------------------- */

/* A set with one object of two counters. */
static struct plx_stats *one_object(const struct folder *f)
{
	struct plx_stats *s = opened(f->file);
	uint64_t *c;

	CHECK_EQ(plx_stats_object(s, "q", two_names, 2, &c), 0);
	c[0] = 1;
	return s;
}

static void not_attached(const char *path, int want, const char *message)
{
	struct plx_stats_reader *r = (struct plx_stats_reader *)8;

	plx_err_clear();
	CHECK_EQ(plx_stats_attach(path, &r), want);
	CHECK(r == NULL);
	CHECK_HAS(plx_errmsg(), message);
}

TEST(stats_reader, file_that_is_none)
{
	struct folder f = folder_make();

	not_attached(f.file, -ENOENT, "s: No such file or directory");
	not_attached(f.dir, -EINVAL, "is none: it is no regular file");
	CHECK_EQ(mkfifo(f.file, 0600), 0);
	not_attached(f.file, -EINVAL, "is none: it is no regular file");
	unlink(f.file);
	CHECK_EQ(symlink("/etc/passwd", f.file), 0);
	not_attached(f.file, -EINVAL, "is none: it does not begin with PLXSTATS");
	unlink(f.file);
	CHECK_EQ(close(open(f.file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
	not_attached(f.file, -EINVAL, "is none: it has 0 bytes");
	CHECK_EQ(truncate(f.file, 127), 0);
	not_attached(f.file, -EINVAL, "is none: it has 127 bytes");
	CHECK_EQ(truncate(f.file, 128), 0);
	not_attached(f.file, -EINVAL, "is none: it does not begin with PLXSTATS");
	unlink(f.file);
	folder_remove(&f);
}

TEST(stats_reader, header_that_cannot_be)
{
	struct folder f = folder_make();
	struct plx_stats *s = one_object(&f);

	poke32(f.file, AT(version), 2);
	not_attached(f.file, -EINVAL, "has version 2; this program reads version 1");
	poke32(f.file, AT(version), 1);
	poke32(f.file, AT(order), 0x04030201);
	not_attached(f.file, -EINVAL, "is of a machine with another byte order");
	poke32(f.file, AT(order), PLX_STATS_ORDER);
	poke32(f.file, AT(pid), 0);
	not_attached(f.file, -EINVAL, "has a damaged header");
	poke32(f.file, AT(pid), 0x80000000U);
	not_attached(f.file, -EINVAL, "has a damaged header");
	poke32(f.file, AT(pid), 1);
	poke32(f.file, AT(first), 64);
	not_attached(f.file, -EINVAL, "has a damaged header");
	poke32(f.file, AT(first), 129);
	not_attached(f.file, -EINVAL, "has a damaged header");
	poke32(f.file, AT(first), 128);
	poke(f.file, AT(boot_id) + 39, "x", 1);
	not_attached(f.file, -EINVAL, "has a damaged header");
	poke(f.file, AT(boot_id) + 39, "", 1);
	plx_stats_detach(attached(f.file));
	plx_stats_close(s);
	folder_remove(&f);
}

/* The reader, attached before the damage, refuses the record with this message; then mends it. */
static void damage32(
	struct plx_stats_reader *r, const char *path, size_t at, uint32_t bad, const char *message)
{
	struct plx_stats_view o;
	uint32_t good;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	CHECK(pread(fd, &good, sizeof(good), (off_t)at) == sizeof(good));
	close(fd);
	poke32(path, at, bad);
	CHECK_EQ(plx_stats_next(r, &o), -EILSEQ);
	CHECK_HAS(plx_errmsg(), message);
	poke32(path, at, good);
	CHECK_EQ(plx_stats_next(r, &o), 1);
	CHECK_STR(o.name, "q");
	CHECK_EQ(plx_stats_next(r, &o), 0);
}

TEST(stats_reader, record_that_cannot_be)
{
	static const struct {
		size_t at;
		uint32_t bad;
		const char *message;
	} rows[] = {
		{REC(magic), 0, "the record at offset 128 has no magic number"},
		{REC(size), 0, "has a size that cannot be"},
		{REC(size), 100, "has a size that cannot be"},
		{REC(size), 256, "has a size that cannot be"}, /* past `used` */
		{REC(size), 0xffffffc0, "has a size that cannot be"},
		{REC(n_counters), 0, "has a number of counters that cannot be"},
		{REC(n_counters), 4097, "has a number of counters that cannot be"},
		{REC(n_counters), 0xffffffff, "has a number of counters that cannot be"},
		{REC(n_counters), 9, "has its values outside itself"},
		{REC(n_counters), 3, "has too few names"},
		{REC(strings_offset), 63, "has its names outside itself"},
		{REC(strings_offset), 193, "has its names outside itself"},
		{REC(strings_offset), 0xffffffff, "has its names outside itself"},
		{REC(strings_offset), 120, "has its names among its values"},
		{REC(strings_size), 129, "has its names outside itself"},
		{REC(strings_size), 0xffffffff, "has its names outside itself"},
		{REC(strings_size), 0, "has too few names"},
		{REC(strings_size), 5, "has too few names"},
		{REC(strings_size), 65, "has its names among its values"},
		{REC(values_offset), 0, "has its values outside itself"},
		{REC(values_offset), 72, "has its values outside itself"},
		{REC(values_offset), 192, "has its values outside itself"},
		{REC(values_offset), 0xffffffc0, "has its values outside itself"},
		{REC(values_offset), 64, "has its names among its values"},
		{AT(used), 64, "its end, offset 64, cannot be"},
		{AT(used), 129, "its end, offset 129, cannot be"},
		{AT(used) + 4, 0x80000000, "cannot be"},
		{AT(used) + 4, 0x7fffffff, "has no magic number"},
	};
	struct folder f = folder_make();
	struct plx_stats *s = one_object(&f);
	struct plx_stats_reader *r = attached(f.file);
	struct stat st;

	CHECK_EQ(stat(f.file, &st), 0);
	for (unsigned i = 0; i < PLX_ARRAY_SIZE(rows) - 1; i++)
		damage32(r, f.file, rows[i].at, rows[i].bad, rows[i].message);
	/* and an end far behind the file's: the next record has to be there first */
	poke32(f.file, AT(used) + 4, 0x7fffffff);
	{
		struct plx_stats_view o;

		CHECK_EQ(plx_stats_next(r, &o), 1);
		CHECK_EQ(plx_stats_next(r, &o), -EILSEQ);
		CHECK_HAS(plx_errmsg(), "the record at offset 320 has no magic number");
		CHECK_EQ(plx_stats_next(r, &o), 1); /* starts again */
	}
	plx_stats_detach(r);
	plx_stats_close(s);
	folder_remove(&f);
}

TEST(stats_reader, file_is_cut_short_under_it)
{
	struct folder f = folder_make();
	struct plx_stats *s = one_object(&f);
	struct plx_stats_reader *r = attached(f.file);
	struct plx_stats_view o;

	CHECK_EQ(plx_stats_next(r, &o), 1);
	CHECK_EQ(plx_stats_next(r, &o), 0);
	CHECK_EQ(truncate(f.file, 200), 0);
	CHECK_EQ(plx_stats_next(r, &o), -EILSEQ);
	CHECK_HAS(plx_errmsg(), "it ends before offset 320");
	CHECK_EQ(truncate(f.file, 0), 0);
	CHECK_EQ(plx_stats_next(r, &o), -EILSEQ);
	CHECK_HAS(plx_errmsg(), "it ends before offset 88");
	plx_stats_detach(r);
	plx_stats_close(s);
	folder_remove(&f);
}

TEST(stats_reader, leaves_out_what_stays_half_written)
{
	struct folder f = folder_make();
	struct plx_stats *s = one_object(&f);
	struct plx_stats_reader *r = attached(f.file);
	struct plx_stats_view o;
	uint64_t *c;

	CHECK_EQ(plx_stats_object(s, "second", two_names, 2, &c), 0);
	poke32(f.file, REC(seq), 3); /* its writer died in the middle */
	poke32(f.file, REC(n_counters), 0xffffffff);
	CHECK_EQ(plx_stats_next(r, &o), 1);
	CHECK_STR(o.name, "second");
	CHECK_EQ(plx_stats_next(r, &o), 0);
	plx_stats_detach(r);
	plx_stats_close(s);
	folder_remove(&f);
}

TEST(stats_reader, control_characters_become_question_marks)
{
	struct folder f = folder_make();
	struct plx_stats *s = opened(f.file);
	struct plx_stats_reader *r = attached(f.file);
	static const char *const names[] = {"a\nb\x7f\xc3\xa9"};
	struct plx_stats_view o;
	uint64_t *c;

	CHECK_EQ(plx_stats_object(s, "\x1b[2J", names, 1, &c), 0);
	CHECK_EQ(plx_stats_next(r, &o), 1);
	CHECK_STR(o.name, "?[2J");
	CHECK_STR(o.names[0], "a?b?\xc3\xa9");
	plx_stats_detach(r);
	plx_stats_close(s);
	folder_remove(&f);
}

/* --- reading while it changes ---------------------------------------------------------------- */

struct churn {
	struct plx_stats *s;
	uint32_t stop;
};

/* Objects "1" to "8": the number is that of the counters, and of each counter's name. */
static void *churn(void *arg)
{
	static const char *const digit[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8"};
	struct churn *ch = arg;
	uint64_t *c[4] = {NULL};
	unsigned n = 0;

	while (PLX_READ_ONCE(ch->stop) == 0) {
		unsigned size = 1 + n * 5 % 8, at = n % 4;
		const char *names[8];

		for (unsigned i = 0; i < size; i++)
			names[i] = digit[size];
		plx_stats_remove(ch->s, c[at]);
		if (plx_stats_object(ch->s, digit[size], names, size, &c[at]) != 0)
			break;
		for (unsigned i = 0; i < size; i++)
			PLX_WRITE_ONCE(c[at][i], size);
		for (unsigned i = 0; i < n % 256; i++)
			plx_pause(); /* some changes follow at once, others leave time to read */
		n++;
	}
	return (void *)(uintptr_t)n;
}

TEST(stats_reader, never_sees_half_an_object)
{
	struct folder f = folder_make();
	struct churn ch = {opened(f.file), 0};
	struct plx_stats_reader *r = attached(f.file);
	unsigned seen = 0, bad = 0;
	pthread_t t;
	void *n;

	CHECK_EQ(pthread_create(&t, NULL, churn, &ch), 0);
	for (long round = 0; round < 10000000 && seen < 5000 && bad == 0; round++) {
		struct plx_stats_view o;
		int err;

		while ((err = plx_stats_next(r, &o)) == 1) {
			seen++;
			bad += strlen(o.name) != 1 || o.n != (size_t)(o.name[0] - '0');
			for (size_t i = 0; i < o.n; i++)
				bad += strcmp(o.names[i], o.name) != 0 ||
				       (o.values[i] != 0 && o.values[i] != o.n);
		}
		bad += err != 0;
	}
	PLX_WRITE_ONCE(ch.stop, 1);
	pthread_join(t, &n);
	CHECK_EQ(bad, 0);
	CHECK(seen >= 5000 && (uintptr_t)n > 1);
	plx_stats_detach(r);
	plx_stats_close(ch.s);
	folder_remove(&f);
}
