/* Every write goes through touch(), before the flash sees it: a write that
 * fails half-way has changed the range as much as one that succeeds, and a
 * receipt over it has to go stale in both cases. */
#include "part/part.h"

#include <string.h>

#include "base/bytes.h"

#define COMPARE_LEN 512u

/* --- open ----------------------------------------------------------------- */

esp_err_t part_dev_open(struct part_dev *dev, const struct port_flash *flash,
                        uint32_t table_off)
{
    uint8_t bytes[PART_TABLE_MAX_LEN];
    esp_err_t err;

    memset(dev, 0, sizeof(*dev));
    dev->flash = flash;
    dev->table_off = table_off;
    err = flash->read(flash->ctx, table_off, bytes, sizeof(bytes));
    if (err)
        return err;
    if (bytes_are(bytes, sizeof(bytes), 0xFF))
        return ESP_ERR_NOT_FOUND;
    return part_table_parse(span_of(bytes, sizeof(bytes)), flash->size_len,
                            &dev->table);
}

/* --- ranges --------------------------------------------------------------- */

/* Inside the entry, in the order of checks of reference 2.6; and inside the
 * flash, so that e->off + off cannot wrap for an entry that nobody checked. */
static esp_err_t range_check(const struct part_dev *dev,
                             const struct part_entry *e, uint32_t off,
                             size_t len)
{
    if (off > e->len)
        return ESP_ERR_INVALID_ARG;
    if (len > e->len - off)
        return ESP_ERR_INVALID_SIZE;
    if (e->off > dev->flash->size_len || e->len > dev->flash->size_len - e->off)
        return ESP_ERR_INVALID_SIZE;
    return ESP_OK;
}

static bool overlaps(const struct part_entry *e, uint32_t off, uint64_t len)
{
    return off < (uint64_t)e->off + e->len && e->off < off + len;
}

static void touch(struct part_dev *dev, uint32_t off, size_t len)
{
    /* Each write has a number of its own: whichever of two writes at once is
     * noted last, a receipt from before either of them is stale. */
    uint32_t now = ++dev->write_cnt;

    for (uint32_t i = 0; i < dev->table.cnt; i++) {
        if (overlaps(&dev->table.entries[i], off, len))
            dev->gen[i] = now;
    }
    for (uint32_t i = 0; i < dev->extra_cnt; i++) {
        if (overlaps(&dev->extra[i], off, len))
            dev->gen[PART_MAX_ENTRIES + i] = now;
    }
}

/* --- access --------------------------------------------------------------- */

esp_err_t part_read(const struct part_dev *dev, const struct part_entry *e,
                    uint32_t off, void *dst, size_t len)
{
    esp_err_t err = range_check(dev, e, off, len);

    if (err || len == 0)
        return err;
    return dev->flash->read(dev->flash->ctx, e->off + off, dst, len);
}

esp_err_t part_prog(struct part_dev *dev, const struct part_entry *e,
                    uint32_t off, const void *src, size_t len)
{
    esp_err_t err;

    if (e->flags & PART_FLAG_READONLY)
        return ESP_ERR_NOT_ALLOWED;
    err = range_check(dev, e, off, len);
    if (err || len == 0)
        return err;
    touch(dev, e->off + off, len);
    return dev->flash->prog(dev->flash->ctx, e->off + off, src, len);
}

esp_err_t part_compare(const struct part_dev *dev, const struct part_entry *e,
                       uint32_t off, struct span want)
{
    uint8_t got[COMPARE_LEN];
    esp_err_t err = ESP_OK;

    for (size_t at = 0; !err && at < want.len; at += COMPARE_LEN) {
        size_t step = want.len - at < COMPARE_LEN ? want.len - at : COMPARE_LEN;
        err = part_read(dev, e, off + (uint32_t)at, got, step);
        if (!err && memcmp(got, want.ptr + at, step) != 0)
            err = ESP_ERR_FLASH_OP_FAIL;
    }
    return err;
}

esp_err_t part_put(struct part_dev *dev, const struct part_entry *e,
                   uint32_t off, struct span src)
{
    esp_err_t err = part_prog(dev, e, off, src.ptr, src.len);

    return err ? err : part_compare(dev, e, off, src);
}

esp_err_t part_erase_sector(struct part_dev *dev, const struct part_entry *e,
                            uint32_t off)
{
    uint32_t sector_len = dev->flash->erase_len;
    esp_err_t err;

    if (e->flags & PART_FLAG_READONLY)
        return ESP_ERR_NOT_ALLOWED;
    err = range_check(dev, e, off, sector_len);
    if (err)
        return err;
    if (off % sector_len != 0)
        return ESP_ERR_INVALID_ARG;
    touch(dev, e->off + off, sector_len);
    return dev->flash->erase(dev->flash->ctx, e->off + off);
}

/* --- generations ---------------------------------------------------------- */

uint32_t part_gen(const struct part_dev *dev, const struct part_entry *e)
{
    for (uint32_t i = 0; i < dev->table.cnt; i++) {
        if (dev->table.entries[i].off == e->off &&
            dev->table.entries[i].len == e->len)
            return dev->gen[i];
    }
    for (uint32_t i = 0; i < dev->extra_cnt; i++) {
        if (dev->extra[i].off == e->off && dev->extra[i].len == e->len)
            return dev->gen[PART_MAX_ENTRIES + i];
    }
    /* A range that nobody watches: any write may have touched it. */
    return dev->write_cnt;
}

/* --- entries registered at run time --------------------------------------- */

static bool range_taken(const struct part_dev *dev, const struct part_entry *e)
{
    for (uint32_t i = 0; i < dev->table.cnt; i++) {
        if (overlaps(&dev->table.entries[i], e->off, e->len))
            return true;
    }
    for (uint32_t i = 0; i < dev->extra_cnt; i++) {
        if (overlaps(&dev->extra[i], e->off, e->len))
            return true;
    }
    return false;
}

esp_err_t part_extra_add(struct part_dev *dev, const struct part_entry *e)
{
    if (e->off > dev->flash->size_len || e->len > dev->flash->size_len - e->off)
        return ESP_ERR_INVALID_SIZE;
    if (range_taken(dev, e))
        return ESP_ERR_INVALID_ARG;
    if (dev->extra_cnt == PART_EXTRA_ENTRIES)
        return ESP_ERR_NO_MEM;
    /* The range may have been written while nobody watched it: a receipt from
     * an earlier registration must not fit this one. */
    dev->gen[PART_MAX_ENTRIES + dev->extra_cnt] = ++dev->write_cnt;
    dev->extra[dev->extra_cnt++] = *e;
    return ESP_OK;
}

esp_err_t part_extra_remove(struct part_dev *dev, uint32_t idx)
{
    _Atomic uint32_t *gen = dev->gen + PART_MAX_ENTRIES;

    if (idx >= dev->extra_cnt)
        return ESP_ERR_NOT_FOUND;
    dev->extra_cnt--;
    for (; idx < dev->extra_cnt; idx++) {
        dev->extra[idx] = dev->extra[idx + 1];
        gen[idx] = gen[idx + 1];
    }
    return ESP_OK;
}
