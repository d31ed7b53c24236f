/* http/head.h - the response head as a stream (RFC 9112). Pure.
 *
 * Feed bytes in any pieces; fields that matter are kept, all others pass by at
 * no cost, so that heads have no size limit but HTTP_HEAD_MAX_LEN in total.
 * Smuggling shapes are refused: two different Content-Length, Content-Length
 * beside Transfer-Encoding, NUL, bare CR, obsolete folding, blanks before the
 * colon. */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

#define HTTP_HEAD_MAX_LEN (256u * 1024u)
#define HTTP_LEN_UNKNOWN UINT64_MAX

struct http_head {
    int status;           /* 0: not seen yet */
    int minor;            /* HTTP/1.<minor> */
    uint64_t content_len; /* HTTP_LEN_UNKNOWN when absent or chunked */
    bool chunked;
    bool keep_alive;
    bool has_range;       /* a Content-Range of bytes was given */
    uint64_t range_first, range_last;
    uint64_t range_total; /* HTTP_LEN_UNKNOWN for '*' */
    bool encoded;         /* a Content-Encoding other than identity */
    bool accept_ranges;
    uint32_t retry_after_s;
    char encoding[16];    /* its name, for the message */
    char etag[128];       /* empty: none, or longer than fits */
    char last_modified[40];
    char content_type[64];
};

#endif
