#include "keep.h"

#include "kv/kv.h"

#define NS "porta"

static esp_err_t open_ns(const struct keep *k, bool create, struct kv **kv,
                         struct kv_ns *ns)
{
    esp_err_t err = kv_mount(k->parts, k->part, k->heap, kv);

    return err ? err : kv_open(*kv, NS, create, ns);
}

static esp_err_t keep_load(void *ctx, const char *key, char *out,
                           size_t out_len)
{
    struct kv *kv = NULL;
    struct kv_ns ns;
    esp_err_t err = open_ns(ctx, false, &kv, &ns);

    if (!err)
        err = kv_get_str(&ns, key, out, &out_len);
    kv_unmount(kv);
    return err == ESP_ERR_NVS_INVALID_LENGTH ? ESP_ERR_INVALID_SIZE
           : err                             ? ESP_ERR_NOT_FOUND
                                             : ESP_OK;
}

static esp_err_t keep_save(void *ctx, const char *key, const char *text)
{
    struct kv *kv = NULL;
    struct kv_ns ns;
    esp_err_t err = open_ns(ctx, true, &kv, &ns);

    if (!err)
        err = kv_set_str(&ns, key, text);
    kv_unmount(kv);
    return err;
}

static esp_err_t keep_clear(void *ctx, const char *key)
{
    struct kv *kv = NULL;
    struct kv_ns ns;
    esp_err_t err = open_ns(ctx, true, &kv, &ns);

    if (!err)
        err = kv_erase(&ns, key);
    kv_unmount(kv);
    return err == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : err;
}

struct upd_store keep_store(struct keep *k)
{
    return (struct upd_store){ k, keep_load, keep_save, keep_clear };
}
