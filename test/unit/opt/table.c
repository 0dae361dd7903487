/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include "plx_log.h"
#include "plx_opt.h"
#include "unit.h"

struct conf {
	uint32_t u32, guard;
	uint64_t u64, size, time;
	bool flag;
	const char *str;
	int speed;
};

static const char *const speeds[] = {"max", "real", NULL};

#define ROW(k, t, field, ...)                                                            \
	{                                                                                \
		.key = k, .type = t, .offset = offsetof(struct conf, field), __VA_ARGS__ \
	}

static const struct plx_opt_def table[] = {
	ROW("u32", PLX_OPT_U32, u32, .min = 2, .max = 10),
	ROW("u64", PLX_OPT_U64, u64, .min = 0),
	ROW("size", PLX_OPT_SIZE, size, .min = 2048, .max = 1U << 30),
	ROW("flag", PLX_OPT_BOOL, flag, .min = 0),
	ROW("str", PLX_OPT_STR, str, .min = 0),
	ROW("speed", PLX_OPT_ENUM, speed, .names = speeds),
	ROW("time", PLX_OPT_TIME, time, .min = 1000, .max = 2000000000),
};

static const struct plx_opt_def wide[] = {
	ROW("w32", PLX_OPT_U32, u32, .min = 0),
	ROW("w64", PLX_OPT_U64, u64, .min = 5),
	ROW("big", PLX_OPT_U32, u32, .max = UINT64_MAX),
	ROW("wsize", PLX_OPT_SIZE, size, .min = 0),
	ROW("odd", PLX_OPT_SIZE, size, .min = 1000, .max = 3U << 20),
	ROW("wtime", PLX_OPT_TIME, time, .min = 1500000),
};

static struct plx_opts *parsed(const char *text)
{
	struct plx_opts *o;

	if (plx_opts_parse(text, &o) != 0)
		UNIT_FAIL(plx_errmsg());
	return o;
}

#define APPLY(o, defs, c) plx_opts_apply(o, defs, PLX_ARRAY_SIZE(defs), c)

TEST(opt_table, fills_each_type)
{
	struct plx_opts *o = parsed(
		"k:a,u32=7,u64=0xffffffffff,size=4k,flag=yes,str=in.pcap,speed=real,time=10us");
	struct conf c = {.guard = 0xabcd};

	CHECK_EQ(APPLY(o, table, &c), 0);
	CHECK_EQ(c.u32, 7);
	CHECK_EQ(c.guard, 0xabcd);
	CHECK_EQ(c.u64, 0xffffffffff);
	CHECK_EQ(c.size, 4096);
	CHECK_EQ(c.flag, 1);
	CHECK_STR(c.str, "in.pcap");
	CHECK_EQ(c.speed, 1);
	CHECK_EQ(c.time, 10000);
	CHECK_EQ(plx_opts_finish(o), 0);
	plx_opts_free(o);
}

TEST(opt_table, leaves_defaults_of_what_is_not_given)
{
	struct plx_opts *o = parsed("k:flag=off");
	struct conf c = {1, 2, 3, 4, 5, true, "d", 1};

	CHECK_EQ(APPLY(o, table, &c), 0);
	CHECK(c.u32 == 1 && c.u64 == 3 && c.size == 4 && c.time == 5 && c.speed == 1);
	CHECK_STR(c.str, "d");
	CHECK(!c.flag);
	plx_opts_free(o);
}

TEST(opt_table, key_alone_is_true)
{
	struct plx_opts *o = parsed("k:a,flag");
	struct conf c = {0};

	CHECK_EQ(APPLY(o, table, &c), 0);
	CHECK(c.flag);
	plx_opts_free(o);
}

TEST(opt_table, range_is_inclusive)
{
	static const char *const good[] = {"k:u32=2", "k:u32=10", "k:size=2k", "k:size=1g",
		"k:time=1us", "k:time=2s", "k:str="};

	for (unsigned i = 0; i < PLX_ARRAY_SIZE(good); i++) {
		struct plx_opts *o = parsed(good[i]);
		struct conf c;

		CHECK_EQ(APPLY(o, table, &c), 0);
		plx_opts_free(o);
	}
}

static void refused(
	const char *text, const struct plx_opt_def *defs, size_t n, int want, const char *message)
{
	struct plx_opts *o = parsed(text);
	struct conf c, before;

	memset(&c, 0x5a, sizeof(c));
	before = c;
	plx_err_clear();
	CHECK_EQ(plx_opts_apply(o, defs, n, &c), want);
	CHECK_STR(plx_errmsg(), message);
	CHECK(memcmp(&c, &before, sizeof(c)) == 0);
	plx_opts_free(o);
}

#define REFUSED(text, defs, want, message) refused(text, defs, PLX_ARRAY_SIZE(defs), want, message)

TEST(opt_table, number_out_of_range)
{
	REFUSED("k:u32=1", table, -ERANGE,
		"k:u32=1: option 'u32' is '1': it must be a whole number from 2 to 10");
	REFUSED("k:u32=11", table, -ERANGE,
		"k:u32=11: option 'u32' is '11': it must be a whole number from 2 to 10");
	REFUSED("k:u32=99999999999999999999", table, -ERANGE,
		"k:u32=99999999999999999999: option 'u32' is '99999999999999999999': it must be a "
		"whole number from 2 to 10");
	REFUSED("k:w32=4294967296", wide, -ERANGE,
		"k:w32=4294967296: option 'w32' is '4294967296': it must be a whole number from 0 "
		"to 4294967295");
	REFUSED("k:big=4294967296", wide, -ERANGE,
		"k:big=4294967296: option 'big' is '4294967296': it must be a whole number from 0 "
		"to 4294967295");
	REFUSED("k:w64=4", wide, -ERANGE,
		"k:w64=4: option 'w64' is '4': it must be a whole number of at least 5");
}

TEST(opt_table, size_out_of_range)
{
	REFUSED("k:size=2047", table, -ERANGE,
		"k:size=2047: option 'size' is '2047': it must be a size (a number with k, m, g or "
		"nothing after it) from 2k to 1g");
	REFUSED("k:odd=4m", wide, -ERANGE,
		"k:odd=4m: option 'odd' is '4m': it must be a size (a number with k, m, g or "
		"nothing after it) from 1000 to 3m");
	REFUSED("k:wsize=17179869184g", wide, -ERANGE,
		"k:wsize=17179869184g: option 'wsize' is '17179869184g': it must be a size (a "
		"number with k, m, g or nothing after it)");
}

TEST(opt_table, time_out_of_range)
{
	REFUSED("k:time=999ns", table, -ERANGE,
		"k:time=999ns: option 'time' is '999ns': it must be a time (a number with ns, us, "
		"ms or s after it) from 1us to 2s");
	REFUSED("k:wtime=0", wide, -ERANGE,
		"k:wtime=0: option 'wtime' is '0': it must be a time (a number with ns, us, ms or "
		"s after it) of at least 1500us");
}

TEST(opt_table, value_of_another_type)
{
	REFUSED("k:u32=x", table, -EINVAL,
		"k:u32=x: option 'u32' is 'x': it must be a whole number from 2 to 10");
	REFUSED("k:u32=", table, -EINVAL,
		"k:u32=: option 'u32' is '': it must be a whole number from 2 to 10");
	REFUSED("k:u64=1k", table, -EINVAL,
		"k:u64=1k: option 'u64' is '1k': it must be a whole number");
	REFUSED("k:flag=maybe", table, -EINVAL,
		"k:flag=maybe: option 'flag' is 'maybe': it must be on or off");
	REFUSED("k:speed=fast", table, -EINVAL,
		"k:speed=fast: option 'speed' is 'fast': it must be one of max, real");
	REFUSED("k:speed=MAX", table, -EINVAL,
		"k:speed=MAX: option 'speed' is 'MAX': it must be one of max, real");
}

TEST(opt_table, value_is_missing)
{
	REFUSED("k:,u32", table, -EINVAL,
		"k:,u32: option 'u32' needs a value: a whole number from 2 to 10");
	REFUSED("k:,str", table, -EINVAL, "k:,str: option 'str' needs a value: a text");
	REFUSED("k:,speed", table, -EINVAL,
		"k:,speed: option 'speed' needs a value: one of max, real");
}

TEST(opt_table, type_or_names_that_the_table_lacks)
{
	static const struct plx_opt_def bad[] = {
		ROW("t", (enum plx_opt_type)99, u32, .min = 0),
		ROW("e", PLX_OPT_ENUM, speed, .names = NULL),
	};

	REFUSED("k:e=x", bad, -EINVAL, "k:e=x: option 'e' is 'x': it must be one of");
	{
		struct plx_opts *o = parsed("k:t=1");
		struct conf c;

		CHECK_EQ(APPLY(o, bad, &c), -EINVAL);
		plx_opts_free(o);
	}
}

TEST(opt_table, unknown_option_names_the_known_and_the_nearest)
{
	struct plx_opts *o = parsed("k:a,u32=3,sped=max");
	struct conf c;

	CHECK_EQ(APPLY(o, table, &c), 0);
	CHECK_EQ(plx_opts_finish(o), -EINVAL);
	CHECK_STR(plx_errmsg(),
		"k:a,u32=3,sped=max: unknown option 'sped' (did you mean 'speed'?); known are: u32, "
		"u64, size, flag, str, speed, time");
	plx_opts_free(o);
}

TEST(opt_table, several_tables)
{
	struct plx_opts *o = parsed("k:u32=3,w64=6,x=,lop");
	struct conf c;

	CHECK_EQ(APPLY(o, table, &c), 0);
	CHECK_EQ(plx_opts_finish(o), -EINVAL);
	CHECK_HAS(plx_errmsg(), "unknown option 'w64' (did you mean 'u64'?); known are: u32");
	CHECK_EQ(APPLY(o, wide, &c), 0);
	CHECK_EQ(c.u64, 6);
	CHECK_STR(plx_opts_take_str(o, "x"), "");
	CHECK(plx_opts_take_str(o, "loop") == NULL);
	CHECK(plx_opts_take_str(o, "loop") == NULL); /* is listed once */
	CHECK_EQ(plx_opts_finish(o), -EINVAL);
	CHECK_STR(plx_errmsg(),
		"k:u32=3,w64=6,x=,lop: unknown option 'lop' (did you mean 'loop'?); known are: u32, "
		"u64, size, flag, str, speed, time, w32, w64, big, wsize, odd, wtime, x, loop");
	plx_opts_free(o);
}

TEST(opt_table, nothing_known)
{
	struct plx_opts *o = parsed("k:a,b=1");

	CHECK_EQ(plx_opts_finish(o), -EINVAL);
	CHECK_STR(plx_errmsg(), "k:a,b=1: unknown option 'b'; it has no options");
	plx_opts_free(o);
}

/* The suggestion for a key when one other is known. */
static const char *suggestion(const char *key, const char *known)
{
	static char text[64];
	struct plx_opts *o;
	const char *p;

	snprintf(text, sizeof(text), "k:,%s", key);
	o = parsed(text);
	plx_opts_take_str(o, known);
	CHECK_EQ(plx_opts_finish(o), -EINVAL);
	plx_opts_free(o);
	p = strstr(plx_errmsg(), "did you mean '");
	return p != NULL ? p + strlen("did you mean '") : "";
}

TEST(opt_table, what_is_near)
{
	CHECK_HAS(suggestion("lop", "loop"), "loop'?");
	CHECK_HAS(suggestion("looop", "loop"), "loop'?");
	CHECK_HAS(suggestion("lopo", "loop"), "loop'?");
	CHECK_HAS(suggestion("olpo", "loop"), "loop'?");
	CHECK_HAS(suggestion("sx", "rx"), "rx'?");
	CHECK_STR(suggestion("tx", "r"), "");
	CHECK_STR(suggestion("ab", "rx"), "");
	CHECK_STR(suggestion("l", "loop"), "");
	CHECK_STR(suggestion("preload", "loop"), "");
	CHECK_STR(
		suggestion("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
		"");
	CHECK_HAS(suggestion("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
		"aaa'?");
}

TEST(opt_table, long_texts_are_shortened)
{
	char text[2000], key[1000];
	struct plx_opts *o;

	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	snprintf(text, sizeof(text), "x:%s=1", key);
	o = parsed(text);
	plx_opts_take_str(o, "known");
	CHECK_EQ(plx_opts_finish(o), -EINVAL);
	CHECK_HAS(plx_errmsg(), "kkk...: unknown option 'kkk");
	CHECK_HAS(plx_errmsg(), "kkk...'; known are: known");
	plx_opts_free(o);
}

TEST(opt_table, strings_are_owned_by_opts)
{
	char text[] = "k:addr,str=value";
	struct plx_opts *o = parsed(text);
	struct conf c;

	memset(text, 'x', sizeof(text) - 1);
	CHECK_EQ(APPLY(o, table, &c), 0);
	CHECK_STR(c.str, "value");
	CHECK_STR(plx_opts_address(o), "addr");
	CHECK_STR(plx_opts_text(o), "k:addr,str=value");
	plx_opts_free(o);
}
