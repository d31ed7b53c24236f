/* The pure part: vectors of the reference text, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32.h"
#include "base/le.h"
#include "kv/format.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void from_hex(const char *hex, uint8_t *out, size_t len)
{
    const char *digits = "0123456789abcdef";

    assert_int_equal(strlen(hex), 2 * len);
    for (size_t i = 0; i < len; i++) {
        size_t hi = (size_t)(strchr(digits, hex[2 * i]) - digits);
        size_t lo = (size_t)(strchr(digits, hex[2 * i + 1]) - digits);
        out[i] = (uint8_t)(hi << 4 | lo);
    }
}

/* --- headers -------------------------------------------------------------- */

#define FF19 "ffffffffffffffffffffffffffffffffffffff"
#define FF32 FF19 "ffffffffffffffffffffffffff"

struct head_row {
    const char *claim, *hex;
    enum kv_head_kind want;
    uint32_t seq;
};

static const struct head_row heads[] = {
    { "active, 0", "feffffff00000000fe" FF19 "842dbab9", KV_HEAD_ACTIVE, 0 },
    { "active, 1", "feffffff01000000fe" FF19 "a3489f38", KV_HEAD_ACTIVE, 1 },
    { "full: the CRC leaves the state out",
      "fcffffff02000000fe" FF19 "8be18160", KV_HEAD_FULL, 2 },
    { "freeing", "f8ffffff03000000fe" FF19 "ac84a4e1", KV_HEAD_FREEING, 3 },
    { "blank", FF32, KV_HEAD_BLANK, 0 },
    { "a header whose state was not programmed",
      "ffffffff00000000fe" FF19 "842dbab9", KV_HEAD_BAD, 0 },
    { "marked corrupt", "f0ffffff00000000fe" FF19 "842dbab9", KV_HEAD_BAD, 0 },
    { "marked invalid", "0000000000000000fe" FF19 "842dbab9", KV_HEAD_BAD, 0 },
    { "a state that is none", "faffffff00000000fe" FF19 "842dbab9", KV_HEAD_BAD,
      0 },
    { "another sequence", "feffffff01000000fe" FF19 "842dbab9", KV_HEAD_BAD,
      0 },
    { "a bit of the rest",
      "feffffff00000000fe7f"
      "ffffffffffffffffffffffffffffffffffff842dbab9",
      KV_HEAD_BAD, 0 },
};

static void test_heads(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(heads); i++) {
        uint8_t head[KV_HEAD_LEN];
        uint32_t seq = 0;

        from_hex(heads[i].hex, head, sizeof(head));
        if (kv_head_parse(head, &seq) != heads[i].want || seq != heads[i].seq)
            fail_msg("%s", heads[i].claim);
    }
}

static void test_head_pack(void **state)
{
    static const uint32_t crcs[] = { 0xB9BA2D84u, 0x389F48A3u, 0x6081E18Bu,
                                     0xE1A484ACu };

    (void)state;
    for (uint32_t seq = 0; seq < CNT(crcs); seq++) {
        uint8_t head[KV_HEAD_LEN];

        kv_head_pack(KV_STATE_ACTIVE, seq, head);
        assert_int_equal(le32_get(head + 28), crcs[seq]);
        assert_int_equal(le32_get(head), KV_STATE_ACTIVE);
    }
}

static void test_versions(void **state)
{
    uint8_t head[KV_HEAD_LEN];
    uint32_t seq;

    (void)state;
    for (unsigned version = 0; version <= 0xFF; version++) {
        enum kv_head_kind want =
            version < KV_VERSION ? KV_HEAD_NEWER : KV_HEAD_ACTIVE;
        kv_head_pack(KV_STATE_ACTIVE, 5, head);
        head[8] = (uint8_t)version;
        le32_put(head + 28, crc32_le(KV_CRC_SEED, head + 4, 24));
        assert_int_equal(kv_head_parse(head, &seq), want);
    }
}

/* --- slot states ---------------------------------------------------------- */

static void test_bits(void **state)
{
    uint8_t bits[KV_BITS_LEN];

    (void)state;
    memset(bits, 0xFF, sizeof(bits));
    kv_bits_and(bits, 0, KV_SLOT_WRITTEN);
    kv_bits_and(bits, 5, KV_SLOT_ERASED);
    kv_bits_and(bits, 125, KV_SLOT_ILLEGAL);
    assert_int_equal(bits[0], 0xFE);
    assert_int_equal(bits[1], 0xF3);
    assert_int_equal(bits[31], 0xF7);
    assert_int_equal(kv_bits_get(bits, 0), KV_SLOT_WRITTEN);
    assert_int_equal(kv_bits_get(bits, 5), KV_SLOT_ERASED);
    assert_int_equal(kv_bits_get(bits, 125), KV_SLOT_ILLEGAL);
    assert_int_equal(kv_bits_get(bits, 124), KV_SLOT_EMPTY);
    kv_bits_and(bits, 125, KV_SLOT_WRITTEN);
    assert_int_equal(kv_bits_get(bits, 125), KV_SLOT_ERASED);
    assert_true(kv_bits_all(bits, 6, 100, KV_SLOT_EMPTY));
    assert_false(kv_bits_all(bits, 5, 100, KV_SLOT_EMPTY));
    assert_true(kv_bits_all(bits, 5, 0, KV_SLOT_WRITTEN));
}

/* --- entries -------------------------------------------------------------- */

static void test_entry_vectors(void **state)
{
    static const char *const hex[] = {
        "000101ff7f3613a86f74615f726573756d7074696f6e000001ffffffffffffff",
        "010201ff2b048dcd6e76735f6f74615f77725f6c656e00002c01ffffffffffff",
        "010401ff93757cdd636e740000000000000000000000000078563412ffffffff",
        "012102ff89aa60186e76735f6f74615f75726c00000000001000ffff5540fbdc",
    };
    struct kv_entry e[4] = { kv_entry_of(0, KV_TYPE_U8, "ota_resumption"),
                             kv_entry_of(1, KV_TYPE_U16, "nvs_ota_wr_len"),
                             kv_entry_of(1, KV_TYPE_U32, "cnt"),
                             kv_entry_of(1, KV_TYPE_STR, "nvs_ota_url") };

    (void)state;
    kv_entry_set_number(&e[0], 1);
    kv_entry_set_number(&e[1], 300);
    kv_entry_set_number(&e[2], 0x12345678);
    kv_entry_set_payload(&e[3], span_of("https://x/a.bin", 16));
    for (size_t i = 0; i < CNT(hex); i++) {
        uint8_t want[KV_SLOT_LEN], raw[KV_SLOT_LEN];
        struct kv_entry back;

        from_hex(hex[i], want, sizeof(want));
        kv_entry_pack(&e[i], raw);
        assert_memory_equal(raw, want, sizeof(raw));
        assert_true(kv_entry_parse(raw, 0, &back));
        assert_int_equal(back.ns, e[i].ns);
        assert_string_equal(back.key, e[i].key);
        assert_int_equal(kv_tag(&back), kv_tag(&e[i]));
        assert_int_not_equal(kv_tag(&back), 0);
    }
}

static void test_numbers(void **state)
{
    static const uint8_t types[] = { KV_TYPE_U8,    KV_TYPE_I8,  KV_TYPE_U16,
                                     KV_TYPE_I16,   KV_TYPE_U32, KV_TYPE_I32,
                                     KV_TYPE_FLOAT, KV_TYPE_U64, KV_TYPE_I64,
                                     KV_TYPE_DOUBLE };
    static const unsigned lens[] = { 1, 1, 2, 2, 4, 4, 4, 8, 8, 8 };
    const uint64_t value = 0x8899AABBCCDDEEFFu;

    (void)state;
    for (size_t i = 0; i < CNT(types); i++) {
        struct kv_entry e = kv_entry_of(1, types[i], "k");
        uint64_t want =
            lens[i] == 8 ? value : value & ((1ull << 8 * lens[i]) - 1);

        assert_true(kv_type_is_number(types[i]));
        kv_entry_set_number(&e, value);
        assert_int_equal(kv_entry_number(&e), want);
        for (unsigned k = lens[i]; k < 8; k++)
            assert_int_equal(e.data[k], 0xFF);
    }
    assert_false(kv_type_is_number(KV_TYPE_STR));
    assert_false(kv_type_is_number(KV_TYPE_INDEX));
    assert_false(kv_type_is_number(KV_TYPE_ANY));
    assert_false(kv_type_is_number(0x03));
}

/* Types that flash may hold whatever we write. */
static void test_what_is_no_number_is_zero(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        struct kv_entry e = kv_entry_of(0, (uint8_t)type, "name");

        if (!kv_type_is_number((uint8_t)type))
            assert_int_equal(kv_entry_number(&e), 0);
    }
}

struct refuse_row {
    const char *claim;
    uint8_t type, span;
    uint32_t idx;
    uint16_t len;
    bool open_key, ok;
};

static const struct refuse_row refusals[] = {
    { "a number in the last slot", KV_TYPE_U8, 1, 125, 0, false, true },
    { "no span", KV_TYPE_U8, 0, 0, 0, false, false },
    { "a span that leaves the page", KV_TYPE_STR, 2, 125, 3, false, false },
    { "a whole page", KV_TYPE_STR, 126, 0, 4000, false, true },
    { "one slot more than a page", KV_TYPE_STR, 127, 0, 4000, false, false },
    { "a payload that outgrows its span", KV_TYPE_CHUNK, 2, 0, 33, false,
      false },
    { "a payload that fills its span", KV_TYPE_CHUNK, 2, 0, 32, false, true },
    { "an old blob that outgrows its span", KV_TYPE_BLOB_V1, 1, 0, 1, false,
      false },
    { "an empty payload", KV_TYPE_CHUNK, 1, 0, 0, false, true },
    { "a key without an end", KV_TYPE_U8, 1, 0, 0, true, false },
    { "a type of the future keeps its slots", 0x77, 9, 3, 0, false, true },
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(refusals); i++) {
        const struct refuse_row *row = &refusals[i];
        struct kv_entry e = kv_entry_of(3, row->type, "key"), back;
        uint8_t raw[KV_SLOT_LEN];

        e.span = row->span;
        le16_put(e.data, row->len);
        if (row->open_key)
            memset(e.key, 'k', sizeof(e.key));
        kv_entry_pack(&e, raw);
        if (kv_entry_parse(raw, row->idx, &back) != row->ok)
            fail_msg("%s", row->claim);
    }
}

static void test_any_bit(void **state)
{
    struct kv_entry e = kv_entry_of(3, KV_TYPE_U32, "key"), back;
    uint8_t raw[KV_SLOT_LEN];

    (void)state;
    kv_entry_set_number(&e, 99);
    kv_entry_pack(&e, raw);
    for (unsigned bit = 0; bit < 8 * sizeof(raw); bit++) {
        raw[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(kv_entry_parse(raw, 0, &back));
        raw[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(kv_entry_parse(raw, 0, &back));
}

static void test_spans(void **state)
{
    (void)state;
    assert_int_equal(kv_span_of(0), 1);
    assert_int_equal(kv_span_of(1), 2);
    assert_int_equal(kv_span_of(32), 2);
    assert_int_equal(kv_span_of(33), 3);
    assert_int_equal(kv_span_of(KV_CHUNK_MAX), KV_SLOT_CNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_no_number_is_zero),
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_head_pack),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_bits),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_entry_vectors),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_any_bit),
        cmocka_unit_test(test_spans),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
