/* The heap meter counts to the byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "heap_meter.h"

/* The heap below: one that refuses what is over its limit. */
static void *below_alloc(void *ctx, size_t len)
{
    return len > *(size_t *)ctx ? NULL : calloc(1, len);
}

static void below_free(void *ctx, void *ptr)
{
    (void)ctx;
    free(ptr);
}

static void test_peak_is_exact(void **state)
{
    size_t limit = 1000;
    struct port_heap below = { &limit, below_alloc, below_free };
    struct heap_meter m;

    (void)state;
    heap_meter_init(&m, &below);
    void *a = m.port.alloc(&m, 100);
    void *b = m.port.alloc(&m, 50);
    m.port.free(&m, a);
    void *c = m.port.alloc(&m, 70);
    assert_non_null(b);
    assert_non_null(c);
    assert_int_equal((uintptr_t)c % _Alignof(max_align_t), 0);
    memset(c, 0xff, 70);
    assert_int_equal(m.cur_len, 120);
    assert_int_equal(m.peak_len, 150);
    assert_int_equal(m.alloc_cnt, 3);
    m.port.free(&m, b);
    m.port.free(&m, c);
    m.port.free(&m, NULL);
    assert_int_equal(m.cur_len, 0);
}

static void test_refusals_count_nothing(void **state)
{
    size_t limit = 100;
    struct port_heap below = { &limit, below_alloc, below_free };
    struct heap_meter m;

    (void)state;
    heap_meter_init(&m, &below);
    assert_null(m.port.alloc(&m, 101));
    assert_null(m.port.alloc(&m, SIZE_MAX - 3));
    assert_int_equal(m.peak_len, 0);
    assert_int_equal(m.alloc_cnt, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_peak_is_exact),
        cmocka_unit_test(test_refusals_count_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
