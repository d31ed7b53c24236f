/* The authorities that everybody trusts.
 *
 * The machine's store is read when it is first needed and kept as a bundle: of
 * Debian's 143 certificates, 220 kB, that is 67 kB. */
#include "esp_crt_bundle.h"

#include "api/http_handle.h"
#include "api/trust.h"
#include "base/log.h"

static const char tag[] = "esp-x509-crt-bundle";

static esp_err_t build(struct span pem, struct span *out, struct diag *d)
{
    struct tls_bundle_build b = { .heap = api_device()->boot.heap };
    esp_err_t err = tls_bundle_add(&b, pem, d);

    if (!err)
        err = tls_bundle_finish(&b, out, d);
    tls_bundle_build_free(&b);
    return err;
}

/* In place of what is there: nothing. */
static esp_err_t load_system(struct api_trust *trust)
{
    const struct port_trust *port = api_device()->boot.trust;
    const struct port_heap *heap = api_device()->boot.heap;
    struct diag d = DIAG_NONE;
    uint8_t *pem = NULL;
    size_t len = 0;

    if (!port) {
        LOGE(tag, "this device has no store of certificates: give it a bundle "
                  "with esp_crt_bundle_set()");
        return ESP_ERR_NOT_FOUND;
    }
    esp_err_t err = port->load(port->ctx, heap, &pem, &len);
    if (!err)
        err = build(span_of(pem, len + 1), &trust->system, &d);
    api_free(pem);
    if (!err)
        err = tls_bundle_parse(trust->system, &trust->bundle);
    if (err)
        LOGE(tag, "the machine's certificates cannot be used: %s: %s",
             port->place(port->ctx), d.err ? d.text : err_name(err));
    return err;
}

esp_err_t esp_crt_bundle_attach(void *conf)
{
    struct api_trust *trust = &api_device()->trust;
    esp_err_t err = ESP_OK;

    api_lock();
    if (trust->bundle.cnt == 0)
        err = load_system(trust);
    api_unlock();
    if (!err && conf)
        tls_bundle_attach(conf, &trust->bundle);
    return err;
}

void esp_crt_bundle_detach(mbedtls_ssl_config *conf)
{
    if (conf)
        tls_bundle_detach(conf);
}

esp_err_t esp_crt_bundle_set(const uint8_t *x509_bundle, size_t bundle_size)
{
    struct api_trust *trust = &api_device()->trust;
    struct tls_bundle bundle;

    if (!x509_bundle || tls_bundle_parse(span_of(x509_bundle, bundle_size),
                                         &bundle) != ESP_OK) {
        LOGE(tag,
             "these %zu bytes are no certificate bundle: make one with "
             "porta bundle build",
             bundle_size);
        return ESP_ERR_INVALID_ARG;
    }
    api_lock();
    trust->bundle = bundle;
    api_free(api_writable(trust->system.ptr));
    trust->system = span_of(NULL, 0);
    api_unlock();
    return ESP_OK;
}

bool esp_crt_bundle_in_use(const mbedtls_x509_crt *ca_chain)
{
    return tls_bundle_is_list(ca_chain);
}
