/* linux_fuse.h - no fuses: reads no bits, burns none. */
#ifndef LINUX_FUSE_H
#define LINUX_FUSE_H

#include "port/fuse.h"

extern const struct port_fuse linux_fuse;

#endif
