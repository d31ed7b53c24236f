/* Partitions that are not as a store leaves them: blank, full of noise, of
 * another version, truncated, read-only, damaged here and there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32.h"
#include "base/le.h"
#include "rig.h"

/* --- builders: raw bytes -------------------------------------------------- */

struct page {
    uint8_t *at;
    uint32_t next;
};

static struct page page_put(struct rig *r, uint32_t idx, uint32_t state,
                            uint32_t seq)
{
    struct page p = { r->sim.bytes + idx * KV_PAGE_LEN, 0 };

    kv_head_pack(state, seq, p.at);
    return p;
}

/* Returns the slot. */
static uint32_t item_put(struct page *p, struct kv_entry e, const void *bytes)
{
    uint8_t *raw = p->at + KV_SLOTS_OFF + p->next * KV_SLOT_LEN;
    uint32_t idx = p->next;

    kv_entry_pack(&e, raw);
    if (bytes)
        memcpy(raw + KV_SLOT_LEN, bytes, kv_entry_payload(&e).len);
    for (uint32_t i = 0; i < e.span; i++)
        kv_bits_and(p->at + KV_BITS_OFF, idx + i, KV_SLOT_WRITTEN);
    p->next += e.span;
    return idx;
}

static struct kv_entry number(uint8_t ns, const char *key, uint64_t num)
{
    struct kv_entry e = kv_entry_of(ns, KV_TYPE_U8, key);

    kv_entry_set_number(&e, num);
    return e;
}

static struct kv_entry bytes(uint8_t type, const char *key, const char *text)
{
    struct kv_entry e = kv_entry_of(1, type, key);

    kv_entry_set_payload(&e, span_of(text, strlen(text) + 1));
    return e;
}

static struct kv_entry chunk(const char *key, uint8_t no, const char *text)
{
    struct kv_entry e = bytes(KV_TYPE_CHUNK, key, text);

    e.chunk = no;
    return e;
}

static struct kv_entry index_of(const char *key, struct kv_index index)
{
    struct kv_entry e = kv_entry_of(1, KV_TYPE_INDEX, key);

    kv_entry_set_index(&e, &index);
    return e;
}

static void mounted(struct rig *r, struct kv_ns *ns)
{
    assert_int_equal(rig_mount(r), ESP_OK);
    assert_int_equal(kv_open(r->kv, "app", false, ns), ESP_OK);
}

static void check_u8(const struct kv_ns *ns, const char *key, uint64_t want)
{
    uint64_t num;

    assert_int_equal(kv_get_number(ns, key, KV_TYPE_U8, &num), ESP_OK);
    assert_int_equal(num, want);
}

static void check_gone(const struct kv_ns *ns, const char *key)
{
    uint8_t type;

    assert_int_equal(kv_find_key(ns, key, &type), ESP_ERR_NVS_NOT_FOUND);
}

/* --- whole partitions ----------------------------------------------------- */

static void test_blank(void **state)
{
    struct rig r;
    struct kv_ns ns;

    (void)state;
    rig_open(&r, 4);
    assert_int_equal(rig_mount(&r), ESP_OK);
    assert_int_equal(kv_open(r.kv, "app", false, &ns), ESP_ERR_NVS_NOT_FOUND);
    assert_int_equal(sim_flash_ops(&r.sim), 0);
    rig_close(&r);
}

static void test_noise(void **state)
{
    struct rig r;
    struct kv_ns ns;
    uint32_t x = 1;

    (void)state;
    rig_open(&r, 4);
    for (uint32_t i = 0; i < r.part.len; i++) {
        x = x * 1664525u + 1013904223u;
        r.sim.bytes[i] = (uint8_t)(x >> 24);
    }
    assert_int_equal(rig_mount(&r), ESP_OK);
    assert_int_equal(sim_flash_ops(&r.sim), 0);
    assert_int_equal(kv_open(r.kv, "app", true, &ns), ESP_OK);
    assert_int_equal(kv_set_number(&ns, "n", KV_TYPE_U8, 1), ESP_OK);
    mounted(&r, &ns);
    check_u8(&ns, "n", 1);
    assert_null(witness(r.sim.bytes, 4));
    rig_close(&r);
}

static void test_newer_version(void **state)
{
    struct rig r;
    uint8_t *head;

    (void)state;
    rig_open(&r, 4);
    page_put(&r, 0, KV_STATE_ACTIVE, 0);
    page_put(&r, 1, KV_STATE_ACTIVE, 1);
    head = r.sim.bytes + KV_PAGE_LEN;
    head[8] = 0xFD;
    le32_put(head + 28, crc32_le(KV_CRC_SEED, head + 4, 24));
    assert_int_equal(rig_mount(&r), ESP_ERR_NVS_NEW_VERSION_FOUND);
    assert_int_equal(sim_flash_ops(&r.sim), 0);
    assert_int_equal(kv_wipe(&r.dev, &r.part), ESP_OK);
    assert_int_equal(rig_mount(&r), ESP_OK);
    rig_close(&r);
}

static void test_no_free_page(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r, 3);
    for (uint32_t i = 0; i < 3; i++)
        page_put(&r, i, KV_STATE_FULL, i);
    assert_int_equal(rig_mount(&r), ESP_ERR_NVS_NO_FREE_PAGES);
    assert_int_equal(sim_flash_ops(&r.sim), 0);
    assert_int_equal(kv_wipe(&r.dev, &r.part), ESP_OK);
    assert_int_equal(rig_mount(&r), ESP_OK);
    rig_close(&r);
}

struct conf_row {
    const char *claim;
    uint32_t off, len;
    uint32_t prog_len, erase_len;
    bool prog_once;
    esp_err_t want;
};

static const struct conf_row confs[] = {
    { "two pages", 0, 0x2000, 4, 4096, false, ESP_OK },
    { "bytes are programmed", 0, 0x2000, 1, 4096, false, ESP_OK },
    { "one page", 0, 0x1000, 4, 4096, false, ESP_ERR_NVS_NO_FREE_PAGES },
    { "less than a page", 0, 0xFFF, 4, 4096, false, ESP_ERR_INVALID_ARG },
    { "not aligned", 0x800, 0x2000, 4, 4096, false, ESP_ERR_INVALID_ARG },
    { "units are programmed once", 0, 0x2000, 4, 4096, true,
      ESP_ERR_NOT_SUPPORTED },
    { "units of 16 bytes", 0, 0x2000, 16, 4096, false, ESP_ERR_NOT_SUPPORTED },
    { "larger sectors", 0, 0x2000, 4, 8192, false, ESP_ERR_NOT_SUPPORTED },
};

static void test_confs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(confs) / sizeof(confs[0]); i++) {
        const struct conf_row *row = &confs[i];
        struct rig r;

        rig_open(&r, 4);
        r.part.off = row->off;
        r.part.len = row->len;
        r.flash.prog_len = row->prog_len;
        r.flash.erase_len = row->erase_len;
        r.flash.prog_once = row->prog_once;
        if (rig_mount(&r) != row->want)
            fail_msg("%s", row->claim);
        rig_close(&r);
    }
}

/* A readonly partition is read as it would be after recovery, and no bit of it
 * changes. */
static void test_readonly(void **state)
{
    struct rig r;
    struct kv_ns ns;
    char text[16];
    size_t len = sizeof(text);

    (void)state;
    rig_open(&r, 1);
    r.part.flags = PART_FLAG_READONLY;
    struct page p = page_put(&r, 0, KV_STATE_ACTIVE, 0);
    item_put(&p, number(0, "app", 1), NULL);
    item_put(&p, number(1, "n", 5), NULL);
    item_put(&p, chunk("b", 0, "orphan"), "orphan");
    item_put(&p, bytes(KV_TYPE_STR, "s", "text"), "text");
    item_put(&p, number(1, "n", 6), NULL);
    mounted(&r, &ns);
    check_u8(&ns, "n", 6);
    assert_int_equal(kv_get_str(&ns, "s", text, &len), ESP_OK);
    assert_int_equal(kv_open(r.kv, "app", true, &ns), ESP_ERR_NOT_ALLOWED);
    assert_int_equal(kv_set_number(&ns, "n", KV_TYPE_U8, 9),
                     ESP_ERR_NOT_ALLOWED);
    assert_int_equal(kv_set_blob(&ns, "n", span_of("1", 1)),
                     ESP_ERR_NOT_ALLOWED);
    assert_int_equal(kv_erase(&ns, "n"), ESP_ERR_NOT_ALLOWED);
    assert_int_equal(kv_erase_all(&ns), ESP_ERR_NOT_ALLOWED);
    check_u8(&ns, "n", 6);
    assert_int_equal(sim_flash_ops(&r.sim), 0);
    rig_close(&r);
}

/* --- old blobs ------------------------------------------------------------ */

static void test_old_blob(void **state)
{
    struct rig r;
    struct kv_ns ns;
    char text[16];
    size_t len = sizeof(text);
    uint8_t type;

    (void)state;
    rig_open(&r, 4);
    struct page p = page_put(&r, 0, KV_STATE_ACTIVE, 0);
    p.at[8] = 0xFF; /* the first version of the format */
    le32_put(p.at + 28, crc32_le(KV_CRC_SEED, p.at + 4, 24));
    item_put(&p, number(0, "app", 1), NULL);
    item_put(&p, bytes(KV_TYPE_BLOB_V1, "b", "old blob"), "old blob");
    mounted(&r, &ns);
    assert_int_equal(kv_get_blob(&ns, "b", text, &len), ESP_OK);
    assert_int_equal(len, 9);
    assert_string_equal(text, "old blob");
    assert_int_equal(kv_find_key(&ns, "b", &type), ESP_OK);
    assert_int_equal(type, KV_TYPE_CHUNK);
    assert_int_equal(kv_set_blob(&ns, "b", span_of("new", 4)), ESP_OK);
    mounted(&r, &ns);
    len = sizeof(text);
    assert_int_equal(kv_get_blob(&ns, "b", text, &len), ESP_OK);
    assert_string_equal(text, "new");
    assert_int_equal(kv_erase(&ns, "b"), ESP_OK);
    check_gone(&ns, "b");
    rig_close(&r);
}

/* --- damage --------------------------------------------------------------- */

static void test_damaged_items(void **state)
{
    struct rig r;
    struct kv_ns ns;
    char text[16];
    size_t len = sizeof(text);

    (void)state;
    rig_open(&r, 4);
    struct page p = page_put(&r, 0, KV_STATE_ACTIVE, 0);
    item_put(&p, number(0, "app", 1), NULL);
    uint32_t bad = item_put(&p, number(1, "bad", 5), NULL);
    uint32_t str = item_put(&p, bytes(KV_TYPE_STR, "s", "text"), "text");
    uint32_t open = item_put(&p, bytes(KV_TYPE_STR, "open", "ab"), "ab");
    item_put(&p, number(1, "good", 6), NULL);
    p.at[KV_SLOTS_OFF + bad * KV_SLOT_LEN + 24] ^= 1;
    p.at[KV_SLOTS_OFF + (str + 1) * KV_SLOT_LEN] ^= 1;
    struct kv_entry e = kv_entry_of(1, KV_TYPE_STR, "open");
    kv_entry_set_payload(&e, span_of("ab", 2)); /* no NUL */
    kv_entry_pack(&e, p.at + KV_SLOTS_OFF + open * KV_SLOT_LEN);
    mounted(&r, &ns);
    check_gone(&ns, "bad");
    check_u8(&ns, "good", 6);
    assert_int_equal(kv_get_str(&ns, "s", text, &len), ESP_ERR_NVS_NOT_FOUND);
    len = sizeof(text);
    assert_int_equal(kv_get_str(&ns, "open", text, &len),
                     ESP_ERR_NVS_NOT_FOUND);
    assert_int_equal(kv_set_str(&ns, "s", "text"), ESP_OK);
    len = sizeof(text);
    assert_int_equal(kv_get_str(&ns, "s", text, &len), ESP_OK);
    rig_close(&r);
}

static void test_damaged_blobs(void **state)
{
    struct rig r;
    struct kv_ns ns;
    char text[16];
    size_t len = sizeof(text);

    (void)state;
    rig_open(&r, 4);
    struct page p = page_put(&r, 0, KV_STATE_ACTIVE, 0);
    item_put(&p, number(0, "app", 1), NULL);
    item_put(&p, chunk("whole", 0x80, "ab"), "ab");
    item_put(&p, chunk("whole", 0x81, "cd"), "cd");
    item_put(&p, index_of("whole", (struct kv_index){ 6, 2, 0x80 }), NULL);
    item_put(&p, chunk("orphan", 0, "ab"), "ab");
    item_put(&p, index_of("lost", (struct kv_index){ 3, 1, 0 }), NULL);
    item_put(&p, chunk("short", 0, "ab"), "ab");
    item_put(&p, index_of("short", (struct kv_index){ 4, 1, 0 }), NULL);
    item_put(&p, chunk("beyond", 0, "ab"), "ab");
    item_put(&p, chunk("beyond", 1, "ab"), "ab");
    item_put(&p, index_of("beyond", (struct kv_index){ 3, 1, 0 }), NULL);
    mounted(&r, &ns);
    assert_int_equal(kv_get_blob(&ns, "whole", text, &len), ESP_OK);
    assert_memory_equal(text, "ab\0cd", 6);
    check_gone(&ns, "orphan");
    check_gone(&ns, "lost");
    check_gone(&ns, "short");
    assert_int_equal(kv_get_blob(&ns, "beyond", NULL, &len), ESP_OK);
    assert_null(witness(r.sim.bytes, 4));
    rig_close(&r);
}

/* Two values of one key and different types stay, as early versions of the
 * reference left them, unless the last write is one of them. */
static void test_one_key_two_types(void **state)
{
    struct rig r;
    struct kv_ns ns;
    char text[16];
    size_t len = sizeof(text);
    uint64_t num;

    (void)state;
    rig_open(&r, 4);
    struct page p = page_put(&r, 0, KV_STATE_ACTIVE, 0);
    item_put(&p, number(0, "app", 1), NULL);
    item_put(&p, number(1, "k", 5), NULL);
    item_put(&p, bytes(KV_TYPE_STR, "k", "text"), "text");
    item_put(&p, number(1, "j", 5), NULL);
    item_put(&p, bytes(KV_TYPE_STR, "j", "text"), "text");
    mounted(&r, &ns);
    check_u8(&ns, "k", 5);
    assert_int_equal(kv_get_str(&ns, "k", text, &len), ESP_OK);
    assert_int_equal(kv_get_number(&ns, "j", KV_TYPE_U8, &num),
                     ESP_ERR_NVS_NOT_FOUND);
    assert_int_equal(kv_erase(&ns, "k"), ESP_OK);
    check_gone(&ns, "k");
    rig_close(&r);
}

/* Several FREEING pages: nobody leaves that behind. Nothing is lost. */
static void test_two_freeing(void **state)
{
    struct rig r;
    struct kv_ns ns;

    (void)state;
    rig_open(&r, 5);
    struct page a = page_put(&r, 0, KV_STATE_FREEING, 0);
    struct page b = page_put(&r, 1, KV_STATE_FREEING, 1);
    struct page c = page_put(&r, 2, KV_STATE_ACTIVE, 2);
    item_put(&a, number(0, "app", 1), NULL);
    item_put(&b, number(1, "n", 5), NULL);
    item_put(&c, number(1, "m", 6), NULL);
    for (unsigned i = 0; i < 2; i++) {
        mounted(&r, &ns);
        check_u8(&ns, "n", 5);
        check_u8(&ns, "m", 6);
    }
    rig_close(&r);
}

/* The last possible sequence number: refused, and readable. */
static void test_last_seq(void **state)
{
    struct rig r;
    struct kv_ns ns;
    esp_err_t err = ESP_OK;

    (void)state;
    rig_open(&r, 4);
    struct page p = page_put(&r, 0, KV_STATE_ACTIVE, UINT32_MAX);
    item_put(&p, number(0, "app", 1), NULL);
    item_put(&p, number(1, "n", 5), NULL);
    mounted(&r, &ns);
    for (unsigned i = 0; !err && i < 200; i++)
        err = kv_set_number(&ns, "m", KV_TYPE_U8, i % 2);
    assert_int_equal(err, ESP_ERR_NVS_INVALID_STATE);
    mounted(&r, &ns);
    check_u8(&ns, "n", 5);
    rig_close(&r);
}

/* Items whose namespace is gone do not turn up in a new one. */
static void test_lost_namespace(void **state)
{
    struct rig r;
    struct kv_ns ns;
    struct kv_iter it = { .type = KV_TYPE_ANY };
    struct kv_info info;

    (void)state;
    rig_open(&r, 4);
    struct page p = page_put(&r, 0, KV_STATE_ACTIVE, 0);
    item_put(&p, number(1, "n", 5), NULL);
    assert_int_equal(rig_mount(&r), ESP_OK);
    assert_int_equal(kv_open(r.kv, "app", true, &ns), ESP_OK);
    assert_int_equal(ns.idx, 2);
    check_gone(&ns, "n");
    assert_int_equal(kv_iter_next(r.kv, &it, &info), ESP_ERR_NVS_NOT_FOUND);
    rig_close(&r);
}

/* A sector that no longer changes: an error, no damage. */
static void test_stuck_sector(void **state)
{
    struct rig r;
    struct kv_ns ns;
    esp_err_t err = ESP_OK;
    unsigned done = 0;

    (void)state;
    rig_open(&r, 4);
    assert_int_equal(rig_mount(&r), ESP_OK);
    assert_int_equal(kv_open(r.kv, "app", true, &ns), ESP_OK);
    sim_flash_stick(&r.sim, 2 * KV_PAGE_LEN, true);
    for (unsigned i = 0; !err && i < 1000; i++) {
        err = kv_set_number(&ns, "n", KV_TYPE_U8, i % 250);
        done = err ? done : i % 250;
    }
    assert_int_equal(err, ESP_ERR_FLASH_OP_FAIL);
    check_u8(&ns, "n", done);
    mounted(&r, &ns);
    check_u8(&ns, "n", done);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blank),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_newer_version),
        cmocka_unit_test(test_no_free_page),
        cmocka_unit_test(test_confs),
        cmocka_unit_test(test_readonly),
        cmocka_unit_test(test_old_blob),
        cmocka_unit_test(test_damaged_items),
        cmocka_unit_test(test_damaged_blobs),
        cmocka_unit_test(test_one_key_two_types),
        cmocka_unit_test(test_two_freeing),
        cmocka_unit_test(test_last_seq),
        cmocka_unit_test(test_lost_namespace),
        cmocka_unit_test(test_stuck_sector),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
