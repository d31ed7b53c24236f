/* Walks the rows once more, slowly, to say which one part_table_parse()
 * stumbled over. Apart from it because a bootloader needs no sentences. */
#include "part/rules.h"

#include <string.h>

#include "base/le.h"
#include "base/text.h"

#define MD5_MAGIC 0xEBEBu

static esp_err_t explain_entry(const uint8_t *row, unsigned row_no,
                               uint32_t flash_len, struct diag *d)
{
    struct part_entry e;
    char label[PART_LABEL_LEN + 1];

    if (part_row_parse(row, &e) != ESP_OK)
        return diag_fail(d, DIAG_STAGE_FLASH, ESP_ERR_INVALID_STATE,
                         "row %u starts with 0x%04x: it is no partition, no "
                         "MD5 row and no end mark; these bytes are no "
                         "partition table or are damaged",
                         row_no, le16_get(row));
    return diag_fail(
        d, DIAG_STAGE_FLASH, ESP_ERR_INVALID_SIZE,
        "row %u (%s): 0x%x bytes at 0x%x leave the flash of "
        "0x%llx bytes; the table belongs to a larger flash",
        row_no, text_clean(span_str(e.label), label, sizeof(label)),
        (unsigned)e.len, (unsigned)e.off,
        (unsigned long long)(flash_len ? flash_len : UINT32_MAX + 1ull));
}

static esp_err_t explain_end(struct span bytes, esp_err_t err, struct diag *d)
{
    if (bytes.len < PART_TABLE_MAX_LEN)
        return diag_fail(d, DIAG_STAGE_FLASH, err,
                         "the table ends after %zu bytes without an end mark "
                         "(a row of 0xFF); the file is cut off",
                         bytes.len);
    return diag_fail(d, DIAG_STAGE_FLASH, err,
                     "there is no end mark (a row of 0xFF) in the first 0x%x "
                     "bytes; the table has too many rows or is damaged",
                     PART_TABLE_MAX_LEN);
}

/* The first at bytes, closed by an end mark: would they be accepted? The rows
 * are copied, so that what follows them plays no part. */
static bool prefix_ok(struct span bytes, size_t at, uint32_t flash_len)
{
    struct part_table table;
    uint8_t head[PART_TABLE_MAX_LEN + PART_ROW_LEN];

    memcpy(head, bytes.ptr, at);
    memset(head + at, 0xFF, PART_ROW_LEN);
    return part_table_parse(span_of(head, at + PART_ROW_LEN), flash_len,
                            &table) == ESP_OK;
}

static esp_err_t explain_row(struct span bytes, size_t at, uint32_t flash_len,
                             struct diag *d)
{
    const uint8_t *row = bytes.ptr + at;
    unsigned row_no = (unsigned)(at / PART_ROW_LEN) + 1;

    if (le16_get(row) == MD5_MAGIC)
        return diag_fail(d, DIAG_STAGE_FLASH, ESP_ERR_INVALID_STATE,
                         "row %u: the MD5 of the %u rows before it is wrong, "
                         "or it is the second one; the table is damaged, "
                         "write it again",
                         row_no, row_no - 1);
    return explain_entry(row, row_no, flash_len, d);
}

esp_err_t part_table_explain(struct span bytes, uint32_t flash_len,
                             struct diag *d)
{
    struct part_table table;
    esp_err_t err = part_table_parse(bytes, flash_len, &table);

    if (!err)
        return ESP_OK;
    if (bytes.len >= PART_ROW_LEN && le16_get(bytes.ptr) == 0xFFFFu)
        return diag_fail(d, DIAG_STAGE_FLASH, err,
                         "there is no partition in the table: it starts with "
                         "an end mark; write a partition table there");
    for (size_t at = 0; at + PART_ROW_LEN <= bytes.len &&
                        at + PART_ROW_LEN < PART_TABLE_MAX_LEN;
         at += PART_ROW_LEN) {
        if (!prefix_ok(bytes, at + PART_ROW_LEN, flash_len))
            return explain_row(bytes, at, flash_len, d);
    }
    return explain_end(bytes, err, d);
}
