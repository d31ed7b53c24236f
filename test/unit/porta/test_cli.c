/* Command lines by a table: options, lists, seconds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cli.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define ARGS_MAX 8

struct opts {
    bool flag;
    enum cli_tri tri;
    const char *text;
    struct cli_list list;
    uint32_t num, size, ms;
};

static const struct cli_opt table[] = {
    { "--flag", NULL, "a flag", CLI_KIND_FLAG, offsetof(struct opts, flag) },
    { "--on", NULL, "on", CLI_KIND_ON, offsetof(struct opts, tri) },
    { "--no-on", NULL, "off", CLI_KIND_OFF, offsetof(struct opts, tri) },
    { "-o", "TEXT", "a text", CLI_KIND_TEXT, offsetof(struct opts, text) },
    { "--list", "T", "texts", CLI_KIND_LIST, offsetof(struct opts, list) },
    { "--num", "N", "number", CLI_KIND_NUM, offsetof(struct opts, num) },
    { "--size", "N", "a size", CLI_KIND_SIZE, offsetof(struct opts, size) },
    { "--time", "S", "time", CLI_KIND_SECONDS, offsetof(struct opts, ms) },
    CLI_OPT_END,
};

static const struct cli_verb verb = {
    .name = "try",
    .usage = "A [B]",
    .summary = "For tests.",
    .example = "porta try a",
    .opts = table,
    .arg_min = 1,
    .arg_max = 2,
};

struct row {
    const char *claim;
    const char *argv[ARGS_MAX];
    int status;
    struct opts want;
    int arg_cnt;
};

static const struct row rows[] = {
    { "one argument", { "a" }, CLI_GO, { 0 }, 1 },
    { "an option before", { "--flag", "a" }, CLI_GO, { .flag = true }, 1 },
    { "an option after", { "a", "--flag" }, CLI_GO, { .flag = true }, 1 },
    { "a value apart", { "-o", "x", "a" }, CLI_GO, { .text = "x" }, 1 },
    { "a value that looks like an option",
      { "-o", "--flag", "a" },
      CLI_GO,
      { .text = "--flag" },
      1 },
    { "a value behind =",
      { "--size=4M", "a" },
      CLI_GO,
      { .size = 4194304 },
      1 },
    { "sizes in hex", { "--size", "0x20", "a" }, CLI_GO, { .size = 32 }, 1 },
    { "the last one counts",
      { "-o", "x", "-o", "y", "a" },
      CLI_GO,
      { .text = "y" },
      1 },
    { "a pair, on", { "--on", "a" }, CLI_GO, { .tri = CLI_ON }, 1 },
    { "a pair, off",
      { "--on", "--no-on", "a" },
      CLI_GO,
      { .tri = CLI_OFF },
      1 },
    { "seconds with decimals",
      { "--time", "1.25", "a" },
      CLI_GO,
      { .ms = 1250 },
      1 },
    { "after -- all are arguments", { "--", "--flag" }, CLI_GO, { 0 }, 1 },
    { "- is an argument", { "-" }, CLI_GO, { 0 }, 1 },
    { "no argument", { "--flag" }, CLI_USAGE, { .flag = true }, 0 },
    { "too many arguments", { "a", "b", "c" }, CLI_USAGE, { 0 }, 3 },
    { "unknown option", { "a", "--nope" }, CLI_USAGE, { 0 }, 1 },
    { "a prefix is no option", { "a", "--fla" }, CLI_USAGE, { 0 }, 1 },
    { "a value is missing", { "a", "--size" }, CLI_USAGE, { 0 }, 1 },
    { "a flag with a value", { "a", "--flag=1" }, CLI_USAGE, { 0 }, 1 },
    { "not a size", { "a", "--size", "4Q" }, CLI_USAGE, { 0 }, 1 },
    { "not a number", { "a", "--num", "-1" }, CLI_USAGE, { 0 }, 1 },
    { "no time at all", { "a", "--time", "0" }, CLI_USAGE, { 0 }, 1 },
    { "an option of every verb", { "a", "--quiet" }, CLI_GO, { 0 }, 1 },
    { "two that exclude each other",
      { "a", "--quiet", "--verbose" },
      CLI_USAGE,
      { 0 },
      1 },
};

static void test_parse(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        const struct row *r = &rows[i];
        char *argv[ARGS_MAX + 2] = { (char *)(uintptr_t) "try" };
        struct opts got = { 0 };
        struct cli_args args;
        int argc = 1;

        for (; argc <= ARGS_MAX && r->argv[argc - 1]; argc++)
            argv[argc] = (char *)(uintptr_t)r->argv[argc - 1];
        int status = cli_parse(&verb, argc, argv, &got, &args);
        if (status != r->status || args.cnt != r->arg_cnt ||
            got.flag != r->want.flag || got.tri != r->want.tri ||
            got.size != r->want.size || got.ms != r->want.ms ||
            got.num != r->want.num ||
            strcmp(got.text ? got.text : "",
                   r->want.text ? r->want.text : "") != 0)
            fail_msg("%s: status %d", r->claim, status);
    }
}

static void test_lists_are_bounded(void **state)
{
    char *argv[2 * CLI_LIST_MAX + 4] = { (char *)(uintptr_t) "try" };
    struct opts got = { 0 };
    struct cli_args args;
    int argc = 1;

    (void)state;
    for (int i = 0; i < CLI_LIST_MAX; i++) {
        argv[argc++] = (char *)(uintptr_t) "--list";
        argv[argc++] = (char *)(uintptr_t) "x";
    }
    argv[argc++] = (char *)(uintptr_t) "a";
    assert_int_equal(cli_parse(&verb, argc, argv, &got, &args), CLI_GO);
    assert_int_equal(got.list.cnt, CLI_LIST_MAX);
    assert_int_equal(cli_parse(&verb, argc, argv, &got, &args), CLI_USAGE);
}

struct seconds_row {
    const char *text;
    esp_err_t err;
    uint32_t ms;
};

static const struct seconds_row seconds[] = {
    { "1", ESP_OK, 1000 },
    { "0.001", ESP_OK, 1 },
    { "0.0004", ESP_ERR_INVALID_ARG, 0 },
    { "2.5", ESP_OK, 2500 },
    { "10.", ESP_OK, 10000 },
    { "4294966", ESP_OK, 4294966000u },
    { "4294968", ESP_ERR_INVALID_ARG, 0 },
    { "99999999999999999999", ESP_ERR_INVALID_ARG, 0 },
    { "", ESP_ERR_INVALID_ARG, 0 },
    { ".5", ESP_ERR_INVALID_ARG, 0 },
    { "-1", ESP_ERR_INVALID_ARG, 0 },
    { "1s", ESP_ERR_INVALID_ARG, 0 },
    { "1e3", ESP_ERR_INVALID_ARG, 0 },
};

static void test_seconds(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(seconds); i++) {
        uint32_t ms = 0;

        if (cli_parse_seconds(seconds[i].text, &ms) != seconds[i].err ||
            ms != seconds[i].ms)
            fail_msg("'%s': %u ms", seconds[i].text, (unsigned)ms);
    }
}

static void test_thousands(void **state)
{
    char buf[32], tiny[6];

    (void)state;
    assert_string_equal(cli_thousands(0, buf, sizeof(buf)), "0");
    assert_string_equal(cli_thousands(999, buf, sizeof(buf)), "999");
    assert_string_equal(cli_thousands(1000, buf, sizeof(buf)), "1,000");
    assert_string_equal(cli_thousands(893536, buf, sizeof(buf)), "893,536");
    assert_string_equal(cli_thousands(UINT64_MAX, buf, sizeof(buf)),
                        "18,446,744,073,709,551,615");
    cli_thousands(UINT64_MAX, tiny, sizeof(tiny));
    assert_true(strlen(tiny) < sizeof(tiny));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_lists_are_bounded),
        cmocka_unit_test(test_seconds),
        cmocka_unit_test(test_thousands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
