/* The log: bytes as docs/decisions/0010-otadata-log.md has them, and what two
 * sectors of them say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "otadata/log.h"

static const uint8_t rec_valid_1[OTADATA_REC_LEN] = {
    1,    0,    0,    0,    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xFF, 0xFF, 2,    0,    0,    0,    0x9a, 0x98, 0x43, 0x47
};

static void entry_pack(uint8_t at[64], uint32_t gen, uint32_t target, bool open)
{
    struct ota_log_entry e = { .gen = gen,
                               .type = OTA_LOG_CHANGE,
                               .target = (uint8_t)target,
                               .old_seq = 7 };
    memcpy(e.data, rec_valid_1, sizeof(e.data));
    memset(at, 0xFF, 64);
    ota_log_pack(&e, at);
    if (!open)
        memset(at + OTA_LOG_DONE_OFF, 0, 4);
}

static void test_bytes_are_those_of_the_page(void **state)
{
    static const uint8_t head[16] = { 'P', 'L', 1, 0, 0x04, 0x03, 0x02, 0x01,
                                      7,   0,   0, 0, 0x4e, 0x33, 0x48, 0xca };
    uint8_t at[64];
    (void)state;
    entry_pack(at, 0x01020304, 0, false);
    assert_memory_equal(at, head, 12);
    assert_memory_equal(at + 16, rec_valid_1, 32);
    assert_memory_equal(at + 48, "\0\0\0\0\xff\xff\xff\xff", 8);
    assert_memory_equal(at + 12, head + 12, 4); /* zlib.crc32, in Python */
}

static void test_entry_round_trip(void **state)
{
    uint8_t at[64];
    struct ota_log_entry e;
    (void)state;
    entry_pack(at, 5, 1, true);
    assert_true(ota_log_parse(at, &e));
    assert_int_equal(e.gen, 5);
    assert_int_equal(e.type, OTA_LOG_CHANGE);
    assert_int_equal(e.target, 1);
    assert_int_equal(e.old_seq, 7);
    assert_memory_equal(e.data, rec_valid_1, sizeof(e.data));
    assert_true(e.open);
    at[48] = 0; /* a torn done word is not done */
    assert_true(ota_log_parse(at, &e) && e.open);
    memset(at + 48, 0, 4);
    assert_true(ota_log_parse(at, &e) && !e.open);
}

/* Each bit of the body is covered. */
static void test_torn_entry_does_not_count(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < OTA_LOG_BODY_LEN * 8; bit++) {
        uint8_t at[64];
        struct ota_log_entry e;
        entry_pack(at, 5, 1, true);
        at[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(ota_log_parse(at, &e));
    }
}

static void test_generation_range(void **state)
{
    static const struct {
        uint32_t gen;
        bool counts;
    } rows[] = {
        { 0, false }, { 1, true }, { 0xFFFFFFFE, true }, { 0xFFFFFFFF, false }
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t at[64];
        struct ota_log_entry e;
        entry_pack(at, rows[i].gen, 0, true);
        assert_int_equal(ota_log_parse(at, &e), rows[i].counts);
    }
}

/* --- two sectors ---------------------------------------------------------- */

struct put { /* an entry: sector, place, ... */
    uint32_t sector, place, gen, target;
    bool open;
};

struct scan_row {
    const char *claim;
    struct put puts[4];
    uint32_t gen, free0, free1;
    uint32_t redo_idx; /* OTA_REC_NONE: none */
};

static const struct scan_row scan_rows[] = {
    { "blank sectors say nothing", { { 0 } }, 0, 63, 63, OTA_REC_NONE },
    { "an open intent in 1 names 0", { { 1, 0, 1, 0, true } }, 1, 63, 62, 0 },
    { "one in 0 names 1", { { 0, 0, 1, 1, true } }, 1, 62, 63, 1 },
    { "a done one is over",
      { { 1, 0, 1, 0, false } },
      1,
      63,
      62,
      OTA_REC_NONE },
    { "a done one outranks an older open one, wherever that stands",
      { { 1, 0, 4, 0, true }, { 0, 0, 5, 1, false } },
      5,
      62,
      62,
      OTA_REC_NONE },
    { "and an open one an older done one",
      { { 1, 0, 4, 0, false }, { 0, 0, 5, 1, true } },
      5,
      62,
      62,
      1 },
    { "an intent in the sector that it names does not count",
      { { 0, 0, 3, 0, true } },
      3,
      62,
      63,
      OTA_REC_NONE },
    { "a target that is no record does not count",
      { { 0, 0, 3, 2, true } },
      3,
      62,
      63,
      OTA_REC_NONE },
    { "places left behind stay unused",
      { { 0, 10, 3, 1, false } },
      3,
      52,
      63,
      OTA_REC_NONE },
    { "the last place", { { 0, 62, 3, 1, false } }, 3, 0, 63, OTA_REC_NONE },
    { "order in the sector does not matter",
      { { 1, 0, 9, 0, true }, { 1, 1, 8, 0, false } },
      9,
      63,
      61,
      0 },
    { "generations used up: as a full log",
      { { 1, 0, 0xFFFFFFFE, 0, false } },
      0xFFFFFFFE,
      0,
      0,
      OTA_REC_NONE },
};

static void sectors_fill(uint8_t *bytes, const struct put *puts)
{
    memset(bytes, 0xFF, OTADATA_LEN);
    for (unsigned i = 0; i < 4; i++)
        if (puts[i].gen)
            entry_pack(bytes + puts[i].sector * OTADATA_SECTOR + 64 +
                           64 * puts[i].place,
                       puts[i].gen, puts[i].target, puts[i].open);
}

static void test_scan(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(scan_rows) / sizeof(scan_rows[0]); i++) {
        const struct scan_row *row = &scan_rows[i];
        static uint8_t bytes[OTADATA_LEN];
        struct otadata o;
        sectors_fill(bytes, row->puts);
        assert_int_equal(otadata_parse(span_of(bytes, sizeof(bytes)), &o),
                         ESP_OK);
        bool open = row->redo_idx != OTA_REC_NONE;
        if (o.gen != row->gen || o.free_cnt[0] != row->free0 ||
            o.free_cnt[1] != row->free1 || o.redo_open != open ||
            (open && o.redo_idx != row->redo_idx))
            fail_msg("not so: %s", row->claim);
        if (open)
            assert_int_equal(o.rec[o.redo_idx].seq, 1);
    }
}

static void test_later_types_count_generations(void **state)
{
    static uint8_t bytes[OTADATA_LEN];
    struct ota_log_entry e = { .gen = 40, .type = 2, .target = 1 };
    struct otadata o;
    (void)state;
    memset(bytes, 0xFF, sizeof(bytes));
    ota_log_pack(&e, bytes + 64);
    assert_int_equal(otadata_parse(span_of(bytes, sizeof(bytes)), &o), ESP_OK);
    assert_int_equal(o.gen, 40);
    assert_false(o.redo_open);
}

static void test_short_input(void **state)
{
    static const uint8_t bytes[OTADATA_LEN - 1];
    struct otadata o;
    (void)state;
    assert_int_equal(otadata_parse(span_of(bytes, sizeof(bytes)), &o),
                     ESP_ERR_INVALID_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_are_those_of_the_page),
        cmocka_unit_test(test_entry_round_trip),
        cmocka_unit_test(test_torn_entry_does_not_count),
        cmocka_unit_test(test_generation_range),
        cmocka_unit_test(test_scan),
        cmocka_unit_test(test_later_types_count_generations),
        cmocka_unit_test(test_short_input),
    };
    return cmocka_run_group_tests_name("otadata_log", tests, NULL, NULL);
}
