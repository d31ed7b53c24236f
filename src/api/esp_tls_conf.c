/* esp_tls_cfg_t and esp_tls_cfg_server_t, taken apart. */
#define _DEFAULT_SOURCE 1 /* struct ifreq */

#include "api/tls_handle.h"

/* lint-ok: layers, applications fill in struct ifreq */
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "api/trust.h"

static struct span buf(const void *ptr, size_t len)
{
    return ptr ? span_of(ptr, len) : span_of(NULL, 0);
}

esp_err_t api_tls_key(const esp_key_config_t *key, struct span *out,
                      struct span *password)
{
    const void *data = key->buffer.data;
    size_t len = key->buffer.len;

    if (key->source != ESP_KEY_SOURCE_BUFFER || !data ||
        key->buffer.format == ESP_KEY_FORMAT_RAW)
        return ESP_ERR_NOT_SUPPORTED;
    *out = len > 0 ? span_of(data, len) : span_str(data);
    if (key->buffer.password && key->buffer.password_len > 0)
        *password = span_of(key->buffer.password, key->buffer.password_len);
    return ESP_OK;
}

static esp_err_t key_failed(esp_err_t err, struct diag *d)
{
    return diag_fail(d, DIAG_STAGE_ARGS, err,
                     "only a private key in a buffer, PEM or DER, can be used");
}

static esp_err_t no_hardware(struct diag *d)
{
    return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_NOT_SUPPORTED,
                     "this device has no secure element and no ECDSA or DS "
                     "peripheral");
}

static enum tls_version version_of(esp_tls_proto_ver_t version)
{
    if (version == ESP_TLS_VER_TLS_1_2)
        return TLS_VERSION_1_2;
    return version == ESP_TLS_VER_TLS_1_3 ? TLS_VERSION_1_3 : TLS_VERSION_ANY;
}

static esp_err_t take_psk(const psk_hint_key_t *psk, struct span *key,
                          struct span *identity, struct diag *d)
{
    if (!psk->key || psk->key_size == 0 || !psk->hint)
        return diag_fail(d, DIAG_STAGE_ARGS,
                         ESP_ERR_MBEDTLS_SSL_CONF_PSK_FAILED,
                         "psk_hint_key needs a key and a hint");
    if (!pol_psk(api_device()->boot.policy))
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_MBEDTLS_SSL_SETUP_FAILED,
                         "psk_hint_key is set, but ESP_TLS_PSK_VERIFICATION is "
                         "off");
    *key = span_of(psk->key, psk->key_size);
    *identity = span_str(psk->hint);
    return ESP_OK;
}

/* The first that is set counts. */
static esp_err_t take_trust(const esp_tls_cfg_t *cfg, struct tls_conf *conf,
                            struct diag *d)
{
    if (cfg->crt_bundle_attach) {
        conf->attach = cfg->crt_bundle_attach;
    } else if (cfg->use_global_ca_store) {
        conf->store = api_trust_store();
        if (!conf->store)
            return diag_fail(d, DIAG_STAGE_TLS, ESP_ERR_NO_MEM,
                             "out of memory");
    } else if (cfg->cacert_buf) {
        conf->ca = buf(cfg->cacert_buf, cfg->cacert_bytes);
    } else if (cfg->psk_hint_key) {
        return take_psk(cfg->psk_hint_key, &conf->psk, &conf->psk_identity, d);
    }
    return ESP_OK;
}

static esp_err_t take_own(const esp_tls_cfg_t *cfg, struct tls_conf *conf,
                          struct diag *d)
{
    conf->client_cert = buf(cfg->clientcert_buf, cfg->clientcert_bytes);
    conf->client_key_password =
        buf(cfg->clientkey_password, cfg->clientkey_password_len);
    if (!cfg->client_key || cfg->client_key->source == ESP_KEY_SOURCE_NONE) {
        conf->client_key = buf(cfg->clientkey_buf, cfg->clientkey_bytes);
        return ESP_OK;
    }
    if (conf->client_cert.len == 0)
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "client_key needs a client certificate");
    esp_err_t err = api_tls_key(cfg->client_key, &conf->client_key,
                                &conf->client_key_password);
    return err ? key_failed(err, d) : ESP_OK;
}

static int or_default(int value, int fallback)
{
    return value > 0 ? value : fallback;
}

static void take_net(struct esp_tls *t, const esp_tls_cfg_t *cfg)
{
    const tls_keep_alive_cfg_t *alive = cfg->keep_alive_cfg;

    t->net = (struct port_net_opts){ .bind_if = NULL };
    if (cfg->addr_family == ESP_TLS_AF_INET)
        t->net.addr_family = 4;
    else if (cfg->addr_family == ESP_TLS_AF_INET6)
        t->net.addr_family = 6;
    if (alive && alive->keep_alive_enable) {
        t->net.keep_idle_s = or_default(alive->keep_alive_idle, 5);
        t->net.keep_interval_s = or_default(alive->keep_alive_interval, 5);
        t->net.keep_cnt = or_default(alive->keep_alive_count, 3);
    }
    if (cfg->if_name) {
        (void)snprintf(t->if_name, sizeof(t->if_name), "%s",
                       cfg->if_name->ifr_name);
        t->net.bind_if = t->if_name;
    }
}

esp_err_t api_tls_take(struct esp_tls *t, const esp_tls_cfg_t *cfg,
                       struct diag *d)
{
    t->plain = cfg->is_plain_tcp;
    t->non_block = cfg->non_block;
    t->timeout_ms =
        (uint32_t)or_default(cfg->timeout_ms, (int)API_TLS_TIMEOUT_MS);
    take_net(t, cfg);
    t->conf = (struct tls_conf){ .name = cfg->common_name,
                                 .skip_name_check = cfg->skip_common_name,
                                 .alpn = (const char *const *)cfg->alpn_protos,
                                 .suites = cfg->ciphersuites_list,
                                 .keep_ticket = true,
                                 .keep_cert = true };
    if (t->plain)
        return ESP_OK;
    if (cfg->use_secure_element || cfg->use_ecdsa_peripheral || cfg->ds_data)
        return no_hardware(d);
    t->conf.min = t->conf.max = version_of(cfg->tls_version);
    t->conf.floor = api_trust_floor();
    t->offer = (struct tls_ticket *)cfg->client_session;
    esp_err_t err = take_trust(cfg, &t->conf, d);
    if (!err)
        err = take_own(cfg, &t->conf, d);
    if (!err)
        tls_conf_obey(&t->conf, api_device()->boot.policy, t->host);
    return err;
}

static esp_err_t take_server_own(const esp_tls_cfg_server_t *cfg,
                                 struct tls_server_conf *out, struct diag *d)
{
    out->cert = buf(cfg->servercert_buf, cfg->servercert_bytes);
    out->key_password =
        buf(cfg->serverkey_password, cfg->serverkey_password_len);
    if (!cfg->server_key || cfg->server_key->source == ESP_KEY_SOURCE_NONE) {
        out->key = buf(cfg->serverkey_buf, cfg->serverkey_bytes);
        return ESP_OK;
    }
    esp_err_t err = api_tls_key(cfg->server_key, &out->key, &out->key_password);
    return err ? key_failed(err, d) : ESP_OK;
}

esp_err_t api_tls_take_server(const esp_tls_cfg_server_t *cfg,
                              struct tls_server_conf *out, struct diag *d)
{
    *out = (struct tls_server_conf){
        .client_ca = buf(cfg->cacert_buf, cfg->cacert_bytes),
        .client_optional = cfg->client_cert_authmode_optional,
        .alpn = (const char *const *)cfg->alpn_protos,
        .suites = cfg->ciphersuites_list,
        .select = cfg->cert_select_cb,
        .select_ctx = cfg->userdata,
        .tickets = (const struct tls_tickets *)cfg->ticket_ctx,
        .dates = pol_cert_dates(api_device()->boot.policy),
    };
    if (cfg->use_secure_element || cfg->use_ecdsa_peripheral)
        return no_hardware(d);
    if (cfg->cert_select_cb && !pol_cert_select(api_device()->boot.policy))
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_NOT_SUPPORTED,
                         "cert_select_cb is set, but "
                         "ESP_TLS_SERVER_CERT_SELECT_HOOK is off");
    out->min = out->max = version_of(cfg->tls_version);
    if (cfg->psk_hint_key) {
        esp_err_t err =
            take_psk(cfg->psk_hint_key, &out->psk, &out->psk_identity, d);
        if (err)
            return err;
    }
    return take_server_own(cfg, out, d);
}
