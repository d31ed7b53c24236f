#include "vrt_flash.h"

#include <string.h>

#include "vrt_cfi.h"
#include "vrt_map.h"

#define TICKS_PER_US (VRT_TICKS_PER_MS / 1000u)
#define PAGE_LEN 256u
#define PAGE_WORDS (PAGE_LEN / 4u)

static volatile uint32_t *word_at(uint32_t off)
{
    return vrt_reg(VRT_BANK1 + off);
}

static const uint8_t *bytes_at(uint32_t off)
{
    return (const uint8_t *)(uintptr_t)(VRT_BANK1 + off);
}

static bool range_ok(uint32_t off, size_t len)
{
    return off <= VRT_BANK_LEN && len <= VRT_BANK_LEN - off;
}

static void note_time(struct vrt_flash *f, uint64_t since)
{
    uint32_t us = (uint32_t)(vrt_mtime() - since) / TICKS_PER_US;
    if (us > f->stats.longest_us)
        f->stats.longest_us = us;
}

static esp_err_t flash_read(void *ctx, uint32_t off, void *dst, size_t len)
{
    (void)ctx;
    if (!range_ok(off, len))
        return ESP_ERR_INVALID_SIZE;
    memcpy(dst, bytes_at(off), len);
    return ESP_OK;
}

/* --- program -------------------------------------------------------------- */

/* The rule that the emulator does not have. */
static bool only_clears(const uint8_t *have, const uint8_t *want, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (want[i] & (uint8_t)~have[i])
            return false;
    return true;
}

/* Whole pages from RAM, as many as the chips take at once. */
static size_t prog_direct(uint32_t off, const uint8_t *src, size_t len,
                          bool *ok)
{
    uint32_t room = VRT_CFI_BUFFER_LEN - off % VRT_CFI_BUFFER_LEN;
    uint32_t cnt = (uint32_t)(len < room ? len : room) / PAGE_LEN * PAGE_LEN;
    *ok = vrt_cfi_program(word_at(off), (const uint32_t *)(const void *)src,
                          cnt / 4u);
    return cnt;
}

/* A page or a part of one, by way of RAM: the bytes around it stay as they
 * are, and src may lie in the flash that cannot be read meanwhile. */
static size_t prog_page(uint32_t off, const uint8_t *src, size_t len, bool *ok)
{
    uint32_t words[PAGE_WORDS];
    uint32_t start = off & ~3u, in = off - start;
    uint32_t room = PAGE_LEN - off % PAGE_LEN;
    uint32_t cnt = (uint32_t)(len < room ? len : room);
    uint32_t word_cnt = (in + cnt + 3u) / 4u;
    memcpy(words, bytes_at(start), word_cnt * 4u);
    memcpy((uint8_t *)words + in, src, cnt);
    *ok = vrt_cfi_program(word_at(start), words, word_cnt);
    return cnt;
}

static bool is_direct(uint32_t off, const uint8_t *src, size_t len)
{
    uintptr_t addr = (uintptr_t)src;
    return off % PAGE_LEN == 0 && len >= PAGE_LEN && addr % 4u == 0 &&
           addr >= VRT_RAM;
}

static esp_err_t flash_prog(void *ctx, uint32_t off, const void *src,
                            size_t len)
{
    struct vrt_flash *f = ctx;
    const uint8_t *bytes = src;
    uint64_t since = vrt_mtime();
    bool ok = true;
    if (!range_ok(off, len))
        return ESP_ERR_INVALID_SIZE;
    if (!only_clears(bytes_at(off), bytes, len))
        return ESP_ERR_FLASH_OP_FAIL;
    f->stats.progs++;
    while (ok && len > 0) {
        size_t done = is_direct(off, bytes, len)
                          ? prog_direct(off, bytes, len, &ok)
                          : prog_page(off, bytes, len, &ok);
        off += (uint32_t)done;
        bytes += done;
        len -= done;
    }
    note_time(f, since);
    return ok ? ESP_OK : ESP_ERR_FLASH_OP_FAIL;
}

/* --- erase ---------------------------------------------------------------- */

static esp_err_t flash_erase(void *ctx, uint32_t off)
{
    struct vrt_flash *f = ctx;
    uint64_t since = vrt_mtime();
    if (off % VRT_FLASH_SECTOR_LEN != 0)
        return ESP_ERR_INVALID_ARG;
    if (!range_ok(off, VRT_FLASH_SECTOR_LEN))
        return ESP_ERR_INVALID_SIZE;
    f->stats.erases++;
    bool ok = vrt_cfi_program(word_at(off), NULL, VRT_FLASH_SECTOR_LEN / 4u);
    note_time(f, since);
    return ok ? ESP_OK : ESP_ERR_FLASH_OP_FAIL;
}

esp_err_t vrt_flash_init(struct vrt_flash *f)
{
    *f = (struct vrt_flash){ .port = { .ctx = f,
                                       .size_len = VRT_BANK_LEN,
                                       .erase_len = VRT_FLASH_SECTOR_LEN,
                                       .prog_len = 1,
                                       .page_len = PAGE_LEN,
                                       .read = flash_read,
                                       .prog = flash_prog,
                                       .erase = flash_erase } };
    return vrt_cfi_present(word_at(0)) ? ESP_OK : ESP_ERR_NOT_FOUND;
}
