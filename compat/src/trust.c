/* The authorities that esp_crt_bundle_attach() trusts: the machine's and the
 * project's own, as the options say. */
#include "trust.h"

#include <string.h>

#include "linux_trust.h"
#include "porta/app_config.h"

static const char *place(void *ctx)
{
    (void)ctx;
    if (!porta_app_config.bundle)
        return "CONFIG_MBEDTLS_CERTIFICATE_BUNDLE is off";
    if (!porta_app_config.bundle_system)
        return "the project's own certificates";
    return linux_trust.place(linux_trust.ctx);
}

/* Appends the project's own to what the machine had (ours to free). */
static esp_err_t append_own(const struct port_heap *heap, uint8_t **pem,
                            size_t *len)
{
    size_t own_len = strlen(porta_app_config.bundle_pem);
    uint8_t *all = heap->alloc(heap->ctx, *len + own_len + 2);
    if (!all) {
        heap->free(heap->ctx, *pem);
        *pem = NULL;
        return ESP_ERR_NO_MEM;
    }
    if (*pem)
        memcpy(all, *pem, *len);
    all[*len] = '\n'; /* the machine's file may end without one */
    memcpy(all + *len + 1, porta_app_config.bundle_pem, own_len + 1);
    heap->free(heap->ctx, *pem);
    *pem = all;
    *len += own_len + 1;
    return ESP_OK;
}

static esp_err_t load(void *ctx, const struct port_heap *heap, uint8_t **out,
                      size_t *len)
{
    const struct porta_app_config *app = &porta_app_config;
    esp_err_t err = ESP_ERR_NOT_FOUND;
    (void)ctx;
    *out = NULL;
    *len = 0;
    if (app->bundle && app->bundle_system)
        err = linux_trust.load(linux_trust.ctx, heap, out, len);
    if (!app->bundle || app->bundle_pem[0] == '\0')
        return err;
    /* A machine without a store still has what the project brought. */
    if (err && err != ESP_ERR_NOT_FOUND)
        return err;
    return append_own(heap, out, len);
}

const struct port_trust compat_trust = { NULL, load, place };
