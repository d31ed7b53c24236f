/* target.c - a boot path with one instruction changed.
 *
 * usage: target [--emulated-fuses] FLASH... < ADDRESSES
 * Each FLASH is a flash file whose options ask for signatures and whose image
 * must not boot. Each line of standard input is "f ADDRESS" (hexadecimal), a
 * conditional instruction whose condition is inverted, or "s ADDRESS LENGTH",
 * an instruction that becomes nothing. A child process makes the change, then
 * asks for each flash whether it boots; a line "ADDRESS VERDICT" says what
 * came of it: reject, accept, crash or hang. Without input lines it says for
 * each file whether it boots as it is. */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "boot/exec.h"
#include "boot/opts.h"
#include "image/chip.h"

#define FILES_MAX 16
#define FLASH_MAX (2u * 1024 * 1024)
#define PAGE 4096u
#define ACCEPTED 42
/* A boot that takes so many times as long as it should does not end. */
#define HANG_FACTOR 8

static struct device {
    uint8_t *bytes;
    uint32_t len;
    struct port_flash port;
    struct part_dev parts;
    struct boot_opts opts;
    struct policy policy;
} devices[FILES_MAX];
static unsigned device_cnt;
static long hang_us; /* of processor time */

/* --- a flash in memory, thrown away with the process ---------------------- */

static esp_err_t mem_read(void *ctx, uint32_t off, void *dst, size_t len)
{
    const struct device *d = ctx;

    if (off > d->len || len > d->len - off)
        return ESP_ERR_INVALID_SIZE;
    memcpy(dst, d->bytes + off, len);
    return ESP_OK;
}

static esp_err_t mem_prog(void *ctx, uint32_t off, const void *src, size_t len)
{
    struct device *d = ctx;
    const uint8_t *p = src;

    if (off > d->len || len > d->len - off)
        return ESP_ERR_INVALID_SIZE;
    for (size_t i = 0; i < len; i++)
        d->bytes[off + i] &= p[i];
    return ESP_OK;
}

static esp_err_t mem_erase(void *ctx, uint32_t off)
{
    struct device *d = ctx;

    if (off > d->len - PAGE)
        return ESP_ERR_INVALID_SIZE;
    memset(d->bytes + off, 0xFF, PAGE);
    return ESP_OK;
}

/* Fuses that say 2. */
static esp_err_t fuse_read(void *ctx, uint32_t *bits)
{
    (void)ctx;
    *bits = 3;
    return ESP_OK;
}

static esp_err_t fuse_burn(void *ctx, uint32_t mask)
{
    (void)ctx;
    (void)mask;
    return ESP_OK;
}

static const struct port_fuse chip_fuses = { NULL, 4, fuse_read, fuse_burn };
static const struct port_fuse *fuses = &chip_fuses;

static void must(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "target: %s\n", what);
    exit(2);
}

static void emulate_fuses(void)
{
    static const struct fuse_field field = { 0, 4, 8, 3, 128, 32 };
    static struct fuse_emul emul;
    static uint8_t bytes[FUSE_EMUL_LEN];
    static struct device d = { .bytes = bytes, .len = sizeof(bytes) };
    static const struct port_flash port = { .ctx = &d,
                                            .size_len = FUSE_EMUL_LEN,
                                            .erase_len = PAGE,
                                            .prog_len = 1,
                                            .page_len = 256,
                                            .read = mem_read,
                                            .prog = mem_prog,
                                            .erase = mem_erase };
    struct fuse_place place = { .flash = &port,
                                .len = FUSE_EMUL_LEN,
                                .bit_cnt = 4 };

    memset(bytes, 0xFF, sizeof(bytes));
    must(fuse_emul_open(&emul, &place, &field) == ESP_OK &&
             fuse_raise(&emul.port, 2) == ESP_OK,
         "the fuses cannot be emulated");
    fuses = &emul.port;
}

static void load(const char *path)
{
    struct device *d = &devices[device_cnt++];
    FILE *f = fopen(path, "rb");

    must(f != NULL, path);
    d->bytes = malloc(FLASH_MAX);
    d->len = (uint32_t)fread(d->bytes, 1, FLASH_MAX, f);
    fclose(f);
    d->port = (struct port_flash){ .ctx = d,
                                   .size_len = d->len,
                                   .erase_len = PAGE,
                                   .prog_len = 1,
                                   .page_len = 256,
                                   .read = mem_read,
                                   .prog = mem_prog,
                                   .erase = mem_erase };
    must(part_dev_open(&d->parts, &d->port, PART_TABLE_OFF) == ESP_OK,
         "the table cannot be read");
    must(boot_opts_read(&d->port, 0x1000, PART_TABLE_OFF - 0x1000, &d->opts) ==
                 ESP_OK &&
             d->opts.require_signed,
         "the file has no options that require signatures");
    /* On hardware the options are constants. */
    boot_opts_apply(&d->opts, &d->policy);
    d->policy.anti_rollback = true;
}

/* --- one boot, as a bootloader does it ------------------------------------ */

static void start(void *ctx)
{
    *(int *)ctx = 1;
}

static int boots(struct device *d)
{
    static struct boot_result result;
    static uint8_t buf[4096];
    struct boot_env env = { .flash = &d->port,
                            .fuse = fuses,
                            .policy = d->policy,
                            .table = &d->parts.table,
                            .rules = { .keys = &d->opts.keys },
                            .buf = buf,
                            .buf_len = sizeof(buf) };
    int started = 0;

    boot_run(&env, &result);
    boot_start(&env, &result, start, &started);
    return started;
}

static int any_boots(void)
{
    for (unsigned i = 0; i < device_cnt; i++)
        if (boots(&devices[i]))
            return 1;
    return 0;
}

/* --- one change ----------------------------------------------------------- */

/* The opcode's byte whose lowest bit inverts the condition. */
static uint8_t *condition(uint8_t *p)
{
    unsigned two, kind;

    while (*p == 0x66 || (*p & 0xF0) == 0x40) /* prefixes of cmov and set */
        p++;
    two = *p == 0x0F;
    kind = p[two] & 0xF0u;
    must(two ? kind == 0x40 || kind == 0x80 || kind == 0x90 : kind == 0x70,
         "there is no conditional instruction here");
    return p + two;
}

static void change(char model, uintptr_t address, unsigned len)
{
    uint8_t *p = (uint8_t *)address;
    uintptr_t page = address & ~(uintptr_t)(PAGE - 1);

    must(mprotect((void *)page, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) ==
             0,
         "code cannot be changed here");
    if (model == 's')
        memset(p, 0x90, len);
    else
        *condition(p) ^= 1;
    __builtin___clear_cache((char *)p, (char *)p + len);
}

/* Processor time of one look at all the files, a boot changes their records:
 * in a child. */
static long usual_us(void)
{
    long us = 0;
    int end[2];
    pid_t pid;

    must(pipe(end) == 0, "no pipe");
    pid = fork();
    must(pid >= 0, "no process");
    if (pid == 0) {
        (void)any_boots();
        us = (long)((long long)clock() * 1000000 / CLOCKS_PER_SEC);
        _exit(write(end[1], &us, sizeof(us)) != sizeof(us));
    }
    must(read(end[0], &us, sizeof(us)) == sizeof(us) &&
             waitpid(pid, NULL, 0) == pid && us > 0,
         "the usual time cannot be measured");
    return us;
}

static void limit_time(long us)
{
    struct itimerval limit = { .it_value = { us / 1000000, us % 1000000 } };

    must(setitimer(ITIMER_PROF, &limit, NULL) == 0, "no limit of time");
}

static const char *run_changed(char model, uintptr_t address, unsigned len)
{
    int status;
    pid_t pid = fork();

    must(pid >= 0, "no process");
    if (pid == 0) {
        limit_time(hang_us);
        change(model, address, len);
        _exit(any_boots() ? ACCEPTED : 0);
    }
    must(waitpid(pid, &status, 0) == pid, "the child is lost");
    if (WIFEXITED(status))
        return WEXITSTATUS(status) == ACCEPTED ? "accept" : "reject";
    return WTERMSIG(status) == SIGPROF ? "hang" : "crash";
}

int main(int argc, char **argv)
{
    unsigned long long address;
    unsigned len = 0;
    char line[80], model;
    int changes = 0;

    if (argc > 1 && strcmp(argv[1], "--emulated-fuses") == 0) {
        emulate_fuses();
        argc--;
        argv++;
    }
    must(argc > 1 && argc <= FILES_MAX,
         "usage: target [--emulated-fuses] FLASH... < ADDRESSES");
    for (int i = 1; i < argc; i++)
        load(argv[i]);
    hang_us = HANG_FACTOR * usual_us();
    while (fgets(line, sizeof(line), stdin)) {
        must(sscanf(line, "%c %llx %u", &model, &address, &len) >= 2,
             "a line is \"f ADDRESS\" or \"s ADDRESS LENGTH\"");
        printf("%llx %s\n", address,
               run_changed(model, (uintptr_t)address, len));
        fflush(stdout);
        changes++;
    }
    for (unsigned i = 0; changes == 0 && i < device_cnt; i++)
        printf("%s %s\n", argv[i + 1],
               boots(&devices[i]) ? "accept" : "reject");
    return 0;
}
