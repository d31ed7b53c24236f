/* Every path of a small device, cut at every flash operation; see
 * torture/torture.h. PORTA_DEEP=1: the recoveries are cut, too, all of them
 * where the path is metadata. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "image/key_store.h"
#include "unit/image/signer.h"

#define SCHEME IMG_SCHEME_ECDSA256

static bool deep(void)
{
    const char *env = getenv("PORTA_DEEP");

    return env && env[0] == '1';
}

static void check_cells(const struct tort_path_result *p)
{
    for (unsigned op = 0; op < TORT_OP_CNT; op++)
        for (unsigned f = 0; f < TORT_FAULT_CNT; f++) {
            const struct tort_cell *c = &p->cell[op][f];
            assert_int_equal(c->old_cnt + c->new_cnt, c->runs);
            assert_int_equal(c->ref_cnt, c->runs);
            assert_int_equal(c->again_cnt, c->runs);
            assert_int_equal(c->bad_cnt, 0);
        }
}

static void check_result(const struct tort_result *r)
{
    char text[TORT_SEQ_TEXT_LEN];

    if (r->bad_cnt)
        fail_msg("%s: %s", tort_seq_text(&r->bad_seq, text, sizeof(text)),
                 r->bad_why);
    assert_int_equal(r->armed_cnt, r->fired_cnt);
    for (unsigned i = 0; i < TORT_PATH_CNT; i++)
        check_cells(&r->path[i]);
}

static void print_result(const char *what, const struct tort_result *r)
{
    uint64_t second = 0;

    for (unsigned i = 0; i < TORT_PATH_CNT; i++)
        second += r->path[i].second_cnt;
    printf("# %s: %llu runs, %llu of them with a second cut, %llu faults "
           "armed, %llu fired, %u extra erases\n",
           what, (unsigned long long)r->run_cnt, (unsigned long long)second,
           (unsigned long long)r->armed_cnt, (unsigned long long)r->fired_cnt,
           (unsigned)r->extra_erases);
}

static void torture(const char *what, struct device *d, uint64_t least,
                    const unsigned *not_here)
{
    static struct tort_result r;
    struct diag diag = DIAG_NONE;
    struct tort *t;

    d->conf.deep = deep();
    if (tort_open(&t, &d->conf, &diag))
        fail_msg("%s", diag.text);
    tort_all(t, &r);
    print_result(what, &r);
    check_result(&r);
    assert_true(r.run_cnt >= least);
    assert_true((r.run_cnt + 1) * (d->conf.workers ? d->conf.workers : 1) >=
                tort_run_total(t));
    assert_int_equal(r.extra_erases, 0);
    for (unsigned i = 0; i < TORT_PATH_CNT; i++)
        if ((r.path[i].why_not[0] != '\0') != (*not_here >> i & 1))
            fail_msg("%s: %s", tort_path_name((enum tort_path_id)i),
                     r.path[i].why_not);
    tort_close(t);
    device_free(d);
}

static void test_every_path(void **state)
{
    static const unsigned not_here = 1u << TORT_KEYS | 1u << TORT_FUSES;
    struct device d;

    (void)state;
    device_make(&d, &(struct device_kind){ .old_in_target = true });
    d.conf.depth = deep() ? 2 : 1;
    torture("two slots, rollback", &d, 1000, &not_here);
}

static void test_without_rollback(void **state)
{
    static const unsigned not_here = 1u << TORT_FIRST_BOOT |
                                     1u << TORT_CONFIRM | 1u << TORT_GIVE_UP |
                                     1u << TORT_ROLLBACK | 1u << TORT_TRIAL |
                                     1u << TORT_KEYS | 1u << TORT_FUSES;
    struct device d;

    (void)state;
    device_make(&d, &(struct device_kind){ .body_len = 9000 });
    d.boot.policy.rollback = false;
    d.conf.depth = deep() ? 2 : 1;
    torture("two slots, no rollback", &d, 300, &not_here);
}

static void test_from_a_factory_program(void **state)
{
    static const unsigned not_here = 1u << TORT_MOVE | 1u << TORT_FIRST_RECORD |
                                     1u << TORT_WITH_DATA | 1u << TORT_KEYS |
                                     1u << TORT_FUSES;
    struct device d;

    (void)state;
    device_make(&d, &(struct device_kind){ .factory = true, .body_len = 9000 });
    d.conf.depth = deep() ? 2 : 1;
    torture("a factory program", &d, 300, &not_here);
}

/* A sequence number names a slot by its remainder: three are the smallest
 * number of which two records do not name all. */
static void test_more_slots(void **state)
{
    static const unsigned not_here = 1u << TORT_KEYS | 1u << TORT_FUSES;

    (void)state;
    for (uint32_t cnt = 3; cnt <= (deep() ? 5u : 3u); cnt++) {
        struct device d;

        device_make(&d, &(struct device_kind){ .slot_cnt = cnt,
                                               .old_in_target = true,
                                               .body_len = 3000 });
        d.conf.depth = deep() ? 2 : 1;
        torture("three slots and more", &d, 300, &not_here);
    }
}

/* The image with a signature of key 0. */
static uint8_t *sign(uint8_t *image, uint32_t *len)
{
    uint32_t off = img_sig_off(SCHEME, *len);
    uint8_t *file = malloc(off + IMG_SIG_SECTOR_LEN);

    assert_non_null(file);
    memset(file, 0xFF, off + IMG_SIG_SECTOR_LEN);
    memcpy(file, image, *len);
    signer_block(SCHEME, 0, file, off, file + off);
    free(image);
    *len = off + IMG_SIG_SECTOR_LEN;
    return file;
}

/* A set that trusts one key more, signed with the first one. */
static struct span key_set_file(void)
{
    static uint8_t file[2 * KEY_SET_LEN];
    struct img_keys keys;

    signer_trust(SCHEME, 2, &keys);
    memset(file, 0xFF, sizeof(file));
    assert_int_equal(key_set_pack(&keys, 1, file), ESP_OK);
    signer_block(SCHEME, 0, file, KEY_SET_LEN, file + KEY_SET_LEN);
    return span_of(file, sizeof(file));
}

/* What is not signed does not boot, so a cut that left half a signature would
 * show. */
static void test_signed_only(void **state)
{
    static const unsigned not_here = 1u << TORT_FUSES;
    struct img_keys keys;
    struct device d;

    (void)state;
    signer_open();
    signer_trust(SCHEME, 1, &keys);
    device_make(&d, &(struct device_kind){ .body_len = 3000, .sign = sign });
    d.boot.policy.require_signed = true;
    d.boot.rules.keys = &keys;
    d.conf.keys = key_set_file();
    d.conf.workers = deep() ? 1 : 4; /* a quarter of the cuts: it is slow */
    torture("signed images only", &d, 300, &not_here);
    signer_close();
}

/* All paths of a device whose images may not become older. */
static void test_anti_rollback(void **state)
{
    static const unsigned not_here = 1u << TORT_KEYS;
    struct device d;

    (void)state;
    device_make(&d, &(struct device_kind){ .fuses = true, .body_len = 9000 });
    d.conf.depth = deep() ? 2 : 1;
    torture("anti-rollback", &d, 300, &not_here);
}

/* A path that is metadata, cut twice everywhere: in the usual run, too. */
static void test_second_cuts(void **state)
{
    static struct tort_result r;
    struct diag diag = DIAG_NONE;
    struct device d;
    struct tort *t;

    (void)state;
    device_make(&d, &(struct device_kind){ .body_len = 1000 });
    d.conf.depth = 2;
    d.conf.deep = deep();
    d.conf.workers = deep() ? 1 : 16; /* a sixteenth of the first cuts */
    if (tort_open(&t, &d.conf, &diag))
        fail_msg("%s", diag.text);
    tort_all(t, &r);
    print_result("cut twice", &r);
    check_result(&r);
    assert_true(r.run_cnt > 300);
    tort_close(t);
    device_free(&d);
}

static void test_at_random(void **state)
{
    static struct tort_result r;
    struct diag diag = DIAG_NONE;
    struct device d;
    struct tort *t;

    (void)state;
    device_make(&d, &(struct device_kind){ .body_len = 9000 });
    if (tort_open(&t, &d.conf, &diag))
        fail_msg("%s", diag.text);
    tort_random(t, 42, deep() ? 20000 : 300, &r);
    print_result("at random", &r);
    check_result(&r);
    assert_true(r.run_cnt > 200 && r.armed_cnt > r.run_cnt);
    tort_close(t);
    device_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_path),
        cmocka_unit_test(test_without_rollback),
        cmocka_unit_test(test_from_a_factory_program),
        cmocka_unit_test(test_more_slots),
        cmocka_unit_test(test_signed_only),
        cmocka_unit_test(test_anti_rollback),
        cmocka_unit_test(test_second_cuts),
        cmocka_unit_test(test_at_random),
    };

    return cmocka_run_group_tests_name("torture", tests, NULL, NULL);
}
