/* The tables that an ESP-IDF project chooses by name (reference 2.4). Places
 * are not listed: they follow from the sizes and the table's own offset. */
#include "part/csv.h"

#include <string.h>

struct builtin_row {
    const char *label; /* NULL: the end of a table of fewer rows */
    uint8_t type;
    uint8_t subtype;
    uint32_t len;
    uint32_t flags;
};

struct builtin {
    const char *name;
    struct builtin_row rows[9];
};

#define KIB *1024u

#define ROW_NVS(len)                                 \
    {                                                \
        "nvs", PART_TYPE_DATA, PART_DATA_NVS, len, 0 \
    }
#define ROW_PHY                                             \
    {                                                       \
        "phy_init", PART_TYPE_DATA, PART_DATA_PHY, 4 KIB, 0 \
    }
#define ROW_OTADATA                                        \
    {                                                      \
        "otadata", PART_TYPE_DATA, PART_DATA_OTA, 8 KIB, 0 \
    }
#define ROW_COREDUMP                                              \
    {                                                             \
        "coredump", PART_TYPE_DATA, PART_DATA_COREDUMP, 64 KIB, 0 \
    }
#define ROW_NVS_KEY                                           \
    {                                                         \
        "nvs_key", PART_TYPE_DATA, PART_DATA_NVS_KEYS, 4 KIB, \
            PART_FLAG_ENCRYPTED                               \
    }
#define ROW_FACTORY(len)                                   \
    {                                                      \
        "factory", PART_TYPE_APP, PART_APP_FACTORY, len, 0 \
    }
#define ROW_OTA_0(len)                                 \
    {                                                  \
        "ota_0", PART_TYPE_APP, PART_APP_OTA_0, len, 0 \
    }
#define ROW_OTA_1(len)                                     \
    {                                                      \
        "ota_1", PART_TYPE_APP, PART_APP_OTA_0 + 1, len, 0 \
    }
#define ROW_SECURE(len)                                         \
    {                                                           \
        "secure_storage", PART_TYPE_DATA, PART_DATA_NVS, len, 0 \
    }

static const struct builtin builtins[] = {
    { "singleapp", { ROW_NVS(24 KIB), ROW_PHY, ROW_FACTORY(1024 KIB) } },
    { "singleapp_large", { ROW_NVS(24 KIB), ROW_PHY, ROW_FACTORY(1500 KIB) } },
    { "singleapp_coredump",
      { ROW_NVS(24 KIB), ROW_PHY, ROW_FACTORY(1024 KIB), ROW_COREDUMP } },
    { "singleapp_large_coredump",
      { ROW_NVS(24 KIB), ROW_PHY, ROW_FACTORY(1500 KIB), ROW_COREDUMP } },
    { "singleapp_encr_nvs",
      { ROW_NVS(24 KIB), ROW_PHY, ROW_FACTORY(1024 KIB), ROW_NVS_KEY } },
    { "singleapp_large_encr_nvs",
      { ROW_NVS(24 KIB), ROW_PHY, ROW_FACTORY(1500 KIB), ROW_NVS_KEY } },
    { "singleapp_tee",
      { { "tee", PART_TYPE_APP, PART_APP_TEE_0, 256 KIB, 0 },
        ROW_SECURE(64 KIB),
        ROW_FACTORY(1536 KIB),
        ROW_NVS(24 KIB),
        ROW_PHY } },
    { "two_ota",
      { ROW_NVS(16 KIB), ROW_OTADATA, ROW_PHY, ROW_FACTORY(1024 KIB),
        ROW_OTA_0(1024 KIB), ROW_OTA_1(1024 KIB) } },
    { "two_ota_large",
      { ROW_NVS(24 KIB), ROW_OTADATA, ROW_PHY, ROW_OTA_0(1700 KIB),
        ROW_OTA_1(1700 KIB) } },
    { "two_ota_coredump",
      { ROW_NVS(16 KIB), ROW_OTADATA, ROW_PHY, ROW_FACTORY(1024 KIB),
        ROW_COREDUMP, ROW_OTA_0(1024 KIB), ROW_OTA_1(1024 KIB) } },
    { "two_ota_encr_nvs",
      { ROW_NVS(16 KIB), ROW_OTADATA, ROW_PHY, ROW_FACTORY(1024 KIB),
        ROW_OTA_0(1024 KIB), ROW_OTA_1(1024 KIB), ROW_NVS_KEY } },
    { "two_ota_tee",
      { { "tee_0", PART_TYPE_APP, PART_APP_TEE_0, 256 KIB, 0 },
        { "tee_1", PART_TYPE_APP, PART_APP_TEE_1, 256 KIB, 0 },
        { "tee_otadata", PART_TYPE_DATA, PART_DATA_TEE_OTA, 8 KIB, 0 },
        ROW_SECURE(56 KIB),
        ROW_OTA_0(1536 KIB),
        ROW_OTA_1(1536 KIB),
        ROW_OTADATA,
        ROW_NVS(24 KIB),
        ROW_PHY } },
};

#define BUILTIN_CNT (sizeof(builtins) / sizeof(builtins[0]))
#define ROW_CNT (sizeof(builtins[0].rows) / sizeof(builtins[0].rows[0]))

const char *part_builtin_name(size_t idx)
{
    return idx < BUILTIN_CNT ? builtins[idx].name : NULL;
}

/* Returns the end of the new entry. */
static uint64_t entry_add(struct part_table *table,
                          const struct builtin_row *row, uint64_t end)
{
    struct part_entry *e = &table->entries[table->cnt++];
    uint64_t off = part_auto_off(row->type, end);

    e->type = row->type;
    e->subtype = row->subtype;
    e->off = (uint32_t)off;
    e->len = row->len;
    e->flags = row->flags;
    memcpy(e->label, row->label, strlen(row->label));
    return off + row->len;
}

esp_err_t part_builtin(const char *name, const struct part_rules *rules,
                       struct part_table *out)
{
    uint64_t end = part_rules_table_end(rules);
    size_t at = 0;

    memset(out, 0, sizeof(*out));
    while (at < BUILTIN_CNT && strcmp(builtins[at].name, name) != 0)
        at++;
    if (at == BUILTIN_CNT)
        return ESP_ERR_NOT_FOUND;
    for (size_t i = 0; i < ROW_CNT && builtins[at].rows[i].label; i++)
        end = entry_add(out, &builtins[at].rows[i], end);
    if (end > UINT32_MAX) {
        memset(out, 0, sizeof(*out));
        return ESP_ERR_INVALID_SIZE;
    }
    out->has_md5 = true;
    return ESP_OK;
}
