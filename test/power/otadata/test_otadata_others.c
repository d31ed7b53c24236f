/* What stands in the sectors that a plain change does not leave there: other
 * tools' records, a log that is used up, a flash that is not like ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "rig.h"

static void test_generations_used_up(void **state)
{
    (void)state;
    struct rig r;
    struct otadata o;
    struct rig_image image;
    const struct ota_rec rec[2] = { rec_of(5, OTA_STATE_NEW), rec_blank() };
    const struct ota_rec want = rec_of(5, OTA_STATE_PENDING);
    const unsigned fill[2] = { 0, 0 };
    struct witness_entry e = { .gen = 0xFFFFFFFEu, .target = 0 };
    rig_open(&r, 4);
    image_start(&image, rec, fill);
    witness_pack(image.bytes + OTADATA_SECTOR + 64, &e);
    rig_load(&r, &image);
    assert_int_equal(otadata_read(&r.at, OTADATA_LEN, &o), ESP_OK);
    assert_int_equal(o.free_cnt[0], 0);
    assert_int_equal(o.free_cnt[1], 0);
    r.log_full = true;
    assert_int_equal(otadata_change(&r.at, &o, 0, &want), ESP_OK);
    assert_true(rec_equal(&o.rec[0], &want));
    assert_int_equal(otadata_change(&r.at, &o, 1, &rec[1]), ESP_OK);
    rig_close(&r);
}

static void test_stuck_sector(void **state)
{
    (void)state;
    struct rig r;
    struct otadata o;
    const struct ota_rec want = rec_of(1, OTA_STATE_VALID);
    for (uint32_t stuck = 0; stuck < 2; stuck++) {
        rig_open(&r, 4);
        sim_flash_stick(&r.sim, stuck * OTADATA_SECTOR, true);
        assert_int_equal(otadata_change(&r.at, &o, 0, &want),
                         ESP_ERR_FLASH_OP_FAIL);
        assert_int_equal(r.bad_erases, 0);
        rig_close(&r);
    }
}

static void test_refused(void **state)
{
    static const uint32_t units[] = { 0, 3, 32, 256 };
    (void)state;
    struct rig r;
    struct otadata o;
    const struct ota_rec want = rec_of(1, OTA_STATE_VALID);
    const struct otadata_request req = { .slot = 2, .slot_cnt = 2 };
    rig_open(&r, 4);
    assert_int_equal(otadata_change(&r.at, &o, 2, &want), ESP_ERR_INVALID_ARG);
    assert_int_equal(otadata_activate(&r.at, &o, &req), ESP_ERR_INVALID_ARG);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        r.flash.prog_len = units[i];
        assert_int_equal(otadata_change(&r.at, &o, 0, &want),
                         ESP_ERR_NOT_SUPPORTED);
        assert_int_equal(otadata_activate(&r.at, &o, &req),
                         ESP_ERR_NOT_SUPPORTED);
    }
    r.flash.prog_len = 4;
    r.flash.erase_len = 0x2000;
    assert_int_equal(otadata_redo(&r.at, &o), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(otadata_read(&r.at, OTADATA_LEN - 1, &o),
                     ESP_ERR_INVALID_SIZE);
    assert_int_equal(sim_flash_ops(&r.sim), 0);
    rig_close(&r);
}

/* --- other tools ---------------------------------------------------------- */

/* The power goes after the erase of sector 0, and another tool then writes. */
static void cut_then_foreign(struct rig *r, const struct ota_rec *foreign)
{
    struct otadata o;
    struct rig_image image;
    const struct ota_rec rec[2] = { rec_of(3, OTA_STATE_ABORTED),
                                    rec_of(4, OTA_STATE_VALID) };
    const struct ota_rec want = rec_of(5, OTA_STATE_NEW);
    const unsigned fill[2] = { 1, 1 };
    image_start(&image, rec, fill);
    rig_load(r, &image);
    sim_flash_arm(&r->sim, SIM_FAULT_AFTER, 2, 1);
    assert_int_not_equal(otadata_change(&r->at, &o, 0, &want), ESP_OK);
    assert_int_equal(r->sim.count.fired, 1);
    sim_flash_power_on(&r->sim);
    ota_rec_pack(foreign, r->sim.bytes);
    assert_int_equal(otadata_read(&r->at, OTADATA_LEN, &o), ESP_OK);
}

static void test_foreign_record_wins(void **state)
{
    (void)state;
    struct rig r;
    struct otadata o;
    const struct ota_rec foreign = rec_of(7, OTA_STATE_UNDEFINED);
    rig_open(&r, 4);
    cut_then_foreign(&r, &foreign);
    assert_int_equal(otadata_read(&r.at, OTADATA_LEN, &o), ESP_OK);
    assert_false(o.redo_open);
    assert_true(rec_equal(&o.rec[0], &foreign));
    /* Recovery closes the intent without an erase ... */
    assert_int_equal(otadata_redo(&r.at, &o), ESP_OK);
    assert_int_equal(r.sim.count.erases, 1);
    assert_true(rec_equal(&o.rec[0], &foreign));
    /* ... so that it stays dead when the tool writes a sequence it names. */
    const struct ota_rec again = rec_of(5, OTA_STATE_INVALID);
    memset(r.sim.bytes, 0xFF, OTADATA_SECTOR);
    ota_rec_pack(&again, r.sim.bytes);
    assert_int_equal(otadata_redo(&r.at, &o), ESP_OK);
    assert_true(rec_equal(&o.rec[0], &again));
    rig_close(&r);
}

static void test_foreign_or_ours(void **state)
{
    static const struct {
        const char *claim;
        uint32_t seq, state;
        bool bad_crc, redone;
    } rows[] = {
        { "the old sequence is no sign of another tool", 3, 2, false, true },
        { "nor is the new one", 5, 2, false, true },
        { "nor is a record with a bad CRC", 9, 2, true, true },
        { "nor is a blank one", OTADATA_SEQ_NONE, 0xFFFFFFFFu, false, true },
        { "another sequence is", 6, 4, false, false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rig r;
        struct otadata o;
        struct ota_rec rec = rec_of(rows[i].seq, rows[i].state);
        rec.crc ^= rows[i].bad_crc;
        const struct ota_rec want = rec_of(5, OTA_STATE_NEW);
        rig_open(&r, 4);
        cut_then_foreign(&r, &rec);
        assert_int_equal(otadata_redo(&r.at, &o), ESP_OK);
        bool redone = rec_equal(&o.rec[0], &want);
        if (redone != rows[i].redone)
            fail_msg("not so: %s", rows[i].claim);
        assert_true(redone || rec_equal(&o.rec[0], &rec));
        assert_int_equal(r.bad_erases, 0);
        rig_close(&r);
    }
}

/* Contents never prove that an erase finished. */
static void test_right_looking_record_is_redone(void **state)
{
    (void)state;
    struct rig r;
    struct otadata o;
    struct rig_image image;
    const struct ota_rec rec[2] = { rec_of(5, OTA_STATE_PENDING),
                                    rec_of(4, OTA_STATE_VALID) };
    const unsigned fill[2] = { 2, 0 };
    struct witness_entry e = { .gen = 9, .target = 0, .old_seq = 5 };
    e.open = true;
    ota_rec_pack(&rec[0], e.rec);
    rig_open(&r, 4);
    image_start(&image, rec, fill);
    witness_pack(image.bytes + OTADATA_SECTOR + 64, &e);
    rig_load(&r, &image);
    assert_int_equal(otadata_redo(&r.at, &o), ESP_OK);
    assert_int_equal(r.sim.count.erases, 1);
    assert_int_equal(o.free_cnt[0], 63); /* its log went with the erase */
    assert_true(rec_equal(&o.raw[0], &rec[0]));
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_generations_used_up),
        cmocka_unit_test(test_stuck_sector),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_foreign_record_wins),
        cmocka_unit_test(test_foreign_or_ours),
        cmocka_unit_test(test_right_looking_record_is_redone),
    };
    return cmocka_run_group_tests_name("otadata_others", tests, NULL, NULL);
}
