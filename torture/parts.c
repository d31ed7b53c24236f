#include "parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appl.h"
#include "base/crc32.h"
#include "image/key_store.h"
#include "keep.h"
#include "settings.h"
#include "slot/slot.h"

#define FILE_LEN_MAX 6000u

/* A file of data, whose bytes nothing else in the flash has. */
static struct span file_for(const struct part_entry *e)
{
    static uint8_t bytes[FILE_LEN_MAX];
    uint32_t x = e->off;

    for (size_t i = 0; i < sizeof(bytes); i++) {
        x = x * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(x >> 24);
    }
    return span_of(bytes, e->len < sizeof(bytes) ? e->len : sizeof(bytes));
}

static bool holds_file(const struct world *w, const struct part_entry *e)
{
    struct span file = file_for(e);

    return memcmp(w->sim.bytes + e->off, file.ptr, file.len) == 0;
}

static uint32_t digest_of(const struct world *w, const struct part_entry *e)
{
    return crc32_le(0, w->sim.bytes + e->off, e->len);
}

/* --- by way of the slot --------------------------------------------------- */

static bool is_data(const struct part_entry *e)
{
    if (e->len < 4096 || e->flags & PART_FLAG_READONLY)
        return false;
    return e->type >= 0x40 ||
           (e->type == PART_TYPE_DATA && e->subtype >= PART_DATA_UNDEFINED &&
            e->subtype != KEY_STORE_SUBTYPE && e->subtype != PART_DATA_TEE_OTA);
}

static const struct part_entry *staged_part(const struct world *w)
{
    for (uint32_t i = 0; i < w->parts.table.cnt; i++)
        if (is_data(&w->parts.table.entries[i]))
            return &w->parts.table.entries[i];
    return NULL;
}

esp_err_t parts_staged_prepare(struct world *w, const char **why)
{
    const struct part_entry *part = staged_part(w);
    struct keep keep = { &w->parts, world_nvs(w), &w->heap.port };
    struct upd_store store = keep_store(&keep);

    *why = "there is no data partition that an update could write";
    if (!part || holds_file(w, part))
        return ESP_ERR_NOT_SUPPORTED;
    *why = "there is no nvs partition to note it in, or it is full";
    if (!world_nvs(w) || store.save(store.ctx, "copy", "x") ||
        store.clear(store.ctx, "copy"))
        return ESP_ERR_NOT_SUPPORTED;
    w->staged = part;
    w->memo = digest_of(w, part);
    return ESP_OK;
}

esp_err_t parts_staged_write(struct world *w)
{
    const struct world_get get = { .file = file_for(w->staged),
                                   .final = w->staged,
                                   .keep = true };

    return world_get(w, &get);
}

esp_err_t parts_staged_start(struct world *w)
{
    esp_err_t err = world_finish_copy(w);

    return err == ESP_ERR_NOT_FOUND ? ESP_OK : err;
}

esp_err_t parts_staged_appl(struct world *w)
{
    const struct appl_copy copy = { w->staged->label, file_for(w->staged) };

    return appl_copy(w, &copy);
}

esp_err_t parts_staged_appl_start(struct world *w)
{
    esp_err_t err = appl_finish_copy(w);

    return err == ESP_ERR_NOT_FOUND ? ESP_OK : err;
}

static const char *staged_check(struct world *w, bool *done)
{
    *done = holds_file(w, w->staged);
    return *done || digest_of(w, w->staged) == w->memo
               ? NULL
               : "a data partition has neither its old content nor the new";
}

static const char not_finished[] =
    "a copy that was interrupted cannot be finished";

const char *parts_staged_check(struct world *w, bool *done)
{
    return parts_staged_start(w) ? not_finished : staged_check(w, done);
}

const char *parts_staged_appl_check(struct world *w, bool *done)
{
    return parts_staged_appl_start(w) ? not_finished : staged_check(w, done);
}

/* --- with the application ------------------------------------------------- */

/* The partition of this name for a slot; len: of the name. */
static const struct part_entry *of_slot(const struct world *w, const char *name,
                                        size_t len, uint32_t slot)
{
    char label[32];

    snprintf(label, sizeof(label), "%.*s_%u", (int)len, name, (unsigned)slot);
    return part_find_label(&w->parts.table, label);
}

/* Of the slot that is written next, if that of the running one is there. */
static const struct part_entry *pair_part(const struct world *w, uint32_t slot,
                                          uint32_t other)
{
    for (uint32_t i = 0; i < w->parts.table.cnt; i++) {
        const struct part_entry *e = &w->parts.table.entries[i];
        const char *tail = strrchr(e->label, '_');
        size_t len = tail ? (size_t)(tail - e->label) : 0;

        if (is_data(e) && len > 0 && of_slot(w, e->label, len, slot) == e &&
            of_slot(w, e->label, len, other))
            return e;
    }
    return NULL;
}

esp_err_t parts_pair_prepare(struct world *w, const char **why)
{
    uint32_t next = world_next_slot(w);
    const struct part_entry *to = pair_part(w, next, w->running);
    const struct part_entry *from = pair_part(w, w->running, next);

    *why = "no OTA slot runs, or no data partitions NAME_0, NAME_1 that can be "
           "written go with the slots";
    if (w->running >= BOOT_MAX_SLOTS || !to || !from)
        return ESP_ERR_NOT_SUPPORTED;
    w->pair_new = to;
    w->pair_old = from;
    w->memo = digest_of(w, w->pair_old);
    w->memo_new = digest_of(w, w->pair_new);
    return holds_file(w, w->pair_new) ? ESP_ERR_NOT_SUPPORTED : ESP_OK;
}

esp_err_t parts_pair_write(struct world *w)
{
    const struct part_entry *slot =
        boot_part(&w->parts.table, world_next_slot(w));
    const struct part_entry *part = w->pair_new;
    const struct world_get get = { .file = file_for(part), .staging = part };
    esp_err_t err = slot_spoil(&w->parts, slot);

    if (!err)
        err = world_get(w, &get);
    return err ? err : world_update(w, false);
}

/* An image that could boot has its data, the old one or the new. */
const char *parts_pair_check(struct world *w, bool *done)
{
    const struct part_entry *slot = NULL;
    const char *tail = strrchr(w->pair_new->label, '_');

    slot = boot_part(&w->parts.table, (uint32_t)atoi(tail + 1));
    *done = holds_file(w, w->pair_new);
    if (digest_of(w, w->pair_old) != w->memo)
        return "the running application's data changed";
    if (!slot || w->sim.bytes[slot->off] != IMG_MAGIC || *done)
        return NULL;
    return digest_of(w, w->pair_new) == w->memo_new
               ? NULL
               : "an image could boot whose data is not whole";
}
