/* From an encrypted file to what is in it: in any pieces, from any place, and
 * with anything that can be wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/sha256.h"
#include "unit/enc/world.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define PLAIN_LEN 1000u

/* How a stream is fed: pieces of `step` bytes (0: of random lengths) into
 * `room` bytes. */
struct way {
    size_t step, room;
    uint64_t seed;
};

static size_t piece(struct way *w, size_t left)
{
    size_t n = w->step ? w->step : (size_t)(sim_rng_next(&w->seed) % 700);

    return n < left ? n : left;
}

/* Everything that comes out, up to the first error. */
static esp_err_t pour(struct enc_stream *s, struct span file, struct way w,
                      uint8_t *out, size_t *out_len)
{
    uint8_t *room = malloc(w.room);
    esp_err_t err = ESP_OK;

    while (!err && file.len > 0) {
        struct span in = span_of(file.ptr, piece(&w, file.len));

        file = span_from(file, in.len);
        do {
            struct enc_out o = { room, w.room, 0 };
            err = enc_stream_feed(s, &in, &o);
            memcpy(out + *out_len, room, o.len);
            *out_len += o.len;
        } while (!err && in.len > 0);
    }
    free(room);
    return err;
}

struct bench {
    struct world w;
    struct enc_key *key;
    uint8_t *file, *plain;
    size_t len, plain_len;
    uint8_t out[2 * PLAIN_LEN];
    size_t out_len;
    struct enc_stream s;
};

static void open_bench(struct bench *b, const char *key, const char *file)
{
    memset(b, 0, sizeof(*b));
    world_open(&b->w);
    b->key = world_key(&b->w, key);
    b->file = world_file(file, &b->len);
    b->plain = world_file("plain.bin", &b->plain_len);
    enc_stream_open(&b->s, b->key);
}

static void close_bench(struct bench *b)
{
    enc_stream_close(&b->s);
    enc_key_close(b->key);
    free(b->file);
    free(b->plain);
    world_close(&b->w);
}

static const struct {
    const char *key, *file;
} pairs[] = { { "rsa3072.pem", "rsa3072.bin" },
              { "ecies256.hmac", "ecies256.bin" } };

static void test_pieces(void **state)
{
    static const struct way ways[] = { { 1, 1, 0 },      { 1, 4096, 0 },
                                       { 15, 16, 0 },    { 16, 16, 0 },
                                       { 17, 5, 0 },     { 511, 64, 0 },
                                       { 512, 64, 0 },   { 513, 4096, 0 },
                                       { 1024, 512, 0 }, { 65536, 999, 0 } };

    (void)state;
    for (size_t p = 0; p < CNT(pairs); p++) {
        for (size_t i = 0; i < CNT(ways) + (p ? 20 : 0); i++) {
            struct way w = { 0, 1 + i, i };
            struct bench b;

            if (i < CNT(ways))
                w = ways[i];
            open_bench(&b, pairs[p].key, pairs[p].file);
            assert_false(enc_stream_complete(&b.s));
            assert_int_equal(
                pour(&b.s, span_of(b.file, b.len), w, b.out, &b.out_len),
                ESP_OK);
            assert_true(enc_stream_complete(&b.s));
            assert_int_equal(b.out_len, b.plain_len);
            assert_memory_equal(b.out, b.plain, b.plain_len);
            assert_int_equal(enc_stream_finish(&b.s), ESP_OK);
            assert_int_equal(b.s.step, ENC_STEP_VERIFIED);
            close_bench(&b);
        }
    }
}

/* --- what is wrong -------------------------------------------------------- */

struct row {
    const char *claim;
    const char *key, *file;
    uint16_t at;  /* flipped; 0: nothing */
    int32_t more; /* bytes behind the end, or fewer */
    esp_err_t want;
    const char *says;
    size_t out_len; /* handed out before */
};

#define RSA "rsa3072.pem", "rsa3072.bin"
#define EC "ecies256.pem", "ecies256.bin"
#define MAC ESP_ERR_INVALID_MAC
#define NONE ESP_ERR_OTA_VALIDATE_FAILED
#define SIZE ESP_ERR_INVALID_SIZE

static const struct row rows[] = {
    { "nothing", RSA, 0, -1512, SIZE, "ends after 0 bytes", 0 },
    { "not even the magic number", RSA, 0, -1509, SIZE, "after 3 bytes", 0 },
    { "half of the head", EC, 0, -1256, SIZE, "after 256 bytes", 0 },
    { "the head, a byte short", EC, 0, -1001, SIZE, "after 511 bytes", 0 },
    { "the head alone", EC, 0, -1000, SIZE, "after 512 of 1512", 0 },
    { "a byte short", RSA, 0, -1, SIZE, "after 1511 of 1512", 999 },
    { "a byte more", RSA, 0, 1, SIZE, "should end after 1512", 1000 },
    { "much more", EC, 0, 900, SIZE, "should end after 1512", 1000 },
    { "magic", RSA, 1, 0, NONE, "begins with cf b7 88 07", 0 },
    { "RSA: the wrapped key", RSA, 200, 0, MAC, "another key", 0 },
    { "ECIES: the point", EC, 20, 0, MAC, "another key", 0 },
    { "ECIES: the salt", EC, 70, 0, MAC, "tag does not fit", 1000 },
    { "RSA: the IV", RSA, 388, 0, MAC, "tag does not fit", 1000 },
    { "ECIES: the IV", EC, 403, 0, MAC, "tag does not fit", 1000 },
    { "the length says 4 bytes less", RSA, 404, 0, SIZE, "should end", 0 },
    { "the length says 16 MB more", EC, 407, 0, SIZE, "of 16778", 1000 },
    { "the tag, first byte", RSA, 408, 0, MAC, "tag does not fit", 1000 },
    { "the tag, last byte", EC, 423, 0, MAC, "tag does not fit", 1000 },
    { "reserved bytes say nothing", RSA, 500, 0, ESP_OK, "", 1000 },
    { "the first byte of the body", RSA, 512, 0, MAC, "tag does", 1000 },
    { "the last byte", EC, 1511, 0, MAC, "tag does not fit", 1000 },
    { "an RSA key for an ECIES image", "rsa3072.pem", "ecies256.bin", 0, 0, MAC,
      "another key than this RSA-3072 key", 0 },
    { "a P-256 key for an RSA image", "ecies256.pem", "rsa3072.bin", 0, 0, MAC,
      "another key than this ECIES-P256 key", 0 },
    { "a public key", "ecies256.pub.pem", "ecies256.bin", 0, 0,
      ESP_ERR_INVALID_ARG, "takes the private one", 0 },
    { "what is not encrypted", "ecies256.pem", "plain.bin", 0, 0, NONE,
      "not encrypted", 0 },
};

static void try_row(const struct row *r, size_t step)
{
    static uint8_t file[4096];
    struct bench b;
    size_t len;
    esp_err_t err;

    open_bench(&b, r->key, r->file);
    memset(file, 0, sizeof(file));
    memcpy(file, b.file, b.len);
    len = (size_t)((int64_t)b.len + r->more);
    if (r->at)
        file[r->at] ^= r->at == 404 ? 0x08 : 1;
    err = pour(&b.s, span_of(file, len), (struct way){ step, 1000, 0 }, b.out,
               &b.out_len);
    if (!err)
        err = enc_stream_finish(&b.s);
    if (err != r->want || !strstr(b.s.diag.text, r->says))
        fail_msg("%s: 0x%x, %s", r->claim, (unsigned)err, b.s.diag.text);
    if (step == 1 && r->out_len && b.out_len != r->out_len)
        fail_msg("%s: %zu bytes came out", r->claim, b.out_len);
    assert_int_equal(b.s.step == ENC_STEP_VERIFIED, r->want == ESP_OK);
    /* It stays so. */
    if (err) {
        struct span in = span_of(file, 1);
        struct enc_out o = { b.out, 1, 1 };
        assert_int_equal(enc_stream_feed(&b.s, &in, &o), err);
        assert_int_equal(o.len, 0);
        assert_int_equal(enc_stream_finish(&b.s), err);
    }
    close_bench(&b);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        try_row(&rows[i], 1);
        try_row(&rows[i], 65536);
    }
}

/* Any single bit of the ciphertext counts, and of the tag. */
static void test_each_bit(void **state)
{
    struct bench b;

    (void)state;
    open_bench(&b, "ecies256.pem", "ecies256.bin");
    for (size_t bit = 408 * 8; bit < b.len * 8;
         bit += bit >= 424 * 8 ? 197 : 3) {
        struct enc_stream s;
        size_t n = 0;

        if (bit >= 424 * 8 && bit < 512 * 8)
            bit = 512 * 8;
        enc_stream_open(&s, b.key);
        b.file[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(pour(&s, span_of(b.file, b.len),
                              (struct way){ 4096, 4096, 0 }, b.out, &n),
                         ESP_OK);
        assert_int_equal(enc_stream_finish(&s), ESP_ERR_INVALID_MAC);
        b.file[bit / 8] ^= (uint8_t)(1 << bit % 8);
        enc_stream_close(&s);
    }
    close_bench(&b);
}

/* --- going on ------------------------------------------------------------- */

/* As a later session does: the head again, then what is in flash, then the
 * rest of the file. */
static esp_err_t go_on(struct bench *b, const uint8_t *flash, size_t off,
                       size_t step)
{
    struct way w = { 333, 333, 0 };
    esp_err_t err;

    enc_stream_close(&b->s);
    enc_stream_open(&b->s, b->key);
    b->out_len = 0;
    err = pour(&b->s, span_of(b->file, ENC_HEAD_LEN), w, b->out, &b->out_len);
    for (size_t at = 0; !err && at < off; at += step)
        err = enc_stream_replay(&b->s, flash + at,
                                off - at < step ? off - at : step);
    if (!err)
        err = pour(&b->s, span_from(span_of(b->file, b->len), 512 + off), w,
                   b->out, &b->out_len);
    return err ? err : enc_stream_finish(&b->s);
}

static void test_replay(void **state)
{
    (void)state;
    for (size_t p = 0; p < CNT(pairs); p++) {
        struct bench b;
        uint8_t mark[ENC_MARK_LEN];

        open_bench(&b, pairs[p].key, pairs[p].file);
        for (size_t off = 0; off <= PLAIN_LEN; off += p ? 41 : 250) {
            assert_int_equal(go_on(&b, b.plain, off, 1 + off % 300), ESP_OK);
            assert_int_equal(b.out_len, PLAIN_LEN - off);
            if (b.out_len > 0)
                assert_memory_equal(b.out, b.plain + off, b.out_len);
            if (off > 0)
                assert_memory_equal(b.s.mark, mark, sizeof(mark));
            memcpy(mark, b.s.mark, sizeof(mark));
        }
        /* What is in flash is not what came. */
        b.plain[10] ^= 1;
        assert_int_equal(go_on(&b, b.plain, 500, 100), ESP_ERR_INVALID_MAC);
        b.plain[10] ^= 1;
        close_bench(&b);
    }
}

static void test_replay_too_much(void **state)
{
    static const uint8_t flash[2 * PLAIN_LEN];
    struct bench b;

    (void)state;
    open_bench(&b, "ecies256.pem", "ecies256.bin");
    assert_int_equal(go_on(&b, flash, PLAIN_LEN + 1, 4096),
                     ESP_ERR_INVALID_SIZE);
    close_bench(&b);
}

/* --- memory --------------------------------------------------------------- */

static void test_no_memory(void **state)
{
    esp_err_t err = ESP_ERR_NO_MEM;
    uint32_t n;

    (void)state;
    for (n = 1; err; n += n < 20 ? 1 : n / 4) {
        struct bench b;

        open_bench(&b, "ecies256.pem", "ecies256.bin");
        b.w.heap.fail_at = b.w.heap.alloc_cnt + n;
        err = go_on(&b, b.plain, 500, 100);
        if (err && err != ESP_ERR_NO_MEM)
            fail_msg("allocation %u: 0x%x", (unsigned)n, (unsigned)err);
        if (err)
            assert_non_null(strstr(b.s.diag.text, "no memory"));
        close_bench(&b);
    }
    assert_true(n > 20);
}

/* Closed at each place: nothing is left, which close_bench() asserts. */
static void test_abort(void **state)
{
    (void)state;
    for (size_t len = 0; len < 1512; len += 151) {
        struct bench b;

        open_bench(&b, "ecies256.pem", "ecies256.bin");
        assert_int_equal(pour(&b.s, span_of(b.file, len),
                              (struct way){ 100, 100, 0 }, b.out, &b.out_len),
                         ESP_OK);
        close_bench(&b);
    }
}

/* --- the reference's own files -------------------------------------------- */

static void test_reference(void **state)
{
    static const uint8_t want[] = { 0xa2, 0x30, 0xa5, 0xaa, 0xe3, 0x9e, 0x35,
                                    0x1c, 0x0d, 0x80, 0x6a, 0xcb, 0x45, 0x36,
                                    0x62, 0xdf, 0xe6, 0x6a, 0xfc, 0xec, 0x74,
                                    0xf6, 0xc0, 0xc8, 0x61, 0xd7, 0x50, 0x48,
                                    0xfa, 0xe0, 0x7f, 0x78 };
    const char *dir = getenv("PORTA_TEST_DATA");
    static uint8_t file[16384], out[16384];
    uint8_t digest[SHA256_LEN];
    size_t len, key_len, out_len = 0;
    struct enc_stream s;
    struct enc_key *key;
    struct sha256 sha;
    struct world w;
    char path[1024];
    FILE *f;

    (void)state;
    if (!dir) {
        print_message("# PORTA_TEST_DATA is not set\n");
        skip();
    }
    world_open(&w);
    snprintf(path, sizeof(path), "%s/encrypted/rsa3072-test-only-private.pem",
             dir);
    f = fopen(path, "rb");
    assert_non_null(f);
    key_len = fread(file, 1, sizeof(file), f);
    fclose(f);
    assert_int_equal(
        enc_key_open(&key, &w.env, span_of(file, key_len), "key", NULL),
        ESP_OK);
    snprintf(path, sizeof(path), "%s/encrypted/rsa3072.bin", dir);
    f = fopen(path, "rb");
    assert_non_null(f);
    len = fread(file, 1, sizeof(file), f);
    fclose(f);
    enc_stream_open(&s, key);
    assert_int_equal(pour(&s, span_of(file, len), (struct way){ 1000, 1000, 0 },
                          out, &out_len),
                     ESP_OK);
    assert_int_equal(enc_stream_finish(&s), ESP_OK);
    assert_int_equal(out_len, 11680);
    sha256_init(&sha);
    sha256_update(&sha, out, out_len);
    sha256_final(&sha, digest);
    assert_memory_equal(digest, want, sizeof(want));
    enc_stream_close(&s);
    enc_key_close(key);
    world_close(&w);
}

/* What we encrypt we decrypt; that others do, too, is shown end to end. */
static void test_seal(void **state)
{
    (void)state;
    for (size_t p = 0; p < CNT(pairs); p++) {
        for (size_t len = 1; len < PLAIN_LEN; len += p ? 97 : 333) {
            struct bench b;
            uint8_t *file;
            size_t file_len = len;

            open_bench(&b, pairs[p].key, pairs[p].file);
            file = world_seal(b.key, b.plain, &file_len);
            assert_int_equal(file_len, len + ENC_HEAD_LEN);
            assert_int_equal(pour(&b.s, span_of(file, file_len),
                                  (struct way){ 90, 90, 0 }, b.out, &b.out_len),
                             ESP_OK);
            assert_int_equal(enc_stream_finish(&b.s), ESP_OK);
            assert_int_equal(b.out_len, len);
            assert_memory_equal(b.out, b.plain, len);
            free(file);
            close_bench(&b);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_each_bit),
        cmocka_unit_test(test_replay),
        cmocka_unit_test(test_replay_too_much),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_abort),
        cmocka_unit_test(test_reference),
        cmocka_unit_test(test_seal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
