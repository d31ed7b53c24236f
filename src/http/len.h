/* http/len.h - lengths and offsets of what a server sends.
 *
 * 64 bits or, with CFG_LEN_64 0, 32: less code where no file that can be used
 * is that long. A number that does not fit is none: whoever reads it refuses
 * it, never a part of it. */
#ifndef HTTP_LEN_H
#define HTTP_LEN_H

#include <inttypes.h>

#include "cfg.h"

#if CFG_LEN_64
typedef uint64_t http_len;
#define HTTP_LEN_UNKNOWN UINT64_MAX
#define HTTP_LEN_FMT PRIu64
#else
typedef uint32_t http_len;
#define HTTP_LEN_UNKNOWN UINT32_MAX
#define HTTP_LEN_FMT PRIu32
#endif

/* As a number with a sign; -1: unknown, or it does not fit. */
static inline int64_t http_len_signed(http_len len)
{
    uint64_t max = INT64_MAX;

    return len == HTTP_LEN_UNKNOWN || len > max ? -1 : (int64_t)len;
}

#endif
