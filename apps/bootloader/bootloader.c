#include "bootloader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "boot/exec.h"
#include "image/key_store.h"
#include "loader.h"
#include "part/part.h"

static const char tag[] = "boot";

/* The device's console. A bootloader has no clock worth showing. */
static void console(void *ctx, enum log_level level, const char *who,
                    const char *fmt, va_list args) PRINTF_LIKE(4, 0);

/* lint-ok: function, a log sink's own list */
static void console(void *ctx, enum log_level level, const char *who,
                    const char *fmt, va_list args)
{
    char text[400];
    (void)ctx;
    if (level > LOG_INFO)
        return;
    vsnprintf(text, sizeof(text), fmt, args);
    printf("%c (0) %s: %s\n", "NEWI"[level], who, text);
}

static void say(struct handover *page, enum handover_verdict verdict,
                const char *fmt, ...) PRINTF_LIKE(3, 4);

static void say(struct handover *page, enum handover_verdict verdict,
                const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(page->text, sizeof(page->text), fmt, args);
    va_end(args);
    page->verdict = verdict;
    LOGE(tag, "%s", page->text);
}

struct start_ctx {
    struct handover *page;
    struct loader *loader;
    const struct boot_result *result;
};

/* Only what verifies gets here; from now on a failure is the image's. */
static void start(void *ctx)
{
    const struct start_ctx *s = ctx;
    const struct boot_result *result = s->result;
    struct handover *page = s->page;
    const struct part_entry *part = result->part;
    const struct loader_exec how = { .flash_path = page->flash_path,
                                     .label = part->label,
                                     .digest = result->receipt.digest,
                                     .keep_elf = page->keep_elf };
    page->slot.off = part->off;
    page->slot.len = part->len;
    memcpy(page->slot.label, part->label, sizeof(page->slot.label));
    LOGI(tag, "Loaded app from partition at offset 0x%x", (unsigned)part->off);
    fflush(stdout);
    page->verdict = HANDOVER_STARTED;
    int why = loader_exec(s->loader, &how);
    say(page, HANDOVER_FAILED,
        "the image in %s verifies, but its program does not start: %s",
        part->label, strerror(why));
}

static void explain(struct handover *page, const struct boot_result *result)
{
    char tried[160] = "";
    size_t at = 0;
    for (uint32_t i = 0; i < BOOT_CHOICES && at < sizeof(tried); i++)
        if (result->err[i])
            at += (size_t)snprintf(tried + at, sizeof(tried) - at,
                                   "; %s is refused (%s)", boot_choice_name(i),
                                   err_name(result->err[i]));
    say(page, HANDOVER_NOTHING_BOOTS,
        "nothing boots: %s%s; `porta explain` says more",
        boot_reason_text(result->plan.reason), tried);
}

/* A set that cannot be read trusts nobody. */
static void find_keys(const struct handover *page,
                      const struct port_flash *flash,
                      const struct part_table *table, struct img_keys *out)
{
    struct span packed = span_of(page->keys, handover_keys_len(page));
    struct img_keys own;
    uint32_t used;
    (void)!img_keys_parse(packed, &own, &used);
    key_store_effective(flash, page->keys_final ? NULL : table, &own, out);
}

/* In a file of their own, or in the flash; where there are none nothing boots
 * with anti-rollback. */
static void find_fuses(const struct handover *page,
                       const struct port_flash *fuse_flash,
                       const struct boot_env *env, struct fuse_emul *out)
{
    const struct fuse_field *field = fuse_field_find((uint16_t)page->fuse_chip);
    struct fuse_place place = { .flash = fuse_flash ? fuse_flash : env->flash,
                                .len = HANDOVER_FUSES_LEN,
                                .bit_cnt = pol_sec_ver_bits(&env->policy) };
    if (fuse_flash)
        (void)!fuse_emul_open(out, &place, field);
    else
        (void)!boot_fuse_open(out, env->table, &place, field);
}

/* Going on would give up a program that nothing is wrong with. */
static void starved(void *ctx, int why)
{
    say(ctx, HANDOVER_FAILED,
        "this machine has no room for the device's program (%s); nothing was "
        "decided about it",
        strerror(why));
    fflush(stdout);
    _exit(1);
}

static void boot(struct handover *page, const struct port_flash *flash,
                 const struct port_flash *fuse_flash)
{
    static uint8_t buf[4096];
    static struct part_dev parts;
    static struct boot_result result;
    static struct img_keys keys;
    static struct fuse_emul fuses;
    struct loader loader;
    bool table_ok = part_dev_open(&parts, flash, page->table_off) == ESP_OK;
    struct boot_env env = {
        .flash = flash,
        .fuse = &fuses.port,
        .table = table_ok ? &parts.table : NULL,
        .reset_reason = (enum port_reset_reason)page->reset_reason,
        .rules = { .chip_id = (uint16_t)page->chip_id,
                   .chip_rev = (uint16_t)page->chip_rev,
                   .keys = &keys },
        .loader = &loader.port,
        .buf = buf,
        .buf_len = sizeof(buf),
    };
    handover_policy(page, &env.policy);
    find_keys(page, flash, env.table, &keys);
    find_fuses(page, fuse_flash, &env, &fuses);
    loader_open(&loader, starved, page);
    boot_run(&env, &result);
    struct start_ctx ctx = { page, &loader, &result };
    boot_start(&env, &result, start, &ctx);
    if (page->verdict == HANDOVER_PENDING)
        explain(page, &result);
    loader_close(&loader);
}

void bootloader_main(struct handover *page)
{
    struct linux_flash flash, fuses;
    struct diag diag = DIAG_NONE;
    bool has_fuses = page->fuse_fd >= 0;
    log_set_sink(console, NULL);
    if (linux_flash_adopt(&flash, page->flash_fd, 0, &diag) ||
        (has_fuses &&
         linux_flash_adopt(&fuses, page->fuse_fd, HANDOVER_FUSES_LEN, &diag))) {
        say(page, HANDOVER_FAILED, "%s", diag.text);
        return;
    }
    flash.meter = &page->meter;
    fuses.meter = &page->meter;
    boot(page, &flash.port, has_fuses ? &fuses.port : NULL);
    fflush(stdout);
}
