/* SPDX-License-Identifier: BSD-3-Clause */
/* Surroundings of a driver for the kernel's interfaces: a namespace of the test's own, and a wire. */
#ifndef CONF_VETH_H
#define CONF_VETH_H

#include "conf.h"

/*
 * Moves the calling thread into a new network namespace, in which the veth pair pa, pb is up and silent.
 * Returns NULL, or why that cannot be. Namespace and pair end with the sockets and the thread.
 */
const char *veth_begin(void);
/* Runs `ip ARGUMENTS`, quietly: 0 when it worked. */
int veth_ip(const char *arguments);

#endif
