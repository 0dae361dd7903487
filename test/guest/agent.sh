#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Process 1 of the guest: runs the commands that guest.py sends, one after the other. A line from the
# port names a file of /result/.plx and the seconds it may take; what the command prints goes to the port, and at
# the end a line with the mark of the boot and the status.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LC_ALL=C.UTF-8
cd /
for name in /sys/class/virtio-ports/*/name; do
	[ "$(cat "$name")" = plx ] || continue
	port=/dev/$(basename "$(dirname "$name")")
	exec 3<>"$port"
done
exec </dev/null
read -r mark </result/.plx/mark
dmesg >/result/.plx/boot.log
dmesg -n 7 # from here on the console, which is the log that is kept, has everything
echo "$mark ready" >&3
while read -r file seconds <&3; do
	timeout -k 5 "$seconds" sh "/result/.plx/$file" >&3 2>&1 3>&-
	echo "$mark $?" >&3
done
