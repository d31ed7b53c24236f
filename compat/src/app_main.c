/* What main() of an ESP-IDF application does on Linux: takes over the flash
 * from the board, starts the implicit device and runs app_main() on the "main"
 * task.
 *
 * The process goes on after app_main() returned, and after the last task has
 * ended, as a device does; the board ends it. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "api/device.h"
#include "api/log.h"
#include "compat.h"
#include "esp_log.h"
#include "freertos/task.h"
#include "handover.h"
#include "linux_clock.h"
#include "linux_flash.h"
#include "linux_net.h"
#include "linux_rng.h"
#include "linux_sock.h"
#include "linux_sys.h"
#include "linux_time.h"
#include "linux_task.h"
#include "porta/app_config.h"
#include "trust.h"

#define EXIT_NO_BOARD 2

/* The device's hardware: it lives as long as the process. */
static struct {
    struct handover *page;
    pid_t pid;
    struct linux_flash flash, fuses;
    struct linux_sys sys;
    struct linux_net net;
    struct linux_sock sock;
    struct linux_lock lock;
    struct linux_task task;
    struct policy policy;
    uint64_t start_ms;
} board;

static atomic_bool any_task, any_alarm;

static void tell_idle(void)
{
    if (board.page)
        atomic_store(&board.page->idle,
                     !atomic_load(&any_task) && !atomic_load(&any_alarm));
}

void compat_set_tasks(bool any)
{
    atomic_store(&any_task, any);
    tell_idle();
}

void compat_set_alarms(bool any)
{
    atomic_store(&any_alarm, any);
    tell_idle();
}

uint32_t compat_tick_ms(void)
{
    return 1000 / porta_app_config.tick_hz;
}

const char *compat_flash_path(void)
{
    return board.page ? board.page->flash_path : "";
}

uint16_t compat_chip_rev(void)
{
    return board.page ? (uint16_t)board.page->chip_rev : 0;
}

/* The first one decides. Threads go on until the process has ended, and a
 * watchdog that bites meanwhile makes no other reset of it. */
void compat_reset(enum port_reset_reason reason)
{
    static atomic_flag begun = ATOMIC_FLAG_INIT;

    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &(int){ 0 });
    while (atomic_flag_test_and_set(&begun))
        pause();
    compat_retain_save(board.page->retained, sizeof(board.page->retained));
    linux_sys_reset(&board.sys, reason);
    abort(); /* not reached: there is a page */
}

void compat_deep_sleep(uint64_t us)
{
    board.page->sleep_us = us;
    compat_reset(PORT_RESET_DEEPSLEEP);
}

static void restart(void *ctx)
{
    (void)ctx;
    compat_reset(PORT_RESET_SW);
}

uint64_t compat_start_ms(void)
{
    return board.start_ms;
}

/* The application's own options. What makes the board's bootloader stricter
 * makes the application stricter, too: it would only write what does not
 * boot. */
static void policy_find(void)
{
    const struct porta_app_config *app = &porta_app_config;
    struct policy *p = &board.policy;
    handover_policy(board.page, p);
    if (app->from_board)
        return;
    p->decrypt_cb = app->decrypt_cb ? POL_DECRYPT_MUST : POL_DECRYPT_NEVER;
    p->no_cert_select = !app->cert_select;
    p->rollback = app->rollback;
    p->anti_rollback |= app->anti_rollback;
    if (app->anti_rollback && app->sec_ver_bits <= 32)
        p->sec_ver_bits = (unsigned char)app->sec_ver_bits;
    p->allow_http = app->allow_http;
    p->skip_cert_verify = app->skip_cert_verify;
    p->psk = app->psk;
    p->tls_record_len = (uint16_t)app->record_len;
    p->cert_dates = app->dates_strict ? POL_DATES_STRICT : POL_DATES_PLAUSIBLE;
    p->require_signed |= app->require_signed;
}

/* The project's own key is the one that its updates are signed with. */
static struct span keys_find(void)
{
    if (porta_app_config.keys_len > 0)
        return span_of(porta_app_config.keys, porta_app_config.keys_len);
    return span_of(board.page->keys, handover_keys_len(board.page));
}

/* A process that the application forks is not the device: it has no flash, and
 * so no lock on it either, and it does not outlive who forked it. */
static void forked(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != board.pid)
        _exit(1); /* it died before that took effect */
    board.pid = getpid();
    close(board.page->flash_fd);
}

static esp_err_t ports_start(struct diag *diag)
{
    esp_err_t err = handover_attach(&board.page, diag);
    if (err)
        return err;
    err = linux_flash_adopt(&board.flash, board.page->flash_fd, 0, diag);
    if (!err && board.page->fuse_fd >= 0)
        err = linux_flash_adopt(&board.fuses, board.page->fuse_fd,
                                HANDOVER_FUSES_LEN, diag);
    if (err)
        return err;
    handover_claim(board.page);
    board.pid = getpid();
    pthread_atfork(NULL, NULL, forked);
    board.flash.meter = &board.page->meter;
    board.fuses.meter = &board.page->meter;
    board.start_ms = linux_mono_ms();
    linux_sys_init(&board.sys, board.page);
    board.sys.port.restart = restart;
    compat_retain_load(board.page->retained, sizeof(board.page->retained),
                       board.sys.port.reset_reason(board.sys.port.ctx));
    linux_net_init(&board.net, &compat_heap);
    linux_sock_init(&board.sock, &board.net);
    linux_lock_init(&board.lock);
    linux_task_init(&board.task);
    policy_find();
    return ESP_OK;
}

static esp_err_t device_start(struct diag *diag)
{
    const struct api_boot boot = {
        .flash = &board.flash.port,
        .sys = &board.sys.port,
        .heap = &compat_heap,
        .net = &board.net.port,
        .clock = &linux_clock,
        .rng = &linux_rng,
        .lock = &board.lock.port,
        .task = &board.task.port,
        .fuse_chip = (uint16_t)board.page->fuse_chip,
        .fuse_flash = board.page->fuse_fd < 0 ? NULL : &board.fuses.port,
        .policy = &board.policy,
        .keys = keys_find(),
        .keys_final = board.page->keys_final,
        .table_off = board.page->table_off,
        .running_off = board.page->slot.off,
        .chip_id = (uint16_t)board.page->chip_id,
        .chip_rev = (uint16_t)board.page->chip_rev,
        .tick_ms = compat_tick_ms(),
        .sock = &board.sock.port,
        .trust = &compat_trust,
        .hmac_key = compat_hmac_key,
        /* No .work: a flash file takes no time that could be used, and an
         * update would need 13 KiB more. */
    };
    api_log_start(&board.sys.port);
    esp_log_level_set("*", (esp_log_level_t)porta_app_config.log_level);
    api_log_colors(porta_app_config.log_colors);
    esp_err_t err = api_device_start(&boot);
    if (err)
        return diag_fail(diag, DIAG_STAGE_BOOT, err,
                         "the device's library does not start: %s",
                         err_name(err));
    return ESP_OK;
}

static void main_task(void *arg)
{
    void (*app)(void) = *(void (**)(void))arg;

    app();
    vTaskDelete(NULL);
}

int compat_run(void (*app)(void))
{
    static void (*started)(void);

    struct diag diag = DIAG_NONE;
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0); /* a console shows whole lines */
    esp_err_t err = ports_start(&diag);
    if (!err)
        err = device_start(&diag);
    if (err) {
        fprintf(stderr, "application: %s\n", diag.text);
        return EXIT_NO_BOARD;
    }
    compat_wdt_start();
    started = app;
    if (xTaskCreate(main_task, "main", porta_app_config.main_stack_len,
                    (void *)&started, 1, NULL) != pdPASS) {
        fprintf(stderr, "application: the main task does not start\n");
        return EXIT_NO_BOARD;
    }
    for (;;)
        pause();
}
