/* Partition tables as text. The first byte picks the options, the rest is the
 * text. What parses keeps all rules, and survives the way through binary, and
 * through text again where its labels can be written. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "part/csv.h"

static void must(int ok)
{
    if (!ok)
        abort();
}

static const char *env(void *ctx, const char *name)
{
    (void)ctx;
    if (strcmp(name, "A") == 0)
        return "data, nvs,, 24K";
    return strcmp(name, "B") == 0 ? "$B" : NULL;
}

static struct part_csv_opts options(uint8_t bits)
{
    static const struct part_word extra = { PART_TYPE_APP, 0x33, "mine" };
    struct part_csv_opts opts = { .extra = &extra, .extra_cnt = 1, .env = env };

    opts.rules.table_off = bits & 1 ? 0xD000 : 0;
    opts.rules.flash_len = bits & 2 ? 0x400000 : 0;
    opts.rules.has_boot_off = bits & 4;
    opts.rules.boot_off = bits & 8 ? 0x1000 : 0;
    opts.rules.has_recovery_off = bits & 16;
    opts.rules.recovery_off = 0x3F0000;
    opts.rules.secure_v1 = bits & 32;
    return opts;
}

static void check_binary(const struct part_table *t, uint32_t flash_len)
{
    uint8_t bytes[PART_TABLE_MAX_LEN];
    struct part_table again;

    part_table_pack(t, bytes);
    must(part_table_parse(span_of(bytes, sizeof(bytes)), flash_len, &again) ==
         ESP_OK);
    must(memcmp(&again, t, sizeof(again)) == 0);
}

/* Labels with blanks at their ends, '$', or bytes that are no UTF-8 come back
 * changed, and two of them may come back equal. */
static int labels_are_plain(const struct part_table *t)
{
    for (uint32_t i = 0; i < t->cnt; i++) {
        const char *label = t->entries[i].label;
        size_t len = strlen(label);

        for (size_t k = 0; k < len; k++) {
            if (label[k] < '!' || label[k] > '~' || label[k] == '$' ||
                label[k] == '#')
                return 0;
        }
    }
    return 1;
}

static void check_text(const struct part_table *t,
                       const struct part_csv_opts *opts)
{
    char text[PART_CSV_MAX_LEN];
    size_t len = part_csv_write(t, text);
    struct part_table again;
    struct diag d = DIAG_NONE;

    must(len == strlen(text));
    if (!labels_are_plain(t))
        return;
    must(part_csv_parse(span_of(text, len), opts, &again, &d) == ESP_OK);
    must(memcmp(&again, t, sizeof(again)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct part_csv_opts opts = options(size ? data[0] : 0);
    struct part_table t;
    struct diag d = DIAG_NONE;
    esp_err_t err =
        part_csv_parse(span_from(span_of(data, size), 1), &opts, &t, &d);

    must(err == d.err);
    must((err == ESP_OK) == (t.cnt > 0));
    must((err == ESP_OK) == (d.text[0] == '\0'));
    if (err)
        return 0;
    must(part_check(&t, &opts.rules, NULL, NULL) == ESP_OK);
    check_binary(&t, opts.rules.flash_len);
    check_text(&t, &opts);
    return 0;
}
