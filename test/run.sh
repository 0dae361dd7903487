#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Installs what is missing (as root on Debian 12), builds, and runs the suites of the table below.
# The last line is `N passed, N failed, N skipped` in test cases; above it the suites that did not
# run, and why. Exit status 1 if a case failed or none passed.
set -u
cd "$(dirname "$0")/.." || exit 1
root=$PWD

# suite | minutes | when | commands it needs | what it is
suites() {
	cat <<'TABLE'
gcc      | 9 | default | gcc                    | gcc, warnings are errors; unit, fake, conformance
checks   | 2 | default | gcc                    | layers, format, symbols, text and the like
headers  | 1 | default | gcc                    | each public header alone, C11 and C++17
install  | 1 | default | gcc pkg-config         | an example built outside, against the installed library
netns    | 2 | default | gcc ip unshare         | network ports and real programs in namespaces of the tests' own
qtest    | 5 | default | gcc qemu-system-x86_64 | drivers against the device models of a stock QEMU
guest    | 8 | default | gcc qemu-system-x86_64 | VFIO and an IOMMU under a kernel of Debian's, emulated
clang    | 9 | default | clang                  | clang, warnings are errors; unit, fake, conformance
debug    | 4 | default | gcc                    | buildtype debug, no optional driver; unit, fake, conformance
asan     | 15 | default | gcc                    | AddressSanitizer and UBSan; unit, fake, conformance, qtest
tsan     | 4 | default | gcc                    | ThreadSanitizer; everything with threads
valgrind | 8 | default | gcc valgrind           | no leak, no invalid access; unit, fake, conformance
fuzz     | 2 | default | clang                  | each libFuzzer target, the same 100,000 inputs each time
arm64    | 4 | default | aarch64-linux-gnu-gcc qemu-aarch64-static apt-get dpkg-deb | cross build; unit tests under qemu-user
doc      | 1 | default | doxygen                | the API reference, warnings are errors
stress   | 30 | long   | gcc                    | what tsan runs, 34 times as often: hand-over 100,000 times
fuzz-long | 10 | long  | clang                  | each libFuzzer target for a minute
guest-long | 20 | long | gcc qemu-system-x86_64 | the same at length: 50 kills, the conformance suite, DPDK and kernels on the wire
bench    | 25 | long   | gcc                    | test/bench, beside DPDK where it is installed
TABLE
}

usage() {
	cat <<'TEXT'
usage: test/run.sh [--all] [--list] [--dir DIR] [SUITE...]
  --all      the long suites too
  --list     print the table of suites
  --dir DIR  where builds and logs go (default: build-test in the tree)
TEXT
}

# ---- what suites are made of; these run in a child, with $suite and $results set ----

result() { # pass|fail|skip NAME [WHY]
	printf '%s\t%s\t%s\n' "$1" "$2" "${3-}" >>"$results"
}

skip_suite() {
	echo "$1" >"$out/$suite.skipped"
	exit 0
}

# setup NAME [MESON ARGUMENT...]: $dir is $out/NAME, configured for this tree.
setup() {
	dir=$out/$1
	shift
	# A folder given by --dir may hold the builds of another tree.
	grep -qsF "\"source\": \"$root\"" "$dir/meson-info/meson-info.json" || rm -rf "$dir"
	if [ ! -f "$dir/build.ninja" ] && ! meson setup "$dir" "$root" -Dwerror=true "$@"; then
		rm -rf "$dir"
		result fail "$suite: meson setup"
		exit 1
	fi
}

# build NAME [MESON ARGUMENT...]: the same, with everything in it built, or the suite ends.
build() {
	setup "$@"
	make_targets
}

# make_targets [TARGET...]: builds them, all without any, or the suite ends.
make_targets() {
	if ! ninja -C "$dir" "$@"; then
		result fail "$suite: build"
		exit 1
	fi
}

# has SUITE: the build in $dir has tests of this meson suite.
has() {
	meson test -C "$dir" --no-rebuild --list --suite "$1" 2>/dev/null | grep -q ' / '
}

# run_tests 'SUITE...' [ARGUMENT...]: meson's tests of those suites of the build in $dir. What they
# need and is not built yet is built first.
run_tests() {
	local selected=() name
	for name in $1; do
		has "$name" && selected+=(--suite "$name")
	done
	shift
	[ ${#selected[@]} -gt 0 ] || skip_suite "the tree has no tests for it"
	rm -f "$dir/meson-logs/$suite"*.json
	# Stopped at the end of its minutes, a suite still counts what has run.
	trap 'python3 "$root/test/tally.py" "$results" "$dir/meson-logs/$suite"*.json; exit 143' TERM
	meson test -C "$dir" --logbase "$suite" --print-errorlogs "${selected[@]}" "$@"
	trap - TERM
	if ! compgen -G "$dir/meson-logs/$suite*.json" >/dev/null; then
		result fail "$suite: build"
		exit 1
	fi
	python3 "$root/test/tally.py" "$results" "$dir/meson-logs/$suite"*.json
}

# Files that a sanitizer left are failures, whatever the test's exit status was.
report_files() {
	local file
	for file in "$1".*; do
		[ -s "$file" ] || continue
		result fail "$suite: ${file##*/}" "$(grep -m1 -E 'ERROR|runtime error|WARNING|SUMMARY' "$file")"
		head -n 60 "$file"
	done
}

criterion_suites="unit fake conformance fuzz app"
plain_suites="plain-unit plain-fake plain-conformance"

suite_gcc() {
	build gcc
	run_tests "$criterion_suites"
}

suite_clang() {
	CC=clang build clang
	run_tests "$criterion_suites"
}

suite_debug() {
	build debug --buildtype=debug -Dpmd_pcap=disabled -Dpmd_e1000=disabled -Dpmd_vmxnet3=disabled \
		-Dpmd_af_packet=disabled -Dpmd_af_xdp=disabled -Dpmd_tap=disabled -Dshell=disabled
	run_tests "$criterion_suites"
}

suite_checks() {
	build gcc
	run_tests checks
}

suite_headers() {
	build gcc
	run_tests headers
}

suite_install() {
	build gcc
	run_tests install
}

suite_netns() {
	build gcc
	run_tests netns
}

suite_qtest() {
	build gcc
	run_tests qtest
}

suite_guest() {
	build gcc
	run_tests guest
}

suite_guest-long() {
	build gcc
	run_tests guest-long
}

suite_asan() {
	setup asan -Db_sanitize=address,undefined -Db_lundef=false -Dpool_debug=on \
		-Dc_args=-fno-sanitize-recover=undefined
	local logs=$out/asan-logs
	rm -rf "$logs" && mkdir -p "$logs"
	# Criterion's worker has sent its result when LeakSanitizer finds a leak: only a file tells.
	ASAN_OPTIONS=log_path=$logs/asan:detect_stack_use_after_return=1 \
		UBSAN_OPTIONS=print_stacktrace=1:log_path=$logs/ubsan \
		run_tests "$criterion_suites qtest" -t 4
	report_files "$logs/asan"
	report_files "$logs/ubsan"
}

# ThreadSanitizer needs the address space as it knows it; not every kernel gives it.
tsan_works() {
	echo 'int main(void) { return 0; }' >"$out/tsan.c"
	gcc -fsanitize=thread -o "$out/tsan.bin" "$out/tsan.c" && "$out/tsan.bin"
}

suite_tsan() {
	tsan_works || skip_suite "a program built with -fsanitize=thread does not run here"
	setup tsan -Db_sanitize=thread -Db_lundef=false
	TSAN_OPTIONS=second_deadlock_stack=1 run_tests threads -t 4
}

suite_stress() {
	# hand-over: 3,000 rounds by default, and 100,000 here; all others in proportion
	export UNIT_FACTOR=34
	tsan_works || skip_suite "a program built with -fsanitize=thread does not run here"
	setup tsan -Db_sanitize=thread -Db_lundef=false
	run_tests threads -t 0
}

suite_valgrind() {
	export UNIT_EMULATED=1
	build gcc
	run_tests "$plain_suites" -t 10 --wrapper "valgrind -q --leak-check=full --fair-sched=yes \
--show-leak-kinds=definite --errors-for-leak-kinds=definite --error-exitcode=9"
}

suite_arm64() {
	"$root/test/arm64/sysroot.sh" "$out/arm64-root" || skip_suite "$(tail -n 1 "$out/arm64-root/why")"
	setup arm64 --cross-file "$out/arm64-root/cross.txt"
	run_tests plain-unit -t 4
}

suite_doc() {
	setup doc -Ddocs=true -Dtests=false
	[ -f "$root/doc/Doxyfile" ] || skip_suite "there is no doc/Doxyfile"
	if ninja -C "$dir" doc; then
		result pass "doc: no warning"
	else
		result fail "doc: doxygen"
	fi
}

# fuzz OPTION...: every libFuzzer program, from its corpus and from what earlier long runs found.
fuzz() {
	CC=clang setup fuzz -Db_sanitize=address,undefined -Db_lundef=false \
		-Dc_args="-fsanitize=fuzzer-no-link -fno-sanitize-recover=undefined"
	local target found= name kept seeds words
	# shellcheck disable=SC2046  # one word a target
	make_targets $(ninja -C "$dir" -t targets all | sed -n 's,^\(test/fuzz/fuzz-[a-z0-9_]*\): .*,\1,p')
	for target in "$dir"/test/fuzz/fuzz-*; do
		[ -x "$target" ] && [ -f "$target" ] || continue
		found=yes name=${target##*/} kept=$out/$suite-corpus/${target##*/}
		seeds=$root/test/fuzz/corpus/${name#fuzz-} words=$root/test/fuzz/${name#fuzz-}.dict
		[ -d "$seeds" ] || seeds=
		[ -f "$words" ] || words=
		[ "$suite" = fuzz-long ] || rm -rf "$kept"
		mkdir -p "$kept"
		if "$target" "$@" -timeout=10 -rss_limit_mb=2048 -verbosity=0 ${words:+-dict="$words"} \
			-artifact_prefix="$kept-" "$kept" ${seeds:+"$seeds"}; then
			result pass "$name"
		else
			result fail "$name" "see $kept-*"
		fi
	done
	[ -n "$found" ] || skip_suite "the tree has no fuzzers, or clang has no libFuzzer"
}

suite_fuzz() {
	fuzz -seed=1 -runs=100000 -max_len=5000
}

suite_fuzz-long() {
	fuzz -max_total_time=60
}

suite_bench() {
	build bench -Dbenchmarks=true --buildtype=release
	rm -f "$dir/meson-logs/bench"*.json
	meson test -C "$dir" --no-rebuild --benchmark --logbase bench --verbose
	python3 "$root/test/tally.py" "$results" "$dir/meson-logs/bench"*.json
}

# ---- the run ----

count() { # KIND FILE...
	cat "${@:2}" 2>/dev/null | grep -c "^$1"$'\t'
}

run_suite() { # NAME MINUTES WHAT
	local name=$1 minutes=$2 started=$SECONDS status
	export out suite=$name results=$out/$name.results
	rm -f "$out/$name.results" "$out/$name.skipped"
	: >"$results"
	echo "==> $name: $3 (at most $minutes min)"
	timeout --kill-after=20 "${minutes}m" bash "$root/test/run.sh" --in-suite "$name" \
		>"$out/$name.log" 2>&1 </dev/null &
	child=$!
	wait "$child"
	status=$?
	child=
	if [ $status = 124 ] || [ $status = 137 ]; then
		result fail "$name: stopped after its $minutes minutes"
	elif [ -f "$out/$name.skipped" ]; then
		result skip "$name" "$(cat "$out/$name.skipped")"
	elif [ ! -s "$results" ]; then
		result fail "$name: nothing ran"
	fi
	printf '<== %s: %d passed, %d failed, %d skipped, %d s\n' "$name" "$(count pass "$results")" \
		"$(count fail "$results")" "$(count skip "$results")" $((SECONDS - started))
	grep "^fail"$'\t' "$results" | sed 's/^fail\t/    failed: /; s/\t\(..*\)$/: \1/; s/\t$//'
	if grep -q "^fail"$'\t' "$results"; then
		echo "    log: $out/$name.log"
		[ -z "${CI-}" ] || tail -n 60 "$out/$name.log"
	fi
}

missing_command() {
	local command
	for command in $1; do
		command -v "$command" >/dev/null || { echo "$command"; return 0; }
	done
	return 1
}

main() {
	local all= wanted=() out=$root/build-test started=$SECONDS child=
	trap '[ -z "$child" ] || kill "$child"; exit 130' INT TERM
	while [ $# -gt 0 ]; do
		case $1 in
		--all) all=yes ;;
		--list) suites; exit 0 ;;
		--dir) shift; out=$(realpath -m -- "${1:?--dir needs a folder}") ;;
		-h | --help) usage; exit 0 ;;
		-*) usage >&2; exit 2 ;;
		*)
			suites | grep -q "^$1 *|" || { echo "run.sh: no suite '$1'; --list names them" >&2; exit 2; }
			wanted+=("$1")
			;;
		esac
		shift
	done
	mkdir -p "$out" || exit 1
	rm -f "$out"/*.results "$out"/*.skipped
	export PLX_QEMU_CACHE=$out/qemu # one download for all builds
	"$root/test/packages.sh" build test ${all:+long}

	local ran=() not_run=() name minutes when needs what lacking
	while IFS='|' read -r name minutes when needs what; do
		name=${name// /} minutes=${minutes// /} when=${when// /} what=${what# }
		if [ ${#wanted[@]} -gt 0 ]; then
			[[ " ${wanted[*]} " = *" $name "* ]] || continue
		elif [ "$when" = long ] && [ -z "$all" ]; then
			not_run+=("$name: a long one: --all, or name it")
			continue
		fi
		if lacking=$(missing_command "python3 meson ninja $needs"); then
			printf 'skip\t%s\t%s\n' "$name" "$lacking is not installed" >"$out/$name.results"
			echo "$lacking is not installed" >"$out/$name.skipped"
			echo "--- $name: skipped: $lacking is not installed"
		else
			run_suite "$name" "$minutes" "$what"
		fi
		ran+=("$name")
		[ ! -f "$out/$name.skipped" ] || not_run+=("$name: $(cat "$out/$name.skipped")")
	done < <(suites)
	report
}

report() {
	local files=() passed failed skipped
	echo
	printf '%-10s %8s %8s %8s\n' suite passed failed skipped
	for name in "${ran[@]}"; do
		files+=("$out/$name.results")
		printf '%-10s %8d %8d %8d\n' "$name" "$(count pass "$out/$name.results")" \
			"$(count fail "$out/$name.results")" "$(count skip "$out/$name.results")"
	done
	passed=$(count pass "${files[@]}") failed=$(count fail "${files[@]}")
	skipped=$(count skip "${files[@]}")
	if [ "$skipped" -gt 0 ]; then
		echo "skipped cases:"
		cat "${files[@]}" | awk -F '\t' '$1 == "skip" { n[$3]++ } END { for (w in n) printf "  %d: %s\n", n[w], w }'
	fi
	echo "$((SECONDS - started)) s; logs in $out"
	if [ ${#not_run[@]} -gt 0 ]; then
		echo "suites that did not run:"
		printf '  %s\n' "${not_run[@]}"
	fi
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}

if [ "${1-}" = --in-suite ]; then
	"suite_$2"
else
	main "$@"
fi
