/* Reading a partition that may hold anything, until it is a store again. */
#include "kv/kv_priv.h"

static esp_err_t check(const struct port_flash *flash,
                       const struct part_entry *part)
{
    if (flash->prog_once || flash->erase_len != KV_PAGE_LEN ||
        flash->prog_len == 0 || 4 % flash->prog_len != 0)
        return ESP_ERR_NOT_SUPPORTED;
    if (part->off % KV_PAGE_LEN != 0 || part->len < KV_PAGE_LEN)
        return ESP_ERR_INVALID_ARG;
    return ESP_OK;
}

static struct kv *alloc(const struct port_heap *heap, uint32_t page_cnt)
{
    size_t pages_len = page_cnt * sizeof(struct kv_page);
    size_t order_len = page_cnt * sizeof(uint32_t);
    struct kv *kv = heap->alloc(heap->ctx, sizeof(*kv) + pages_len + order_len);

    if (kv) {
        kv->heap = heap;
        kv->page_cnt = page_cnt;
        kv->order = (uint32_t *)(void *)(kv->pages + page_cnt);
    }
    return kv;
}

esp_err_t kv_mount(struct part_dev *dev, const struct part_entry *part,
                   const struct port_heap *heap, struct kv **out)
{
    struct kv *kv;
    esp_err_t err = check(dev->flash, part);

    *out = NULL;
    if (err)
        return err;
    kv = alloc(heap, part->len / KV_PAGE_LEN);
    if (!kv)
        return ESP_ERR_NO_MEM;
    kv->dev = dev;
    kv->part = *part;
    kv->readonly = (part->flags & PART_FLAG_READONLY) != 0;
    err = !kv->readonly && kv->page_cnt < 2 ? ESP_ERR_NVS_NO_FREE_PAGES
                                            : kv_load(kv);
    if (err) {
        kv_unmount(kv);
        kv = NULL;
    }
    *out = kv;
    return err;
}

void kv_unmount(struct kv *kv)
{
    if (kv)
        kv->heap->free(kv->heap->ctx, kv);
}
