/* The power is cut in every flash operation of an installation and of a
 * revocation. Afterwards the old keys are in force or the new ones, never
 * fewer and never others; a key that was revoked stays so; and what was cut
 * succeeds when it is done again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "unit/image/signer.h"
#include "unit/image/store_rig.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define REVOKE_0 0xFFFFu

static const enum sim_fault cuts[] = { SIM_FAULT_BEFORE, SIM_FAULT_TORN,
                                       SIM_FAULT_UNSTABLE, SIM_FAULT_AFTER,
                                       SIM_FAULT_STATUS };

/* What is done; version REVOKE_0: key 0 is revoked. */
struct deed {
    struct set_spec set;
    const char *before, *after;
};

static const struct deed deeds[] = {
    { { "01", 1, 1, "0" }, "0", "01" },
    { { "012", 1, 2, "1" }, "01", "012" },
    { { "", 0, REVOKE_0, "" }, "012", "-012" },
    { { "0123", 1, 3, "2" }, "-012", "-0123" },
    { { "23", 2, 4, "3" }, "-0123", "23" },
};

static esp_err_t perform(struct store_rig *r, const struct deed *d)
{
    return d->set.version == REVOKE_0 ? store_revoke(r, 0)
                                      : store_install(r, &d->set);
}

static void rig_before(struct store_rig *r, size_t deed)
{
    store_rig_open(r, IMG_SCHEME_ECDSA256);
    for (size_t i = 0; i < deed; i++)
        assert_int_equal(perform(r, &deeds[i]), ESP_OK);
    assert_string_equal(store_in_force(r), deeds[deed].before);
}

/* false: it has fewer operations. */
static bool cut_at(size_t deed, enum sim_fault fault, uint32_t nth,
                   uint64_t seed)
{
    const struct deed *d = &deeds[deed];
    struct store_rig r;
    char was[20];
    bool fired;

    rig_before(&r, deed);
    sim_flash_arm(&r.flash, fault, nth, seed);
    (void)!perform(&r, d);
    fired = r.flash.count.fired == 1;
    sim_flash_power_on(&r.flash);
    (void)snprintf(was, sizeof(was), "%s", store_in_force(&r));
    if (strcmp(was, d->before) != 0 && strcmp(was, d->after) != 0)
        fail_msg("deed %zu, fault %d at %u: %s is in force", deed, (int)fault,
                 (unsigned)nth, was);
    if (strcmp(was, d->before) == 0) {
        assert_int_equal(perform(&r, d), ESP_OK);
        assert_string_equal(store_in_force(&r), d->after);
    }
    store_rig_close(&r);
    return fired;
}

static void test_every_cut(void **state)
{
    unsigned states = 0;

    (void)state;
    for (size_t deed = 0; deed < CNT(deeds); deed++)
        for (size_t c = 0; c < CNT(cuts); c++)
            for (uint32_t nth = 1; cut_at(deed, cuts[c], nth, 1); nth++)
                for (uint64_t seed = 2; seed <= 8; seed++, states++)
                    (void)cut_at(deed, cuts[c], nth, seed);
    print_message("# %u cut states\n", states);
    assert_true(states > 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_cut),
    };

    return cmocka_run_group_tests(tests, signer_setup, signer_teardown);
}
