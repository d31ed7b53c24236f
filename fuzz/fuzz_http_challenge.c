/* WWW-Authenticate: what is accepted lies inside the input and can be
 * answered, in the room that was told. */
#include <stdint.h>
#include <stdlib.h>

#include "http/auth.h"

static void must(int ok)
{
    if (!ok)
        abort();
}

static void inside(struct span part, struct span whole)
{
    must(part.len == 0 || (part.ptr >= whole.ptr &&
                           part.ptr + part.len <= whole.ptr + whole.len));
}

static void answer(const struct http_challenge *c)
{
    struct http_login login = { span_str("u\"s\\er"), span_str("pass") };
    struct http_digest d = { .challenge = c,
                             .login = &login,
                             .method = span_str("GET"),
                             .uri = span_str("/f?q"),
                             .nc = 1,
                             .cnonce = "0123456789abcdef" };
    size_t room = 0;
    size_t need = 0;

    must(http_digest_format(&d, NULL, 0, &room) == ESP_ERR_INVALID_SIZE);
    char *out = malloc(room);
    must(out != NULL);
    must(http_digest_format(&d, out, room, &need) == ESP_OK && need == room);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = span_of(data, size);
    struct http_challenge c;
    esp_err_t err = http_challenge_parse(in, &c);

    must(err == ESP_OK || err == ESP_ERR_NOT_SUPPORTED ||
         err == ESP_ERR_INVALID_RESPONSE);
    if (err)
        return 0;
    must(c.scheme == HTTP_AUTH_BASIC || c.scheme == HTTP_AUTH_DIGEST);
    inside(c.realm, in);
    inside(c.nonce, in);
    inside(c.opaque, in);
    if (c.scheme == HTTP_AUTH_DIGEST)
        answer(&c);
    return 0;
}
