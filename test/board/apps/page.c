/* The code of docs/rollback.md, as it stands there: a policy that wants a
 * network, a backend and a diagnostic input. Ten minutes are six seconds. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "driver/gpio.h"
#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "porta/ota_confirm.h"

static bool sensors_work(void)
{
    return true;
}

static bool network_is_up(void)
{
    return true;
}

static const char *backend_says(void)
{
    const gpio_config_t pin = { .pin_bit_mask = BIT64(5),
                                .mode = GPIO_MODE_INPUT };

    gpio_config(&pin);
    return gpio_get_level(GPIO_NUM_5) ? "401 Unauthorized" : NULL;
}

static esp_err_t start_sooner(const porta_ota_policy_t *policy)
{
    porta_ota_policy_t sooner = *policy;
    esp_err_t err;

    sooner.min_uptime_ms /= 100;
    sooner.deadline_ms /= 100;
    err = porta_ota_confirm_start(&sooner);
    printf("the policy has begun: %s\n", esp_err_to_name(err));
    fflush(stdout);
    return err;
}

#define porta_ota_confirm_start start_sooner
#define app_main page_main
/* clang-format off */
#include "2.inc"
#include "1.inc"
/* clang-format on */
#undef app_main

void app_main(void)
{
    porta_ota_verdict_t v;

    if (porta_ota_trial_starts() > 0)
        page_main();
    while (porta_ota_trial_starts() > 0)
        vTaskDelay(pdMS_TO_TICKS(10));
    if (porta_ota_last_verdict(&v) == ESP_OK)
        printf("%s by the %s: %s; %s\n", v.confirmed ? "confirmed" : "given up",
               v.who, v.why, v.words);
    fflush(stdout);
    exit(0);
}
