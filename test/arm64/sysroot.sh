#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# sysroot.sh DIR: makes DIR/root, the arm64 libraries that Pollux needs, and DIR/cross.txt, the
# meson cross file for it. Packages are downloaded with lists and caches of their own, and only
# unpacked: the machine's package database does not learn about it (a foreign architecture added
# there would remove the native libcriterion-dev). On failure the last line of DIR/why says why.
set -u
dir=$(realpath -m "$1")
packages="libc6 libnuma-dev libhugetlbfs-dev libpcap-dev libjson-c-dev"
mkdir -p "$dir" || exit 1

fail() {
	echo "$1" | tee -a "$dir/why" >&2
	exit 1
}

apt_arm64() {
	local sources=/etc/apt/sources.list.d/debian.sources
	[ -f $sources ] || sources=/etc/apt/sources.list
	mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial"
	touch "$dir/apt/status" # no package is installed; the lock lies beside this file
	apt-get -q -y -o APT::Architecture=arm64 -o APT::Architectures=arm64 \
		-o Dir::State="$dir/apt" -o Dir::State::lists="$dir/apt/lists" \
		-o Dir::State::status="$dir/apt/status" -o Dir::Cache="$dir/apt/cache" \
		-o Dir::Etc::sourcelist="$sources" -o Dir::Etc::sourceparts=- \
		-o APT::Sandbox::User= -o Acquire::Languages=none "$@"
}

unpack() {
	local package
	rm -rf "$dir/root.new" && mkdir "$dir/root.new"
	for package in "$dir"/apt/cache/archives/*.deb; do
		case ${package##*/} in
		libc6-dev_* | linux-libc-dev_*) continue ;; # the cross compiler has its own
		esac
		dpkg-deb -x "$package" "$dir/root.new" || return 1
	done
	rm -rf "$dir/root" && mv "$dir/root.new" "$dir/root"
}

if [ ! -d "$dir/root" ] || [ "$(cat "$dir/packages" 2>/dev/null)" != "$packages" ]; then
	apt_arm64 update || fail "arm64: apt-get update failed"
	# shellcheck disable=SC2086  # a list of words
	apt_arm64 install --download-only --no-install-recommends $packages ||
		fail "arm64: the arm64 packages ($packages) cannot be downloaded"
	unpack || fail "arm64: the arm64 packages cannot be unpacked"
	echo "$packages" >"$dir/packages"
fi

lib=$dir/root/usr/lib/aarch64-linux-gnu
cat >"$dir/cross.txt" <<TEXT
[binaries]
c = 'aarch64-linux-gnu-gcc'
ar = 'aarch64-linux-gnu-ar'
strip = 'aarch64-linux-gnu-strip'
pkgconfig = 'pkg-config'
exe_wrapper = ['$(realpath "$(dirname "$0")/emulate.sh")', '$dir/root']

[properties]
pkg_config_libdir = '$lib/pkgconfig'
sys_root = '$dir/root'

[built-in options]
c_args = ['-isystem', '$dir/root/usr/include/aarch64-linux-gnu', '-isystem', '$dir/root/usr/include']
c_link_args = ['-L$lib', '-Wl,-rpath-link=$lib:$dir/root/lib/aarch64-linux-gnu']

[host_machine]
system = 'linux'
cpu_family = 'aarch64'
cpu = 'aarch64'
endian = 'little'
TEXT
