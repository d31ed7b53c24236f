/* What a chip's ROM and its system components have. */
#include <string.h>

#include "esp_chip_info.h"
#include "esp_flash_encrypt.h"
#include "esp_heap_caps.h"
#include "esp_netif_sntp.h"
#include "esp_rom_crc.h"
#include "esp_rom_sys.h"
#include "esp_secure_boot.h"
#include "esp_system.h"
#include "esp_task_wdt.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/event_groups.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "lwip/err.h"
#include "lwip/netdb.h"
#include "lwip/sockets.h"
#include "lwip/sys.h"
#include "runtime.h"

static void check_facts(void)
{
    esp_chip_info_t info;

    esp_chip_info(&info);
    check("the chip is the project's target",
          info.model == CHIP_ESP32 && info.cores >= 1);
    check("no encryption, no secure boot in hardware",
          !esp_flash_encryption_enabled() && !esp_secure_boot_enabled());
}

static void check_sums(void)
{
    const uint8_t *text = (const uint8_t *)"123456789";

    check("CRC-32 of the ROM", esp_rom_crc32_le(0, text, 9) == 0xcbf43926);
    check("in two parts", esp_rom_crc32_le(esp_rom_crc32_le(0, text, 4),
                                           text + 4, 5) == 0xcbf43926);
    check("CRC-16 of the ROM", esp_rom_crc16_le(0, text, 9) == 0x906e);
    check("CRC-8 of the ROM", esp_rom_crc8_le(0, text, 9) == 0x2f);
    int64_t start = esp_timer_get_time();
    esp_rom_delay_us(3000);
    check("a delay", esp_timer_get_time() - start >= 3000 &&
                         esp_rom_printf("%s", "") == 0);
}

/* --- memory --------------------------------------------------------------- */

static void check_memory(void)
{
    uint32_t before = esp_get_free_heap_size();
    char *block = heap_caps_malloc(300000, MALLOC_CAP_DEFAULT);

    memset(block, 1, 300000);
    uint32_t with = esp_get_free_heap_size();
    heap_caps_free(block);
    uint32_t after = esp_get_free_heap_size();
    check("free memory is what the options give, less what is used",
          before > 4000000 && before <= 8 * 1024 * 1024);
#ifndef __SANITIZE_ADDRESS__ /* whose heap is not asked */
    check("a block is missed", with <= before - 300000);
    check("until it is given back", after >= before - 4096);
    check("the least is remembered",
          esp_get_minimum_free_heap_size() <= with &&
              heap_caps_get_minimum_free_size(MALLOC_CAP_8BIT) <= with);
#endif
    multi_heap_info_t info;
    heap_caps_get_info(&info, MALLOC_CAP_DEFAULT);
    check("both halves are all of it",
          info.total_free_bytes + info.total_allocated_bytes ==
              heap_caps_get_total_size(MALLOC_CAP_DEFAULT));
    void *aligned = heap_caps_aligned_alloc(256, 100, MALLOC_CAP_DMA);
    check("aligned memory", aligned && (uintptr_t)aligned % 256 == 0);
    check("of no odd number",
          heap_caps_aligned_alloc(3, 100, MALLOC_CAP_DMA) == NULL);
    heap_caps_aligned_free(aligned);
}

/* --- time of day ---------------------------------------------------------- */

static int syncs;

static void on_sync(struct timeval *tv)
{
    syncs += tv->tv_sec > 1700000000;
}

static void check_time(void)
{
    esp_sntp_config_t config = ESP_NETIF_SNTP_DEFAULT_CONFIG("pool.ntp.org");

    config.sync_cb = on_sync;
    check("nobody asked for the time yet",
          esp_netif_sntp_sync_wait(0) == ESP_ERR_INVALID_STATE);
    check("the time is asked for", esp_netif_sntp_init(&config) == ESP_OK);
    check("and is there", esp_netif_sntp_sync_wait(0) == ESP_OK && syncs == 1);
    check("the server is remembered",
          strcmp(esp_sntp_getservername(0), "pool.ntp.org") == 0);
    check("that it was set is said once",
          esp_sntp_get_sync_status() == SNTP_SYNC_STATUS_COMPLETED &&
              esp_sntp_get_sync_status() == SNTP_SYNC_STATUS_RESET);
    config.wait_for_sync = false;
    check("it is asked for once",
          esp_netif_sntp_init(&config) == ESP_ERR_INVALID_STATE);
    check("and a call that is refused changes nothing",
          esp_netif_sntp_sync_wait(0) == ESP_OK);
    esp_netif_sntp_deinit();
}

/* --- the watchdog, without its reset -------------------------------------- */

static void check_watchdog(void)
{
    esp_task_wdt_user_handle_t user;

    check("nobody is watched unasked",
          esp_task_wdt_status(NULL) == ESP_ERR_NOT_FOUND &&
              esp_task_wdt_reset() == ESP_ERR_NOT_FOUND);
    check("a task is watched once",
          esp_task_wdt_add(NULL) == ESP_OK &&
              esp_task_wdt_add(NULL) == ESP_ERR_INVALID_ARG &&
              esp_task_wdt_status(NULL) == ESP_OK);
    check("a user, too", esp_task_wdt_add_user("link", &user) == ESP_OK &&
                             esp_task_wdt_reset_user(user) == ESP_OK);
    check("it stays while somebody is watched",
          esp_task_wdt_deinit() == ESP_ERR_INVALID_STATE);
    check("until they are not",
          esp_task_wdt_delete_user(user) == ESP_OK &&
              esp_task_wdt_delete(NULL) == ESP_OK &&
              esp_task_wdt_delete(NULL) == ESP_ERR_NOT_FOUND);
}

/* --- where tasks meet ----------------------------------------------------- */

static EventGroupHandle_t group;
static SemaphoreHandle_t done;
static EventBits_t seen[3];

static void meeting_task(void *arg)
{
    int idx = (int)(intptr_t)arg;

    seen[idx] = xEventGroupSync(group, BIT(idx), 7, pdMS_TO_TICKS(5000));
    xSemaphoreGiveFromISR(done, NULL);
    vTaskDelete(NULL);
}

static void waiting_task(void *arg)
{
    int idx = (int)(intptr_t)arg;

    xSemaphoreGive(done); /* about to wait */
    seen[idx] =
        xEventGroupWaitBits(group, BIT5, pdTRUE, pdTRUE, pdMS_TO_TICKS(5000));
    xSemaphoreGiveFromISR(done, NULL);
    vTaskDelete(NULL);
}

static void run_all(TaskFunction_t fn, int cnt)
{
    for (int i = 0; i < cnt; i++)
        xTaskCreate(fn, "meets", 4096, (void *)(intptr_t)i, 5, NULL);
}

static bool all_done(int cnt)
{
    while (cnt > 0 && xSemaphoreTake(done, pdMS_TO_TICKS(5000)) == pdTRUE)
        cnt--;
    return cnt == 0;
}

static void check_meetings(void)
{
    static StaticSemaphore_t place;

    group = xEventGroupCreate();
    done = xSemaphoreCreateCountingStatic(3, 0, &place);
    run_all(meeting_task, 3);
    check("three tasks meet",
          all_done(3) && seen[0] == 7 && seen[1] == 7 && seen[2] == 7);
    check("and leave nothing behind", xEventGroupGetBits(group) == 0);
    run_all(waiting_task, 2);
    check("two tasks are about to wait", all_done(2));
    vTaskDelay(pdMS_TO_TICKS(200));
    xEventGroupSetBitsFromISR(group, BIT5, NULL);
    check("two that wait for a bit both have it, though one clears it",
          all_done(2) && (seen[0] & BIT5) && (seen[1] & BIT5) &&
              xEventGroupGetBits(group) == 0);
    check("who comes alone waits in vain",
          xEventGroupSync(group, 1, 3, 2) == 1);
    vEventGroupDelete(group);
    vSemaphoreDelete(done);
}

static void check_sockets(void)
{
    struct sockaddr_in addr = { .sin_family = AF_INET };
    char text[16];
    err_t err = ERR_OK;
    int s = socket(AF_INET, SOCK_STREAM, 0);

    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    inet_ntoa_r(addr.sin_addr, text, sizeof(text));
    check("sockets by lwIP's names",
          err == 0 && s >= 0 && strcmp(text, "127.0.0.1") == 0);
    closesocket(s);
}

void check_chip(void)
{
    check_facts();
    check_sums();
    check_memory();
    check_time();
    check_watchdog();
    check_meetings();
    check_sockets();
}
