/* The list of digests that failed, where reading it does: nobody gets an
 * answer that was not read, and the list is as before or as asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "otadata/log.h"
#include "sim_flash.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

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

static const uint8_t *digest_of(uint8_t n)
{
    static uint8_t digest[OTADATA_DIGEST_LEN];
    memset(digest, n, sizeof(digest));
    return digest;
}

static uint32_t cnt_of_list(void)
{
    uint8_t digest[OTADATA_DIGEST_LEN];
    uint32_t cnt = 0;
    while (otadata_deny_get(&at, &o, cnt, digest) == ESP_OK)
        cnt++;
    return cnt;
}

/* Record 1 on its second trial of one and the same sequence number, ended by a
 * verdict; 1 and 2 are on the list, 1 twice. */
static void prepare(void)
{
    struct ota_rec rec = { .seq = 2, .state = OTA_STATE_ABORTED };
    struct ota_event verdict = { .seq = 2,
                                 .rec_idx = 1,
                                 .kind = OTA_EVENT_GIVEN_UP };
    memset(rec.label, 0xFF, sizeof(rec.label));
    rec.crc = ota_rec_crc(rec.seq);
    sim_flash_reset(&sim, NULL);
    assert_int_equal(otadata_read(&at, OTADATA_LEN, &o), ESP_OK);
    assert_int_equal(otadata_deny_learn(&at, &o, digest_of(1), 1), ESP_OK);
    assert_int_equal(otadata_deny_add(&at, &o, digest_of(2)), ESP_OK);
    assert_int_equal(otadata_change(&at, &o, 1, &rec), ESP_OK);
    assert_int_equal(otadata_note(&at, &o, &verdict), ESP_OK);
    assert_int_equal(otadata_deny_learn(&at, &o, digest_of(1), 1), ESP_OK);
    assert_int_equal(cnt_of_list(), 2);
}

/* --- what is asked ------------------------------------------------------- */

static esp_err_t has_listed(void)
{
    bool denied = false;
    esp_err_t err = otadata_deny_has(&at, &o, digest_of(2), &denied);
    assert_true(denied);
    return err;
}

/* In doubt it is on the list. */
static esp_err_t has_other(void)
{
    bool denied = false;
    esp_err_t err = otadata_deny_has(&at, &o, digest_of(3), &denied);
    assert_int_equal(denied, err != ESP_OK);
    return err;
}

static esp_err_t get_last(void)
{
    uint8_t digest[OTADATA_DIGEST_LEN];
    esp_err_t err = otadata_deny_get(&at, &o, 1, digest);
    if (!err)
        assert_memory_equal(digest, digest_of(2), sizeof(digest));
    return err;
}

static esp_err_t add_other(void)
{
    return otadata_deny_add(&at, &o, digest_of(3));
}

static esp_err_t add_again(void)
{
    return otadata_deny_add(&at, &o, digest_of(2));
}

static esp_err_t learn_again(void)
{
    return otadata_deny_learn(&at, &o, digest_of(3), 1);
}

static esp_err_t learn_other(void)
{
    return otadata_deny_learn(&at, &o, digest_of(3), 0);
}

static esp_err_t was_learnt(void)
{
    bool learnt = false;
    esp_err_t err = otadata_deny_learnt(&at, &o, 1, &learnt);
    assert_int_equal(learnt, err == ESP_OK);
    return err;
}

static esp_err_t clear(void)
{
    return otadata_deny_clear(&at, &o);
}

static esp_err_t verdict(void)
{
    struct ota_event event;
    esp_err_t err = otadata_verdict(&at, &o, &event);
    assert_int_equal(event.kind, err ? OTA_EVENT_NONE : OTA_EVENT_GIVEN_UP);
    return err;
}

static const struct {
    const char *claim;
    esp_err_t (*call)(void);
    uint32_t cnt; /* of the list, when it has worked */
} rows[] = {
    { "one that is on the list", has_listed, 2 },
    { "one that is not", has_other, 2 },
    { "the second newest", get_last, 2 },
    { "one is put there", add_other, 3 },
    { "one is put there that is there", add_again, 2 },
    { "a trial is learnt that was learnt", learn_again, 2 },
    { "one is learnt that was not", learn_other, 3 },
    { "was it learnt?", was_learnt, 2 },
    { "the list is emptied", clear, 0 },
    { "the verdict", verdict, 2 },
};

static void test_reads_that_fail(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        uint32_t nth = 1;
        print_message("# %s\n", rows[i].claim);
        for (bool fired = true; fired; nth++) {
            uint32_t cnt;
            prepare();
            sim_flash_fail_read(&sim, nth);
            fired = rows[i].call() != ESP_OK;
            assert_int_equal(sim_flash_unfired(&sim), !fired);
            sim_flash_power_on(&sim);
            assert_int_equal(otadata_read(&at, OTADATA_LEN, &o), ESP_OK);
            cnt = cnt_of_list();
            assert_true(cnt == rows[i].cnt || (fired && cnt == 2));
        }
        assert_true(nth > 2);
    }
}

/* What a scan found and is no entry any more when it is read: a flash that
 * changes, or a bit that is not sure. */
static void test_an_entry_that_went(void **state)
{
    uint32_t refused_cnt = 0;
    (void)state;
    for (uint32_t k = 0; k < 2 * OTADATA_SECTOR; k += OTA_LOG_ENTRY_LEN) {
        bool denied;
        prepare();
        memset(sim.bytes + k, 0, OTA_LOG_ENTRY_LEN);
        refused_cnt += otadata_deny_has(&at, &o, digest_of(3), &denied) ==
                       ESP_ERR_INVALID_CRC;
    }
    assert_int_equal(refused_cnt, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_reads_that_fail, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_entry_that_went, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
