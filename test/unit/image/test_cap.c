/* Capability records: what is packed is read again, and what is not whole is
 * not believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32.h"
#include "base/le.h"
#include "image/build.h"
#include "image/cap.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static struct img_cap sample(void)
{
    struct img_cap c = { .state = IMG_CAP_GOOD,
                         .client = true,
                         .has_table = true,
                         .scheme = IMG_SCHEME_ECDSA256,
                         .need = 1,
                         .cnt = 2 };

    memset(c.table_sha, 0x5A, sizeof(c.table_sha));
    memset(c.key_id[0], 1, SHA256_LEN);
    memset(c.key_id[1], 2, SHA256_LEN);
    return c;
}

/* A head with the record; returns the record's length. */
static uint32_t put(const struct img_cap *c, uint8_t head[IMG_CAP_END])
{
    memset(head, 0, IMG_CAP_END);
    return img_cap_pack(c, head + IMG_CAP_OFF);
}

static void seal(uint8_t *record)
{
    uint32_t len = le16_get(record + 6);

    le32_put(record + len - 4, crc32_le(0, record, len - 4));
}

static void test_there_and_back(void **state)
{
    uint8_t head[IMG_CAP_END];
    struct img_cap in = sample(), out;
    uint32_t len;

    (void)state;
    len = put(&in, head);
    assert_int_equal(len, IMG_CAP_FIXED_LEN + 2 * SHA256_LEN + 4);
    img_cap_parse(span_of(head, sizeof(head)), IMG_APP_DESC_LEN + len, &out);
    assert_memory_equal(&out, &in, sizeof(in));
    in = (struct img_cap){ .state = IMG_CAP_GOOD, .override = true };
    len = put(&in, head);
    assert_int_equal(len % 4, 0);
    img_cap_parse(span_of(head, IMG_CAP_OFF + len), UINT32_MAX, &out);
    assert_memory_equal(&out, &in, sizeof(in));
}

/* Docs promise these bytes. */
static void test_layout(void **state)
{
    static const uint8_t want[12] = { 'P', 'C', 'A', 'P', 1, 3,
                                      112, 0,   3,   1,   2, 0 };
    struct img_cap c = sample();
    uint8_t out[IMG_CAP_MAX_LEN];

    (void)state;
    assert_int_equal(img_cap_pack(&c, out), 112);
    assert_memory_equal(out, want, sizeof(want));
    assert_int_equal(out[12], 0x5A);
    assert_int_equal(out[44], 1);
    assert_int_equal(out[76], 2);
    assert_int_equal(le32_get(out + 108), crc32_le(0, out, 108));
}

static void test_every_bit_matters(void **state)
{
    uint8_t head[IMG_CAP_END];
    struct img_cap in = sample(), out;
    uint32_t len = put(&in, head);

    (void)state;
    for (uint32_t bit = 0; bit < 8 * len; bit++) {
        head[IMG_CAP_OFF + bit / 8] ^= (uint8_t)(1u << bit % 8);
        img_cap_parse(span_of(head, sizeof(head)), 4096, &out);
        assert_int_not_equal(out.state, IMG_CAP_GOOD);
        assert_false(out.client || out.override || out.cnt);
        head[IMG_CAP_OFF + bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void test_each_length(void **state)
{
    uint8_t head[IMG_CAP_END];
    struct img_cap in = sample(), out;
    uint32_t len = put(&in, head);

    (void)state;
    for (uint32_t n = 0; n <= len; n++) {
        enum img_cap_state want = n == len ? IMG_CAP_GOOD
                                  : n < 4  ? IMG_CAP_ABSENT
                                           : IMG_CAP_DAMAGED;

        img_cap_parse(span_of(head, IMG_CAP_OFF + n), 4096, &out);
        assert_int_equal(out.state, want);
        /* What is behind the segment does not belong to it. */
        img_cap_parse(span_of(head, sizeof(head)), IMG_APP_DESC_LEN + n, &out);
        assert_int_equal(out.state, want);
    }
    img_cap_parse(span_of(head, 10), 4096, &out);
    assert_int_equal(out.state, IMG_CAP_ABSENT);
}

/* Bytes whose CRC is right and that say what cannot be. */
static void test_nonsense(void **state)
{
    static const struct {
        const char *claim;
        uint32_t at;
        uint8_t value;
        enum img_cap_state want;
    } rows[] = {
        { "more keys needed than named", 9, 3, IMG_CAP_DAMAGED },
        { "keys of which none is needed", 9, 0, IMG_CAP_DAMAGED },
        { "fewer keys than its length says", 10, 1, IMG_CAP_DAMAGED },
        { "more keys than there may be", 10, 9, IMG_CAP_DAMAGED },
        { "of a later version", 4, 2, IMG_CAP_ABSENT },
    };
    uint8_t head[IMG_CAP_END];
    struct img_cap in = sample(), out;

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        put(&in, head);
        head[IMG_CAP_OFF + rows[i].at] = rows[i].value;
        seal(head + IMG_CAP_OFF);
        img_cap_parse(span_of(head, sizeof(head)), 4096, &out);
        if (out.state != rows[i].want)
            fail_msg("%s: %d", rows[i].claim, out.state);
    }
}

static void test_table(void **state)
{
    struct part_table *t = calloc(1, sizeof(*t));
    uint8_t packed[PART_TABLE_MAX_LEN], want[SHA256_LEN], got[SHA256_LEN];
    struct sha256 sha;

    (void)state;
    t->cnt = 2;
    t->entries[0] = (struct part_entry){ .type = PART_TYPE_APP,
                                         .subtype = PART_APP_OTA_0,
                                         .off = 0x10000,
                                         .len = 0x10000,
                                         .label = "ota_0" };
    t->entries[1] = t->entries[0];
    t->entries[1].subtype++;
    part_table_pack(t, packed);
    sha256_init(&sha);
    sha256_update(&sha, packed, 64);
    sha256_final(&sha, want);
    img_cap_table(t, got);
    assert_memory_equal(got, want, sizeof(want));
    t->entries[1].flags ^= PART_FLAG_ENCRYPTED;
    img_cap_table(t, got);
    assert_memory_not_equal(got, want, sizeof(want));
    free(t);
}

/* --- in an image ---------------------------------------------------------- */

static esp_err_t build(struct span data, uint8_t *out, size_t cap_len,
                       uint32_t *len)
{
    struct img_build_seg seg = { 0, data };
    struct img_build in = { .kind = IMG_KIND_APP,
                            .header = { .chip_id = IMG_CHIP_LINUX,
                                        .hash_appended = 1,
                                        .max_rev = UINT16_MAX },
                            .cap = sample(),
                            .segs = &seg,
                            .seg_cnt = 1 };

    strcpy(in.desc.version, "1");
    return img_build(&in, out, cap_len, len, NULL);
}

/* The verifier takes it, and it is where it belongs. */
static void test_packed(void **state)
{
    static const uint8_t body[100] = "code";
    uint8_t *out = malloc(4096);
    struct img_rules rules = { .place = IMG_PLACE_WIRE, .any_chip = true };
    struct img_cap want = sample(), got;
    struct img_receipt receipt;
    struct img_check c;
    uint32_t len;

    (void)state;
    assert_int_equal(build(span_of(body, sizeof(body)), out, 4096, &len),
                     ESP_OK);
    img_check_open(&c, &rules);
    assert_int_equal(img_check_feed(&c, out, len), ESP_OK);
    assert_int_equal(img_check_finish(&c, &receipt), ESP_OK);
    img_cap_parse(span_of(out, len), c.info.segs[0].len, &got);
    assert_memory_equal(&got, &want, sizeof(want));
    free(out);
}

/* A program with a description has the place for a record, or none. */
static void test_place_in_the_program(void **state)
{
    uint8_t *body = calloc(1, 1000), *out = malloc(4096);
    struct img_cap want = sample(), got;
    uint32_t len;

    (void)state;
    le32_put(body, IMG_APP_DESC_MAGIC);
    assert_int_equal(build(span_of(body, 1000), out, 4096, &len),
                     ESP_ERR_INVALID_ARG);
    le32_put(body + 256, IMG_CAP_MAGIC);
    le16_put(body + 262, 108);
    assert_int_equal(build(span_of(body, 1000), out, 4096, &len),
                     ESP_ERR_INVALID_ARG);
    le16_put(body + 262, 112);
    body[256 + 112] = 0x77;
    assert_int_equal(build(span_of(body, 1000), out, 4096, &len), ESP_OK);
    img_cap_parse(span_of(out, len), 1000, &got);
    assert_memory_equal(&got, &want, sizeof(want));
    assert_int_equal(out[IMG_CAP_OFF + 112], 0x77);
    assert_int_equal(build(span_of(body, 256 + 108), out, 4096, &len),
                     ESP_ERR_INVALID_ARG);
    free(body);
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_every_bit_matters),
        cmocka_unit_test(test_each_length),
        cmocka_unit_test(test_nonsense),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_packed),
        cmocka_unit_test(test_place_in_the_program),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
