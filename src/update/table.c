/* table.c - a new partition table, before it takes the old one's place.
 *
 * A device whose table moves what runs, or the records that the bootloader
 * decides by, does not start again. So those rows are where they were. */
#include "update/priv.h"

#include "image/key_store.h"
#include "part/rules.h"

static esp_err_t refuse(struct upd *u, const char *what)
{
    return upd_fail(u, DIAG_STAGE_IMAGE, ESP_ERR_OTA_VALIDATE_FAILED,
                    "the new partition table %s", what);
}

/* Does the device need this row to start? */
static bool is_vital(const struct upd_device *dev, const struct part_entry *e)
{
    if (e->type == PART_TYPE_APP)
        return e->off == dev->running_off;
    return e->type == PART_TYPE_DATA &&
           (e->subtype == PART_DATA_OTA || e->subtype == PART_DATA_EFUSE ||
            e->subtype == KEY_STORE_SUBTYPE);
}

static bool has_row(const struct part_table *table, const struct part_entry *e)
{
    for (uint32_t i = 0; i < table->cnt; i++) {
        const struct part_entry *n = &table->entries[i];
        if (n->type == e->type && n->subtype == e->subtype &&
            n->off == e->off && n->len == e->len)
            return true;
    }
    return false;
}

static esp_err_t judge(struct upd *u, const struct part_table *table)
{
    const struct part_dev *parts = u->env.device->parts;
    struct part_rules rules = { .table_off = parts->table_off,
                                .at_zero = true,
                                .flash_len = parts->flash->size_len };
    struct diag why = DIAG_NONE;

    if (part_check(table, &rules, NULL, &why))
        return upd_fail(u, DIAG_STAGE_IMAGE, ESP_ERR_OTA_VALIDATE_FAILED,
                        "the new partition table is none for this device: %s",
                        why.text);
    for (uint32_t i = 0; i < parts->table.cnt; i++) {
        const struct part_entry *e = &parts->table.entries[i];
        if (is_vital(u->env.device, e) && !has_row(table, e))
            return upd_fail(u, DIAG_STAGE_IMAGE, ESP_ERR_OTA_VALIDATE_FAILED,
                            "the new partition table moves or drops %s, "
                            "without which this device does not start: leave "
                            "it at 0x%x with 0x%x bytes",
                            e->label, (unsigned)e->off, (unsigned)e->len);
    }
    return ESP_OK;
}

esp_err_t upd_table_check(struct upd *u)
{
    const struct port_heap *heap = u->env.http.heap;
    const struct port_flash *flash = u->env.device->parts->flash;
    struct {
        struct part_table table;
        uint8_t bytes[PART_TABLE_MAX_LEN];
    } *room = heap->alloc(heap->ctx, sizeof(*room));
    esp_err_t err;

    if (!room)
        return upd_fail(u, DIAG_STAGE_IMAGE, ESP_ERR_NO_MEM,
                        "there is no memory to check the partition table");
    err = part_read(u->env.device->parts, &u->target.staging, 0, room->bytes,
                    PART_TABLE_MAX_LEN);
    if (u->target.headless)
        memcpy(room->bytes, u->slot.head, SLOT_HEAD_LEN);
    if (!err && slot_taken(&u->slot) < PART_TABLE_MAX_LEN)
        memset(room->bytes + slot_taken(&u->slot), 0xFF,
               PART_TABLE_MAX_LEN - slot_taken(&u->slot));
    if (!err)
        err = part_table_parse(span_of(room->bytes, PART_TABLE_MAX_LEN),
                               flash->size_len, &room->table);
    err = err ? refuse(u, "that was received is damaged")
              : judge(u, &room->table);
    heap->free(heap->ctx, room);
    return err;
}
