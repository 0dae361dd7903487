/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VFIO's information calls (include/uapi/linux/vfio.h): structures that start with argsz, the
 * number of bytes there is room for, and may end in a chain of capabilities. A kernel that has
 * more to say sets argsz to the room it wants.
 */
#include <linux/vfio.h>
#include <stdlib.h>

#include "vfio.h"

enum { INFO_FIRST = 1024, INFO_MAX = 1 << 20 };

const void *vfio_cap(const void *info, size_t len, uint32_t at, uint16_t id, size_t size)
{
	struct vfio_info_cap_header head;
	const uint8_t *bytes = info;
	uint32_t before;

	/* Each step goes up, so it ends; offset 0 ends the chain. */
	for (before = 0; at > before; before = at, at = head.next) {
		if (at > len || len - at < sizeof(head))
			return NULL;
		memcpy(&head, bytes + at, sizeof(head)); /* older kernels do not align them */
		if (head.id == id)
			return len - at < size ? NULL : bytes + at;
	}
	return NULL;
}

int vfio_info(const struct plx_vfio_sys *sys, int fd, unsigned long request, const void *in,
	size_t size, void **out, size_t *len)
{
	uint32_t room = INFO_FIRST, asked;
	uint8_t *buf = NULL, *more;

	*out = NULL;
	for (unsigned i = 0; i < 4; i++) {
		more = realloc(buf, room);
		if (more == NULL) {
			free(buf);
			return -ENOMEM;
		}
		buf = more;
		memset(buf, 0, room);
		memcpy(buf, in, size);
		memcpy(buf, &room, sizeof(room));
		if (sys->ioctl(sys->arg, fd, request, buf) < 0) {
			int err = errno;

			free(buf);
			return -err;
		}
		memcpy(&asked, buf, sizeof(asked));
		if (asked <= room) {
			*out = buf;
			*len = room;
			return 0;
		}
		if (asked > INFO_MAX)
			break;
		room = asked;
	}
	free(buf);
	return -EIO;
}
