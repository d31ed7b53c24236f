/* The event loop, first with one thread, then with a thread of its own. A row
 * is a scenario; what the handlers saw is written as a string. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "event/event.h"
#include "linux_heap.h"
#include "linux_task.h"
#include "sim_heap.h"
#include "sim_task.h"

static const char base_a[] = "A", base_b[] = "B";

struct bench {
    struct sim_heap heap;
    struct event_loop loop;
    char seen[256];
};

static struct bench b;

static int setup(void **state)
{
    (void)state;
    memset(&b, 0, sizeof(b));
    sim_heap_init(&b.heap);
    event_loop_open(&b.loop, &b.heap.port, &sim_task, 4);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    event_loop_close(&b.loop);
    assert_int_equal(b.heap.cur_cnt, 0);
    return 0;
}

static void see(const char *text)
{
    strncat(b.seen, text, sizeof(b.seen) - strlen(b.seen) - 1);
}

/* Writes "<name><base><id> ". */
static void on_event(void *arg, const char *base, int32_t id, void *data)
{
    char text[32];
    (void)data;
    snprintf(text, sizeof(text), "%s%s%d ", (const char *)arg, base, (int)id);
    see(text);
}

static char x[] = "x", y[] = "y", z[] = "z";

static esp_err_t add(const char *base, int32_t id, char *name)
{
    const struct event_key key = { base, id, on_event };
    return event_register(&b.loop, &key, name, NULL);
}

static esp_err_t post(const char *base, int32_t id)
{
    const struct event_post p = { base, id, NULL, 0 };
    return event_post(&b.loop, &p, 0);
}

static void run_all(void)
{
    while (event_run_one(&b.loop, 0) == ESP_OK)
        ;
}

static const struct {
    const char *claim;
    const char *base;
    int32_t id;
    const char *seen; /* after A1, A2, B1 */
} match_rows[] = {
    { "one event", base_a, 2, "xA2 " },
    { "every event of a base", base_a, EVENT_ANY_ID, "xA1 xA2 " },
    { "every event", NULL, EVENT_ANY_ID, "xA1 xA2 xB1 " },
    { "no such event", base_b, 2, "" },
};

static void test_match(void **state)
{
    for (size_t i = 0; i < sizeof(match_rows) / sizeof(match_rows[0]); i++) {
        setup(state);
        assert_int_equal(add(match_rows[i].base, match_rows[i].id, x), ESP_OK);
        assert_int_equal(post(base_a, 1), ESP_OK);
        assert_int_equal(post(base_a, 2), ESP_OK);
        assert_int_equal(post(base_b, 1), ESP_OK);
        assert_string_equal(b.seen, "");
        run_all();
        if (strcmp(b.seen, match_rows[i].seen) != 0)
            fail_msg("%s: '%s'", match_rows[i].claim, b.seen);
        teardown(state);
    }
}

/* A base is its address: the same letters elsewhere are another base. */
static void test_base_is_an_address(void **state)
{
    char other[] = "A";
    (void)state;
    assert_int_equal(add(base_a, 1, x), ESP_OK);
    assert_int_equal(post(other, 1), ESP_OK);
    run_all();
    assert_string_equal(b.seen, "");
}

static void test_order_is_that_of_registration(void **state)
{
    (void)state;
    assert_int_equal(add(base_a, 1, x), ESP_OK);
    assert_int_equal(add(NULL, EVENT_ANY_ID, y), ESP_OK);
    assert_int_equal(add(base_a, EVENT_ANY_ID, z), ESP_OK);
    assert_int_equal(post(base_a, 1), ESP_OK);
    assert_int_equal(post(base_b, 7), ESP_OK);
    run_all();
    assert_string_equal(b.seen, "xA1 yA1 zA1 yB7 ");
}

static void test_same_handler_gets_the_new_argument(void **state)
{
    (void)state;
    assert_int_equal(add(base_a, 1, x), ESP_OK);
    assert_int_equal(add(base_a, 1, y), ESP_OK);
    assert_int_equal(post(base_a, 1), ESP_OK);
    run_all();
    assert_string_equal(b.seen, "yA1 ");
}

static void test_instances_are_several(void **state)
{
    const struct event_key key = { base_a, 1, on_event };
    struct event_handler *one = NULL, *two = NULL;
    (void)state;
    assert_int_equal(event_register(&b.loop, &key, x, &one), ESP_OK);
    assert_int_equal(event_register(&b.loop, &key, y, &two), ESP_OK);
    assert_int_equal(event_unregister(&b.loop, &key), ESP_ERR_NOT_FOUND);
    assert_int_equal(event_unregister_instance(&b.loop, one), ESP_OK);
    assert_int_equal(event_unregister_instance(&b.loop, one),
                     ESP_ERR_NOT_FOUND);
    assert_int_equal(post(base_a, 1), ESP_OK);
    run_all();
    assert_string_equal(b.seen, "yA1 ");
}

static void test_unregister(void **state)
{
    const struct event_key key = { base_a, 1, on_event };
    (void)state;
    assert_int_equal(event_unregister(&b.loop, &key), ESP_ERR_NOT_FOUND);
    assert_int_equal(add(base_a, 1, x), ESP_OK);
    assert_int_equal(post(base_a, 1), ESP_OK);
    assert_int_equal(event_unregister(&b.loop, &key), ESP_OK);
    run_all();
    assert_string_equal(b.seen, "");
}

static const struct {
    const char *claim;
    const char *base;
    int32_t id;
    event_fn fn;
    esp_err_t err;
} register_rows[] = {
    { "a handler is needed", base_a, 1, NULL, ESP_ERR_INVALID_ARG },
    { "any base with one id", NULL, 1, on_event, ESP_ERR_INVALID_ARG },
    { "any base with any id", NULL, EVENT_ANY_ID, on_event, ESP_OK },
};

static void test_register_arguments(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(register_rows) / sizeof(register_rows[0]);
         i++) {
        const struct event_key key = { register_rows[i].base,
                                       register_rows[i].id,
                                       register_rows[i].fn };
        if (event_register(&b.loop, &key, x, NULL) != register_rows[i].err)
            fail_msg("%s", register_rows[i].claim);
    }
}

static void test_post_arguments(void **state)
{
    const struct event_post no_data = { base_a, 1, NULL, 4 };
    (void)state;
    assert_int_equal(post(NULL, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(post(base_a, EVENT_ANY_ID), ESP_ERR_INVALID_ARG);
    assert_int_equal(event_post(&b.loop, &no_data, 0), ESP_ERR_INVALID_ARG);
}

static void test_full_queue(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(post(base_a, i), ESP_OK);
    assert_int_equal(post(base_a, 4), ESP_ERR_TIMEOUT);
    assert_int_equal(event_run_one(&b.loop, 0), ESP_OK);
    assert_int_equal(post(base_a, 4), ESP_OK);
}

static void test_no_memory(void **state)
{
    (void)state;
    b.heap.fail_at = 1;
    assert_int_equal(add(base_a, 1, x), ESP_ERR_NO_MEM);
    b.heap.fail_at = 2;
    assert_int_equal(post(base_a, 1), ESP_ERR_NO_MEM);
    assert_int_equal(event_run_one(&b.loop, 0), ESP_ERR_TIMEOUT);
}

/* --- handlers that change what runs --------------------------------------- */

static void on_copy(void *arg, const char *base, int32_t id, void *data)
{
    (void)arg;
    (void)base;
    (void)id;
    see(data ? data : "nothing");
}

static void test_data_is_copied(void **state)
{
    const struct event_key key = { base_a, 1, on_copy };
    char text[] = "copy";
    const struct event_post with = { base_a, 1, text, sizeof(text) };
    (void)state;
    assert_int_equal(event_register(&b.loop, &key, NULL, NULL), ESP_OK);
    assert_int_equal(event_post(&b.loop, &with, 0), ESP_OK);
    memset(text, 'X', sizeof(text) - 1);
    assert_int_equal(post(base_a, 1), ESP_OK);
    run_all();
    assert_string_equal(b.seen, "copynothing");
}

static void on_removing(void *arg, const char *base, int32_t id, void *data)
{
    const struct event_key me = { base_a, EVENT_ANY_ID, on_removing };
    const struct event_key next = { base_a, 1, on_event };
    on_event(arg, base, id, data);
    assert_int_equal(event_unregister(&b.loop, &me), ESP_OK);
    assert_int_equal(event_unregister(&b.loop, &next), ESP_OK);
    assert_int_equal(event_unregister(&b.loop, &next), ESP_ERR_NOT_FOUND);
}

static void test_handler_removes_itself_and_the_next(void **state)
{
    const struct event_key key = { base_a, EVENT_ANY_ID, on_removing };
    (void)state;
    assert_int_equal(event_register(&b.loop, &key, x, NULL), ESP_OK);
    assert_int_equal(add(base_a, 1, y), ESP_OK);
    assert_int_equal(post(base_a, 1), ESP_OK);
    assert_int_equal(post(base_a, 1), ESP_OK);
    run_all();
    assert_string_equal(b.seen, "xA1 ");
    assert_int_equal(b.heap.cur_cnt, 0);
}

static void on_adding(void *arg, const char *base, int32_t id, void *data)
{
    on_event(arg, base, id, data);
    assert_int_equal(add(base_a, EVENT_ANY_ID, y), ESP_OK);
    if (id == 1)
        assert_int_equal(post(base_a, 2), ESP_OK);
    assert_int_equal(event_run_one(&b.loop, 0), ESP_ERR_INVALID_STATE);
}

static void test_handler_adds_and_posts(void **state)
{
    const struct event_key key = { base_a, EVENT_ANY_ID, on_adding };
    (void)state;
    assert_int_equal(event_register(&b.loop, &key, x, NULL), ESP_OK);
    assert_int_equal(post(base_a, 1), ESP_OK);
    run_all();
    assert_string_equal(b.seen, "xA1 xA2 yA2 ");
}

/* --- direct and threaded loops -------------------------------------------- */

static void test_direct_loop_runs_in_the_post(void **state)
{
    const struct event_key key = { base_a, EVENT_ANY_ID, on_adding };
    (void)state;
    assert_int_equal(event_loop_start(&b.loop, "loop"), ESP_OK);
    assert_int_equal(event_register(&b.loop, &key, x, NULL), ESP_OK);
    assert_int_equal(post(base_a, 1), ESP_OK);
    assert_string_equal(b.seen, "xA1 xA2 yA2 ");
    assert_int_equal(event_loop_stop(&b.loop), ESP_OK);
    assert_int_equal(post(base_a, 1), ESP_ERR_TIMEOUT);
}

static void test_stopped_loop_runs_nothing(void **state)
{
    (void)state;
    assert_int_equal(add(base_a, 1, x), ESP_OK);
    assert_int_equal(post(base_a, 1), ESP_OK);
    assert_int_equal(event_loop_stop(&b.loop), ESP_OK);
    assert_int_equal(event_run_one(&b.loop, 0), ESP_ERR_INVALID_STATE);
    assert_string_equal(b.seen, "");
}

#define POSTS 1000

struct counter {
    struct linux_task task;
    struct event_loop loop;
    int32_t next; /* touched by the loop's thread only, until it stopped */
    bool in_order;
};

static void on_count(void *arg, const char *base, int32_t id, void *data)
{
    struct counter *c = arg;
    int32_t value;
    (void)base;
    memcpy(&value, data, sizeof(value));
    c->in_order = c->in_order && id == c->next && value == c->next;
    c->next++;
    if (c->next == POSTS) {
        c->task.port.enter(&c->task);
        c->task.port.wake(&c->task);
        c->task.port.leave(&c->task);
    }
}

/* More posts than places, so that the poster has to wait for the loop. */
static void test_thread_keeps_order(void **state)
{
    static struct counter c;
    const struct event_key key = { base_a, EVENT_ANY_ID, on_count };
    (void)state;
    memset(&c, 0, sizeof(c));
    c.in_order = true;
    linux_task_init(&c.task);
    event_loop_open(&c.loop, &linux_heap, &c.task.port, 3);
    assert_int_equal(event_loop_start(&c.loop, "loop"), ESP_OK);
    assert_int_equal(event_register(&c.loop, &key, &c, NULL), ESP_OK);
    for (int32_t i = 0; i < POSTS; i++) {
        const struct event_post p = { base_a, i, &i, sizeof(i) };
        assert_int_equal(event_post(&c.loop, &p, EVENT_WAIT_FOREVER), ESP_OK);
    }
    c.task.port.enter(&c.task);
    while (c.loop.first || c.loop.dispatching)
        c.task.port.wait(&c.task, 1000);
    c.task.port.leave(&c.task);
    assert_int_equal(event_loop_stop(&c.loop), ESP_OK);
    assert_int_equal(c.next, POSTS);
    assert_true(c.in_order);
    event_loop_close(&c.loop);
}

static void test_wait_ends_with_the_time(void **state)
{
    static struct linux_task task;
    struct event_loop loop;
    (void)state;
    linux_task_init(&task);
    event_loop_open(&loop, &linux_heap, &task.port, 3);
    assert_int_equal(event_run_one(&loop, 20), ESP_ERR_TIMEOUT);
    event_loop_close(&loop);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_match),
        T(test_base_is_an_address),
        T(test_order_is_that_of_registration),
        T(test_same_handler_gets_the_new_argument),
        T(test_instances_are_several),
        T(test_unregister),
        T(test_register_arguments),
        T(test_post_arguments),
        T(test_full_queue),
        T(test_no_memory),
        T(test_data_is_copied),
        T(test_handler_removes_itself_and_the_next),
        T(test_handler_adds_and_posts),
        T(test_direct_loop_runs_in_the_post),
        T(test_stopped_loop_runs_nothing),
        cmocka_unit_test(test_thread_keeps_order),
        cmocka_unit_test(test_wait_ends_with_the_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
