/* QEMU's machine "virt" ends with status 0 when the firmware asks for a reset
 * (-no-reboot), and with the firmware's own codes from 64; see vrt_page.h. As
 * in board.c, one pure function says what an end means. */
#include "emu.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "board_signals.h"
#include "cli_term.h"
#include "emu_server.h"
#include "linux_retry.h"
#include "linux_time.h"
#include "port/sys.h"
#include "vrt_map.h"
#include "vrt_page.h"

#define QEMU "qemu-system-riscv32"
#define POLL_MS 20u
#define STATUS_NO_QEMU 127
#define MAX_ARGS 64u

struct emu {
    const struct emu_opts *opts;
    struct board_report *report;
    struct diag *diag;
    struct emu_net net;
    struct emu_server server;
    char dir[PATH_MAX], rom[PATH_MAX], ram[PATH_MAX], log[PATH_MAX];
    char resolv[PATH_MAX], server_log[PATH_MAX];
    struct vrt_page *page; /* the first of RAM, seen from here */
    sigset_t old_mask;
    uint64_t deadline_ms;     /* 0: none */
    atomic_uint signal_level; /* of inputs that follow signals */
};

/* --- what an end means ---------------------------------------------------- */

struct step {
    bool boot_again, power_on;
    enum board_end end; /* when not boot_again */
};

static struct step next_step(int status)
{
    struct step step = { .end = BOARD_END_FAILED };
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return (struct step){ .boot_again = true, .power_on = true };
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return (struct step){ .boot_again = true };
    if (WIFEXITED(status) && WEXITSTATUS(status) == VRT_EXIT_NOTHING_BOOTS)
        step.end = BOARD_END_NO_BOOT;
    return step;
}

static void explain_end(struct emu *e, enum board_end end, int status)
{
    if (end == BOARD_END_NO_BOOT)
        (void)diag_fail(e->diag, DIAG_STAGE_BOOT, ESP_ERR_NOT_FOUND, "%.*s",
                        (int)sizeof(e->page->text), e->page->text);
    else if (WIFSIGNALED(status))
        (void)diag_fail(e->diag, DIAG_STAGE_BOOT, ESP_FAIL,
                        "%s died of signal %d (%s)", QEMU, WTERMSIG(status),
                        strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status) == STATUS_NO_QEMU)
        (void)diag_fail(e->diag, DIAG_STAGE_BOOT, ESP_ERR_NOT_FOUND,
                        "there is no %s: run `tools/setup.sh board`, or "
                        "install qemu-system-misc",
                        QEMU);
    else if (WEXITSTATUS(status) == VRT_EXIT_NO_FLASH)
        (void)diag_fail(e->diag, DIAG_STAGE_BOOT, ESP_ERR_NOT_FOUND,
                        "the machine has no flash in its second bank");
    else
        (void)diag_fail(e->diag, DIAG_STAGE_BOOT, ESP_FAIL,
                        "%s ended with status %d", QEMU, WEXITSTATUS(status));
}

/* --- files ---------------------------------------------------------------- */

static esp_err_t fail_file(struct emu *e, const char *what, const char *path)
{
    return diag_fail(e->diag, DIAG_STAGE_BOOT, ESP_FAIL, "cannot %s %s: %s",
                     what, path, strerror(errno));
}

/* build/bin/porta has it in build/boards/, an installed one in share/. */
static bool find_bootloader(char out[PATH_MAX])
{
    static const char *const places[] = { "../boards/" EMU_BOARD,
                                          "../share/porta/boards/" EMU_BOARD };
    char exe[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    if (len <= 0)
        return false;
    exe[len] = '\0';
    *strrchr(exe, '/') = '\0';
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        int n = snprintf(out, PATH_MAX, "%s/%s/bootloader.bin", exe, places[i]);
        if (n < PATH_MAX && access(out, R_OK) == 0)
            return true;
    }
    return false;
}

/* The bank is a file of exactly its size; what is not written is a hole. */
static esp_err_t rom_make(struct emu *e)
{
    char found[PATH_MAX];
    const char *from = e->opts->bootloader;
    struct cli_bytes code = CLI_BYTES_NONE;
    if (!from && !find_bootloader(found))
        return diag_fail(e->diag, DIAG_STAGE_BOOT, ESP_ERR_NOT_FOUND,
                         "the bootloader of this board was not built: run "
                         "`make board`, or name its file with --bootloader");
    esp_err_t err =
        cli_read_file(from ? from : found, VRT_BANK_LEN, &code, e->diag);
    if (err)
        return err;
    FILE *f = fopen(e->rom, "we");
    bool ok = f && fwrite(code.ptr, 1, code.len, f) == code.len &&
              fflush(f) == 0 && ftruncate(fileno(f), VRT_BANK_LEN) == 0;
    if (!ok)
        err = fail_file(e, "write", e->rom);
    if (f)
        fclose(f);
    cli_bytes_free(&code);
    return err;
}

static esp_err_t ram_make(struct emu *e)
{
    int fd = linux_open(e->ram, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0 || ftruncate(fd, VRT_RAM_FILE_LEN) != 0) {
        if (fd >= 0)
            close(fd);
        return fail_file(e, "make", e->ram);
    }
    void *map =
        mmap(NULL, VRT_RAM_FILE_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (map == MAP_FAILED)
        return fail_file(e, "map", e->ram);
    e->page = map;
    return ESP_OK;
}

static esp_err_t name_make(struct emu *e, char out[PATH_MAX], const char *tail)
{
    int n = snprintf(out, PATH_MAX, "%s.run%s", e->opts->flash_path, tail);
    if (n < PATH_MAX && !strchr(out, ','))
        return ESP_OK;
    return diag_fail(e->diag, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                     "the flash file's name is too long or has a comma, which "
                     "the emulator cannot take");
}

static esp_err_t files_make(struct emu *e)
{
    esp_err_t err = name_make(e, e->dir, "");
    if (!err)
        err = name_make(e, e->rom, "/rom.bin");
    if (!err)
        err = name_make(e, e->ram, "/ram.bin");
    if (!err)
        err = name_make(e, e->log, "/console.log");
    if (!err)
        err = name_make(e, e->resolv, "/resolv.conf");
    if (!err)
        err = name_make(e, e->server_log, "/server.log");
    if (err)
        return err;
    if (mkdir(e->dir, 0777) != 0 && errno != EEXIST)
        return fail_file(e, "make", e->dir);
    (void)unlink(e->log);
    err = rom_make(e);
    return err ? err : ram_make(e);
}

static void files_drop(struct emu *e)
{
    if (e->page)
        munmap(e->page, VRT_RAM_FILE_LEN);
    if (e->rom[0])
        (void)unlink(e->rom);
    if (e->ram[0])
        (void)unlink(e->ram);
    if (e->resolv[0])
        (void)unlink(e->resolv);
}

/* --- one boot ------------------------------------------------------------- */

struct argv {
    char text[8][PATH_MAX + 80];
    unsigned text_cnt;
    char *arg[MAX_ARGS + 1];
    unsigned cnt;
};

static void arg_add(struct argv *a, const char *arg)
{
    if (a->cnt < MAX_ARGS)
        memcpy(&a->arg[a->cnt++], &arg, sizeof(arg));
}

static void arg_pair(struct argv *a, const char *option, const char *arg)
{
    arg_add(a, option);
    arg_add(a, arg);
}

static void arg_text(struct argv *a, const char *option, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

static void arg_text(struct argv *a, const char *option, const char *fmt, ...)
{
    char *room = a->text[a->text_cnt++];
    va_list args;
    va_start(args, fmt);
    vsnprintf(room, sizeof(a->text[0]), fmt, args);
    va_end(args);
    arg_pair(a, option, room);
}

static void args_make(const struct emu *e, struct argv *a)
{
    const struct emu_opts *o = e->opts;
    arg_add(a, QEMU);
    arg_pair(a, "-M", "virt,memory-backend=ram0");
    arg_text(a, "-object",
             "memory-backend-file,id=ram0,size=4M,mem-path=%s,share=on",
             e->ram);
    arg_pair(a, "-cpu", "rv32");
    arg_pair(a, "-m", "4M");
    arg_pair(a, "-bios", "none");
    arg_pair(a, "-display", "none");
    arg_pair(a, "-monitor", "none");
    arg_text(a, "-chardev", "stdio,id=c0,signal=off,logfile=%s,logappend=on",
             e->log);
    arg_pair(a, "-serial", "chardev:c0");
    arg_add(a, "-no-reboot");
    arg_text(a, "-drive", "if=pflash,unit=0,format=raw,readonly=on,file=%s",
             e->rom);
    arg_text(a, "-drive", "if=pflash,unit=1,format=raw,file=%s", o->flash_path);
    arg_pair(a, "-device", "virtio-rng-device");
    if (o->clock)
        arg_text(a, "-rtc", "base=%s", o->clock);
    if (e->net.kind != EMU_NET_KIND_NONE) {
        arg_pair(a, "-netdev", "user,id=n0");
        arg_pair(a, "-device", "virtio-net-device,netdev=n0");
    }
    for (int i = 0; i < o->args->cnt; i++)
        arg_add(a, o->args->val[i]);
}

/* In the child. Its own group: the terminal's signals are for the board. */
static void child_run(const struct emu *e, struct argv *a, int parent)
{
    sigprocmask(SIG_SETMASK, &e->old_mask, NULL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    int in = linux_open("/dev/null", O_RDONLY, 0);
    dup2(in, STDIN_FILENO);
    if (e->opts->console_stderr)
        dup2(STDERR_FILENO, STDOUT_FILENO);
    execvp(QEMU, a->arg);
    _exit(STATUS_NO_QEMU);
}

/* What stands after `=`: a level, a file whose first character is one, or
 * "signal". */
static bool is_high(const struct emu *e, const char *value, bool *known)
{
    int c = (unsigned char)value[0];
    if (c == '@') {
        FILE *f = fopen(value + 1, "re");
        c = f ? fgetc(f) : EOF;
        if (f)
            fclose(f);
    } else if (c == 's') {
        c = atomic_load(&e->signal_level) ? '1' : '0';
    }
    *known = c == '0' || c == '1';
    return c == '1';
}

/* Seen by the program at once: a file and a signal may change meanwhile. */
static void inputs_show(const struct emu *e)
{
    struct vrt_inputs in = { .known = { 0 } };
    for (int i = 0; i < e->opts->inputs->cnt; i++) {
        const char *text = e->opts->inputs->val[i];
        const char *eq = strchr(text, '=');
        uint32_t pin;
        bool known;
        bool high = is_high(e, eq + 1, &known);
        if (num_parse_u32(span_of(text, (size_t)(eq - text)), &pin))
            continue; /* not so: cmd_device.c has looked at it */
        in.known[pin / 32] |= (uint32_t)known << pin % 32;
        in.high[pin / 32] |= (uint32_t)high << pin % 32;
    }
    e->page->inputs = in;
}

static bool is_late(const struct emu *e)
{
    return e->deadline_ms && linux_mono_ms() >= e->deadline_ms;
}

/* True: the boot ended by itself, *status says how. */
static bool boot_wait(struct emu *e, pid_t pid, int *status,
                      enum board_end *end)
{
    const struct timespec span = { .tv_nsec = POLL_MS * 1000000L };
    for (;;) {
        if (waitpid(pid, status, WNOHANG) == pid)
            return true;
        emu_server_look(&e->server);
        *end = BOARD_END_TIME;
        if (is_late(e))
            return false;
        *end = BOARD_END_FAILED;
        if (e->page->magic == VRT_PAGE_MAGIC &&
            e->page->version != VRT_PAGE_VERSION)
            return false;
        *end = BOARD_END_IDLE;
        if (e->opts->max_boots && e->page->attached &&
            *(volatile uint32_t *)&e->page->idle)
            return false;
        *end = BOARD_END_OFF;
        int sig = board_signals_wait(&span, &e->signal_level);
        if (sig != 0 && sig != SIGCHLD)
            return false;
        inputs_show(e);
    }
}

static void note_boot(struct emu *e, bool power_on)
{
    struct board_report *r = e->report;
    const struct vrt_page *page = e->page;
    struct board_boot *boot;
    if (r->boot_cnt >= BOARD_BOOTS_KEPT) {
        r->boot_cnt++;
        return;
    }
    boot = &r->boots[r->boot_cnt++];
    boot->reset_reason =
        power_on ? PORT_RESET_POWERON : (int32_t)page->reset_reason;
    if (page->slot_len > 0)
        snprintf(boot->slot, sizeof(boot->slot), "%.16s", page->slot_label);
}

static enum port_reset_reason reason_next(const struct emu *e, bool power_on)
{
    return power_on ? PORT_RESET_POWERON
                    : (enum port_reset_reason)e->page->next_reason;
}

static struct step boot_once(struct emu *e, bool power_on)
{
    static struct argv a; /* 32 KiB */
    struct step step = { .end = BOARD_END_FAILED };
    int status = 0;
    if (power_on)
        memset(e->page, 0, VRT_RAM_FILE_LEN);
    inputs_show(e);
    term_note("board: reset (%s), boot %u\n",
              board_reset_name((int32_t)reason_next(e, power_on)),
              (unsigned)e->report->boot_cnt + 1);
    fflush(NULL);
    a = (struct argv){ .cnt = 0 };
    args_make(e, &a);
    int me = (int)getpid();
    pid_t pid = fork();
    if (pid == 0)
        child_run(e, &a, me);
    if (pid < 0) {
        (void)fail_file(e, "start", QEMU);
        return step;
    }
    bool ended = boot_wait(e, pid, &status, &step.end);
    if (!ended) {
        kill(pid, SIGKILL);
        linux_waitpid(pid, &status, 0);
    } else {
        step = next_step(status);
    }
    note_boot(e, power_on);
    if (ended && !step.boot_again)
        explain_end(e, step.end, status);
    else if (!ended && step.end == BOARD_END_FAILED)
        (void)diag_fail(e->diag, DIAG_STAGE_BOOT, ESP_ERR_NOT_SUPPORTED,
                        "the bootloader is of another build than this porta "
                        "(page %u, %u is wanted): run `make board` again",
                        (unsigned)e->page->version, VRT_PAGE_VERSION);
    return step;
}

/* --- what is around it ---------------------------------------------------- */

static void network_note(const struct emu_net *net)
{
    if (net->kind == EMU_NET_KIND_OWN)
        term_note("board: network: a namespace of its own; every name is the "
                  "host's, 10.0.2.2\n");
    else if (net->kind == EMU_NET_KIND_NONE)
        term_note("board: network: none\n");
    else if (net->why)
        term_note("board: network: the emulator's user network, a namespace "
                  "is not possible here: %s\n",
                  strerror(net->why));
    else
        term_note("board: network: the emulator's user network; this machine "
                  "is 10.0.2.2\n");
}

static esp_err_t around_start(struct emu *e)
{
    const struct emu_opts *o = e->opts;
    esp_err_t err = emu_net_enter(&e->net, o->network, e->resolv, e->diag);
    if (err)
        return err;
    e->report->network = emu_net_name(e->net.kind);
    network_note(&e->net);
    e->server = (struct emu_server){ .command = o->server,
                                     .log_path = e->server_log,
                                     .deadline_ms = e->deadline_ms };
    return o->server ? emu_server_start(&e->server, e->diag) : ESP_OK;
}

static void around_stop(struct emu *e)
{
    emu_server_stop(&e->server);
    emu_net_leave(&e->net);
}

static enum board_end boots_run(struct emu *e)
{
    struct step step = { .boot_again = true, .power_on = true };
    for (;;) {
        step = boot_once(e, step.power_on);
        if (!step.boot_again)
            return step.end;
        if (e->opts->max_boots && e->report->boot_cnt >= e->opts->max_boots)
            return BOARD_END_BOOTS;
    }
}

esp_err_t emu_run(const struct emu_opts *opts, struct board_report *report,
                  struct diag *diag)
{
    static struct emu e; /* 24 KiB of names */
    e = (struct emu){ .opts = opts, .report = report, .diag = diag };
    *report = (struct board_report){ .end = BOARD_END_FAILED };
    if (opts->max_time_ms)
        e.deadline_ms = linux_mono_ms() + opts->max_time_ms;
    board_signals_block(&e.old_mask);
    esp_err_t err = files_make(&e);
    if (!err)
        err = around_start(&e);
    if (!err) {
        report->end = boots_run(&e);
        err = diag->err;
    } else if (err == ESP_ERR_NOT_FINISHED) {
        report->end = is_late(&e) ? BOARD_END_TIME : BOARD_END_OFF;
        err = ESP_OK;
    }
    around_stop(&e);
    files_drop(&e);
    sigprocmask(SIG_SETMASK, &e.old_mask, NULL);
    return err;
}
