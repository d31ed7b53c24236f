/* Opening and refusing flash files, and the power cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "linux_flash.h"

struct place {
    char dir[32];
    char path[64];
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof(*p));
    assert_non_null(p);
    strcpy(p->dir, "/tmp/porta-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    snprintf(p->path, sizeof(p->path), "%s/flash.bin", p->dir);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    unlink(p->path);
    rmdir(p->path);
    rmdir(p->dir);
    free(p);
    return 0;
}

static void make_file(const char *path, long len)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(ftruncate(fileno(file), len), 0);
    fclose(file);
}

static void make_flash(const char *path)
{
    struct linux_flash f;
    assert_int_equal(linux_flash_create(&f, path, 0x10000, NULL), ESP_OK);
    linux_flash_close(&f);
}

static const struct {
    const char *claim;
    long len; /* -1: no file */
    esp_err_t err;
    const char *says;
} size_rows[] = {
    { "no file", -1, ESP_ERR_NOT_FOUND, "porta flash create" },
    { "an empty file", 0, ESP_ERR_INVALID_SIZE, "0 bytes" },
    { "too small by a byte", 0x8fff, ESP_ERR_INVALID_SIZE, "too small" },
    { "the smallest", 0x9000, ESP_OK, "" },
    { "half a sector more", 0x9800, ESP_ERR_INVALID_SIZE, "multiple" },
    { "one byte short of a sector", 0x9fff, ESP_ERR_INVALID_SIZE,
      "40959 bytes" },
    { "sparse and 4 GiB", 0x100000000, ESP_ERR_INVALID_SIZE, "4 GiB" },
};

static void test_holes_are_filled(void **state)
{
    const struct place *p = *state;
    struct linux_flash f = LINUX_FLASH_CLOSED;
    struct stat st;
    make_file(p->path, 0x10000);
    assert_int_equal(linux_flash_open(&f, p->path, LINUX_FLASH_WRITE, NULL),
                     ESP_OK);
    bool can = fallocate(f.fd, 0, 0, 0x10000) == 0;
    linux_flash_close(&f);
    if (!can)
        skip(); /* a file system without this */
    make_file(p->path, 0x10000);
    assert_int_equal(linux_flash_open(&f, p->path, LINUX_FLASH_WRITE, NULL),
                     ESP_OK);
    assert_int_equal(fstat(f.fd, &st), 0);
    linux_flash_close(&f);
    assert_true(st.st_blocks * 512 >= 0x10000);
}

static void test_sizes(void **state)
{
    const struct place *p = *state;
    for (size_t i = 0; i < sizeof(size_rows) / sizeof(size_rows[0]); i++) {
        struct linux_flash f = LINUX_FLASH_CLOSED;
        struct diag diag = DIAG_NONE;
        if (size_rows[i].len >= 0)
            make_file(p->path, size_rows[i].len);
        esp_err_t err = linux_flash_open(&f, p->path, LINUX_FLASH_READ, &diag);
        if (err != size_rows[i].err || !strstr(diag.text, size_rows[i].says))
            fail_msg("%s: 0x%x, '%s'", size_rows[i].claim, err, diag.text);
        if (err && !strstr(diag.text, p->path))
            fail_msg("%s: '%s' does not name the file", size_rows[i].claim,
                     diag.text);
        linux_flash_close(&f);
        unlink(p->path);
    }
}

static void test_not_a_file(void **state)
{
    const struct place *p = *state;
    struct linux_flash f;
    struct diag diag = DIAG_NONE;
    assert_int_equal(mkdir(p->path, 0700), 0);
    assert_int_not_equal(linux_flash_open(&f, p->path, LINUX_FLASH_READ, &diag),
                         ESP_OK);
    assert_non_null(strstr(diag.text, "regular file"));
}

static void test_create(void **state)
{
    const struct place *p = *state;
    struct linux_flash f;
    struct diag diag = DIAG_NONE;
    assert_int_equal(linux_flash_create(&f, p->path, 0x9001, &diag),
                     ESP_ERR_INVALID_SIZE);
    assert_int_not_equal(access(p->path, F_OK), 0);
    make_flash(p->path);
    diag = (struct diag)DIAG_NONE;
    assert_int_equal(linux_flash_create(&f, p->path, 0x9000, &diag), ESP_FAIL);
    assert_non_null(strstr(diag.text, "exists"));
    struct stat st;
    assert_int_equal(stat(p->path, &st), 0);
    assert_int_equal(st.st_size, 0x10000);
}

/* What is in the folder, besides path. */
static int others(const struct place *p)
{
    DIR *dir = opendir(p->dir);
    struct dirent *e;
    int cnt = 0;

    assert_non_null(dir);
    while ((e = readdir(dir)) != NULL)
        cnt += e->d_name[0] != '.' && strcmp(e->d_name, "flash.bin") != 0;
    closedir(dir);
    return cnt;
}

static void remove_others(const struct place *p)
{
    char path[320];
    DIR *dir = opendir(p->dir);
    struct dirent *e;

    assert_non_null(dir);
    while ((e = readdir(dir)) != NULL) {
        snprintf(path, sizeof(path), "%s/%s", p->dir, e->d_name);
        if (e->d_name[0] != '.')
            unlink(path);
    }
    closedir(dir);
}

/* A file of its own comes to be with its bytes, its mode and its lock, and
 * stays what it is after that. */
static void test_part(void **state)
{
    const struct place *p = *state;
    struct linux_flash f, again;
    struct stat st;
    mode_t mask = umask(027);

    assert_int_equal(
        linux_flash_open_part(&f, p->path, 0x2000, LINUX_FLASH_READ, NULL),
        ESP_ERR_NOT_FOUND);
    assert_int_equal(
        linux_flash_open_part(&f, p->path, 0x2000, LINUX_FLASH_WRITE, NULL),
        ESP_OK);
    umask(mask);
    assert_int_equal(stat(p->path, &st), 0);
    assert_int_equal(st.st_size, 0x2000);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(others(p), 0);
    assert_int_equal(
        linux_flash_open_part(&again, p->path, 0x2000, LINUX_FLASH_WRITE, NULL),
        ESP_ERR_INVALID_STATE);
    assert_int_equal(f.port.prog(&f, 5, "\x12", 1), ESP_OK);
    linux_flash_close(&f);
    assert_int_equal(
        linux_flash_open_part(&f, p->path, 0x2000, LINUX_FLASH_WRITE, NULL),
        ESP_OK);
    assert_int_equal(f.map[5], 0x12);
    assert_int_equal(f.map[6], 0xff);
    linux_flash_close(&f);
}

/* In a process that may not write so much. */
static int create_limited(const struct place *p, bool dies)
{
    const struct rlimit most = { 0x1800, 0x1800 }, none = { 0, 0 };
    struct linux_flash f;
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        setrlimit(RLIMIT_CORE, &none);
        setrlimit(RLIMIT_FSIZE, &most);
        signal(SIGXFSZ, dies ? SIG_DFL : SIG_IGN);
        _exit(linux_flash_open_part(&f, p->path, 0x2000, LINUX_FLASH_WRITE,
                                    NULL) == ESP_FAIL
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

/* Half of a file of fuses would be fuses that cannot be read. */
static void test_part_or_nothing(void **state)
{
    const struct place *p = *state;
    int status = create_limited(p, false);

    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_not_equal(access(p->path, F_OK), 0);
    assert_int_equal(others(p), 0);
    assert_true(WIFSIGNALED(create_limited(p, true)));
    assert_int_not_equal(access(p->path, F_OK), 0);
    remove_others(p);
}

/* flock() is between open files, so one process is enough to see it. */
static const struct {
    enum linux_flash_mode first, second;
    esp_err_t err;
} lock_rows[] = {
    { LINUX_FLASH_READ, LINUX_FLASH_READ, ESP_OK },
    { LINUX_FLASH_READ, LINUX_FLASH_WRITE, ESP_ERR_INVALID_STATE },
    { LINUX_FLASH_WRITE, LINUX_FLASH_READ, ESP_ERR_INVALID_STATE },
    { LINUX_FLASH_WRITE, LINUX_FLASH_WRITE, ESP_ERR_INVALID_STATE },
};

static void test_locks(void **state)
{
    const struct place *p = *state;
    make_flash(p->path);
    for (size_t i = 0; i < sizeof(lock_rows) / sizeof(lock_rows[0]); i++) {
        struct linux_flash a, b;
        struct diag diag = DIAG_NONE;
        assert_int_equal(
            linux_flash_open(&a, p->path, lock_rows[i].first, &diag), ESP_OK);
        assert_int_equal(
            linux_flash_open(&b, p->path, lock_rows[i].second, &diag),
            lock_rows[i].err);
        if (lock_rows[i].err)
            assert_non_null(strstr(diag.text, "in use by another process"));
        linux_flash_close(&b);
        linux_flash_close(&a);
        assert_int_equal(
            linux_flash_open(&a, p->path, LINUX_FLASH_WRITE, &diag), ESP_OK);
        linux_flash_close(&a);
    }
}

static void test_read_mode_protects(void **state)
{
    const struct place *p = *state;
    struct linux_flash f;
    make_flash(p->path);
    assert_int_equal(linux_flash_open(&f, p->path, LINUX_FLASH_READ, NULL),
                     ESP_OK);
    assert_int_equal(f.port.prog(&f, 0x100, "", 1), ESP_ERR_FLASH_PROTECTED);
    assert_int_equal(f.port.erase(&f, 0x1000), ESP_ERR_FLASH_PROTECTED);
    assert_non_null(strstr(linux_flash_fault(&f), "0x001000"));
    linux_flash_close(&f);
}

static void test_fault_names_the_first_bad_byte(void **state)
{
    const struct place *p = *state;
    struct linux_flash f;
    uint8_t bytes[100] = { 0 };
    make_flash(p->path);
    assert_int_equal(linux_flash_open(&f, p->path, LINUX_FLASH_WRITE, NULL),
                     ESP_OK);
    assert_string_equal(linux_flash_fault(&f), "");
    assert_int_equal(f.port.prog(&f, 0x3000, bytes, 100), ESP_OK);
    bytes[77] = 0x41;
    bytes[90] = 0x41;
    assert_int_equal(f.port.prog(&f, 0x3000, bytes, 100),
                     ESP_ERR_FLASH_OP_FAIL);
    assert_non_null(strstr(linux_flash_fault(&f), "0x00304d"));
    assert_non_null(strstr(linux_flash_fault(&f), "0x003000 is erased"));
    linux_flash_close(&f);
}

/* What was written is in the file after the writer was killed. */
static void test_contents_survive(void **state)
{
    const struct place *p = *state;
    struct linux_flash f;
    uint8_t byte = 0;
    make_flash(p->path);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (linux_flash_open(&f, p->path, LINUX_FLASH_WRITE, NULL) == ESP_OK &&
            f.port.prog(&f, 0x1234, "\x42", 1) == ESP_OK)
            raise(SIGKILL);
        _exit(1);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(linux_flash_open(&f, p->path, LINUX_FLASH_READ, NULL),
                     ESP_OK);
    assert_int_equal(f.port.read(&f, 0x1234, &byte, 1), ESP_OK);
    assert_int_equal(byte, 0x42);
    linux_flash_close(&f);
}

/* Writes a byte per operation until the meter cuts. */
static void write_until_cut(const char *path, struct linux_flash_meter *meter)
{
    struct linux_flash f;
    if (linux_flash_open(&f, path, LINUX_FLASH_WRITE, NULL) != ESP_OK)
        _exit(1);
    f.meter = meter;
    for (uint32_t i = 0; i < 20; i++)
        if (f.port.prog(&f, 0x2000 + i, "", 1) != ESP_OK)
            _exit(2);
    _exit(3);
}

static void test_power_cut(void **state)
{
    const struct place *p = *state;
    struct linux_flash_meter *meter =
        mmap(NULL, sizeof(*meter), PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(meter != MAP_FAILED);
    make_flash(p->path);
    meter->cut_at = 8;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        write_until_cut(p->path, meter);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    assert_true(meter->cut);
    assert_int_equal(meter->op_cnt, 8);
    munmap(meter, sizeof(*meter));

    struct linux_flash f;
    uint8_t bytes[8];
    assert_int_equal(linux_flash_open(&f, p->path, LINUX_FLASH_READ, NULL),
                     ESP_OK);
    assert_int_equal(f.port.read(&f, 0x2000, bytes, 8), ESP_OK);
    assert_memory_equal(bytes, "\0\0\0\0\0\0\0\xff", 8);
    linux_flash_close(&f);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_holes_are_filled),
        T(test_sizes),
        T(test_not_a_file),
        T(test_create),
        T(test_part),
        T(test_part_or_nothing),
        T(test_locks),
        T(test_read_mode_protects),
        T(test_fault_names_the_first_bad_byte),
        T(test_contents_survive),
        T(test_power_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
