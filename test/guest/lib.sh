# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# What scripts in the guest begin with; guest.py reads it in before each.

# bind BDF [DRIVER]: the device belongs to vfio-pci (or DRIVER) from now on.
bind() {
	_driver=${2:-vfio-pci}
	[ "$(driver "$1")" != "$_driver" ] || return 0
	[ -e "/sys/bus/pci/drivers/$_driver" ] || modprobe "$_driver" || return 1
	[ ! -e "/sys/bus/pci/devices/$1/driver" ] || echo "$1" >"/sys/bus/pci/devices/$1/driver/unbind"
	echo "$_driver" >"/sys/bus/pci/devices/$1/driver_override"
	echo "$1" >/sys/bus/pci/drivers_probe
	[ "$(driver "$1")" = "$_driver" ]
}

# driver BDF: the name of its driver, or none.
driver() {
	basename "$(readlink "/sys/bus/pci/devices/$1/driver" || echo none)"
}

# group BDF: the number of its IOMMU group, or none.
group() {
	basename "$(readlink "/sys/bus/pci/devices/$1/iommu_group" || echo none)"
}

# give BDF...: each belongs to vfio-pci, and its group to nobody.
give() {
	for _bdf in "$@"; do
		bind "$_bdf" && chown nobody "/dev/vfio/$(group "$_bdf")" || return 1
	done
}

# $nobody COMMAND...: as an ordinary user, who has no capability and can get none. With & $! is its process.
# shellcheck disable=SC2034  # for the scripts
nobody="setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all"

# as_nobody COMMAND...: the same. MEMLOCK: KiB of memory that may be locked, otherwise what the kernel gives (8 MiB).
as_nobody() {
	(
		[ -z "${MEMLOCK-}" ] || ulimit -l "$MEMLOCK" || exit 1
		# shellcheck disable=SC2086  # words
		exec $nobody "$@"
	)
}

# opened PID: waits until the process has opened an IOMMU group.
opened() {
	while ! ls -l "/proc/$1/fd" 2>/dev/null | grep -q '/dev/vfio/[0-9]'; do
		[ -e "/proc/$1" ] || return 1
		sleep 0.1
	done
}

# hugepages N: so many of 2 MiB.
hugepages() {
	echo "$1" >/proc/sys/vm/nr_hugepages
	[ "$(cat /proc/sys/vm/nr_hugepages)" = "$1" ]
}

# meminfo NAME: the value of this line of /proc/meminfo.
meminfo() {
	awk -v name="$1:" '$1 == name { print $2 }' /proc/meminfo
}

# master BDF: 1 if the device may access memory, 0 if not (PCI Local Bus 3.0, 6.2.2).
master() {
	echo $(($(od -An -tu2 -j4 -N2 "/sys/bus/pci/devices/$1/config") >> 2 & 1))
}

# pinned: pages that are held for devices. CPUs keep parts of the counters for themselves until they are asked.
pinned() {
	cat /proc/sys/vm/stat_refresh
	awk '{ n[$1] = $2 } END { print n["nr_foll_pin_acquired"] - n["nr_foll_pin_released"] }' /proc/vmstat
}

# dmar_lines: what the IOMMU reported so far.
dmar_lines() {
	dmesg | grep 'DMAR: \[DMA' || true
}
