/* http/oauth2_json.h - the answer of a token endpoint (RFC 6749 sections 5.1
 * and 5.2). Pure; memory is bounded by OAUTH2_JSON_TOKENS.
 *
 * Strings are given as they stand in the text, escapes in place;
 * oauth2_json_text() undoes them. */
#ifndef HTTP_OAUTH2_JSON_H
#define HTTP_OAUTH2_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

#define OAUTH2_JSON_TOKENS 96u
#define OAUTH2_LIFE_UNKNOWN UINT32_MAX

struct oauth2_answer {
    struct span access_token, refresh_token, token_type;
    struct span error, error_description;
    uint32_t life_s; /* expires_in; OAUTH2_LIFE_UNKNOWN: not told */
};

/* ESP_ERR_INVALID_RESPONSE: not one JSON object, or a member of ours twice or
 * of another type. ESP_ERR_INVALID_SIZE: more members than we hold. */
MUST_CHECK esp_err_t oauth2_json_parse(struct span text,
                                       struct oauth2_answer *out);

/* The string in out, which is text.len + 1 bytes long: no escape makes it
 * longer. ESP_ERR_INVALID_RESPONSE: a broken escape, or a NUL. */
MUST_CHECK esp_err_t oauth2_json_text(struct span text, char *out,
                                      size_t *out_len);

#endif
