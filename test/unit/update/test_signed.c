/* Updates of a device that takes signed images only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/image/signer.h"
#include "unit/update/rig.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define SCHEME IMG_SCHEME_ECDSA256

struct row {
    const char *claim;
    char key; /* '0' trusted, '1' unknown, '-' none */
    int less; /* bytes of the file that are not served */
    int flip; /* byte of the signature sector to change, -1: none */
    esp_err_t want;
    const char *word; /* of the sentence */
};

/* The rig's image with a signature, as the server has it. */
static uint8_t *make_file(const struct rig *r, const struct row *row,
                          uint32_t *len)
{
    uint32_t off = img_sig_off(SCHEME, r->image_len);
    uint8_t *file = malloc(off + IMG_SIG_SECTOR_LEN);

    assert_non_null(file);
    memset(file, 0xFF, off + IMG_SIG_SECTOR_LEN);
    memcpy(file, r->image, r->image_len);
    *len = off + IMG_SIG_SECTOR_LEN - (uint32_t)row->less;
    if (row->key == '-')
        *len = r->image_len;
    else
        signer_block(SCHEME, (unsigned)(row->key - '0'), file, off, file + off);
    if (row->flip >= 0) {
        file[off + (uint32_t)row->flip] ^= 1;
        signer_seal(file + off);
    }
    return file;
}

static void run(const struct row *row, uint32_t range_len)
{
    struct img_keys keys;
    struct rig r;
    uint32_t len;
    uint8_t *file;
    esp_err_t err;

    rig_open(&r);
    signer_trust(SCHEME, 1, &keys);
    r.policy.require_signed = true;
    r.device.keys = &keys;
    r.opts.range_len = range_len;
    file = make_file(&r, row, &len);
    rig_serve(&r, file, len);
    err = rig_update(&r, NULL);
    if (err != row->want || !strstr(r.diag.text, row->word))
        fail_msg("%s, requests of %u: 0x%x %s", row->claim, (unsigned)range_len,
                 (unsigned)err, r.diag.text);
    /* The image in ota_0 is not signed: nothing boots unless this one does. */
    assert_int_equal(rig_boots(&r), err ? BOOT_NONE : 1);
    r.policy.require_signed = false;
    assert_int_equal(rig_boots(&r), err ? 0 : 1);
    if (!err)
        assert_memory_equal(rig_bytes(&r, RIG_SLOT_1), file, len);
    free(file);
    rig_close(&r);
}

static void test_what_is_installed(void **state)
{
    static const struct row rows[] = {
        { "signed", '0', 0, -1, ESP_OK, "" },
        { "not signed", '-', 0, -1, ESP_ERR_OTA_VALIDATE_FAILED, "not signed" },
        { "signed by a stranger", '1', 0, -1, ESP_ERR_OTA_VALIDATE_FAILED,
          "no key that this device trusts" },
        { "a forged signature", '0', 0, 110, ESP_ERR_OTA_VALIDATE_FAILED,
          "was not made by" },
        { "made for another image", '0', 0, 4, ESP_ERR_OTA_VALIDATE_FAILED,
          "another image" },
        { "the last byte is missing", '0', 1, -1, ESP_ERR_OTA_VALIDATE_FAILED,
          "a part is missing" },
        { "the sector is missing", '0', 4096, -1, ESP_ERR_OTA_VALIDATE_FAILED,
          "are missing" },
    };

    /* Between two requests the check is parked, in its signature as well. */
    static const uint32_t ranges[] = { 0, 333 };

    (void)state;
    for (size_t i = 0; i < CNT(rows) * CNT(ranges); i++)
        run(&rows[i / CNT(ranges)], ranges[i % CNT(ranges)]);
}

/* A bootloader that does not ask leaves the update's question as it is. */
static void test_only_updates_ask(void **state)
{
    static const struct row rows[] = {
        { "signed", '0', 0, -1, ESP_OK, "" },
        { "not signed", '-', 0, -1, ESP_ERR_OTA_VALIDATE_FAILED, "not signed" },
        { "signed by a stranger", '1', 0, -1, ESP_ERR_OTA_VALIDATE_FAILED,
          "no key that this device trusts" },
    };
    struct img_keys keys;

    (void)state;
    signer_trust(SCHEME, 1, &keys);
    for (size_t i = 0; i < CNT(rows); i++) {
        struct rig r;
        uint32_t len;
        uint8_t *file;

        rig_open(&r);
        r.policy.require_signed = r.policy.boot_unsigned = true;
        r.device.keys = &keys;
        file = make_file(&r, &rows[i], &len);
        rig_serve(&r, file, len);
        assert_int_equal(rig_boots(&r), 0); /* and that is not signed */
        if (rig_update(&r, NULL) != rows[i].want)
            fail_msg("%s: %s", rows[i].claim, r.diag.text);
        assert_int_equal(rig_boots(&r), rows[i].want ? 0 : 1);
        free(file);
        rig_close(&r);
    }
}

/* Said before anything is erased. */
static void test_a_device_without_keys(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r);
    r.policy.require_signed = true;
    assert_int_equal(rig_update(&r, NULL), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_non_null(strstr(r.diag.text, "no valid set of keys"));
    assert_int_equal(sim_flash_ops(&r.flash), 0);
    rig_close(&r);
}

/* The image fits into its slot, and its signature does not. */
static void test_the_signature_has_to_fit(void **state)
{
    struct rig_image how = { .filler = 1, .body_len = RIG_SLOT_LEN - 1024 };
    struct img_keys keys;
    struct rig r;

    (void)state;
    rig_open(&r);
    signer_trust(SCHEME, 1, &keys);
    r.policy.require_signed = true;
    r.device.keys = &keys;
    free(r.image);
    r.image = rig_make_image(&how, &r.image_len);
    assert_true(r.image_len <= RIG_SLOT_LEN);
    rig_serve(&r, r.image, r.image_len);
    assert_int_equal(rig_update(&r, NULL), ESP_ERR_INVALID_SIZE);
    assert_int_equal(sim_flash_ops(&r.flash), 0);
    r.policy.require_signed = false;
    rig_serve(&r, r.image, r.image_len);
    assert_int_equal(rig_update(&r, NULL), ESP_OK);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_installed),
        cmocka_unit_test(test_only_updates_ask),
        cmocka_unit_test(test_a_device_without_keys),
        cmocka_unit_test(test_the_signature_has_to_fit),
    };

    return cmocka_run_group_tests(tests, signer_setup, signer_teardown);
}
