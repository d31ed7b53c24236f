/* http/date.h - dates as HTTP writes them (RFC 9110 section 5.6.7). Pure. */
#ifndef HTTP_DATE_H
#define HTTP_DATE_H

#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

/* "Sun, 06 Nov 1994 08:49:37 GMT" as seconds since 1970. The two forms that
 * RFC 9110 calls obsolete are not read. ESP_ERR_INVALID_RESPONSE: no such
 * date. */
MUST_CHECK esp_err_t http_date_parse(struct span text, int64_t *out_s);

#endif
