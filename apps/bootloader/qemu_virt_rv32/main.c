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

/* --- the page ---------------------------------------------------------------- */

/* What RAM holds after power-on is no page. */
static void page_begin(struct vrt_page *page)
{
    if (page->magic != VRT_PAGE_MAGIC || page->version != VRT_PAGE_VERSION) {
        memset(page, 0, sizeof(*page));
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

/* --- one pass ----------------------------------------------------------------- */

/* Options that cannot be read are the strictest: they may have been. */
static void options(const struct port_flash *flash, struct boot_opts *out)
{
    const struct img_chip *chip = img_chip_find(IMG_CHIP_QEMU_VIRT_RV32);
    esp_err_t err = boot_opts_read(flash, chip->bootloader_off,
                                   PART_TABLE_OFF - chip->bootloader_off, out);
    if (!err)
        return;
    *out = (struct boot_opts){ .rollback = true,
                               .fuse_chip = IMG_CHIP_QEMU_VIRT_RV32 };
    if (err == ESP_ERR_NOT_FOUND)
        return;
    LOGE(tag, "the options in flash cannot be read (%s): only signed images",
         err_name(err));
    out->require_hash = true;
    out->require_signed = true;
    out->keys.scheme = IMG_SCHEME_ECDSA256;
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

static void boot(const struct vrt_flash *f)
{
    const struct port_flash *flash = &f->port;
    static uint8_t buf[4096];
    static struct part_dev parts;
    static struct boot_opts opts;
    static struct img_keys keys;
    static struct boot_result result;
    static struct fuse_emul fuses;
    static struct window window;
    struct fuse_place place = { .flash = flash };
    bool table_ok = part_dev_open(&parts, flash, PART_TABLE_OFF) == ESP_OK;
    struct boot_env env = {
        .flash = flash,
        .fuse = &fuses.port,
        .table = table_ok ? &parts.table : NULL,
        .reset_reason = (enum port_reset_reason)the_page()->reset_reason,
        .rules = { .chip_id = IMG_CHIP_QEMU_VIRT_RV32, .keys = &keys },
        .loader = &window.port,
        .buf = buf,
        .buf_len = sizeof(buf)
    };
    options(flash, &opts);
    boot_opts_apply(&opts, &env.policy);
    page_options(the_page(), &opts);
    place.bit_cnt = opts.sec_ver_bits;
    (void)!boot_fuse_open(&fuses, env.table, &place,
                          fuse_field_find(opts.anti_rollback
                                              ? opts.fuse_chip
                                              : IMG_CHIP_QEMU_VIRT_RV32));
    key_store_effective(flash, env.table, &opts.keys, &keys);
    window_open(&window);
    boot_run(&env, &result);
    boot_start(&env, &result, start, &result);
    nothing_boots(&result, &f->stats);
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
