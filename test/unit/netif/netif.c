/* SPDX-License-Identifier: BSD-3-Clause */
/* An interface is the one that was opened, whatever has its name now. */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>

#include "netif_pmd.h"
#include "unit.h"

static int ip(const char *arguments)
{
	char command[256];

	snprintf(command, sizeof(command), "ip %s >/dev/null 2>&1", arguments);
	return system(command);
}

TEST(netif, another_that_takes_its_name_is_left_alone)
{
	const struct plx_mac mac = {{2, 0, 0, 0, 0, 9}};
	struct plx_link link = {0};
	struct plx_netif n, other;

	if (unshare(CLONE_NEWNET) != 0)
		SKIP("a network namespace takes root, or test/net/netns.sh");
	if (ip("link add name va type veth peer name vb") != 0)
		SKIP("no veth pairs can be made here");
	CHECK_EQ(plx_netif_open(&n, "test", "va"), 0);
	CHECK_EQ(plx_netif_open(&other, "test", "vb"), 0);
	CHECK_EQ(ip("link set dev va name vx"), 0);
	CHECK_EQ(ip("link set dev vb name va"), 0);
	CHECK_EQ(plx_netif_set_mtu(&n, 1400), 0);
	CHECK_EQ(plx_netif_mtu(&n), 1400);
	CHECK_EQ(plx_netif_mtu(&other), 1500);
	CHECK_EQ(plx_netif_set_mac(&n, &mac), 0);
	CHECK_EQ(plx_netif_mac(&n).b[5], 9);
	CHECK(memcmp(plx_netif_mac(&other).b, mac.b, sizeof(mac.b)) != 0);
	CHECK_EQ(plx_netif_link(&n, &link), 0);
	CHECK(!plx_netif_gone(&n));
	CHECK_STR(n.name, "vx");
	/* deleted, and another one made of its name */
	CHECK_EQ(ip("link del dev vx"), 0);
	CHECK_EQ(ip("link add name vx type veth peer name vy"), 0);
	CHECK_EQ(plx_netif_set_mtu(&n, 1300), -ENODEV);
	CHECK_EQ(plx_netif_mtu(&n), 0);
	CHECK(plx_netif_gone(&n));
	plx_netif_close(&n);
	plx_netif_close(&other);
}
