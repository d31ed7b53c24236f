/* esp_event.h and esp_system.h on a device with one thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "esp_event.h"
#include "esp_system.h"
#include "unit/api/device.h"

ESP_EVENT_DEFINE_BASE(DOOR);

static struct device *d;
static char seen[128];

static int setup(void **state)
{
    (void)state;
    d = malloc(sizeof(*d));
    assert_non_null(d);
    device_open(d);
    seen[0] = '\0';
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    device_close(d);
    free(d);
    return 0;
}

static void on_event(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    char text[32];
    snprintf(text, sizeof(text), "%s.%s%d%s ", (const char *)arg, base, (int)id,
             data ? (const char *)data : "");
    strncat(seen, text, sizeof(seen) - strlen(seen) - 1);
}

static char me[] = "me", you[] = "you";

/* --- events --------------------------------------------------------------- */

static void test_nothing_without_a_default_loop(void **state)
{
    esp_event_handler_instance_t instance = NULL;
    (void)state;
    assert_int_equal(esp_event_handler_register(DOOR, 1, on_event, me),
                     ESP_ERR_INVALID_STATE);
    assert_int_equal(
        esp_event_handler_instance_register(DOOR, 1, on_event, me, &instance),
        ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_event_handler_unregister(DOOR, 1, on_event),
                     ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_event_handler_instance_unregister(DOOR, 1, instance),
                     ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_event_post(DOOR, 1, NULL, 0, 0),
                     ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_event_loop_delete_default(), ESP_ERR_INVALID_STATE);
}

static void test_default_loop(void **state)
{
    esp_event_handler_instance_t instance = NULL;
    (void)state;
    assert_int_equal(esp_event_loop_create_default(), ESP_OK);
    assert_int_equal(esp_event_loop_create_default(), ESP_ERR_INVALID_STATE);
    assert_int_equal(
        esp_event_handler_register(DOOR, ESP_EVENT_ANY_ID, on_event, me),
        ESP_OK);
    assert_int_equal(
        esp_event_handler_instance_register(DOOR, 2, on_event, you, &instance),
        ESP_OK);
    assert_int_equal(esp_event_post(DOOR, 1, "!", 2, 0), ESP_OK);
    assert_int_equal(esp_event_post(DOOR, 2, NULL, 0, 0), ESP_OK);
    assert_string_equal(seen, "me.DOOR1! me.DOOR2 you.DOOR2 ");
    assert_int_equal(esp_event_handler_instance_unregister(DOOR, 2, instance),
                     ESP_OK);
    assert_int_equal(
        esp_event_handler_unregister(DOOR, ESP_EVENT_ANY_ID, on_event), ESP_OK);
    assert_int_equal(
        esp_event_handler_unregister(DOOR, ESP_EVENT_ANY_ID, on_event), ESP_OK);
    assert_int_equal(esp_event_post(DOOR, 2, NULL, 0, 0), ESP_OK);
    assert_string_equal(seen, "me.DOOR1! me.DOOR2 you.DOOR2 ");
    assert_int_equal(esp_event_loop_delete_default(), ESP_OK);
    assert_int_equal(esp_event_loop_create_default(), ESP_OK);
}

static void test_event_arguments(void **state)
{
    (void)state;
    assert_int_equal(esp_event_loop_create_default(), ESP_OK);
    assert_int_equal(esp_event_handler_register(DOOR, 1, NULL, me),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(
        esp_event_handler_register(ESP_EVENT_ANY_BASE, 1, on_event, me),
        ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_event_post(ESP_EVENT_ANY_BASE, 1, NULL, 0, 0),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_event_post(DOOR, ESP_EVENT_ANY_ID, NULL, 0, 0),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_event_post_to(NULL, DOOR, 1, NULL, 0, 0),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_event_loop_run(NULL, 0), ESP_ERR_INVALID_ARG);
}

static void test_loop_without_a_task(void **state)
{
    const esp_event_loop_args_t args = { .queue_size = 2 };
    const esp_event_loop_args_t none = { .queue_size = 0 };
    esp_event_loop_handle_t loop = NULL;
    (void)state;
    assert_int_equal(esp_event_loop_create(&none, &loop), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_event_loop_create(&args, &loop), ESP_OK);
    assert_int_equal(
        esp_event_handler_register_with(loop, DOOR, 1, on_event, me), ESP_OK);
    assert_int_equal(esp_event_post_to(loop, DOOR, 1, NULL, 0, 0), ESP_OK);
    assert_int_equal(esp_event_post_to(loop, DOOR, 2, NULL, 0, 0), ESP_OK);
    assert_int_equal(esp_event_post_to(loop, DOOR, 1, NULL, 0, 5),
                     ESP_ERR_TIMEOUT);
    assert_string_equal(seen, "");
    assert_int_equal(esp_event_loop_run(loop, 1), ESP_OK);
    assert_string_equal(seen, "me.DOOR1 ");
    assert_int_equal(esp_event_loop_delete(loop), ESP_OK);
}

static void test_events_with_every_allocation_failing(void **state)
{
    esp_err_t err = ESP_ERR_NO_MEM;
    (void)state;
    for (uint32_t n = 1; err == ESP_ERR_NO_MEM; n++) {
        size_t blocks = d->rig.heap.cur_cnt;
        d->rig.heap.fail_at = d->rig.heap.alloc_cnt + n;
        err = esp_event_loop_create_default();
        if (!err)
            err = esp_event_handler_register(DOOR, 1, on_event, me);
        if (!err)
            err = esp_event_post(DOOR, 1, "!", 2, 0);
        d->rig.heap.fail_at = 0;
        esp_event_loop_delete_default();
        assert_int_equal(d->rig.heap.cur_cnt, blocks);
        assert_true(n < 10);
    }
    assert_int_equal(err, ESP_OK);
}

/* --- reset ---------------------------------------------------------------- */

static jmp_buf after_reset;

static void jump_out(void *ctx)
{
    (void)ctx;
    longjmp(after_reset, 1);
}

static void first_off(void)
{
    strcat(seen, "first ");
}

static void second_off(void)
{
    strcat(seen, "second ");
}

static void test_restart_runs_shutdown_handlers_backwards(void **state)
{
    (void)state;
    d->rig.sys.port.restart = jump_out;
    assert_int_equal(esp_register_shutdown_handler(first_off), ESP_OK);
    assert_int_equal(esp_register_shutdown_handler(second_off), ESP_OK);
    assert_int_equal(esp_register_shutdown_handler(first_off),
                     ESP_ERR_INVALID_STATE);
    if (setjmp(after_reset) == 0)
        esp_restart();
    assert_string_equal(seen, "second first ");
    assert_int_equal(esp_unregister_shutdown_handler(second_off), ESP_OK);
    assert_int_equal(esp_unregister_shutdown_handler(second_off),
                     ESP_ERR_INVALID_STATE);
    if (setjmp(after_reset) == 0)
        esp_restart();
    assert_string_equal(seen, "second first first ");
    assert_int_equal(esp_unregister_shutdown_handler(first_off), ESP_OK);
}

static const struct {
    enum port_reset_reason port;
    esp_reset_reason_t esp;
} reason_rows[] = {
    { PORT_RESET_UNKNOWN, ESP_RST_UNKNOWN },
    { PORT_RESET_POWERON, ESP_RST_POWERON },
    { PORT_RESET_SW, ESP_RST_SW },
    { PORT_RESET_PANIC, ESP_RST_PANIC },
    { PORT_RESET_WDT, ESP_RST_WDT },
    { PORT_RESET_BROWNOUT, ESP_RST_BROWNOUT },
};

static void test_reset_reasons(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(reason_rows) / sizeof(reason_rows[0]); i++) {
        d->rig.sys.reason = reason_rows[i].port;
        assert_int_equal(esp_reset_reason(), reason_rows[i].esp);
    }
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_nothing_without_a_default_loop),
        T(test_default_loop),
        T(test_event_arguments),
        T(test_loop_without_a_task),
        T(test_events_with_every_allocation_failing),
        T(test_restart_runs_shutdown_handlers_backwards),
        T(test_reset_reasons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
