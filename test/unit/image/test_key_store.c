/* Sets of keys as bytes, and the key store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/crc32.h"
#include "base/le.h"
#include "image/sig.h"
#include "signer.h"
#include "store_rig.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define SECTOR_1 (STORE_OFF + KEY_SET_LEN)

static const enum img_scheme schemes[] = { IMG_SCHEME_V1, IMG_SCHEME_RSA3072,
                                           IMG_SCHEME_ECDSA256,
                                           IMG_SCHEME_ECDSA384 };

/* --- bytes ---------------------------------------------------------------- */

static void test_round_trip(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(schemes); i++) {
        uint8_t bytes[IMG_KEYS_PACKED_MAX];
        struct img_keys in, out;
        uint32_t len, used;

        signer_trust(schemes[i], 2, &in);
        in.key[1].trust = VERDICT_REJECT;
        len = img_keys_pack(&in, bytes);
        assert_int_equal(len, 4 + 2 * (i == 0 ? 65 : 33));
        assert_int_equal(
            img_keys_parse(span_of(bytes, sizeof(bytes)), &out, &used), ESP_OK);
        assert_int_equal(used, len);
        assert_memory_equal(&in, &out, sizeof(in));
        for (uint32_t cut = 0; cut < len; cut++) {
            assert_int_equal(img_keys_parse(span_of(bytes, cut), &out, &used),
                             ESP_ERR_INVALID_SIZE);
            assert_int_equal(out.cnt, 0);
        }
    }
}

/* One byte of a packed set of two P-256 keys is changed. */
static void test_bad_sets(void **state)
{
    static const struct {
        const char *claim;
        uint32_t at;
        uint8_t value;
        esp_err_t want;
    } rows[] = {
        { "no scheme", 0, 0, ESP_ERR_INVALID_ARG },
        { "a scheme to come", 0, 5, ESP_ERR_INVALID_ARG },
        { "nobody is needed", 1, 0, ESP_ERR_INVALID_ARG },
        { "all are needed", 1, 2, ESP_OK },
        { "more are needed than there are", 1, 3, ESP_ERR_INVALID_ARG },
        { "no keys, and one is needed", 2, 0, ESP_ERR_INVALID_ARG },
        { "more keys than there is room for", 2, 9, ESP_ERR_INVALID_ARG },
        { "the fourth byte", 3, 1, ESP_ERR_INVALID_ARG },
        { "trust that is neither yes nor no is none", 4, 2, ESP_OK },
    };
    uint8_t bytes[IMG_KEYS_PACKED_MAX];
    struct img_keys in, out;
    uint32_t used;

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        esp_err_t err;

        signer_trust(IMG_SCHEME_ECDSA256, 2, &in);
        (void)img_keys_pack(&in, bytes);
        bytes[rows[i].at] = rows[i].value;
        err = img_keys_parse(span_of(bytes, sizeof(bytes)), &out, &used);
        if (err != rows[i].want || (err && (out.cnt || used)))
            fail_msg("%s: 0x%x", rows[i].claim, (unsigned)err);
    }
    assert_int_equal(out.key[0].trust, VERDICT_REJECT);
    assert_int_equal(out.key[1].trust, VERDICT_ACCEPT);
    memcpy(bytes + 5 + 33, bytes + 5, 32);
    assert_int_equal(img_keys_parse(span_of(bytes, sizeof(bytes)), &out, &used),
                     ESP_ERR_INVALID_ARG); /* the same key twice */
}

/* A device whose keys are elsewhere: the scheme alone. */
static void test_empty_set(void **state)
{
    static const uint8_t bytes[] = { IMG_SCHEME_ECDSA256, 0, 0, 0 };
    struct img_keys out;
    uint32_t used;

    (void)state;
    assert_int_equal(img_keys_parse(span_of(bytes, sizeof(bytes)), &out, &used),
                     ESP_OK);
    assert_int_equal(out.scheme, IMG_SCHEME_ECDSA256);
    assert_int_equal(used, 4);
    assert_false(img_keys_valid(&out));
}

/* No keys, and no scheme that they could be of. */
static void test_empty_set_of_nothing(void **state)
{
    static const uint8_t none[] = { IMG_SCHEME_NONE, IMG_SCHEME_ECDSA384 + 1,
                                    0xFF };
    struct img_keys out;
    uint32_t used;

    (void)state;
    for (size_t i = 0; i < CNT(none); i++) {
        uint8_t bytes[] = { none[i], 0, 0, 0 };
        assert_int_equal(
            img_keys_parse(span_of(bytes, sizeof(bytes)), &out, &used),
            ESP_ERR_INVALID_ARG);
    }
}

/* A set that is in memory already: its count is not believed. */
static void test_more_keys_than_there_is_room(void **state)
{
    struct img_keys keys;

    (void)state;
    signer_trust(IMG_SCHEME_ECDSA256, 2, &keys);
    assert_true(img_keys_valid(&keys));
    keys.cnt = IMG_KEYS_MAX + 1;
    assert_false(img_keys_valid(&keys));
    assert_int_equal(img_keys_trusted(&keys)->cnt, 0);
}

static void test_v1_set_needs_one(void **state)
{
    struct img_keys keys;

    (void)state;
    signer_trust(IMG_SCHEME_V1, 2, &keys);
    assert_true(img_keys_valid(&keys));
    keys.need = 2;
    assert_false(img_keys_valid(&keys));
}

/* --- the life of a store -------------------------------------------------- */

enum act { INSTALL, REVOKE };
struct step {
    const char *claim;
    enum act act;
    unsigned key; /* REVOKE */
    struct set_spec set;
    esp_err_t want;
    const char *in_force;
};

#define NO_SET       \
    {                \
        "", 0, 0, "" \
    }

static void run(enum img_scheme scheme, const struct step *steps, size_t cnt)
{
    struct store_rig r;

    store_rig_open(&r, scheme);
    assert_string_equal(store_in_force(&r), "0");
    for (size_t i = 0; i < cnt; i++) {
        const struct step *s = &steps[i];
        esp_err_t err = s->act == INSTALL ? store_install(&r, &s->set)
                                          : store_revoke(&r, s->key);

        if (err != s->want || strcmp(store_in_force(&r), s->in_force) != 0)
            fail_msg("%s, %s: 0x%x, in force: %s", s->claim,
                     img_scheme_name(scheme), (unsigned)err,
                     store_in_force(&r));
    }
    store_rig_close(&r);
}

static const struct step hand_over[] = {
    { "nothing to revoke yet", REVOKE, 0, NO_SET, ESP_ERR_NOT_FOUND, "0" },
    { "signed by a stranger",
      INSTALL,
      0,
      { "01", 1, 1, "1" },
      ESP_ERR_NOT_ALLOWED,
      "0" },
    { "signed by nobody",
      INSTALL,
      0,
      { "01", 1, 1, "" },
      ESP_ERR_NOT_ALLOWED,
      "0" },
    { "version 0", INSTALL, 0, { "01", 1, 0, "0" }, ESP_ERR_NOT_FOUND, "0" },
    { "the first set", INSTALL, 0, { "01", 1, 5, "0" }, ESP_OK, "01" },
    { "the same version",
      INSTALL,
      0,
      { "1", 1, 5, "0" },
      ESP_ERR_INVALID_VERSION,
      "01" },
    { "an older one",
      INSTALL,
      0,
      { "1", 1, 4, "0" },
      ESP_ERR_INVALID_VERSION,
      "01" },
    { "signed by the new key",
      INSTALL,
      0,
      { "012", 1, 6, "1" },
      ESP_OK,
      "012" },
    { "one is revoked", REVOKE, 0, NO_SET, ESP_OK, "-012" },
    { "again", REVOKE, 0, NO_SET, ESP_OK, "-012" },
    { "a stranger cannot be", REVOKE, 3, NO_SET, ESP_ERR_NOT_FOUND, "-012" },
    { "signed by the revoked key",
      INSTALL,
      0,
      { "0123", 1, 7, "0" },
      ESP_ERR_NOT_ALLOWED,
      "-012" },
    { "a set that trusts it again",
      INSTALL,
      0,
      { "0123", 1, 7, "1" },
      ESP_OK,
      "-0123" },
    { "another is revoked by a set",
      INSTALL,
      0,
      { "-123", 1, 8, "2" },
      ESP_OK,
      "-123" },
    { "two are needed", INSTALL, 0, { "123", 2, 9, "3" }, ESP_OK, "-123" },
    { "one is not enough",
      INSTALL,
      0,
      { "023", 1, 10, "2" },
      ESP_ERR_NOT_ALLOWED,
      "-123" },
    { "two of one key are not",
      INSTALL,
      0,
      { "023", 1, 10, "22" },
      ESP_ERR_NOT_ALLOWED,
      "-123" },
    { "too few would be left", REVOKE, 2, NO_SET, ESP_ERR_NOT_ALLOWED, "-123" },
    { "both sign", INSTALL, 0, { "023", 1, 11, "23" }, ESP_OK, "023" },
};

static void test_keys_change_hands(void **state)
{
    (void)state;
    run(IMG_SCHEME_ECDSA256, hand_over, CNT(hand_over));
    run(IMG_SCHEME_ECDSA384, hand_over, CNT(hand_over));
}

static void test_sets_of_one_signature(void **state)
{
    static const struct step steps[] = {
        { "a stranger's",
          INSTALL,
          0,
          { "01", 1, 1, "1" },
          ESP_ERR_NOT_ALLOWED,
          "0" },
        { "the first set", INSTALL, 0, { "01", 1, 1, "0" }, ESP_OK, "01" },
        { "by the new key", INSTALL, 0, { "1", 1, 2, "1" }, ESP_OK, "1" },
        { "the last key stays", REVOKE, 1, NO_SET, ESP_ERR_NOT_ALLOWED, "1" },
        { "all revoked",
          INSTALL,
          0,
          { "-1", 1, 3, "1" },
          ESP_ERR_INVALID_STATE,
          "1" },
    };

    (void)state;
    run(IMG_SCHEME_V1, steps, CNT(steps));
    run(IMG_SCHEME_RSA3072, steps, CNT(steps));
}

static void test_scheme_stays(void **state)
{
    static const struct set_spec set = { "01", 1, 1, "0" };
    uint8_t file[SET_FILE_LEN];
    struct img_keys now;
    struct store_rig r;
    struct part_entry *part;
    uint32_t why, len;

    (void)state;
    store_rig_open(&r, IMG_SCHEME_ECDSA256);
    /* A set of P-384 keys, signed by the P-256 key in force. */
    (void)store_set_make(IMG_SCHEME_ECDSA384, &set, file);
    signer_block(IMG_SCHEME_ECDSA256, 0, file, KEY_SET_LEN, file + KEY_SET_LEN);
    now = r.own;
    assert_int_equal(key_store_install(&r.dev, r.part, &now,
                                       span_of(file, sizeof(file)), &why),
                     ESP_ERR_NOT_SUPPORTED);
    /* A store of another scheme than the options say trusts nobody. */
    assert_int_equal(store_install(&r, &set), ESP_OK);
    r.own.scheme = IMG_SCHEME_RSA3072;
    assert_string_equal(store_in_force(&r), "");
    r.own.scheme = IMG_SCHEME_NONE;
    assert_string_equal(store_in_force(&r), "01");
    /* A partition that is too small is no store, and trusts nobody. */
    part = (struct part_entry *)(uintptr_t)r.part;
    part->len = 4096;
    assert_string_equal(store_in_force(&r), "");
    part->len = KEY_STORE_LEN;
    /* What follows the signature makes it none. */
    signer_trust(IMG_SCHEME_ECDSA256, 1, &r.own);
    len = store_set_make(IMG_SCHEME_ECDSA256,
                         &(struct set_spec){ "1", 1, 2, "0" }, file);
    assert_int_equal(
        key_store_install(&r.dev, r.part, &now, span_of(file, len - 1), &why),
        ESP_ERR_NOT_ALLOWED);
    assert_int_equal(why, IMG_SIG_SHORT);
    store_rig_close(&r);
}

/* --- damage --------------------------------------------------------------- */

/* A file of which one byte is changed. Where the CRC is made right, only the
 * rules and the signature are left. */
static void test_damaged_files(void **state)
{
    static const struct {
        const char *claim;
        uint32_t at;
        bool seal;
        esp_err_t want;
    } rows[] = {
        { "the commit", 0, false, ESP_ERR_NOT_FOUND },
        { "the commit's zeros", 15, false, ESP_ERR_NOT_FOUND },
        { "the version", 16, false, ESP_ERR_INVALID_CRC },
        { "the length", 20, false, ESP_ERR_INVALID_CRC },
        { "the length, far", 22, false, ESP_ERR_INVALID_CRC },
        { "a key", 30, false, ESP_ERR_INVALID_CRC },
        { "the version, sealed", 16, true, ESP_ERR_NOT_ALLOWED },
        { "a key, sealed", 30, true, ESP_ERR_NOT_ALLOWED },
        { "another scheme, sealed", 24, true, ESP_ERR_NOT_ALLOWED },
        { "trust that is neither, sealed", 28, true, ESP_ERR_INVALID_ARG },
        { "behind the set", 4095, false, ESP_ERR_INVALID_ARG },
        { "between set and revocations", 300, false, ESP_ERR_INVALID_ARG },
        { "a revocation", 2048, false, ESP_ERR_INVALID_ARG },
        { "the signature", KEY_SET_LEN + 110, false, ESP_ERR_NOT_ALLOWED },
    };
    static const struct set_spec set = { "01", 1, 5, "0" };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        uint8_t file[SET_FILE_LEN];
        uint32_t why, crc_off;
        struct store_rig r;
        esp_err_t err;

        store_rig_open(&r, IMG_SCHEME_ECDSA256);
        (void)store_set_make(IMG_SCHEME_ECDSA256, &set, file);
        crc_off = 24 + le32_get(file + 20);
        file[rows[i].at] ^= 7;
        if (rows[i].seal)
            le32_put(file + crc_off, crc32_le(0, file + 16, crc_off - 16));
        err = key_store_install(&r.dev, r.part, &r.own,
                                span_of(file, sizeof(file)), &why);
        if (err != rows[i].want || strcmp(store_in_force(&r), "0") != 0)
            fail_msg("%s: 0x%x", rows[i].claim, (unsigned)err);
        assert_int_equal(r.flash.count.erases + r.flash.count.progs, 0);
        store_rig_close(&r);
    }
}

static void test_damaged_stores(void **state)
{
    static const struct set_spec first = { "01", 1, 1, "0" };
    static const struct set_spec second = { "12", 1, 2, "0" };
    struct store_rig r;

    (void)state;
    store_rig_open(&r, IMG_SCHEME_ECDSA256);
    assert_int_equal(store_install(&r, &first), ESP_OK);
    /* Without commit there is no set: as on a new device. */
    r.flash.bytes[STORE_OFF + 1] = 0;
    assert_string_equal(store_in_force(&r), "0");
    r.flash.bytes[STORE_OFF + 1] = 'K';
    assert_string_equal(store_in_force(&r), "01");
    /* A set that is damaged, and no other: nobody. */
    r.flash.bytes[STORE_OFF + 40] ^= 1;
    assert_string_equal(store_in_force(&r), "");
    r.flash.bytes[STORE_OFF + 40] ^= 1;
    /* The second lies in the other sector; damaged, the first counts. */
    assert_int_equal(store_install(&r, &second), ESP_OK);
    assert_string_equal(store_in_force(&r), "12");
    r.flash.bytes[SECTOR_1 + 40] ^= 1;
    assert_string_equal(store_in_force(&r), "01");
    r.flash.bytes[SECTOR_1 + 40] ^= 1;
    /* One bit of a marker is enough. */
    r.flash.bytes[SECTOR_1 + 2048 + 16 + 7] = 0xFE;
    assert_string_equal(store_in_force(&r), "1-2");
    store_rig_close(&r);
}

/* Sectors whose CRC is right and that are no sets all the same. */
static void test_sealed_nonsense(void **state)
{
    static const struct {
        const char *claim;
        uint32_t at, len;
        uint8_t value;
    } rows[] = {
        { "something behind the keys", 24 + 37, 38, 0xAA },
        { "a set without keys", 24 + 1, 4, 0 }, /* and it needs none */
        { "a version that is reserved", 0, 37, 0 },
    };
    struct img_keys keys;
    struct store_rig r;

    (void)state;
    signer_trust(IMG_SCHEME_ECDSA256, 1, &keys);
    for (size_t i = 0; i < CNT(rows); i++) {
        uint8_t *sector;

        store_rig_open(&r, IMG_SCHEME_ECDSA256);
        sector = r.flash.bytes + STORE_OFF;
        assert_int_equal(key_set_pack(&keys, 1, sector), ESP_OK);
        assert_string_equal(store_in_force(&r), "0");
        if (rows[i].at)
            sector[rows[i].at] = rows[i].value;
        else
            le32_put(sector + 16, UINT32_MAX);
        if (i == 1)
            sector[24 + 2] = 0;
        le32_put(sector + 20, rows[i].len);
        le32_put(sector + 24 + rows[i].len,
                 crc32_le(0, sector + 16, 8 + rows[i].len));
        if (strcmp(store_in_force(&r), "") != 0)
            fail_msg("%s: %s", rows[i].claim, store_in_force(&r));
        store_rig_close(&r);
    }
}

/* Flash whose units may be programmed once. */
static void test_flash_with_ecc(void **state)
{
    static const struct sim_flash_conf conf = { .prog_len = 16,
                                                .prog_once = true };
    static const struct set_spec first = { "01", 1, 1, "0" };
    static const struct set_spec second = { "012", 1, 2, "1" };
    static const struct set_spec third = { "012", 1, 3, "1" };
    struct store_rig r;

    (void)state;
    store_rig_open(&r, IMG_SCHEME_ECDSA256);
    sim_flash_deinit(&r.flash);
    assert_int_equal(sim_flash_init(&r.flash, &conf), ESP_OK);
    assert_int_equal(store_install(&r, &first), ESP_OK);
    assert_int_equal(store_revoke(&r, 0), ESP_OK);
    assert_int_equal(store_install(&r, &second), ESP_OK);
    assert_int_equal(store_install(&r, &third), ESP_OK);
    assert_string_equal(store_in_force(&r), "-012");
    assert_int_equal(r.flash.count.refused, 0);
    store_rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_bad_sets),
        cmocka_unit_test(test_empty_set),
        cmocka_unit_test(test_empty_set_of_nothing),
        cmocka_unit_test(test_more_keys_than_there_is_room),
        cmocka_unit_test(test_v1_set_needs_one),
        cmocka_unit_test(test_keys_change_hands),
        cmocka_unit_test(test_sets_of_one_signature),
        cmocka_unit_test(test_scheme_stays),
        cmocka_unit_test(test_damaged_files),
        cmocka_unit_test(test_damaged_stores),
        cmocka_unit_test(test_sealed_nonsense),
        cmocka_unit_test(test_flash_with_ecc),
    };

    return cmocka_run_group_tests(tests, signer_setup, signer_teardown);
}
