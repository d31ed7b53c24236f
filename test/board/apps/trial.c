/* A program on trial, told by its inputs what to do:
 *   1  crash until its third start      2  crash in every start
 *   3  lose power until its third start
 *   4  the diagnostic input: the condition that its policy asks for
 * Confirmed, it says what became of the last trial, and ends. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "driver/gpio.h"
#include "esp_app_desc.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "porta/ota_confirm.h"

static const char *TAG = "trial";

#define CRASH_TWICE GPIO_NUM_1
#define CRASH GPIO_NUM_2
#define POWER_TWICE GPIO_NUM_3
#define DIAGNOSTIC GPIO_NUM_4

static bool is_set(gpio_num_t pin)
{
    const gpio_config_t config = { .pin_bit_mask = 1ULL << pin,
                                   .mode = GPIO_MODE_INPUT,
                                   .pull_down_en = GPIO_PULLDOWN_ENABLE };

    ESP_ERROR_CHECK(gpio_config(&config));
    return gpio_get_level(pin) == 1;
}

/* The policy that gave it up resets the device, and that takes a moment. */
static bool is_given_up(void)
{
    porta_ota_verdict_t v;

    return porta_ota_last_verdict(&v) == ESP_OK && !v.confirmed;
}

static void say_verdict(void)
{
    porta_ota_verdict_t v;

    if (porta_ota_last_verdict(&v) == ESP_OK)
        ESP_LOGI(TAG, "ota_%u was %s by the %s: %s", (unsigned)v.slot,
                 v.confirmed ? "confirmed" : "given up", v.who, v.why);
    fflush(stdout);
    exit(0);
}

void app_main(void)
{
    const porta_ota_policy_t policy = { .required = 1, .deadline_ms = 200 };
    uint32_t starts = porta_ota_trial_starts();

    ESP_LOGI(TAG, "version %s, start %u", esp_app_get_description()->version,
             (unsigned)starts);
    fflush(stdout);
    if (starts == 0)
        say_verdict();
    if (is_set(CRASH) || (is_set(CRASH_TWICE) && starts < 3))
        abort();
    if (is_set(POWER_TWICE) && starts < 3)
        raise(SIGKILL);
    if (is_set(DIAGNOSTIC))
        porta_ota_condition_met(1);
    ESP_ERROR_CHECK(porta_ota_confirm_start(&policy));
    while (porta_ota_trial_starts() > 0 || is_given_up())
        vTaskDelay(pdMS_TO_TICKS(10));
    say_verdict();
}
