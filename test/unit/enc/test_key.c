/* Keys that images are encrypted for: every form of a file, and what is none;
 * what they open, and what they do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/enc/world.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

struct form {
    const char *file;
    enum enc_scheme scheme;
    bool is_private;
};
static const struct form forms[] = {
    { "rsa3072.pem", ENC_SCHEME_RSA3072, true },
    { "ecies256.pem", ENC_SCHEME_ECIES256, true },
    { "ecies256.hmac", ENC_SCHEME_ECIES256, true },
    { "ecies256.pub.pem", ENC_SCHEME_ECIES256, false },
};

static void test_forms(void **state)
{
    struct world w;

    (void)state;
    world_open(&w);
    for (size_t i = 0; i < CNT(forms); i++) {
        struct enc_key *k = world_key(&w, forms[i].file);

        assert_int_equal(enc_key_scheme(k), forms[i].scheme);
        assert_int_equal(enc_key_is_private(k), forms[i].is_private);
        enc_key_close(k);
    }
    enc_key_close(NULL);
    world_close(&w);
}

/* The key of the fuses is the one whose public half the tool was given. */
static void test_public_half(void **state)
{
    static const char *const files[] = { "ecies256.pem", "ecies256.hmac",
                                         "ecies256.pub.pem" };
    struct world w;
    size_t len;
    char *want = (char *)world_file("ecies256.pub.pem", &len);

    (void)state;
    want[len] = '\0';
    world_open(&w);
    for (size_t i = 0; i < CNT(files); i++) {
        struct enc_key *k = world_key(&w, files[i]);
        char pem[ENC_PUBLIC_PEM_LEN];

        assert_int_equal(enc_key_public_pem(k, pem), ESP_OK);
        assert_string_equal(pem, want);
        enc_key_close(k);
    }
    world_close(&w);
    free(want);
}

/* A private P-256 key in DER, without its public half (RFC 5915). */
static void wrap_scalar(const uint8_t scalar[32], uint8_t der[51])
{
    static const uint8_t head[] = { 0x30, 0x31, 2, 1, 1, 4, 0x20 };
    static const uint8_t tail[] = { 0xa0, 0x0a, 6,    8, 0x2a, 0x86,
                                    0x48, 0xce, 0x3d, 3, 1,    7 };

    memcpy(der, head, 7);
    memcpy(der + 7, scalar, 32);
    memcpy(der + 39, tail, 12);
}

struct bad {
    const char *claim;
    const char *text; /* NULL: see len */
    size_t len;       /* of the hmac file, or of zeros */
    esp_err_t want;
    const char *says;
};
static const struct bad bad_keys[] = {
    { "nothing", "", 0, ESP_ERR_INVALID_ARG, "holds no key" },
    { "a word", "secret", 0, ESP_ERR_INVALID_ARG, "holds no key" },
    { "a frame without a key",
      "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n", 0,
      ESP_ERR_INVALID_ARG, "holds no key" },
    { "a password",
      "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
      "DEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\n"
      "AAAAAAAAAAAAAAAAAAAAAA==\n-----END RSA PRIVATE KEY-----\n",
      0, ESP_ERR_NOT_SUPPORTED, "password" },
    { "P-384, by its public half",
      "-----BEGIN PUBLIC KEY-----\n"
      "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEqofKIr6LBTeOscce8yCtdG4dO2KLp5uY\n"
      "WfdB4IJUKjhVAvJdv1UpbDpUXjhydgq3NhfeSpYmLG9dnpi/kpLcKfj0Hb0omhR8\n"
      "6doxE7XwuMAKYLHOHX6BnXpDHXyQ6g5f\n-----END PUBLIC KEY-----\n",
      0, ESP_ERR_NOT_SUPPORTED, "384 bits" },
    { "a byte less than a device's key", NULL, 31, ESP_ERR_INVALID_ARG,
      "holds no key" },
    { "a byte more", NULL, 33, ESP_ERR_INVALID_ARG, "holds no key" },
};

static void test_bad_keys(void **state)
{
    uint8_t zeros[64] = { 0 };
    uint8_t der[51];
    struct world w;

    (void)state;
    world_open(&w);
    for (size_t i = 0; i < CNT(bad_keys); i++) {
        const struct bad *b = &bad_keys[i];
        struct span s = b->text ? span_str(b->text) : span_of(zeros, b->len);
        struct diag d = DIAG_NONE;
        struct enc_key *k;

        assert_int_equal(enc_key_open(&k, &w.env, s, "k.pem", &d), b->want);
        assert_null(k);
        assert_non_null(strstr(d.text, "k.pem"));
        if (!strstr(d.text, b->says))
            fail_msg("%s: %s", b->claim, d.text);
    }
    /* Scalars that are none: zero, and the order of the curve. */
    for (int ones = 0; ones < 2; ones++) {
        struct enc_key *k;
        uint8_t scalar[32];

        memset(scalar, ones ? 0xFF : 0, sizeof(scalar));
        wrap_scalar(scalar, der);
        assert_int_equal(enc_key_open(&k, &w.env, span_of(der, 51), "k", NULL),
                         ESP_ERR_INVALID_ARG);
    }
    world_close(&w);
}

/* --- opening -------------------------------------------------------------- */

/* Of the reference's own documentation. */
static void test_reference(void **state)
{
    static const uint8_t scalar[32] = {
        0x83, 0x17, 0x93, 0x66, 0x0d, 0xe4, 0x91, 0x33, 0x66, 0xae, 0x1e,
        0x37, 0x9b, 0x2c, 0xeb, 0x43, 0x17, 0xc8, 0x87, 0x00, 0xcc, 0x07,
        0x91, 0xd9, 0x8e, 0x5a, 0x2a, 0x2d, 0x5c, 0x71, 0xaf, 0x66
    };
    static const uint8_t want[32] = { 0x6d, 0x8e, 0x54, 0xa9, 0xef, 0x59, 0xbe,
                                      0xad, 0x85, 0xda, 0x0f, 0xe5, 0xe3, 0x0d,
                                      0xbd, 0x99, 0x7b, 0xa0, 0x57, 0xca, 0xc0,
                                      0x47, 0x59, 0xeb, 0xe8, 0x31, 0xa3, 0xc5,
                                      0x3d, 0xfc, 0x86, 0xa0 };
    const char *dir = getenv("PORTA_TEST_DATA");
    uint8_t der[51], raw[ENC_HEAD_LEN], aes[32];
    struct enc_head h;
    struct enc_key *k;
    struct world w;
    char path[1024];
    FILE *f;

    (void)state;
    if (!dir) {
        print_message("# PORTA_TEST_DATA is not set\n");
        skip();
    }
    snprintf(path, sizeof(path), "%s/encrypted/ecies-p256.bin", dir);
    f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(fread(raw, 1, sizeof(raw), f), sizeof(raw));
    fclose(f);
    world_open(&w);
    wrap_scalar(scalar, der);
    assert_int_equal(enc_key_open(&k, &w.env, span_of(der, 51), "k", NULL),
                     ESP_OK);
    assert_int_equal(enc_head_parse(span_of(raw, sizeof(raw)), &h), ESP_OK);
    assert_int_equal(enc_unwrap(k, &h, aes), ESP_OK);
    assert_memory_equal(aes, want, sizeof(want));
    enc_key_close(k);
    world_close(&w);
}

struct opening {
    const char *claim;
    const char *file, *key;
    uint16_t at; /* of the head, flipped; 0: nothing */
    esp_err_t want;
};
static const struct opening openings[] = {
    { "RSA", "rsa3072.bin", "rsa3072.pem", 0, ESP_OK },
    { "ECIES", "ecies256.bin", "ecies256.pem", 0, ESP_OK },
    { "ECIES, the key as in the fuses", "ecies256.bin", "ecies256.hmac", 0,
      ESP_OK },
    { "RSA, first byte of the wrapped key", "rsa3072.bin", "rsa3072.pem", 4,
      ESP_ERR_INVALID_MAC },
    { "RSA, last byte", "rsa3072.bin", "rsa3072.pem", 387,
      ESP_ERR_INVALID_MAC },
    { "an ECIES image and an RSA key", "ecies256.bin", "rsa3072.pem", 0,
      ESP_ERR_INVALID_MAC },
    { "an RSA image and a P-256 key", "rsa3072.bin", "ecies256.pem", 0,
      ESP_ERR_INVALID_MAC },
    { "a point that is not on the curve, X", "ecies256.bin", "ecies256.pem", 4,
      ESP_ERR_INVALID_MAC },
    { "a point that is not on the curve, Y", "ecies256.bin", "ecies256.pem", 67,
      ESP_ERR_INVALID_MAC },
    { "a public key opens nothing", "ecies256.bin", "ecies256.pub.pem", 0,
      ESP_ERR_INVALID_ARG },
};

static void test_openings(void **state)
{
    struct world w;

    (void)state;
    world_open(&w);
    for (size_t i = 0; i < CNT(openings); i++) {
        const struct opening *o = &openings[i];
        size_t len;
        uint8_t *raw = world_file(o->file, &len);
        struct enc_key *k = world_key(&w, o->key);
        uint8_t aes[ENC_AES_LEN];
        struct enc_head h;

        if (o->at)
            raw[o->at] ^= 1;
        assert_int_equal(enc_head_parse(span_of(raw, len), &h), ESP_OK);
        if (enc_unwrap(k, &h, aes) != o->want)
            fail_msg("%s", o->claim);
        enc_key_close(k);
        free(raw);
    }
    world_close(&w);
}

/* Another salt gives another key, of which only the tag tells; a point at
 * infinity or of small order does not exist in these coordinates. */
static void test_salt(void **state)
{
    struct world w;
    uint8_t aes[32], other[32];
    struct enc_key *k;
    struct enc_head h;
    size_t len;
    uint8_t *raw = world_file("ecies256.bin", &len);

    (void)state;
    world_open(&w);
    k = world_key(&w, "ecies256.pem");
    assert_int_equal(enc_head_parse(span_of(raw, len), &h), ESP_OK);
    assert_int_equal(enc_unwrap(k, &h, aes), ESP_OK);
    h.wrapped[ENC_POINT_LEN] ^= 1;
    assert_int_equal(enc_unwrap(k, &h, other), ESP_OK);
    assert_memory_not_equal(aes, other, sizeof(aes));
    memset(h.wrapped, 0, ENC_POINT_LEN);
    assert_int_equal(enc_unwrap(k, &h, other), ESP_ERR_INVALID_MAC);
    enc_key_close(k);
    world_close(&w);
    free(raw);
}

static void test_no_random(void **state)
{
    static const uint8_t plain[] = "x";
    uint8_t out[ENC_HEAD_LEN + 1];
    struct enc_key *k;
    struct world w;

    (void)state;
    world_open(&w);
    k = world_key(&w, "ecies256.pub.pem");
    assert_int_equal(enc_seal(k, span_of(plain, 1), out), ESP_OK);
    assert_int_equal(enc_seal(k, span_of(plain, 0), out), ESP_ERR_INVALID_SIZE);
    w.rng.broken = true;
    assert_int_equal(enc_seal(k, span_of(plain, 1), out), ESP_FAIL);
    enc_key_close(k);
    world_close(&w);
}

/* --- memory --------------------------------------------------------------- */

static esp_err_t use(struct world *w, const char *file, const uint8_t *raw)
{
    uint8_t aes[ENC_AES_LEN];
    struct enc_head h;
    struct enc_key *k;
    size_t len;
    uint8_t *bytes = world_file(file, &len);
    esp_err_t err = enc_key_open(&k, &w->env, span_of(bytes, len), file, NULL);

    free(bytes);
    /* The library does not say everywhere that memory ran out. */
    if (err == ESP_ERR_INVALID_ARG && w->heap.alloc_cnt >= w->heap.fail_at)
        return ESP_ERR_NO_MEM;
    if (err)
        return err;
    assert_int_equal(enc_head_parse(span_of(raw, ENC_HEAD_LEN), &h), ESP_OK);
    err = enc_unwrap(k, &h, aes);
    enc_key_close(k);
    return err;
}

/* Every allocation fails once; of the hundreds in an RSA operation, some. */
static void test_no_memory(void **state)
{
    static const struct {
        const char *key, *file;
    } pairs[] = { { "rsa3072.pem", "rsa3072.bin" },
                  { "ecies256.pem", "ecies256.bin" },
                  { "ecies256.hmac", "ecies256.bin" } };

    (void)state;
    for (size_t i = 0; i < CNT(pairs); i++) {
        size_t len;
        uint8_t *raw = world_file(pairs[i].file, &len);
        esp_err_t err = ESP_ERR_NO_MEM;
        uint32_t n;

        for (n = 1; err; n += n < 40 ? 1 : n / 4) {
            struct world w;

            world_open(&w);
            w.heap.fail_at = w.heap.alloc_cnt + n;
            err = use(&w, pairs[i].key, raw);
            if (err && err != ESP_ERR_NO_MEM)
                fail_msg("%s, allocation %u: 0x%x", pairs[i].key, (unsigned)n,
                         (unsigned)err);
            world_close(&w);
        }
        assert_true(n > 20);
        free(raw);
    }
}

/* What a device has to have free. */
static void test_peak(void **state)
{
    static const struct {
        const char *key, *file;
        size_t most;
    } pairs[] = { { "rsa3072.pem", "rsa3072.bin", 16384 },
                  { "ecies256.pem", "ecies256.bin", 8192 } };

    (void)state;
    for (size_t i = 0; i < CNT(pairs); i++) {
        size_t len;
        uint8_t *raw = world_file(pairs[i].file, &len);
        struct world w;

        world_open(&w);
        assert_int_equal(use(&w, pairs[i].key, raw), ESP_OK);
        print_message("%s: %zu bytes of heap at most\n", pairs[i].key,
                      w.heap.peak_len);
        assert_true(w.heap.peak_len <= pairs[i].most);
        world_close(&w);
        free(raw);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),     cmocka_unit_test(test_public_half),
        cmocka_unit_test(test_bad_keys),  cmocka_unit_test(test_reference),
        cmocka_unit_test(test_openings),  cmocka_unit_test(test_salt),
        cmocka_unit_test(test_no_random), cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_peak),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
