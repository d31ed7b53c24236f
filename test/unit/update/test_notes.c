/* What a session leaves in the store for a later one: texts that are damaged,
 * of another format, or of another session. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32.h"
#include "base/le.h"
#include "update/checkpoint.h"
#include "update/copy.h"
#include "update/hex.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define SECTOR 4096u
#define CAP 0x20000u
#define ROOM 1024u
#define CRC_LEN 4u

/* --- texts ---------------------------------------------------------------- */

/* Changes a byte of a text and makes its CRC good again. */
static void forge(char *text, uint32_t at, uint8_t value)
{
    uint8_t bytes[ROOM] = { 0 };
    uint32_t len = (uint32_t)strlen(text) / 2;

    assert_true(upd_hex_get(span_str(text), bytes));
    bytes[at] = value;
    le32_put(bytes + len - CRC_LEN, crc32_le(UINT32_MAX, bytes, len - CRC_LEN));
    upd_hex_put(bytes, len, text);
}

static struct upd_checkpoint a_checkpoint(void)
{
    struct upd_checkpoint c = { .slot_off = 0x30000,
                                .slot_len = CAP,
                                .off = 2 * SECTOR,
                                .file.total = 20000 };

    strcpy(c.file.etag, "\"a\"");
    return c;
}

static void test_checkpoints(void **state)
{
    static const struct {
        const char *claim;
        uint32_t len; /* is cut to so many letters; 0: not */
        const char *tail;
        uint32_t at; /* a byte that is forged, 0: none */
        uint8_t value;
        char letter; /* the fifth one; 0: as it is */
        esp_err_t want;
    } rows[] = {
        { "whole", 0, "", 0, 0, 0, ESP_OK },
        { "half a byte more", 0, "0", 0, 0, 0, ESP_ERR_INVALID_SIZE },
        { "a byte more", 0, "00", 0, 0, 0, ESP_ERR_INVALID_CRC },
        { "nothing", 1, "", 0, 0, 0, ESP_ERR_INVALID_SIZE },
        { "less than any has", 252, "", 0, 0, 0, ESP_ERR_INVALID_SIZE },
        { "no digit", 0, "", 0, 0, 'g', ESP_ERR_INVALID_CRC },
        { "a capital one", 0, "", 0, 0, 'A', ESP_ERR_INVALID_CRC },
        { "of another format", 0, "", 3, 0x31, 0, ESP_ERR_INVALID_VERSION },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct upd_checkpoint c = a_checkpoint(), got;
        char text[UPD_CHECKPOINT_TEXT_LEN + 8];

        print_message("# %s\n", rows[i].claim);
        upd_checkpoint_format(&c, text);
        if (rows[i].at)
            forge(text, rows[i].at, rows[i].value);
        if (rows[i].letter)
            text[4] = rows[i].letter;
        if (rows[i].len)
            text[rows[i].len] = '\0';
        strcat(text, rows[i].tail);
        assert_int_equal(upd_checkpoint_parse(span_str(text), &got),
                         rows[i].want);
        if (!rows[i].want)
            assert_memory_equal(&got, &c, sizeof(c));
    }
}

/* A validator that is longer than any server's that is kept: of a date there
 * is less room than of a tag. */
static void test_long_names(void **state)
{
    struct upd_checkpoint c = a_checkpoint(), got;
    char text[UPD_CHECKPOINT_TEXT_LEN];

    (void)state;
    memset(c.file.etag, 'a', sizeof(c.file.etag) - 1);
    c.file.etag[0] = '"';
    upd_checkpoint_format(&c, text);
    assert_int_equal(upd_checkpoint_parse(span_str(text), &got), ESP_OK);
    assert_string_equal(got.file.etag, c.file.etag);
    forge(text, 122, 'M');
    assert_int_equal(upd_checkpoint_parse(span_str(text), &got),
                     ESP_ERR_INVALID_SIZE);
    memset(text, '0', 2 * 255);
    text[2 * 255] = '\0';
    assert_int_equal(upd_checkpoint_parse(span_str(text), &got),
                     ESP_ERR_INVALID_SIZE);
}

/* --- another session's ---------------------------------------------------- */

static void as_is(struct upd_checkpoint *c)
{
    (void)c;
}

static void other_place(struct upd_checkpoint *c)
{
    c->place[3] ^= 1;
}

static void other_query(struct upd_checkpoint *c)
{
    c->query[3] ^= 1;
}

static void other_query_by_date(struct upd_checkpoint *c)
{
    other_query(c);
    strcpy(c->file.etag, "");
    strcpy(c->file.modified, "yesterday");
}

static void other_slot(struct upd_checkpoint *c)
{
    c->slot_off = 0x10000;
}

static void longer_slot(struct upd_checkpoint *c)
{
    c->slot_len += SECTOR;
}

static void decrypted(struct upd_checkpoint *c)
{
    c->skip_len = 512;
}

static void at_the_start(struct upd_checkpoint *c)
{
    c->off = 0;
}

static void in_a_sector(struct upd_checkpoint *c)
{
    c->off += 16;
}

static void behind_the_slot(struct upd_checkpoint *c)
{
    c->off = CAP + SECTOR;
}

static void at_the_end(struct upd_checkpoint *c)
{
    c->off = c->file.total = CAP;
}

static void behind_the_file(struct upd_checkpoint *c)
{
    c->file.total = 2 * SECTOR - 1;
}

static void longer_than_the_slot(struct upd_checkpoint *c)
{
    c->file.total = CAP + 1;
}

static void of_no_length(struct upd_checkpoint *c)
{
    c->file.total = HTTP_LEN_UNKNOWN;
}

static void nameless(struct upd_checkpoint *c)
{
    strcpy(c->file.etag, "");
}

static void by_date_alone(struct upd_checkpoint *c)
{
    nameless(c);
    strcpy(c->file.modified, "yesterday");
    of_no_length(c);
}

static void test_refused(void **state)
{
    static const struct {
        const char *claim;
        void (*set)(struct upd_checkpoint *c);
        const char *says; /* NULL: it is taken */
    } rows[] = {
        { "as it was", as_is, NULL },
        { "another URL", other_place, "another URL" },
        { "another query, by tag", other_query, NULL },
        { "another query, by date", other_query_by_date, "another URL" },
        { "another slot", other_slot, "another slot" },
        { "a slot that grew", longer_slot, "another slot" },
        { "an encrypted file", decrypted, "decrypted in another way" },
        { "nothing came", at_the_start, "offset" },
        { "not where a sector begins", in_a_sector, "offset" },
        { "behind the slot", behind_the_slot, "offset" },
        { "all came", at_the_end, NULL },
        { "behind the end of the file", behind_the_file, "contradict" },
        { "a file that does not fit", longer_than_the_slot, "contradict" },
        { "a file without length", of_no_length, NULL },
        { "a file without a name", nameless, "which file" },
        { "a date without a length", by_date_alone, "which file" },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct upd_checkpoint c = a_checkpoint(), wanted = c, got;
        char text[UPD_CHECKPOINT_TEXT_LEN];
        const char *why;

        rows[i].set(&c);
        /* By way of its text, as it would come. */
        upd_checkpoint_format(&c, text);
        assert_int_equal(upd_checkpoint_parse(span_str(text), &got), ESP_OK);
        why = upd_checkpoint_refuse(&got, &wanted, SECTOR, CAP);
        if ((why != NULL) != (rows[i].says != NULL) ||
            (why && !strstr(why, rows[i].says)))
            fail_msg("%s: %s", rows[i].claim, why ? why : "taken");
    }
}

/* --- copies --------------------------------------------------------------- */

static void test_copies(void **state)
{
    static const struct {
        const char *claim;
        uint32_t from_len, to_len, len;
        bool other_format;
        esp_err_t want;
    } rows[] = {
        { "as long as both", 0x4000, 0x4000, 0x4000, false, ESP_OK },
        { "a byte", 0x4000, 0x4000, 1, false, ESP_OK },
        { "of another format", 0x4000, 0x4000, 1, true,
          ESP_ERR_INVALID_VERSION },
        { "of nothing", 0x4000, 0x4000, 0, false, ESP_ERR_INVALID_SIZE },
        { "of more than was staged", 0x4000, 0x8000, 0x4001, false,
          ESP_ERR_INVALID_SIZE },
        { "of more than there is room for", 0x8000, 0x4000, 0x4001, false,
          ESP_ERR_INVALID_SIZE },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct upd_copy c = { .from.len = rows[i].from_len,
                              .to.len = rows[i].to_len,
                              .len = rows[i].len };
        struct upd_copy got;
        char text[UPD_COPY_TEXT_LEN];

        print_message("# %s\n", rows[i].claim);
        upd_copy_format(&c, text);
        if (rows[i].other_format)
            forge(text, 0, 'Q');
        assert_int_equal(upd_copy_parse(span_str(text), &got), rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checkpoints),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_copies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
