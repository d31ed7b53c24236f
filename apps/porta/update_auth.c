#include "update_auth.h"

#include <string.h>

#include "crypto/sha256.h"

/* What the kept token replaces, without telling it: a hash of server, client
 * and the first token. */
static void make_key(struct update_auth *a, const struct update_opts *o)
{
    const char *const parts[] = { o->oauth2_url, o->client_id,
                                  (const char *)a->refresh.ptr };
    uint8_t sum[SHA256_LEN];
    struct sha256 h;
    int len = snprintf(a->key, sizeof(a->key), "oauth2.refresh.");

    sha256_init(&h);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        sha256_update(&h, parts[i], strlen(parts[i]) + 1);
    sha256_final(&h, sum);
    for (size_t i = 0; i < 8; i++)
        len += snprintf(a->key + len, sizeof(a->key) - (size_t)len, "%02x",
                        sum[i]);
}

/* A token that cannot be kept is said at once: without it the next update
 * cannot log in. */
static void keep_refresh(void *ctx, const char *token)
{
    struct update_auth *a = ctx;
    struct diag d = DIAG_NONE;

    if (store_file_set(a->store, a->key, token, &d) != ESP_OK)
        fprintf(stderr,
                "porta update: WARNING: the server gave a new refresh token, "
                "and it cannot be kept: %s\n",
                d.text);
}

static esp_err_t load_refresh(struct update_auth *a,
                              const struct update_opts *o,
                              struct oauth2_opts *opts, struct diag *d)
{
    const char *kept;
    esp_err_t err = cli_read_secret(o->refresh_token, &a->refresh, d);

    if (!err)
        err = store_file_check(a->store, d);
    if (err)
        return err;
    make_key(a, o);
    kept = store_file_get(a->store, a->key);
    opts->refresh_token = kept ? kept : (const char *)a->refresh.ptr;
    opts->on_refresh_token = keep_refresh;
    opts->ctx = a;
    return ESP_OK;
}

esp_err_t update_auth_open(struct update_auth *a, const struct update_opts *o,
                           const struct http_env *env, struct http_opts *http,
                           struct diag *d)
{
    struct oauth2_opts opts = { .http = *http,
                                .token_url = o->oauth2_url,
                                .client_id = o->client_id,
                                .scope = o->scope };
    esp_err_t err = ESP_OK;

    if (!o->oauth2_url)
        return ESP_OK;
    if (o->client_secret)
        err = cli_read_secret(o->client_secret, &a->secret, d);
    opts.client_secret = (const char *)a->secret.ptr;
    if (!err && o->refresh_token)
        err = load_refresh(a, o, &opts, d);
    if (!err)
        err = oauth2_open(&a->oauth2, env, &opts, d);
    if (!err)
        http->tokens = oauth2_tokens(a->oauth2);
    return err;
}

void update_auth_close(struct update_auth *a)
{
    oauth2_close(a->oauth2);
    a->oauth2 = NULL;
    cli_bytes_free(&a->secret);
    cli_bytes_free(&a->refresh);
}
