/* Other partitions than slots: staged, copied, refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/update/rig.h"
#include "update/copy.h"
#include "update/priv.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct part_entry *row(struct rig *r, const char *label)
{
    return part_find_label(&r->parts.table, label);
}

static struct part_entry *row_mut(struct rig *r, const char *label)
{
    return (struct part_entry *)(uintptr_t)row(r, label);
}

static void stage(struct rig *r)
{
    r->opts.staging = row(r, "ota_1");
    r->opts.final = row(r, "blob");
    r->opts.finalize_with_copy = true;
    r->opts.store = &r->store.port;
}

static bool is_blank(const uint8_t *p, size_t len)
{
    while (len > 0 && *p == 0xFF) {
        p++;
        len--;
    }
    return len == 0;
}

/* --- staged --------------------------------------------------------------- */

/* Lengths around what is held back, and around a sector. */
static void test_lengths(void **state)
{
    static const uint32_t lens[] = { 1,    15,   16,   17,          4095,
                                     4096, 4097, 9000, RIG_BLOB_LEN };

    (void)state;
    for (size_t i = 0; i < CNT(lens); i++) {
        struct rig r;
        uint8_t *file = malloc(lens[i]);

        print_message("# %u bytes\n", (unsigned)lens[i]);
        memset(file, 0x37, lens[i]);
        rig_open(&r);
        rig_serve(&r, file, lens[i]);
        stage(&r);
        assert_int_equal(rig_update(&r, NULL), ESP_OK);
        assert_memory_equal(rig_bytes(&r, RIG_BLOB), file, lens[i]);
        assert_true(is_blank(rig_bytes(&r, RIG_SLOT_1), SLOT_HEAD_LEN));
        assert_string_equal(r.store.copy, "");
        rig_close(&r);
        free(file);
    }
}

/* A file that is an image does not boot from where it was staged. */
static void test_staged_data_never_boots(void **state)
{
    struct rig r;
    struct rig_image how = { .body_len = 9000 };
    uint32_t len;
    uint8_t *image = rig_make_image(&how, &len);

    (void)state;
    rig_open(&r);
    rig_serve(&r, image, len);
    stage(&r);
    assert_int_equal(rig_update(&r, NULL), ESP_OK);
    assert_memory_equal(rig_bytes(&r, RIG_BLOB), image, len);
    memset(r.flash.bytes + RIG_SLOT_0, 0, 4096); /* what runs is lost */
    assert_int_equal(rig_boots(&r), BOOT_NONE);
    rig_close(&r);
    free(image);
}

static void test_goes_on_from_a_checkpoint(void **state)
{
    struct rig r;
    struct upd_result res;
    static uint8_t file[RIG_BLOB_LEN];

    (void)state;
    for (size_t i = 0; i < sizeof(file); i++)
        file[i] = (uint8_t)(i * 7 + i / 256);
    rig_open(&r);
    rig_serve(&r, file, sizeof(file));
    stage(&r);
    r.web.etag = "\"a\"";
    r.opts.checkpoint_len = 4096;
    r.web.cut_at = 10000;
    r.web.cut_cnt = 1;
    assert_int_not_equal(rig_update(&r, NULL), ESP_OK);
    stage(&r);
    assert_int_equal(rig_update(&r, &res), ESP_OK);
    assert_int_equal(res.resumed_from, 8192);
    assert_memory_equal(rig_bytes(&r, RIG_BLOB), file, sizeof(file));
    rig_close(&r);
}

/* --- a copy that was interrupted ------------------------------------------ */

static const char content[] = "by way of a slot, and in spite of a cut";

/* Cut while the final partition is written. */
static void interrupt(struct rig *r)
{
    rig_open(r);
    rig_serve(r, content, sizeof(content));
    stage(r);
    /* 1, 2: the slot; 3: the final partition's erase */
    sim_flash_arm(&r->flash, SIM_FAULT_AFTER, 3, 1);
    assert_int_not_equal(rig_update(r, NULL), ESP_OK);
    assert_int_equal(r->flash.count.fired, 1);
    sim_flash_power_on(&r->flash);
    rig_reboot(r);
    assert_string_not_equal(r->store.copy, "");
    assert_true(is_blank(rig_bytes(r, RIG_BLOB), 4096));
    r->diag = (struct diag)DIAG_NONE;
}

static void test_is_finished_later(void **state)
{
    struct rig r;

    (void)state;
    interrupt(&r);
    assert_int_equal(upd_redo_copy(&r.env, &r.store.port, &r.diag), ESP_OK);
    assert_memory_equal(rig_bytes(&r, RIG_BLOB), content, sizeof(content));
    assert_string_equal(r.store.copy, "");
    assert_int_equal(upd_redo_copy(&r.env, &r.store.port, &r.diag),
                     ESP_ERR_NOT_FOUND);
    rig_close(&r);
}

/* The next session finishes it before it writes over what was staged. */
static void test_is_finished_by_the_next_session(void **state)
{
    struct rig r;

    (void)state;
    interrupt(&r);
    rig_serve(&r, r.image, r.image_len);
    r.opts.staging = r.opts.final = NULL;
    r.opts.finalize_with_copy = false;
    assert_int_equal(rig_update(&r, NULL), ESP_OK);
    assert_memory_equal(rig_bytes(&r, RIG_BLOB), content, sizeof(content));
    assert_int_equal(rig_boots(&r), 1);
    rig_close(&r);
}

/* A worn partition that no boot needs is no reason to stay on this version,
 * whatever must be there at the next start is. */
static void test_cannot_be_finished(void **state)
{
    static const struct {
        const char *claim;
        enum upd_kind kind;
        esp_err_t want;
    } rows[] = {
        { "data", UPD_KIND_RAW, ESP_OK },
        { "the partition table", UPD_KIND_TABLE, ESP_ERR_FLASH_OP_FAIL },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct upd_copy c;
        struct rig r;

        interrupt(&r);
        assert_int_equal(upd_copy_parse(span_str(r.store.copy), &c), ESP_OK);
        c.kind = (uint8_t)rows[i].kind;
        upd_copy_format(&c, r.store.copy);
        sim_flash_stick(&r.flash, RIG_BLOB, true);
        rig_serve(&r, r.image, r.image_len);
        r.opts.staging = r.opts.final = NULL;
        r.opts.finalize_with_copy = false;
        if (rig_update(&r, NULL) != rows[i].want)
            fail_msg("%s: %s", rows[i].claim, r.diag.text);
        assert_int_equal(rig_boots(&r), rows[i].want ? 0 : 1);
        assert_string_not_equal(r.store.copy, "");
        rig_close(&r);
    }
}

static void test_what_was_staged_is_gone(void **state)
{
    struct rig r;

    (void)state;
    interrupt(&r);
    r.flash.bytes[RIG_SLOT_1 + 20] ^= 1;
    assert_int_equal(upd_redo_copy(&r.env, &r.store.port, &r.diag),
                     ESP_ERR_OTA_VALIDATE_FAILED);
    assert_non_null(strstr(r.diag.text, "install it again"));
    assert_true(is_blank(rig_bytes(&r, RIG_BLOB), 4096));
    assert_string_equal(r.store.copy, "");
    rig_close(&r);
}

/* The copy was finished, the note could not be dropped, and then the slot was
 * used for something else. */
static void test_an_old_note(void **state)
{
    char note[UPD_STORE_TEXT_LEN];
    struct rig r;

    (void)state;
    interrupt(&r);
    strcpy(note, r.store.copy);
    assert_int_equal(upd_redo_copy(&r.env, &r.store.port, &r.diag), ESP_OK);
    strcpy(r.store.copy, note);
    r.flash.bytes[RIG_SLOT_1 + 20] ^= 1;
    assert_int_equal(upd_redo_copy(&r.env, &r.store.port, &r.diag), ESP_OK);
    assert_memory_equal(rig_bytes(&r, RIG_BLOB), content, sizeof(content));
    assert_string_equal(r.store.copy, "");
    rig_close(&r);
}

/* An image on its way to a partition that is no slot, cut in the copy. */
static void interrupt_image(struct rig *r)
{
    static const struct rig_image how = { .body_len = 9000 };
    uint32_t len;
    uint8_t *image = rig_make_image(&how, &len);

    for (uint32_t nth = 1;; nth++) {
        rig_open(r);
        rig_serve(r, image, len);
        row_mut(r, "blob")->type = PART_TYPE_APP;
        row_mut(r, "blob")->subtype = PART_APP_TEE_0;
        stage(r);
        sim_flash_arm(&r->flash, SIM_FAULT_AFTER, nth, 1);
        assert_int_not_equal(rig_update(r, NULL), ESP_OK);
        if (r->store.copy[0])
            break;
        rig_close(r);
    }
    free(image);
    sim_flash_power_on(&r->flash);
    r->diag = (struct diag)DIAG_NONE;
}

/* It was accepted then. What is refused now is refused for good, and must not
 * stand in the way of every later update. */
static void test_an_image_is_not_accepted_any_more(void **state)
{
    struct rig r;

    (void)state;
    interrupt_image(&r);
    r.policy.require_signed = true; /* by nobody's key */
    assert_int_equal(upd_redo_copy(&r.env, &r.store.port, &r.diag),
                     ESP_ERR_OTA_VALIDATE_FAILED);
    assert_non_null(strstr(r.diag.text, "not accepted any more"));
    assert_true(is_blank(rig_bytes(&r, RIG_BLOB), SLOT_HEAD_LEN));
    assert_string_equal(r.store.copy, "");
    rig_close(&r);

    interrupt_image(&r); /* the same, and it is accepted */
    assert_int_equal(upd_redo_copy(&r.env, &r.store.port, &r.diag), ESP_OK);
    assert_int_equal(rig_bytes(&r, RIG_BLOB)[0], IMG_MAGIC);
    rig_close(&r);
}

static void test_the_table_changed(void **state)
{
    struct rig r;

    (void)state;
    interrupt(&r);
    row_mut(&r, "blob")->len -= 4096;
    assert_int_equal(upd_redo_copy(&r.env, &r.store.port, &r.diag),
                     ESP_ERR_OTA_VALIDATE_FAILED);
    rig_close(&r);
}

static void test_no_memory_to_finish(void **state)
{
    struct rig r;

    (void)state;
    interrupt(&r);
    r.heap.fail_at = r.heap.alloc_cnt + 1;
    assert_int_equal(upd_redo_copy(&r.env, &r.store.port, &r.diag),
                     ESP_ERR_NO_MEM);
    assert_string_not_equal(r.store.copy, "");
    rig_close(&r);
}

/* A store that cannot be read for once is no note that is none: the session
 * goes on, and the copy is finished when the store says of it again. */
static void test_a_note_that_cannot_be_read(void **state)
{
    struct rig r;

    (void)state;
    interrupt(&r);
    r.store.unreadable = true;
    assert_int_equal(upd_redo_copy(&r.env, &r.store.port, &r.diag), ESP_FAIL);
    assert_non_null(strstr(r.diag.text, "cannot be read"));
    r.diag = (struct diag)DIAG_NONE;
    rig_serve(&r, "", 0);
    r.opts.staging = r.opts.final = NULL;
    r.opts.finalize_with_copy = false;
    assert_int_not_equal(rig_update(&r, NULL), ESP_OK);
    assert_null(strstr(r.diag.text, "cannot be read"));
    assert_string_not_equal(r.store.copy, "");
    r.store.unreadable = false;
    assert_int_equal(upd_redo_copy(&r.env, &r.store.port, &r.diag), ESP_OK);
    assert_memory_equal(rig_bytes(&r, RIG_BLOB), content, sizeof(content));
    rig_close(&r);
}

/* Without a store, or with one that fails, the copy is made all the same. */
static void test_no_store(void **state)
{
    (void)state;
    for (unsigned fails = 0; fails < 2; fails++) {
        struct rig r;

        rig_open(&r);
        rig_serve(&r, content, sizeof(content));
        stage(&r);
        if (fails)
            r.store.fails = true;
        else
            r.opts.store = NULL;
        assert_int_equal(rig_update(&r, NULL), ESP_OK);
        assert_memory_equal(rig_bytes(&r, RIG_BLOB), content, sizeof(content));
        rig_close(&r);
    }
}

/* --- the note ------------------------------------------------------------- */

static void test_notes(void **state)
{
    struct upd_copy c = { .from = { .off = 0x30000, .len = 0x20000 },
                          .to = { .off = 0x50000, .len = 0x4000 },
                          .len = 0x3000,
                          .kind = 3,
                          .headless = true };
    struct upd_copy got;
    char text[UPD_COPY_TEXT_LEN], bad[UPD_COPY_TEXT_LEN + 8];

    (void)state;
    memset(c.digest, 0x5A, sizeof(c.digest));
    memset(c.head, 0xE9, sizeof(c.head));
    upd_copy_format(&c, text);
    assert_int_equal(upd_copy_parse(span_str(text), &got), ESP_OK);
    assert_memory_equal(&got, &c, sizeof(c));
    for (size_t i = 0; i < strlen(text); i++) {
        strcpy(bad, text);
        bad[i] = bad[i] == 'f' ? '0' : 'f';
        assert_int_not_equal(upd_copy_parse(span_str(bad), &got), ESP_OK);
        bad[i] = 'x';
        assert_int_not_equal(upd_copy_parse(span_str(bad), &got), ESP_OK);
        assert_int_equal(upd_copy_parse(span_of(text, i), &got),
                         ESP_ERR_INVALID_SIZE);
    }
    strcat(strcpy(bad, text), "00");
    assert_int_equal(upd_copy_parse(span_str(bad), &got), ESP_ERR_INVALID_SIZE);
    c.len = 0x4001; /* more than the final partition holds, with a good CRC */
    upd_copy_format(&c, text);
    assert_int_equal(upd_copy_parse(span_str(text), &got),
                     ESP_ERR_INVALID_SIZE);
}

/* --- refused -------------------------------------------------------------- */

struct risk_row {
    const char *claim;
    uint8_t type, subtype; /* what blob is */
    bool in_place, accept;
    esp_err_t want;
    const char *says;
};

static const struct risk_row risks[] = {
    { "the boot records", PART_TYPE_DATA, PART_DATA_TEE_OTA, true, true,
      ESP_ERR_NOT_ALLOWED, "bootloader decides by" },
    { "the emulated fuses", PART_TYPE_DATA, PART_DATA_EFUSE, false, true,
      ESP_ERR_NOT_ALLOWED, "bootloader decides by" },
    { "the key store", PART_TYPE_DATA, 0x70, false, true, ESP_ERR_NOT_ALLOWED,
      "bootloader decides by" },
    { "the bootloader, by a copy", PART_TYPE_BOOTLOADER,
      PART_BOOTLOADER_PRIMARY, false, false, ESP_ERR_NOT_ALLOWED,
      "up to 4 sectors of it are erased and programmed, some 0.2 s" },
    { "the bootloader, in place", PART_TYPE_BOOTLOADER, PART_BOOTLOADER_PRIMARY,
      true, false, ESP_ERR_NOT_ALLOWED, "does not start" },
    { "the partition table", PART_TYPE_TABLE, PART_TABLE_PRIMARY, false, false,
      ESP_ERR_NOT_ALLOWED, "does not start" },
    { "a second bootloader", PART_TYPE_BOOTLOADER, PART_BOOTLOADER_OTA, false,
      false, ESP_ERR_OTA_VALIDATE_FAILED, "no firmware image" },
    { "the bootloader, accepted", PART_TYPE_BOOTLOADER, PART_BOOTLOADER_PRIMARY,
      false, true, ESP_ERR_OTA_VALIDATE_FAILED, "no firmware image" },
    { "files of the application", PART_TYPE_DATA, PART_DATA_LITTLEFS, false,
      false, ESP_OK, "" },
};

static void test_risks(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(risks); i++) {
        const struct risk_row *k = &risks[i];
        struct rig r;

        print_message("# %s\n", k->claim);
        rig_open(&r);
        rig_serve(&r, content, sizeof(content));
        row_mut(&r, "blob")->type = k->type;
        row_mut(&r, "blob")->subtype = k->subtype;
        stage(&r);
        if (k->in_place)
            r.opts.staging = r.opts.final;
        r.opts.accept_unsafe = k->accept;
        assert_int_equal(rig_update(&r, NULL), k->want);
        assert_non_null(strstr(r.diag.text, k->says));
        if (k->want == ESP_ERR_NOT_ALLOWED) {
            assert_int_equal(r.web.open_cnt, 0);
            assert_int_equal(sim_flash_ops(&r.flash), 0);
        }
        rig_close(&r);
    }
}

/* --- a new partition table ------------------------------------------------ */

struct table_row {
    const char *claim;
    const char *label; /* of the row that is another one in the new table */
    uint32_t off, len; /* len 0: it is left out */
    bool damaged;
    esp_err_t want;
    const char *says;
    uint8_t subtype; /* of "blob" on the device; 0: as it is */
};

static const struct table_row tables[] = {
    { "the key store moves", "blob", RIG_BLOB, 0x8000, false,
      ESP_ERR_OTA_VALIDATE_FAILED, "moves or drops blob", 0x70 },
    { "the fuses move", "blob", RIG_BLOB, 0x8000, false,
      ESP_ERR_OTA_VALIDATE_FAILED, "moves or drops blob", PART_DATA_EFUSE },
    { "what runs shrinks", "ota_0", RIG_SLOT_0, 0x10000, false,
      ESP_ERR_OTA_VALIDATE_FAILED, "moves or drops ota_0", 0 },
    { "the same again", "blob", RIG_BLOB, RIG_BLOB_LEN, false, ESP_OK, "", 0 },
    { "a partition grows", "blob", RIG_BLOB, 0x8000, false, ESP_OK, "", 0 },
    { "the other slot shrinks", "ota_1", RIG_SLOT_1, 0x10000, false, ESP_OK, "",
      0 },
    { "what runs moves", "ota_0", 0x20000, 0x10000, false,
      ESP_ERR_OTA_VALIDATE_FAILED, "moves or drops ota_0", 0 },
    { "what runs is left out", "ota_0", 0, 0, false,
      ESP_ERR_OTA_VALIDATE_FAILED, "moves or drops ota_0", 0 },
    { "the boot records move", "otadata", 0xB000, OTADATA_LEN, false,
      ESP_ERR_OTA_VALIDATE_FAILED, "moves or drops otadata", 0 },
    { "rows overlap", "blob", RIG_SLOT_1 + 0x1000, 0x1000, false,
      ESP_ERR_OTA_VALIDATE_FAILED, "overlaps", 0 },
    { "past the flash", "blob", RIG_FLASH_LEN, 0x1000, false,
      ESP_ERR_OTA_VALIDATE_FAILED, "is damaged", 0 },
    { "a byte is wrong", "blob", RIG_BLOB, RIG_BLOB_LEN, true,
      ESP_ERR_OTA_VALIDATE_FAILED, "is damaged", 0 },
};

static void make_table(const struct rig *r, const struct table_row *k,
                       uint8_t out[PART_TABLE_MAX_LEN])
{
    static struct part_table t;

    t.cnt = 0;
    for (uint32_t i = 0; i < r->parts.table.cnt; i++) {
        struct part_entry e = r->parts.table.entries[i];
        if (strcmp(e.label, k->label) == 0) {
            if (k->len == 0)
                continue;
            e.off = k->off;
            e.len = k->len;
        }
        t.entries[t.cnt++] = e;
    }
    part_table_pack(&t, out);
    out[13] ^= k->damaged;
}

static void test_tables(void **state)
{
    static const struct part_entry table = { .type = PART_TYPE_TABLE,
                                             .off = PART_TABLE_OFF,
                                             .len = 0x1000,
                                             .label = "table" };

    (void)state;
    for (size_t i = 0; i < CNT(tables); i++) {
        const struct table_row *k = &tables[i];
        uint8_t bytes[PART_TABLE_MAX_LEN], old[PART_TABLE_MAX_LEN];
        struct rig r;

        print_message("# %s\n", k->claim);
        rig_open(&r);
        make_table(&r, k, bytes);
        if (k->subtype)
            row_mut(&r, "blob")->subtype = k->subtype;
        memcpy(old, rig_bytes(&r, PART_TABLE_OFF), sizeof(old));
        rig_serve(&r, bytes, sizeof(bytes));
        stage(&r);
        r.opts.final = &table;
        r.opts.accept_unsafe = true;
        assert_int_equal(rig_update(&r, NULL), k->want);
        assert_non_null(strstr(r.diag.text, k->says));
        assert_memory_equal(rig_bytes(&r, PART_TABLE_OFF),
                            k->want ? old : bytes, sizeof(bytes));
        rig_close(&r);
    }
}

/* What is no table is known by its first bytes, before anything is erased. */
static void test_no_table(void **state)
{
    static const struct part_entry table = { .type = PART_TYPE_TABLE,
                                             .off = PART_TABLE_OFF,
                                             .len = 0x1000,
                                             .label = "table" };
    static const struct {
        const char *claim, *file;
        size_t len;
        const char *says;
    } files[] = {
        { "a page", "<html>", 6, "it begins with 3c 68 instead of aa 50" },
        { "its first letter alone", "\xAA<", 2, "it begins with aa 3c" },
        { "a byte", "\xAA", 1, "is damaged" },
        { "the beginning of one", "\xAA\x50", 2, "is damaged" },
    };

    (void)state;
    for (size_t i = 0; i < CNT(files); i++) {
        struct rig r;
        uint8_t old[PART_TABLE_MAX_LEN];

        print_message("# %s\n", files[i].claim);
        rig_open(&r);
        memcpy(old, rig_bytes(&r, PART_TABLE_OFF), sizeof(old));
        rig_serve(&r, files[i].file, files[i].len);
        stage(&r);
        r.opts.final = &table;
        r.opts.accept_unsafe = true;
        assert_int_equal(rig_update(&r, NULL), ESP_ERR_OTA_VALIDATE_FAILED);
        assert_non_null(strstr(r.diag.text, files[i].says));
        if (strstr(r.diag.text, "begins"))
            assert_int_equal(sim_flash_ops(&r.flash), 0);
        assert_memory_equal(rig_bytes(&r, PART_TABLE_OFF), old, sizeof(old));
        rig_close(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_staged_data_never_boots),
        cmocka_unit_test(test_goes_on_from_a_checkpoint),
        cmocka_unit_test(test_is_finished_later),
        cmocka_unit_test(test_is_finished_by_the_next_session),
        cmocka_unit_test(test_cannot_be_finished),
        cmocka_unit_test(test_what_was_staged_is_gone),
        cmocka_unit_test(test_an_old_note),
        cmocka_unit_test(test_an_image_is_not_accepted_any_more),
        cmocka_unit_test(test_the_table_changed),
        cmocka_unit_test(test_no_memory_to_finish),
        cmocka_unit_test(test_a_note_that_cannot_be_read),
        cmocka_unit_test(test_no_store),
        cmocka_unit_test(test_notes),
        cmocka_unit_test(test_risks),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_no_table),
    };

    return cmocka_run_group_tests_name("final", tests, NULL, NULL);
}
