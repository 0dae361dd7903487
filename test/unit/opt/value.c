/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include "plx_log.h"
#include "plx_opt.h"
#include "unit.h"

#define BAD_U64  " is not a whole number"
#define BAD_SIZE " is not a size: a number with k, m, g or nothing after it"
#define BAD_TIME " is not a time: a number with ns, us, ms or s after it"

struct row {
	const char *text;
	int result;
	uint64_t value;
};

static void check_rows(
	int (*parse)(const char *, uint64_t *), const char *bad, const struct row *row, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t v = 77;
		char what[256];
		int err;

		plx_err_clear();
		err = parse(row[i].text, &v);
		snprintf(what, sizeof(what), "'%s': %d %llu '%s'", row[i].text, err,
			(unsigned long long)v, plx_errmsg());
		if (err != row[i].result || (err == 0 && v != row[i].value) ||
			(err != 0 && v != 77))
			UNIT_FAIL(what);
		snprintf(what, sizeof(what), "'%s'%s", row[i].text,
			err == -ERANGE ? " is too large: it does not fit 64 bits" : bad);
		CHECK_STR(plx_errmsg(), err == 0 ? "" : what);
	}
}

TEST(opt_value, numbers)
{
	static const struct row rows[] = {
		{"0", 0, 0},
		{"7", 0, 7},
		{"010", 0, 10},
		{"0x0", 0, 0},
		{"0xfF", 0, 255},
		{"0X10", 0, 16},
		{"18446744073709551615", 0, UINT64_MAX},
		{"0xffffffffffffffff", 0, UINT64_MAX},
		{"000000000000000000000000000001", 0, 1},
		{"18446744073709551616", -ERANGE, 0},
		{"0x10000000000000000", -ERANGE, 0},
		{"99999999999999999999999", -ERANGE, 0},
		{"99999999999999999999999x", -EINVAL, 0},
		{"", -EINVAL, 0},
		{"-1", -EINVAL, 0},
		{"+1", -EINVAL, 0},
		{" 1", -EINVAL, 0},
		{"1 ", -EINVAL, 0},
		{"1k", -EINVAL, 0},
		{"0x", -EINVAL, 0},
		{"x1", -EINVAL, 0},
		{"1.5", -EINVAL, 0},
		{"ff", -EINVAL, 0},
		{"0b1", -EINVAL, 0},
	};

	check_rows(plx_parse_u64, BAD_U64, rows, PLX_ARRAY_SIZE(rows));
}

TEST(opt_value, sizes)
{
	static const struct row rows[] = {
		{"0", 0, 0},
		{"0g", 0, 0},
		{"12", 0, 12},
		{"1k", 0, 1024},
		{"2K", 0, 2048},
		{"3m", 0, 3U << 20},
		{"3M", 0, 3U << 20},
		{"4g", 0, 4ULL << 30},
		{"0x10k", 0, 16384},
		{"17179869183g", 0, 17179869183ULL << 30},
		{"17179869184g", -ERANGE, 0},
		{"18446744073709551615k", -ERANGE, 0},
		{"18446744073709551616k", -ERANGE, 0},
		{"", -EINVAL, 0},
		{"k", -EINVAL, 0},
		{"1kb", -EINVAL, 0},
		{"1 k", -EINVAL, 0},
		{"1.5g", -EINVAL, 0},
		{"1t", -EINVAL, 0},
		{"-1k", -EINVAL, 0},
	};

	check_rows(plx_parse_size, BAD_SIZE, rows, PLX_ARRAY_SIZE(rows));
}

TEST(opt_value, times)
{
	static const struct row rows[] = {
		{"0", 0, 0},
		{"0s", 0, 0},
		{"5ns", 0, 5},
		{"10us", 0, 10000},
		{"5ms", 0, 5000000},
		{"2s", 0, 2000000000},
		{"2S", 0, 2000000000},
		{"18446744073s", 0, 18446744073000000000ULL},
		{"18446744074s", -ERANGE, 0},
		{"", -EINVAL, 0},
		{"5", -EINVAL, 0},
		{"s", -EINVAL, 0},
		{"5 ms", -EINVAL, 0},
		{"5m", -EINVAL, 0},
		{"5min", -EINVAL, 0},
		{"-5s", -EINVAL, 0},
		{"0.5s", -EINVAL, 0},
	};

	check_rows(plx_parse_time, BAD_TIME, rows, PLX_ARRAY_SIZE(rows));
}

TEST(opt_value, bools)
{
	static const char *const on[] = {"on", "yes", "true", "1", "ON", "True"};
	static const char *const off[] = {"off", "no", "false", "0", "OFF", "No"};
	static const char *const bad[] = {"", "2", "01", "onn", "y", " on"};
	char want[128];
	bool b;

	for (unsigned i = 0; i < 6; i++) {
		b = false;
		CHECK_EQ(plx_parse_bool(on[i], &b), 0);
		CHECK(b);
		CHECK_EQ(plx_parse_bool(off[i], &b), 0);
		CHECK(!b);
		b = true;
		CHECK_EQ(plx_parse_bool(bad[i], &b), -EINVAL);
		CHECK(b);
		snprintf(want, sizeof(want), "'%s' is not on, off, yes, no, true, false, 1 or 0",
			bad[i]);
		CHECK_STR(plx_errmsg(), want);
	}
}

TEST(opt_value, long_text_is_shortened_in_the_message)
{
	char text[200], want[128];
	uint64_t v;

	memset(text, 'z', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	CHECK_EQ(plx_parse_u64(text, &v), -EINVAL);
	snprintf(want, sizeof(want), "'%.40s...'" BAD_U64, text);
	CHECK_STR(plx_errmsg(), want);
}
