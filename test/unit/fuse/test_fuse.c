/* The fields of each chip as reference 4.2 and 4.4 have them, and what a row of
 * bits means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "fuse/fuse.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* Which byte of the dump, and which bits from there on, version `all` sets. */
static const struct {
    uint16_t chip_id;
    uint32_t dump_len, word_off, all;
} fields[] = {
    { 0x0000, 128, 112, 0xFFFFFFFF }, /* ESP32: word 4 of block 3 */
    { 0x000C, 128, 4, 0x03C00000 },   /* C2: bits 54..57 */
    { 0x0017, 352, 16, 0x0003FE00 },  /* C5: 137..145 */
    { 0x0005, 352, 16, 0x3FFFC000 },  /* C3: bits 14..29 of word 4 */
    { 0x0009, 352, 16, 0x3FFFC000 },  /* S3 */
    { 0x000D, 352, 16, 0x3FFFC000 },  /* C6 */
    { 0x0002, 352, 16, 0x07FFF800 },  /* S2: 139.. */
    { 0x0010, 352, 16, 0x01FFFE00 },  /* H2: 137.. */
    { 0x0019, 352, 16, 0x01FFFE00 },  /* H21 */
    { 0x0012, 352, 16, 0x01FFFE00 },  /* P4 */
    { 0x001C, 352, 16, 0x007FFF80 },  /* H4: 135.. */
    { 0x0014, 352, 12, 0x00FFFF00 },  /* C61: 104.. */
    { 0x0020, 396, 20, 0x0000FFFF },  /* S31: 160.., nine words a block */
    { 0x7F01, 352, 16, 0x3FFFC000 },  /* qemu_virt_rv32 */
    { 0xFFFF, 352, 16, 0x3FFFC000 },  /* linux */
};

static uint32_t ones(uint32_t cnt)
{
    return cnt >= 32 ? UINT32_MAX : (1u << cnt) - 1;
}

static void test_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(fields); i++) {
        const struct fuse_field *f = fuse_field_find(fields[i].chip_id);
        uint8_t dump[FUSE_DUMP_MAX] = { 0 }, want[FUSE_DUMP_MAX] = { 0 };

        assert_non_null(f);
        assert_int_equal(fuse_dump_len(f), fields[i].dump_len);
        assert_true(fuse_dump_len(f) <= FUSE_DUMP_MAX);
        fuse_dump_burn(f, dump, ones(f->bit_cnt));
        for (unsigned b = 0; b < 4; b++)
            want[fields[i].word_off + b] = (uint8_t)(fields[i].all >> 8 * b);
        assert_memory_equal(dump, want, sizeof(dump));
        assert_int_equal(fuse_dump_get(f, dump), ones(f->bit_cnt));
    }
    assert_null(fuse_field_find(0x001F)); /* ESP32-E22 */
}

/* Burning keeps what is there, in the field and beside it. */
static void test_burning_adds(void **state)
{
    const struct fuse_field *f = fuse_field_find(0x0005);
    uint8_t dump[FUSE_DUMP_MAX];

    (void)state;
    memset(dump, 0, sizeof(dump));
    dump[16] = 0x81; /* bits of other fields in the same word */
    dump[19] = 0xC0;
    fuse_dump_burn(f, dump, 1);
    fuse_dump_burn(f, dump, 4);
    assert_int_equal(dump[16], 0x81);
    assert_int_equal(dump[17], 0x40);
    assert_int_equal(dump[18], 0x01);
    assert_int_equal(dump[19], 0xC0);
    assert_int_equal(fuse_version(fuse_dump_get(f, dump), f->bit_cnt), 2);
}

static const struct {
    const char *claim;
    uint32_t bits, bit_cnt, version, want, mask;
} versions[] = {
    { "nothing is burnt", 0, 16, 0, 0, 0 },
    { "each burnt bit counts", 7, 16, 3, 3, 0 },
    { "bits beyond the field do not", 0xFFFF0003, 16, 2, 2, 0 },
    { "a smaller field sees less", 0xFF, 4, 4, 4, 0 },
    { "from the lowest bit on", 1, 16, 3, 1, 6 },
    { "a gap is filled first, so that each version costs a bit", 5, 16, 3, 2,
      2 },
    { "a lower version burns nothing", 7, 16, 2, 3, 0 },
    { "all 32 of the ESP32", 0x7FFFFFFF, 32, 32, 31, 0x80000000 },
    { "more than the field holds: what it holds", 3, 4, 9, 2, 0xC },
    { "a full field stays full", 0xF, 4, 5, 4, 0 },
    { "of a longer field one word", 0xFFFFFFFF, 40, 33, 32, 0 },
    { "no field", 0, 0, 1, 0, 0 },
};

static void test_versions(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(versions); i++)
        if (fuse_version(versions[i].bits, versions[i].bit_cnt) !=
                versions[i].want ||
            fuse_to_burn(versions[i].bits, versions[i].bit_cnt,
                         versions[i].version) != versions[i].mask)
            fail_msg("not so: %s", versions[i].claim);
}

/* --- a port --------------------------------------------------------------- */

struct chip {
    struct port_fuse port;
    uint32_t bits, burns;
    esp_err_t err;
};

static esp_err_t chip_read(void *ctx, uint32_t *bits)
{
    const struct chip *c = ctx;
    *bits = c->bits;
    return c->err;
}

static esp_err_t chip_burn(void *ctx, uint32_t mask)
{
    struct chip *c = ctx;
    c->burns++;
    c->bits |= mask;
    return ESP_OK;
}

static void test_a_port(void **state)
{
    struct chip c = { { &c, 4, chip_read, chip_burn }, 0, 0, ESP_OK };
    struct port_fuse none = { NULL, 0, NULL, NULL };
    uint32_t v = 0;

    (void)state;
    assert_int_equal(fuse_read_version(NULL, &v), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(v, UINT32_MAX);
    assert_int_equal(fuse_read_version(&none, &v), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(fuse_raise(&none, 1), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(fuse_read_version(&c.port, &v), ESP_OK);
    assert_int_equal(v, 0);
    assert_int_equal(fuse_raise(&c.port, 2), ESP_OK);
    assert_int_equal(c.bits, 3);
    assert_int_equal(fuse_raise(&c.port, 1), ESP_OK); /* and finishes a cut */
    assert_int_equal(c.burns, 2);
    assert_int_equal(c.bits, 3);
    assert_int_equal(fuse_raise(&c.port, 100), ESP_OK);
    assert_int_equal(c.bits, 15);
    c.err = ESP_ERR_INVALID_CRC;
    assert_int_equal(fuse_read_version(&c.port, &v), ESP_ERR_INVALID_CRC);
    assert_int_equal(v, UINT32_MAX);
    assert_int_equal(fuse_raise(&c.port, 100), ESP_ERR_INVALID_CRC);
    assert_int_equal(c.burns, 3);
}

/* Asked once more before the start. */
static void test_forbids(void **state)
{
    static const struct {
        const char *claim;
        uint32_t bits, bit_cnt, version;
        esp_err_t err;
        bool want;
    } rows[] = {
        { "nothing is burnt", 0, 16, 0, ESP_OK, false },
        { "as many as are burnt", 7, 16, 3, ESP_OK, false },
        { "one less", 7, 16, 2, ESP_OK, true },
        { "one more", 7, 16, 4, ESP_OK, false },
        { "the largest version", 7, 16, UINT32_MAX, ESP_OK, false },
        { "above the sign's bit", 7, 16, 0x80000000, ESP_OK, false },
        { "gaps count as nothing", 0x8005, 16, 2, ESP_OK, true },
        { "bits beyond the field do not count", 0xFFFF0003, 16, 2, ESP_OK,
          false },
        { "all 32", UINT32_MAX, 32, 32, ESP_OK, false },
        { "all 32, one less", UINT32_MAX, 32, 31, ESP_OK, true },
        { "fuses that cannot be read forbid everything", 0, 16, 100,
          ESP_ERR_INVALID_CRC, true },
        { "... and so does a field of no bits", 0, 0, 100, ESP_OK, true },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct chip c = { { &c, rows[i].bit_cnt, chip_read, chip_burn },
                          rows[i].bits,
                          0,
                          rows[i].err };
        if ((fuse_forbids(&c.port, rows[i].version) != 0) != rows[i].want)
            fail_msg("not so: %s", rows[i].claim);
    }
    assert_int_not_equal(fuse_forbids(NULL, 100), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),   cmocka_unit_test(test_burning_adds),
        cmocka_unit_test(test_versions), cmocka_unit_test(test_a_port),
        cmocka_unit_test(test_forbids),
    };
    return cmocka_run_group_tests_name("fuse", tests, NULL, NULL);
}
