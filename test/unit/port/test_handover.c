/* The page between board, bootloader and application; time and inputs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "handover.h"
#include "linux_clock.h"
#include "linux_rng.h"
#include "linux_sys.h"

static void test_attach_without_a_board(void **state)
{
    struct handover *h;
    struct diag diag = DIAG_NONE;
    (void)state;
    unsetenv(HANDOVER_ENV);
    assert_int_equal(handover_attach(&h, &diag), ESP_ERR_NOT_FOUND);
    assert_non_null(strstr(diag.text, "porta device"));
    setenv(HANDOVER_ENV, "x", 1);
    assert_int_equal(handover_attach(&h, NULL), ESP_ERR_NOT_FOUND);
    setenv(HANDOVER_ENV, "999", 1);
    assert_int_equal(handover_attach(&h, NULL), ESP_FAIL);
    unsetenv(HANDOVER_ENV);
}

static void test_foreign_page(void **state)
{
    struct handover *h, *other;
    struct diag diag = DIAG_NONE;
    char text[16];
    int fd;
    (void)state;
    assert_int_equal(handover_create(&h, &fd, NULL), ESP_OK);
    snprintf(text, sizeof(text), "%d", fd);
    setenv(HANDOVER_ENV, text, 1);
    h->version = HANDOVER_VERSION + 1;
    assert_int_equal(handover_attach(&other, &diag), ESP_ERR_INVALID_VERSION);
    assert_non_null(strstr(diag.text, "same sources"));
    h->version = HANDOVER_VERSION;
    h->magic = 0;
    assert_int_equal(handover_attach(&other, NULL), ESP_ERR_INVALID_VERSION);
    h->magic = HANDOVER_MAGIC;
    assert_int_equal(handover_attach(&other, NULL), ESP_OK);
    handover_detach(other);
    assert_int_equal(ftruncate(fd, 64), 0);
    assert_int_equal(handover_attach(&other, NULL), ESP_ERR_INVALID_VERSION);
    unsetenv(HANDOVER_ENV);
    handover_detach(h);
    close(fd);
}

static const struct {
    enum port_reset_reason reason;
    uint8_t retained;
} boot_rows[] = {
    { PORT_RESET_SW, 0x77 },
    { PORT_RESET_PANIC, 0x77 },
    { PORT_RESET_POWERON, 0 },
};

static void test_boot_clears_what_a_reset_clears(void **state)
{
    struct handover *h;
    int fd;
    (void)state;
    assert_int_equal(handover_create(&h, &fd, NULL), ESP_OK);
    for (size_t i = 0; i < sizeof(boot_rows) / sizeof(boot_rows[0]); i++) {
        h->restart = 1;
        h->verdict = HANDOVER_STARTED;
        h->slot.off = 0x20000;
        strcpy(h->text, "old");
        memset(h->retained, 0x77, sizeof(h->retained));
        handover_boot(h, boot_rows[i].reason);
        assert_int_equal(h->boot_cnt, i + 1);
        assert_int_equal(h->reset_reason, boot_rows[i].reason);
        assert_int_equal(h->retained[5], boot_rows[i].retained);
        assert_int_equal(h->restart, 0);
        assert_int_equal(h->verdict, HANDOVER_PENDING);
        assert_int_equal(h->slot.off, 0);
        assert_string_equal(h->text, "");
    }
    handover_detach(h);
    close(fd);
}

static void test_policy_travels(void **state)
{
    const struct policy relaxed = { .require_signed = true,
                                    .boot_unsigned = true };
    const struct policy in = { .rollback = true,
                               .require_hash = true,
                               .require_signed = true,
                               .anti_rollback = true,
                               .sec_ver_bits = 9 };
    struct policy out;
    struct handover *h;
    int fd;
    (void)state;
    assert_int_equal(handover_create(&h, &fd, NULL), ESP_OK);
    handover_set_policy(h, &in);
    handover_policy(h, &out);
    assert_true(out.rollback && out.require_hash && out.require_signed);
    assert_true(out.anti_rollback && out.sec_ver_bits == 9);
    assert_int_equal(h->fuse_fd, -1);
    assert_false(out.allow_http || out.skip_cert_verify);
    assert_true(pol_boot_signed(&out));
    handover_set_policy(h, &relaxed);
    handover_policy(h, &out);
    assert_true(pol_require_signed(&out) && !pol_boot_signed(&out));
    handover_detach(h);
    close(fd);
}

/* What a child of a board does, up to and including the restart. */
static void child_main(const struct handover *page, int fd)
{
    struct handover *h;
    struct linux_sys sys;
    if (handover_export(page, fd, NULL) != ESP_OK ||
        fcntl(page->flash_fd, F_GETFD) != 0 || handover_attach(&h, NULL))
        _exit(1);
    h->retained[0] = 9;
    linux_sys_init(&sys, h);
    if (sys.port.reset_reason(&sys) != PORT_RESET_SW)
        _exit(2);
    sys.port.restart(&sys);
    _exit(3);
}

static void test_child_restarts(void **state)
{
    struct handover *h;
    int fd, status = 0;
    (void)state;
    assert_int_equal(handover_create(&h, &fd, NULL), ESP_OK);
    h->flash_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    handover_boot(h, PORT_RESET_SW);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        child_main(h, fd);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(h->restart, PORT_RESET_SW);
    assert_int_equal(h->retained[0], 9);
    close(h->flash_fd);
    handover_detach(h);
    close(fd);
}

/* A grandchild tied to a board that ends: the pipe closes when it is gone. */
static void test_child_dies_with_the_board(void **state)
{
    int ends[2];
    char byte;
    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t board = fork();
    assert_true(board >= 0);
    if (board == 0) {
        struct handover *h;
        int fd;
        if (handover_create(&h, &fd, NULL))
            _exit(1);
        h->flash_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (fork() == 0) {
            if (handover_export(h, fd, NULL) == ESP_OK &&
                write(ends[1], "x", 1) == 1)
                for (;;)
                    pause();
            _exit(1);
        }
        close(ends[1]);
        if (read(ends[0], &byte, 1) != 1)
            _exit(2);
        _exit(0);
    }
    close(ends[1]);
    int status = 0;
    assert_int_equal(waitpid(board, &status, 0), board);
    assert_int_equal(status, 0);
    assert_int_equal(read(ends[0], &byte, 1), 0);
    close(ends[0]);
}

static void test_tool_restart_is_a_wish(void **state)
{
    struct linux_sys sys;
    (void)state;
    linux_sys_init(&sys, NULL);
    assert_int_equal(sys.port.reset_reason(&sys), PORT_RESET_POWERON);
    assert_false(sys.restart_wanted);
    sys.port.restart(&sys);
    assert_true(sys.restart_wanted);
}

static void test_time(void **state)
{
    struct linux_sys sys;
    (void)state;
    linux_sys_init(&sys, NULL);
    uint64_t start = sys.port.mono_ms(&sys);
    sys.port.sleep_ms(&sys, 0);
    sys.port.sleep_ms(&sys, 15);
    assert_true(sys.port.mono_ms(&sys) >= start + 15);
}

static void test_inputs(void **state)
{
    struct linux_sys sys;
    bool level = false;
    char path[] = "/tmp/porta-input-XXXXXX";
    char value[64];
    (void)state;
    linux_sys_init(&sys, NULL);
    unsetenv("PORTA_INPUT_4");
    assert_int_equal(sys.port.input(&sys, 4, &level), ESP_ERR_NOT_SUPPORTED);
    setenv("PORTA_INPUT_4", "1", 1);
    assert_int_equal(sys.port.input(&sys, 4, &level), ESP_OK);
    assert_true(level);
    setenv("PORTA_INPUT_4", "high", 1);
    assert_int_equal(sys.port.input(&sys, 4, &level), ESP_ERR_NOT_SUPPORTED);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "0\n", 2), 2);
    close(fd);
    snprintf(value, sizeof(value), "@%s", path);
    setenv("PORTA_INPUT_4", value, 1);
    assert_int_equal(sys.port.input(&sys, 4, &level), ESP_OK);
    assert_false(level);
    unlink(path);
    assert_int_equal(sys.port.input(&sys, 4, &level), ESP_ERR_NOT_SUPPORTED);
    unsetenv("PORTA_INPUT_4");
}

static void test_input_by_signal(void **state)
{
    struct linux_sys sys;
    struct handover *page;
    struct diag diag = DIAG_NONE;
    bool level = true;
    int fd;

    (void)state;
    setenv("PORTA_INPUT_4", "signal", 1);
    linux_sys_init(&sys, NULL);
    assert_int_equal(sys.port.input(&sys, 4, &level), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(handover_create(&page, &fd, &diag), ESP_OK);
    linux_sys_init(&sys, page);
    assert_int_equal(sys.port.input(&sys, 4, &level), ESP_OK);
    assert_false(level);
    atomic_store(&page->signal_level, 1);
    handover_boot(page, PORT_RESET_PANIC); /* a pin outlives a reset */
    assert_int_equal(sys.port.input(&sys, 4, &level), ESP_OK);
    assert_true(level);
    handover_detach(page);
    close(fd);
    unsetenv("PORTA_INPUT_4");
}

static void test_stateless_ports(void **state)
{
    uint8_t a[32] = { 0 }, b[32] = { 0 };
    int64_t now = 0;
    (void)state;
    assert_int_equal(linux_rng.fill(NULL, a, sizeof(a)), ESP_OK);
    assert_int_equal(linux_rng.fill(NULL, b, sizeof(b)), ESP_OK);
    assert_memory_not_equal(a, b, sizeof(a));
    assert_int_equal(linux_clock.now_s(NULL, &now), ESP_OK);
    assert_true(now > 1577836800);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attach_without_a_board),
        cmocka_unit_test(test_foreign_page),
        cmocka_unit_test(test_boot_clears_what_a_reset_clears),
        cmocka_unit_test(test_policy_travels),
        cmocka_unit_test(test_child_restarts),
        cmocka_unit_test(test_child_dies_with_the_board),
        cmocka_unit_test(test_tool_restart_is_a_wish),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_inputs),
        cmocka_unit_test(test_input_by_signal),
        cmocka_unit_test(test_stateless_ports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
