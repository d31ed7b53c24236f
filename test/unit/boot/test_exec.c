/* A pass of the bootloader over a flash: what it reads, loads and writes, and
 * what is left when the power goes in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "world.h"

#define BOTH (WORLD_OTA_0 | WORLD_OTA_1)

/* --- a loader that looks -------------------------------------------------- */

struct spy {
    struct boot_loader loader;
    uint8_t bytes[WORLD_SLOT];
    uint32_t len;
    unsigned begun, ended, accepted;
    char label[17];
    bool refuse;
};

static esp_err_t spy_feed(void *ctx, const void *data, size_t len)
{
    struct spy *s = ctx;
    memcpy(s->bytes + s->len, data, len);
    s->len += (uint32_t)len;
    return ESP_OK;
}

static esp_err_t spy_begin(void *ctx, const struct part_entry *part,
                           const struct img_check *check, struct img_sink *sink)
{
    struct spy *s = ctx;
    (void)check;
    s->begun++;
    s->len = 0;
    memcpy(s->label, part->label, sizeof(s->label));
    *sink = (struct img_sink){ s, spy_feed };
    return s->refuse ? ESP_ERR_NO_MEM : ESP_OK;
}

static void spy_end(void *ctx, enum verdict verdict)
{
    struct spy *s = ctx;
    s->ended++;
    s->accepted += verdict == VERDICT_ACCEPT;
}

static void spy_set(struct spy *s, struct world *w)
{
    memset(s, 0, sizeof(*s));
    s->loader = (struct boot_loader){ s, spy_begin, spy_end };
    w->env.loader = &s->loader;
}

/* --- what is read and loaded ---------------------------------------------- */

static void test_slot_is_read_once_and_loaded(void **state)
{
    static struct world w;
    static struct spy spy;
    static struct boot_result r;
    (void)state;
    world_open(&w, BOTH);
    spy_set(&spy, &w);
    world_record(&w, 0, 1, OTA_STATE_VALID);
    world_record(&w, 1, 2, OTA_STATE_VALID);
    boot_decide(&w.env, &r);
    assert_int_equal(r.plan.action, BOOT_ACT_BOOT);
    assert_int_equal(r.plan.choice, 1);
    assert_int_equal(spy.len, w.image_len);
    assert_memory_equal(spy.bytes, w.sim.bytes + r.part->off, spy.len);
    assert_int_equal(spy.begun, 1);
    assert_int_equal(spy.accepted, 1);
    assert_int_equal(w.sim.count.read_len, OTADATA_LEN + w.image_len);
    assert_int_equal(r.receipt.verdict, VERDICT_ACCEPT);
    assert_true(r.receipt.bound && r.receipt.off == r.part->off);
    assert_string_equal(r.check.info.desc.project, "p1");
    assert_int_equal(sim_flash_ops(&w.sim), 0);
    world_close(&w);
}

static void test_bad_image_is_thrown_away(void **state)
{
    static struct world w;
    static struct spy spy;
    static struct boot_result r;
    (void)state;
    world_open(&w, BOTH);
    spy_set(&spy, &w);
    world_record(&w, 1, 2, OTA_STATE_VALID);
    world_spoil(&w, WORLD_OTA_1);
    boot_decide(&w.env, &r);
    assert_int_equal(r.plan.choice, 0);
    assert_int_equal(r.plan.reason, BOOT_WHY_FALLBACK);
    assert_int_equal(r.err[1], ESP_ERR_IMAGE_INVALID);
    assert_int_equal(r.fault[1].kind, IMG_FAULT_CHECKSUM);
    assert_int_equal(r.err[0], ESP_OK);
    assert_int_equal(spy.begun, 2);
    assert_int_equal(spy.ended, 2);
    assert_int_equal(spy.accepted, 1);
    assert_string_equal(spy.label, "ota_0");
    world_close(&w);
}

static void test_loader_that_refuses(void **state)
{
    static struct world w;
    static struct spy spy;
    static struct boot_result r;
    (void)state;
    world_open(&w, WORLD_OTA_0);
    spy_set(&spy, &w);
    spy.refuse = true;
    boot_run(&w.env, &r);
    assert_int_equal(r.plan.action, BOOT_ACT_RESET);
    assert_int_equal(r.err[0], ESP_ERR_NO_MEM);
    assert_int_equal(r.receipt.verdict, VERDICT_REJECT);
    assert_null(r.part);
    assert_int_equal(spy.ended, 0);
    world_close(&w);
}

/* The image of another chip, and one without a hash where one is asked for. */
static void test_rules_reach_the_check(void **state)
{
    static struct world w;
    static struct boot_result r;
    (void)state;
    world_open(&w, WORLD_OTA_0);
    w.env.rules.chip_id = 5;
    boot_decide(&w.env, &r);
    assert_int_equal(r.fault[0].kind, IMG_FAULT_CHIP);
    w.env.rules.chip_id = IMG_CHIP_LINUX;
    w.sim.bytes[boot_part(&w.table, 0)->off + 23] = 0;
    boot_decide(&w.env, &r);
    assert_int_equal(r.plan.action, BOOT_ACT_BOOT);
    w.env.policy.require_hash = true;
    boot_decide(&w.env, &r);
    assert_int_equal(r.plan.action, BOOT_ACT_RESET);
    assert_int_equal(r.fault[0].kind, IMG_FAULT_HASH_ABSENT);
    world_close(&w);
}

/* --- the partitions ------------------------------------------------------- */

static void test_no_table(void **state)
{
    static struct world w;
    static struct boot_result r;
    (void)state;
    world_open(&w, BOTH);
    w.env.table = NULL;
    boot_run(&w.env, &r);
    assert_int_equal(r.plan.action, BOOT_ACT_RESET);
    assert_int_equal(r.plan.reason, BOOT_WHY_NO_TABLE);
    assert_false(r.has_otadata);
    world_close(&w);
}

static void test_otadata_partition(void **state)
{
    static struct world w;
    static struct boot_result r;
    (void)state;
    world_open(&w, BOTH | WORLD_FACTORY);
    w.table.entries[0].len = OTADATA_LEN - 1;
    boot_run(&w.env, &r);
    assert_int_equal(r.plan.reason, BOOT_WHY_OTADATA_BAD);
    w.table.entries[0].len = OTADATA_LEN;
    w.table.entries[0].off = w.sim.port.size_len - 64; /* cannot be read */
    boot_run(&w.env, &r);
    assert_int_equal(r.plan.reason, BOOT_WHY_OTADATA_BAD);
    w.table.entries[0].subtype = PART_DATA_NVS;
    boot_run(&w.env, &r);
    assert_int_equal(r.plan.reason, BOOT_WHY_NO_OTADATA);
    assert_int_equal(r.plan.choice, BOOT_FACTORY);
    assert_int_equal(sim_flash_ops(&w.sim), 0);
    world_close(&w);
}

/* A row without length is no partition, and nothing is read there. */
static void test_empty_row(void **state)
{
    static struct world w;
    static struct boot_result r;
    (void)state;
    world_open(&w, BOTH);
    w.table.entries[1].len = 0;
    boot_decide(&w.env, &r);
    assert_int_equal(r.plan.choice, 1);
    assert_int_equal(r.err[0], ESP_OK);
    assert_int_equal(w.sim.count.read_len, OTADATA_LEN + w.image_len);
    world_close(&w);
}

static void test_parts(void **state)
{
    static struct world w;
    (void)state;
    world_open(&w, BOTH | WORLD_TEST);
    assert_string_equal(boot_part(&w.table, 1)->label, "ota_1");
    assert_string_equal(boot_part(&w.table, BOOT_TEST)->label, "test");
    assert_null(boot_part(&w.table, 2));
    assert_null(boot_part(&w.table, BOOT_FACTORY));
    assert_null(boot_part(&w.table, BOOT_NONE));
    world_close(&w);
}

/* --- what is written ------------------------------------------------------ */

static void test_first_boot_writes_a_record(void **state)
{
    static struct world w;
    static struct boot_result r;
    struct ota_rec rec[2];
    (void)state;
    world_open(&w, BOTH);
    boot_run(&w.env, &r);
    world_records(&w, rec);
    assert_int_equal(rec[0].seq, 1);
    assert_int_equal(rec[0].state, OTA_STATE_VALID);
    assert_true(ota_rec_crc_ok(&rec[0]));
    assert_true(ota_rec_blank(&rec[1]));
    uint32_t ops = sim_flash_ops(&w.sim);
    boot_run(&w.env, &r);
    assert_int_equal(sim_flash_ops(&w.sim), ops); /* once */
    assert_int_equal(r.plan.reason, BOOT_WHY_RECORD);
    world_close(&w);
}

static void test_trial_that_nobody_confirms(void **state)
{
    static struct world w;
    static struct boot_result r;
    struct ota_rec rec[2];
    (void)state;
    world_open(&w, BOTH);
    world_record(&w, 0, 1, OTA_STATE_VALID);
    world_record(&w, 1, 2, OTA_STATE_NEW);
    boot_run(&w.env, &r);
    world_records(&w, rec);
    assert_int_equal(r.plan.choice, 1);
    assert_int_equal(rec[1].state, OTA_STATE_PENDING);
    boot_run(&w.env, &r);
    world_records(&w, rec);
    assert_int_equal(r.plan.choice, 0);
    assert_int_equal(r.plan.reason, BOOT_WHY_ROLLED_BACK);
    assert_int_equal(rec[1].state, OTA_STATE_ABORTED);
    world_close(&w);
}

/* Crashes of a trial that cannot be marked would never end it. */
static void test_trial_that_cannot_be_marked(void **state)
{
    static struct world w;
    static struct boot_result r;
    (void)state;
    for (uint32_t stuck = 0; stuck < 2; stuck++) {
        world_open(&w, BOTH);
        world_record(&w, 0, 1, OTA_STATE_VALID);
        world_record(&w, 1, 2, OTA_STATE_NEW);
        sim_flash_stick(&w.sim, WORLD_OTADATA + stuck * OTADATA_SECTOR, true);
        boot_run(&w.env, &r);
        assert_int_equal(r.plan.action, BOOT_ACT_BOOT);
        assert_int_equal(r.plan.choice, 0);
        assert_string_equal(r.part->label, "ota_0");
        assert_int_equal(r.receipt.off, r.part->off);
        assert_int_equal(r.write_err, ESP_ERR_FLASH_OP_FAIL);
        world_close(&w);
    }
}

/* What is already confirmed boots on a worn-out otadata. */
static void test_worn_out_otadata(void **state)
{
    static struct world w;
    static struct boot_result r;
    (void)state;
    world_open(&w, BOTH);
    world_record(&w, 0, 1, OTA_STATE_VALID);
    world_record(&w, 1, 2, OTA_STATE_PENDING);
    sim_flash_stick(&w.sim, WORLD_OTADATA, true);
    sim_flash_stick(&w.sim, WORLD_OTADATA + OTADATA_SECTOR, true);
    boot_run(&w.env, &r);
    assert_int_equal(r.plan.choice, 0);
    assert_int_equal(r.plan.action, BOOT_ACT_BOOT);
    assert_int_equal(r.write_err, ESP_ERR_FLASH_OP_FAIL);
    world_close(&w);
}

/* --- cuts ----------------------------------------------------------------- */

struct cut_row {
    const char *claim;
    uint32_t seq[2], state[2];
    unsigned bad;
    /* the slots that may boot afterwards; both states of record 0 and 1 */
    unsigned may_boot;
};

static const struct cut_row cut_rows[] = {
    { "a trial begins, or has begun and is over",
      { 1, 2 },
      { 2, 0 },
      0,
      1u << 1 | 1u << 0 },
    { "a trial is given up", { 1, 2 }, { 2, 1 }, 0, 1u << 0 },
    { "a trial is given up, another begins, or is over",
      { 3, 2 },
      { 1, 0 },
      0,
      1u << 1 | 1u << 0 },
    { "a NEW image that is bad", { 1, 2 }, { 2, 0 }, WORLD_OTA_1, 1u << 0 },
    { "the first boot", { 0xFFFFFFFF, 0xFFFFFFFF }, { 0, 0 }, 0, 1u << 0 },
};

static void cut_start(struct world *w, const struct cut_row *row)
{
    world_open(w, BOTH);
    for (uint32_t i = 0; i < 2; i++)
        if (row->seq[i] != OTADATA_SEQ_NONE)
            world_record(w, i, row->seq[i], row->state[i]);
    world_spoil(w, row->bad);
}

static bool cut_at(const struct cut_row *row, uint32_t op, uint64_t seed)
{
    static struct world w;
    static struct boot_result r;
    enum sim_fault faults[] = { SIM_FAULT_BEFORE, SIM_FAULT_TORN,
                                SIM_FAULT_UNSTABLE, SIM_FAULT_AFTER };
    cut_start(&w, row);
    sim_flash_arm(&w.sim, faults[seed % 4], op, seed);
    boot_run(&w.env, &r);
    bool fired = w.sim.count.fired;
    sim_flash_power_on(&w.sim);
    boot_run(&w.env, &r);
    if (r.plan.action != BOOT_ACT_BOOT || !(row->may_boot >> r.plan.choice & 1))
        fail_msg("%s: cut at %u, seed %u: %s", row->claim, op, (unsigned)seed,
                 boot_choice_name(r.plan.choice));
    assert_int_equal(r.write_err, ESP_OK);
    assert_false(r.otadata.redo_open);
    for (uint32_t i = 0; i < 2; i++)
        if (r.otadata.rec[i].state == OTA_STATE_PENDING)
            assert_int_equal(ota_seq_slot(r.otadata.rec[i].seq, 2),
                             r.plan.choice);
    world_close(&w);
    return fired;
}

static void test_cuts(void **state)
{
    unsigned cuts = 0;
    (void)state;
    for (size_t i = 0; i < sizeof(cut_rows) / sizeof(cut_rows[0]); i++) {
        bool fired = true;
        for (uint32_t op = 1; fired; op++)
            for (uint64_t seed = 0; seed < 32; seed++) {
                fired = cut_at(&cut_rows[i], op, seed);
                cuts += fired;
            }
    }
    printf("# %u cuts in boots\n", cuts);
    assert_true(cuts > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slot_is_read_once_and_loaded),
        cmocka_unit_test(test_bad_image_is_thrown_away),
        cmocka_unit_test(test_loader_that_refuses),
        cmocka_unit_test(test_rules_reach_the_check),
        cmocka_unit_test(test_no_table),
        cmocka_unit_test(test_otadata_partition),
        cmocka_unit_test(test_empty_row),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_first_boot_writes_a_record),
        cmocka_unit_test(test_trial_that_nobody_confirms),
        cmocka_unit_test(test_trial_that_cannot_be_marked),
        cmocka_unit_test(test_worn_out_otadata),
        cmocka_unit_test(test_cuts),
    };
    return cmocka_run_group_tests_name("boot_exec", tests, NULL, NULL);
}
