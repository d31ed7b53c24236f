/* Updates of a device with anti-rollback: what is refused, and that it is
 * refused before anything is erased. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fuse/fuse.h"
#include "unit/update/rig.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void serve(struct rig *r, uint32_t version)
{
    free(r->image);
    r->image = rig_make_image(
        &(struct rig_image){ .secure_version = version, .filler = 3 },
        &r->image_len);
    rig_serve(r, r->image, r->image_len);
}

/* The device is at `fuses` and runs an image of that version. */
static void open_at(struct rig *r, uint32_t fuses, uint32_t offered)
{
    rig_open(r);
    rig_add_fuses(r);
    rig_put_image(r, RIG_SLOT_0,
                  &(struct rig_image){ .secure_version = fuses });
    assert_int_equal(fuse_raise(&r->fuses.port, fuses), ESP_OK);
    serve(r, offered);
    r->flash.count = (struct sim_flash_count){ 0 };
}

static const struct {
    const char *claim;
    uint32_t fuses, offered;
    esp_err_t want;
    const char *word; /* of the sentence */
} rows[] = {
    { "the same version", 2, 2, ESP_OK, "" },
    { "a newer one", 2, 3, ESP_OK, "" },
    { "an older one, with both numbers", 3, 2, ESP_ERR_OTA_SMALL_SEC_VER,
      "secure version is 2 and this device starts 3 and above" },
    { "any, on a new device", 0, 0, ESP_OK, "" },
    { "more than the field holds", 2, 40, ESP_OK, "" },
    { "a full field takes its own version", 16, 16, ESP_OK, "" },
    { "a full field takes nothing less", 16, 15, ESP_ERR_OTA_SMALL_SEC_VER,
      "15 and this device starts 16" },
};

static void test_what_is_installed(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct rig r;
        uint32_t version;
        esp_err_t err;

        open_at(&r, rows[i].fuses, rows[i].offered);
        err = rig_update(&r, NULL);
        if (err != rows[i].want || !strstr(r.diag.text, rows[i].word))
            fail_msg("%s: 0x%x %s", rows[i].claim, (unsigned)err, r.diag.text);
        if (err) {
            assert_int_equal(r.flash.count.erases, 0);
            assert_int_equal(r.flash.count.progs, 0);
            assert_int_equal(r.diag.stage, DIAG_STAGE_IMAGE);
        }
        assert_int_equal(rig_boots(&r), err ? 0 : 1);
        /* Installing raises nothing. */
        assert_int_equal(fuse_read_version(&r.fuses.port, &version), ESP_OK);
        assert_int_equal(version, rows[i].fuses);
        rig_close(&r);
    }
}

/* Also when all is erased beforehand, or comes in parts. */
static void test_every_way_in(void **state)
{
    (void)state;
    for (int way = 0; way < 3; way++) {
        struct rig r;

        open_at(&r, 3, 2);
        r.opts.bulk_erase = way == 1;
        r.opts.range_len = way == 2 ? 5000 : 0;
        r.opts.read_len = 100;
        assert_int_equal(rig_update(&r, NULL), ESP_ERR_OTA_SMALL_SEC_VER);
        assert_int_equal(sim_flash_ops(&r.flash), 0);
        rig_close(&r);
    }
}

/* Fuses that rose while the image came: the second question. */
static void test_asked_again_at_the_end(void **state)
{
    enum upd_step step = UPD_STEP_MORE;
    struct rig r;
    struct upd *u;
    esp_err_t err;

    (void)state;
    open_at(&r, 2, 2);
    assert_int_equal(upd_begin(&u, &r.env, &r.opts, &r.diag), ESP_OK);
    while (step == UPD_STEP_MORE)
        step = upd_step(u, &err);
    assert_int_equal(step, UPD_STEP_DONE);
    assert_int_equal(fuse_raise(&r.fuses.port, 3), ESP_OK);
    assert_int_equal(upd_finish(u, true, NULL), ESP_ERR_OTA_SMALL_SEC_VER);
    assert_int_equal(r.flash.bytes[RIG_SLOT_1], 0xFF); /* no magic byte */
    rig_close(&r);
}

/* Fuses that fail when they are asked once more. */
static void test_cannot_be_asked_again(void **state)
{
    struct rig r;
    struct upd *u;
    esp_err_t err;

    (void)state;
    open_at(&r, 2, 2);
    assert_int_equal(upd_begin(&u, &r.env, &r.opts, &r.diag), ESP_OK);
    r.flash.bytes[RIG_FUSES] ^= 1;
    r.flash.bytes[RIG_FUSES + FUSE_SECTOR_LEN] ^= 1;
    assert_int_equal(upd_step(u, &err), UPD_STEP_FAILED);
    assert_int_equal(err, ESP_ERR_INVALID_CRC);
    assert_non_null(strstr(r.diag.text, "no image can be accepted"));
    assert_int_equal(sim_flash_ops(&r.flash), 0);
    upd_abort(u, NULL);
    rig_close(&r);
}

/* An image that says nothing about itself, as those of other chips may, has no
 * secure version. */
static void test_no_description(void **state)
{
    struct rig r;

    (void)state;
    open_at(&r, 2, 2);
    r.device.chip_id = 5;
    free(r.image);
    r.image = rig_make_image(&(struct rig_image){ .chip_id = 5 }, &r.image_len);
    rig_serve(&r, r.image, r.image_len);
    memset(r.image + IMG_APP_DESC_OFF, 0, 4); /* its magic word */
    assert_int_equal(rig_update(&r, NULL), ESP_ERR_OTA_SMALL_SEC_VER);
    assert_non_null(strstr(r.diag.text, "no description"));
    assert_int_equal(sim_flash_ops(&r.flash), 0);
    rig_close(&r);
}

/* Nobody knows which version would be too old: nothing is asked for. */
static void test_fuses_cannot_be_read(void **state)
{
    struct rig r;

    (void)state;
    open_at(&r, 2, 2);
    r.flash.bytes[RIG_FUSES] ^= 1;
    r.flash.bytes[RIG_FUSES + FUSE_SECTOR_LEN] ^= 1;
    assert_int_equal(rig_update(&r, NULL), ESP_ERR_INVALID_CRC);
    assert_non_null(strstr(r.diag.text, "cannot be read"));
    assert_int_equal(r.web.open_cnt, 0);
    r.device.fuse = NULL;
    assert_int_equal(rig_update(&r, NULL), ESP_ERR_NOT_SUPPORTED);
    r.policy.anti_rollback = false; /* nobody asks */
    assert_int_equal(rig_update(&r, NULL), ESP_OK);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_installed),
        cmocka_unit_test(test_every_way_in),
        cmocka_unit_test(test_asked_again_at_the_end),
        cmocka_unit_test(test_cannot_be_asked_again),
        cmocka_unit_test(test_no_description),
        cmocka_unit_test(test_fuses_cannot_be_read),
    };
    return cmocka_run_group_tests_name("update_version", tests, NULL, NULL);
}
