/* The names of a board in a network namespace of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "emu_net.h"

#define HEAD "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
#define NAME "\x03ota\x04test\x00"
#define SAYS(flags, cnt) "\x12\x34" flags "\x00\x01\x00" cnt "\x00\x00\x00\x00"
#define RECORD(type, len) "\xc0\x0c\x00" type "\x00\x01\x00\x00\x00\x3c\x00" len
#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1

static const struct {
    const char *claim;
    const uint8_t *query;
    size_t query_len;
    const uint8_t *want;
    size_t want_len;
} rows[] = {
    { "a name has the host's address", BYTES(HEAD NAME "\x00\x01\x00\x01"),
      BYTES(SAYS("\x81\x80", "\x01") NAME
            "\x00\x01\x00\x01" RECORD("\x01", "\x04") "\x0a\x00\x02\x02") },
    { "and that of IPv6", BYTES(HEAD NAME "\x00\x1c\x00\x01"),
      BYTES(SAYS("\x81\x80", "\x01") NAME "\x00\x1c\x00\x01" RECORD(
          "\x1c", "\x10") "\xfe\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02") },
    { "and no mail server", BYTES(HEAD NAME "\x00\x0f\x00\x01"),
      BYTES(SAYS("\x81\x80", "\x00") NAME "\x00\x0f\x00\x01") },
    { "what stands behind the question is not sent back",
      BYTES(HEAD NAME "\x00\x0f\x00\x01\x00\x00\x29\x10\x00"),
      BYTES(SAYS("\x81\x80", "\x00") NAME "\x00\x0f\x00\x01") },
    { "there is nothing in .invalid",
      BYTES(HEAD "\x01x\x07invalid\x00\x00\x01\x00\x01"),
      BYTES(SAYS("\x81\x83", "\x00") "\x01x\x07invalid\x00\x00\x01\x00\x01") },
    { "there is in invalid.test",
      BYTES(HEAD "\x07invalid\x04test\x00\x00\x0f\x00\x01"),
      BYTES(
          SAYS("\x81\x80", "\x00") "\x07invalid\x04test\x00\x00\x0f\x00\x01") },
    { "half a header", BYTES("\x12\x34\x01\x00\x00"), NULL, 0 },
    { "an answer",
      BYTES("\x12\x34\x81\x00\x00\x01\0\0\0\0\0\0" NAME "\0\1\0\1"), NULL, 0 },
    { "two questions", BYTES("\x12\x34\x01\x00\x00\x02\0\0\0\0\0\0" NAME), NULL,
      0 },
    { "a name without an end", BYTES(HEAD "\x03ota\x04test"), NULL, 0 },
    { "a label past the end", BYTES(HEAD "\x03ota\x3ftest"), NULL, 0 },
    { "a pointer", BYTES(HEAD "\xc0\x0c\x00\x01\x00\x01"), NULL, 0 },
    { "a question without a type", BYTES(HEAD NAME "\x00\x01"), NULL, 0 },
};

static void answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t out[EMU_DNS_LEN];
        print_message("%s\n", rows[i].claim);
        assert_int_equal(emu_dns_answer(rows[i].query, rows[i].query_len, out),
                         rows[i].want_len);
        if (rows[i].want_len > 0)
            assert_memory_equal(out, rows[i].want, rows[i].want_len);
    }
}

/* The answer has room whatever is asked: the longest that is answered. */
static void longest_has_room(void **state)
{
    (void)state;
    uint8_t query[EMU_DNS_LEN] = { 0x12, 0x34, 1, 0, 0, 1 };
    uint8_t out[EMU_DNS_LEN];
    size_t at = 12;
    for (; at + 64 < EMU_DNS_LEN - 64 - 5; at += 64)
        query[at] = 63;
    query[at + 2] = 28; /* AAAA; the name's end is zero already */
    query[at + 4] = 1;
    assert_int_equal(emu_dns_answer(query, at + 5, out), at + 5 + 12 + 16);
    assert_int_equal(emu_dns_answer(query, EMU_DNS_LEN, out), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(longest_has_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
