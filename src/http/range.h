/* http/range.h - byte ranges (RFC 9110 section 14). Pure. */
#ifndef HTTP_RANGE_H
#define HTTP_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "http/len.h"

struct http_range {
    bool satisfied;       /* "bytes a-b/c"; false: a star for a-b (416) */
    http_len first, last; /* inclusive */
    http_len total;       /* HTTP_LEN_UNKNOWN for '*' */
};

/* A Content-Range value. ESP_ERR_INVALID_RESPONSE: another unit, not a range,
 * last before first, last not below the total. */
MUST_CHECK esp_err_t http_range_parse(struct span text, struct http_range *out);

/* "bytes=first-last", or "bytes=first-" when last is HTTP_LEN_UNKNOWN. */
#define HTTP_RANGE_TEXT_LEN 48u
void http_range_format(http_len first, http_len last,
                       char out[HTTP_RANGE_TEXT_LEN]);

#endif
