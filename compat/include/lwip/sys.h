/* lwip/sys.h - included by habit; threads and time are those of FreeRTOS. */
#ifndef LWIP_SYS_H
#define LWIP_SYS_H

#include "lwip/err.h"

#endif
