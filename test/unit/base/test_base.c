/* Errors and their names, sentences, the log's front, checksums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32.h"
#include "base/diag.h"
#include "base/le.h"
#include "base/log.h"
#include "base/md5.h"
#include "base/span.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* --- err ------------------------------------------------------------------ */

static void test_err_names(void **state)
{
    static const struct {
        const char *claim;
        esp_err_t err;
        const char *want;
    } rows[] = {
        { "success has a name", ESP_OK, "ESP_OK" },
        { "the negative code", ESP_FAIL, "ESP_FAIL" },
        { "a general code", 0x104, "ESP_ERR_INVALID_SIZE" },
        { "the last general code", 0x10D, "ESP_ERR_NOT_ALLOWED" },
        { "a code of OTA", 0x1503, "ESP_ERR_OTA_VALIDATE_FAILED" },
        { "a code of images", 0x2002, "ESP_ERR_IMAGE_INVALID" },
        { "a code of flash", 0x6006, "ESP_ERR_FLASH_PROTECTED" },
        { "a code of HTTP", 0x7009, "ESP_ERR_HTTP_NOT_MODIFIED" },
        { "a code of TLS", 0x801A, "ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED" },
        { "a code of HTTPS OTA", 0x9001, "ESP_ERR_HTTPS_OTA_IN_PROGRESS" },
        { "the general name wins over its alias", ESP_ERR_FLASH_NO_RESPONSE,
          "ESP_ERR_INVALID_RESPONSE" },
        { "an unknown code", 0x7777, "ERROR" },
        { "an unknown negative code", -2, "ERROR" },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        print_message("# %s\n", rows[i].claim);
        assert_string_equal(err_name(rows[i].err), rows[i].want);
    }
}

/* --- diag ----------------------------------------------------------------- */

static void test_diag_keeps_first(void **state)
{
    struct diag d = DIAG_NONE;

    (void)state;
    assert_int_equal(
        diag_fail(&d, DIAG_STAGE_TLS, ESP_ERR_TIMEOUT, "no answer for %d s", 5),
        ESP_ERR_TIMEOUT);
    assert_int_equal(diag_fail(&d, DIAG_STAGE_HTTP, ESP_FAIL, "second"),
                     ESP_FAIL);
    assert_int_equal(d.stage, DIAG_STAGE_TLS);
    assert_int_equal(d.err, ESP_ERR_TIMEOUT);
    assert_string_equal(d.text, "no answer for 5 s");
    assert_int_equal(diag_fail(NULL, DIAG_STAGE_HTTP, ESP_FAIL, "x"), ESP_FAIL);
}

static void test_diag_long_text_is_cut(void **state)
{
    struct diag d = DIAG_NONE;

    (void)state;
    (void)diag_fail(&d, DIAG_STAGE_ARGS, ESP_FAIL, "%0400d", 7);
    assert_int_equal(strlen(d.text), sizeof(d.text) - 1);
}

static void test_diag_steers_no_terminal(void **state)
{
    struct diag d = DIAG_NONE;

    (void)state;
    (void)diag_fail(&d, DIAG_STAGE_HTTP, ESP_FAIL, "it says \"%s\"",
                    "\x1b[2J\n\xC3\xA9\xFF");
    assert_string_equal(d.text, "it says \"?[2J?\xC3\xA9?\"");
}

static void test_diag_stage_names(void **state)
{
    (void)state;
    assert_string_equal(diag_stage_name(DIAG_STAGE_NONE), "none");
    assert_string_equal(diag_stage_name(DIAG_STAGE_CONNECT), "connect");
    assert_string_equal(diag_stage_name(DIAG_STAGE_BOOT), "boot");
    assert_string_equal(diag_stage_name((enum diag_stage)99), "none");
}

/* --- log ------------------------------------------------------------------ */

struct seen {
    unsigned cnt;
    enum log_level level;
    char line[64];
};

static void PRINTF_LIKE(4, 0)
    sink(void *ctx, enum log_level level, const char *tag, const char *fmt,
         va_list args)
{
    struct seen *seen = ctx;
    int n = snprintf(seen->line, sizeof(seen->line), "%s: ", tag);

    seen->cnt++;
    seen->level = level;
    (void)vsnprintf(seen->line + n, sizeof(seen->line) - (size_t)n, fmt, args);
}

static void test_log_reaches_sink(void **state)
{
    struct seen seen = { 0 };

    (void)state;
    LOGE("base", "nobody listens yet");
    log_set_sink(sink, &seen);
    LOGW("base", "sector %u", 3u);
    log_set_sink(NULL, NULL);
    LOGE("base", "nobody listens any more");
    assert_int_equal(seen.cnt, 1);
    assert_int_equal(seen.level, LOG_WARN);
    assert_string_equal(seen.line, "base: sector 3");
}

/* --- crc32 ---------------------------------------------------------------- */

/* The records of otadata: seed 0xFFFFFFFF over the sequence number. */
static void test_crc32_otadata(void **state)
{
    static const struct {
        uint32_t seq;
        uint32_t want;
    } rows[] = {
        { 0, 0xFFFFFFFF },          { 1, 0x4743989A },
        { 2, 0x55F63774 },          { 3, 0xED4A5011 },
        { 4, 0x709D68A8 },          { 5, 0xC8210FCD },
        { 6, 0xDA94A023 },          { 7, 0x6228C746 },
        { 8, 0x3A4BD710 },          { 9, 0x82F7B075 },
        { 10, 0x90421F9B },         { 11, 0x28FE78FE },
        { 12, 0xB5294047 },         { 13, 0x0D952722 },
        { 14, 0x1F2088CC },         { 15, 0xA79CEFA9 },
        { 16, 0xAFE6A860 },         { 100, 0x4BBB9FAB },
        { 0xFFFFFFFE, 0x99F8B879 }, { 0xFFFFFFFF, 0x2144DF1C },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        uint8_t bytes[4];

        le32_put(bytes, rows[i].seq);
        assert_int_equal(crc32_le(0xFFFFFFFFu, bytes, 4), rows[i].want);
    }
}

static void test_crc32_zlib(void **state)
{
    static const uint8_t zeros[32];

    (void)state;
    assert_int_equal(crc32_le(0, "", 0), 0);
    assert_int_equal(crc32_le(0, "a", 1), 0xE8B7BE43);
    assert_int_equal(crc32_le(0, "123456789", 9), 0xCBF43926);
    assert_int_equal(crc32_le(0, zeros, 32), 0x190A55AD);
    assert_int_equal(crc32_le(crc32_le(0, "1234", 4), "56789", 5), 0xCBF43926);
}

/* --- md5 ------------------------------------------------------------------ */

static void md5_hex(const char *text, size_t len, size_t step, char out[33])
{
    struct md5 m;
    uint8_t digest[16];

    md5_init(&m);
    for (size_t i = 0; i < len; i += step)
        md5_update(&m, text + i, len - i < step ? len - i : step);
    md5_final(&m, digest);
    for (size_t i = 0; i < 16; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

#define X16 "xxxxxxxxxxxxxxxx"
#define X64 X16 X16 X16 X16

/* RFC 1321 A.5, then lengths around the padding's edges. */
static void test_md5(void **state)
{
    static const struct {
        const char *text;
        const char *want;
    } rows[] = {
        { "", "d41d8cd98f00b204e9800998ecf8427e" },
        { "a", "0cc175b9c0f1b6a831c399e269772661" },
        { "abc", "900150983cd24fb0d6963f7d28e17f72" },
        { "message digest", "f96b697d7cb7938d525a2f31aaf161d0" },
        { "abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b" },
        { "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
          "d174ab98d277d9f5a5611c2c9f419d9f" },
        { "1234567890123456789012345678901234567890"
          "1234567890123456789012345678901234567890",
          "57edf4a22be3c955ac49da2e2107b67a" },
        { X16 X16 X16 "xxxxxxx", "04364420e25c512fd958a70738aa8f72" },
        { X16 X16 X16 "xxxxxxxx", "668a72d5ba17f08e62dabcafad6db14b" },
        { X16 X16 X16 "xxxxxxxxxxxxxxx", "7dc2ca208106a2f703567bdff99d8981" },
        { X64, "c1bb4f81d892b2d57947682aeb252456" },
        { X64 "x", "1bc932052302d074bdec39795fe00cf6" },
        { X64 X16 X16 X16 "xxxxxxx", "ab347a5f68c8a443cfcddc633f12c24f" },
        { X64 X16 X16 X16 "xxxxxxxx", "fb98667f98096de92620b64f46e1c5b5" },
    };
    char got[33];

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        for (size_t step = 1; step <= 130; step++) {
            md5_hex(rows[i].text, strlen(rows[i].text), step, got);
            assert_string_equal(got, rows[i].want);
        }
    }
}

/* --- span, le ------------------------------------------------------------- */

static void test_span(void **state)
{
    struct span s = span_str("partition");

    (void)state;
    assert_int_equal(s.len, 9);
    assert_true(span_eq(s, "partition"));
    assert_false(span_eq(s, "partitio"));
    assert_false(span_eq(s, "partitions"));
    assert_false(span_eq(s, "PARTITION"));
    assert_true(span_eq(span_from(s, 5), "tion"));
    assert_int_equal(span_from(s, 9).len, 0);
    assert_int_equal(span_from(s, 10).len, 0);
    assert_int_equal(span_from(s, SIZE_MAX).len, 0);
    assert_int_equal(span_str(NULL).len, 0);
    assert_true(span_eq(span_of(NULL, 0), ""));
}

static void test_le(void **state)
{
    /* Starts at 1, so that no access is aligned. */
    uint8_t b[6] = { 0, 0x78, 0x56, 0x34, 0xF2, 0 };

    (void)state;
    assert_int_equal(le16_get(b + 1), 0x5678);
    assert_int_equal(le16_get(b + 3), 0xF234);
    assert_int_equal(le32_get(b + 1), 0xF2345678u);
    le32_put(b + 1, 0xDEADBEEFu);
    assert_memory_equal(b, "\x00\xEF\xBE\xAD\xDE\x00", 6);
    le16_put(b + 2, 0xA55A);
    assert_memory_equal(b, "\x00\xEF\x5A\xA5\xDE\x00", 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_err_names),
        cmocka_unit_test(test_diag_keeps_first),
        cmocka_unit_test(test_diag_long_text_is_cut),
        cmocka_unit_test(test_diag_steers_no_terminal),
        cmocka_unit_test(test_diag_stage_names),
        cmocka_unit_test(test_log_reaches_sink),
        cmocka_unit_test(test_crc32_otadata),
        cmocka_unit_test(test_crc32_zlib),
        cmocka_unit_test(test_md5),
        cmocka_unit_test(test_span),
        cmocka_unit_test(test_le),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
