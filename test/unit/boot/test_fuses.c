/* Passes of the bootloader over a flash, with fuses: what raises them, what
 * they keep from booting, and what happens when they fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "world.h"

#define BOTH (WORLD_OTA_0 | WORLD_OTA_1)

/* --- the fuses ------------------------------------------------------------ */

struct chip {
    struct port_fuse port;
    uint32_t bits, burns;
    esp_err_t read_err, burn_err;
};

static esp_err_t chip_read(void *ctx, uint32_t *bits)
{
    const struct chip *c = ctx;
    *bits = c->bits;
    return c->read_err;
}

static esp_err_t chip_burn(void *ctx, uint32_t mask)
{
    struct chip *c = ctx;
    c->burns++;
    if (!c->burn_err)
        c->bits |= mask;
    return c->burn_err;
}

static struct world w;
static struct boot_result r;
static struct chip chip;

/* Images of these secure versions; records 1 (VALID) and 2. */
static void open_world(uint32_t v0, uint32_t v1, uint32_t bits, uint32_t state1)
{
    world_open(&w, BOTH);
    world_secure(&w, 0, v0);
    world_secure(&w, 1, v1);
    world_record(&w, 0, 1, OTA_STATE_VALID);
    world_record(&w, 1, 2, state1);
    chip = (struct chip){ .port = { &chip, 16, chip_read, chip_burn },
                          .bits = bits };
    w.env.policy.anti_rollback = true;
    w.env.fuse = &chip.port;
}

static void test_confirmed_raises(void **state)
{
    (void)state;
    open_world(0, 3, 1, OTA_STATE_VALID);
    boot_decide(&w.env, &r);
    assert_int_equal(r.plan.choice, 1);
    assert_int_equal(r.fuse_version, 1);
    assert_int_equal(chip.burns, 0); /* deciding writes nothing */
    boot_run(&w.env, &r);
    assert_int_equal(r.plan.choice, 1);
    assert_int_equal(r.err[0], ESP_ERR_OTA_SMALL_SEC_VER);
    assert_int_equal(chip.bits, 7);
    assert_int_equal(boot_may_start(&w.env, &r), VERDICT_ACCEPT);
    world_close(&w);
}

static void test_trial_does_not_raise(void **state)
{
    struct ota_rec rec[2];

    (void)state;
    open_world(1, 3, 1, OTA_STATE_NEW);
    boot_run(&w.env, &r);
    assert_int_equal(r.plan.choice, 1);
    assert_int_equal(chip.bits, 1);
    boot_run(&w.env, &r); /* not confirmed: back, and it still may */
    assert_int_equal(r.plan.choice, 0);
    assert_int_equal(chip.bits, 1);
    world_records(&w, rec);
    assert_int_equal(rec[1].state, OTA_STATE_ABORTED);
    world_close(&w);
}

/* Flashed by hand: the newest record is confirmed, and the image is too old. */
static void test_downgrade_by_hand(void **state)
{
    (void)state;
    open_world(2, 1, 3, OTA_STATE_VALID);
    boot_run(&w.env, &r);
    assert_int_equal(r.plan.choice, 0);
    assert_int_equal(r.plan.reason, BOOT_WHY_TOO_OLD);
    assert_int_equal(r.err[1], ESP_ERR_OTA_SMALL_SEC_VER);
    world_close(&w);
}

static void test_nothing_new_enough(void **state)
{
    (void)state;
    open_world(2, 1, 7, OTA_STATE_VALID);
    boot_run(&w.env, &r);
    assert_int_equal(r.plan.action, BOOT_ACT_RESET);
    assert_int_equal(r.err[0], ESP_ERR_OTA_SMALL_SEC_VER);
    assert_int_equal(boot_may_start(&w.env, &r), VERDICT_REJECT);
    assert_int_equal(sim_flash_ops(&w.sim), 0);
    world_close(&w);
}

/* The description is believed once the image verifies. */
static void test_damaged_image_raises_nothing(void **state)
{
    (void)state;
    open_world(1, 5, 1, OTA_STATE_VALID);
    world_spoil(&w, WORLD_OTA_1);
    boot_run(&w.env, &r);
    assert_int_equal(r.plan.choice, 0);
    assert_int_equal(chip.bits, 1);
    assert_int_equal(r.err[1], ESP_ERR_IMAGE_INVALID);
    world_close(&w);
}

static void test_fuses_fail(void **state)
{
    (void)state;
    open_world(1, 5, 1, OTA_STATE_VALID);
    chip.burn_err = ESP_FAIL;
    boot_run(&w.env, &r); /* boots all the same */
    assert_int_equal(r.plan.choice, 1);
    assert_int_equal(r.fuse_err, ESP_FAIL);
    chip.read_err = ESP_ERR_INVALID_CRC;
    boot_run(&w.env, &r);
    assert_int_equal(r.plan.action, BOOT_ACT_RESET);
    assert_int_equal(r.plan.reason, BOOT_WHY_NO_FUSES);
    assert_int_equal(r.fuse_err, ESP_ERR_INVALID_CRC);
    w.env.fuse = NULL;
    boot_run(&w.env, &r);
    assert_int_equal(r.plan.reason, BOOT_WHY_NO_FUSES);
    assert_int_equal(boot_may_start(&w.env, &r), VERDICT_REJECT);
    w.env.policy.anti_rollback = false; /* nobody asks for fuses */
    boot_run(&w.env, &r);
    assert_int_equal(r.plan.choice, 1);
    world_close(&w);
}

/* The last question does not rely on the decision. */
static void test_last_question(void **state)
{
    (void)state;
    open_world(1, 5, 1, OTA_STATE_VALID);
    boot_run(&w.env, &r);
    assert_int_equal(boot_may_start(&w.env, &r), VERDICT_ACCEPT);
    r.fuse_version = 5;
    assert_int_equal(boot_may_start(&w.env, &r), VERDICT_ACCEPT);
    r.fuse_version = 6;
    assert_int_equal(boot_may_start(&w.env, &r), VERDICT_REJECT);
    /* Nor on what was read for it: they are read once more. */
    r.fuse_version = 5;
    assert_int_equal(fuse_raise(w.env.fuse, 6), ESP_OK);
    assert_int_equal(boot_may_start(&w.env, &r), VERDICT_REJECT);
    r.receipt.secure_version = 6;
    assert_int_equal(boot_may_start(&w.env, &r), VERDICT_ACCEPT);
    world_close(&w);
}

/* A first boot writes its record, then raises; a record that cannot be written
 * raises nothing. */
static void test_first_boot(void **state)
{
    (void)state;
    open_world(4, 0, 0, OTA_STATE_VALID);
    memset(w.sim.bytes + WORLD_OTADATA, 0xFF, OTADATA_LEN);
    boot_run(&w.env, &r);
    assert_int_equal(r.plan.choice, 0);
    assert_int_equal(chip.bits, 15);
    memset(w.sim.bytes + WORLD_OTADATA, 0xFF, OTADATA_LEN);
    chip.bits = 0;
    sim_flash_stick(&w.sim, WORLD_OTADATA, true);
    boot_run(&w.env, &r);
    assert_int_not_equal(r.write_err, ESP_OK);
    assert_int_equal(chip.bits, 0);
    world_close(&w);
}

/* In the flash itself, found through the table. */
static void test_fuses_in_flash(void **state)
{
    struct fuse_place place = { .flash = &w.sim.port };
    const struct fuse_field *field = fuse_field_find(IMG_CHIP_LINUX);
    struct fuse_emul emul;
    struct part_entry *row;
    uint32_t version;

    (void)state;
    open_world(1, 5, 0, OTA_STATE_VALID);
    assert_int_equal(boot_fuse_open(&emul, &w.table, &place, field),
                     ESP_ERR_NOT_FOUND);
    w.env.fuse = &emul.port;
    boot_run(&w.env, &r);
    assert_int_equal(r.plan.reason, BOOT_WHY_NO_FUSES);
    row = &w.table.entries[w.table.cnt++];
    *row = (struct part_entry){ .type = PART_TYPE_DATA,
                                .subtype = PART_DATA_EFUSE,
                                .off = 0xE000,
                                .len = FUSE_EMUL_LEN };
    assert_int_equal(boot_fuse_open(&emul, &w.table, &place, field), ESP_OK);
    boot_run(&w.env, &r);
    assert_int_equal(r.plan.choice, 1);
    assert_int_equal(fuse_read_version(&emul.port, &version), ESP_OK);
    assert_int_equal(version, 5);
    row->len = 100;
    assert_int_equal(boot_fuse_open(&emul, &w.table, &place, field),
                     ESP_ERR_INVALID_SIZE);
    world_close(&w);
}

/* --- the start ------------------------------------------------------------ */

/* Fuses that say something else from the nth time on. */
struct turncoat {
    struct port_fuse port;
    unsigned reads, honest;
};

static esp_err_t turncoat_read(void *ctx, uint32_t *bits)
{
    struct turncoat *t = ctx;
    *bits = ++t->reads <= t->honest ? 1 : 0xFF;
    return ESP_OK;
}

static void count_start(void *ctx)
{
    ++*(unsigned *)ctx;
}

/* It is asked twice, of the fuses themselves, and both answers count. */
static void test_start_asks_twice(void **state)
{
    static const struct {
        unsigned honest, reads, starts;
    } rows[] = { { 0, 1, 0 }, { 1, 2, 0 }, { 2, 2, 1 } };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct turncoat t = { .port = { &t, 16, turncoat_read, chip_burn },
                              .honest = rows[i].honest };
        unsigned starts = 0;
        open_world(0, 3, 1, OTA_STATE_VALID);
        boot_decide(&w.env, &r);
        w.env.fuse = &t.port;
        boot_start(&w.env, &r, count_start, &starts);
        assert_int_equal(starts, rows[i].starts);
        assert_int_equal(t.reads, rows[i].reads);
        world_close(&w);
    }
}

/* --- images whose version cannot be known --------------------------------- */

/* An ESP32's program needs none. Bits are changed in pairs, so that the sum
 * over the image stays. */
static void forget_description(uint32_t slot)
{
    uint8_t *at = w.sim.bytes + boot_part(&w.table, slot)->off;
    w.env.rules.any_chip = true;
    at[12] = at[13] = 0;
    memset(at + IMG_APP_DESC_OFF + 256, 0, 4); /* the code's address */
    at[23] = 0;                                /* nor a hash */
    at[IMG_APP_DESC_OFF] ^= 1;
    at[IMG_APP_DESC_OFF + 1] ^= 1;
}

static void test_image_without_description(void **state)
{
    (void)state;
    open_world(1, 1, 0, OTA_STATE_VALID);
    forget_description(1);
    w.env.policy.anti_rollback = false;
    boot_decide(&w.env, &r);
    assert_int_equal(r.plan.choice, 1);
    assert_int_equal(r.in.secure[1], 0);
    w.env.policy.anti_rollback = true;
    boot_decide(&w.env, &r);
    assert_int_equal(r.plan.choice, 0);
    assert_int_equal(r.err[1], ESP_ERR_OTA_SMALL_SEC_VER);
    world_close(&w);
}

/* No room for a description, and one that cannot be read. */
static void test_version_that_cannot_be_read(void **state)
{
    (void)state;
    for (uint32_t bad = 0; bad < 2; bad++) {
        open_world(1, 1, 1, OTA_STATE_VALID);
        if (bad == 0)
            w.table.entries[2].len = IMG_APP_DESC_OFF + 7;
        else
            w.table.entries[2].off = w.sim.port.size_len - IMG_APP_DESC_OFF;
        boot_decide(&w.env, &r);
        assert_int_equal(r.in.secure[0], 2);
        assert_int_equal(r.in.secure[1], 0);
        assert_int_equal(r.plan.choice, 0);
        world_close(&w);
    }
}

static void test_no_table_no_fuses(void **state)
{
    struct sim_flash sim;
    struct fuse_place place = { .flash = &sim.port };
    struct fuse_emul e;
    (void)state;
    assert_int_equal(sim_flash_init(&sim, NULL), ESP_OK);
    assert_int_equal(boot_fuse_open(&e, NULL, &place, fuse_field_find(5)),
                     ESP_ERR_NOT_FOUND);
    sim_flash_deinit(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_confirmed_raises),
        cmocka_unit_test(test_trial_does_not_raise),
        cmocka_unit_test(test_downgrade_by_hand),
        cmocka_unit_test(test_nothing_new_enough),
        cmocka_unit_test(test_damaged_image_raises_nothing),
        cmocka_unit_test(test_fuses_fail),
        cmocka_unit_test(test_last_question),
        cmocka_unit_test(test_first_boot),
        cmocka_unit_test(test_fuses_in_flash),
        cmocka_unit_test(test_start_asks_twice),
        cmocka_unit_test(test_image_without_description),
        cmocka_unit_test(test_version_that_cannot_be_read),
        cmocka_unit_test(test_no_table_no_fuses),
    };
    return cmocka_run_group_tests_name("boot_fuses", tests, NULL, NULL);
}
