/* One boot record: the reference's vectors and predicates (3.1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "otadata/otadata.h"

static void test_crc_vectors(void **state)
{
    static const struct {
        uint32_t seq, crc;
    } rows[] = {
        { 0, 0xFFFFFFFF },  { 1, 0x4743989A },          { 2, 0x55F63774 },
        { 3, 0xED4A5011 },  { 4, 0x709D68A8 },          { 5, 0xC8210FCD },
        { 6, 0xDA94A023 },  { 16, 0xAFE6A860 },         { 100, 0x4BBB9FAB },
        { 9, 0x82F7B075 },  { 0xFFFFFFFE, 0x99F8B879 }, { 7, 0x6228C746 },
        { 13, 0x0D952722 }, { 0xFFFFFFFF, 0x2144DF1C },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(ota_rec_crc(rows[i].seq), rows[i].crc);
}

struct bytes_row {
    uint8_t bytes[OTADATA_REC_LEN];
    uint32_t seq, state;
};

#define FF4 0xFF, 0xFF, 0xFF, 0xFF
#define FF20 FF4, FF4, FF4, FF4, FF4

static void test_bytes(void **state)
{
    static const struct bytes_row rows[] = {
        { { 1, 0, 0, 0, FF20, FF4, 0x9a, 0x98, 0x43, 0x47 },
          1,
          OTA_STATE_UNDEFINED },
        { { 1, 0, 0, 0, FF20, 2, 0, 0, 0, 0x9a, 0x98, 0x43, 0x47 },
          1,
          OTA_STATE_VALID },
        { { 2, 0, 0, 0, FF20, 1, 0, 0, 0, 0x74, 0x37, 0xf6, 0x55 },
          2,
          OTA_STATE_PENDING },
        { { 4, 0, 0, 0, FF20, 4, 0, 0, 0, 0xa8, 0x68, 0x9d, 0x70 },
          4,
          OTA_STATE_ABORTED },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ota_rec rec;
        uint8_t back[OTADATA_REC_LEN];
        ota_rec_parse(rows[i].bytes, &rec);
        assert_int_equal(rec.seq, rows[i].seq);
        assert_int_equal(rec.state, rows[i].state);
        assert_true(ota_rec_crc_ok(&rec));
        ota_rec_pack(&rec, back);
        assert_memory_equal(back, rows[i].bytes, sizeof(back));
    }
}

static void test_every_byte_has_a_place(void **state)
{
    uint8_t in[OTADATA_REC_LEN], out[OTADATA_REC_LEN];
    struct ota_rec rec;
    (void)state;
    for (unsigned i = 0; i < sizeof(in); i++)
        in[i] = (uint8_t)(i * 7 + 1);
    ota_rec_parse(in, &rec);
    ota_rec_pack(&rec, out);
    assert_memory_equal(in, out, sizeof(in));
    assert_int_equal(rec.seq, 0x160f0801);
    assert_int_equal(rec.label[0], 4 * 7 + 1);
}

static struct ota_rec rec_make(uint32_t seq, uint32_t state, bool crc_ok)
{
    struct ota_rec rec;
    memset(&rec, 0xFF, sizeof(rec));
    rec.seq = seq;
    rec.state = state;
    rec.crc = ota_rec_crc(seq) ^ (crc_ok ? 0 : 1u);
    return rec;
}

static void test_predicates(void **state)
{
    static const struct {
        const char *claim;
        uint32_t seq, state;
        bool crc_ok, invalid, valid;
    } rows[] = {
        { "NEW may be chosen", 1, 0, true, false, true },
        { "PENDING may be chosen", 1, 1, true, false, true },
        { "VALID may be chosen", 1, 2, true, false, true },
        { "INVALID never", 1, 3, true, true, false },
        { "ABORTED never", 1, 4, true, true, false },
        { "UNDEFINED may be chosen", 1, 0xFFFFFFFF, true, false, true },
        { "a garbage state may be chosen", 1, 77, true, false, true },
        { "a bad CRC is not invalid, but not valid", 1, 2, false, false,
          false },
        { "an empty sequence is invalid", 0xFFFFFFFF, 2, true, true, false },
        { "sequence 0 is a sequence", 0, 2, true, false, true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ota_rec rec =
            rec_make(rows[i].seq, rows[i].state, rows[i].crc_ok);
        if (ota_rec_invalid(&rec) != rows[i].invalid ||
            ota_rec_valid(&rec) != rows[i].valid)
            fail_msg("not so: %s", rows[i].claim);
    }
}

static void test_blank(void **state)
{
    (void)state;
    for (unsigned i = 0; i < OTADATA_REC_LEN; i++) {
        uint8_t bytes[OTADATA_REC_LEN];
        struct ota_rec rec;
        memset(bytes, 0xFF, sizeof(bytes));
        ota_rec_parse(bytes, &rec);
        assert_true(ota_rec_blank(&rec));
        bytes[i] = 0xFE;
        ota_rec_parse(bytes, &rec);
        assert_false(ota_rec_blank(&rec));
    }
}

static void test_active(void **state)
{
    static const struct {
        const char *claim;
        uint32_t seq0, state0, seq1, state1;
        bool ok0, ok1;
        uint32_t want;
    } rows[] = {
        { "the higher sequence leads", 1, 2, 2, 2, true, true, 1 },
        { "in either place", 3, 2, 2, 2, true, true, 0 },
        { "a tie goes to record 0", 2, 2, 2, 2, true, true, 0 },
        { "sequences are unsigned", 1, 2, 0xFFFFFFFE, 2, true, true, 1 },
        { "the only one with a good CRC leads", 9, 2, 2, 2, false, true, 1 },
        { "an aborted one does not", 1, 2, 2, 4, true, true, 0 },
        { "two aborted: none", 1, 4, 2, 4, true, true, OTA_REC_NONE },
        { "two bad CRCs: none", 1, 2, 2, 2, false, false, OTA_REC_NONE },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ota_rec rec[2] = {
            rec_make(rows[i].seq0, rows[i].state0, rows[i].ok0),
            rec_make(rows[i].seq1, rows[i].state1, rows[i].ok1)
        };
        if (ota_active_idx(rec) != rows[i].want)
            fail_msg("not so: %s", rows[i].claim);
    }
}

static void test_slots_and_names(void **state)
{
    (void)state;
    assert_int_equal(ota_seq_slot(1, 2), 0);
    assert_int_equal(ota_seq_slot(4, 2), 1);
    assert_int_equal(ota_seq_slot(17, 16), 0);
    assert_int_equal(ota_seq_slot(0, 16), 15); /* wraps */
    assert_int_equal(ota_seq_slot(0xFFFFFFFE, 3), 1);
    assert_string_equal(ota_state_name(OTA_STATE_NEW), "NEW");
    assert_string_equal(ota_state_name(OTA_STATE_PENDING), "PENDING_VERIFY");
    assert_string_equal(ota_state_name(OTA_STATE_VALID), "VALID");
    assert_string_equal(ota_state_name(OTA_STATE_INVALID), "INVALID");
    assert_string_equal(ota_state_name(OTA_STATE_ABORTED), "ABORTED");
    assert_string_equal(ota_state_name(OTA_STATE_UNDEFINED), "UNDEFINED");
    assert_string_equal(ota_state_name(5), "UNKNOWN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc_vectors),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_every_byte_has_a_place),
        cmocka_unit_test(test_predicates),
        cmocka_unit_test(test_blank),
        cmocka_unit_test(test_active),
        cmocka_unit_test(test_slots_and_names),
    };
    return cmocka_run_group_tests_name("otadata_rec", tests, NULL, NULL);
}
