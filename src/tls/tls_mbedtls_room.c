/* How long the records are that the library was built for. A file of its own:
 * with it and the library's ssl_*.c a program can be linked for shorter ones
 * (bench/CMakeLists.txt). */
#include "tls/tls_mbedtls.h"

size_t tls_record_room(void)
{
    return MBEDTLS_SSL_IN_CONTENT_LEN;
}
