/* Files of the command: whole or not at all, bounded, secrets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"

/* A folder of its own for each test, empty again at its end. */
struct place {
    char folder[64];
    char path[128];
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof(*p));

    if (!p)
        return -1;
    strcpy(p->folder, "porta-files-XXXXXX");
    if (!mkdtemp(p->folder))
        return -1;
    snprintf(p->path, sizeof(p->path), "%s/f", p->folder);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    int left;

    unlink(p->path);
    left = rmdir(p->folder); /* fails when something was left behind */
    free(p);
    return left;
}

static void test_written_whole(void **state)
{
    struct place *p = *state;
    struct diag d = DIAG_NONE;
    struct cli_bytes got;
    struct stat st;

    assert_int_equal(cli_write_file(p->path, span_str("hello"), 0600, &d), 0);
    assert_int_equal(cli_read_file(p->path, 5, &got, &d), ESP_OK);
    assert_int_equal(got.len, 5);
    assert_string_equal((char *)got.ptr, "hello"); /* a NUL follows */
    cli_bytes_free(&got);
    cli_bytes_free(&got);
    assert_int_equal(stat(p->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_discarded_leaves_the_old(void **state)
{
    struct place *p = *state;
    struct diag d = DIAG_NONE;
    struct cli_out out = CLI_OUT_CLOSED;
    struct cli_bytes got;

    assert_int_equal(cli_write_file(p->path, span_str("old"), 0644, &d), 0);
    assert_int_equal(cli_out_open(&out, p->path, 0644, &d), ESP_OK);
    assert_int_equal(cli_out_write(&out, "new", 3, &d), ESP_OK);
    cli_out_discard(&out);
    cli_out_discard(&out);
    assert_int_equal(cli_read_file(p->path, 100, &got, &d), ESP_OK);
    assert_string_equal((char *)got.ptr, "old");
    cli_bytes_free(&got);
}

static void test_bounded(void **state)
{
    struct place *p = *state;
    struct diag d = DIAG_NONE;
    struct cli_bytes got;

    assert_int_equal(cli_write_file(p->path, span_str("12345"), 0644, &d), 0);
    assert_int_equal(cli_read_file(p->path, 4, &got, &d), ESP_ERR_INVALID_SIZE);
    assert_null(got.ptr);
    assert_non_null(strstr(d.text, p->path));
}

static void test_missing(void **state)
{
    struct place *p = *state;
    struct diag d = DIAG_NONE;
    struct cli_bytes got;

    assert_int_equal(cli_read_file(p->path, 4, &got, &d), ESP_ERR_NOT_FOUND);
    assert_int_equal(d.stage, DIAG_STAGE_FILE);
    assert_null(got.ptr);
}

static void test_large(void **state)
{
    struct place *p = *state;
    struct diag d = DIAG_NONE;
    struct cli_bytes got;
    size_t len = 1000003;
    uint8_t *data = malloc(len);

    assert_non_null(data);
    for (size_t i = 0; i < len; i++)
        data[i] = (uint8_t)(i * 7 + i / 251);
    assert_int_equal(cli_write_file(p->path, span_of(data, len), 0644, &d), 0);
    assert_int_equal(cli_read_file(p->path, len, &got, &d), ESP_OK);
    assert_int_equal(got.len, len);
    assert_memory_equal(got.ptr, data, len);
    cli_bytes_free(&got);
    free(data);
}

static void test_secrets(void **state)
{
    struct place *p = *state;
    struct diag d = DIAG_NONE;
    struct cli_bytes got;
    char arg[140];

    assert_int_equal(cli_read_secret("plain", &got, &d), ESP_OK);
    assert_string_equal((char *)got.ptr, "plain");
    cli_bytes_free(&got);
    assert_int_equal(
        cli_write_file(p->path, span_str("of a file\r\n"), 0600, &d), 0);
    snprintf(arg, sizeof(arg), "@%s", p->path);
    assert_int_equal(cli_read_secret(arg, &got, &d), ESP_OK);
    assert_string_equal((char *)got.ptr, "of a file");
    assert_int_equal(got.len, 9);
    cli_bytes_free(&got);
}

/* What a command is doing when a signal comes: one file is done, one begun. */
static void write_until(const struct place *p, int sig)
{
    struct cli_out out = CLI_OUT_CLOSED;

    if (cli_write_file(p->path, span_str("old"), 0644, NULL) ||
        cli_out_open(&out, p->path, 0644, NULL) ||
        cli_out_write(&out, "new", 3, NULL))
        _exit(1);
    raise(sig);
    _exit(cli_out_commit(&out, NULL) ? 2 : 0);
}

static int status_of(pid_t pid)
{
    int status = 0;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

/* Whether anything but the old file is there, teardown() sees. */
static void test_a_signal_leaves_nothing_half(void **state)
{
    static const int ends[] = { SIGINT, SIGTERM, SIGHUP };
    struct place *p = *state;
    struct cli_bytes got;

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        pid_t pid = fork();
        if (pid == 0) {
            signal(ends[i], SIG_DFL);
            write_until(p, ends[i]);
        }
        int status = status_of(pid);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), ends[i]);
        assert_int_equal(cli_read_file(p->path, 100, &got, NULL), ESP_OK);
        assert_string_equal((char *)got.ptr, "old");
        cli_bytes_free(&got);
    }
}

/* nohup(1) */
static void test_an_ignored_signal_stays_so(void **state)
{
    struct place *p = *state;
    struct cli_bytes got;
    pid_t pid = fork();

    if (pid == 0) {
        signal(SIGHUP, SIG_IGN);
        write_until(p, SIGHUP);
    }
    assert_int_equal(status_of(pid), 0);
    assert_int_equal(cli_read_file(p->path, 100, &got, NULL), ESP_OK);
    assert_string_equal((char *)got.ptr, "new");
    cli_bytes_free(&got);
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(test_written_whole),
        IN_PLACE(test_discarded_leaves_the_old),
        IN_PLACE(test_bounded),
        IN_PLACE(test_missing),
        IN_PLACE(test_large),
        IN_PLACE(test_secrets),
        IN_PLACE(test_a_signal_leaves_nothing_half),
        IN_PLACE(test_an_ignored_signal_stays_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
