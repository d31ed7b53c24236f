/* part/rules.h: what makes a table one that a device can use. Pure. */
#include "part/rules.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "part/words.h"

#define APP_ALIGN_LEN 0x10000u
#define OTADATA_LEN 0x2000u
#define NVS_MIN_LEN 0x3000u /* less cannot be written, only read */

/* A check's surroundings, so that each rule takes just the entry. */
struct check {
    const struct part_table *table;
    const struct part_rules *rules;
    const uint32_t *lines;
    struct diag *d;
};

/* "line 5 (ota_0)", for the start of a sentence. */
struct place {
    char text[80];
};

static struct place place_of(const struct check *c, uint32_t idx)
{
    const struct part_entry *e = &c->table->entries[idx];
    struct place p;
    char label[PART_LABEL_LEN + 1];

    (void)snprintf(p.text, sizeof(p.text), "%s %u (%s)",
                   c->lines ? "line" : "row",
                   (unsigned)(c->lines ? c->lines[idx] : idx + 1),
                   text_clean(span_str(e->label), label, sizeof(label)));
    return p;
}

static bool is_kind(const struct part_entry *e, uint8_t type, uint8_t subtype)
{
    return e->type == type && e->subtype == subtype;
}

uint32_t part_rules_table_off(const struct part_rules *rules)
{
    return rules->table_off || rules->at_zero ? rules->table_off
                                              : PART_TABLE_OFF;
}

uint64_t part_rules_table_end(const struct part_rules *rules)
{
    return (uint64_t)part_rules_table_off(rules) + PART_TABLE_SECTOR;
}

uint32_t part_align_len(uint8_t type)
{
    return type == PART_TYPE_APP ? APP_ALIGN_LEN : PART_TABLE_SECTOR;
}

uint64_t part_auto_off(uint8_t type, uint64_t end)
{
    uint64_t len = part_align_len(type);

    return (end + len - 1) / len * len;
}

bool part_is_system(const struct part_entry *e)
{
    return is_kind(e, PART_TYPE_BOOTLOADER, PART_BOOTLOADER_PRIMARY) ||
           is_kind(e, PART_TYPE_TABLE, PART_TABLE_PRIMARY);
}

/* --- one entry ------------------------------------------------------------ */

static esp_err_t check_alignment(const struct check *c, uint32_t idx)
{
    const struct part_entry *e = &c->table->entries[idx];
    uint32_t align_len = part_align_len(e->type);
    uint32_t unit_len = c->rules->secure_v1 ? APP_ALIGN_LEN : PART_TABLE_SECTOR;

    if (e->off % align_len != 0)
        return diag_fail(c->d, DIAG_STAGE_FLASH, ESP_ERR_INVALID_ARG,
                         "%s: the offset 0x%x is not a multiple of 0x%x; "
                         "take 0x%llx, or leave it empty",
                         place_of(c, idx).text, (unsigned)e->off,
                         (unsigned)align_len,
                         (unsigned long long)part_auto_off(e->type, e->off));
    if (e->type == PART_TYPE_APP && e->len % unit_len != 0)
        return diag_fail(c->d, DIAG_STAGE_FLASH, ESP_ERR_INVALID_SIZE,
                         "%s: the size 0x%x of an application is not a "
                         "multiple of 0x%x; round it up or down",
                         place_of(c, idx).text, (unsigned)e->len,
                         (unsigned)unit_len);
    return ESP_OK;
}

static esp_err_t check_place(const struct check *c, uint32_t idx)
{
    const struct part_entry *e = &c->table->entries[idx];
    uint64_t table_end = part_rules_table_end(c->rules);
    uint64_t end = (uint64_t)e->off + e->len;

    if (!part_is_system(e) && e->off < table_end)
        return diag_fail(c->d, DIAG_STAGE_FLASH, ESP_ERR_INVALID_ARG,
                         "%s: the offset 0x%x is below 0x%llx, where the "
                         "partition table ends; move it up, or name the "
                         "table's offset",
                         place_of(c, idx).text, (unsigned)e->off,
                         (unsigned long long)table_end);
    if (c->rules->flash_len && end > c->rules->flash_len)
        return diag_fail(c->d, DIAG_STAGE_FLASH, ESP_ERR_INVALID_SIZE,
                         "%s: it ends at 0x%llx, past the flash of 0x%x "
                         "bytes; make partitions smaller or take a larger "
                         "flash",
                         place_of(c, idx).text, (unsigned long long)end,
                         (unsigned)c->rules->flash_len);
    return ESP_OK;
}

static esp_err_t check_flags(const struct check *c, uint32_t idx)
{
    const struct part_entry *e = &c->table->entries[idx];
    bool readonly = (e->flags & PART_FLAG_READONLY) != 0;

    if (readonly && (is_kind(e, PART_TYPE_DATA, PART_DATA_OTA) ||
                     is_kind(e, PART_TYPE_DATA, PART_DATA_COREDUMP)))
        return diag_fail(c->d, DIAG_STAGE_FLASH, ESP_ERR_NOT_ALLOWED,
                         "%s: a data/%s partition is written by the device; "
                         "remove the flag readonly",
                         place_of(c, idx).text,
                         part_subtype_word(e->type, e->subtype));
    if (!readonly && is_kind(e, PART_TYPE_DATA, PART_DATA_NVS) &&
        e->len < NVS_MIN_LEN)
        return diag_fail(c->d, DIAG_STAGE_FLASH, ESP_ERR_INVALID_SIZE,
                         "%s: 0x%x bytes are too few for an NVS partition "
                         "that is written; take 0x%x or more, or flag it "
                         "readonly",
                         place_of(c, idx).text, (unsigned)e->len, NVS_MIN_LEN);
    return ESP_OK;
}

static esp_err_t check_otadata_len(const struct check *c, uint32_t idx)
{
    const struct part_entry *e = &c->table->entries[idx];

    if (!is_kind(e, PART_TYPE_DATA, PART_DATA_OTA) &&
        !is_kind(e, PART_TYPE_DATA, PART_DATA_TEE_OTA))
        return ESP_OK;
    if (e->len == OTADATA_LEN)
        return ESP_OK;
    return diag_fail(c->d, DIAG_STAGE_FLASH, ESP_ERR_INVALID_SIZE,
                     "%s: a data/%s partition has 0x%x bytes, two sectors, "
                     "not 0x%x; correct its size",
                     place_of(c, idx).text,
                     part_subtype_word(e->type, e->subtype), OTADATA_LEN,
                     (unsigned)e->len);
}

/* --- two entries ---------------------------------------------------------- */

static bool both_kind(const struct part_entry *a, const struct part_entry *b,
                      uint8_t subtype)
{
    return is_kind(a, PART_TYPE_DATA, subtype) &&
           is_kind(b, PART_TYPE_DATA, subtype);
}

static esp_err_t check_same(const struct check *c, uint32_t i, uint32_t j)
{
    const struct part_entry *a = &c->table->entries[i];
    const struct part_entry *b = &c->table->entries[j];

    if (strcmp(a->label, b->label) == 0)
        return diag_fail(c->d, DIAG_STAGE_FLASH, ESP_ERR_INVALID_ARG,
                         "%s: %s has this name already; rename one of them "
                         "(the first %u bytes count)",
                         place_of(c, j).text, place_of(c, i).text,
                         PART_LABEL_LEN);
    if (both_kind(a, b, PART_DATA_OTA) || both_kind(a, b, PART_DATA_TEE_OTA))
        return diag_fail(c->d, DIAG_STAGE_FLASH, ESP_ERR_INVALID_ARG,
                         "%s: %s is data/%s already and a table has one at "
                         "most; remove one of them",
                         place_of(c, j).text, place_of(c, i).text,
                         part_subtype_word(b->type, b->subtype));
    return ESP_OK;
}

static esp_err_t check_overlap(const struct check *c, uint32_t i, uint32_t j)
{
    const struct part_entry *a = &c->table->entries[i];
    const struct part_entry *b = &c->table->entries[j];
    uint64_t a_end = (uint64_t)a->off + a->len;
    uint64_t b_end = (uint64_t)b->off + b->len;

    if (a->off >= b_end || b->off >= a_end)
        return ESP_OK;
    return diag_fail(c->d, DIAG_STAGE_FLASH, ESP_ERR_INVALID_ARG,
                     "%s: 0x%x to 0x%llx overlaps %s, 0x%x to 0x%llx; move "
                     "one of them or make it smaller",
                     place_of(c, j).text, (unsigned)b->off,
                     (unsigned long long)b_end, place_of(c, i).text,
                     (unsigned)a->off, (unsigned long long)a_end);
}

static esp_err_t check_pairs(const struct check *c, uint32_t j)
{
    esp_err_t err = ESP_OK;

    for (uint32_t i = 0; i < j && !err; i++) {
        err = check_same(c, i, j);
        if (!err)
            err = check_overlap(c, i, j);
    }
    return err;
}

/* --- warnings ------------------------------------------------------------- */

/* The label is a word for a subtype, and for none of this entry's. */
static bool is_other_subtype(const struct part_entry *e)
{
    bool found = false;

    for (size_t i = 0; part_word_at(i); i++) {
        const struct part_word *w = part_word_at(i);

        if (strcmp(w->word, e->label) != 0)
            continue;
        if (is_kind(e, w->type, w->subtype))
            return false;
        found = true;
    }
    return found;
}

static void warn(const struct check *c, uint32_t idx, const char *what)
{
    char text[200];

    if (!c->rules->warn)
        return;
    (void)snprintf(text, sizeof(text), "%s: %s", place_of(c, idx).text, what);
    c->rules->warn(c->rules->warn_ctx, text);
}

static void warn_entry(const struct check *c, uint32_t idx)
{
    const struct part_entry *e = &c->table->entries[idx];
    uint8_t type;

    if (part_type_by_word(span_str(e->label), &type) && type != e->type)
        warn(c, idx, "its name is another type's; is the type right?");
    if (is_other_subtype(e))
        warn(c, idx, "its name is another subtype's; is the subtype right?");
    if (e->len == 0)
        warn(c, idx, "it has no bytes");
    if (e->flags & ~(PART_FLAG_ENCRYPTED | PART_FLAG_READONLY))
        warn(c, idx, "it has flags that are unknown here");
}

/* ------------------------------------------------------------------------ */

esp_err_t part_check(const struct part_table *table,
                     const struct part_rules *rules, const uint32_t *lines,
                     struct diag *d)
{
    struct check c = { table, rules, lines, d };
    esp_err_t err = ESP_OK;

    if (rules->no_check)
        return ESP_OK;
    for (uint32_t i = 0; i < table->cnt && !err; i++) {
        err = check_alignment(&c, i);
        if (!err)
            err = check_place(&c, i);
        if (!err)
            err = check_flags(&c, i);
        if (!err)
            err = check_otadata_len(&c, i);
        if (!err)
            err = check_pairs(&c, i);
    }
    for (uint32_t i = 0; i < table->cnt && !err; i++)
        warn_entry(&c, i);
    return err;
}
