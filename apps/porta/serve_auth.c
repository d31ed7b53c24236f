#include "serve_auth.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <mbedtls/base64.h>

#include "crypto/ct.h"

static esp_err_t copy(struct cli_bytes *to, const char *text)
{
    to->ptr = (uint8_t *)strdup(text);
    to->len = strlen(text);
    return to->ptr ? ESP_OK : ESP_ERR_NO_MEM;
}

static esp_err_t encode(struct cli_bytes *to, const char *text)
{
    size_t cap = (strlen(text) + 2) / 3 * 4 + 1;

    to->ptr = malloc(cap);
    if (!to->ptr)
        return ESP_ERR_NO_MEM;
    if (mbedtls_base64_encode(to->ptr, cap, &to->len,
                              (const unsigned char *)text, strlen(text)))
        return ESP_FAIL;
    return ESP_OK;
}

esp_err_t serve_auth_init(struct serve_auth *a, const char *user,
                          const char *token, struct diag *d)
{
    esp_err_t err = ESP_OK;

    *a = (struct serve_auth){ CLI_BYTES_NONE, CLI_BYTES_NONE };
    if (user && !strchr(user, ':'))
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "--user needs name:password, there is no colon");
    if (token && !token[0])
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "--token is empty, everybody would have it");
    if (user)
        err = encode(&a->basic, user);
    if (!err && token)
        err = copy(&a->token, token);
    if (!err)
        return ESP_OK;
    serve_auth_free(a);
    return diag_fail(d, DIAG_STAGE_FILE, err, "out of memory");
}

static bool same(const struct cli_bytes *want, const char *got)
{
    size_t len = strlen(got);

    return want->ptr && len == want->len && ct_eq(want->ptr, got, len);
}

/* The value after "Scheme " when that is the scheme (no case), else NULL. */
static const char *after_scheme(const char *header, const char *scheme)
{
    size_t len = strlen(scheme);

    if (!header || strncasecmp(header, scheme, len) != 0 || header[len] != ' ')
        return NULL;
    header += len;
    return header + strspn(header, " ");
}

bool serve_auth_ok(const struct serve_auth *a, const char *header,
                   const char *query)
{
    const char *basic = after_scheme(header, "Basic");
    const char *bearer = after_scheme(header, "Bearer");

    if (!a->basic.ptr && !a->token.ptr)
        return true;
    return (basic && same(&a->basic, basic)) ||
           (bearer && same(&a->token, bearer)) ||
           (query && same(&a->token, query));
}

const char *serve_auth_challenge(const struct serve_auth *a)
{
    return a->basic.ptr ? "Basic realm=\"porta\"" : "Bearer realm=\"porta\"";
}

void serve_auth_free(struct serve_auth *a)
{
    cli_bytes_free(&a->basic);
    cli_bytes_free(&a->token);
}
