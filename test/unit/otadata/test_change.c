/* Changes of records where something fails besides the power (test/power), and
 * what a scan makes of entries that no change of ours leaves behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "otadata/log.h"
#include "sim_flash.h"

static struct sim_flash sim;
static struct otadata_place at;
static struct otadata o;

static int setup(void **state)
{
    const struct sim_flash_conf conf = { .size_len = OTADATA_LEN };
    (void)state;
    at = (struct otadata_place){ &sim.port, 0 };
    return sim_flash_init(&sim, &conf) != ESP_OK;
}

static int teardown(void **state)
{
    (void)state;
    sim_flash_deinit(&sim);
    return 0;
}

static struct ota_rec rec_of(uint32_t seq, uint32_t state)
{
    struct ota_rec rec = { .seq = seq, .state = state };
    memset(rec.label, 0xFF, sizeof(rec.label));
    rec.crc = ota_rec_crc(seq);
    return rec;
}

static uint8_t *place(uint32_t sector, uint32_t k)
{
    return sim.bytes + sector * OTADATA_SECTOR + OTA_LOG_OFF +
           k * OTA_LOG_ENTRY_LEN;
}

static void put_event(uint32_t sector, uint32_t k, uint32_t gen, uint8_t kind)
{
    struct ota_event event = { .seq = 2, .kind = kind };
    struct ota_log_entry e;
    ota_event_pack(&event, &e);
    e.gen = gen;
    ota_log_pack(&e, place(sector, k));
}

/* --- what a change does --------------------------------------------------- */

/* One word of a record is another: that is a change. All the same: none is. */
static void test_each_word_counts(void **state)
{
    struct ota_rec was = rec_of(2, OTA_STATE_NEW);
    (void)state;
    for (int i = 0; i < 5; i++) {
        struct ota_rec want = was;
        uint32_t ops;
        want.seq += i == 1;
        want.state += i == 2;
        want.label[19] ^= i == 3;
        want.crc ^= i == 4;
        assert_int_equal(otadata_change(&at, &o, 1, &was), ESP_OK);
        ops = sim_flash_ops(&sim);
        assert_int_equal(otadata_change(&at, &o, 1, &want), ESP_OK);
        assert_int_equal(sim_flash_ops(&sim) > ops, i > 0);
        assert_memory_equal(&o.rec[1], &want, sizeof(want));
    }
}

/* Whichever read fails: it is said, the old record or the new one is there, and
 * the next change ends well. */
static void test_reads_that_fail(void **state)
{
    struct ota_rec old = rec_of(2, OTA_STATE_NEW);
    struct ota_rec new = rec_of(2, OTA_STATE_PENDING);
    uint32_t nth = 1;
    (void)state;
    for (bool fired = true; fired; nth++) {
        sim_flash_reset(&sim, NULL);
        put_event(1, 0, 1, OTA_EVENT_STARTED); /* to be carried over */
        assert_int_equal(otadata_change(&at, &o, 1, &old), ESP_OK);
        put_event(1, 2, 9, OTA_EVENT_CONFIRMED);
        sim_flash_fail_read(&sim, nth);
        fired = otadata_change(&at, &o, 1, &new) != ESP_OK;
        assert_int_equal(sim_flash_unfired(&sim), !fired);
        sim_flash_power_on(&sim);
        assert_int_equal(otadata_read(&at, OTADATA_LEN, &o), ESP_OK);
        assert_true(o.rec[1].state == OTA_STATE_NEW ||
                    o.rec[1].state == OTA_STATE_PENDING);
        assert_int_equal(otadata_change(&at, &o, 1, &new), ESP_OK);
        assert_memory_equal(&o.rec[1], &new, sizeof(new));
        assert_false(o.redo_open);
        assert_int_equal(o.event.kind, OTA_EVENT_CONFIRMED);
    }
    assert_true(nth > 2 * OTADATA_LEN / OTA_LOG_ENTRY_LEN);
}

/* An event is copied while there is a place besides the intent's. */
static void test_no_place_to_carry_to(void **state)
{
    static const struct {
        uint32_t last; /* entry that is taken in the other sector */
        enum ota_event_kind kept;
    } rows[] = { { 60, OTA_EVENT_STARTED }, { 61, OTA_EVENT_NONE } };
    struct ota_rec rec = rec_of(2, OTA_STATE_NEW);
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sim_flash_reset(&sim, NULL);
        memset(place(0, rows[i].last), 0, 4);
        put_event(1, 0, 1, OTA_EVENT_STARTED);
        assert_int_equal(otadata_change(&at, &o, 1, &rec), ESP_OK);
        assert_memory_equal(&o.rec[1], &rec, sizeof(rec));
        assert_int_equal(o.event.kind, rows[i].kept);
        assert_int_equal(o.free_cnt[0], 0);
    }
}

/* --- what a scan sees ----------------------------------------------------- */

/* The sector of an open change is not believed, nor an event that stands there
 * alone; an older one elsewhere is not the newest. */
static void test_event_of_an_open_change(void **state)
{
    struct ota_log_entry change = { .gen = 5,
                                    .type = OTA_LOG_CHANGE,
                                    .target = 0 };
    struct ota_rec rec = rec_of(3, OTA_STATE_VALID);
    (void)state;
    ota_rec_pack(&rec, change.data);
    ota_log_pack(&change, place(1, 0));
    put_event(0, 0, 4, OTA_EVENT_STARTED);
    put_event(1, 1, 3, OTA_EVENT_CONFIRMED);
    assert_int_equal(otadata_read(&at, OTADATA_LEN, &o), ESP_OK);
    assert_true(o.redo_open);
    assert_int_equal(o.live[OTA_LIVE_STARTED].gen, 0);
    assert_int_equal(o.live[OTA_LIVE_VERDICT].gen, 3);
    assert_int_equal(o.event.kind, OTA_EVENT_NONE);
}

/* Windows may come in any order. */
static void test_scanned_backwards(void **state)
{
    struct otadata there, back;
    struct ota_scan s;
    struct ota_rec rec = rec_of(2, OTA_STATE_NEW);
    (void)state;
    assert_int_equal(otadata_change(&at, &o, 1, &rec), ESP_OK);
    put_event(0, 5, 3, OTA_EVENT_CONFIRMED);
    put_event(0, 7, 2, OTA_EVENT_STARTED);
    put_event(1, 0, 4, OTA_EVENT_STARTED);
    assert_int_equal(otadata_read(&at, OTADATA_LEN, &there), ESP_OK);
    ota_scan_begin(&s, &back);
    for (uint32_t off = OTADATA_LEN; off > 0;) {
        off -= OTA_LOG_ENTRY_LEN;
        ota_scan_feed(&s, off, sim.bytes + off);
    }
    ota_scan_end(&s);
    assert_memory_equal(&there, &back, sizeof(back));
    assert_int_equal(back.event.kind, OTA_EVENT_STARTED);
    assert_int_equal(back.free_cnt[0], 55);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_each_word_counts),     TEST(test_reads_that_fail),
        TEST(test_no_place_to_carry_to), TEST(test_event_of_an_open_change),
        TEST(test_scanned_backwards),
    };
    return cmocka_run_group_tests_name("otadata_change", tests, NULL, NULL);
}
