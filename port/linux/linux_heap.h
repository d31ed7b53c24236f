/* linux_heap.h - the C library's heap. */
#ifndef LINUX_HEAP_H
#define LINUX_HEAP_H

#include "port/heap.h"

extern const struct port_heap linux_heap;

#endif
