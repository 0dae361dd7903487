/* SPDX-License-Identifier: BSD-3-Clause */
/* Contexts: options, what is closed in which order, what is left behind. */
#include <sys/wait.h>

#include "fakes.h"

TEST(ctx, opens_with_defaults)
{
	struct plx_ctx *ctx = NULL;

	CHECK_EQ(plx_ctx_open(NULL, &ctx), 0);
	CHECK(plx_ctx_fd(ctx) >= 0);
	CHECK_EQ(plx_ctx_poll(ctx), 0);
	CHECK_EQ(plx_ctx_isa(ctx), plx_isa_best());
	CHECK_EQ(plx_ctx_stall_ns(ctx), 2000000000);
	CHECK(plx_ctx_node(ctx) >= 0 && plx_ctx_node(ctx) < plx_node_count());
	CHECK(plx_ctx_stats(ctx) != NULL);
	CHECK(plx_ctx_log(ctx)->fn == plx_log_stderr);
	plx_ctx_close(ctx);
	plx_ctx_close(NULL);
}

TEST(ctx, isa_is_a_limit)
{
	struct plx_ctx_opts o = PLX_CTX_OPTS_INIT;
	struct plx_ctx *ctx;

	o.isa = PLX_ISA_SCALAR;
	CHECK_EQ(plx_ctx_open(&o, &ctx), 0);
	CHECK_EQ(plx_ctx_isa(ctx), PLX_ISA_SCALAR);
	plx_ctx_close(ctx);
}

static void refused(const struct plx_ctx_opts *o, const char *names)
{
	struct plx_ctx *ctx = NULL;

	CHECK_EQ(plx_ctx_open(o, &ctx), -EINVAL);
	CHECK(ctx == NULL);
	CHECK_HAS(plx_errmsg(), names);
}

TEST(ctx, refuses_options_out_of_range)
{
	struct plx_ctx_opts o;
	static const struct plx_ctx_opts good = PLX_CTX_OPTS_INIT;

	o = good, o.size = 0, refused(&o, "size");
	o = good, o.size = sizeof(o) + 8, refused(&o, "size");
	o = good, o.huge = (enum plx_huge)77, refused(&o, "huge");
	o = good, o.isa = (enum plx_isa)77, refused(&o, "isa");
	o = good, o.log_level = (enum plx_log_level)77, refused(&o, "log_level");
	o = good, o.node = 12345, refused(&o, "NUMA node 12345");
	o = good, o.node = -2, refused(&o, "NUMA node -2");
}

TEST(ctx, older_options_are_shorter)
{
	struct plx_ctx_opts o = PLX_CTX_OPTS_INIT;
	struct plx_ctx *ctx;

	o.size = offsetof(struct plx_ctx_opts, stats_path);
	o.stats_path = "/nonexistent/and/not/looked/at";
	CHECK_EQ(plx_ctx_open(&o, &ctx), 0);
	plx_ctx_close(ctx);
}

TEST(ctx, a_counters_file_that_cannot_be_is_an_error)
{
	struct plx_ctx_opts o = PLX_CTX_OPTS_INIT;
	struct plx_ctx *ctx = NULL;
	struct usage before = usage_now();

	o.stats_path = "/nonexistent/counters";
	CHECK_EQ(plx_ctx_open(&o, &ctx), -ENOENT);
	CHECK(ctx == NULL);
	CHECK_HAS(plx_errmsg(), "/nonexistent/counters");
	CHECK_USAGE(before);
}

static void open_use_close(bool thread)
{
	struct plx_ctx_opts o = PLX_CTX_OPTS_INIT;
	struct fake_domain dom = FAKE_DOMAIN("d");
	struct plx_arena *a;
	struct plx_ctx *ctx;
	struct plx_dma dma;

	o.control_thread = thread;
	CHECK_EQ(plx_ctx_open(&o, &ctx), 0);
	CHECK_EQ(plx_domain_add(ctx, &dom.d), 0);
	a = arena_new(ctx, 0);
	CHECK_EQ(plx_arena_alloc(a, 100, 64, &dma), 0);
	CHECK_EQ(plx_dma_alloc(&dom.d, 100, 64, &dma), 0);
	plx_dma_free(&dom.d, &dma);
	plx_domain_del(&dom.d);
	plx_ctx_close(ctx); /* with the arena */
	CHECK_EQ(dom.n + dom.wrong, 0);
}

static unsigned long address_space_mib(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;

	CHECK(f != NULL);
	CHECK_EQ(fscanf(f, "%lu", &pages), 1);
	fclose(f);
	return pages / (1024 * 1024 / plx_page_base());
}

TEST(ctx, a_thousand_leave_nothing)
{
	struct usage before;
	unsigned long mib;

	open_use_close(true);
	open_use_close(false);
	before = usage_now();
	mib = address_space_mib();
	for (unsigned i = 0; i < 1000; i++)
		open_use_close(i % 10 == 0);
	CHECK_USAGE(before);
	/* 1000 of the smallest mappings with their alignment would be 2000 MiB. */
	if (!unit_emulated())
		CHECK(address_space_mib() < mib + 200);
}

TEST(ctx, descriptors_close_on_exec)
{
	unsigned seen = 0;
	struct plx_ctx *ctx = ctx_open(PLX_HUGE_AUTO);
	struct plx_arena *a = arena_new(ctx, 4096);
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *d;

	while ((d = readdir(dir)) != NULL) {
		char path[300], target[256] = "";
		int fd = atoi(d->d_name);

		snprintf(path, sizeof(path), "/proc/self/fd/%.200s", d->d_name);
		if (readlink(path, target, sizeof(target) - 1) < 0)
			continue;
		if (strstr(target, "memfd:pollux") == NULL && strstr(target, "anon_inode") == NULL)
			continue;
		if (strstr(target, "memfd:pollux") != NULL || fd == plx_ctx_fd(ctx)) {
			CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
			seen++;
		}
	}
	closedir(dir);
	CHECK_EQ(seen, 2);
	plx_arena_destroy(a);
	plx_ctx_close(ctx);
}

TEST(ctx, a_child_process_does_not_inherit_memory)
{
	struct plx_arena *a;
	struct plx_ctx *ctx;
	int status = 0;
	pid_t pid;

	if (unit_emulated())
		SKIP("an emulator keeps madvise() to itself, or has mappings of its own");
	ctx = ctx_open(PLX_HUGE_AUTO);
	a = arena_new(ctx, 4096);
	CHECK_EQ(count_maps("pollux:"), 1);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		_exit(count_maps("pollux:") == 0 ? 0 : 1);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	plx_arena_destroy(a);
	plx_ctx_close(ctx);
}

/* ---- children and slots ---- */

static char order[16];

struct thing {
	struct plx_ctx_child child;
	struct plx_ctx *ctx;
	char name;
	struct thing *also;
};

static void close_thing(struct plx_ctx_child *child)
{
	struct thing *t = plx_container_of(child, struct thing, child);

	order[strlen(order)] = t->name;
	plx_ctx_child_del(t->ctx, child);
	if (t->also != NULL)
		close_thing(&t->also->child);
}

TEST(ctx, closes_what_is_open_newest_first)
{
	struct plx_ctx *ctx = ctx_open(PLX_HUGE_AUTO);
	struct thing t[5];

	memset(order, 0, sizeof(order));
	for (int i = 0; i < 5; i++) {
		t[i] = (struct thing){.ctx = ctx, .name = (char)('a' + i)};
		plx_ctx_child_add(ctx, &t[i].child, close_thing);
	}
	close_thing(&t[2].child); /* the program's own close, in the middle */
	t[4].also = &t[1];        /* one that closes another */
	plx_ctx_close(ctx);
	CHECK_STR(order, "cebda");
}

static unsigned freed;

static void free_slot(void *data)
{
	freed = freed * 10 + *(unsigned *)data;
}

TEST(ctx, slots_keep_one_pointer_a_key)
{
	static const char key_a, key_b;
	unsigned one = 1, two = 2;
	struct plx_ctx *ctx = ctx_open(PLX_HUGE_AUTO);

	freed = 0;
	CHECK(plx_ctx_slot(ctx, &key_a) == NULL);
	CHECK_EQ(plx_ctx_slot_set(ctx, &key_a, &one, free_slot), 0);
	CHECK_EQ(plx_ctx_slot_set(ctx, &key_b, &two, free_slot), 0);
	CHECK_EQ(plx_ctx_slot_set(ctx, &key_a, &two, free_slot), -EEXIST);
	CHECK(plx_ctx_slot(ctx, &key_a) == &one);
	CHECK(plx_ctx_slot(ctx, &key_b) == &two);
	CHECK_EQ(plx_ctx_slot_set(ctx, &key_a, NULL, NULL), 0);
	CHECK(plx_ctx_slot(ctx, &key_a) == NULL);
	CHECK_EQ(plx_ctx_slot_set(ctx, &key_a, NULL, NULL), 0);
	CHECK_EQ(plx_ctx_slot_set(ctx, &key_a, &one, free_slot), 0);
	CHECK_EQ(freed, 0);
	plx_ctx_close(ctx);
	CHECK_EQ(freed, 12); /* the newest first */
}
