/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Device strings through all of lib/opt: parsed, applied to a table with each type, finished. Beside
 * not crashing: what parses has a kind and every key once, and an error has a text.
 */
#include <stdlib.h>

#include "plx_log.h"
#include "plx_opt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct conf {
	uint32_t u32;
	uint64_t u64, size, time;
	bool flag;
	const char *str;
	int speed;
};

static const char *const speeds[] = {"max", "real", NULL};

#define ROW(k, t, field) .key = k, .type = t, .offset = offsetof(struct conf, field)

static const struct plx_opt_def table[] = {
	{ROW("u32", PLX_OPT_U32, u32), .min = 2, .max = 10},
	{ROW("u64", PLX_OPT_U64, u64)},
	{ROW("size", PLX_OPT_SIZE, size), .min = 2048, .max = 1U << 30},
	{ROW("flag", PLX_OPT_BOOL, flag)},
	{ROW("rx", PLX_OPT_STR, str)},
	{ROW("speed", PLX_OPT_ENUM, speed), .names = speeds},
	{ROW("time", PLX_OPT_TIME, time), .min = 1, .max = 1000000000},
};

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void use(struct plx_opts *o)
{
	struct conf c = {0};
	int err = plx_opts_apply(o, table, PLX_ARRAY_SIZE(table), &c);

	must(plx_opts_kind(o)[0] != '\0');
	must(err == 0 || plx_errmsg()[0] != '\0');
	if (err == 0) {
		must(c.u32 == 0 || (c.u32 >= 2 && c.u32 <= 10));
		must(c.size == 0 || (c.size >= 2048 && c.size <= 1U << 30));
		must(c.time <= 1000000000);
		must(c.str == NULL || strlen(c.str) <= PLX_OPTS_TEXT_MAX);
		must(c.speed == 0 || c.speed == 1);
	}
	must(strlen(plx_opts_address(o)) <= strlen(plx_opts_text(o)));
	plx_opts_take_str(o, "isa");
	err = plx_opts_finish(o);
	must(err == 0 || (err == -EINVAL && strstr(plx_errmsg(), "known are: ") != NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct plx_opts *o;
	uint64_t v;

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	plx_err_clear();
	if (plx_opts_parse(text, &o) == 0) {
		must(strcmp(plx_opts_text(o), text) == 0);
		use(o);
		plx_opts_free(o);
	} else {
		must(o == NULL && plx_errmsg()[0] != '\0');
	}
	plx_parse_u64(text, &v);
	plx_parse_size(text, &v);
	plx_parse_time(text, &v);
	free(text);
	return 0;
}
