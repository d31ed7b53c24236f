/* The rules that only a table from elsewhere can break: text is laid out in
 * order and cannot overlap. The others are rows of test_csv.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "part/rules.h"
#include "part/words.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

struct row {
    const char *claim;
    struct part_entry e[2];
    const char *says; /* NULL: accepted */
};

static const struct row rows[] = {
    { "side by side",
      { { 1, 6, 0xA000, 0x1000, 0, "a" }, { 1, 6, 0x9000, 0x1000, 0, "b" } },
      NULL },
    { "the second begins in the first",
      { { 1, 6, 0x9000, 0x2000, 0, "a" }, { 1, 6, 0xA000, 0x2000, 0, "b" } },
      "row 2 (b): 0xa000 to 0xc000 overlaps row 1 (a), 0x9000 to 0xb000" },
    { "the second ends in the first",
      { { 1, 6, 0xA000, 0x2000, 0, "a" }, { 1, 6, 0x9000, 0x2000, 0, "b" } },
      "overlaps row 1 (a)" },
    { "one in the other",
      { { 1, 6, 0x9000, 0x4000, 0, "a" }, { 1, 6, 0xA000, 0x1000, 0, "b" } },
      "overlaps row 1 (a)" },
    { "an empty one inside",
      { { 1, 6, 0x9000, 0x4000, 0, "a" }, { 1, 6, 0xA000, 0, 0, "b" } },
      "overlaps row 1 (a)" },
    { "in the table's sector",
      { { 1, 6, 0x8000, 0x1000, 0, "a" }, { 1, 6, 0x9000, 0x1000, 0, "b" } },
      "row 1 (a): the offset 0x8000 is below 0x9000" },
    { "the table itself",
      { { 3, 0, 0x8000, 0x1000, 0, "a" }, { 1, 6, 0x9000, 0x1000, 0, "b" } },
      NULL },
    { "the bootloader itself",
      { { 2, 0, 0x0, 0x8000, 0, "a" }, { 1, 6, 0x9000, 0x1000, 0, "b" } },
      NULL },
    { "another bootloader down there",
      { { 2, 1, 0x0, 0x8000, 0, "a" }, { 1, 6, 0x9000, 0x1000, 0, "b" } },
      "row 1 (a): the offset 0x0 is below" },
    { "a bootloader into the table",
      { { 2, 0, 0x1000, 0x8000, 0, "a" }, { 3, 0, 0x8000, 0x1000, 0, "b" } },
      "overlaps row 1 (a)" },
    { "a label that steers terminals",
      { { 1, 6, 0x9000, 0x1000, 0, "a" }, { 1, 6, 0x9100, 1, 0, "\x1b[2J" } },
      "row 2 (?[2J): the offset" },
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct part_rules rules = { .flash_len = 0x400000 };
        struct part_table t = { .cnt = 2 };
        struct diag d = DIAG_NONE;
        esp_err_t err;

        print_message("# %s\n", rows[i].claim);
        t.entries[0] = rows[i].e[0];
        t.entries[1] = rows[i].e[1];
        err = part_check(&t, &rules, NULL, &d);
        print_message("#   %s\n", d.text);
        assert_int_equal(err != ESP_OK, rows[i].says != NULL);
        if (rows[i].says)
            assert_non_null(strstr(d.text, rows[i].says));
    }
}

static void hear(void *ctx, const char *text)
{
    snprintf(ctx, 200, "%s", text);
}

static void test_unknown_flags(void **state)
{
    char heard[200] = "";
    struct part_rules rules = { .warn = hear, .warn_ctx = heard };
    struct part_table t = { .cnt = 1 };

    (void)state;
    t.entries[0] = (struct part_entry){ 1, 6, 0x9000, 0x1000, 4, "a" };
    assert_int_equal(part_check(&t, &rules, NULL, NULL), ESP_OK);
    assert_string_equal(heard, "row 1 (a): it has flags that are unknown here");
}

static void test_words(void **state)
{
    uint8_t num = 99;

    (void)state;
    assert_string_equal(part_type_word(3), "partition_table");
    assert_null(part_type_word(4));
    assert_null(part_type_word(255));
    assert_string_equal(part_subtype_word(0, 0x1A), "ota_10");
    assert_null(part_subtype_word(0, 0x21));
    assert_true(part_type_by_word(span_str("Bootloader"), &num));
    assert_int_equal(num, 2);
    assert_false(part_type_by_word(span_str("boot"), &num));
    assert_true(part_subtype_by_word(1, span_str("TEE_OTA"), &num));
    assert_int_equal(num, 0x90);
    assert_false(part_subtype_by_word(0, span_str("tee_ota"), &num));
    for (size_t i = 0; part_word_at(i); i++) {
        const struct part_word *w = part_word_at(i);

        assert_true(part_subtype_by_word(w->type, span_str(w->word), &num));
        assert_int_equal(num, w->subtype);
        assert_string_equal(part_subtype_word(w->type, w->subtype), w->word);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_unknown_flags),
        cmocka_unit_test(test_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
