/* part/words.h: the names of types and subtypes. Pure. */
#include "part/part.h"
#include "part/words.h"

static const char *const type_words[] = {
    [PART_TYPE_APP] = "app",
    [PART_TYPE_DATA] = "data",
    [PART_TYPE_BOOTLOADER] = "bootloader",
    [PART_TYPE_TABLE] = "partition_table",
};

static const struct part_word subtype_words[] = {
    { PART_TYPE_APP, PART_APP_FACTORY, "factory" },
    { PART_TYPE_APP, PART_APP_OTA_0 + 0, "ota_0" },
    { PART_TYPE_APP, PART_APP_OTA_0 + 1, "ota_1" },
    { PART_TYPE_APP, PART_APP_OTA_0 + 2, "ota_2" },
    { PART_TYPE_APP, PART_APP_OTA_0 + 3, "ota_3" },
    { PART_TYPE_APP, PART_APP_OTA_0 + 4, "ota_4" },
    { PART_TYPE_APP, PART_APP_OTA_0 + 5, "ota_5" },
    { PART_TYPE_APP, PART_APP_OTA_0 + 6, "ota_6" },
    { PART_TYPE_APP, PART_APP_OTA_0 + 7, "ota_7" },
    { PART_TYPE_APP, PART_APP_OTA_0 + 8, "ota_8" },
    { PART_TYPE_APP, PART_APP_OTA_0 + 9, "ota_9" },
    { PART_TYPE_APP, PART_APP_OTA_0 + 10, "ota_10" },
    { PART_TYPE_APP, PART_APP_OTA_0 + 11, "ota_11" },
    { PART_TYPE_APP, PART_APP_OTA_0 + 12, "ota_12" },
    { PART_TYPE_APP, PART_APP_OTA_0 + 13, "ota_13" },
    { PART_TYPE_APP, PART_APP_OTA_0 + 14, "ota_14" },
    { PART_TYPE_APP, PART_APP_OTA_0 + 15, "ota_15" },
    { PART_TYPE_APP, PART_APP_TEST, "test" },
    { PART_TYPE_APP, PART_APP_TEE_0, "tee_0" },
    { PART_TYPE_APP, PART_APP_TEE_1, "tee_1" },
    { PART_TYPE_DATA, PART_DATA_OTA, "ota" },
    { PART_TYPE_DATA, PART_DATA_PHY, "phy" },
    { PART_TYPE_DATA, PART_DATA_NVS, "nvs" },
    { PART_TYPE_DATA, PART_DATA_COREDUMP, "coredump" },
    { PART_TYPE_DATA, PART_DATA_NVS_KEYS, "nvs_keys" },
    { PART_TYPE_DATA, PART_DATA_EFUSE, "efuse" },
    { PART_TYPE_DATA, PART_DATA_UNDEFINED, "undefined" },
    { PART_TYPE_DATA, PART_DATA_ESPHTTPD, "esphttpd" },
    { PART_TYPE_DATA, PART_DATA_FAT, "fat" },
    { PART_TYPE_DATA, PART_DATA_SPIFFS, "spiffs" },
    { PART_TYPE_DATA, PART_DATA_LITTLEFS, "littlefs" },
    { PART_TYPE_DATA, PART_DATA_TEE_OTA, "tee_ota" },
    { PART_TYPE_BOOTLOADER, PART_BOOTLOADER_PRIMARY, "primary" },
    { PART_TYPE_BOOTLOADER, PART_BOOTLOADER_OTA, "ota" },
    { PART_TYPE_BOOTLOADER, PART_BOOTLOADER_RECOVERY, "recovery" },
    { PART_TYPE_TABLE, PART_TABLE_PRIMARY, "primary" },
    { PART_TYPE_TABLE, PART_TABLE_OTA, "ota" },
};

#define TYPE_CNT (sizeof(type_words) / sizeof(type_words[0]))
#define SUBTYPE_CNT (sizeof(subtype_words) / sizeof(subtype_words[0]))

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

bool part_word_eq(struct span text, const char *word)
{
    struct span other = span_str(word);

    if (text.len != other.len)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (lower(text.ptr[i]) != lower(other.ptr[i]))
            return false;
    }
    return true;
}

const char *part_type_word(uint8_t type)
{
    return type < TYPE_CNT ? type_words[type] : NULL;
}

const char *part_subtype_word(uint8_t type, uint8_t subtype)
{
    for (size_t i = 0; i < SUBTYPE_CNT; i++) {
        if (subtype_words[i].type == type &&
            subtype_words[i].subtype == subtype)
            return subtype_words[i].word;
    }
    return NULL;
}

bool part_type_by_word(struct span word, uint8_t *type)
{
    for (size_t i = 0; i < TYPE_CNT; i++) {
        if (part_word_eq(word, type_words[i])) {
            *type = (uint8_t)i;
            return true;
        }
    }
    return false;
}

bool part_subtype_by_word(uint8_t type, struct span word, uint8_t *subtype)
{
    for (size_t i = 0; i < SUBTYPE_CNT; i++) {
        if (subtype_words[i].type == type &&
            part_word_eq(word, subtype_words[i].word)) {
            *subtype = subtype_words[i].subtype;
            return true;
        }
    }
    return false;
}

const struct part_word *part_word_at(size_t idx)
{
    return idx < SUBTYPE_CNT ? &subtype_words[idx] : NULL;
}
