/* SPDX-License-Identifier: BSD-3-Clause */
/* The fake kernel's faults: calls that fail, answers that are spoilt. */
#include <limits.h>

#include "fake_vfio_priv.h"

#define BYTES (1u << FAKE_VFIO_ZEROS | 1u << FAKE_VFIO_ONES | 1u << FAKE_VFIO_NOISE)
#define CHAIN                                                                             \
	(1u << FAKE_VFIO_GROWS | 1u << FAKE_VFIO_CAP_LOOP | 1u << FAKE_VFIO_CAP_OUTSIDE | \
		1u << FAKE_VFIO_CAP_LONG)
#define SHORT (1u << FAKE_VFIO_SHORT)

/* A site: its name, the lies that mean something there, and bytes of the fixed structure. */
static const struct {
	const char *name;
	uint32_t lies, len;
} sites[FAKE_VFIO_CALLS] = {
	[FAKE_VFIO_OPEN_CONTAINER] = {"open of /dev/vfio/vfio", 0, 0},
	[FAKE_VFIO_OPEN_GROUP] = {"open of /dev/vfio/N", 0, 0},
	[FAKE_VFIO_OPEN_CDEV] = {"open of /dev/vfio/devices/vfioN", 0, 0},
	[FAKE_VFIO_OPEN_IOMMU] = {"open of /dev/iommu", 0, 0},
	[FAKE_VFIO_OPEN_OTHER] = {"open of a file", 0, 0},
	[FAKE_VFIO_CLOSE] = {"close", 0, 0},
	[FAKE_VFIO_CFG_READ] = {"configuration read", BYTES | SHORT, 0},
	[FAKE_VFIO_CFG_WRITE] = {"configuration write", SHORT, 0},
	[FAKE_VFIO_BAR_READ] = {"BAR read", BYTES | SHORT, 0},
	[FAKE_VFIO_BAR_WRITE] = {"BAR write", SHORT, 0},
	[FAKE_VFIO_FILE_READ] = {"file read", BYTES | SHORT, 0},
	[FAKE_VFIO_MMAP] = {"mmap", 0, 0},
	[FAKE_VFIO_MUNMAP] = {"munmap", 0, 0},
	[FAKE_VFIO_GET_API_VERSION] = {"GET_API_VERSION", 1u << FAKE_VFIO_ONES, 0},
	[FAKE_VFIO_CHECK_EXTENSION] = {"CHECK_EXTENSION", 1u << FAKE_VFIO_ZEROS, 0},
	[FAKE_VFIO_SET_IOMMU] = {"SET_IOMMU", 0, 0},
	[FAKE_VFIO_IOMMU_GET_INFO] = {"IOMMU_GET_INFO", BYTES | CHAIN,
		sizeof(struct vfio_iommu_type1_info)},
	[FAKE_VFIO_IOMMU_MAP_DMA] = {"IOMMU_MAP_DMA", 0, 0},
	[FAKE_VFIO_IOMMU_UNMAP_DMA] = {"IOMMU_UNMAP_DMA", BYTES,
		sizeof(struct vfio_iommu_type1_dma_unmap)},
	[FAKE_VFIO_GROUP_GET_STATUS] = {"GROUP_GET_STATUS", BYTES,
		sizeof(struct vfio_group_status)},
	[FAKE_VFIO_GROUP_SET_CONTAINER] = {"GROUP_SET_CONTAINER", 0, 0},
	[FAKE_VFIO_GROUP_UNSET_CONTAINER] = {"GROUP_UNSET_CONTAINER", 0, 0},
	[FAKE_VFIO_GROUP_GET_DEVICE_FD] = {"GROUP_GET_DEVICE_FD", 0, 0},
	[FAKE_VFIO_DEVICE_GET_INFO] = {"DEVICE_GET_INFO", BYTES, 16},
	[FAKE_VFIO_DEVICE_GET_REGION_INFO] = {"DEVICE_GET_REGION_INFO", BYTES | CHAIN,
		sizeof(struct vfio_region_info)},
	[FAKE_VFIO_DEVICE_GET_IRQ_INFO] = {"DEVICE_GET_IRQ_INFO", BYTES,
		sizeof(struct vfio_irq_info)},
	[FAKE_VFIO_DEVICE_SET_IRQS] = {"DEVICE_SET_IRQS", SHORT, 0},
	[FAKE_VFIO_DEVICE_RESET] = {"DEVICE_RESET", 0, 0},
	[FAKE_VFIO_DEVICE_GET_PCI_HOT_RESET_INFO] = {"DEVICE_GET_PCI_HOT_RESET_INFO", BYTES,
		sizeof(struct vfio_pci_hot_reset_info)},
	[FAKE_VFIO_DEVICE_PCI_HOT_RESET] = {"DEVICE_PCI_HOT_RESET", 0, 0},
	[FAKE_VFIO_DEVICE_BIND_IOMMUFD] = {"DEVICE_BIND_IOMMUFD", BYTES,
		sizeof(struct vfio_uapi_bind)},
	[FAKE_VFIO_DEVICE_ATTACH_IOMMUFD_PT] = {"DEVICE_ATTACH_IOMMUFD_PT", BYTES,
		sizeof(struct vfio_uapi_attach)},
	[FAKE_VFIO_DEVICE_DETACH_IOMMUFD_PT] = {"DEVICE_DETACH_IOMMUFD_PT", 0, 0},
	[FAKE_VFIO_DESTROY] = {"DESTROY", 0, 0},
	[FAKE_VFIO_IOAS_ALLOC] = {"IOAS_ALLOC", BYTES, sizeof(struct iommu_uapi_ioas_alloc)},
	[FAKE_VFIO_IOAS_IOVA_RANGES] = {"IOAS_IOVA_RANGES", BYTES | 1u << FAKE_VFIO_GROWS,
		sizeof(struct iommu_uapi_ioas_iova_ranges)},
	[FAKE_VFIO_IOAS_MAP] = {"IOAS_MAP", 0, 0},
	[FAKE_VFIO_IOAS_COPY] = {"IOAS_COPY", 0, 0},
	[FAKE_VFIO_IOAS_UNMAP] = {"IOAS_UNMAP", BYTES, sizeof(struct iommu_uapi_ioas_unmap)},
	[FAKE_VFIO_OTHER_IOCTL] = {"another ioctl", 0, 0},
};

const char *fake_vfio_call_name(enum fake_vfio_call call)
{
	return sites[call].name;
}

const char *fake_vfio_lie_name(enum fake_vfio_lie lie)
{
	static const char *const names[FAKE_VFIO_LIES] = {
		"true", "zeros", "ones", "noise", "grows", "loop", "outside", "long", "short"};

	return names[lie];
}

bool fake_vfio_lie_applies(enum fake_vfio_call call, enum fake_vfio_lie lie)
{
	return (sites[call].lies >> lie & 1) != 0;
}

bool fv_strike(struct fake_vfio *k, enum fake_vfio_call call, enum fake_vfio_lie *lie)
{
	struct fv_plan *plan = &k->plan[call];
	uint64_t now = ++k->count[call];

	*lie = FAKE_VFIO_TRUE;
	if (plan->at != UINT64_MAX && plan->at != now)
		return false;
	k->struck++;
	*lie = plan->lie;
	if (plan->err == 0)
		return false;
	errno = plan->err;
	return true;
}

void fv_note(struct fake_vfio *k, enum fake_vfio_call call, int ret)
{
	k->trace[k->n_trace++ % FAKE_VFIO_TRACE] =
		(struct fake_vfio_trace){call, ret, ret < 0 ? errno : 0};
}

/* xorshift64: the same noise in every run */
static uint8_t noise(struct fake_vfio *k)
{
	k->noise ^= k->noise << 13;
	k->noise ^= k->noise >> 7;
	k->noise ^= k->noise << 17;
	return (uint8_t)(k->noise >> 24);
}

void fv_spoil_bytes(struct fake_vfio *k, void *p, size_t n, enum fake_vfio_lie lie)
{
	uint8_t *b = p;

	for (size_t i = 0; i < n; i++) {
		if (lie == FAKE_VFIO_ZEROS || lie == FAKE_VFIO_ONES)
			b[i] = lie == FAKE_VFIO_ONES ? 0xff : 0;
		else if (lie == FAKE_VFIO_NOISE)
			b[i] = noise(k);
	}
}

static void put32(void *p, size_t off, uint32_t v)
{
	memcpy((uint8_t *)p + off, &v, sizeof(v));
}

/* The structures with a chain: argsz and flags first, then cap_offset somewhere. */
static size_t cap_field(enum fake_vfio_call call)
{
	return call == FAKE_VFIO_IOMMU_GET_INFO ? offsetof(struct vfio_iommu_type1_info, cap_offset)
						: offsetof(struct vfio_region_info, cap_offset);
}

static uint32_t cap_flag(enum fake_vfio_call call)
{
	return call == FAKE_VFIO_IOMMU_GET_INFO ? VFIO_IOMMU_INFO_CAPS : VFIO_REGION_INFO_FLAG_CAPS;
}

static int grow(struct fake_vfio *k, enum fake_vfio_call call, void *p, uint32_t room)
{
	uint32_t flags;

	if (call == FAKE_VFIO_IOAS_IOVA_RANGES) {
		memcpy(&flags, (uint8_t *)p + 8, sizeof(flags));
		put32(p, 8, k->grown = PLX_MAX(k->grown, flags) + 100);
		errno = EMSGSIZE;
		return -1;
	}
	memcpy(&flags, (uint8_t *)p + 4, sizeof(flags));
	put32(p, 4, flags | cap_flag(call));
	put32(p, 0, room + 64);
	if (room >= sites[call].len)
		put32(p, cap_field(call), 0);
	return 0;
}

/* A chain of the given kind in the room after the structure. */
static void chain(enum fake_vfio_call call, void *p, uint32_t room, enum fake_vfio_lie lie)
{
	uint32_t len = sites[call].len, flags, at = len;
	uint16_t id = 1; /* SPARSE_MMAP, IOVA_RANGE */

	memcpy(&flags, (uint8_t *)p + 4, sizeof(flags));
	put32(p, 4, flags | cap_flag(call));
	if (room < len + 24) { /* asks for room first */
		put32(p, 0, len + 24);
		if (room >= len)
			put32(p, cap_field(call), 0);
		return;
	}
	if (lie == FAKE_VFIO_CAP_OUTSIDE) {
		put32(p, cap_field(call), room - 4);
		return;
	}
	put32(p, cap_field(call), at);
	memset((uint8_t *)p + at, 0, 24);
	if (lie == FAKE_VFIO_CAP_LOOP)
		id = 77; /* not what is looked for: go on to the next, which is this one */
	memcpy((uint8_t *)p + at, &id, sizeof(id));
	put32(p, at + 4, lie == FAKE_VFIO_CAP_LOOP ? at : 0);
	put32(p, at + 8, 1u << 28);
}

int fv_spoil(
	struct fake_vfio *k, enum fake_vfio_call call, void *p, int ret, enum fake_vfio_lie lie)
{
	uint32_t room, len = sites[call].len;

	if (call == FAKE_VFIO_GET_API_VERSION)
		return INT_MAX;
	if (call == FAKE_VFIO_CHECK_EXTENSION)
		return 0;
	if (lie == FAKE_VFIO_SHORT)
		return 1; /* SET_IRQS: so many there are, and none is set; see fake_vfio_dev.c */
	memcpy(&room, p, sizeof(room));
	switch (lie) {
	case FAKE_VFIO_GROWS:
		return grow(k, call, p, room);
	case FAKE_VFIO_CAP_LOOP:
	case FAKE_VFIO_CAP_OUTSIDE:
	case FAKE_VFIO_CAP_LONG:
		chain(call, p, room, lie);
		return ret;
	default:
		fv_spoil_bytes(k, (uint8_t *)p + 4, PLX_MIN(room, len) - 4, lie);
		return ret;
	}
}

/* ---- for tests ---- */

static void plan(
	struct fake_vfio *k, enum fake_vfio_call call, uint64_t n, int err, enum fake_vfio_lie lie)
{
	pthread_mutex_lock(&k->lock);
	k->plan[call].at = n == 0 ? UINT64_MAX : k->count[call] + n;
	k->plan[call].err = err;
	k->plan[call].lie = lie;
	pthread_mutex_unlock(&k->lock);
}

void fake_vfio_fail(struct fake_vfio *k, enum fake_vfio_call call, uint64_t n, int err)
{
	plan(k, call, n, err, FAKE_VFIO_TRUE);
}

void fake_vfio_lie(
	struct fake_vfio *k, enum fake_vfio_call call, uint64_t n, enum fake_vfio_lie lie)
{
	plan(k, call, n, 0, lie);
}

void fake_vfio_answer(struct fake_vfio *k, fake_vfio_answer_fn fn, void *arg)
{
	pthread_mutex_lock(&k->lock);
	k->answer = fn;
	k->answer_arg = arg;
	pthread_mutex_unlock(&k->lock);
}

void fake_vfio_heal(struct fake_vfio *k)
{
	pthread_mutex_lock(&k->lock);
	memset(k->plan, 0, sizeof(k->plan));
	k->answer = NULL;
	k->grown = 0;
	k->noise = 4711;
	pthread_mutex_unlock(&k->lock);
}

uint64_t fake_vfio_count(const struct fake_vfio *k, enum fake_vfio_call call)
{
	return k->count[call];
}

uint64_t fake_vfio_struck(const struct fake_vfio *k)
{
	return k->struck;
}

void fake_vfio_count_reset(struct fake_vfio *k)
{
	pthread_mutex_lock(&k->lock);
	memset(k->count, 0, sizeof(k->count));
	memset(k->plan, 0, sizeof(k->plan));
	k->n_trace = 0;
	pthread_mutex_unlock(&k->lock);
}

const struct fake_vfio_trace *fake_vfio_traced(const struct fake_vfio *k, uint64_t i)
{
	return i >= k->n_trace || i >= FAKE_VFIO_TRACE ? NULL : &k->trace[i];
}
