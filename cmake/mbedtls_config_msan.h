/* mbedtls_config_msan.h - Mbed TLS as on Linux, for the memory sanitizer: it
 * cannot see what assembly writes. */
#ifndef PORTA_MBEDTLS_CONFIG_MSAN_H
#define PORTA_MBEDTLS_CONFIG_MSAN_H

#include "mbedtls_config_host.h"

#undef MBEDTLS_HAVE_ASM
#undef MBEDTLS_AESNI_C

#endif
