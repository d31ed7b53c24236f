/* The store that all connections may share.
 *
 * HTTP clients hold on to it for as long as they live. So it is made once and
 * only emptied; whether the application thinks that it is there is a flag. */
#include "api/http_handle.h"
#include "api/tls_handle.h"
#include "api/trust.h"
#include "base/log.h"

static const char tag[] = "esp-tls";

struct tls_store *api_trust_store(void)
{
    struct api_trust *trust = &api_device()->trust;

    api_lock();
    if (!trust->store)
        trust->store = tls_store_new();
    api_unlock();
    return trust->store;
}

struct tls_floor *api_trust_floor(void)
{
    struct api_device *device = api_device();

    return device->boot.floor ? device->boot.floor : &device->trust.floor;
}

void api_trust_free(void)
{
    struct api_trust *trust = &api_device()->trust;

    tls_store_free(trust->store);
    api_free(api_writable(trust->system.ptr));
    *trust = (struct api_trust){ .store = NULL };
}

esp_err_t esp_tls_init_global_ca_store(void)
{
    struct tls_store *store = api_trust_store();

    if (!store)
        return ESP_ERR_NO_MEM;
    api_device()->trust.store_there = true;
    return ESP_OK;
}

esp_err_t esp_tls_set_global_ca_store(const unsigned char *cacert_pem_buf,
                                      const unsigned int cacert_pem_bytes)
{
    unsigned bad_cnt = 0;

    if (!cacert_pem_buf)
        return ESP_ERR_INVALID_ARG;
    esp_err_t err = esp_tls_init_global_ca_store();
    if (err)
        return err;
    api_lock();
    err = tls_store_set(api_device()->trust.store,
                        span_of(cacert_pem_buf, cacert_pem_bytes), &bad_cnt);
    api_unlock();
    if (err)
        LOGE(tag,
             "the global store is empty: none of %u bytes is a "
             "certificate that can be read",
             cacert_pem_bytes);
    if (err || bad_cnt == 0)
        return err;
    LOGW(tag, "%u of the certificates for the global store cannot be read",
         bad_cnt);
    return ESP_ERR_MBEDTLS_CERT_PARTLY_OK;
}

mbedtls_x509_crt *esp_tls_get_global_ca_store(void)
{
    const struct api_trust *trust = &api_device()->trust;

    return trust->store_there ? tls_store_library(trust->store) : NULL;
}

void esp_tls_free_global_ca_store(void)
{
    struct api_trust *trust = &api_device()->trust;

    api_lock();
    if (trust->store)
        tls_store_clear(trust->store);
    trust->store_there = false;
    api_unlock();
}
