/* A token endpoint's answer: what is accepted lies inside the input, and its
 * text is no longer than what it was written as. */
#include <stdint.h>
#include <stdlib.h>

#include "http/oauth2_json.h"

static void must(int ok)
{
    if (!ok)
        abort();
}

static void check(struct span part, struct span whole)
{
    size_t len = 0;

    if (part.len == 0)
        return;
    must(part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
    char *out = malloc(part.len + 1);
    must(out != NULL);
    esp_err_t err = oauth2_json_text(part, out, &len);
    must(err == ESP_OK || err == ESP_ERR_INVALID_RESPONSE);
    must(len <= part.len && out[len] == '\0');
    must(err || memchr(out, '\0', len) == NULL);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = span_of(data, size);
    struct oauth2_answer a;
    esp_err_t err = oauth2_json_parse(in, &a);

    must(err == ESP_OK || err == ESP_ERR_INVALID_RESPONSE ||
         err == ESP_ERR_INVALID_SIZE);
    if (err)
        return 0;
    check(a.access_token, in);
    check(a.refresh_token, in);
    check(a.token_type, in);
    check(a.error, in);
    check(a.error_description, in);
    return 0;
}
