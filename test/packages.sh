#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# packages.sh GROUP...: installs what is missing of the groups in packages.txt (Debian, as root).
# Elsewhere, or not as root, it only says what is missing. Always 0: whoever needs a missing tool
# says so himself.
set -u
list=$(dirname "$0")/packages.txt

missing=
for group in "$@"; do
	while read -r in_group package; do
		[ "$in_group" = "$group" ] || continue
		dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
			missing="$missing $package"
	done <"$list"
done

if [ -z "$missing" ]; then
	exit 0
elif ! command -v apt-get >/dev/null; then
	echo "packages: no apt-get here; on Debian 12 these are used:$missing"
elif [ "$(id -u)" != 0 ]; then
	echo "packages: missing:$missing"
	echo "packages: not root, so not installed; as root: apt-get install$missing"
else
	echo "packages: installing$missing"
	export DEBIAN_FRONTEND=noninteractive
	log=$(mktemp)
	# shellcheck disable=SC2086  # a list of words
	if apt-get -q update >"$log" 2>&1 &&
		apt-get -q -y --no-install-recommends install $missing >>"$log" 2>&1; then
		echo "packages: done"
	else
		tail -n 15 "$log"
		echo "packages: apt-get failed; going on with what is there"
	fi
	rm -f "$log"
fi
exit 0
