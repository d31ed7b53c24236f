#include "update_opts.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/ct.h"
#include "update_tls.h"

#define STALL_TIMEOUT_MS 30000u
#define CONNECT_TIMEOUT_MS 15000u

#define TEXT(opt, meta, help, field)                                        \
    {                                                                       \
        opt, meta, help, CLI_KIND_TEXT, offsetof(struct update_opts, field) \
    }
#define SECONDS(opt, help, field)                                             \
    {                                                                         \
        opt, "S", help, CLI_KIND_SECONDS, offsetof(struct update_opts, field) \
    }
#define FLAG(opt, help, field)                                              \
    {                                                                       \
        opt, NULL, help, CLI_KIND_FLAG, offsetof(struct update_opts, field) \
    }

static const struct cli_opt options[] = {
    TEXT("--cacert", "FILE",
         "the CAs to trust, PEM or a bundle, instead of the system's", cacert),
    TEXT("--capath", "DIR", "the same: all the certificates in a folder",
         capath),
    TEXT("--cert", "FILE", "client certificate, PEM or DER", cert),
    TEXT("--key", "FILE", "its private key, PEM or DER", key),
    TEXT("--pass", "P", "the key's password; or @FILE", pass),
    TEXT("--psk", "ID:HEX",
         "instead of certificates a key that both know; or @FILE", psk),
    TEXT("--user", "U:P", "user and password; or @FILE", user),
    TEXT("--bearer", "TOKEN", "Authorization: Bearer TOKEN; or @FILE", bearer),
    { "-H", "'N: V'", "a further request header; may be repeated",
      CLI_KIND_LIST, offsetof(struct update_opts, headers) },
    { "--secret-header", "'N: V'",
      "the same, but no redirect takes it to another host", CLI_KIND_LIST,
      offsetof(struct update_opts, secret_headers) },
    TEXT("--oauth2-token-url", "URL", "get a token there, by OAuth2",
         oauth2_url),
    TEXT("--client-id", "I", "who we are to that server", client_id),
    TEXT("--client-secret", "S", "and what proves it; or @FILE", client_secret),
    TEXT("--refresh-token", "T", "trade this for a token; or @FILE",
         refresh_token),
    TEXT("--scope", "S", "what the token is to be good for", scope),
    TEXT("--proxy", "URL", "http://[user:password@]host:port; or @FILE", proxy),
    { "--resolve", "HOST:PORT:ADDR", "address of a host, instead of DNS",
      CLI_KIND_LIST, offsetof(struct update_opts, resolve) },
    SECONDS("--connect-timeout", "longest wait for name and connection (15)",
            connect_timeout_ms),
    SECONDS("--stall-timeout", "longest silence, or trickle below 64 B/s (30)",
            stall_timeout_ms),
    SECONDS("--max-time", "longest time for all of it (no limit)", max_time_ms),
    { "--retry", "N", "try again after N failures that may pass (0)",
      CLI_KIND_NUM, offsetof(struct update_opts, retry) },
    { "--range-size", "N", "fetch in ranges of N bytes", CLI_KIND_SIZE,
      offsetof(struct update_opts, range_len) },
    { "--link-rate", "N", "as over a link of N bytes a second", CLI_KIND_SIZE,
      offsetof(struct update_opts, link_rate) },
    { "--erase-us", "N", "as on a flash that erases a sector in N us",
      CLI_KIND_NUM, offsetof(struct update_opts, erase_us) },
    { "--page-us", "N", "and programs 256 bytes in N us", CLI_KIND_NUM,
      offsetof(struct update_opts, page_us) },
    FLAG("--no-resume", "fetch all, whatever an earlier try left in the slot",
         no_resume),
    TEXT("--decrypt", "KEY",
         "the file is encrypted for this private key, PEM or 32 bytes",
         decrypt),
    FLAG("--bulk-erase", "erase the slot before writing", bulk_erase),
    TEXT("--slot", "LABEL", "write this slot, instead of the next one", slot),
    TEXT("--final", "LABEL", "copy the image there at the end", final),
    TEXT("--partition", "LABEL",
         "write this partition, which is no application, by way of the slot",
         partition),
    FLAG("--in-place", "--partition without the slot: a cut leaves a part",
         in_place),
    { "--data", "NAME=URL",
      "first this into NAME_0, NAME_1 ..., as the slot is; may be repeated",
      CLI_KIND_LIST, offsetof(struct update_opts, data) },
    FLAG("--accept-unsafe",
         "write what is there once, such as the partition table",
         accept_unsafe),
    FLAG("--allow-same-version", "go on when this version runs already",
         same_version),
    FLAG("--no-older", "refuse a version that is older than the running one",
         no_older),
    FLAG("--same-project", "refuse another project's program", same_project),
    FLAG("--require-updatable",
         "refuse an image that does not say that it can be updated again",
         require_updatable),
    TEXT("--trace", "FILE",
         "write there what happened when, for a browser's trace viewer", trace),
    { "--power-cut", "N",
      "for tests: the power goes before flash operation N, this process with "
      "it",
      CLI_KIND_NUM, offsetof(struct update_opts, power_cut) },
    FLAG("--insecure", "do not verify the server; warns, always", insecure),
    FLAG("--allow-http", "allow http: URLs", allow_http),
    TEXT("--tls-min", "1.2|1.3", "lowest TLS version (1.2)", tls_min),
    TEXT("--tls-max", "1.2|1.3", "highest TLS version (1.3)", tls_max),
    DEVICE_OPTS_CHIP(struct update_opts, dev),
    DEVICE_OPTS_BOOT(struct update_opts, dev),
    CLI_OPT_JSON(struct update_opts, json),
    CLI_OPT_END,
};

const struct cli_verb update_verb = {
    .name = "update",
    .usage = "FLASH URL",
    .summary = "run one OTA session: download, check, write, make bootable",
    .text =
        "The running slot is the one that porta explain says boots; the next\n"
        "one is written. Nothing that boots changes before the whole image is\n"
        "verified. Ends with 3 when there is nothing new (304, 204, or the\n"
        "same project and version run already). It does not reset the\n"
        "device: that is porta reset, or porta device.\n"
        "\n"
        "--data brings files that the application needs: they count, and are\n"
        "given up, together with the slot that they go with. --partition\n"
        "brings something else; it is complete, or as it was, when the next\n"
        "update or porta_ota_finish_copy() has finished what was cut.",
    .example = "porta update device.bin https://localhost:8070/app.bin "
               "--cacert porta-certs/ca.pem",
    .opts = options,
    .arg_min = 2,
    .arg_max = 2,
};

static int check_headers(const struct cli_list *list)
{
    for (int i = 0; i < list->cnt; i++)
        if (!strchr(list->val[i], ':'))
            return cli_usage(&update_verb,
                             "a header needs 'Name: value', there is no colon");
    return CLI_GO;
}

static int check_oauth2(const struct update_opts *o)
{
    if (!o->oauth2_url &&
        (o->client_id || o->client_secret || o->refresh_token || o->scope))
        return cli_usage(&update_verb,
                         "--client-id, --client-secret, --refresh-token and "
                         "--scope need --oauth2-token-url");
    if (!o->oauth2_url)
        return CLI_GO;
    if (!o->client_id || (!o->client_secret && !o->refresh_token))
        return cli_usage(&update_verb,
                         "--oauth2-token-url needs --client-id, and "
                         "--client-secret or --refresh-token");
    if (o->user || o->bearer)
        return cli_usage(&update_verb, "--oauth2-token-url excludes --user "
                                       "and --bearer");
    return CLI_GO;
}

static int check_parts(const struct update_opts *o)
{
    if (o->in_place && (!o->partition || o->slot))
        return cli_usage(&update_verb, "--in-place goes with --partition, and "
                                       "without --slot");
    if (o->partition && (o->final || o->data.cnt > 0))
        return cli_usage(&update_verb, "--partition excludes --final and "
                                       "--data");
    for (int i = 0; i < o->data.cnt; i++) {
        const char *eq = strchr(o->data.val[i], '=');
        if (!eq || eq == o->data.val[i] || !eq[1])
            return cli_usage(&update_verb, "--data takes NAME=URL, such as "
                                           "www=https://host/www.bin");
    }
    return CLI_GO;
}

int update_opts_check(const struct update_opts *o)
{
    int status = check_oauth2(o);

    if (status == CLI_GO)
        status = check_parts(o);

    if (status == CLI_GO)
        status = check_headers(&o->headers);
    if (status == CLI_GO)
        status = check_headers(&o->secret_headers);
    if (status != CLI_GO)
        return status;
    status = update_tls_check(o);
    if (status != CLI_GO)
        return status;
    if (o->user && o->bearer)
        return cli_usage(&update_verb,
                         "--user and --bearer exclude each other");
    return CLI_GO;
}

uint32_t update_opts_stall_ms(const struct update_opts *o)
{
    return o->stall_timeout_ms ? o->stall_timeout_ms : STALL_TIMEOUT_MS;
}

static esp_err_t load_login(const struct update_opts *o, struct update_trust *t,
                            struct http_opts *http, struct diag *d)
{
    esp_err_t err;
    char *colon;

    if (o->bearer)
        return cli_read_secret(o->bearer, &t->bearer, d);
    if (!o->user)
        return ESP_OK;
    err = cli_read_secret(o->user, &t->user, d);
    if (err)
        return err;
    colon = strchr((char *)t->user.ptr, ':');
    if (!colon)
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "--user needs name:password, there is no colon");
    *colon = '\0';
    http->username = (const char *)t->user.ptr;
    http->password = colon + 1;
    http->auth = HTTP_AUTH_BASIC;
    return ESP_OK;
}

static esp_err_t load_proxy(const struct update_opts *o, struct update_trust *t,
                            struct http_opts *http, struct diag *d)
{
    struct http_url url;

    if (!o->proxy)
        return ESP_OK;
    esp_err_t err = cli_read_secret(o->proxy, &t->proxy, d);
    if (err)
        return err;
    http->proxy = (const char *)t->proxy.ptr;
    if (http_url_parse(span_str(http->proxy), &url) == ESP_OK &&
        !url.is_https && url.path.len <= 1 && !url.has_query)
        return ESP_OK;
    return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                     "--proxy must be http://[user:password@]host:port; what "
                     "goes through it is protected by the server's TLS");
}

esp_err_t update_opts_http(const struct update_opts *o, bool is_https,
                           struct update_trust *t, struct http_opts *http,
                           struct diag *d)
{
    esp_err_t err = update_tls_load(o, is_https, t, &http->tls, d);

    if (!err)
        err = load_login(o, t, http, d);
    if (!err)
        err = load_proxy(o, t, http, d);
    http->timeout_ms = update_opts_stall_ms(o);
    http->connect_timeout_ms = o->connect_timeout_ms ? o->connect_timeout_ms
                               : o->stall_timeout_ms ? o->stall_timeout_ms
                                                     : CONNECT_TIMEOUT_MS;
    http->follow = true;
    return err;
}

/* No fault of the command line. */
static esp_err_t no_room(struct diag *d)
{
    return diag_fail(d, DIAG_STAGE_HTTP, ESP_ERR_NO_MEM,
                     "out of memory for a header of the request");
}

/* "Name: value" of the command line; the value may be a secret, so it is in
 * no message. */
static esp_err_t add_header(struct http_client *client, const char *text,
                            struct diag *d)
{
    const char *colon = strchr(text, ':');
    const char *value = colon + 1 + strspn(colon + 1, " \t");
    char name[128];
    esp_err_t err;

    snprintf(name, sizeof(name), "%.*s", (int)(colon - text), text);
    err = http_set_header(client, name, value);
    if (!err || err == ESP_ERR_NO_MEM)
        return err ? no_room(d) : ESP_OK;
    return diag_fail(d, DIAG_STAGE_ARGS, err,
                     "'%s: ...' is no header that can be sent", name);
}

static esp_err_t add_secret(struct http_client *client, const char *text,
                            struct diag *d)
{
    char name[128];
    esp_err_t err = add_header(client, text, d);

    snprintf(name, sizeof(name), "%.*s", (int)strcspn(text, ":"), text);
    http_mark_secret(client, name);
    return err;
}

static esp_err_t add_bearer(struct http_client *client,
                            const struct cli_bytes *token, struct diag *d)
{
    size_t len = token->len + sizeof("Bearer ");
    char *value = malloc(len);
    esp_err_t err = ESP_ERR_NO_MEM;

    if (value) {
        snprintf(value, len, "Bearer %s", (const char *)token->ptr);
        err = http_set_header(client, "Authorization", value);
        ct_wipe(value, len);
    }
    free(value);
    if (!err || err == ESP_ERR_NO_MEM)
        return err ? no_room(d) : ESP_OK;
    return diag_fail(d, DIAG_STAGE_ARGS, err,
                     "--bearer: the token cannot be sent in a header");
}

esp_err_t update_opts_headers(const struct update_opts *o,
                              const struct update_trust *t,
                              struct http_client *client, struct diag *d)
{
    esp_err_t err = ESP_OK;

    if (t->bearer.ptr)
        err = add_bearer(client, &t->bearer, d);
    for (int i = 0; !err && i < o->headers.cnt; i++)
        err = add_header(client, o->headers.val[i], d);
    for (int i = 0; !err && i < o->secret_headers.cnt; i++)
        err = add_secret(client, o->secret_headers.val[i], d);
    return err;
}

void update_trust_free(struct update_trust *t)
{
    cli_bytes_free(&t->ca);
    cli_bytes_free(&t->cert);
    cli_bytes_free(&t->key);
    cli_bytes_free(&t->pass);
    cli_bytes_free(&t->bundle);
    psk_arg_free(&t->psk);
    cli_bytes_free(&t->user);
    cli_bytes_free(&t->bearer);
    cli_bytes_free(&t->proxy);
}
