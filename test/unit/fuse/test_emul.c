/* Fuses in flash: every pair of sectors that can be found, the bytes that the
 * reference reads, and what is refused. Cuts: test/power/fuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "base/crc32.h"
#include "base/le.h"
#include "fuse/fuse.h"
#include "sim_flash.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define OFF 0x3000u
#define C3 0x0005u

struct rig {
    struct sim_flash sim;
    struct fuse_emul emul;
};

static void rig_open(struct rig *r, uint16_t chip, uint32_t len)
{
    struct fuse_place place = { .flash = &r->sim.port, .off = OFF, .len = len };

    assert_int_equal(sim_flash_init(&r->sim, NULL), ESP_OK);
    assert_int_equal(fuse_emul_open(&r->emul, &place, fuse_field_find(chip)),
                     ESP_OK);
}

static void rig_close(struct rig *r)
{
    sim_flash_deinit(&r->sim);
}

/* --- sectors -------------------------------------------------------------- */

/* "-" blank, "rN" raw, "sN" sound, "dN" a commit that does not fit, all of
 * version N in a C3's dump. */
static void put(struct rig *r, uint32_t sector, const char *what)
{
    const struct fuse_field *f = fuse_field_find(C3);
    uint8_t *at = r->sim.bytes + OFF + sector * FUSE_SECTOR_LEN;
    struct span dump = span_of(at, fuse_dump_len(f));

    if (what[0] == '-')
        return;
    memset(at, 0, dump.len);
    fuse_dump_burn(f, at, (1u << (what[1] - '0')) - 1);
    if (what[0] != 'r')
        fuse_commit_pack(dump, at + FUSE_COMMIT_OFF);
    if (what[0] == 'd')
        at[5] ^= 0x10;
}

#define BAD UINT32_MAX

static const struct {
    const char *claim;
    const char *sector[2];
    uint32_t version; /* BAD: nobody knows */
    uint32_t ops;     /* of a repair, 0: none is needed */
} pairs[] = {
    { "a new device", { "-", "-" }, 0, 0 },
    { "as the reference leaves it", { "r3", "-" }, 3, 6 },
    { "settled", { "s3", "s3" }, 3, 0 },
    { "cut after the first of two", { "s4", "s3" }, 4, 6 },
    { "the other way round", { "s3", "s4" }, 4, 6 },
    { "cut while the first is erased", { "-", "s3" }, 3, 6 },
    { "cut while the first is written", { "r4", "s3" }, 3, 6 },
    { "cut in its commit", { "d4", "s3" }, 3, 6 },
    { "cut while the second is erased", { "s4", "-" }, 4, 6 },
    { "cut while the second is written", { "s4", "r4" }, 4, 6 },
    { "the second is damaged", { "s4", "d4" }, 4, 6 },
    { "first use, cut", { "-", "r1" }, 0, 6 },
    { "first use, cut in the commit", { "-", "d1" }, 0, 6 },
    { "first use after the reference, cut", { "r2", "r3" }, 2, 6 },
    { "first use after the reference, cut in the commit",
      { "r2", "d3" },
      2,
      6 },
    { "both are damaged", { "d3", "d3" }, BAD, 0 },
    { "damaged, and no copy", { "d3", "-" }, BAD, 0 },
    { "damaged, and a copy that was never finished", { "d3", "r3" }, BAD, 0 },
};

static void test_pairs(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(pairs); i++) {
        struct rig r;
        uint32_t version, again;
        esp_err_t err;

        rig_open(&r, C3, FUSE_EMUL_LEN);
        put(&r, 0, pairs[i].sector[0]);
        put(&r, 1, pairs[i].sector[1]);
        err = fuse_read_version(&r.emul.port, &version);
        if (version != pairs[i].version ||
            err != (version == BAD ? ESP_ERR_INVALID_CRC : ESP_OK))
            fail_msg("not so: %s: version %u, error 0x%x", pairs[i].claim,
                     (unsigned)version, (unsigned)err);
        err = fuse_raise(&r.emul.port, 0);
        if (sim_flash_ops(&r.sim) != pairs[i].ops ||
            err != (version == BAD ? ESP_ERR_INVALID_CRC : ESP_OK))
            fail_msg("repair: %s: %u operations, error 0x%x", pairs[i].claim,
                     (unsigned)sim_flash_ops(&r.sim), (unsigned)err);
        assert_int_equal(fuse_read_version(&r.emul.port, &again), err);
        assert_int_equal(again, version);
        assert_int_equal(fuse_raise(&r.emul.port, 0), err);
        assert_int_equal(sim_flash_ops(&r.sim), pairs[i].ops);
        rig_close(&r);
    }
}

/* Two sound copies that no cut leads to: bits of both count. */
static void test_bits_of_both_count(void **state)
{
    struct rig r;
    struct fuse_state s = { { FUSE_COPY_SOUND, FUSE_COPY_SOUND },
                            { 0x5, 0x2 },
                            { 1, 2 } };
    uint32_t src, bits;

    (void)state;
    rig_open(&r, C3, FUSE_EMUL_LEN);
    assert_int_equal(fuse_state_decide(&s, &src, &bits), ESP_OK);
    assert_int_equal(bits, 7);
    assert_int_equal(src, 0); /* the one with more bits is erased last */
    rig_close(&r);
}

/* --- bytes ---------------------------------------------------------------- */

/* What the reference reads: the dump at offset 0, and nothing else within the
 * first 512, 1408 or 1584 bytes, where it would take it for fuses. */
static void test_layout(void **state)
{
    static const struct {
        uint16_t chip_id;
        uint32_t version, off, word, window;
    } rows[] = {
        { 0x0000, 32, 112, 0xFFFFFFFF, 512 },
        { 0x0000, 1, 112, 1, 512 },
        { 0x0005, 1, 16, 0x00004000, 1408 },
        { 0x0005, 16, 16, 0x3FFFC000, 1408 },
        { 0x0020, 3, 20, 7, 1584 },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        const struct fuse_field *f = fuse_field_find(rows[i].chip_id);
        uint8_t want[1584];
        struct rig r;

        rig_open(&r, rows[i].chip_id, FUSE_EMUL_LEN);
        assert_int_equal(fuse_raise(&r.emul.port, rows[i].version), ESP_OK);
        memset(want, 0xFF, sizeof(want));
        memset(want, 0, fuse_dump_len(f));
        le32_put(want + rows[i].off, rows[i].word);
        assert_memory_equal(r.sim.bytes + OFF, want, rows[i].window);
        assert_memory_equal(r.sim.bytes + OFF,
                            r.sim.bytes + OFF + FUSE_SECTOR_LEN,
                            FUSE_SECTOR_LEN);
        rig_close(&r);
    }
}

/* The commit's bytes as the decision page has them. */
static void test_commit(void **state)
{
    static const uint8_t dump[4] = { 1, 2, 3, 4 };
    uint32_t crc = crc32_le(0, dump, sizeof(dump));
    uint8_t commit[FUSE_COMMIT_LEN];

    (void)state;
    fuse_commit_pack(span_of(dump, sizeof(dump)), commit);
    assert_memory_equal(commit, "PFU1", 4);
    assert_int_equal(le32_get(commit + 4), crc);
    assert_int_equal(le32_get(commit + 8), ~crc);
    assert_int_equal(le32_get(commit + 12), 0);
}

/* What the reference's application burnt besides stays. */
static void test_other_fuses_stay(void **state)
{
    uint8_t before[352], after[352];
    struct rig r;

    (void)state;
    rig_open(&r, C3, FUSE_EMUL_LEN);
    for (size_t i = 0; i < sizeof(before); i++)
        before[i] = (uint8_t)(i * 7);
    memset(before + 16, 0, 4);
    memcpy(r.sim.bytes + OFF, before, sizeof(before));
    assert_int_equal(fuse_raise(&r.emul.port, 2), ESP_OK);
    memcpy(after, r.sim.bytes + OFF, sizeof(after));
    assert_int_equal(le32_get(after + 16), 0x0000C000);
    memset(after + 16, 0, 4);
    assert_memory_equal(after, before, sizeof(after));
    rig_close(&r);
}

/* --- one sector, and other refusals --------------------------------------- */

static const struct {
    const char *claim, *sector;
    uint32_t version;
    esp_err_t repair, raise;
} singles[] = {
    { "a new device reads 0 and cannot be raised", "-", 0, ESP_OK,
      ESP_ERR_INVALID_SIZE },
    { "what the reference wrote is read", "r2", 2, ESP_OK,
      ESP_ERR_INVALID_SIZE },
    { "what is burnt already needs nothing", "s5", 5, ESP_OK, ESP_OK },
    { "a sound one, to be raised", "s2", 2, ESP_OK, ESP_ERR_INVALID_SIZE },
    { "damaged", "d2", BAD, ESP_ERR_INVALID_CRC, ESP_ERR_INVALID_CRC },
};

static void test_one_sector(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(singles); i++) {
        struct rig r;
        uint32_t version;

        rig_open(&r, C3, FUSE_EMUL_LEN - 1);
        put(&r, 0, singles[i].sector);
        put(&r, 1, "s9"); /* somebody else's */
        (void)!fuse_read_version(&r.emul.port, &version);
        if (version != singles[i].version ||
            fuse_raise(&r.emul.port, 0) != singles[i].repair ||
            fuse_raise(&r.emul.port, 5) != singles[i].raise)
            fail_msg("not so: %s", singles[i].claim);
        assert_int_equal(sim_flash_ops(&r.sim), 0);
        rig_close(&r);
    }
}

static void test_open_refuses(void **state)
{
    static const struct sim_flash_conf large_unit = { .prog_len = 32 };
    static const struct sim_flash_conf large_sector = { .erase_len = 8192 };
    struct sim_flash sim;
    struct fuse_emul e;
    struct fuse_place place = { &sim.port, OFF, FUSE_EMUL_LEN, 16 };
    uint32_t version;

    (void)state;
    assert_int_equal(sim_flash_init(&sim, NULL), ESP_OK);
    assert_int_equal(fuse_emul_open(&e, &place, NULL), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(fuse_read_version(&e.port, &version),
                     ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(fuse_emul_open(&e, &place, fuse_field_find(C3)), ESP_OK);
    place.bit_cnt = 17;
    assert_int_equal(fuse_emul_open(&e, &place, fuse_field_find(C3)),
                     ESP_ERR_INVALID_ARG);
    place.bit_cnt = 0;
    place.len = FUSE_SECTOR_LEN - 1;
    assert_int_equal(fuse_emul_open(&e, &place, fuse_field_find(C3)),
                     ESP_ERR_INVALID_SIZE);
    place.len = FUSE_EMUL_LEN;
    sim.port.prog_len = 0;
    assert_int_equal(fuse_emul_open(&e, &place, fuse_field_find(C3)),
                     ESP_ERR_NOT_SUPPORTED);
    sim_flash_deinit(&sim);
    assert_int_equal(sim_flash_init(&sim, &large_unit), ESP_OK);
    assert_int_equal(fuse_emul_open(&e, &place, fuse_field_find(C3)),
                     ESP_ERR_NOT_SUPPORTED);
    sim_flash_deinit(&sim);
    assert_int_equal(sim_flash_init(&sim, &large_sector), ESP_OK);
    assert_int_equal(fuse_emul_open(&e, &place, fuse_field_find(C3)),
                     ESP_ERR_NOT_SUPPORTED);
    sim_flash_deinit(&sim);
}

/* A field that was made smaller counts and burns its own bits only. */
static void test_smaller_field(void **state)
{
    struct rig r;
    uint32_t version;

    (void)state;
    rig_open(&r, C3, FUSE_EMUL_LEN);
    r.emul.port.bit_cnt = 4;
    put(&r, 0, "s8");
    assert_int_equal(fuse_read_version(&r.emul.port, &version), ESP_OK);
    assert_int_equal(version, 4);
    put(&r, 0, "-");
    assert_int_equal(fuse_raise(&r.emul.port, 9), ESP_OK);
    r.emul.port.bit_cnt = 16;
    assert_int_equal(fuse_read_version(&r.emul.port, &version), ESP_OK);
    assert_int_equal(version, 8); /* still there */
    rig_close(&r);
}

/* Flash of encrypted or ECC kind: a unit is programmed once. */
static void test_units_are_programmed_once(void **state)
{
    static const struct sim_flash_conf conf = { .prog_len = 16,
                                                .prog_once = true };
    struct sim_flash sim;
    struct fuse_place place = { &sim.port, OFF, FUSE_EMUL_LEN, 0 };
    struct fuse_emul e;
    uint32_t version;

    (void)state;
    assert_int_equal(sim_flash_init(&sim, &conf), ESP_OK);
    assert_int_equal(fuse_emul_open(&e, &place, fuse_field_find(0x0020)),
                     ESP_OK);
    for (uint32_t v = 0; v <= 16; v++) {
        assert_int_equal(fuse_raise(&e.port, v), ESP_OK);
        assert_int_equal(fuse_read_version(&e.port, &version), ESP_OK);
        assert_int_equal(version, v);
    }
    assert_int_equal(sim.count.refused, 0);
    sim_flash_deinit(&sim);
}

/* A sector that keeps nothing: the failure is seen, and no bit is lost. */
static void test_a_stuck_sector(void **state)
{
    (void)state;
    for (uint32_t sector = 0; sector < 2; sector++) {
        struct rig r;
        uint32_t version;

        rig_open(&r, C3, FUSE_EMUL_LEN);
        assert_int_equal(fuse_raise(&r.emul.port, 2), ESP_OK);
        sim_flash_stick(&r.sim, OFF + sector * FUSE_SECTOR_LEN, true);
        assert_int_not_equal(fuse_raise(&r.emul.port, 3), ESP_OK);
        assert_int_equal(fuse_read_version(&r.emul.port, &version), ESP_OK);
        assert_int_equal(version, sector == 0 ? 2 : 3);
        rig_close(&r);
    }
}

/* New sectors that keep nothing of what is written. */
static void test_a_stuck_new_sector(void **state)
{
    (void)state;
    for (uint32_t sector = 0; sector < 2; sector++) {
        struct rig r;
        uint32_t version;

        rig_open(&r, C3, FUSE_EMUL_LEN);
        sim_flash_stick(&r.sim, OFF + sector * FUSE_SECTOR_LEN, true);
        assert_int_equal(fuse_raise(&r.emul.port, 3), ESP_ERR_FLASH_OP_FAIL);
        assert_int_equal(fuse_read_version(&r.emul.port, &version), ESP_OK);
        assert_int_equal(version, sector == 0 ? 3 : 0);
        rig_close(&r);
    }
}

/* Whichever read fails: it is said, and the next try ends well. */
static void test_reads_that_fail(void **state)
{
    uint32_t nth = 1;

    (void)state;
    for (bool fired = true; fired; nth++) {
        struct rig r;
        uint32_t version;

        rig_open(&r, C3, FUSE_EMUL_LEN);
        assert_int_equal(fuse_raise(&r.emul.port, 2), ESP_OK);
        sim_flash_fail_read(&r.sim, nth);
        fired = fuse_raise(&r.emul.port, 3) != ESP_OK;
        assert_int_equal(fired, r.sim.count.fired);
        sim_flash_power_on(&r.sim);
        assert_int_equal(fuse_raise(&r.emul.port, 3), ESP_OK);
        assert_int_equal(fuse_read_version(&r.emul.port, &version), ESP_OK);
        assert_int_equal(version, 3);
        rig_close(&r);
    }
    assert_true(nth > 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_bits_of_both_count),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_commit),
        cmocka_unit_test(test_other_fuses_stay),
        cmocka_unit_test(test_one_sector),
        cmocka_unit_test(test_open_refuses),
        cmocka_unit_test(test_smaller_field),
        cmocka_unit_test(test_units_are_programmed_once),
        cmocka_unit_test(test_a_stuck_sector),
        cmocka_unit_test(test_a_stuck_new_sector),
        cmocka_unit_test(test_reads_that_fail),
    };
    return cmocka_run_group_tests_name("fuse_emul", tests, NULL, NULL);
}
