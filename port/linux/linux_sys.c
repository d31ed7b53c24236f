#include "linux_sys.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "linux_time.h"

static uint64_t sys_mono_ms(void *ctx)
{
    (void)ctx;
    return linux_mono_ms();
}

static void sys_sleep_ms(void *ctx, uint32_t ms)
{
    (void)ctx;
    if (ms == 0) {
        sched_yield();
        return;
    }
    linux_sleep_us((uint64_t)ms * 1000);
}

/* Standard output is flushed unless another thread is in it: a chip does not
 * wait for its console either. */
void linux_sys_reset(struct linux_sys *s, enum port_reset_reason reason)
{
    if (!s->page) {
        s->restart_wanted = true;
        return;
    }
    if (ftrylockfile(stdout) == 0) {
        fflush(stdout);
        funlockfile(stdout);
    }
    atomic_store(&s->page->restart, (unsigned)reason);
    _exit(0);
}

static void sys_restart(void *ctx)
{
    linux_sys_reset(ctx, PORT_RESET_SW);
}

static enum port_reset_reason sys_reset_reason(void *ctx)
{
    const struct linux_sys *s = ctx;
    if (!s->page)
        return PORT_RESET_POWERON;
    return (enum port_reset_reason)s->page->reset_reason;
}

static int file_first_char(const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return EOF;
    int c = fgetc(file);
    fclose(file);
    return c;
}

/* '0' or '1', something else where nothing is said. */
static int input_char(const struct linux_sys *s, const char *value)
{
    if (value[0] == '@')
        return file_first_char(value + 1);
    if (strcmp(value, "signal") == 0 && s->page)
        return atomic_load(&s->page->signal_level) ? '1' : '0';
    return value[0];
}

static esp_err_t sys_input(void *ctx, uint32_t pin, bool *level)
{
    char name[32];
    snprintf(name, sizeof(name), "PORTA_INPUT_%u", (unsigned)pin);
    const char *value = getenv(name);
    if (!value)
        return ESP_ERR_NOT_SUPPORTED;
    int c = input_char(ctx, value);
    if (c != '0' && c != '1')
        return ESP_ERR_NOT_SUPPORTED;
    *level = c == '1';
    return ESP_OK;
}

void linux_sys_init(struct linux_sys *s, struct handover *page)
{
    *s = (struct linux_sys){ .port = { .ctx = s,
                                       .mono_ms = sys_mono_ms,
                                       .sleep_ms = sys_sleep_ms,
                                       .restart = sys_restart,
                                       .reset_reason = sys_reset_reason,
                                       .input = sys_input },
                             .page = page };
}
