/* One boot after the other, and what each keeps for the next. */
#include <stdio.h>

#include "esp_attr.h"
#include "esp_sleep.h"
#include "esp_system.h"
#include "esp_task_wdt.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "runtime.h"

static RTC_NOINIT_ATTR int noinit;
static RTC_DATA_ATTR int data = 7;
static int plain = 7;
static RTC_NOINIT_ATTR int slept_through;

static void first_handler(void)
{
    printf("handler first\n");
}

static void second_handler(void)
{
    printf("handler second\n");
}

static void never_handler(void)
{
    printf("handler never\n");
}

void boot_first(void)
{
    check("shutdown handlers",
          esp_register_shutdown_handler(first_handler) == ESP_OK &&
              esp_register_shutdown_handler(second_handler) == ESP_OK &&
              esp_register_shutdown_handler(never_handler) == ESP_OK &&
              esp_unregister_shutdown_handler(never_handler) == ESP_OK &&
              esp_register_shutdown_handler(first_handler) ==
                  ESP_ERR_INVALID_STATE);
    check("nothing woke us",
          esp_sleep_get_wakeup_cause() == ESP_SLEEP_WAKEUP_UNDEFINED);
    check("no light sleep without an end",
          esp_light_sleep_start() == ESP_ERR_INVALID_STATE);
    noinit = data = plain = 41;
    esp_restart();
}

static void sleepless(void *arg)
{
    (void)arg;
    vTaskDelay(pdMS_TO_TICKS(1000));
    slept_through = 0;
    vTaskDelete(NULL);
}

/* To sleep while somebody is watched, and while somebody has plans. */
void boot_after_restart(void)
{
    const esp_task_wdt_config_t config = { .timeout_ms = 800,
                                           .trigger_panic = true };

    check("a restart keeps what is not initialised", noinit == 41);
    check("and nothing else", data == 7 && plain == 7);
    noinit = data = plain = 42;
    slept_through = 1;
    xTaskCreate(sleepless, "sleepless", 4096, NULL, 5, NULL);
    esp_task_wdt_reconfigure(&config);
    esp_task_wdt_add(NULL);
    esp_deep_sleep(1500000);
}

void boot_after_sleep(void)
{
    const esp_task_wdt_config_t config = { .timeout_ms = 2000,
                                           .trigger_panic = true };

    check("deep sleep keeps both", noinit == 42 && data == 42 && plain == 7);
    check("and nobody goes on in it", slept_through == 1);
    check("the timer woke us",
          esp_sleep_get_wakeup_cause() == ESP_SLEEP_WAKEUP_TIMER);
    check("the watchdog runs already, as the options say",
          esp_task_wdt_init(&config) == ESP_ERR_INVALID_STATE);
    check("it can be told to be quicker",
          esp_task_wdt_reconfigure(&config) == ESP_OK);
    esp_task_wdt_add(NULL);
    for (int i = 0; i < 8; i++) {
        vTaskDelay(pdMS_TO_TICKS(300));
        esp_task_wdt_reset();
    }
    check("who says that it lives lives on", true);
    vTaskDelay(pdMS_TO_TICKS(20000));
}

void boot_after_watchdog(void)
{
    check("the watchdog's reset keeps what is not initialised", noinit == 42);
    noinit = 43;
    esp_system_abort("on purpose");
}

void boot_after_crash(void)
{
    check("a crash keeps nothing", noinit == 0 && data == 7);
}
