/* Access to a partition: its ranges, readonly ones, generations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "part/csv.h"
#include "part/part.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define FLASH_LEN 0x400000u
#define SECTOR 0x1000u

/* Records what reaches the flash; bytes are kept for the table's sector only.
 */
struct fake {
    uint8_t table[SECTOR];
    esp_err_t err; /* answer of prog and erase */
    unsigned read_cnt, prog_cnt, erase_cnt;
    uint32_t off;
    size_t len;
};

static esp_err_t fake_read(void *ctx, uint32_t off, void *dst, size_t len)
{
    struct fake *f = ctx;

    f->read_cnt++;
    f->off = off;
    f->len = len;
    if (off > FLASH_LEN || len > FLASH_LEN - off)
        return ESP_ERR_INVALID_SIZE;
    memset(dst, 0xFF, len);
    if (off == PART_TABLE_OFF && len <= sizeof(f->table))
        memcpy(dst, f->table, len);
    return ESP_OK;
}

static esp_err_t fake_prog(void *ctx, uint32_t off, const void *src, size_t len)
{
    struct fake *f = ctx;

    (void)src;
    f->prog_cnt++;
    f->off = off;
    f->len = len;
    return f->err;
}

static esp_err_t fake_erase(void *ctx, uint32_t off)
{
    struct fake *f = ctx;

    f->erase_cnt++;
    f->off = off;
    return f->err;
}

struct bed {
    struct fake fake;
    struct port_flash flash;
    struct part_dev dev;
};

static void bed_init(struct bed *b)
{
    struct part_table t;

    memset(b, 0, sizeof(*b));
    b->flash = (struct port_flash){
        .ctx = &b->fake,
        .size_len = FLASH_LEN,
        .erase_len = SECTOR,
        .prog_len = 1,
        .page_len = 256,
        .read = fake_read,
        .prog = fake_prog,
        .erase = fake_erase,
    };
    assert_int_equal(part_builtin("two_ota", &(struct part_rules){ 0 }, &t),
                     ESP_OK);
    memset(b->fake.table, 0xFF, sizeof(b->fake.table));
    part_table_pack(&t, b->fake.table);
    assert_int_equal(part_dev_open(&b->dev, &b->flash, PART_TABLE_OFF), ESP_OK);
}

static void test_open(void **state)
{
    struct bed b;

    (void)state;
    bed_init(&b);
    assert_int_equal(b.dev.table.cnt, 6);
    assert_int_equal(b.dev.table_off, PART_TABLE_OFF);

    assert_int_equal(part_dev_open(&b.dev, &b.flash, 0x10000),
                     ESP_ERR_NOT_FOUND);
    assert_int_equal(part_dev_open(&b.dev, &b.flash, FLASH_LEN - 0x100),
                     ESP_ERR_INVALID_SIZE);
    b.fake.table[5] ^= 1;
    assert_int_equal(part_dev_open(&b.dev, &b.flash, PART_TABLE_OFF),
                     ESP_ERR_INVALID_STATE);
    assert_int_equal(b.dev.table.cnt, 0);
    b.fake.table[5] ^= 1;
    b.flash.size_len = 0x200000;
    assert_int_equal(part_dev_open(&b.dev, &b.flash, PART_TABLE_OFF),
                     ESP_ERR_INVALID_SIZE);
}

/* otadata: 0x2000 bytes at 0xD000. */
static void test_ranges(void **state)
{
    static const struct {
        const char *claim;
        uint32_t off;
        size_t len;
        esp_err_t err;
        bool reaches; /* the flash is asked */
    } rows[] = {
        { "the first byte", 0, 1, ESP_OK, true },
        { "all of it", 0, 0x2000, ESP_OK, true },
        { "the last byte", 0x1FFF, 1, ESP_OK, true },
        { "no byte at its end", 0x2000, 0, ESP_OK, false },
        { "one byte more", 0, 0x2001, ESP_ERR_INVALID_SIZE, false },
        { "across its end", 0x1FFF, 2, ESP_ERR_INVALID_SIZE, false },
        { "at its end", 0x2000, 1, ESP_ERR_INVALID_SIZE, false },
        { "a length that wraps", 8, SIZE_MAX, ESP_ERR_INVALID_SIZE, false },
        { "past its end", 0x2001, 0, ESP_ERR_INVALID_ARG, false },
        { "far past its end", UINT32_MAX, 1, ESP_ERR_INVALID_ARG, false },
    };
    static uint8_t buf[0x2000];
    struct bed b;

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        const struct part_entry *e;

        print_message("# %s\n", rows[i].claim);
        bed_init(&b);
        e = &b.dev.table.entries[1];
        b.fake.read_cnt = 0;
        assert_int_equal(part_read(&b.dev, e, rows[i].off, buf, rows[i].len),
                         rows[i].err);
        assert_int_equal(b.fake.read_cnt, rows[i].reaches);
        if (rows[i].reaches) {
            assert_int_equal(b.fake.off, 0xD000 + rows[i].off);
            assert_int_equal(b.fake.len, rows[i].len);
        }
        b.fake.off = 0;
        assert_int_equal(part_prog(&b.dev, e, rows[i].off, buf, rows[i].len),
                         rows[i].err);
        assert_int_equal(b.fake.prog_cnt, rows[i].reaches);
        if (rows[i].reaches) {
            assert_int_equal(b.fake.off, 0xD000 + rows[i].off);
            assert_int_equal(b.fake.len, rows[i].len);
        }
        assert_int_equal(part_gen(&b.dev, e) != 0, rows[i].reaches);
    }
}

static void test_erase(void **state)
{
    static const struct {
        const char *claim;
        uint32_t off;
        esp_err_t err;
    } rows[] = {
        { "the first sector", 0, ESP_OK },
        { "the last sector", SECTOR, ESP_OK },
        { "not at a sector's start", 4, ESP_ERR_INVALID_ARG },
        { "no sector is left", 2 * SECTOR, ESP_ERR_INVALID_SIZE },
        { "half a sector is left", SECTOR + 0x800, ESP_ERR_INVALID_SIZE },
        { "past its end", 2 * SECTOR + 1, ESP_ERR_INVALID_ARG },
    };
    struct bed b;

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        const struct part_entry *e;

        print_message("# %s\n", rows[i].claim);
        bed_init(&b);
        e = &b.dev.table.entries[1];
        assert_int_equal(part_erase_sector(&b.dev, e, rows[i].off),
                         rows[i].err);
        assert_int_equal(b.fake.erase_cnt, rows[i].err ? 0 : 1);
        if (!rows[i].err)
            assert_int_equal(b.fake.off, 0xD000 + rows[i].off);
        assert_int_equal(part_gen(&b.dev, e) != 0, !rows[i].err);
    }
}

static void test_readonly(void **state)
{
    struct bed b;
    struct part_entry e;
    uint8_t byte = 0;

    (void)state;
    bed_init(&b);
    e = b.dev.table.entries[0];
    e.flags = PART_FLAG_READONLY;
    assert_int_equal(part_prog(&b.dev, &e, UINT32_MAX, &byte, 1),
                     ESP_ERR_NOT_ALLOWED);
    assert_int_equal(part_erase_sector(&b.dev, &e, 1), ESP_ERR_NOT_ALLOWED);
    assert_int_equal(b.fake.prog_cnt + b.fake.erase_cnt, 0);
    assert_int_equal(part_read(&b.dev, &e, 0, &byte, 1), ESP_OK);
}

static void test_up_to_the_end_of_the_flash(void **state)
{
    struct bed b;
    struct part_entry e = { .off = FLASH_LEN - SECTOR, .len = SECTOR };
    uint8_t byte = 0;

    (void)state;
    bed_init(&b);
    assert_int_equal(part_read(&b.dev, &e, SECTOR - 1, &byte, 1), ESP_OK);
    assert_int_equal(part_erase_sector(&b.dev, &e, 0), ESP_OK);
    assert_int_equal(part_extra_add(&b.dev, &e), ESP_OK);
}

/* An entry that no table checked cannot reach past the flash, nor around it. */
static void test_foreign_entry(void **state)
{
    static const struct part_entry rows[] = {
        { .off = FLASH_LEN, .len = 0x1000, .label = "behind" },
        { .off = 0x1000, .len = FLASH_LEN, .label = "too long" },
        { .off = 0xFFFFF000u, .len = 0x9000, .label = "wraps" },
    };
    struct bed b;
    uint8_t byte = 0;

    (void)state;
    bed_init(&b);
    b.fake.read_cnt = 0;
    for (size_t i = 0; i < CNT(rows); i++) {
        print_message("# %s\n", rows[i].label);
        assert_int_equal(part_read(&b.dev, &rows[i], 0x800, &byte, 1),
                         ESP_ERR_INVALID_SIZE);
        assert_int_equal(part_prog(&b.dev, &rows[i], 0x800, &byte, 1),
                         ESP_ERR_INVALID_SIZE);
        assert_int_equal(part_erase_sector(&b.dev, &rows[i], 0),
                         ESP_ERR_INVALID_SIZE);
    }
    assert_int_equal(b.fake.read_cnt + b.fake.prog_cnt + b.fake.erase_cnt, 0);
}

/* --- generations ---------------------------------------------------------- */

static void test_gen_of_touched_only(void **state)
{
    struct bed b;
    uint8_t byte = 0;
    uint32_t gen;

    (void)state;
    bed_init(&b);
    assert_int_equal(part_erase_sector(&b.dev, &b.dev.table.entries[4], 0),
                     ESP_OK);
    for (uint32_t i = 0; i < b.dev.table.cnt; i++)
        assert_int_equal(part_gen(&b.dev, &b.dev.table.entries[i]) != 0,
                         i == 4);
    gen = part_gen(&b.dev, &b.dev.table.entries[4]);
    assert_int_equal(part_prog(&b.dev, &b.dev.table.entries[4], 0, &byte, 1),
                     ESP_OK);
    assert_int_not_equal(part_gen(&b.dev, &b.dev.table.entries[4]), gen);
}

static void test_gen_rises_when_the_flash_fails(void **state)
{
    struct bed b;
    const struct part_entry *e;
    uint8_t byte = 0;
    uint32_t gen;

    (void)state;
    bed_init(&b);
    e = &b.dev.table.entries[4];
    b.fake.err = ESP_ERR_FLASH_OP_FAIL;
    assert_int_equal(part_prog(&b.dev, e, 0, &byte, 1), ESP_ERR_FLASH_OP_FAIL);
    gen = part_gen(&b.dev, e);
    assert_int_not_equal(gen, 0);
    assert_int_equal(part_erase_sector(&b.dev, e, 0), ESP_ERR_FLASH_OP_FAIL);
    assert_int_not_equal(part_gen(&b.dev, e), gen);
}

/* A write through another name of the same bytes counts. */
static void test_gen_of_overlapping_entry(void **state)
{
    struct bed b;
    struct part_entry part_of_slot = { .off = 0x110000 + 0x4000,
                                       .len = 0x1000,
                                       .label = "inside" };
    struct part_entry elsewhere = { .off = 0x310000,
                                    .len = 0x1000,
                                    .label = "elsewhere" };
    uint8_t byte = 0;
    uint32_t gen;

    (void)state;
    bed_init(&b);
    assert_int_equal(part_prog(&b.dev, &part_of_slot, 0, &byte, 1), ESP_OK);
    gen = part_gen(&b.dev, &b.dev.table.entries[4]);
    assert_int_not_equal(gen, 0);
    assert_int_equal(part_gen(&b.dev, &b.dev.table.entries[3]), 0);
    assert_int_equal(part_gen(&b.dev, &b.dev.table.entries[5]), 0);

    assert_int_equal(part_prog(&b.dev, &elsewhere, 0, &byte, 1), ESP_OK);
    assert_int_equal(part_gen(&b.dev, &b.dev.table.entries[4]), gen);
    /* Of an entry that is not listed, any write counts. */
    gen = part_gen(&b.dev, &part_of_slot);
    assert_int_equal(part_erase_sector(&b.dev, &elsewhere, 0), ESP_OK);
    assert_int_not_equal(part_gen(&b.dev, &part_of_slot), gen);
}

/* --- entries registered at run time --------------------------------------- */

static struct part_entry extra(uint32_t off)
{
    return (struct part_entry){
        .type = PART_TYPE_DATA, .off = off, .len = 0x1000, .label = "extra"
    };
}

static void test_extra(void **state)
{
    struct bed b;
    struct part_entry e = extra(0x310000);
    struct part_entry bad;

    (void)state;
    bed_init(&b);
    assert_int_equal(part_extra_add(&b.dev, &e), ESP_OK);
    assert_int_equal(part_extra_add(&b.dev, &e), ESP_ERR_INVALID_ARG);
    bad = extra(0x30F000);
    assert_int_equal(part_extra_add(&b.dev, &bad), ESP_ERR_INVALID_ARG);
    bad = extra(FLASH_LEN - 0x800);
    assert_int_equal(part_extra_add(&b.dev, &bad), ESP_ERR_INVALID_SIZE);
    bad = extra(0xFFFFF000u);
    assert_int_equal(part_extra_add(&b.dev, &bad), ESP_ERR_INVALID_SIZE);
    for (uint32_t i = 1; i < PART_EXTRA_ENTRIES; i++) {
        e = extra(0x310000 + i * 0x1000);
        assert_int_equal(part_extra_add(&b.dev, &e), ESP_OK);
    }
    e = extra(0x3F0000);
    assert_int_equal(part_extra_add(&b.dev, &e), ESP_ERR_NO_MEM);
    assert_int_equal(b.dev.extra_cnt, PART_EXTRA_ENTRIES);
    assert_int_equal(part_extra_remove(&b.dev, PART_EXTRA_ENTRIES),
                     ESP_ERR_NOT_FOUND);
    assert_int_equal(part_extra_remove(&b.dev, 0), ESP_OK);
    assert_int_equal(b.dev.extra_cnt, PART_EXTRA_ENTRIES - 1);
    assert_int_equal(b.dev.extra[0].off, 0x311000);
}

static void test_extra_gen(void **state)
{
    struct bed b;
    struct part_entry first = extra(0x310000);
    struct part_entry second = extra(0x320000);
    uint32_t gen, gen_second;
    uint8_t byte = 0;

    (void)state;
    bed_init(&b);
    assert_int_equal(part_extra_add(&b.dev, &first), ESP_OK);
    assert_int_equal(part_extra_add(&b.dev, &second), ESP_OK);
    assert_int_equal(part_prog(&b.dev, &second, 0, &byte, 1), ESP_OK);
    gen_second = part_gen(&b.dev, &second);
    gen = part_gen(&b.dev, &first);
    assert_int_not_equal(gen, gen_second);

    /* Out and in again: nobody saw what was written meanwhile. */
    assert_int_equal(part_extra_remove(&b.dev, 0), ESP_OK);
    assert_int_equal(part_gen(&b.dev, &second), gen_second);
    assert_int_equal(part_extra_add(&b.dev, &first), ESP_OK);
    assert_int_not_equal(part_gen(&b.dev, &first), gen);

    /* What is out has no generation of its own: any write counts. */
    assert_int_equal(part_extra_remove(&b.dev, 1), ESP_OK);
    gen = part_gen(&b.dev, &first);
    assert_int_equal(part_erase_sector(&b.dev, &second, 0), ESP_OK);
    assert_int_not_equal(part_gen(&b.dev, &first), gen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_erase),
        cmocka_unit_test(test_readonly),
        cmocka_unit_test(test_up_to_the_end_of_the_flash),
        cmocka_unit_test(test_foreign_entry),
        cmocka_unit_test(test_gen_of_touched_only),
        cmocka_unit_test(test_gen_rises_when_the_flash_fails),
        cmocka_unit_test(test_gen_of_overlapping_entry),
        cmocka_unit_test(test_extra),
        cmocka_unit_test(test_extra_gen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
