/* Writing one image into one slot: order, room, read-back, receipts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim_flash.h"
#include "slot/slot.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define SLOT_OFF 0x2000u
#define SLOT_LEN 0x3000u
#define FLASH_LEN 0x6000u

/* --- a flash with one partition ------------------------------------------- */

struct fixture {
    struct sim_flash flash;
    struct part_dev dev;
    struct part_entry entry;
    struct slot slot;
    uint8_t sector[4096];
    uint32_t buf_len;
    uint8_t bytes[SLOT_LEN];
};

static void open_flash(struct fixture *f, const struct sim_flash_conf *conf)
{
    memset(f, 0, sizeof(*f));
    assert_int_equal(sim_flash_init(&f->flash, conf), ESP_OK);
    f->dev.flash = &f->flash.port;
    f->entry.off = SLOT_OFF;
    f->entry.len = SLOT_LEN;
    strcpy(f->entry.label, "ota_1");
    f->dev.table.entries[0] = f->entry;
    f->dev.table.cnt = 1;
    for (size_t i = 0; i < sizeof(f->bytes); i++)
        f->bytes[i] = (uint8_t)(i * 7 + i / 256 + 1);
    f->bytes[0] = IMG_MAGIC;
    /* What was there before. */
    memset(f->flash.bytes + SLOT_OFF, 0x33, SLOT_LEN);
}

static void open_fixture(struct fixture *f)
{
    open_flash(f, &(struct sim_flash_conf){ .size_len = FLASH_LEN });
}

static void open_slot(struct fixture *f, bool hold_head)
{
    struct slot_opts opts = { .buf = f->sector,
                              .hold_head = hold_head,
                              .buf_len = f->buf_len };

    assert_int_equal(slot_open(&f->slot, &f->dev, &f->entry, &opts), ESP_OK);
}

static void close_fixture(struct fixture *f)
{
    slot_close(&f->slot);
    slot_close(&f->slot);
    assert_int_equal(f->flash.count.refused, 0);
    sim_flash_deinit(&f->flash);
}

static const uint8_t *in_slot(const struct fixture *f, uint32_t off)
{
    return f->flash.bytes + SLOT_OFF + off;
}

static struct img_receipt accepting(uint32_t len)
{
    struct img_receipt r = IMG_RECEIPT_NONE;

    r.verdict = VERDICT_ACCEPT;
    r.len = len;
    return r;
}

/* --- rows: any split of any length ends in the same bytes ----------------- */

struct write_row {
    uint32_t len, piece;
    uint32_t erases, progs; /* without the head's program */
    uint32_t buf_len;       /* 0: a sector */
};

static const struct write_row writes[] = {
    { 16, 16, 1, 0, 0 },          { 17, 1, 1, 1, 0 },
    { 4096, 4096, 1, 1, 0 },      { 4096, 1000, 1, 1, 0 },
    { 4097, 4097, 2, 2, 0 },      { 8191, 3, 2, 2, 0 },
    { 8192, 8192, 2, 2, 0 },      { 12288, 5000, 3, 3, 0 },
    { 12288, 12288, 3, 3, 0 },    { 1024, 1024, 1, 1, 1024 },
    { 1025, 100, 1, 2, 1024 },    { 4096, 4096, 1, 4, 1024 },
    { 4097, 4097, 2, 5, 1024 },   { 8191, 3, 2, 4, 2048 },
    { 12288, 5000, 3, 12, 1024 }, { 160, 7, 1, 9, 16 },
};

static void test_write(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(writes); i++) {
        const struct write_row *row = &writes[i];
        struct fixture f;
        struct img_receipt r = accepting(row->len);

        print_message("# %u in pieces of %u\n", row->len, row->piece);
        open_fixture(&f);
        f.buf_len = row->buf_len;
        open_slot(&f, true);
        for (uint32_t at = 0; at < row->len; at += row->piece) {
            uint32_t n =
                row->len - at < row->piece ? row->len - at : row->piece;
            assert_int_equal(slot_write(&f.slot, f.bytes + at, n), ESP_OK);
            assert_int_equal(slot_taken(&f.slot), at + n);
        }
        assert_int_equal(slot_flush(&f.slot), ESP_OK);
        assert_int_equal(in_slot(&f, 0)[0], 0xFF);
        assert_int_equal(f.slot.prog_cnt, row->progs);
        assert_int_equal(slot_commit(&f.slot, &r), ESP_OK);
        assert_memory_equal(in_slot(&f, 0), f.bytes, row->len);
        assert_int_equal(f.slot.erase_cnt, row->erases);
        assert_int_equal(f.flash.count.erases, row->erases);
        assert_int_equal(f.flash.count.progs, row->progs + 1);
        assert_true(r.bound);
        assert_int_equal(r.off, SLOT_OFF);
        assert_int_equal(r.gen, part_gen(&f.dev, &f.entry));
        close_fixture(&f);
    }
}

/* The same through reserve and advance, which copy nothing. */
static void test_reserve(void **state)
{
    struct fixture f;
    struct img_receipt r = accepting(SLOT_LEN);
    uint32_t at = 0;
    void *dst;
    size_t room;

    (void)state;
    open_fixture(&f);
    open_slot(&f, true);
    assert_int_equal(slot_reserve(&f.slot, &dst, &room), ESP_OK);
    while (room > 0) {
        size_t n = room < 1000 ? room : 1000;
        memcpy(dst, f.bytes + at, n);
        assert_int_equal(slot_advance(&f.slot, n), ESP_OK);
        at += (uint32_t)n;
        assert_int_equal(slot_reserve(&f.slot, &dst, &room), ESP_OK);
    }
    assert_int_equal(at, SLOT_LEN);
    assert_int_equal(slot_flush(&f.slot), ESP_OK);
    assert_int_equal(slot_commit(&f.slot, &r), ESP_OK);
    assert_memory_equal(in_slot(&f, 0), f.bytes, SLOT_LEN);
    close_fixture(&f);
}

/* --- refusals ------------------------------------------------------------- */

static void test_nothing_before_a_full_sector(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f);
    open_slot(&f, true);
    assert_int_equal(slot_write(&f.slot, f.bytes, 4095), ESP_OK);
    assert_int_equal(sim_flash_ops(&f.flash), 0);
    assert_int_equal(in_slot(&f, 0)[0], 0x33);
    close_fixture(&f);
}

static void test_too_much(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f);
    open_slot(&f, false);
    assert_int_equal(slot_write(&f.slot, f.bytes, SLOT_LEN - 1), ESP_OK);
    assert_int_equal(slot_write(&f.slot, f.bytes, 2), ESP_ERR_INVALID_SIZE);
    /* The first error sticks. */
    assert_int_equal(slot_write(&f.slot, f.bytes, 1), ESP_ERR_INVALID_SIZE);
    assert_int_equal(slot_flush(&f.slot), ESP_ERR_INVALID_SIZE);
    close_fixture(&f);
}

/* What was closed takes nothing more, and what failed stays failed, whichever
 * call comes next. */
static void test_after_the_end(void **state)
{
    struct fixture f;
    struct img_receipt r = accepting(5000);
    void *dst;
    size_t room;

    (void)state;
    open_fixture(&f);
    open_slot(&f, true);
    assert_int_equal(slot_write(&f.slot, f.bytes, 5000), ESP_OK);
    assert_int_equal(slot_flush(&f.slot), ESP_OK);
    assert_int_equal(slot_write(&f.slot, f.bytes, 1), ESP_ERR_INVALID_STATE);
    assert_int_equal(slot_reserve(&f.slot, &dst, &room), ESP_ERR_INVALID_STATE);
    assert_null(dst);
    assert_int_equal(slot_advance(&f.slot, 0), ESP_ERR_INVALID_STATE);
    assert_int_equal(slot_commit(&f.slot, &r), ESP_ERR_INVALID_STATE);
    assert_int_equal(in_slot(&f, 0)[0], 0xFF); /* it has no head */
    close_fixture(&f);
}

/* Each operation of a whole slot fails in turn: the call that meets it says
 * so, and there is no head. */
static void test_operations_that_fail(void **state)
{
    (void)state;
    for (unsigned hold = 0; hold < 2; hold++) {
        uint32_t nth = 1;
        for (bool failed = true; failed; nth++) {
            struct fixture f;
            struct img_receipt r = accepting(SLOT_LEN - 100);
            esp_err_t err;

            open_fixture(&f);
            open_slot(&f, hold != 0);
            sim_flash_arm(&f.flash, SIM_FAULT_STATUS, nth, nth);
            err = slot_write(&f.slot, f.bytes, SLOT_LEN - 100);
            if (!err)
                err = slot_flush(&f.slot);
            if (!err)
                err = slot_commit(&f.slot, &r);
            failed = sim_flash_unfired(&f.flash) == 0;
            assert_int_equal(err != ESP_OK, failed);
            assert_int_equal(r.bound, !failed);
            if (failed && hold)
                assert_int_not_equal(
                    memcmp(in_slot(&f, 0), f.bytes, SLOT_HEAD_LEN), 0);
            close_fixture(&f);
        }
        assert_int_equal(nth - 2, hold ? 7 : 6);
    }
}

struct receipt_row {
    const char *claim;
    enum verdict verdict;
    bool bound;
    uint32_t len;
    bool flush;
    esp_err_t want;
};

static const struct receipt_row receipts[] = {
    { "a receipt that rejects", VERDICT_REJECT, false, 5000, true,
      ESP_ERR_OTA_VALIDATE_FAILED },
    { "one that is neither", (enum verdict)1, false, 5000, true,
      ESP_ERR_OTA_VALIDATE_FAILED },
    { "one for more bytes than were written", VERDICT_ACCEPT, false, 5001, true,
      ESP_ERR_OTA_VALIDATE_FAILED },
    { "one for another place", VERDICT_ACCEPT, true, 5000, true,
      ESP_ERR_OTA_VALIDATE_FAILED },
    { "one for less than a head", VERDICT_ACCEPT, false, 15, true,
      ESP_ERR_OTA_VALIDATE_FAILED },
    { "bytes still in the buffer", VERDICT_ACCEPT, false, 5000, false,
      ESP_ERR_INVALID_STATE },
    { "all is well", VERDICT_ACCEPT, false, 5000, true, ESP_OK },
};

static void test_receipts(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(receipts); i++) {
        const struct receipt_row *row = &receipts[i];
        struct fixture f;
        struct img_receipt r = accepting(row->len);

        print_message("# %s\n", row->claim);
        open_fixture(&f);
        open_slot(&f, true);
        r.verdict = row->verdict;
        r.bound = row->bound;
        assert_int_equal(slot_write(&f.slot, f.bytes, 5000), ESP_OK);
        if (row->flush)
            assert_int_equal(slot_flush(&f.slot), ESP_OK);
        assert_int_equal(slot_commit(&f.slot, &r), row->want);
        assert_int_equal(in_slot(&f, 0)[0], row->want ? 0xFF : IMG_MAGIC);
        close_fixture(&f);
    }
}

static void test_open_rows(void **state)
{
    static const struct {
        uint32_t len, start_off, prog_len, buf_len;
        esp_err_t want;
    } rows[] = {
        { SLOT_LEN, 0, 1, 0, ESP_OK },
        { SLOT_LEN, 4096, 1, 0, ESP_OK },
        { SLOT_LEN, 4096, 1, 1024, ESP_OK },
        { SLOT_LEN, 4095, 1, 0, ESP_ERR_INVALID_SIZE },
        { SLOT_LEN, 1024, 1, 1024, ESP_ERR_INVALID_SIZE },
        { SLOT_LEN, SLOT_LEN + 4096, 1, 0, ESP_ERR_INVALID_SIZE },
        { SLOT_LEN - 1, 0, 1, 0, ESP_ERR_INVALID_SIZE },
        { 0, 0, 1, 0, ESP_ERR_INVALID_SIZE },
        { SLOT_LEN, 0, 1, 1000, ESP_ERR_INVALID_SIZE },
        { SLOT_LEN, 0, 1, 8, ESP_ERR_INVALID_SIZE },
        { SLOT_LEN, 0, 1, 8192, ESP_ERR_INVALID_SIZE },
        { SLOT_LEN, 0, 16, 0, ESP_OK },
        { SLOT_LEN, 0, 32, 0, ESP_ERR_NOT_SUPPORTED },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct fixture f;
        struct slot_opts opts = { .buf = f.sector,
                                  .start_off = rows[i].start_off,
                                  .buf_len = rows[i].buf_len };

        open_flash(&f,
                   &(struct sim_flash_conf){ .size_len = FLASH_LEN,
                                             .prog_len = rows[i].prog_len });
        f.entry.len = rows[i].len;
        assert_int_equal(slot_open(&f.slot, &f.dev, &f.entry, &opts),
                         rows[i].want);
        assert_int_equal(sim_flash_ops(&f.flash), 0);
        close_fixture(&f);
    }
}

/* --- units, read-back, erasing ahead -------------------------------------- */

/* Flash that programs 16 bytes, each once: the tail is padded. */
static void test_units(void **state)
{
    struct fixture f;
    struct img_receipt r = accepting(5001);

    (void)state;
    open_flash(&f, &(struct sim_flash_conf){ .size_len = FLASH_LEN,
                                             .prog_len = 16,
                                             .prog_once = true });
    open_slot(&f, true);
    assert_int_equal(slot_write(&f.slot, f.bytes, 5001), ESP_OK);
    assert_int_equal(slot_flush(&f.slot), ESP_OK);
    assert_int_equal(slot_commit(&f.slot, &r), ESP_OK);
    assert_memory_equal(in_slot(&f, 0), f.bytes, 5001);
    assert_int_equal(in_slot(&f, 5001)[0], 0xFF);
    close_fixture(&f);
}

static void test_read_back(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f);
    open_slot(&f, true);
    /* It looks erased, so only reading back tells. */
    memset(f.flash.bytes + SLOT_OFF + 4096, 0xFF, 4096);
    sim_flash_stick(&f.flash, SLOT_OFF + 4096, true);
    assert_int_equal(slot_write(&f.slot, f.bytes, 4096), ESP_OK);
    assert_int_equal(slot_write(&f.slot, f.bytes + 4096, 4096),
                     ESP_ERR_FLASH_OP_FAIL);
    close_fixture(&f);
}

static void test_erase_ahead(void **state)
{
    struct fixture f;
    bool more = true;
    uint32_t steps = 0;

    (void)state;
    open_fixture(&f);
    open_slot(&f, true);
    while (more) {
        assert_int_equal(slot_erase_step(&f.slot, 5000, &more), ESP_OK);
        steps++;
    }
    assert_int_equal(steps, 2);
    assert_int_equal(f.slot.erase_cnt, 2);
    assert_int_equal(slot_erase_step(&f.slot, 5000, &more), ESP_OK);
    assert_false(more);
    assert_int_equal(slot_write(&f.slot, f.bytes, SLOT_LEN), ESP_OK);
    /* None twice: the third was erased when its bytes came. */
    assert_int_equal(f.slot.erase_cnt, 3);
    assert_int_equal(slot_erase_step(&f.slot, UINT32_MAX, &more), ESP_OK);
    assert_false(more);
    close_fixture(&f);
}

/* A session that continues keeps what is there and programs the head that it
 * is given. */
static void test_continue(void **state)
{
    struct fixture f;
    struct slot_opts opts = { f.sector, true, 4096, NULL, 0 };
    struct img_receipt r = accepting(8192);

    (void)state;
    open_fixture(&f);
    memcpy(f.flash.bytes + SLOT_OFF, f.bytes, 4096);
    memset(f.flash.bytes + SLOT_OFF, 0xFF, SLOT_HEAD_LEN);
    assert_int_equal(slot_open(&f.slot, &f.dev, &f.entry, &opts), ESP_OK);
    slot_set_head(&f.slot, f.bytes);
    assert_int_equal(slot_write(&f.slot, f.bytes + 4096, 4096), ESP_OK);
    assert_int_equal(slot_flush(&f.slot), ESP_OK);
    assert_int_equal(slot_commit(&f.slot, &r), ESP_OK);
    assert_memory_equal(in_slot(&f, 0), f.bytes, 8192);
    assert_int_equal(f.slot.erase_cnt, 1);
    close_fixture(&f);
}

/* --- spoil ---------------------------------------------------------------- */

static void test_spoil(void **state)
{
    static const struct {
        const char *claim;
        uint8_t first;
        bool prog_once;
        uint32_t progs, erases;
        uint8_t want;
    } rows[] = {
        { "an image loses its magic byte", IMG_MAGIC, false, 1, 0, 0 },
        { "what is no image stays", 0x33, false, 0, 0, 0x33 },
        { "an erased slot stays", 0xFF, false, 0, 0, 0xFF },
        { "where nothing is programmed twice the sector goes", IMG_MAGIC, true,
          0, 1, 0xFF },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct fixture f;

        print_message("# %s\n", rows[i].claim);
        open_flash(&f,
                   &(struct sim_flash_conf){ .size_len = FLASH_LEN,
                                             .prog_once = rows[i].prog_once });
        f.flash.bytes[SLOT_OFF] = rows[i].first;
        assert_int_equal(slot_spoil(&f.dev, &f.entry), ESP_OK);
        assert_int_equal(in_slot(&f, 0)[0], rows[i].want);
        assert_int_equal(f.flash.count.progs, rows[i].progs);
        assert_int_equal(f.flash.count.erases, rows[i].erases);
        close_fixture(&f);
    }
}

/* A slot that cannot be read, or whose flash programs more at once than a head
 * has, is told: whoever refused an image has to know that it may still look
 * like one. */
static void test_spoil_fails(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f);
    f.flash.bytes[SLOT_OFF] = IMG_MAGIC;
    sim_flash_fail_read(&f.flash, 1);
    assert_int_equal(slot_spoil(&f.dev, &f.entry), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(in_slot(&f, 0)[0], IMG_MAGIC);
    close_fixture(&f);
    open_flash(&f, &(struct sim_flash_conf){ .size_len = FLASH_LEN,
                                             .prog_len = 2 * SLOT_HEAD_LEN });
    f.flash.bytes[SLOT_OFF] = IMG_MAGIC;
    assert_int_equal(slot_spoil(&f.dev, &f.entry), ESP_ERR_NOT_SUPPORTED);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write),
        cmocka_unit_test(test_reserve),
        cmocka_unit_test(test_nothing_before_a_full_sector),
        cmocka_unit_test(test_too_much),
        cmocka_unit_test(test_receipts),
        cmocka_unit_test(test_open_rows),
        cmocka_unit_test(test_units),
        cmocka_unit_test(test_read_back),
        cmocka_unit_test(test_erase_ahead),
        cmocka_unit_test(test_continue),
        cmocka_unit_test(test_spoil),
        cmocka_unit_test(test_spoil_fails),
        cmocka_unit_test(test_after_the_end),
        cmocka_unit_test(test_operations_that_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
