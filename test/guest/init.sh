#!/bin/busybox sh
# SPDX-License-Identifier: BSD-3-Clause
# /init of the guest: makes the host's root, under a layer of memory, the guest's root, with /proc,
# /sys, /dev, /run and /tmp of the guest's own, and hands over to agent.sh. plx.show= on the kernel's
# command line names the host's folders to show at their own paths, as the guest's /tmp hides the host's;
# plx.src=, plx.build= and plx.modules= the folders to show as /src, /build and the kernel's modules.
b=/bin/busybox

$b mount -t proc proc /proc
$b mount -t sysfs sysfs /sys
$b mount -t devtmpfs dev /dev
while read -r module; do
	$b insmod "/modules/$module" || echo "guest: no module $module"
done </modules/order

share() { # TAG WHERE OPTIONS
	$b mount -t 9p -o "trans=virtio,version=9p2000.L,msize=512000,$3" "$1" "$2" && return
	echo "guest: $1 cannot be mounted"
	$b poweroff -f
}

share host /host ro,cache=loose
$b mount -t tmpfs -o mode=755 tmpfs /rw
$b mkdir /rw/upper /rw/work
$b mount -t overlay -o "lowerdir=/host,upperdir=/rw/upper,workdir=/rw/work,xino=off" overlay /root || $b poweroff -f
for name in tmp run; do
	$b mkdir -p "/root/$name"
	$b mount -t tmpfs -o mode=1777 tmpfs "/root/$name"
done
for name in proc sys dev host; do
	$b mkdir -p "/root/$name"
	$b mount --move "/$name" "/root/$name"
done
$b mkdir -p /root/dev/pts /root/dev/shm /root/dev/hugepages /root/run/lock /root/result
$b mount -t devpts devpts /root/dev/pts
$b mount -t tmpfs -o mode=1777 tmpfs /root/dev/shm
share result /root/result cache=none

at() { # FOLDER WHERE
	$b mkdir -p "/root$2" && $b mount --bind "/root/host$1" "/root$2"
}

for word in $($b cat /root/proc/cmdline); do
	case $word in
	plx.show=*) at "${word#*=}" "${word#*=}" ;;
	plx.src=*) at "${word#*=}" /src ;;
	plx.build=*) at "${word#*=}" /build ;;
	plx.modules=*) at "${word#*=}" /lib/modules ;;
	esac
done
$b ifconfig lo 127.0.0.1
exec $b switch_root /root /bin/sh /src/test/guest/agent.sh
