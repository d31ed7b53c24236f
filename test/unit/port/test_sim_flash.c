/* What each fault leaves behind, and that faults fire where they were armed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim_flash.h"

static int setup(void **state)
{
    struct sim_flash *f = malloc(sizeof(*f));
    assert_non_null(f);
    assert_int_equal(sim_flash_init(f, NULL), ESP_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    sim_flash_deinit(*state);
    free(*state);
    return 0;
}

static esp_err_t prog(struct sim_flash *f, uint32_t off, uint8_t value,
                      size_t len)
{
    uint8_t bytes[4096];
    memset(bytes, value, sizeof(bytes));
    return f->port.prog(f->port.ctx, off, bytes, len);
}

static esp_err_t erase(struct sim_flash *f, uint32_t off)
{
    return f->port.erase(f->port.ctx, off);
}

/* How much of an operation over bytes that all change was done. */
enum effect { NOTHING, PART, ALL };

static enum effect effect_of(const struct sim_flash *f, uint32_t off,
                             uint8_t before, uint8_t after, uint32_t len)
{
    uint32_t old = 0, new = 0;
    for (uint32_t i = off; i < off + len; i++) {
        old += f->bytes[i] == before;
        new += f->bytes[i] == after;
    }
    return old == len ? NOTHING : new == len ? ALL : PART;
}

static const struct fault_row {
    const char *claim;
    enum sim_fault fault;
    esp_err_t err;
    enum effect effect;
    bool power_off;
} fault_rows[] = {
    { "cut before", SIM_FAULT_BEFORE, ESP_FAIL, NOTHING, true },
    { "cut inside", SIM_FAULT_TORN, ESP_FAIL, PART, true },
    { "cut inside, unstable", SIM_FAULT_UNSTABLE, ESP_FAIL, PART, true },
    { "cut after", SIM_FAULT_AFTER, ESP_FAIL, ALL, true },
    { "bad status", SIM_FAULT_STATUS, ESP_ERR_FLASH_OP_FAIL, PART, false },
};
#define FAULT_ROWS (sizeof(fault_rows) / sizeof(fault_rows[0]))

static void check_fault(struct sim_flash *f, const struct fault_row *r,
                        esp_err_t err, enum effect effect)
{
    uint8_t byte;
    esp_err_t want = r->power_off ? ESP_FAIL : ESP_OK;
    if (err != r->err || effect != r->effect)
        fail_msg("%s: error 0x%x, effect %d", r->claim, err, effect);
    assert_int_equal(f->count.fired, 1);
    assert_int_equal(f->port.read(f->port.ctx, 0, &byte, 1), want);
    assert_int_equal(prog(f, 0x8000, 0, 1), want);
    assert_int_equal(erase(f, 0x9000), want);
    sim_flash_power_on(f);
    assert_int_equal(f->port.read(f->port.ctx, 0, &byte, 1), ESP_OK);
    assert_int_equal(prog(f, 0x8000, 0, 1), ESP_OK);
}

static void test_prog_faults(void **state)
{
    struct sim_flash *f = *state;
    for (size_t i = 0; i < FAULT_ROWS; i++) {
        sim_flash_reset(f, NULL);
        assert_int_equal(prog(f, 0, 0, 16), ESP_OK);
        sim_flash_arm(f, fault_rows[i].fault, 2, i);
        assert_int_equal(erase(f, 0x4000), ESP_OK);
        esp_err_t err = prog(f, 0x1000, 0x00, 1024);
        check_fault(f, &fault_rows[i], err,
                    effect_of(f, 0x1000, 0xff, 0x00, 1024));
    }
}

static void test_erase_faults(void **state)
{
    struct sim_flash *f = *state;
    for (size_t i = 0; i < FAULT_ROWS; i++) {
        sim_flash_reset(f, NULL);
        assert_int_equal(prog(f, 0x1000, 0, 4096), ESP_OK);
        sim_flash_arm(f, fault_rows[i].fault, 1, i);
        esp_err_t err = erase(f, 0x1000);
        check_fault(f, &fault_rows[i], err,
                    effect_of(f, 0x1000, 0x00, 0xff, 4096));
    }
}

/* Pages in front of the torn one are complete, pages behind it untouched. */
static void test_torn_prog_keeps_page_order(void **state)
{
    struct sim_flash *f = *state;
    bool seen[5] = { false };
    for (uint64_t seed = 0; seed < 200; seed++) {
        sim_flash_reset(f, NULL);
        sim_flash_arm(f, SIM_FAULT_TORN, 1, seed);
        assert_int_equal(prog(f, 0x1080, 0x00, 1024), ESP_FAIL);
        uint32_t done = 0x1080;
        while (done < 0x1480 && f->bytes[done] == 0x00)
            done++;
        uint32_t page = done / 256;
        for (uint32_t at = (page + 1) * 256; at < 0x1480; at++)
            assert_int_equal(f->bytes[at], 0xff);
        assert_in_range(page, 0x10, 0x14);
        seen[page - 0x10] = true;
    }
    for (size_t i = 0; i < 5; i++)
        assert_true(seen[i]);
}

/* A torn program clears no bit that it was not asked to clear. */
static void test_torn_prog_clears_only_wanted_bits(void **state)
{
    struct sim_flash *f = *state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        sim_flash_reset(f, NULL);
        sim_flash_arm(f, SIM_FAULT_TORN, 1, seed);
        assert_int_equal(prog(f, 0, 0xa5, 100), ESP_FAIL);
        for (uint32_t at = 0; at < 100; at++)
            assert_int_equal(f->bytes[at] & 0xa5, 0xa5);
        assert_int_equal(f->bytes[100], 0xff);
    }
}

static bool reads_differ(struct sim_flash *f, uint32_t off)
{
    uint8_t a[4096], b[4096];
    assert_int_equal(f->port.read(f->port.ctx, off, a, sizeof(a)), ESP_OK);
    assert_int_equal(f->port.read(f->port.ctx, off, b, sizeof(b)), ESP_OK);
    return memcmp(a, b, sizeof(a)) != 0;
}

static void test_unstable_until_erased(void **state)
{
    struct sim_flash *f = *state;
    assert_int_equal(prog(f, 0x1000, 0, 4096), ESP_OK);
    assert_int_equal(prog(f, 0x2000, 0, 4096), ESP_OK);
    sim_flash_arm(f, SIM_FAULT_UNSTABLE, 1, 1);
    assert_int_equal(erase(f, 0x1000), ESP_FAIL);
    sim_flash_power_on(f);
    assert_true(reads_differ(f, 0x1000));
    assert_false(reads_differ(f, 0x2000));
    assert_int_equal(erase(f, 0x1000), ESP_OK);
    assert_false(reads_differ(f, 0x1000));
    assert_int_equal(f->bytes[0x1000], 0xff);
}

static void test_stuck_sector_says_ok(void **state)
{
    struct sim_flash *f = *state;
    assert_int_equal(prog(f, 0x1000, 0x12, 8), ESP_OK);
    sim_flash_stick(f, 0x1000, true);
    assert_int_equal(erase(f, 0x1000), ESP_OK);
    assert_int_equal(f->bytes[0x1000], 0x12);
    assert_int_equal(prog(f, 0x1800, 0x00, 8), ESP_OK);
    assert_int_equal(f->bytes[0x1800], 0xff);
    sim_flash_stick(f, 0x1000, false);
    assert_int_equal(erase(f, 0x1000), ESP_OK);
    assert_int_equal(f->bytes[0x1000], 0xff);
}

/* Part idx of the program is the torn one, for words and for pages. */
static void check_tear(struct sim_flash *f, uint32_t tear_len, uint32_t idx)
{
    const struct sim_fault_plan plan = { .fault = SIM_FAULT_TORN,
                                         .nth = 1,
                                         .seed = idx + 1,
                                         .tear_len = tear_len,
                                         .tear_idx = idx };
    uint32_t part = tear_len ? tear_len : f->port.page_len;

    assert_int_equal(erase(f, 0x1000), ESP_OK);
    sim_flash_arm_plan(f, &plan);
    assert_int_equal(prog(f, 0x1000, 0, 4 * part), ESP_FAIL);
    sim_flash_power_on(f);
    for (uint32_t i = 0; i < 4 * part; i++)
        if (i < idx * part)
            assert_int_equal(f->bytes[0x1000 + i], 0);
        else if (i >= (idx + 1) * part)
            assert_int_equal(f->bytes[0x1000 + i], 0xff);
    assert_int_equal(sim_flash_unfired(f), 0);
}

static void test_the_torn_part_can_be_chosen(void **state)
{
    struct sim_flash *f = *state;
    for (uint32_t idx = 0; idx < 4; idx++) {
        check_tear(f, 4, idx);
        check_tear(f, 0, idx);
    }
}

static void test_worn_sector(void **state)
{
    struct sim_flash *f = *state;
    sim_flash_wear(f, 0x1000, 2);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(prog(f, 0x1000, 0, 256), ESP_OK);
        assert_int_equal(erase(f, 0x1000), ESP_OK);
    }
    assert_int_equal(prog(f, 0x1000, 0, 256), ESP_OK);
    assert_int_equal(sim_flash_unfired(f), 1);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(erase(f, 0x1000), ESP_ERR_FLASH_OP_FAIL);
        assert_false(f->power_off);
        assert_int_equal(sim_flash_unfired(f), 0);
    }
    assert_int_equal(erase(f, 0x2000), ESP_OK);
}

/* A fault counts as fired when it did something, not when it was wanted. */
static void test_a_stuck_sector_fires_once(void **state)
{
    struct sim_flash *f = *state;
    sim_flash_stick(f, 0x1000, true);
    assert_int_equal(erase(f, 0x2000), ESP_OK);
    assert_int_equal(sim_flash_unfired(f), 1);
    assert_int_equal(prog(f, 0x1000, 0, 8), ESP_OK);
    assert_int_equal(erase(f, 0x1000), ESP_OK);
    assert_int_equal(f->count.fired, 1);
    assert_int_equal(sim_flash_unfired(f), 0);
}

static void test_copy_takes_undecided_bits_along(void **state)
{
    struct sim_flash *f = *state;
    struct sim_flash other;
    assert_int_equal(sim_flash_init(&other, NULL), ESP_OK);
    assert_int_equal(prog(f, 0x1000, 0, 4096), ESP_OK);
    sim_flash_arm(f, SIM_FAULT_UNSTABLE, 1, 1);
    assert_int_equal(erase(f, 0x1000), ESP_FAIL);
    sim_flash_copy(&other, f);
    assert_true(reads_differ(&other, 0x1000));
    assert_memory_equal(other.bytes, f->bytes, f->port.size_len);
    sim_flash_power_on(f);
    assert_int_equal(erase(f, 0x1000), ESP_OK);
    sim_flash_copy(&other, f);
    assert_false(reads_differ(&other, 0x1000));
    sim_flash_deinit(&other);
}

static void test_prog_once(void **state)
{
    struct sim_flash *f = *state;
    struct sim_flash_conf conf = { .prog_len = 16, .prog_once = true };
    sim_flash_deinit(f);
    assert_int_equal(sim_flash_init(f, &conf), ESP_OK);
    assert_int_equal(prog(f, 0x10, 0x7f, 8), ESP_ERR_INVALID_ARG);
    assert_int_equal(prog(f, 0x18, 0x7f, 16), ESP_ERR_INVALID_ARG);
    assert_int_equal(prog(f, 0x10, 0x7f, 16), ESP_OK);
    assert_int_equal(prog(f, 0x10, 0x7f, 16), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(prog(f, 0x20, 0x7f, 16), ESP_OK);
    assert_int_equal(erase(f, 0), ESP_OK);
    assert_int_equal(prog(f, 0x10, 0x3f, 16), ESP_OK);
}

static void test_counts(void **state)
{
    struct sim_flash *f = *state;
    uint8_t byte;
    assert_int_equal(prog(f, 0, 0, 100), ESP_OK);
    assert_int_equal(prog(f, 0, 1, 100), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(erase(f, 0x1000), ESP_OK);
    assert_int_equal(erase(f, 0x1000), ESP_OK);
    assert_int_equal(f->port.read(f->port.ctx, 0, &byte, 1), ESP_OK);
    assert_int_equal(f->count.progs, 1);
    assert_int_equal(f->count.prog_len, 100);
    assert_int_equal(f->count.erases, 2);
    assert_int_equal(f->erase_cnt[1], 2);
    assert_int_equal(f->count.reads, 1);
    assert_int_equal(f->count.refused, 1);
    assert_int_equal(sim_flash_ops(f), 3);
}

/* A refused call is no operation: it does not use up the fault. */
static void test_armed_fault_waits_for_an_operation(void **state)
{
    struct sim_flash *f = *state;
    sim_flash_arm(f, SIM_FAULT_BEFORE, 1, 0);
    assert_int_equal(erase(f, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(f->count.armed, 1);
    assert_int_equal(f->count.fired, 0);
    assert_int_equal(erase(f, 0), ESP_FAIL);
    assert_int_equal(f->count.fired, 1);
}

static void test_reset_restores_an_image(void **state)
{
    struct sim_flash *f = *state;
    uint8_t *image = malloc(f->port.size_len);
    assert_non_null(image);
    memset(image, 0x3c, f->port.size_len);
    sim_flash_arm(f, SIM_FAULT_BEFORE, 1, 0);
    assert_int_equal(erase(f, 0), ESP_FAIL);
    sim_flash_reset(f, image);
    assert_memory_equal(f->bytes, image, f->port.size_len);
    assert_int_equal(sim_flash_ops(f), 0);
    assert_int_equal(erase(f, 0), ESP_OK);
    free(image);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_prog_faults),
        T(test_erase_faults),
        T(test_torn_prog_keeps_page_order),
        T(test_torn_prog_clears_only_wanted_bits),
        T(test_unstable_until_erased),
        T(test_stuck_sector_says_ok),
        T(test_the_torn_part_can_be_chosen),
        T(test_worn_sector),
        T(test_a_stuck_sector_fires_once),
        T(test_copy_takes_undecided_bits_along),
        T(test_prog_once),
        T(test_counts),
        T(test_armed_fault_waits_for_an_operation),
        T(test_reset_restores_an_image),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
