/* The verifier as bootloaders build it: what desc_small.c and tail_slot.c leave
 * out, and that nothing else differs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static uint8_t image[FIX_MAX_LEN];
static size_t image_len;

static int setup(void **state)
{
    (void)state;
    image_len = fix_pack(&fix_app, image);
    image[IMG_APP_DESC_OFF + 4] = 7; /* the secure version */
    fix_seal(image);
    return 0;
}

static void test_numbers_without_words(void **state)
{
    struct img_rules rules = fix_file_rules;
    struct img_check check;
    struct img_receipt receipt;

    (void)state;
    rules.place = IMG_PLACE_SLOT;
    assert_int_equal(fix_check(&rules, image, image_len, 0, &check, &receipt),
                     ESP_OK);
    assert_int_equal(receipt.verdict, VERDICT_ACCEPT);
    assert_int_equal(receipt.secure_version, 7);
    assert_true(check.info.desc.present);
    assert_string_equal(check.info.desc.version, "");
}

static void test_bootloader_description(void **state)
{
    uint8_t bytes[IMG_BOOT_DESC_LEN] = { IMG_BOOT_DESC_MAGIC, 0, 0, 9 };
    struct img_boot_desc desc;

    (void)state;
    img_boot_desc_parse(span_of(bytes, sizeof(bytes)), &desc);
    assert_true(desc.present);
    assert_int_equal(desc.secure_version, 9);
    img_boot_desc_parse(span_of(bytes, sizeof(bytes) - 1), &desc);
    assert_false(desc.present);
    bytes[0]++;
    img_boot_desc_parse(span_of(bytes, sizeof(bytes)), &desc);
    assert_false(desc.present);
}

/* What is too short to be one, or begins otherwise. */
static void test_no_description(void **state)
{
    uint8_t bytes[IMG_APP_DESC_LEN] = { 0x32, 0x54, 0xCD, 0xAB, 9 };
    struct img_desc desc;
    struct img_header header;

    (void)state;
    img_desc_parse(span_of(bytes, sizeof(bytes)), &desc);
    assert_true(desc.present);
    assert_int_equal(desc.secure_version, 9);
    img_desc_parse(span_of(bytes, sizeof(bytes) - 1), &desc);
    assert_false(desc.present);
    assert_int_equal(desc.secure_version, 0);
    bytes[3]++;
    img_desc_parse(span_of(bytes, sizeof(bytes)), &desc);
    assert_false(desc.present);
    assert_int_equal(
        img_header_parse(span_of(image, IMG_HEADER_LEN - 1), &header),
        ESP_ERR_INVALID_SIZE);
    assert_int_equal(header.seg_cnt, 0);
    assert_int_equal(img_header_parse(span_of(image, IMG_HEADER_LEN), &header),
                     ESP_OK);
}

static void test_damage_is_found(void **state)
{
    struct img_rules rules = fix_file_rules;
    struct img_check check;
    struct img_receipt receipt;

    (void)state;
    rules.place = IMG_PLACE_SLOT;
    for (size_t i = 0; i < image_len; i += 7) {
        image[i] ^= 0x10;
        assert_int_not_equal(
            fix_check(&rules, image, image_len, 0, &check, &receipt), ESP_OK);
        assert_int_equal(receipt.verdict, VERDICT_REJECT);
        image[i] ^= 0x10;
    }
}

static void test_what_follows(void **state)
{
    static const struct {
        const char *claim;
        enum img_place place;
        enum img_fault_kind want;
    } rows[] = {
        { "behind an image in a slot anything may follow", IMG_PLACE_SLOT,
          IMG_FAULT_NONE },
        { "a place that this build does not know is refused", IMG_PLACE_FILE,
          IMG_FAULT_TRAILING },
        { "... and so is the wire", IMG_PLACE_WIRE, IMG_FAULT_TRAILING },
    };

    (void)state;
    memset(image + image_len, 0xFF, 16);
    for (size_t i = 0; i < CNT(rows); i++) {
        struct img_rules rules = fix_file_rules;
        struct img_check check;
        struct img_receipt receipt;

        rules.place = rows[i].place;
        (void)!fix_check(&rules, image, image_len + 16, 0, &check, &receipt);
        if (check.fault.kind != rows[i].want)
            fail_msg("%s: fault %d", rows[i].claim, (int)check.fault.kind);
        assert_int_equal(receipt.verdict == VERDICT_ACCEPT,
                         rows[i].want == IMG_FAULT_NONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_numbers_without_words, setup),
        cmocka_unit_test_setup(test_bootloader_description, setup),
        cmocka_unit_test_setup(test_no_description, setup),
        cmocka_unit_test_setup(test_damage_is_found, setup),
        cmocka_unit_test_setup(test_what_follows, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
