#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# install.sh BUILD SOURCE PREFIX: installs the build to a temporary folder and uses it from outside
# as a program would, by pkg-config alone. Prints TAP.
set -u
build=$1 source=$2 prefix=$3
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
number=0 failed=0

check() { # TITLE COMMAND...
	local title=$1
	shift
	number=$((number + 1))
	if "$@" >"$work/output" 2>&1; then
		echo "ok $number - $title"
	else
		failed=$((failed + 1))
		echo "not ok $number - $title"
		tail -n 25 "$work/output" | sed 's/^/# /'
	fi
}

# flags shared|static: of the pkg-config file installed below $work/shared or $work/static.
flags() {
	local pc static=
	pc=$(find "$work/$1" -name pollux.pc)
	[ "$1" = static ] && static=--static
	PKG_CONFIG_PATH=${pc%/*} pkg-config --define-variable=prefix="$work/$1$prefix" \
		$static --cflags --libs pollux
}

# make shared|static COMPILER SOURCE PROGRAM [OPTION...]
make() {
	local kind=$1 compiler=$2 program=$4 options
	options=$(flags "$kind") || return 1
	# shellcheck disable=SC2086  # a list of words
	"$compiler" "${@:5}" -Wall -Wextra -Werror -o "$program" "$3" $options
}

run_shared() {
	local so
	so=$(find "$work/shared" -name 'libpollux.so.*' | head -n 1)
	LD_LIBRARY_PATH=${so%/*} "$@"
}

uses_shared() {
	readelf -d "$1" | grep 'NEEDED.*libpollux\.so\.0\]'
}

uses_no_shared() {
	! uses_shared "$1"
}

every_header_is_flat() {
	[ "$(find "$work/shared" -name '*.h' -path '*/include/pollux/*' | wc -l)" -gt 0 ] &&
		[ -z "$(find "$work/shared" -name '*.h' -not -path '*/include/pollux/*.h')" ]
}

has_man_page() {
	[ -n "$(find "$work/shared" -path "*/man/man1/$1.1*")" ]
}

# The smallest program there is: it needs the library and prints a text of it.
cat >"$work/small.c" <<'C'
#include <stdio.h>
#include "plx_log.h"
int main(void)
{
	printf("[%s]\n", plx_errmsg());
	return 0;
}
C
cp "$work/small.c" "$work/small.cpp"

check "meson install" meson install -C "$build" --no-rebuild --quiet --destdir "$work/shared"
cp -r "$work/shared" "$work/static" || exit 1
find "$work/static" -name 'libpollux.so*' -delete
check "headers are flat under include/pollux" every_header_is_flat

for language in c cpp; do
	compiler=cc
	[ $language = cpp ] && compiler=c++
	if ! command -v $compiler >/dev/null; then
		number=$((number + 1))
		echo "ok $number - $language # SKIP $compiler is not installed"
		continue
	fi
	for kind in shared static; do
		check "$language $kind: builds" make $kind $compiler "$work/small.$language" \
			"$work/small-$language-$kind"
	done
	check "$language shared: needs libpollux.so.0" uses_shared "$work/small-$language-shared"
	check "$language shared: runs" run_shared "$work/small-$language-shared"
	check "$language static: needs no libpollux.so" uses_no_shared "$work/small-$language-static"
	check "$language static: runs" "$work/small-$language-static"
done

for example in "$source"/examples/*/main.c; do
	[ -f "$example" ] || continue
	name=$(basename "$(dirname "$example")")
	check "example $name shared: builds" make shared cc "$example" "$work/$name-shared" -std=gnu11
	check "example $name static: builds" make static cc "$example" "$work/$name-static" -std=gnu11
done
check "example l2fwd shared: forwards" run_shared python3 -B "$source/test/install/l2fwd.py" \
	"$work/l2fwd-shared" "$source/test/data"
check "example l2fwd static: forwards" python3 -B "$source/test/install/l2fwd.py" \
	"$work/l2fwd-static" "$source/test/data"
for program in "$work/shared$prefix"/bin/plx-*; do
	[ -f "$program" ] || continue
	check "installed ${program##*/} --help" run_shared "$program" --help
	check "installed ${program##*/} has a man page" has_man_page "${program##*/}"
done
echo "1..$number"
exit $((failed != 0))
