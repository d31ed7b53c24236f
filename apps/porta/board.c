/* The board waits with its signals blocked, so that no signal is lost between
 * looking and waiting; the child gets the old mask back. What a boot's end
 * means is decided by next_step(), which only reads; everything else carries
 * that decision out. */
#include "board.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "board_signals.h"
#include "bootloader.h"
#include "cli_term.h"
#include "handover.h"
#include "linux_retry.h"
#include "linux_sys.h"
#include "linux_time.h"
#include "orphans.h"
#include "port/sys.h"

#define IDLE_POLL_MS 20u
/* Handlers of events and what watches a trial run on threads of their own,
 * which no task's end waits for. */
#define IDLE_MS 200u
#define SHORT_BOOT_MS 1000u
#define FREE_BOOTS 3u /* short boots in a row that are not slowed down */
#define MAX_DELAY_MS 1000u

struct board {
    const struct board_opts *opts;
    struct board_report *report;
    struct diag *diag;
    struct handover *page;
    int page_fd;
    sigset_t old_mask;
    uint64_t deadline_ms;   /* 0: none */
    uint64_t idle_since_ms; /* 0: it is not */
    uint32_t short_cnt;     /* short boots in a row */
};

/* --- pure decisions ------------------------------------------------------- */

const char *board_reset_name(int32_t reset_reason)
{
    switch (reset_reason) {
    case PORT_RESET_POWERON:
        return "power-on";
    case PORT_RESET_SW:
        return "software";
    case PORT_RESET_PANIC:
        return "panic";
    case PORT_RESET_TASK_WDT:
        return "task-watchdog";
    case PORT_RESET_WDT:
        return "watchdog";
    case PORT_RESET_DEEPSLEEP:
        return "deep-sleep";
    case PORT_RESET_BROWNOUT:
        return "brownout";
    default:
        return "unknown";
    }
}

bool board_reset_by_name(const char *name, enum port_reset_reason *out)
{
    static const enum port_reset_reason reasons[] = {
        PORT_RESET_UNKNOWN,   PORT_RESET_POWERON,  PORT_RESET_SW,
        PORT_RESET_PANIC,     PORT_RESET_TASK_WDT, PORT_RESET_WDT,
        PORT_RESET_DEEPSLEEP, PORT_RESET_BROWNOUT
    };
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (strcmp(name, board_reset_name(reasons[i])) != 0)
            continue;
        *out = reasons[i];
        return true;
    }
    return false;
}

const char *board_end_name(enum board_end end)
{
    static const char *const names[] = {
        [BOARD_END_BOOTS] = "boots",     [BOARD_END_IDLE] = "idle",
        [BOARD_END_TIME] = "time",       [BOARD_END_CUT] = "power_cut",
        [BOARD_END_OFF] = "off",         [BOARD_END_EXIT] = "exit",
        [BOARD_END_NO_BOOT] = "no_boot", [BOARD_END_FAILED] = "failed",
    };
    return names[end];
}

/* What comes after a boot: another one, or the end. */
struct step {
    bool boot_again;
    enum port_reset_reason reason; /* when boot_again */
    enum board_end end;            /* when not */
};

static struct step step_boot(enum port_reset_reason reason)
{
    return (struct step){ .boot_again = true, .reason = reason };
}

static struct step step_end(enum board_end end)
{
    return (struct step){ .end = end };
}

/* The bootloader ended without starting anything. It is asked again as long as
 * it changed the flash: a record it marked may lead it elsewhere. */
static struct step step_no_start(const struct handover *page, uint32_t ops)
{
    bool image_failed = page->verdict == HANDOVER_FAILED && page->slot.len > 0;
    if (ops > 0)
        return step_boot(image_failed ? PORT_RESET_PANIC : PORT_RESET_SW);
    if (page->verdict == HANDOVER_NOTHING_BOOTS || image_failed)
        return step_end(BOARD_END_NO_BOOT);
    return step_end(BOARD_END_FAILED);
}

/* A shell's status for "cannot be executed": the C library's loader uses it
 * when the program or a library of it is missing. */
#define STATUS_NOT_LOADED 127

/* Why the application wanted its reset; 1 is what older programs say. */
static enum port_reset_reason reason_asked(const struct handover *page)
{
    switch (atomic_load(&page->restart)) {
    case PORT_RESET_PANIC:
        return PORT_RESET_PANIC;
    case PORT_RESET_TASK_WDT:
        return PORT_RESET_TASK_WDT;
    case PORT_RESET_DEEPSLEEP:
        return PORT_RESET_DEEPSLEEP;
    default:
        return PORT_RESET_SW;
    }
}

/* ops: flash operations during this boot. */
static struct step next_step(const struct handover *page, int status,
                             uint32_t ops)
{
    if (atomic_load(&page->meter.cut))
        return step_end(BOARD_END_CUT);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return step_boot(PORT_RESET_POWERON);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGINT)
        return step_end(BOARD_END_OFF); /* from the terminal, to us all */
    if (page->verdict != HANDOVER_STARTED)
        return step_no_start(page, ops);
    if (WIFSIGNALED(status))
        return step_boot(PORT_RESET_PANIC);
    if (atomic_load(&page->restart))
        return step_boot(reason_asked(page));
    if (WEXITSTATUS(status) == STATUS_NOT_LOADED &&
        !atomic_load(&page->attached))
        return step_boot(PORT_RESET_PANIC);
    return step_end(BOARD_END_EXIT);
}

/* Boots that keep ending at once come more slowly. */
static uint32_t boot_delay_ms(uint32_t short_cnt)
{
    if (short_cnt < FREE_BOOTS)
        return 0;
    uint32_t shift = short_cnt - FREE_BOOTS;
    uint32_t ms = shift < 5 ? 50u << shift : MAX_DELAY_MS;
    return ms < MAX_DELAY_MS ? ms : MAX_DELAY_MS;
}

/* --- one boot ------------------------------------------------------------- */

/* Becomes the device. Nothing here may return into the board's code. */
static void child_run(struct board *b)
{
    sigprocmask(SIG_SETMASK, &b->old_mask, NULL);
    if (b->opts->console_stderr)
        dup2(STDERR_FILENO, STDOUT_FILENO);
    struct diag diag = DIAG_NONE;
    if (handover_export(b->page, b->page_fd, &diag) == ESP_OK) {
        bootloader_main(b->page);
    } else {
        b->page->verdict = HANDOVER_FAILED;
        snprintf(b->page->text, sizeof(b->page->text), "%s", diag.text);
    }
    fflush(stdout);
    _exit(1);
}

static void say_boot(const struct board *b)
{
    term_note("board: reset (%s), boot %u\n",
              board_reset_name(b->page->reset_reason),
              (unsigned)b->page->boot_cnt);
}

/* Not for a cut of the power, which end_explain() tells as what it is. */
static void say_signal(const struct handover *page, pid_t pid, int status)
{
    if (WIFSIGNALED(status) && !atomic_load(&page->meter.cut))
        term_note("board: process %d died of signal %d (%s)\n", (int)pid,
                  WTERMSIG(status), strsignal(WTERMSIG(status)));
}

static void note_boot(struct board *b)
{
    struct board_report *r = b->report;
    r->boot_cnt = b->page->boot_cnt;
    if (r->boot_cnt > BOARD_BOOTS_KEPT)
        return;
    struct board_boot *boot = &r->boots[r->boot_cnt - 1];
    boot->reset_reason = b->page->reset_reason;
    memcpy(boot->slot, b->page->slot.label, sizeof(boot->slot));
    boot->slot[sizeof(boot->slot) - 1] = '\0';
}

static bool time_is_up(const struct board *b)
{
    return b->deadline_ms && linux_mono_ms() >= b->deadline_ms;
}

/* Has nothing happened for a while, and will nothing happen any more? */
static bool is_idle(struct board *b)
{
    if (!b->opts->max_boots || !atomic_load(&b->page->idle)) {
        b->idle_since_ms = 0;
        return false;
    }
    uint64_t now = linux_mono_ms();
    if (b->idle_since_ms == 0)
        b->idle_since_ms = now;
    return now - b->idle_since_ms >= IDLE_MS;
}

/* Until when the next wait may last, with at most ms from now. */
static struct timespec wait_span(const struct board *b, uint32_t ms)
{
    uint64_t now = linux_mono_ms();
    uint64_t left = ms;
    if (b->deadline_ms && b->deadline_ms < now + left)
        left = b->deadline_ms > now ? b->deadline_ms - now : 0;
    return (struct timespec){ .tv_sec = (time_t)(left / 1000),
                              .tv_nsec = (long)(left % 1000) * 1000000 };
}

/* The next of our signals, 0 after ms or when an input changed. */
static int signal_wait(const struct board *b, uint32_t ms)
{
    struct timespec span = wait_span(b, ms);

    return board_signals_wait(&span, &b->page->signal_level);
}

/* Waits for the end of a boot. True: it ended, *status says how. False: the
 * board ends it, *end says why. */
static bool boot_wait(struct board *b, pid_t pid, int *status,
                      enum board_end *end)
{
    uint32_t poll_ms = b->opts->max_boots ? IDLE_POLL_MS : MAX_DELAY_MS;
    b->idle_since_ms = 0;
    for (;;) {
        if (waitpid(pid, status, WNOHANG) == pid)
            return true;
        if (time_is_up(b)) {
            *end = BOARD_END_TIME;
            return false;
        }
        if (is_idle(b)) {
            *end = BOARD_END_IDLE;
            return false;
        }
        int sig = signal_wait(b, poll_ms);
        if (sig != 0 && sig != SIGCHLD) {
            *end = BOARD_END_OFF;
            return false;
        }
    }
}

static struct step boot_once(struct board *b, enum port_reset_reason reason)
{
    uint32_t ops = atomic_load(&b->page->meter.op_cnt);
    handover_boot(b->page, reason);
    say_boot(b);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        child_run(b);
    if (pid < 0) {
        diag_fail(b->diag, DIAG_STAGE_BOOT, ESP_FAIL,
                  "cannot start a process for the device: %s", strerror(errno));
        return step_end(BOARD_END_FAILED);
    }
    int status = 0;
    struct step step = { .boot_again = false };
    bool ended = boot_wait(b, pid, &status, &step.end);
    if (!ended) {
        kill(pid, SIGKILL);
        linux_waitpid(pid, &status, 0);
    } else {
        step = next_step(b->page, status,
                         atomic_load(&b->page->meter.op_cnt) - ops);
        b->report->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
        say_signal(b->page, pid, status);
    }
    orphans_kill();
    note_boot(b);
    return step;
}

/* --- the life of a board -------------------------------------------------- */

/* For how long the device is in deep sleep, UINT64_MAX: for ever. */
static uint64_t sleep_ms(const struct board *b, enum port_reset_reason reason)
{
    uint64_t us = b->page->sleep_us;

    if (reason != PORT_RESET_DEEPSLEEP)
        return 0;
    return us == HANDOVER_SLEEP_EVER ? UINT64_MAX : us / 1000 + (us % 1000 > 0);
}

/* True: the board ends instead. */
static bool wait_until(struct board *b, uint64_t until, enum board_end *end)
{
    uint64_t now = linux_mono_ms();
    while (now < until) {
        uint64_t left = until - now;
        int sig =
            signal_wait(b, left < MAX_DELAY_MS ? (uint32_t)left : MAX_DELAY_MS);
        if (sig != 0 && sig != SIGCHLD) {
            *end = BOARD_END_OFF;
            return true;
        }
        if (time_is_up(b)) {
            *end = BOARD_END_TIME;
            return true;
        }
        now = linux_mono_ms();
    }
    return false;
}

/* Waits before a boot that comes too soon, or after deep sleep. True: the
 * board ends instead. */
static bool slow_down(struct board *b, uint64_t boot_began_ms, uint64_t ms,
                      enum board_end *end)
{
    uint64_t now = linux_mono_ms();
    bool is_short = ms == 0 && now - boot_began_ms < SHORT_BOOT_MS;
    b->short_cnt = is_short ? b->short_cnt + 1 : 0;
    if (ms == 0)
        ms = boot_delay_ms(b->short_cnt);
    if (ms == UINT64_MAX && b->opts->max_boots) {
        *end = BOARD_END_IDLE;
        return true;
    }
    return wait_until(b, ms < UINT64_MAX - now ? now + ms : UINT64_MAX, end);
}

static enum board_end boots_run(struct board *b)
{
    enum port_reset_reason reason = PORT_RESET_POWERON;
    for (;;) {
        uint64_t began = linux_mono_ms();
        struct step step = boot_once(b, reason);
        if (!step.boot_again)
            return step.end;
        if (b->opts->max_boots && b->page->boot_cnt >= b->opts->max_boots)
            return BOARD_END_BOOTS;
        if (slow_down(b, began, sleep_ms(b, step.reason), &step.end))
            return step.end;
        reason = step.reason;
    }
}

static esp_err_t end_explain(struct board *b, enum board_end end)
{
    if (end == BOARD_END_CUT)
        term_note("board: power cut before flash operation %u\n",
                  (unsigned)b->opts->power_cut);
    else if (b->opts->power_cut)
        term_note("board: no power cut: the device did not come to flash "
                  "operation %u\n",
                  (unsigned)b->opts->power_cut);
    if (end != BOARD_END_NO_BOOT && end != BOARD_END_FAILED)
        return ESP_OK;
    if (b->page->text[0])
        return diag_fail(b->diag, DIAG_STAGE_BOOT, ESP_ERR_NOT_FOUND, "%s",
                         b->page->text);
    return diag_fail(b->diag, DIAG_STAGE_BOOT, ESP_FAIL,
                     "the bootloader ended without a word in boot %u",
                     (unsigned)b->page->boot_cnt);
}

static esp_err_t page_set_up(struct board *b)
{
    const struct board_opts *o = b->opts;
    esp_err_t err = handover_create(&b->page, &b->page_fd, b->diag);
    if (err)
        return err;
    struct handover *page = b->page;
    size_t len = strlen(o->flash_path);
    if (len >= sizeof(page->flash_path))
        return diag_fail(b->diag, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "the flash file's name has %zu characters, more "
                         "than %zu",
                         len, sizeof(page->flash_path) - 1);
    memcpy(page->flash_path, o->flash_path, len + 1);
    page->flash_fd = o->flash->fd;
    page->fuse_fd = o->fuse_fd;
    page->fuse_chip = o->fuse_chip;
    page->table_off = o->table_off;
    page->keep_elf = o->keep_elf;
    handover_set_policy(page, &o->policy);
    static_assert(sizeof(page->keys) >= IMG_KEYS_PACKED_MAX,
                  "the page has too little room for a key set");
    page->keys_len = img_keys_pack(&o->keys, page->keys);
    page->keys_final = o->keys_final;
    atomic_store(&page->meter.cut_at, o->power_cut);
    return ESP_OK;
}

esp_err_t board_run(const struct board_opts *opts, struct board_report *report,
                    struct diag *diag)
{
    struct board b = {
        .opts = opts, .report = report, .diag = diag, .page_fd = -1
    };
    *report = (struct board_report){ .end = BOARD_END_FAILED };
    if (opts->max_time_ms)
        b.deadline_ms = linux_mono_ms() + opts->max_time_ms;
    board_signals_block(&b.old_mask);
    orphans_adopt();
    esp_err_t err = page_set_up(&b);
    if (!err) {
        report->end = boots_run(&b);
        report->flash_ops = atomic_load(&b.page->meter.op_cnt);
        err = end_explain(&b, report->end);
    }
    handover_detach(b.page);
    if (b.page_fd >= 0)
        close(b.page_fd);
    sigprocmask(SIG_SETMASK, &b.old_mask, NULL);
    return err;
}
