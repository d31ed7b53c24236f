/* Which images a bootloader starts that wants them signed, and the question
 * that is asked again right before the start. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <string.h>

#include "unit/image/signer.h"
#include "world.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define BOTH (WORLD_OTA_0 | WORLD_OTA_1)
#define SCHEME IMG_SCHEME_ECDSA256

/* ota_1 is asked for, ota_0 comes next. */
static void open_pair(struct world *w, const struct img_keys *keys)
{
    world_open(w, BOTH);
    w->env.policy.require_signed = true;
    w->env.rules.keys = keys;
    world_record(w, 0, 1, OTA_STATE_VALID);
    world_record(w, 1, 2, OTA_STATE_VALID);
}

static uint8_t *slot(struct world *w, uint32_t i)
{
    return w->sim.bytes + boot_part(&w->table, i)->off;
}

/* key: '0' trusted, '1' unknown, 'x' trusted and damaged, '-' not signed. */
static void sign(struct world *w, uint32_t i, char key)
{
    uint8_t *at = slot(w, i) + 4096;

    if (key == '-')
        return;
    signer_block(SCHEME, key == '1' ? 1 : 0, slot(w, i), 4096, at);
    if (key == 'x') {
        at[110] ^= 1;
        signer_seal(at);
    }
}

static void test_who_boots(void **state)
{
    static const struct {
        const char *claim;
        char ota_0, ota_1;
        bool no_keys;
        char asks; /* both, updates, nobody */
        uint32_t want;
    } rows[] = {
        { "both are signed", '0', '0', false, 'b', 1 },
        { "the newest is not signed", '0', '-', false, 'b', 0 },
        { "the newest is signed by a stranger", '0', '1', false, 'b', 0 },
        { "the newest has a damaged signature", '0', 'x', false, 'b', 0 },
        { "only the newest is signed", '-', '0', false, 'b', 1 },
        { "nobody is signed", '-', '-', false, 'b', BOOT_NONE },
        { "nobody is signed by a friend", '1', 'x', false, 'b', BOOT_NONE },
        { "there are no keys", '0', '0', true, 'b', BOOT_NONE },
        { "nobody asks", '-', '1', false, 'n', 1 },
        { "nobody asks, and there are no keys", '-', '-', true, 'n', 1 },
        { "only updates ask", '0', '-', false, 'u', 1 },
        { "only updates ask, a stranger", '0', '1', false, 'u', 1 },
        { "only updates ask, forged", '0', 'x', false, 'u', 1 },
        { "only updates ask, no keys", '-', '-', true, 'u', 1 },
    };
    static struct boot_result r;
    struct img_keys keys;

    (void)state;
    signer_trust(SCHEME, 1, &keys);
    for (size_t i = 0; i < CNT(rows); i++) {
        struct world w;
        bool signs = rows[i].want != BOOT_NONE && rows[i].asks == 'b';

        open_pair(&w, rows[i].no_keys ? NULL : &keys);
        w.env.policy.require_signed = rows[i].asks != 'n';
        w.env.policy.boot_unsigned = rows[i].asks == 'u';
        sign(&w, 0, rows[i].ota_0);
        sign(&w, 1, rows[i].ota_1);
        boot_decide(&w.env, &r);
        if (r.plan.choice != rows[i].want)
            fail_msg("%s: %s", rows[i].claim, boot_choice_name(r.plan.choice));
        assert_int_equal(r.receipt.is_signed,
                         signs ? VERDICT_ACCEPT : VERDICT_REJECT);
        assert_int_equal(boot_may_start(&w.env, &r), rows[i].want == BOOT_NONE
                                                         ? VERDICT_REJECT
                                                         : VERDICT_ACCEPT);
        boot_run(&w.env, &r);
        assert_int_equal(r.plan.choice, rows[i].want);
        world_close(&w);
    }
}

/* --- the last question ---------------------------------------------------- */

static struct part_entry elsewhere = { .off = 0x8000 };

static void verdict_gone(struct boot_result *r)
{
    r->receipt.verdict = VERDICT_REJECT;
}

static void verdict_decays(struct boot_result *r)
{
    r->receipt.verdict = (enum verdict)(VERDICT_ACCEPT ^ 1);
}

static void not_bound(struct boot_result *r)
{
    r->receipt.bound = false;
}

static void other_place(struct boot_result *r)
{
    r->part = &elsewhere;
}

static void no_part(struct boot_result *r)
{
    r->part = NULL;
}

static void reset_planned(struct boot_result *r)
{
    r->plan.action = BOOT_ACT_RESET;
}

static void verify_planned(struct boot_result *r)
{
    r->plan.action = BOOT_ACT_VERIFY;
}

static void error_noted(struct boot_result *r)
{
    r->err[r->plan.choice] = ESP_FAIL;
}

static void not_signed(struct boot_result *r)
{
    r->receipt.is_signed = VERDICT_REJECT;
}

static void no_signer(struct boot_result *r)
{
    r->check.sig.signed_by[0] = VERDICT_REJECT;
}

static void reason_noted(struct boot_result *r)
{
    r->check.sig.why = IMG_SIG_BAD;
}

static void half_a_signature(struct boot_result *r)
{
    r->check.sig.fed_len--;
}

static void never_asked(struct boot_result *r)
{
    r->check.sig.keys = NULL;
}

static void test_the_last_question(void **state)
{
    static const struct {
        const char *claim;
        void (*spoil)(struct boot_result *r);
    } rows[] = {
        { "the receipt rejects", verdict_gone },
        { "the receipt's verdict is none", verdict_decays },
        { "the receipt is not bound", not_bound },
        { "the receipt is of another place", other_place },
        { "there is no partition", no_part },
        { "the plan is a reset", reset_planned },
        { "the plan is not complete", verify_planned },
        { "the image was refused", error_noted },
        { "the receipt is of an unsigned image", not_signed },
        { "nobody signed", no_signer },
        { "a block was refused", reason_noted },
        { "the signature was not seen whole", half_a_signature },
        { "the signature was not asked for", never_asked },
    };
    static struct boot_result good, r;
    struct img_keys keys;
    struct world w;

    (void)state;
    signer_trust(SCHEME, 1, &keys);
    open_pair(&w, &keys);
    sign(&w, 1, '0');
    boot_decide(&w.env, &good);
    assert_int_equal(boot_may_start(&w.env, &good), VERDICT_ACCEPT);
    for (size_t i = 0; i < CNT(rows); i++) {
        r = good;
        rows[i].spoil(&r);
        if (boot_may_start(&w.env, &r) != VERDICT_REJECT)
            fail_msg("%s", rows[i].claim);
    }
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_boots),
        cmocka_unit_test(test_the_last_question),
    };

    return cmocka_run_group_tests(tests, signer_setup, signer_teardown);
}
