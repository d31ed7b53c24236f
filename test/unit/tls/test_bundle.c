/* Compact bundles: the parser by table, what a builder makes of certificates,
 * and configurations that are not a session's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <mbedtls/pem.h>
#include <mbedtls/ssl.h>

#include "base/le.h"
#include "fixture.h"
#include "linux_trust.h"

/* Two entries, "ab" with key "K" and "b" with key "LL". */
#define TWO                \
    "\x08\0\0\0\x0f\0\0\0" \
    "\x02\0\x01\0"         \
    "abK"                  \
    "\x01\0\x02\0"         \
    "bLL"

static const struct row {
    const char *claim;
    const char *bytes;
    size_t len;
    uint32_t cnt; /* 0: refused */
} rows[] = {
    { "two entries in order", TWO, 22, 2 },
    { "one entry", "\x04\0\0\0\x01\0\x01\0aK", 10, 1 },
    { "nothing", "", 0, 0 },
    { "half an offset", "\x04\0\0", 3, 0 },
    { "no entries", "\0\0\0\0", 4, 0 },
    { "offsets that are no whole number", "\x06\0\0\0\x0f\0\0\0aaaaaaaa", 16,
      0 },
    { "more offsets than bytes", "\x40\0\0\0\x01\0\x01\0aK", 10, 0 },
    { "offsets that fill the bytes", "\x04\0\0\0", 4, 0 },
    { "an entry that starts among the offsets",
      "\x08\0\0\0\x04\0\0\0\x01\0\x01\0aK", 14, 0 },
    { "an entry that starts behind the end", "\x04\0\0\xff\x01\0\x01\0aK", 10,
      0 },
    { "an entry without room for its head",
      "\x08\0\0\0\x0d\0\0\0\x01\0\x01\0aK\0", 15, 0 },
    { "a name that leaves the bytes", "\x04\0\0\0\xff\xff\x01\0aK", 10, 0 },
    { "a key that leaves the bytes", "\x04\0\0\0\x01\0\x02\0aK", 10, 0 },
    { "an entry without a name", "\x04\0\0\0\0\0\x01\0K", 9, 0 },
    { "an entry without a key", "\x04\0\0\0\x01\0\0\0a", 9, 0 },
    { "names out of order", "\x08\0\0\0\x0e\0\0\0\x01\0\x01\0bK\x01\0\x01\0aK",
      20, 0 },
    { "a longer name comes after the shorter",
      "\x08\0\0\0\x0e\0\0\0\x01\0\x01\0aK\x02\0\x01\0aaK", 21, 2 },
    { "a name twice", "\x08\0\0\0\x0e\0\0\0\x01\0\x01\0aK\x01\0\x01\0aL", 20,
      2 },
};

static void test_parse(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct tls_bundle b;
        /* In its own block, so that a step too far is seen. */
        uint8_t *bytes = malloc(rows[i].len + !rows[i].len);
        memcpy(bytes, rows[i].bytes, rows[i].len);
        print_message("# %s\n", rows[i].claim);
        assert_int_equal(tls_bundle_parse(span_of(bytes, rows[i].len), &b),
                         rows[i].cnt ? ESP_OK : ESP_ERR_INVALID_ARG);
        assert_int_equal(b.cnt, rows[i].cnt);
        free(bytes);
    }
}

static void test_find(void **state)
{
    static const struct {
        const char *name;
        uint32_t idx;
    } asked[] = { { "ab", 0 },  { "b", 1 },  { "a", 2 }, { "aa", 2 },
                  { "abc", 2 }, { "ba", 2 }, { "c", 2 }, { "", 2 } };
    struct tls_bundle b;

    (void)state;
    assert_int_equal(tls_bundle_parse(span_of(TWO, 22), &b), ESP_OK);
    for (size_t i = 0; i < CNT(asked); i++)
        assert_int_equal(tls_bundle_find(&b, span_str(asked[i].name)),
                         asked[i].idx);
    assert_true(span_eq(tls_bundle_at(&b, 0).name, "ab"));
    assert_true(span_eq(tls_bundle_at(&b, 0).key, "K"));
    assert_true(span_eq(tls_bundle_at(&b, 1).key, "LL"));
}

/* --- the builder ---------------------------------------------------------- */

static char pem[8 * PEER_PEM_LEN];

static struct span pem_of(const enum ident *list, size_t cnt)
{
    (void)snprintf(pem, sizeof(pem), "# a comment\n");
    for (size_t i = 0; i < cnt; i++) {
        strcat(pem, idents[list[i]].pem);
        strcat(pem, "\nSubject: whatever people write between them\n");
    }
    return span_str(pem);
}

static void test_build(void **state)
{
    static const enum ident list[] = { ID_OTHER_CA, ID_CA,   ID_CA,
                                       ID_EXPIRED,  ID_WEAK, ID_MIDDLE };
    struct tls_bundle_build b = { .heap = &heap.port, .now_s = NOW };
    size_t before = heap.cur_cnt;
    char name[64], key[32];
    struct tls_bundle bundle;
    struct span out;

    (void)state;
    assert_int_equal(tls_bundle_add(&b, pem_of(list, CNT(list)), NULL), ESP_OK);
    assert_int_equal(b.taken_cnt, 3);
    assert_int_equal(b.twice_cnt, 1);
    assert_int_equal(b.ended_cnt, 1);
    assert_int_equal(b.weak_cnt, 1);
    assert_int_equal(b.bad_cnt, 0);
    assert_int_equal(tls_bundle_finish(&b, &out, NULL), ESP_OK);
    tls_bundle_build_free(&b);
    assert_int_equal(heap.cur_cnt, before + 1);
    assert_int_equal(tls_bundle_parse(out, &bundle), ESP_OK);
    assert_int_equal(bundle.cnt, 3);
    struct tls_anchor a = tls_bundle_at(&bundle, 0);
    tls_anchor_name(&a, name, sizeof(name));
    tls_anchor_key(&a, key, sizeof(key));
    assert_string_equal(name, "CN=Test Authority");
    assert_string_equal(key, "EC 256");
    heap.port.free(heap.port.ctx, writable(out.ptr));
}

static void test_der(void **state)
{
    struct tls_bundle_build b = { .heap = &heap.port };
    mbedtls_pem_context p;
    size_t used = 0, len = 0;

    (void)state;
    mbedtls_pem_init(&p);
    assert_int_equal(
        mbedtls_pem_read_buffer(
            &p, "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----",
            (const unsigned char *)idents[ID_CA].pem, NULL, 0, &used),
        0);
    const uint8_t *der = mbedtls_pem_get_buffer(&p, &len);
    assert_int_equal(tls_bundle_add(&b, span_of(der, len), NULL), ESP_OK);
    assert_int_equal(b.taken_cnt, 1);
    /* The same as PEM is the same. */
    assert_int_equal(tls_bundle_add(&b, span_str(idents[ID_CA].pem), NULL),
                     ESP_OK);
    assert_int_equal(b.twice_cnt, 1);
    assert_int_equal(tls_bundle_add(&b, span_of(der, len - 1), NULL), ESP_OK);
    assert_int_equal(b.bad_cnt, 1);
    mbedtls_pem_free(&p);
    tls_bundle_build_free(&b);
}

static void test_what_is_no_certificate(void **state)
{
    static const struct {
        const char *text;
        uint32_t bad_cnt; /* 0: ESP_ERR_NOT_FOUND */
    } texts[] = {
        { "", 0 },
        { "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n", 0 },
        { "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 1 },
        { "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", 1 },
        { "-----BEGIN CERTIFICATE-----\nAAAA\n", 1 },
    };

    (void)state;
    for (size_t i = 0; i < CNT(texts); i++) {
        struct tls_bundle_build b = { .heap = &heap.port };
        struct diag d = DIAG_NONE;
        struct span out;
        print_message("# %s\n", texts[i].text);
        assert_int_equal(tls_bundle_add(&b, span_str(texts[i].text), NULL),
                         texts[i].bad_cnt ? ESP_OK : ESP_ERR_NOT_FOUND);
        assert_int_equal(b.bad_cnt, texts[i].bad_cnt);
        assert_int_equal(tls_bundle_finish(&b, &out, &d), ESP_ERR_NOT_FOUND);
        assert_non_null(strstr(d.text, "no certificate is left"));
        tls_bundle_build_free(&b);
    }
}

static void test_each_allocation_of_the_builder_fails(void **state)
{
    static const enum ident list[] = { ID_CA, ID_OTHER_CA };
    size_t before = heap.cur_cnt;
    esp_err_t err = ESP_ERR_NO_MEM;
    uint32_t at = 0;

    (void)state;
    for (at = 1; err == ESP_ERR_NO_MEM; at++) {
        struct tls_bundle_build b = { .heap = &heap.port };
        struct span out = { NULL, 0 };
        heap.alloc_cnt = 0;
        heap.fail_at = at;
        err = tls_bundle_add(&b, pem_of(list, 2), NULL);
        if (!err)
            err = tls_bundle_finish(&b, &out, NULL);
        heap.fail_at = 0;
        tls_bundle_build_free(&b);
        heap.port.free(heap.port.ctx, writable(out.ptr));
        assert_int_equal(heap.cur_cnt, before);
    }
    assert_int_equal(err, ESP_OK);
    assert_true(at > 20);
}

static void test_too_many(void **state)
{
    struct tls_bundle_build b = { .heap = &heap.port };

    (void)state;
    b.item_cnt = b.item_cap = TLS_BUNDLE_MAX_CNT;
    b.items = heap.port.alloc(heap.port.ctx, TLS_BUNDLE_MAX_CNT * 16u);
    struct span text = span_str(idents[ID_CA].pem);
    /* Zeroed items have no bytes to compare with. */
    assert_int_equal(tls_bundle_add(&b, text, NULL), ESP_ERR_INVALID_SIZE);
    tls_bundle_build_free(&b);
}

/* --- configurations of others --------------------------------------------- */

static void test_attach_to_a_configuration(void **state)
{
    static const enum ident list[] = { ID_CA };
    struct span bytes = make_bundle(list, 1);
    mbedtls_ssl_config conf;
    mbedtls_x509_crt crt;
    struct tls_bundle b;
    uint32_t flags = 0;

    (void)state;
    assert_int_equal(tls_bundle_parse(bytes, &b), ESP_OK);
    mbedtls_ssl_config_init(&conf);
    tls_bundle_attach(&conf, &b);
    assert_true(tls_bundle_is_list(conf.MBEDTLS_PRIVATE(ca_chain)));
    for (int good = 0; good < 2; good++) {
        const char *text = idents[good ? ID_GOOD : ID_FORGED].pem;
        mbedtls_x509_crt_init(&crt);
        assert_int_equal(mbedtls_x509_crt_parse(&crt,
                                                (const unsigned char *)text,
                                                strlen(text) + 1),
                         0);
        (void)mbedtls_x509_crt_verify(
            &crt, conf.MBEDTLS_PRIVATE(ca_chain), NULL, HOST, &flags,
            conf.MBEDTLS_PRIVATE(f_vrfy), conf.MBEDTLS_PRIVATE(p_vrfy));
        assert_int_equal(flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED,
                         good ? 0 : MBEDTLS_X509_BADCERT_NOT_TRUSTED);
        mbedtls_x509_crt_free(&crt);
    }
    tls_bundle_detach(&conf);
    assert_null(conf.MBEDTLS_PRIVATE(ca_chain));
    assert_null(conf.MBEDTLS_PRIVATE(f_vrfy));
    assert_false(tls_bundle_is_list(conf.MBEDTLS_PRIVATE(ca_chain)));
    mbedtls_ssl_config_free(&conf);
    heap.port.free(heap.port.ctx, writable(bytes.ptr));
}

/* --- bundles that nobody here would make ---------------------------------- */

static size_t put_entry(uint8_t *at, struct span name, struct span key)
{
    le16_put(at, (uint16_t)name.len);
    le16_put(at + 2, (uint16_t)key.len);
    memcpy(at + 4, name.ptr, name.len);
    memcpy(at + 4 + name.len, key.ptr, key.len);
    return 4 + name.len + key.len;
}

static mbedtls_x509_crt parsed(enum ident id)
{
    const char *text = idents[id].pem;
    mbedtls_x509_crt crt;

    mbedtls_x509_crt_init(&crt);
    assert_int_equal(mbedtls_x509_crt_parse(&crt, (const unsigned char *)text,
                                            strlen(text) + 1),
                     0);
    return crt;
}

static struct span raw(const mbedtls_x509_buf *buf)
{
    return span_of(buf->p, buf->len);
}

static bool trusts(const struct tls_bundle *b, mbedtls_x509_crt *crt)
{
    mbedtls_ssl_config conf;
    struct tls_bundle copy = *b;
    uint32_t flags = 0;

    mbedtls_ssl_config_init(&conf);
    tls_bundle_attach(&conf, &copy);
    (void)mbedtls_x509_crt_verify(crt, conf.MBEDTLS_PRIVATE(ca_chain), NULL,
                                  NULL, &flags, conf.MBEDTLS_PRIVATE(f_vrfy),
                                  conf.MBEDTLS_PRIVATE(p_vrfy));
    mbedtls_ssl_config_free(&conf);
    return !(flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED);
}

/* The key that signed is there, but it is another's. */
static void test_a_key_counts_only_with_its_name(void **state)
{
    mbedtls_x509_crt forged = parsed(ID_FORGED), ca = parsed(ID_CA);
    const struct span last = span_of("\xff", 1);
    uint8_t bytes[1024];
    struct tls_bundle b;
    size_t len = 8;

    (void)state;
    for (int own_name = 0; own_name < 2; own_name++) {
        struct span name = own_name ? raw(&forged.issuer_raw) : last;
        len = 8;
        le32_put(bytes, 8);
        len += put_entry(bytes + len, raw(&ca.subject_raw), raw(&ca.pk_raw));
        le32_put(bytes + 4, (uint32_t)len);
        len += put_entry(bytes + len, name, raw(&forged.pk_raw));
        assert_int_equal(tls_bundle_parse(span_of(bytes, len), &b), ESP_OK);
        assert_int_equal(trusts(&b, &forged), own_name);
    }
    mbedtls_x509_crt_free(&forged);
    mbedtls_x509_crt_free(&ca);
}

/* The builder leaves a weak key out; one that came in otherwise is not used. */
static void test_a_weak_key_is_not_used(void **state)
{
    mbedtls_x509_crt below = parsed(ID_BELOW_WEAK), weak = parsed(ID_WEAK);
    mbedtls_x509_crt strong = parsed(ID_BELOW), middle = parsed(ID_MIDDLE);
    uint8_t bytes[1024];
    struct tls_bundle b;

    (void)state;
    le32_put(bytes, 4);
    size_t len =
        put_entry(bytes + 4, raw(&weak.subject_raw), raw(&weak.pk_raw));
    assert_int_equal(tls_bundle_parse(span_of(bytes, 4 + len), &b), ESP_OK);
    assert_false(trusts(&b, &below));
    len = put_entry(bytes + 4, raw(&middle.subject_raw), raw(&middle.pk_raw));
    assert_int_equal(tls_bundle_parse(span_of(bytes, 4 + len), &b), ESP_OK);
    assert_true(trusts(&b, &strong));
    mbedtls_x509_crt_free(&below);
    mbedtls_x509_crt_free(&weak);
    mbedtls_x509_crt_free(&strong);
    mbedtls_x509_crt_free(&middle);
}

/* --- the machine's own ---------------------------------------------------- */

static void test_the_machines_store(void **state)
{
    struct tls_bundle_build b = { .heap = &heap.port };
    size_t before = heap.cur_len, len = 0;
    struct tls_bundle bundle;
    uint8_t *text = NULL;
    struct span out;

    (void)state;
    if (linux_trust.load(NULL, &heap.port, &text, &len) != ESP_OK)
        skip(); /* this machine has none */
    heap.peak_len = heap.cur_len;
    assert_int_equal(tls_bundle_add(&b, span_of(text, len + 1), NULL), ESP_OK);
    assert_int_equal(b.bad_cnt, 0);
    assert_int_equal(tls_bundle_finish(&b, &out, NULL), ESP_OK);
    tls_bundle_build_free(&b);
    heap.port.free(heap.port.ctx, text);
    assert_int_equal(tls_bundle_parse(out, &bundle), ESP_OK);
    print_message("# %u authorities of %zu bytes of PEM are %zu bytes; "
                  "%zu at the most\n",
                  (unsigned)bundle.cnt, len, out.len, heap.peak_len - before);
    assert_true(out.len < len / 2);
    assert_true(heap.peak_len - before < len + 2 * out.len + 16384);
    heap.port.free(heap.port.ctx, writable(out.ptr));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_build),
        cmocka_unit_test(test_der),
        cmocka_unit_test(test_what_is_no_certificate),
        cmocka_unit_test(test_each_allocation_of_the_builder_fails),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_attach_to_a_configuration),
        cmocka_unit_test(test_a_key_counts_only_with_its_name),
        cmocka_unit_test(test_a_weak_key_is_not_used),
        cmocka_unit_test(test_the_machines_store),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
