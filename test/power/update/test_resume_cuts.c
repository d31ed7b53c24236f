/* Downloads that go on after the power was cut, in any flash operation of the
 * first try, and of the second one; of images in the clear, and of encrypted
 * ones, whose decryptor goes on, too. The device boots the old image or the new
 * one, whole; the next try goes on from the checkpoint; and no more is fetched
 * twice than one interval between checkpoints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "slot/behind.h"
#include "unit/update/crypt.h"

#define STEP 8192u
#define BODY 60000u

static const enum sim_fault cuts[] = { SIM_FAULT_BEFORE, SIM_FAULT_TORN,
                                       SIM_FAULT_UNSTABLE, SIM_FAULT_AFTER };
#define CUT_CNT (sizeof(cuts) / sizeof(cuts[0]))

struct scene {
    struct crypt c;
    bool encrypted, late;
};

struct tally {
    bool encrypted;
    bool late; /* the flash is written beside, no sooner than waited for */
    uint32_t cut_cnt, resumed_cnt;
    uint32_t again_len; /* the most bytes that were fetched twice */
};

static uint32_t file_len(const struct scene *s)
{
    return s->encrypted ? s->c.file_len : s->c.rig.image_len;
}

static void serve(struct scene *s)
{
    struct rig *r = &s->c.rig;

    rig_serve(r, s->encrypted ? s->c.file : r->image, file_len(s));
    r->web.etag = "\"a\"";
}

static void set_scene(struct scene *s, const struct tally *t)
{
    struct rig_image how = { .filler = 1, .body_len = BODY };
    struct rig *r = &s->c.rig;

    s->encrypted = t->encrypted;
    s->late = t->late;
    if (s->encrypted) {
        crypt_open(&s->c, ENC_SCHEME_ECIES256);
        crypt_serve(&s->c, &how);
    } else {
        rig_open(r);
        free(r->image);
        r->image = rig_make_image(&how, &r->image_len);
    }
    if (s->late)
        rig_write_behind(r, true);
    serve(s);
    r->opts.store = &r->store.port;
    r->opts.checkpoint_len = STEP;
}

static void end_scene(struct scene *s)
{
    if (s->encrypted)
        crypt_close(&s->c);
    else
        rig_close(&s->c.rig);
}

static bool holds_new(const struct rig *r)
{
    return memcmp(rig_bytes(r, RIG_SLOT_1), r->image, r->image_len) == 0;
}

static void check_boots(struct rig *r)
{
    uint32_t boots = rig_boots(r);
    uint8_t magic = r->flash.bytes[RIG_SLOT_0];

    assert_true(boots == 0 || (boots == 1 && holds_new(r)));
    r->flash.bytes[RIG_SLOT_0] = 0; /* the old image is lost */
    if (rig_boots(r) == 1)
        assert_true(holds_new(r));
    r->flash.bytes[RIG_SLOT_0] = magic;
}

/* One try that may be cut; *got counts what was fetched. true: it was cut. */
static bool try_once(struct scene *s, enum sim_fault fault, uint32_t nth,
                     uint32_t *got, struct tally *t)
{
    struct rig *r = &s->c.rig;
    struct upd_result res = { .http_status = 0 };
    uint32_t fired = r->flash.count.fired;
    esp_err_t err;

    serve(s);
    r->opts.result = &res;
    if (nth > 0)
        sim_flash_arm(&r->flash, fault, nth, nth * 31 + fault);
    err = rig_update(r, NULL);
    *got += res.received_len;
    t->resumed_cnt += res.resumed_from > 0;
    sim_flash_power_on(&r->flash);
    rig_reboot(r);
    check_boots(r);
    if (!err && r->flash.count.fired == fired)
        assert_true(rig_boots(r) == 1 && holds_new(r));
    return r->flash.count.fired > fired;
}

/* The head of an encrypted file is fetched again whenever a try goes on, and
 * so is what was on its way to the flash. */
static uint32_t most_again(const struct scene *s, uint32_t cuts_cnt)
{
    uint32_t moving = SLOT_BEHIND_BUFS * s->c.rig.flash.port.erase_len;

    return cuts_cnt *
           (STEP + (s->encrypted ? ENC_HEAD_LEN : 0) + (s->late ? moving : 0));
}

/* Cut in operation nth of the first try and in nth2 of the second one (0: not
 * again). false: the first try has fewer operations. */
static bool run(enum sim_fault fault, uint32_t nth, uint32_t nth2,
                struct tally *t)
{
    static struct scene s;
    struct rig *r = &s.c.rig;
    uint32_t got = 0, cut_cnt = 1, again;
    bool fired;

    set_scene(&s, t);
    fired = try_once(&s, fault, nth, &got, t);
    if (fired && nth2 > 0 && rig_boots(r) == 0 &&
        try_once(&s, fault, nth2, &got, t))
        cut_cnt = 2;
    if (rig_boots(r) == 0)
        (void)try_once(&s, fault, 0, &got, t);
    assert_int_equal(rig_boots(r), 1);
    assert_true(holds_new(r));
    assert_true(got >= file_len(&s));
    again = got - file_len(&s);
    assert_true(again <= most_again(&s, cut_cnt));
    if (nth2 == 0 && again > t->again_len)
        t->again_len = again;
    t->cut_cnt += fired;
    end_scene(&s);
    return fired;
}

/* Big numbers take their time: of encrypted downloads every third operation,
 * unless there is time for all. */
static uint32_t step_cnt(bool encrypted)
{
    return encrypted && !getenv("PORTA_DEEP") ? 3 : 1;
}

static void each_cut(bool encrypted, bool late)
{
    struct tally t = { .encrypted = encrypted, .late = late };

    for (size_t k = 0; k < CUT_CNT; k++) {
        uint32_t nth = 1 + (uint32_t)k % step_cnt(encrypted);
        while (run(cuts[k], nth, 0, &t))
            nth += step_cnt(encrypted);
        assert_true(nth > 30); /* 15 sectors, erased and programmed */
    }
    /* Cuts before the first checkpoint leave nothing to go on with. */
    assert_true(t.resumed_cnt > t.cut_cnt / 2);
    print_message("%u cuts, %u tries went on, at most %u bytes twice\n",
                  t.cut_cnt, t.resumed_cnt, t.again_len);
}

static void cut_twice(bool encrypted)
{
    struct tally t = { .encrypted = encrypted };

    for (size_t k = 0; k < CUT_CNT; k++) {
        for (uint32_t nth = 2; run(cuts[k], nth, 1 + nth * 7 % 20, &t);)
            nth += 3 * step_cnt(encrypted);
    }
    assert_true(t.cut_cnt > 30 / step_cnt(encrypted));
    print_message("%u pairs of cuts\n", t.cut_cnt);
}

static void test_each_cut(void **state)
{
    (void)state;
    each_cut(false, false);
}

static void test_each_cut_late(void **state)
{
    (void)state;
    each_cut(false, true);
    each_cut(true, true);
}

static void test_cut_twice(void **state)
{
    (void)state;
    cut_twice(false);
}

static void test_each_cut_encrypted(void **state)
{
    (void)state;
    each_cut(true, false);
}

static void test_cut_twice_encrypted(void **state)
{
    (void)state;
    cut_twice(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_cut),
        cmocka_unit_test(test_each_cut_late),
        cmocka_unit_test(test_cut_twice),
        cmocka_unit_test(test_each_cut_encrypted),
        cmocka_unit_test(test_cut_twice_encrypted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
