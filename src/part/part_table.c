/* part/part.h: the binary table, there and back. Pure. */
#include "part/part.h"

#include <string.h>

#include "base/le.h"
#include "base/md5.h"

/* Reference 2.1: the layout of a row, and what its first two bytes say. */
#define ROW_MAGIC 0x50AAu
#define ROW_MAGIC_MD5 0xEBEBu
#define ROW_MAGIC_END 0xFFFFu
#define ROW_TYPE 2
#define ROW_SUBTYPE 3
#define ROW_OFF 4
#define ROW_LEN 8
#define ROW_LABEL 12
#define ROW_FLAGS 28
#define ROW_MD5 16

#define OTA_SLOT_MAX 16u

static uint32_t row_magic(const uint8_t *row)
{
    return le16_get(row);
}

static void row_read(const uint8_t *row, struct part_entry *out)
{
    memset(out, 0, sizeof(*out));
    out->type = row[ROW_TYPE];
    out->subtype = row[ROW_SUBTYPE];
    out->off = le32_get(row + ROW_OFF);
    out->len = le32_get(row + ROW_LEN);
    out->flags = le32_get(row + ROW_FLAGS);
    for (size_t i = 0; i < PART_LABEL_LEN && row[ROW_LABEL + i]; i++)
        out->label[i] = (char)row[ROW_LABEL + i];
}

esp_err_t part_row_parse(const uint8_t row[PART_ROW_LEN],
                         struct part_entry *out)
{
    if (row_magic(row) != ROW_MAGIC)
        return ESP_ERR_NOT_FOUND;
    row_read(row, out);
    return ESP_OK;
}

void part_row_pack(const struct part_entry *e, uint8_t row[PART_ROW_LEN])
{
    memset(row, 0, PART_ROW_LEN);
    le16_put(row, ROW_MAGIC);
    row[ROW_TYPE] = e->type;
    row[ROW_SUBTYPE] = e->subtype;
    le32_put(row + ROW_OFF, e->off);
    le32_put(row + ROW_LEN, e->len);
    for (size_t i = 0; i < PART_LABEL_LEN && e->label[i]; i++)
        row[ROW_LABEL + i] = (uint8_t)e->label[i];
    le32_put(row + ROW_FLAGS, e->flags);
}

/* --- parse ---------------------------------------------------------------- */

enum row_kind { ROW_KIND_ENTRY, ROW_KIND_MD5, ROW_KIND_END, ROW_KIND_BAD };

/* The end mark is told by its first four bytes, as the reference does. */
static enum row_kind row_kind(const uint8_t *row)
{
    switch (row_magic(row)) {
    case ROW_MAGIC:
        return ROW_KIND_ENTRY;
    case ROW_MAGIC_MD5:
        return ROW_KIND_MD5;
    case ROW_MAGIC_END:
        return row[ROW_TYPE] == 0xFF && row[ROW_SUBTYPE] == 0xFF ? ROW_KIND_END
                                                                 : ROW_KIND_BAD;
    default:
        return ROW_KIND_BAD;
    }
}

static esp_err_t entry_add(struct part_table *table, const uint8_t *row,
                           uint32_t flash_len)
{
    /* Without a flash to compare with, nothing may pass 4 GiB. */
    uint64_t limit = flash_len ? flash_len : (uint64_t)UINT32_MAX + 1;
    struct part_entry *e = &table->entries[table->cnt];

    if (table->cnt == PART_MAX_ENTRIES)
        return ESP_ERR_INVALID_STATE;
    row_read(row, e);
    if (e->off > limit || e->len > limit - e->off)
        return ESP_ERR_INVALID_SIZE;
    table->cnt++;
    return ESP_OK;
}

/* bytes: everything before the MD5 row. */
static esp_err_t md5_check(struct part_table *table, struct span bytes,
                           const uint8_t *row)
{
    struct md5 m;
    uint8_t want[16];

    if (table->has_md5)
        return ESP_ERR_INVALID_STATE;
    md5_init(&m);
    md5_update(&m, bytes.ptr, bytes.len);
    md5_final(&m, want);
    if (memcmp(want, row + ROW_MD5, sizeof(want)) != 0)
        return ESP_ERR_INVALID_STATE;
    table->has_md5 = true;
    return ESP_OK;
}

static esp_err_t rows_parse(struct span bytes, uint32_t flash_len,
                            struct part_table *out)
{
    size_t len =
        bytes.len < PART_TABLE_MAX_LEN ? bytes.len : PART_TABLE_MAX_LEN;
    esp_err_t err = ESP_OK;

    for (size_t at = 0; len - at >= PART_ROW_LEN && !err; at += PART_ROW_LEN) {
        const uint8_t *row = bytes.ptr + at;
        enum row_kind kind = row_kind(row);

        if (kind == ROW_KIND_END && at > 0)
            return ESP_OK;
        if (kind == ROW_KIND_ENTRY)
            err = entry_add(out, row, flash_len);
        else if (kind == ROW_KIND_MD5)
            err = md5_check(out, span_of(bytes.ptr, at), row);
        else
            err = ESP_ERR_INVALID_STATE;
    }
    return err ? err : ESP_ERR_INVALID_STATE; /* no end mark */
}

esp_err_t part_table_parse(struct span bytes, uint32_t flash_len,
                           struct part_table *out)
{
    esp_err_t err;

    memset(out, 0, sizeof(*out));
    err = rows_parse(bytes, flash_len, out);
    if (err)
        memset(out, 0, sizeof(*out));
    return err;
}

/* --- pack ----------------------------------------------------------------- */

void part_table_pack(const struct part_table *table,
                     uint8_t out[PART_TABLE_MAX_LEN])
{
    size_t len = table->cnt * PART_ROW_LEN;
    struct md5 m;

    memset(out, 0xFF, PART_TABLE_MAX_LEN);
    for (uint32_t i = 0; i < table->cnt; i++)
        part_row_pack(&table->entries[i], out + i * PART_ROW_LEN);
    if (len + PART_ROW_LEN >= PART_TABLE_MAX_LEN)
        return; /* the last row has to be the end mark */
    le16_put(out + len, ROW_MAGIC_MD5);
    md5_init(&m);
    md5_update(&m, out, len);
    md5_final(&m, out + len + ROW_MD5);
}

/* --- find ----------------------------------------------------------------- */

const struct part_entry *part_find(const struct part_table *table, uint8_t type,
                                   uint8_t subtype, const char *label)
{
    for (uint32_t i = 0; i < table->cnt; i++) {
        const struct part_entry *e = &table->entries[i];

        if (e->type == type && e->subtype == subtype &&
            (!label || strcmp(e->label, label) == 0))
            return e;
    }
    return NULL;
}

const struct part_entry *part_find_label(const struct part_table *table,
                                         const char *label)
{
    for (uint32_t i = 0; i < table->cnt; i++) {
        if (strcmp(table->entries[i].label, label) == 0)
            return &table->entries[i];
    }
    return NULL;
}

uint32_t part_ota_cnt(const struct part_table *table)
{
    uint32_t cnt = 0;

    while (part_ota(table, cnt))
        cnt++;
    return cnt;
}

const struct part_entry *part_ota(const struct part_table *table, uint32_t idx)
{
    if (idx >= OTA_SLOT_MAX)
        return NULL;
    return part_find(table, PART_TYPE_APP, (uint8_t)(PART_APP_OTA_0 + idx),
                     NULL);
}
