# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# What scripts in the guest begin with; guest.py reads it in before each.

# bind BDF [DRIVER]: the device belongs to vfio-pci (or DRIVER) from now on.
bind() {
	_driver=${2:-vfio-pci}
	modprobe "$_driver" || return 1
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

# as_nobody COMMAND...: as an ordinary user, who has no capability and can get none. MEMLOCK: KiB of
# memory that may be locked, otherwise what the kernel gives (8 MiB).
as_nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all \
		${MEMLOCK:+sh -c 'ulimit -l "$0" && exec "$@"' "$MEMLOCK"} "$@"
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

# dmar_lines: what the IOMMU reported so far.
dmar_lines() {
	dmesg | grep 'DMAR: \[DMA' || true
}
