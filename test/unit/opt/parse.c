/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include "plx_log.h"
#include "plx_opt.h"
#include "unit.h"

static struct plx_opts *parsed(const char *text)
{
	struct plx_opts *o;

	if (plx_opts_parse(text, &o) != 0)
		UNIT_FAIL(plx_errmsg());
	CHECK_STR(plx_opts_text(o), text);
	return o;
}

/* That text is refused with exactly this message. */
static void refused(const char *text, const char *message)
{
	struct plx_opts *o = (struct plx_opts *)-1;

	plx_err_clear();
	CHECK_EQ(plx_opts_parse(text, &o), -EINVAL);
	CHECK(o == NULL);
	CHECK_STR(plx_errmsg(), message);
}

TEST(opt_parse, kind_address_options)
{
	struct plx_opts *o = parsed("pci:0000:03:00.0,isa=avx2,promisc,name=");

	CHECK_STR(plx_opts_kind(o), "pci");
	CHECK_STR(plx_opts_address(o), "0000:03:00.0");
	CHECK(plx_opts_has(o, "isa") && plx_opts_has(o, "promisc") && plx_opts_has(o, "name"));
	CHECK(!plx_opts_has(o, "is") && !plx_opts_has(o, "isa2") && !plx_opts_has(o, ""));
	CHECK_STR(plx_opts_take_str(o, "isa"), "avx2");
	CHECK_STR(plx_opts_take_str(o, "promisc"), "");
	CHECK_STR(plx_opts_take_str(o, "name"), "");
	CHECK(plx_opts_take_str(o, "other") == NULL);
	CHECK_EQ(plx_opts_finish(o), 0);
	plx_opts_free(o);
}

TEST(opt_parse, no_address)
{
	static const char *const texts[] = {"null:size=64", "null", "null:", "null:,size=64"};

	for (unsigned i = 0; i < PLX_ARRAY_SIZE(texts); i++) {
		struct plx_opts *o = parsed(texts[i]);

		CHECK_STR(plx_opts_kind(o), "null");
		CHECK_STR(plx_opts_address(o), "");
		CHECK_EQ(plx_opts_has(o, "size"), i == 0 || i == 3);
		plx_opts_free(o);
	}
}

TEST(opt_parse, kind_has_dashes)
{
	struct plx_opts *o = parsed("vfio-user_2:/run/a:b");

	CHECK_STR(plx_opts_kind(o), "vfio-user_2");
	CHECK_STR(plx_opts_address(o), "/run/a:b");
	plx_opts_free(o);
}

TEST(opt_parse, escapes)
{
	struct plx_opts *o = parsed("x:/a\\,b\\=c\\\\d,k\\=\\,\\\\=v\\,\\=\\\\w,p=a=b=c");

	CHECK_STR(plx_opts_address(o), "/a,b=c\\d");
	CHECK_STR(plx_opts_take_str(o, "k=,\\"), "v,=\\w");
	CHECK_STR(plx_opts_take_str(o, "p"), "a=b=c");
	CHECK_EQ(plx_opts_finish(o), 0);
	plx_opts_free(o);
}

TEST(opt_parse, escaped_equals_leaves_an_address)
{
	struct plx_opts *o = parsed("x:a\\=b");

	CHECK_STR(plx_opts_address(o), "a=b");
	CHECK(!plx_opts_has(o, "a"));
	plx_opts_free(o);
}

TEST(opt_parse, no_kind)
{
	refused("", "device string '' has no kind; it is written kind:address,key=value,...");
	refused(":", "device string ':' has no kind; it is written kind:address,key=value,...");
	refused(":a,b=c",
		"device string ':a,b=c' has no kind; it is written kind:address,key=value,...");
	refused("/dev/x",
		"device string '/dev/x' has no kind; it is written kind:address,key=value,...");
	refused("null,size=4",
		"device string 'null,size=4' has no kind; it is written kind:address,key=value,...");
	refused(" null:", "device string ' null:' has no kind; it is written "
			  "kind:address,key=value,...");
	refused("a\\b:x", "device string 'a\\b:x' has no kind; it is written "
			  "kind:address,key=value,...");
	refused(NULL, "device string is NULL");
}

TEST(opt_parse, key_is_empty)
{
	refused("a:=1", "device string 'a:=1': option 1 has no key");
	refused("a:x,", "device string 'a:x,': option 1 has no key");
	refused("a:,", "device string 'a:,': option 1 has no key");
	refused("a:x=1,,y=2", "device string 'a:x=1,,y=2': option 2 has no key");
	refused("a:x=1,=2", "device string 'a:x=1,=2': option 2 has no key");
}

TEST(opt_parse, key_is_repeated)
{
	refused("a:x=1,y,x=2", "device string 'a:x=1,y,x=2': option 'x' is given twice");
	refused("a:b,x,x", "device string 'a:b,x,x': option 'x' is given twice");
}

TEST(opt_parse, bad_escape)
{
	refused("a:b\\", "device string 'a:b\\' ends with a '\\'; write '\\\\' for one");
	refused("a:b=\\", "device string 'a:b=\\' ends with a '\\'; write '\\\\' for one");
	refused("a:b\\n", "device string 'a:b\\n': '\\' stands only before ',', '=' and '\\'; "
			  "write '\\\\' for one");
}

TEST(opt_parse, length_limit)
{
	char text[PLX_OPTS_TEXT_MAX + 2], want[256], start[81];
	struct plx_opts *o;

	memset(text, 'a', sizeof(text));
	memcpy(text, "k:", 2);
	text[PLX_OPTS_TEXT_MAX] = '\0';
	o = parsed(text);
	CHECK_EQ(strlen(plx_opts_address(o)), PLX_OPTS_TEXT_MAX - 2);
	plx_opts_free(o);
	text[PLX_OPTS_TEXT_MAX] = 'a';
	text[PLX_OPTS_TEXT_MAX + 1] = '\0';
	snprintf(start, sizeof(start), "%.80s", text);
	snprintf(want, sizeof(want), "device string '%s...' is longer than 4096 bytes", start);
	refused(text, want);
}

TEST(opt_parse, longest_of_separators)
{
	char text[PLX_OPTS_TEXT_MAX + 1];
	struct plx_opts *o;
	size_t n = 0;

	/* two-character options, as many different ones as fit: "k:" and 1365 times "\x01\x01," */
	n += (size_t)snprintf(text, sizeof(text), "k:address");
	for (unsigned i = 0; n + 4 <= PLX_OPTS_TEXT_MAX; i++) {
		text[n++] = ',';
		text[n++] = (char)('a' + i % 26);
		text[n++] = (char)('a' + i / 26 % 26);
		text[n++] = (char)('a' + i / 26 / 26 % 26);
	}
	text[n] = '\0';
	o = parsed(text);
	CHECK(plx_opts_has(o, "aaa") && plx_opts_has(o, "zab"));
	plx_opts_free(o);
}

TEST(opt_parse, bytes_are_bytes)
{
	struct plx_opts *o = parsed("k:\xff\x01,\xfe=\x80");

	CHECK_STR(plx_opts_address(o), "\xff\x01");
	CHECK_STR(plx_opts_take_str(o, "\xfe"), "\x80");
	plx_opts_free(o);
}

TEST(opt_parse, free_of_nothing)
{
	plx_opts_free(NULL);
	CHECK(true);
}
