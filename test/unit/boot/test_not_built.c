/* A library that is built without signatures, digests and anti-rollback (the
 * CFG_ values are 0): options that ask for them are not passed over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "boot/opts.h"
#include "world.h"

struct row {
    const char *claim;
    struct boot_opts opts;
    bool lacks;
};

static const struct row rows[] = {
    { "what is built is no reason", { .rollback = true, .deny = true }, false },
    { "digests", { .require_hash = true }, true },
    { "signatures",
      { .require_signed = true, .keys = { .scheme = IMG_SCHEME_ECDSA256 } },
      true },
    { "signatures, of updates alone",
      { .require_signed = true,
        .boot_unsigned = true,
        .keys = { .scheme = IMG_SCHEME_ECDSA256 } },
      true },
    { "anti-rollback", { .rollback = true, .anti_rollback = true }, true },
};

static void test_options(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t bytes[BOOT_OPTS_MAX_LEN];
        uint32_t len = boot_opts_pack(&rows[i].opts, bytes);
        struct boot_opts out;

        print_message("# %s\n", rows[i].claim);
        assert_int_equal(boot_opts_parse(span_of(bytes, len), &out),
                         rows[i].lacks ? ESP_ERR_NOT_SUPPORTED : ESP_OK);
    }
}

/* Not even the image that always ran: it is not judged as was asked. */
static void test_nothing_boots(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        static struct world w;
        static struct boot_result r;
        bool lacks = rows[i].lacks;
        uint32_t writes;

        print_message("# %s\n", rows[i].claim);
        world_open(&w, WORLD_OTA_0 | WORLD_OTA_1);
        world_record(&w, 0, 1, OTA_STATE_VALID);
        world_record(&w, 1, 2, OTA_STATE_NEW);
        boot_opts_apply(&rows[i].opts, &w.env.policy);
        writes = w.sim.count.progs + w.sim.count.erases;
        boot_run(&w.env, &r);
        assert_int_equal(r.plan.action, lacks ? BOOT_ACT_RESET : BOOT_ACT_BOOT);
        assert_int_equal(boot_may_start(&w.env, &r) == VERDICT_ACCEPT, !lacks);
        if (lacks) {
            assert_null(r.part);
            assert_int_equal(r.plan.reason, BOOT_WHY_NOT_BUILT);
            assert_int_equal(w.sim.count.progs + w.sim.count.erases, writes);
            boot_decide(&w.env, &r);
            assert_int_equal(r.plan.reason, BOOT_WHY_NOT_BUILT);
        }
        world_close(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_nothing_boots),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
