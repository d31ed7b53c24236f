/* FLASH.porta: what is kept in it, and that it is not lost by a slip. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_file.h"

struct place {
    char folder[64];
    char flash[128];
    char path[140];
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof(*p));

    if (!p)
        return -1;
    strcpy(p->folder, "porta-store-XXXXXX");
    if (!mkdtemp(p->folder))
        return -1;
    snprintf(p->flash, sizeof(p->flash), "%s/f", p->folder);
    snprintf(p->path, sizeof(p->path), "%s.porta", p->flash);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;

    (void)remove(p->path);
    int left = rmdir(p->folder);
    free(p);
    return left;
}

static void set(const struct place *p, const char *key, const char *value)
{
    struct store_file s;

    assert_int_equal(store_file_open(&s, p->flash, NULL), ESP_OK);
    assert_int_equal(store_file_set(&s, key, value, NULL), ESP_OK);
    store_file_close(&s);
}

/* value NULL: it is not there. */
static void expect(const struct place *p, const char *key, const char *value)
{
    struct store_file s;

    assert_int_equal(store_file_open(&s, p->flash, NULL), ESP_OK);
    const char *got = store_file_get(&s, key);
    if (value) {
        assert_non_null(got);
        assert_string_equal(got, value);
    } else {
        assert_null(got);
    }
    store_file_close(&s);
}

static void test_kept(void **state)
{
    struct place *p = *state;

    set(p, "a", "1\n=%\t2");
    set(p, "b", "");
    set(p, "c", "3");
    set(p, "b", NULL);
    expect(p, "a", "1\n=%\t2");
    expect(p, "b", NULL);
    expect(p, "c", "3");
    set(p, "a", NULL);
    set(p, "c", NULL);
    assert_int_not_equal(access(p->path, F_OK), 0);
}

/* Each change of the first refresh token brings another key. */
static void test_the_oldest_of_its_kind_makes_room(void **state)
{
    struct place *p = *state;
    char key[32], text[32];

    set(p, "resume", "r");
    for (int i = 0; i < STORE_FILE_ITEMS + 3; i++) {
        snprintf(key, sizeof(key), "token.%d", i);
        snprintf(text, sizeof(text), "t%d", i);
        set(p, key, text);
    }
    expect(p, "token.3", NULL);
    for (int i = 4; i < STORE_FILE_ITEMS + 3; i++) {
        snprintf(key, sizeof(key), "token.%d", i);
        snprintf(text, sizeof(text), "t%d", i);
        expect(p, key, text);
    }
    expect(p, "resume", "r");
}

static void test_another_kind_makes_none(void **state)
{
    struct place *p = *state;
    struct store_file s;
    struct diag d = DIAG_NONE;
    char key[32];

    for (int i = 0; i < STORE_FILE_ITEMS; i++) {
        snprintf(key, sizeof(key), "token.%d", i);
        set(p, key, "t");
    }
    assert_int_equal(store_file_open(&s, p->flash, NULL), ESP_OK);
    assert_int_equal(store_file_set(&s, "known", "k", &d), ESP_ERR_NO_MEM);
    assert_int_equal(store_file_set(&s, "other.1", "k", &d), ESP_ERR_NO_MEM);
    store_file_close(&s);
    expect(p, "token.0", "t");
}

/* A folder in its place is the one thing that root cannot read, either. */
static void test_what_cannot_be_read_is_not_replaced(void **state)
{
    struct place *p = *state;
    struct store_file s;
    struct diag d = DIAG_NONE;
    struct stat st;

    assert_int_equal(mkdir(p->path, 0700), 0);
    assert_int_equal(store_file_open(&s, p->flash, &d), ESP_OK);
    assert_null(store_file_get(&s, "a"));
    assert_int_not_equal(store_file_set(&s, "a", "1", &d), ESP_OK);
    assert_non_null(strstr(d.text, "Is a directory"));
    assert_int_not_equal(store_file_set(&s, "a", NULL, NULL), ESP_OK);
    assert_int_not_equal(store_file_check(&s, NULL), ESP_OK);
    store_file_close(&s);
    assert_int_equal(stat(p->path, &st), 0);
    assert_true(S_ISDIR(st.st_mode));
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(test_kept),
        IN_PLACE(test_the_oldest_of_its_kind_makes_room),
        IN_PLACE(test_another_kind_makes_none),
        IN_PLACE(test_what_cannot_be_read_is_not_replaced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
