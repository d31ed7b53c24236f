/* Records that are longer than a session has room for: found by their heads, in
 * whatever pieces they come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tls/tls_mbedtls.h"

struct wire {
    const uint8_t *bytes;
    size_t len, pos, piece;
};

static esp_err_t wire_recv(struct port_conn *conn, void *dst, size_t len,
                           uint64_t deadline_ms, size_t *done_len)
{
    struct wire *w = (struct wire *)(void *)conn;
    size_t n = w->len - w->pos < w->piece ? w->len - w->pos : w->piece;

    (void)deadline_ms;
    if (n > len)
        n = len;
    memcpy(dst, w->bytes + w->pos, n);
    w->pos += n;
    *done_len = n;
    return ESP_OK;
}

struct row {
    const char *claim;
    uint16_t room;
    uint16_t lens[3]; /* of the records; 0: no more */
    bool fit;
};

static const struct row rows[] = {
    { "one that is as long as that", 1024, { 1024 }, true },
    { "with what protection adds", 1024, { 1024 + 64 }, true },
    { "a byte more", 1024, { 1024 + 65 }, false },
    { "several", 1024, { 1024, 1, 1024 }, true },
    { "an empty one between", 1024, { 10, 0xffff, 2000 }, false },
    { "the third is too long", 1024, { 1024, 1000, 16384 }, false },
    { "no limit", 0, { 16384, 16384, 16384 }, true },
};

/* 0xffff stands for an empty record. */
static size_t put_records(const uint16_t lens[3], uint8_t *out)
{
    size_t at = 0;

    for (int i = 0; i < 3 && lens[i]; i++) {
        uint16_t len = lens[i] == 0xffff ? 0 : lens[i];
        const uint8_t head[5] = { 23, 3, 3, (uint8_t)(len >> 8), (uint8_t)len };

        memcpy(out + at, head, sizeof(head));
        memset(out + at + 5, 23, len);
        at += 5 + len;
    }
    return at;
}

/* As the library reads: a head, then its body. */
static bool all_pass(const struct row *row, size_t piece, size_t ask)
{
    static uint8_t bytes[3 * (5 + 16384)];
    static unsigned char got[16384];
    static const struct port_net net = { .recv = wire_recv };
    static struct tls_bio b;
    struct wire w = { bytes, put_records(row->lens, bytes), 0, piece };

    tls_bio_init(&b, &net, (struct port_conn *)(void *)&w);
    b.room = row->room;
    for (;;) {
        int n = tls_bio_recv(&b, got, ask);

        if (n <= 0)
            return n == 0;
    }
}

static void test_rows(void **state)
{
    static const size_t pieces[] = { 1, 3, 5, 100, 20000 };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (size_t p = 0; p < sizeof(pieces) / sizeof(pieces[0]); p++)
            for (size_t ask = 1; ask <= 16384; ask *= 128) {
                if (all_pass(&rows[i], pieces[p], ask) != rows[i].fit)
                    fail_msg("%s, in pieces of %zu, asked for %zu",
                             rows[i].claim, pieces[p], ask);
            }
}

static void test_what_is_said(void **state)
{
    struct tls_fault fault = { .code = MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL,
                               .room = 4096 };
    char text[128];

    (void)state;
    tls_fault_text(&fault, text, sizeof(text));
    assert_non_null(strstr(text, "more than the 4096 bytes"));
    fault.room = 0;
    tls_fault_text(&fault, text, sizeof(text));
    assert_non_null(strstr(text, "broken TLS record"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_what_is_said),
    };

    return cmocka_run_group_tests_name("tls_record", tests, NULL, NULL);
}
