/* lwip/err.h - the error type of lwIP, which programs name. */
#ifndef LWIP_ERR_H
#define LWIP_ERR_H

#include <stdint.h>

typedef int8_t err_t;
#define ERR_OK 0

#endif
