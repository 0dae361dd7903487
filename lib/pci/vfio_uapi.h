/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What linux/vfio.h of older systems lacks, and linux/iommufd.h, which they do not have: numbers and
 * structures of the kernel's interface (Linux: include/uapi/linux/vfio.h from 6.6 on,
 * include/uapi/linux/iommufd.h from 6.2 on; Documentation/userspace-api/iommufd.rst). Only what is
 * used here.
 */
#ifndef VFIO_UAPI_H
#define VFIO_UAPI_H

#include <linux/ioctl.h>
#include <linux/types.h>
#include <linux/vfio.h>

/* ---- a device opened by /dev/vfio/devices/vfioN ---- */

/* Gives access to the device; the number of the bond comes back. Ends when the device is closed. */
struct vfio_uapi_bind {
	__u32 argsz;
	__u32 flags; /* 0 */
	__s32 iommufd;
	__u32 out_devid;
};
#define VFIO_UAPI_BIND_IOMMUFD _IO(VFIO_TYPE, VFIO_BASE + 18)

/* Puts the device into an I/O address space (of the iommufd), in place of the one it is in. */
struct vfio_uapi_attach {
	__u32 argsz;
	__u32 flags; /* 0 */
	__u32 pt_id; /* in: the address space; out: its page table */
};
#define VFIO_UAPI_ATTACH_IOMMUFD_PT _IO(VFIO_TYPE, VFIO_BASE + 19)

/* Takes it out: its DMA is blocked. */
struct vfio_uapi_detach {
	__u32 argsz;
	__u32 flags; /* 0 */
};
#define VFIO_UAPI_DETACH_IOMMUFD_PT _IO(VFIO_TYPE, VFIO_BASE + 20)

/* struct vfio_pci_hot_reset_info.flags, for such a device */
#define VFIO_UAPI_HOT_RESET_DEV_ID       (1u << 0) /* devices[].group_id is a devid */
#define VFIO_UAPI_HOT_RESET_DEV_ID_OWNED (1u << 1) /* all of them are this iommufd's */
#define VFIO_UAPI_DEVID_OWNED            0u
#define VFIO_UAPI_DEVID_NOT_OWNED        UINT32_MAX

/* ---- /dev/iommu: each structure starts with its size ---- */

#define IOMMU_UAPI_TYPE (';')

struct iommu_uapi_destroy {
	__u32 size;
	__u32 id;
};
#define IOMMU_UAPI_DESTROY _IO(IOMMU_UAPI_TYPE, 0x80)

/* A new I/O address space. */
struct iommu_uapi_ioas_alloc {
	__u32 size;
	__u32 flags; /* 0 */
	__u32 out_ioas_id;
};
#define IOMMU_UAPI_IOAS_ALLOC _IO(IOMMU_UAPI_TYPE, 0x81)

struct iommu_uapi_iova_range {
	__aligned_u64 start;
	__aligned_u64 last; /* inclusive */
};

/*
 * Where it can map, with the devices that are in it now. In: room for num_iovas ranges; out: how many
 * there are. EMSGSIZE: more than there was room for.
 */
struct iommu_uapi_ioas_iova_ranges {
	__u32 size;
	__u32 ioas_id;
	__u32 num_iovas;
	__u32 reserved; /* 0 */
	__aligned_u64 allowed_iovas;
	__aligned_u64 out_iova_alignment; /* of addresses and lengths; at most the page size */
};
#define IOMMU_UAPI_IOAS_IOVA_RANGES _IO(IOMMU_UAPI_TYPE, 0x84)

/* of map and copy */
#define IOMMU_UAPI_MAP_FIXED_IOVA (1u << 0)
#define IOMMU_UAPI_MAP_WRITEABLE  (1u << 1)
#define IOMMU_UAPI_MAP_READABLE   (1u << 2)

struct iommu_uapi_ioas_map {
	__u32 size;
	__u32 flags;
	__u32 ioas_id;
	__u32 reserved; /* 0 */
	__aligned_u64 user_va;
	__aligned_u64 length;
	__aligned_u64 iova;
};
#define IOMMU_UAPI_IOAS_MAP _IO(IOMMU_UAPI_TYPE, 0x85)

/* Maps what is mapped in another address space, as one whole mapping: pinned and counted once. */
struct iommu_uapi_ioas_copy {
	__u32 size;
	__u32 flags;
	__u32 dst_ioas_id;
	__u32 src_ioas_id;
	__aligned_u64 length;
	__aligned_u64 dst_iova;
	__aligned_u64 src_iova;
};
#define IOMMU_UAPI_IOAS_COPY _IO(IOMMU_UAPI_TYPE, 0x83)

/* Unmaps whole mappings; the length that was mapped comes back. */
struct iommu_uapi_ioas_unmap {
	__u32 size;
	__u32 ioas_id;
	__aligned_u64 iova;
	__aligned_u64 length;
};
#define IOMMU_UAPI_IOAS_UNMAP _IO(IOMMU_UAPI_TYPE, 0x86)

#endif
