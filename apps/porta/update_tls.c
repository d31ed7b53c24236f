#include "update_tls.h"

#include <string.h>

#include "linux_heap.h"
#include "trust_file.h"

#define PEM_MAX_LEN (4u * 1024u * 1024u)

static bool version_of(const char *text, enum tls_version *out)
{
    *out = TLS_VERSION_ANY;
    if (text && strcmp(text, "1.2") == 0)
        *out = TLS_VERSION_1_2;
    else if (text && strcmp(text, "1.3") == 0)
        *out = TLS_VERSION_1_3;
    return !text || *out != TLS_VERSION_ANY;
}

int update_tls_check(const struct update_opts *o)
{
    enum tls_version min, max;

    if (!version_of(o->tls_min, &min))
        return cli_usage(&update_verb, "--tls-min %s: it is 1.2 or 1.3",
                         o->tls_min);
    if (!version_of(o->tls_max, &max))
        return cli_usage(&update_verb, "--tls-max %s: it is 1.2 or 1.3",
                         o->tls_max);
    if (max != TLS_VERSION_ANY && min > max)
        return cli_usage(&update_verb, "--tls-min is above --tls-max");
    if (!o->cert != !o->key)
        return cli_usage(&update_verb, "--cert and --key go together");
    if (o->pass && !o->key)
        return cli_usage(&update_verb, "--pass is the password of --key");
    if (o->psk && (o->cacert || o->capath || o->cert || o->insecure))
        return cli_usage(&update_verb,
                         "--psk excludes --cacert, --capath, --cert and "
                         "--insecure: it proves both sides");
    return CLI_GO;
}

/* --- certificates --------------------------------------------------------- */

static struct span pem(const struct cli_bytes *b)
{
    return b->len ? span_of(b->ptr, b->len + 1) : span_of(NULL, 0);
}

/* A compact bundle is known by its form: PEM and DER have another. */
static esp_err_t load_cacert(const struct update_opts *o,
                             struct update_trust *t, struct tls_conf *tls,
                             struct diag *d)
{
    struct tls_bundle bundle;
    esp_err_t err = cli_read_file(o->cacert, PEM_MAX_LEN, &t->ca, d);

    if (err)
        return err;
    struct span bytes = span_of(t->ca.ptr, t->ca.len);
    if (!o->capath && tls_bundle_parse(bytes, &bundle) == ESP_OK)
        tls->bundle = bytes;
    else
        tls->ca = pem(&t->ca);
    return ESP_OK;
}

static esp_err_t load_bundle(const char *path, struct update_trust *t,
                             struct tls_conf *tls, struct diag *d)
{
    struct tls_bundle_build b = { .heap = &linux_heap };
    esp_err_t err = path ? trust_add(&b, path, d) : trust_add_system(&b, d);

    if (!err)
        err = trust_finish(&b, &t->bundle, d);
    tls_bundle_build_free(&b);
    tls->bundle = span_of(t->bundle.ptr, t->bundle.len);
    return err;
}

/* The machine's store is not needed for plain HTTP, unless a redirect leads to
 * HTTPS; the handshake refuses then. */
static esp_err_t load_system(const struct update_opts *o, bool is_https,
                             struct update_trust *t, struct tls_conf *tls,
                             struct diag *d)
{
    esp_err_t err = load_bundle(NULL, t, tls, d);

    if (err == ESP_FAIL && (o->insecure || !is_https)) {
        *d = (struct diag)DIAG_NONE;
        return ESP_OK;
    }
    if (err != ESP_ERR_NOT_FOUND || d->err)
        return err;
    if (o->insecure || !is_https)
        return ESP_OK;
    return diag_fail(d, DIAG_STAGE_TLS, ESP_ERR_NOT_FOUND,
                     "there is nothing to trust: this machine has no %s; name "
                     "a file of CA certificates with --cacert",
                     trust_system_place());
}

static esp_err_t load_own(const struct update_opts *o, struct update_trust *t,
                          struct tls_conf *tls, struct diag *d)
{
    esp_err_t err = ESP_OK;

    if (o->cert)
        err = cli_read_file(o->cert, PEM_MAX_LEN, &t->cert, d);
    if (!err && o->key)
        err = cli_read_file(o->key, PEM_MAX_LEN, &t->key, d);
    if (!err && o->pass)
        err = cli_read_secret(o->pass, &t->pass, d);
    tls->client_cert = pem(&t->cert);
    tls->client_key = pem(&t->key);
    tls->client_key_password = span_of(t->pass.ptr, t->pass.len);
    return err;
}

esp_err_t update_tls_load(const struct update_opts *o, bool is_https,
                          struct update_trust *t, struct tls_conf *tls,
                          struct diag *d)
{
    esp_err_t err = ESP_OK;

    tls->skip_verify = o->insecure;
    tls->keep_ticket = true;
    (void)version_of(o->tls_min, &tls->min); /* checked above */
    (void)version_of(o->tls_max, &tls->max);
    if (o->psk) {
        err = psk_arg_read(o->psk, &t->psk, d);
        tls->psk_identity = t->psk.identity;
        tls->psk = t->psk.key;
        return err;
    }
    if (o->cacert)
        err = load_cacert(o, t, tls, d);
    if (!err && o->capath)
        err = load_bundle(o->capath, t, tls, d);
    if (!err && !o->cacert && !o->capath)
        err = load_system(o, is_https, t, tls, d);
    return err ? err : load_own(o, t, tls, d);
}
