/* The bootloader's options: bytes, and where they are found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "base/crc32.h"
#include "base/le.h"
#include "boot/opts.h"
#include "image/build.h"
#include "sim_flash.h"

static void test_round_trip(void **state)
{
    (void)state;
    for (unsigned k = 0; k < 32; k++) {
        const struct boot_opts in = { .rollback = k & 1,
                                      .require_hash = k & 2,
                                      .trial_boots = k & 4 ? 3 : 0,
                                      .trial_power = k & 8 ? 5 : 0,
                                      .deny = k & 16 };
        struct boot_opts out;
        struct policy policy = { .allow_http = true };
        uint8_t bytes[BOOT_OPTS_MAX_LEN];
        boot_opts_pack(&in, bytes);
        assert_int_equal(boot_opts_parse(span_of(bytes, sizeof(bytes)), &out),
                         ESP_OK);
        assert_int_equal(out.rollback, in.rollback);
        assert_int_equal(out.require_hash, in.require_hash);
        assert_int_equal(out.trial_boots, in.trial_boots);
        assert_int_equal(out.trial_power, in.trial_power);
        assert_int_equal(out.deny, in.deny);
        boot_opts_apply(&out, &policy);
        assert_int_equal(pol_trial_boots(&policy), k & 4 ? 3 : 1);
        assert_int_equal(pol_trial_power(&policy), in.trial_power);
        assert_true(pol_deny(&policy) == in.deny);
        assert_true(policy.rollback == in.rollback &&
                    policy.require_hash == in.require_hash &&
                    policy.allow_http);
    }
}

static void test_bytes(void **state)
{
    static const uint8_t want[12] = { 'P', 'T', 'O', 'P', 1, 0,
                                      16,  0,   1,   0,   0, 0 };
    const struct boot_opts in = { .rollback = true };
    uint8_t bytes[BOOT_OPTS_MAX_LEN];
    (void)state;
    boot_opts_pack(&in, bytes);
    assert_memory_equal(bytes, want, sizeof(want));
    assert_int_equal(le32_get(bytes + 12), crc32_le(0, want, sizeof(want)));
}

struct edit {
    const char *claim;
    uint32_t off;
    uint8_t value;
    bool seal; /* make the CRC right again */
    uint32_t len;
    esp_err_t want;
};

static void test_refused(void **state)
{
    static const struct edit rows[] = {
        { "no magic", 0, 'X', true, 16, ESP_ERR_NOT_FOUND },
        { "too short for the magic", 0, 'P', false, 3, ESP_ERR_NOT_FOUND },
        { "too short for a record", 0, 'P', false, 15, ESP_ERR_INVALID_SIZE },
        { "a length below the least", 6, 12, true, 16, ESP_ERR_INVALID_SIZE },
        { "a length past the end", 6, 20, true, 16, ESP_ERR_INVALID_SIZE },
        { "a wrong CRC", 8, 0, false, 16, ESP_ERR_INVALID_CRC },
        { "a later version", 4, 2, true, 16, ESP_ERR_NOT_SUPPORTED },
        { "an unknown flag", 9, 1, true, 16, ESP_ERR_NOT_SUPPORTED },
        { "the next flag after the last", 8, 0x80, true, 16,
          ESP_ERR_NOT_SUPPORTED },
        { "boot without signatures, and none are asked for", 8, 0x40, true, 16,
          ESP_ERR_INVALID_ARG },
        { "an empty flags word is fine", 8, 0, true, 16, ESP_OK },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct boot_opts in = { .rollback = true };
        struct boot_opts out;
        uint8_t bytes[BOOT_OPTS_MAX_LEN];
        boot_opts_pack(&in, bytes);
        bytes[rows[i].off] = rows[i].value;
        if (rows[i].seal)
            le32_put(bytes + 12, crc32_le(0, bytes, 12));
        esp_err_t err = boot_opts_parse(span_of(bytes, rows[i].len), &out);
        if (err != rows[i].want || out.rollback)
            fail_msg("not so: %s: 0x%x", rows[i].claim, err);
    }
}

static struct boot_opts signed_opts(void)
{
    struct boot_opts opts = {
        .require_signed = true,
        .keys = { .scheme = IMG_SCHEME_ECDSA384, .need = 2, .cnt = 3 }
    };
    for (uint32_t i = 0; i < 3; i++) {
        opts.keys.key[i].trust = i == 1 ? VERDICT_REJECT : VERDICT_ACCEPT;
        memset(opts.keys.key[i].id, (int)i + 1, SHA256_LEN);
    }
    return opts;
}

static void test_keys_travel(void **state)
{
    struct boot_opts in = signed_opts(), out;
    struct policy policy = { .rollback = true };
    uint8_t bytes[BOOT_OPTS_MAX_LEN];
    (void)state;
    uint32_t len = boot_opts_pack(&in, bytes);
    assert_int_equal(len, 12 + 4 + 3 * 33 + 1 + 4); /* padded to a word */
    assert_int_equal(boot_opts_parse(span_of(bytes, len), &out), ESP_OK);
    assert_memory_equal(&out.keys, &in.keys, sizeof(in.keys));
    boot_opts_apply(&out, &policy);
    assert_true(policy.require_signed && !policy.rollback);
    /* Of a scheme, with the keys elsewhere. */
    in.keys = (struct img_keys){ .scheme = IMG_SCHEME_V1 };
    len = boot_opts_pack(&in, bytes);
    assert_int_equal(boot_opts_parse(span_of(bytes, len), &out), ESP_OK);
    assert_int_equal(out.keys.scheme, IMG_SCHEME_V1);
    assert_true(out.require_signed && out.keys.cnt == 0);
}

/* Flag 4 alone, as every earlier record has it, is both. */
static void test_signed_on_update_only(void **state)
{
    static const struct {
        const char *claim;
        bool require_signed, boot_unsigned;
        uint8_t flags;
        bool on_update, on_boot;
    } rows[] = {
        { "nobody asks", false, false, 0, false, false },
        { "both ask", true, false, 4, true, true },
        { "only updates ask", true, true, 4 | 64, true, false },
        { "nobody asks, and boot less", false, true, 0, false, false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct boot_opts in = signed_opts(), out;
        struct policy policy = { .boot_unsigned = !rows[i].boot_unsigned };
        uint8_t bytes[BOOT_OPTS_MAX_LEN];
        in.require_signed = rows[i].require_signed;
        in.boot_unsigned = rows[i].boot_unsigned;
        uint32_t len = boot_opts_pack(&in, bytes);
        assert_int_equal(le32_get(bytes + 8), rows[i].flags);
        assert_int_equal(boot_opts_parse(span_of(bytes, len), &out), ESP_OK);
        boot_opts_apply(&out, &policy);
        if (pol_require_signed(&policy) != rows[i].on_update ||
            pol_boot_signed(&policy) != rows[i].on_boot)
            fail_msg("not so: %s", rows[i].claim);
    }
}

/* A record that asks for signatures and whose keys cannot be read is refused:
 * it is not one that asks for none. */
static void test_bad_keys(void **state)
{
    static const struct edit rows[] = {
        { "no scheme", 12, 0, true, 0, ESP_ERR_INVALID_ARG },
        { "an unknown scheme", 12, 5, true, 0, ESP_ERR_INVALID_ARG },
        { "more needed than there are", 13, 4, true, 0, ESP_ERR_INVALID_ARG },
        { "more keys than fit", 14, 9, true, 0, ESP_ERR_INVALID_ARG },
        { "more keys than there are", 14, 8, true, 0, ESP_ERR_INVALID_SIZE },
        { "damage without a right CRC", 17, 2, false, 0, ESP_ERR_INVALID_CRC },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct boot_opts in = signed_opts(), out;
        uint8_t bytes[BOOT_OPTS_MAX_LEN];
        uint32_t len = boot_opts_pack(&in, bytes);
        bytes[rows[i].off] = rows[i].value;
        if (rows[i].seal)
            le32_put(bytes + len - 4, crc32_le(0, bytes, len - 4));
        esp_err_t err = boot_opts_parse(span_of(bytes, len), &out);
        if (err != rows[i].want || out.require_signed || out.keys.cnt)
            fail_msg("not so: %s: 0x%x", rows[i].claim, err);
    }
}

static void test_fuses_travel(void **state)
{
    static const struct edit rows[] = {
        { "as it was packed", 12, 16, true, 0, ESP_OK },
        { "all of the field", 12, 0, true, 0, ESP_OK },
        { "more bits than any field has", 12, 33, true, 0,
          ESP_ERR_INVALID_ARG },
        { "a byte that is none of ours", 13, 1, true, 0, ESP_ERR_INVALID_ARG },
        { "without rollback", 8, 0x20, true, 0, ESP_ERR_INVALID_ARG },
        { "without its field", 8, 0x25, true, 0, ESP_ERR_INVALID_SIZE },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct boot_opts in = { .rollback = true,
                                      .anti_rollback = true,
                                      .sec_ver_bits = 16,
                                      .fuse_chip = 0x0005 };
        struct policy policy = { .allow_http = true };
        struct boot_opts out;
        uint8_t bytes[BOOT_OPTS_MAX_LEN];
        uint32_t len = boot_opts_pack(&in, bytes);
        assert_int_equal(len, 20);
        bytes[rows[i].off] = rows[i].value;
        le32_put(bytes + len - 4, crc32_le(0, bytes, len - 4));
        esp_err_t err = boot_opts_parse(span_of(bytes, len), &out);
        bool shorter = rows[i].value == 0x25; /* keys where the field was */
        if ((shorter ? err == ESP_OK : err != rows[i].want) ||
            out.anti_rollback != (rows[i].want == ESP_OK))
            fail_msg("not so: %s: 0x%x", rows[i].claim, err);
        if (err)
            continue;
        boot_opts_apply(&out, &policy);
        assert_true(policy.rollback && policy.anti_rollback);
        assert_int_equal(policy.sec_ver_bits, rows[i].value);
        assert_int_equal(out.fuse_chip, 5);
    }
}

/* A longer record, of a later minor version, still says what we know. */
static void test_longer_record(void **state)
{
    uint8_t bytes[24] = { 'P', 'T', 'O', 'P', 1, 0, 24, 0, 1 };
    struct boot_opts out;
    (void)state;
    le32_put(bytes + 20, crc32_le(0, bytes, 20));
    assert_int_equal(boot_opts_parse(span_of(bytes, sizeof(bytes)), &out),
                     ESP_OK);
    assert_true(out.rollback && !out.require_hash);
}

/* --- in a flash ----------------------------------------------------------- */

#define OFF 0x1000u

static void put_bootloader(struct sim_flash *sim, bool with_opts)
{
    const struct boot_opts opts = { .rollback = true, .require_hash = true };
    uint8_t record[BOOT_OPTS_MAX_LEN];
    static const uint8_t code[64];
    uint32_t record_len = boot_opts_pack(&opts, record);
    const struct img_build_seg segs[] = {
        { 0x40380000, { code, sizeof(code) } },
        { BOOT_OPTS_ADDR, { record, record_len } }
    };
    const struct img_build in = { .kind = IMG_KIND_BOOTLOADER,
                                  .header = { .chip_id = IMG_CHIP_LINUX,
                                              .hash_appended = 1 },
                                  .segs = segs,
                                  .seg_cnt = with_opts ? 2 : 1 };
    uint32_t len;
    assert_int_equal(img_build(&in, sim->bytes + OFF, 0x1000, &len, NULL),
                     ESP_OK);
}

#define MAX_LEN 0x3000u

static esp_err_t read_opts(const struct sim_flash *sim, struct boot_opts *opts)
{
    memset(opts, 0x5A, sizeof(*opts));
    return boot_opts_read(&sim->port, OFF, MAX_LEN, opts);
}

static void test_read(void **state)
{
    struct sim_flash sim;
    struct boot_opts opts;
    (void)state;
    assert_int_equal(sim_flash_init(&sim, NULL), ESP_OK);
    assert_int_equal(read_opts(&sim, &opts), ESP_ERR_NOT_FOUND);
    put_bootloader(&sim, false);
    assert_int_equal(read_opts(&sim, &opts), ESP_ERR_NOT_FOUND);
    put_bootloader(&sim, true);
    assert_int_equal(read_opts(&sim, &opts), ESP_OK);
    assert_true(opts.rollback && opts.require_hash);
    assert_int_equal(boot_opts_read(&sim.port, OFF, sim.port.size_len, &opts),
                     ESP_ERR_INVALID_SIZE);
    assert_false(opts.rollback);
    assert_int_equal(boot_opts_read(&sim.port, OFF, 0, &opts),
                     ESP_ERR_INVALID_SIZE);
    sim.power_off = true;
    assert_int_equal(read_opts(&sim, &opts), ESP_FAIL);
    sim_flash_deinit(&sim);
}

/* What is damaged may have been a record that asks for more: any changed byte
 * of the image is an error, never "there are no options". */
static void test_damage_is_not_absence(void **state)
{
    struct sim_flash sim;
    struct boot_opts opts;
    (void)state;
    assert_int_equal(sim_flash_init(&sim, NULL), ESP_OK);
    for (unsigned with = 0; with < 2; with++) {
        static const uint8_t values[] = { 0x00, 0xFF, 0x01 };
        memset(sim.bytes + OFF, 0xFF, MAX_LEN);
        put_bootloader(&sim, with == 1);
        for (uint32_t at = 0; at < 200; at++) {
            for (unsigned v = 0; v < 3; v++) {
                uint8_t was = sim.bytes[OFF + at];
                sim.bytes[OFF + at] =
                    v == 2 ? (uint8_t)(was ^ values[v]) : values[v];
                esp_err_t err = read_opts(&sim, &opts);
                if (sim.bytes[OFF + at] != was && err != ESP_ERR_IMAGE_INVALID)
                    fail_msg("byte %u := 0x%02x: 0x%x", (unsigned)at,
                             sim.bytes[OFF + at], (unsigned)err);
                if (err)
                    assert_false(opts.rollback);
                sim.bytes[OFF + at] = was;
            }
        }
    }
    sim_flash_deinit(&sim);
}

static void test_erased_means_all_of_it(void **state)
{
    static const uint32_t at[] = { 1, 255, 256, 4096, MAX_LEN - 1 };
    struct sim_flash sim;
    struct boot_opts opts;
    (void)state;
    assert_int_equal(sim_flash_init(&sim, NULL), ESP_OK);
    sim.bytes[OFF - 1] = sim.bytes[OFF + MAX_LEN] = 0; /* not ours */
    assert_int_equal(read_opts(&sim, &opts), ESP_ERR_NOT_FOUND);
    for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
        sim.bytes[OFF + at[i]] = 0xFE;
        assert_int_equal(read_opts(&sim, &opts), ESP_ERR_IMAGE_INVALID);
        sim.bytes[OFF + at[i]] = 0xFF;
    }
    memset(sim.bytes + OFF, 0, MAX_LEN);
    assert_int_equal(read_opts(&sim, &opts), ESP_ERR_IMAGE_INVALID);
    sim_flash_deinit(&sim);
}

/* An image that verifies, with something else where the record should be. */
static void test_segment_without_a_record(void **state)
{
    static const uint8_t zeros[16];
    struct img_build_seg seg = { BOOT_OPTS_ADDR, { zeros, sizeof(zeros) } };
    const struct img_build build = { .kind = IMG_KIND_BOOTLOADER,
                                     .header = { .hash_appended = 1 },
                                     .segs = &seg,
                                     .seg_cnt = 1 };
    struct sim_flash sim;
    struct boot_opts opts;
    uint32_t len;
    (void)state;
    assert_int_equal(sim_flash_init(&sim, NULL), ESP_OK);
    assert_int_equal(img_build(&build, sim.bytes + OFF, 0x1000, &len, NULL),
                     ESP_OK);
    assert_int_equal(read_opts(&sim, &opts), ESP_ERR_IMAGE_INVALID);
    sim_flash_deinit(&sim);
}

/* Records of every length, alone in a bootloader's image: none is taken for
 * something else, whatever its first bytes look like. */
static void test_records_of_every_length(void **state)
{
    struct sim_flash sim;
    (void)state;
    assert_int_equal(sim_flash_init(&sim, NULL), ESP_OK);
    for (uint32_t i = 0; i < 2 * (IMG_KEYS_MAX + 1); i++) {
        struct boot_opts in = { .require_signed = true }, out;
        uint8_t record[BOOT_OPTS_MAX_LEN];
        struct img_build_seg seg = { BOOT_OPTS_ADDR, { record, 0 } };
        const struct img_build build = { .kind = IMG_KIND_BOOTLOADER,
                                         .header = { .hash_appended = 1 },
                                         .segs = &seg,
                                         .seg_cnt = 1 };
        uint32_t len;
        in.keys.scheme = i % 2 ? IMG_SCHEME_V1 : IMG_SCHEME_RSA3072;
        in.keys.cnt = i / 2;
        in.keys.need = i / 2 ? 1 : 0;
        for (uint32_t k = 0; k < in.keys.cnt; k++)
            memset(in.keys.key[k].xy, (int)k + 1, 64);
        for (uint32_t k = 0; k < in.keys.cnt; k++)
            img_key_id_p256(in.keys.key[k].xy, in.keys.key[k].id);
        seg.data.len = boot_opts_pack(&in, record);
        assert_int_equal(img_build(&build, sim.bytes + OFF, 0x1000, &len, NULL),
                         ESP_OK);
        assert_int_equal(read_opts(&sim, &out), ESP_OK);
        assert_true(out.require_signed);
        assert_int_equal(out.keys.cnt, in.keys.cnt);
        assert_int_equal(out.keys.scheme, in.keys.scheme);
    }
    sim_flash_deinit(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_signed_on_update_only),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_keys_travel),
        cmocka_unit_test(test_bad_keys),
        cmocka_unit_test(test_longer_record),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_damage_is_not_absence),
        cmocka_unit_test(test_erased_means_all_of_it),
        cmocka_unit_test(test_segment_without_a_record),
        cmocka_unit_test(test_fuses_travel),
        cmocka_unit_test(test_records_of_every_length),
    };
    return cmocka_run_group_tests_name("boot_opts", tests, NULL, NULL);
}
