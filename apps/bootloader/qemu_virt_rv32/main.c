/* The bootloader of QEMU's riscv32 `virt` machine. Options come from the
 * flash, decisions from src/boot; this file brings them together. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "boot/exec.h"
#include "boot/opts.h"
#include "console.h"
#include "image/chip.h"
#include "image/key_store.h"
#include "part/part.h"
#include "port/sys.h"
#include "vrt_flash.h"
#include "vrt_map.h"
#include "vrt_sys.h"
#include "window.h"

static const char tag[] = "boot";

void boot_main(void);

static struct vrt_page *the_page(void)
{
    return (struct vrt_page *)(uintptr_t)VRT_RAM;
}

static void sink(void *ctx, enum log_level level, const char *who,
                 const char *fmt, va_list args) PRINTF_LIKE(4, 0);

/* lint-ok: function, a log sink's own list */
static void sink(void *ctx, enum log_level level, const char *who,
                 const char *fmt, va_list args)
{
    (void)ctx;
    if (level <= LOG_INFO)
        console_vline("WEWI"[level], who, fmt, args);
}

/* --- the page ------------------------------------------------------------- */

/* What RAM holds after power-on is no page. */
static void page_begin(struct vrt_page *page)
{
    if (page->magic != VRT_PAGE_MAGIC || page->version != VRT_PAGE_VERSION) {
        const struct vrt_inputs inputs = page->inputs; /* the runner's */
        memset(page, 0, sizeof(*page));
        page->inputs = inputs;
        page->next_reason = PORT_RESET_POWERON;
    }
    page->magic = VRT_PAGE_MAGIC;
    page->version = VRT_PAGE_VERSION;
    page->boot_cnt++;
    page->reset_reason = page->next_reason;
    page->next_reason = PORT_RESET_UNKNOWN;
    page->slot_len = 0;
    page->attached = 0;
    page->idle = 0;
    page->text[0] = '\0';
    page->table_off = PART_TABLE_OFF;
}

static void page_options(struct vrt_page *page, const struct boot_opts *opts)
{
    _Static_assert(sizeof(page->opts) >= BOOT_OPTS_MAX_LEN,
                   "the page has too little room for the options");
    page->opts_len = boot_opts_pack(opts, page->opts);
}

static void page_slot(struct vrt_page *page, const struct part_entry *part)
{
    page->slot_off = part->off;
    page->slot_len = part->len;
    memcpy(page->slot_label, part->label, sizeof(part->label));
}

/* --- one pass ------------------------------------------------------------- */

/* Everything of one pass; on no stack. */
static struct room {
    struct boot_env env;
    uint8_t buf[4096];
    struct part_table table;
    struct boot_opts opts;
    struct img_keys keys;
    struct boot_result result;
    struct fuse_emul fuses;
    struct window window;
} room;

/* Options that cannot be read are the strictest: they may have been. What a
 * table has no fuses for cannot have asked for anti-rollback: it would not
 * have booted. */
static void options(const struct port_flash *flash,
                    const struct part_table *table, struct boot_opts *out)
{
    const struct img_chip *chip = img_chip_find(IMG_CHIP_QEMU_VIRT_RV32);
    struct boot_opts_place at = { flash, chip->bootloader_off,
                                  PART_TABLE_OFF - chip->bootloader_off,
                                  &room.result.check, room.buf };
    esp_err_t err = boot_opts_find(&at, out);
    if (!err)
        return;
    memset(out, 0, sizeof(*out));
    out->rollback = true;
    out->fuse_chip = IMG_CHIP_QEMU_VIRT_RV32;
    if (err == ESP_ERR_NOT_FOUND)
        return;
    LOGE(tag,
         "the options in flash cannot be read (%s): only images that are "
         "signed and not older than the fuses say",
         err_name(err));
    out->require_hash = true;
    out->require_signed = true;
    out->anti_rollback =
        table && part_find(table, PART_TYPE_DATA, PART_DATA_EFUSE, NULL);
    out->keys.scheme = IMG_SCHEME_ECDSA256;
}

static const struct part_table *table_read(const struct port_flash *flash)
{
    if (flash->read(flash->ctx, PART_TABLE_OFF, room.buf, PART_TABLE_MAX_LEN) ||
        part_table_parse(span_of(room.buf, PART_TABLE_MAX_LEN), flash->size_len,
                         &room.table))
        return NULL;
    return &room.table;
}

static void fuses_open(const struct port_flash *flash,
                       const struct part_table *table,
                       const struct boot_opts *opts)
{
    struct fuse_place place = { .flash = flash, .bit_cnt = opts->sec_ver_bits };
    uint16_t chip =
        opts->anti_rollback ? opts->fuse_chip : IMG_CHIP_QEMU_VIRT_RV32;
    (void)!boot_fuse_open(&room.fuses, table, &place, fuse_field_find(chip));
}

static void start(void *ctx)
{
    const struct boot_result *r = ctx;
    struct vrt_page *page = the_page();
    page_slot(page, r->part);
    LOGI(tag, "Loaded app from partition at offset 0x%x",
         (unsigned)r->part->off);
    window_start(page, r->part->off, r->check.info.image_len,
                 r->check.info.header.entry_addr);
}

/* A record that this pass has changed may lead the next one elsewhere. */
static _Noreturn void nothing_boots(const struct boot_result *r,
                                    const struct vrt_flash_stats *stats)
{
    struct vrt_page *page = the_page();
    size_t at =
        (size_t)snprintf(page->text, sizeof(page->text), "nothing boots: %s",
                         boot_reason_text(r->plan.reason));
    for (uint32_t i = 0; i < BOOT_CHOICES && at < sizeof(page->text); i++)
        if (r->err[i])
            at += (size_t)snprintf(page->text + at, sizeof(page->text) - at,
                                   "; %s is refused (%s)", boot_choice_name(i),
                                   err_name(r->err[i]));
    LOGE(tag, "%s", page->text);
    page->next_reason = PORT_RESET_SW;
    if (stats->erases + stats->progs > 0)
        vrt_reset();
    vrt_exit(VRT_EXIT_NOTHING_BOOTS);
}

/* Not part of the caller: what it needs of the stack is free again when images
 * are verified. */
static __attribute__((noinline)) void prepare(const struct port_flash *flash,
                                              struct boot_env *env)
{
    env->flash = flash;
    env->table = table_read(flash);
    env->reset_reason = (enum port_reset_reason)the_page()->reset_reason;
    env->rules.chip_id = IMG_CHIP_QEMU_VIRT_RV32;
    env->rules.keys = &room.keys;
    env->buf = room.buf;
    env->buf_len = sizeof(room.buf);
    options(flash, env->table, &room.opts);
    boot_opts_apply(&room.opts, &env->policy);
    page_options(the_page(), &room.opts);
    fuses_open(flash, env->table, &room.opts);
    env->fuse = &room.fuses.port;
    key_store_effective(flash, env->table, &room.opts.keys, &room.keys);
    window_open(&room.window);
    env->loader = &room.window.port;
}

static void boot(const struct vrt_flash *f)
{
    prepare(&f->port, &room.env);
    boot_run(&room.env, &room.result);
    boot_start(&room.env, &room.result, start, &room.result);
    nothing_boots(&room.result, &f->stats);
}

void boot_main(void)
{
    static struct vrt_flash flash;
    log_set_sink(sink, NULL);
    page_begin(the_page());
    if (vrt_flash_init(&flash) != ESP_OK) {
        LOGE(tag, "there is no flash in bank 1");
        vrt_exit(VRT_EXIT_NO_FLASH);
    }
    boot(&flash);
}
