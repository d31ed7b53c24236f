/* arch/cc.h - what lwIP asks of compiler and platform. */
#ifndef ARCH_CC_H
#define ARCH_CC_H

#include <stdint.h>

#define LWIP_TIMEVAL_PRIVATE 0
#include <sys/time.h>

#define LWIP_PLATFORM_DIAG(x) ((void)0)
#define LWIP_PLATFORM_ASSERT(x) ((void)0)

uint32_t vrt_net_rand(void);
#define LWIP_RAND() vrt_net_rand()

#endif
