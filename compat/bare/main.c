/* Starts the device that ESP-IDF's functions mean, on the board, and runs
 * app_main(). There is one thread; after app_main() it does nothing more and
 * feeds the watchdog, as a device's idle task does. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/device.h"
#include "api/log.h"
#include "bare.h"
#include "boot/opts.h"
#include "freertos/FreeRTOS.h"
#include "vrt_clock.h"
#include "vrt_flash.h"
#include "vrt_heap.h"
#include "vrt_net.h"
#include "vrt_netif.h"
#include "vrt_rng.h"
#include "vrt_sys.h"
#include "vrt_uart.h"

#define PAINT 0xa5a5a5a5u

void app_main(void);
void bare_main(struct vrt_page *page);

extern uint32_t app_stack_bottom[], app_stack_top[];

static struct {
    struct vrt_flash flash;
    struct vrt_sys sys;
    struct vrt_net net;
    struct boot_opts opts;
    struct policy policy;
} board;

/* --- the C library's outside ---------------------------------------------- */

static int console_put(char c, FILE *file)
{
    (void)file;
    vrt_putc(c);
    return 0;
}

static FILE console =
    FDEV_SETUP_STREAM(console_put, NULL, NULL, _FDEV_SETUP_WRITE);
FILE *const stdout = &console;
FILE *const stderr = &console;
FILE *const stdin = &console;

/* A trap is a panic: the bootloader writes down the reason and resets. */
void abort(void)
{
    __builtin_trap();
}

void _exit(int status)
{
    printf("the application ended itself with status %d\n", status);
    abort();
}

/* --- measurements --------------------------------------------------------- */

uint32_t bare_stack_depth(void)
{
    const uint32_t *at = app_stack_bottom;
    while (at < app_stack_top && *at == PAINT)
        at++;
    return (uint32_t)((const uint8_t *)app_stack_top - (const uint8_t *)at);
}

const struct vrt_flash_stats *bare_flash_stats(void)
{
    return &board.flash.stats;
}

/* --- start ---------------------------------------------------------------- */

/* Without random numbers nothing is encrypted, and without a card nothing is
 * fetched; the application runs all the same. */
static esp_err_t ports_start(struct vrt_page *page)
{
    vrt_sys_init(&board.sys, page);
    api_log_start(&board.sys.port);
    esp_err_t err = vrt_flash_init(&board.flash);
    if (vrt_rng_init())
        printf("board: there is no source of random numbers\n");
    if (vrt_netif_init())
        printf("board: there is no network card\n");
    vrt_net_init(&board.net, &vrt_heap);
    return err;
}

/* The application acts by the options of the bootloader that started it. */
static esp_err_t policy_start(const struct vrt_page *page)
{
    struct span record = span_of(page->opts, page->opts_len);
    board.policy = (struct policy){ .psk = true };
    esp_err_t err = boot_opts_parse(record, &board.opts);
    if (!err)
        boot_opts_apply(&board.opts, &board.policy);
    return err;
}

static esp_err_t device_start(const struct vrt_page *page)
{
    static uint8_t keys[IMG_KEYS_PACKED_MAX];
    uint32_t keys_len = img_keys_pack(&board.opts.keys, keys);
    const struct api_boot boot = {
        .flash = &board.flash.port,
        .sys = &board.sys.port,
        .heap = &vrt_heap,
        .net = &board.net.port,
        .clock = &vrt_clock,
        .rng = &vrt_rng,
        .lock = &vrt_lock,
        .task = &vrt_task,
        .fuse_chip = board.opts.anti_rollback ? board.opts.fuse_chip
                                              : IMG_CHIP_QEMU_VIRT_RV32,
        .policy = &board.policy,
        .keys = span_of(keys, keys_len),
        .table_off = page->table_off,
        .running_off = page->slot_off,
        .chip_id = IMG_CHIP_QEMU_VIRT_RV32,
        .tick_ms = portTICK_PERIOD_MS,
    };
    return api_device_start(&boot);
}

void bare_main(struct vrt_page *page)
{
    page->attached = 1;
    esp_err_t err = ports_start(page);
    if (!err)
        err = policy_start(page);
    if (!err)
        err = device_start(page);
    if (err) {
        printf("board: the device does not start: %s\n", err_name(err));
        abort();
    }
    app_main();
    page->idle = 1;
    for (;;)
        board.sys.port.sleep_ms(&board.sys, 1000);
}
