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
#include "http/len.h"

#define HTTP_HEAD_MAX_LEN (256u * 1024u)

struct http_head {
    int status;           /* 0: not seen yet */
    int minor;            /* HTTP/1.<minor> */
    http_len content_len; /* HTTP_LEN_UNKNOWN when absent or chunked */
    bool chunked;
    bool keep_alive;
    bool has_range; /* one sound Content-Range "bytes a-b/c" was given */
    http_len range_first, range_last;
    http_len range_total; /* HTTP_LEN_UNKNOWN when not told; that of a 416's
                             unsatisfied range, too */
    bool encoded;         /* a Content-Encoding other than identity */
    bool accept_ranges;
    uint32_t retry_after_s; /* also of a date, when the server tells its own */
    char encoding[16];      /* its name, for the message */
    char etag[128];         /* empty: none, or longer than fits */
    char last_modified[40];
    char content_type[64];
};

/* How the end of the body is known (RFC 9112 section 6.3). */
enum http_framing {
    HTTP_FRAMING_NONE, /* there is no body */
    HTTP_FRAMING_LENGTH,
    HTTP_FRAMING_CHUNKED,
    HTTP_FRAMING_CLOSE /* the body ends with the connection */
};

/* head_request: the request was a HEAD. */
enum http_framing http_head_framing(const struct http_head *h,
                                    bool head_request);

/* What the parser tells while it reads. A name comes in one piece and is cut
 * after HTTP_HEAD_NAME_LEN bytes; a value comes in pieces without its leading
 * blanks, and may end in blanks. STATUS has the reason phrase (pieces). */
enum http_head_part {
    HTTP_HEAD_STATUS,
    HTTP_HEAD_NAME,
    HTTP_HEAD_VALUE,
    HTTP_HEAD_FIELD_END
};
#define HTTP_HEAD_NAME_LEN 64u
typedef esp_err_t (*http_head_fn)(void *ctx, enum http_head_part part,
                                  struct span bytes);

enum http_head_step { HTTP_HEAD_MORE, HTTP_HEAD_DONE, HTTP_HEAD_BAD };

struct http_head_parser {
    const char *why; /* after HTTP_HEAD_BAD: half a sentence */
    esp_err_t err;   /* after HTTP_HEAD_BAD: ESP_ERR_INVALID_RESPONSE, or
                        what the callback returned */
    http_head_fn on_part;
    void *ctx;
    uint32_t total_len;
    /* Private but for head; what is near is shorter code. */
    uint8_t state;
    uint8_t field;
    bool has_len, range_clash, closes, keeps, value_long;
    uint32_t line_len, name_len, value_len;
    struct http_head head;
    char line[16];
    char name[HTTP_HEAD_NAME_LEN];
    char value[160];
    int64_t date_s, retry_s; /* since 1970; 0: none */
};

/* on_part may be NULL. */
void http_head_init(struct http_head_parser *p, http_head_fn on_part,
                    void *ctx);
/* Takes bytes until the empty line; *used_len of them were the head's. After
 * DONE or BAD the parser must be initialised again. */
enum http_head_step http_head_feed(struct http_head_parser *p, struct span in,
                                   size_t *used_len);

#endif
