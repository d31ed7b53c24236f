/* Every allocation of `porta image` failing in turn: a sentence, exit status
 * 1, no output file, nothing leaked (the sanitizer build looks). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli.h"
#include "cmds.h"
#include "fixture.h"

static long until_fail = -1; /* allocations that still succeed */
static long live_cnt;

void *__real_calloc(size_t cnt, size_t len);
void *__wrap_calloc(size_t cnt, size_t len);
void *__real_malloc(size_t len);
void *__wrap_malloc(size_t len);
char *__wrap_strndup(const char *text, size_t most);
void __real_free(void *ptr);
void __wrap_free(void *ptr);

void *__wrap_malloc(size_t len)
{
    void *ptr;

    if (until_fail == 0)
        return NULL;
    if (until_fail > 0)
        until_fail--;
    ptr = __real_malloc(len);
    live_cnt += ptr != NULL;
    return ptr;
}

void *__wrap_calloc(size_t cnt, size_t len)
{
    void *ptr;

    if (until_fail == 0)
        return NULL;
    if (until_fail > 0)
        until_fail--;
    ptr = __real_calloc(cnt, len);
    live_cnt += ptr != NULL;
    return ptr;
}

char *__wrap_strndup(const char *text, size_t most)
{
    size_t len = strnlen(text, most);
    char *copy = __wrap_malloc(len + 1);

    if (copy) {
        memcpy(copy, text, len);
        copy[len] = '\0';
    }
    return copy;
}

void __wrap_free(void *ptr)
{
    live_cnt -= ptr != NULL;
    __real_free(ptr);
}

static char dir[] = P_tmpdir "/porta-image-oom-XXXXXX";
static char in_path[64], out_path[64], enc_path[64], key_path[64], seg_arg[80];

static int setup(void **state)
{
    static uint8_t image[FIX_MAX_LEN];
    size_t len = fix_pack(&fix_app, image);
    FILE *f;

    (void)state;
    if (!mkdtemp(dir))
        return -1;
    (void)snprintf(in_path, sizeof(in_path), "%s/in.bin", dir);
    (void)snprintf(out_path, sizeof(out_path), "%s/out.bin", dir);
    (void)snprintf(enc_path, sizeof(enc_path), "%s/enc.bin", dir);
    (void)snprintf(key_path, sizeof(key_path), "%s/key", dir);
    (void)snprintf(seg_arg, sizeof(seg_arg), "0x20000000:%s", in_path);
    f = fopen(in_path, "wb");
    if (!f || fwrite(image, 1, len, f) != len || fclose(f) != 0)
        return -1;
    cJSON_InitHooks(&(cJSON_Hooks){ __wrap_malloc, __wrap_free });
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(in_path);
    unlink(out_path);
    unlink(enc_path);
    unlink(key_path);
    return rmdir(dir);
}

/* argv as the verb wants it: its own, writable. */
static int run(const char *const *words)
{
    char copy[16][96];
    char *argv[17] = { NULL };
    int argc = 0;

    for (; words[argc]; argc++) {
        (void)snprintf(copy[argc], sizeof(copy[0]), "%s", words[argc]);
        argv[argc] = copy[argc];
    }
    return cmd_image(argc, argv);
}

static void fail_each(const char *const *words, bool makes_file)
{
    long n;
    int status;

    until_fail = -1;
    assert_int_equal(run(words), CLI_DONE); /* standard output has its buffer */
    /* Of the many that big numbers make, a sample. */
    for (n = 0;; n += n < 80 ? 1 : n / 8) {
        struct stat st;

        unlink(out_path);
        live_cnt = 0;
        until_fail = n;
        status = run(words);
        until_fail = -1;
        assert_int_equal(live_cnt, 0);
        if (status == CLI_DONE)
            break;
        assert_int_equal(status, CLI_FAILED);
        /* The file may be there when only the report of it failed. */
        if (makes_file && stat(out_path, &st) == 0)
            assert_true(st.st_size > 500);
    }
    print_message("# %ld allocations\n", n);
    assert_true(n > 0);
}

static void test_info(void **state)
{
    const char *const json[] = { "image", "info", in_path, "--json", NULL };
    const char *const text[] = { "image", "info", in_path, NULL };

    (void)state;
    fail_each(json, false);
    fail_each(text, false);
}

static void test_verify(void **state)
{
    const char *const json[] = { "image", "verify", in_path, "--json", NULL };

    (void)state;
    fail_each(json, false);
}

static void test_create(void **state)
{
    const char *const words[] = { "image",     "create", "--chip",    "esp32",
                                  "--project", "p",      "--version", "1",
                                  "--segment", seg_arg,  "-o",        out_path,
                                  "--json",    NULL };

    (void)state;
    fail_each(words, true);
}

/* A refusal allocates too. */
static void test_refusal(void **state)
{
    const char *const words[] = { "image",   "verify", in_path, "--chip",
                                  "esp32c3", "--json", NULL };

    (void)state;
    for (long n = 0; n < 60; n++) {
        live_cnt = 0;
        until_fail = n;
        assert_int_equal(run(words), CLI_FAILED);
        until_fail = -1;
        assert_int_equal(live_cnt, 0);
    }
}

/* 32 bytes are a key: that of a device's fuses. */
static void test_crypt(void **state)
{
    const char *const encrypt[] = { "image", "encrypt", "--key",  key_path,
                                    in_path, "-o",      out_path, NULL };
    const char *const keep[] = { "image", "encrypt", "--key",  key_path,
                                 in_path, "-o",      enc_path, NULL };
    const char *const decrypt[] = { "image",  "decrypt", "--key",  key_path,
                                    enc_path, "-o",      out_path, NULL };
    const char *const info[] = { "image", "info", enc_path, "--json", NULL };
    FILE *f = fopen(key_path, "wb");

    (void)state;
    assert_non_null(f);
    assert_int_equal(fwrite("0123456789abcdef0123456789ABCDEF", 1, 32, f), 32);
    fclose(f);
    assert_int_equal(run(keep), CLI_DONE);
    fail_each(encrypt, true);
    fail_each(decrypt, true);
    fail_each(info, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_info),    cmocka_unit_test(test_verify),
        cmocka_unit_test(test_create),  cmocka_unit_test(test_crypt),
        cmocka_unit_test(test_refusal),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
