/* part/part.h - partition tables: rows, the table in flash, and access to
 * partitions that remembers when one was written.
 *
 * Format: reference 2.1. Parsing is pure; struct part_dev does the I/O.
 * Allocates nothing. */
#ifndef PART_PART_H
#define PART_PART_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "port/flash.h"

#define PART_TABLE_OFF 0x8000u /* default place of the table in flash */
#define PART_TABLE_SECTOR 0x1000u
#define PART_TABLE_MAX_LEN 0xC00u /* rows, MD5 row and end mark */
#define PART_ROW_LEN 32u
#define PART_MAX_ENTRIES 95u
#define PART_LABEL_LEN 16u
#define PART_EXTRA_ENTRIES 8u /* registered at run time */

enum part_type {
    PART_TYPE_APP = 0,
    PART_TYPE_DATA = 1,
    PART_TYPE_BOOTLOADER = 2,
    PART_TYPE_TABLE = 3
};

enum part_subtype {
    PART_APP_FACTORY = 0x00,
    PART_APP_OTA_0 = 0x10, /* ... 0x1F */
    PART_APP_TEST = 0x20,
    PART_APP_TEE_0 = 0x30,
    PART_APP_TEE_1 = 0x31,
    PART_DATA_OTA = 0x00,
    PART_DATA_PHY = 0x01,
    PART_DATA_NVS = 0x02,
    PART_DATA_COREDUMP = 0x03,
    PART_DATA_NVS_KEYS = 0x04,
    PART_DATA_EFUSE = 0x05,
    PART_DATA_UNDEFINED = 0x06,
    PART_DATA_ESPHTTPD = 0x80,
    PART_DATA_FAT = 0x81,
    PART_DATA_SPIFFS = 0x82,
    PART_DATA_LITTLEFS = 0x83,
    PART_DATA_TEE_OTA = 0x90,
    PART_BOOTLOADER_PRIMARY = 0x00,
    PART_BOOTLOADER_OTA = 0x01,
    PART_BOOTLOADER_RECOVERY = 0x02,
    PART_TABLE_PRIMARY = 0x00,
    PART_TABLE_OTA = 0x01
};

#define PART_FLAG_ENCRYPTED 1u
#define PART_FLAG_READONLY 2u

struct part_entry {
    uint8_t type;
    uint8_t subtype;
    uint32_t off; /* absolute, bytes */
    uint32_t len;
    uint32_t flags;
    char label[PART_LABEL_LEN + 1]; /* always terminated */
};

struct part_table {
    uint32_t cnt;
    bool has_md5;
    struct part_entry entries[PART_MAX_ENTRIES];
};

/* --- pure ----------------------------------------------------------------- */

/* One row. ESP_ERR_NOT_FOUND: not a partition row (end mark, MD5, garbage). */
MUST_CHECK esp_err_t part_row_parse(const uint8_t row[PART_ROW_LEN],
                                    struct part_entry *out);

/* Parses a whole table with the rules of reference 2.5: rows inside flash_len
 * (0: not checked), at most one MD5 row and that one right, an end mark.
 * ESP_ERR_INVALID_SIZE: a row leaves the flash. ESP_ERR_INVALID_STATE: wrong
 * MD5, garbage, no end. *out is complete or cnt is 0. */
MUST_CHECK esp_err_t part_table_parse(struct span bytes, uint32_t flash_len,
                                      struct part_table *out);

/* The row of an entry, as the table in flash has it. */
void part_row_pack(const struct part_entry *e, uint8_t row[PART_ROW_LEN]);

/* Writes PART_TABLE_MAX_LEN bytes: rows, MD5 row, 0xFF. A table of
 * PART_MAX_ENTRIES rows leaves room for the end mark only: no MD5 row then. */
void part_table_pack(const struct part_table *table,
                     uint8_t out[PART_TABLE_MAX_LEN]);

/* First row of this kind, NULL if none. label NULL: any. */
const struct part_entry *part_find(const struct part_table *table, uint8_t type,
                                   uint8_t subtype, const char *label);
const struct part_entry *part_find_label(const struct part_table *table,
                                         const char *label);

/* Number of OTA slots: consecutive subtypes from ota_0 on. */
uint32_t part_ota_cnt(const struct part_table *table);
/* ota_<idx>, NULL if absent. */
const struct part_entry *part_ota(const struct part_table *table, uint32_t idx);

/* --- a device's partitions ------------------------------------------------ */

/* Access with range checks. `gen` of an entry rises on every program or erase
 * that touches its range, so that a receipt computed over it goes stale. */
struct part_dev {
    const struct port_flash *flash; /* borrowed */
    uint32_t extra_cnt;
    uint32_t table_off;
    /* Partitions are written by several threads at once. */
    _Atomic uint32_t write_cnt; /* all writes so far; source of gen values */
    _Atomic uint32_t gen[PART_MAX_ENTRIES + PART_EXTRA_ENTRIES];
    struct part_entry extra[PART_EXTRA_ENTRIES];
    struct part_table table;
};

/* Reads and parses the table at table_off. Errors of part_table_parse() and
 * of the flash; ESP_ERR_NOT_FOUND: that sector is blank. */
MUST_CHECK esp_err_t part_dev_open(struct part_dev *dev,
                                   const struct port_flash *flash,
                                   uint32_t table_off);

/* off counts from the start of the entry. ESP_ERR_INVALID_ARG: off is past
 * the end; ESP_ERR_INVALID_SIZE: the range is; then errors of the flash.
 * Readonly entries: ESP_ERR_NOT_ALLOWED. Any range may be used that an entry
 * describes, in the table or not. */
MUST_CHECK esp_err_t part_read(const struct part_dev *dev,
                               const struct part_entry *e, uint32_t off,
                               void *dst, size_t len);
MUST_CHECK esp_err_t part_prog(struct part_dev *dev, const struct part_entry *e,
                               uint32_t off, const void *src, size_t len);
/* ESP_ERR_FLASH_OP_FAIL: the flash holds something else; else as part_read().
 */
MUST_CHECK esp_err_t part_compare(const struct part_dev *dev,
                                  const struct part_entry *e, uint32_t off,
                                  struct span want);
/* A program that is not believed: part_prog(), then part_compare(). */
MUST_CHECK esp_err_t part_put(struct part_dev *dev, const struct part_entry *e,
                              uint32_t off, struct span src);
/* Erases the one sector that starts at off. */
MUST_CHECK esp_err_t part_erase_sector(struct part_dev *dev,
                                       const struct part_entry *e,
                                       uint32_t off);

/* Changes whenever the entry's range was programmed or erased. Of a range
 * that is neither in the table nor registered: whenever anything was. */
uint32_t part_gen(const struct part_dev *dev, const struct part_entry *e);

/* Appends *e to dev->extra. ESP_ERR_INVALID_SIZE: it leaves the flash;
 * ESP_ERR_INVALID_ARG: it overlaps an entry; ESP_ERR_NO_MEM: no room. */
MUST_CHECK esp_err_t part_extra_add(struct part_dev *dev,
                                    const struct part_entry *e);
/* Takes dev->extra[idx] out; later ones move up. ESP_ERR_NOT_FOUND: there is
 * no such entry. */
MUST_CHECK esp_err_t part_extra_remove(struct part_dev *dev, uint32_t idx);

#endif
