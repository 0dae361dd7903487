/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "conf_veth.h"

int veth_ip(const char *arguments)
{
	char command[512];

	snprintf(command, sizeof(command), "ip %s >/dev/null 2>&1", arguments);
	return system(command);
}

/* The namespace's own setting: interfaces made from now on have no IPv6, and say nothing by themselves. */
static void no_ipv6(void)
{
	int fd = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "1", 1) != 1)
		fprintf(stderr, "IPv6 stays on\n");
	close(fd);
}

const char *veth_begin(void)
{
	if (unshare(CLONE_NEWNET) != 0)
		return "a network namespace takes root, or test/net/netns.sh";
	if (veth_ip("link") != 0)
		return "ip (iproute2) is not installed";
	no_ipv6();
	if (veth_ip("link add name pa type veth peer name pb") != 0)
		return "this kernel makes no veth pairs";
	if (veth_ip("link set dev pa mtu 9000 up") != 0 ||
		veth_ip("link set dev pb mtu 9000 up") != 0)
		return "a veth pair cannot be set up";
	return NULL;
}
