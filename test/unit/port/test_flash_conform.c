/* The contract of port/flash.h, asked of every port that runs on this
 * machine. A row is one call on a flash that holds a known pattern. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "linux_flash.h"
#include "sim_flash.h"

#define LEN 0x10000u
#define SECTOR 4096u

struct flash_under_test {
    const struct port_flash *port;
    struct linux_flash lin;
    struct sim_flash sim;
    char path[64];
};

static int setup_sim(void **state)
{
    struct flash_under_test *t = calloc(1, sizeof(*t));
    assert_non_null(t);
    assert_int_equal(sim_flash_init(&t->sim, NULL), ESP_OK);
    t->lin.fd = -1;
    t->port = &t->sim.port;
    *state = t;
    return 0;
}

static int setup_linux(void **state)
{
    struct flash_under_test *t = calloc(1, sizeof(*t));
    assert_non_null(t);
    strcpy(t->path, "/tmp/porta-flash-XXXXXX");
    int fd = mkstemp(t->path);
    assert_true(fd >= 0);
    close(fd);
    unlink(t->path);
    assert_int_equal(linux_flash_create(&t->lin, t->path, LEN, NULL), ESP_OK);
    t->port = &t->lin.port;
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    struct flash_under_test *t = *state;
    linux_flash_close(&t->lin);
    sim_flash_deinit(&t->sim);
    if (t->path[0])
        unlink(t->path);
    free(t);
    return 0;
}

static uint8_t byte_at(const struct port_flash *f, uint32_t off)
{
    uint8_t byte = 0;
    assert_int_equal(f->read(f->ctx, off, &byte, 1), ESP_OK);
    return byte;
}

static void fill(const struct port_flash *f, uint32_t off, uint8_t value,
                 uint32_t len)
{
    uint8_t *bytes = malloc(len);
    assert_non_null(bytes);
    memset(bytes, value, len);
    assert_int_equal(f->prog(f->ctx, off, bytes, len), ESP_OK);
    free(bytes);
}

static void test_geometry(void **state)
{
    const struct port_flash *f = ((struct flash_under_test *)*state)->port;
    assert_int_equal(f->size_len, LEN);
    assert_int_equal(f->erase_len, SECTOR);
    assert_int_equal(f->prog_len, 1);
    assert_int_equal(f->page_len, 256);
    assert_false(f->prog_once);
    for (uint32_t off = 0; off < LEN; off += 511)
        assert_int_equal(byte_at(f, off), 0xff);
}

/* One program of `len` equal bytes at `off`, over bytes that hold `have`. */
static const struct prog_row {
    const char *claim;
    uint32_t off;
    uint32_t len;
    uint8_t have;
    uint8_t want;
    esp_err_t err;
} prog_rows[] = {
    { "ones become zeros", 0x100, 3, 0xff, 0x5a, ESP_OK },
    { "the same value again is fine", 0x100, 64, 0x5a, 0x5a, ESP_OK },
    { "more bits may clear", 0x101, 300, 0xf0, 0x30, ESP_OK },
    { "nothing is a legal program", 0x100, 0, 0xff, 0x00, ESP_OK },
    { "a bit never rises", 0x100, 1, 0xf0, 0xf1, ESP_ERR_FLASH_OP_FAIL },
    { "nor in a long program", 0x100, 777, 0x0f, 0xff, ESP_ERR_FLASH_OP_FAIL },
    { "nor across a sector border", 0x0ff0, 32, 0x7f, 0x80,
      ESP_ERR_FLASH_OP_FAIL },
    { "the last byte belongs to the flash", LEN - 1, 1, 0xff, 0, ESP_OK },
    { "one more does not", LEN - 1, 2, 0xff, 0, ESP_ERR_INVALID_SIZE },
    { "an offset past the end", LEN, 1, 0xff, 0, ESP_ERR_INVALID_SIZE },
    { "an offset far past the end", 0xffffffff, 4, 0xff, 0,
      ESP_ERR_INVALID_SIZE },
};

static void run_prog_row(const struct port_flash *f, const struct prog_row *r)
{
    uint8_t bytes[1024];
    for (uint32_t off = 0; off < LEN; off += SECTOR)
        assert_int_equal(f->erase(f->ctx, off), ESP_OK);
    if (r->have != 0xff)
        fill(f, r->off, r->have, r->len);
    memset(bytes, r->want, sizeof(bytes));
    esp_err_t err = f->prog(f->ctx, r->off, bytes, r->len);
    if (err != r->err)
        fail_msg("%s: error 0x%x, expected 0x%x", r->claim, err, r->err);
    uint8_t expected = r->err ? r->have : r->want;
    for (uint32_t i = 0; i < r->len && r->off < LEN - i; i++)
        if (byte_at(f, r->off + i) != expected)
            fail_msg("%s: byte %u holds 0x%02x, expected 0x%02x", r->claim, i,
                     byte_at(f, r->off + i), expected);
}

static void test_prog(void **state)
{
    const struct port_flash *f = ((struct flash_under_test *)*state)->port;
    for (size_t i = 0; i < sizeof(prog_rows) / sizeof(prog_rows[0]); i++)
        run_prog_row(f, &prog_rows[i]);
}

/* One rising bit is found wherever it is in a program of any length. */
static void test_prog_finds_each_byte(void **state)
{
    const struct port_flash *f = ((struct flash_under_test *)*state)->port;
    uint8_t bytes[200];
    fill(f, 0x2000, 0x00, sizeof(bytes));
    for (uint32_t len = 1; len <= sizeof(bytes); len += 13) {
        for (uint32_t bad = 0; bad < len; bad++) {
            memset(bytes, 0, sizeof(bytes));
            bytes[bad] = 0x10;
            assert_int_equal(f->prog(f->ctx, 0x2000, bytes, len),
                             ESP_ERR_FLASH_OP_FAIL);
        }
    }
}

static const struct {
    const char *claim;
    uint32_t off;
    esp_err_t err;
} erase_rows[] = {
    { "the first sector", 0, ESP_OK },
    { "the last sector", LEN - SECTOR, ESP_OK },
    { "not the middle of one", 0x1001, ESP_ERR_INVALID_ARG },
    { "not half a page either", 0x1080, ESP_ERR_INVALID_ARG },
    { "not past the end", LEN, ESP_ERR_INVALID_SIZE },
    { "not beyond 4 GiB", 0xfffff000, ESP_ERR_INVALID_SIZE },
};

static void test_erase(void **state)
{
    const struct port_flash *f = ((struct flash_under_test *)*state)->port;
    for (size_t i = 0; i < sizeof(erase_rows) / sizeof(erase_rows[0]); i++) {
        fill(f, 0, 0, LEN);
        esp_err_t err = f->erase(f->ctx, erase_rows[i].off);
        if (err != erase_rows[i].err)
            fail_msg("%s: error 0x%x", erase_rows[i].claim, err);
        for (uint32_t at = 0; at < LEN; at += 64) {
            bool inside = !err && at / SECTOR == erase_rows[i].off / SECTOR;
            assert_int_equal(byte_at(f, at), inside ? 0xff : 0x00);
        }
        for (uint32_t at = 0; at < LEN; at += SECTOR)
            assert_int_equal(f->erase(f->ctx, at), ESP_OK);
    }
}

static void test_read_bounds(void **state)
{
    const struct port_flash *f = ((struct flash_under_test *)*state)->port;
    uint8_t bytes[4];
    assert_int_equal(f->read(f->ctx, LEN - 4, bytes, 4), ESP_OK);
    assert_int_equal(f->read(f->ctx, LEN, bytes, 0), ESP_OK);
    assert_int_equal(f->read(f->ctx, LEN - 3, bytes, 4), ESP_ERR_INVALID_SIZE);
    assert_int_equal(f->read(f->ctx, 0xfffffffe, bytes, 4),
                     ESP_ERR_INVALID_SIZE);
}

#define ON(port, test)                                      \
    {                                                       \
#test "_" #port, test, setup_##port, teardown, NULL \
    }
#define ON_BOTH(test) ON(sim, test), ON(linux, test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_geometry),
        ON_BOTH(test_prog),
        ON_BOTH(test_prog_finds_each_byte),
        ON_BOTH(test_erase),
        ON_BOTH(test_read_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
