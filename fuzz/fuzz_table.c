/* Binary partition tables: whatever parses can be packed and parsed again to
 * the same rows, and what does not parse is explained with the same error. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "part/csv.h"

static void must(int ok)
{
    if (!ok)
        abort();
}

static void check_rows(const struct part_table *t, uint32_t flash_len)
{
    uint64_t limit = flash_len ? flash_len : (uint64_t)UINT32_MAX + 1;

    must(t->cnt <= PART_MAX_ENTRIES);
    for (uint32_t i = 0; i < t->cnt; i++) {
        const struct part_entry *e = &t->entries[i];

        must((uint64_t)e->off + e->len <= limit);
        must(strlen(e->label) <= PART_LABEL_LEN);
        must(part_find_label(t, e->label) != NULL);
    }
    for (uint32_t i = 0; i < part_ota_cnt(t); i++)
        must(part_ota(t, i) != NULL);
}

static void check_packed(const struct part_table *t, uint32_t flash_len)
{
    uint8_t bytes[PART_TABLE_MAX_LEN];
    struct part_table again;

    part_table_pack(t, bytes);
    if (t->cnt == 0)
        return; /* an MD5 row alone is a table to the reference, too */
    must(part_table_parse(span_of(bytes, sizeof(bytes)), flash_len, &again) ==
         ESP_OK);
    must(again.cnt == t->cnt);
    must(again.has_md5 == (t->cnt < PART_MAX_ENTRIES));
    must(memcmp(again.entries, t->entries, sizeof(t->entries)) == 0);
}

/* Texts for people: no crash, always terminated. */
static void check_texts(const struct part_table *t, uint32_t flash_len)
{
    struct part_rules rules = { .flash_len = flash_len };
    struct diag d = DIAG_NONE;
    char text[PART_CSV_MAX_LEN];
    esp_err_t err = part_check(t, &rules, NULL, &d);

    must(err == d.err);
    must(part_csv_write(t, text) == strlen(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t flash_lens[] = { 0, 0x400000 };

    for (size_t i = 0; i < 2; i++) {
        struct part_table t;
        struct diag d = DIAG_NONE;
        struct span in = span_of(data, size);
        esp_err_t err = part_table_parse(in, flash_lens[i], &t);

        must(part_table_explain(in, flash_lens[i], &d) == err);
        must(d.err == err);
        if (err) {
            must(t.cnt == 0);
            continue;
        }
        check_rows(&t, flash_lens[i]);
        check_packed(&t, flash_lens[i]);
        check_texts(&t, flash_lens[i]);
    }
    return 0;
}
