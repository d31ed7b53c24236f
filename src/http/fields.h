/* http/fields.h - the fields of a request: a list in the order in which they
 * were set. Values have any length; memory is the heap's. */
#ifndef HTTP_FIELDS_H
#define HTTP_FIELDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "port/heap.h"

struct http_field {
    struct http_field *next;
    bool secret; /* marked so by the user */
    bool held;   /* kept back: neither sent nor shown */
    size_t name_len, value_len;
    char text[]; /* name, NUL, value, NUL */
};

struct http_fields {
    const struct port_heap *heap;
    struct http_field *first;
};

static inline struct span http_field_name(const struct http_field *f)
{
    return span_of(f->text, f->name_len);
}

static inline struct span http_field_value(const struct http_field *f)
{
    return span_of(f->text + f->name_len + 1, f->value_len);
}

/* Replaces in place or appends. ESP_ERR_INVALID_ARG: the name is no token, or
 * the value would break the line; ESP_ERR_NO_MEM, and nothing changed. */
MUST_CHECK esp_err_t http_fields_set(struct http_fields *fs, struct span name,
                                     struct span value);
/* The field stays behind with the other secrets, whatever its name is. */
void http_fields_mark_secret(struct http_fields *fs, struct span name);
/* NULL: not there, or held. Names compare without case. */
const struct http_field *http_fields_get(const struct http_fields *fs,
                                         struct span name);
/* False: it was not there. The text is wiped. */
bool http_fields_remove(struct http_fields *fs, struct span name);
void http_fields_clear(struct http_fields *fs);
/* Removes what proves who we are: authorization, cookies, and the names that
 * services use for their tokens. */
void http_fields_drop_secrets(struct http_fields *fs);
/* The same, but http_fields_release() brings them back. */
void http_fields_hold_secrets(struct http_fields *fs);
void http_fields_release(struct http_fields *fs);
void http_fields_drop_held(struct http_fields *fs);
/* Does the text repeat a word of the value of such a field? */
bool http_fields_told(const struct http_fields *fs, struct span text);

#endif
