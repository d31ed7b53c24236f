#include "conform.h"

#include <stdbool.h>
#include <string.h>

#define LEN 256u /* bytes that are looked at in one go */

static void claim(struct conform *c, const char *text, bool ok)
{
    if (ok)
        c->passed++;
    else
        c->failed++;
    c->say(c->ctx, text, ok);
}

/* --- flash ---------------------------------------------------------------- */

static bool holds(const struct port_flash *f, uint32_t off, uint32_t len,
                  uint8_t want)
{
    uint8_t got[LEN];
    for (uint32_t at = 0; at < len; at += LEN) {
        uint32_t n = len - at < LEN ? len - at : LEN;
        if (f->read(f->ctx, off + at, got, n))
            return false;
        for (uint32_t i = 0; i < n; i++)
            if (got[i] != want)
                return false;
    }
    return true;
}

static bool fill(const struct port_flash *f, uint32_t off, uint32_t len,
                 uint8_t byte)
{
    uint8_t src[LEN];
    memset(src, byte, sizeof(src));
    for (uint32_t at = 0; at < len; at += LEN)
        if (f->prog(f->ctx, off + at, src, LEN))
            return false;
    return true;
}

static void flash_shape(struct conform *c)
{
    const struct port_flash *f = c->flash;
    claim(c, "flash: sizes fit into each other",
          f->erase_len > 0 && f->prog_len > 0 && f->page_len > 0 &&
              f->size_len % f->erase_len == 0 &&
              f->erase_len % f->page_len == 0 &&
              f->page_len % f->prog_len == 0);
    claim(c, "flash: the scratch sectors are in it",
          c->scratch_off % f->erase_len == 0 &&
              c->scratch_off <= f->size_len - 2 * f->erase_len);
}

static void flash_erase_is_whole(struct conform *c)
{
    const struct port_flash *f = c->flash;
    uint32_t a = c->scratch_off, b = a + f->erase_len;
    bool ok = !f->erase(f->ctx, a) && !f->erase(f->ctx, b) &&
              fill(f, a, f->erase_len, 0) && fill(f, b, f->erase_len, 0) &&
              holds(f, a, f->erase_len, 0) && holds(f, b, f->erase_len, 0);
    claim(c, "flash: two sectors can be erased and programmed", ok);
    claim(c, "flash: an erase succeeds", !f->erase(f->ctx, a));
    claim(c, "flash: it raises every bit of its sector",
          holds(f, a, f->erase_len, 0xff));
    claim(c, "flash: and nothing of the next one",
          holds(f, b, f->erase_len, 0));
    claim(c, "flash: an erase from the middle of a sector is refused",
          f->erase(f->ctx, a + f->prog_len) == ESP_ERR_INVALID_ARG);
}

static void flash_bits_fall(struct conform *c)
{
    const struct port_flash *f = c->flash;
    uint32_t off = c->scratch_off + f->page_len;
    uint8_t src[LEN], got[LEN];
    uint32_t n = f->prog_len;
    bool ok = n <= LEN && !f->erase(f->ctx, c->scratch_off);
    memset(src, 0xa5, sizeof(src));
    ok = ok && !f->prog(f->ctx, off, src, n);
    claim(c, "flash: the smallest unit can be programmed", ok);
    ok = !f->read(f->ctx, off, got, n) && memcmp(got, src, n) == 0;
    claim(c, "flash: it reads as it was programmed", ok);
    claim(c, "flash: what is around it stays erased",
          holds(f, off - n, n, 0xff) && holds(f, off + n, n, 0xff));
    memset(src, 0xff, sizeof(src));
    claim(c, "flash: a program that would raise a bit is refused",
          f->prog(f->ctx, off, src, n) == ESP_ERR_FLASH_OP_FAIL);
    claim(c, "flash: and has changed nothing", holds(f, off, n, 0xa5));
    memset(src, 0x24, sizeof(src));
    if (!f->prog_once)
        claim(c, "flash: more bits of a unit can be cleared later",
              !f->prog(f->ctx, off, src, n) && holds(f, off, n, 0x24));
}

/* Lengths and places that are no round numbers, across the ends of pages. */
static void flash_any_range(struct conform *c)
{
    static const uint8_t fixed[3] = { 0x11, 0x22, 0x44 }; /* maybe in flash */
    const struct port_flash *f = c->flash;
    uint32_t n = f->prog_len, off = c->scratch_off + f->page_len - n;
    uint8_t src[LEN], got[LEN];
    uint32_t len = 5 * n <= LEN ? 5 * n : n;
    bool ok = !f->erase(f->ctx, c->scratch_off);
    for (uint32_t i = 0; i < LEN; i++)
        src[i] = (uint8_t)(i * 7 + 3);
    ok = ok && !f->prog(f->ctx, off, src, len) &&
         !f->read(f->ctx, off, got, len) && memcmp(got, src, len) == 0;
    claim(c, "flash: a program goes across the end of a page", ok);
    if (n > 1)
        return;
    off = c->scratch_off + 2 * f->page_len + 1;
    ok = !f->prog(f->ctx, off, fixed, sizeof(fixed)) &&
         !f->read(f->ctx, off, got, sizeof(fixed)) &&
         memcmp(got, fixed, sizeof(fixed)) == 0;
    claim(c, "flash: constants are programmed like anything else", ok);
}

static void flash_ends(struct conform *c)
{
    const struct port_flash *f = c->flash;
    uint8_t unit[LEN];
    memset(unit, 0xff, sizeof(unit));
    claim(c, "flash: a read past the end is refused",
          f->read(f->ctx, f->size_len - 1, unit, 2) == ESP_ERR_INVALID_SIZE);
    claim(c, "flash: and a range whose end overflows",
          f->read(f->ctx, UINT32_MAX, unit, 2) == ESP_ERR_INVALID_SIZE);
    claim(c, "flash: a program past the end is refused",
          f->prog(f->ctx, f->size_len, unit, f->prog_len) ==
              ESP_ERR_INVALID_SIZE);
    claim(c, "flash: an erase past the end is refused",
          f->erase(f->ctx, f->size_len) == ESP_ERR_INVALID_SIZE);
}

void conform_flash(struct conform *c)
{
    flash_shape(c);
    if (c->failed)
        return; /* the rest would write anywhere */
    flash_erase_is_whole(c);
    flash_bits_fall(c);
    flash_any_range(c);
    flash_ends(c);
}

/* --- fuses ---------------------------------------------------------------- */

void conform_fuse(struct conform *c)
{
    const struct port_fuse *f = c->fuse;
    uint32_t before = 0, after = 0;
    bool is_field = f->bit_cnt >= 1 && f->bit_cnt <= 32;
    claim(c, "fuse: the field has 1 to 32 bits", is_field);
    if (!is_field)
        return; /* no bit to burn */
    claim(c, "fuse: it can be read", !f->read(f->ctx, &before));
    claim(c, "fuse: bits outside of it are not burnt",
          f->bit_cnt >= 32 || before >> f->bit_cnt == 0);
    bool ok = !f->burn(f->ctx, 0) && !f->read(f->ctx, &after);
    claim(c, "fuse: burning nothing changes nothing", ok && after == before);
    uint32_t bit = 1u << (f->bit_cnt - 1);
    ok = !f->burn(f->ctx, bit) && !f->read(f->ctx, &after);
    claim(c, "fuse: a bit is burnt, and no other one",
          ok && after == (before | bit));
    ok = !f->burn(f->ctx, bit) && !f->read(f->ctx, &after);
    claim(c, "fuse: it stays burnt", ok && after == (before | bit));
}

/* --- time, reset, inputs -------------------------------------------------- */

#define READS 20000u
#define NAP_MS 30u

static bool is_reason(enum port_reset_reason reason)
{
    switch (reason) {
    case PORT_RESET_UNKNOWN:
    case PORT_RESET_POWERON:
    case PORT_RESET_SW:
    case PORT_RESET_PANIC:
    case PORT_RESET_TASK_WDT:
    case PORT_RESET_WDT:
    case PORT_RESET_DEEPSLEEP:
    case PORT_RESET_BROWNOUT:
        return true;
    }
    return false;
}

void conform_sys(struct conform *c)
{
    const struct port_sys *s = c->sys;
    uint64_t last = s->mono_ms(s->ctx);
    bool forward = true, level = false;
    for (uint32_t i = 0; i < READS; i++) {
        uint64_t now = s->mono_ms(s->ctx);
        forward = forward && now >= last;
        last = now;
    }
    claim(c, "sys: the milliseconds never go back", forward);
    s->sleep_ms(s->ctx, NAP_MS);
    uint64_t nap = s->mono_ms(s->ctx) - last;
    claim(c, "sys: a sleep lasts at least as long as asked", nap >= NAP_MS);
    claim(c, "sys: and not for seconds more", nap < NAP_MS + 5000);
    s->sleep_ms(s->ctx, 0);
    claim(c, "sys: the reset reason is one of the contract's",
          is_reason(s->reset_reason(s->ctx)));
    esp_err_t err = s->input(s->ctx, 1000, &level);
    claim(c, "sys: an input that is not there is no crash",
          err == ESP_ERR_NOT_SUPPORTED || err == ESP_OK);
}

void conform_clock(struct conform *c)
{
    const struct port_clock *k = c->clock;
    int64_t last = 0, now = 0;
    bool forward = true;
    esp_err_t err = k->now_s(k->ctx, &last);
    claim(c, "clock: it is set, or says that it is not",
          err == ESP_OK || err == ESP_ERR_INVALID_STATE);
    for (uint32_t i = 0; !err && i < READS; i++) {
        if (k->now_s(k->ctx, &now) || now < last)
            forward = false;
        last = now;
    }
    claim(c, "clock: it does not go back", forward);
    claim(c, "clock: it counts seconds since 1970",
          err || (last >= 0 && last < 64060588800)); /* year 4000 */
}

/* --- random numbers ------------------------------------------------------- */

void conform_rng(struct conform *c)
{
    const struct port_rng *r = c->rng;
    uint8_t a[67], b[67];
    uint8_t touched[67] = { 0 };
    memset(a, 0, sizeof(a));
    memset(b, 0, sizeof(b));
    bool ok = true, all = true;
    for (uint32_t round = 0; round < 16; round++) {
        ok = ok && !r->fill(r->ctx, a, sizeof(a) - 1);
        for (uint32_t i = 0; i < sizeof(a) - 1; i++)
            touched[i] |= a[i];
    }
    for (uint32_t i = 0; i < sizeof(a) - 1; i++)
        all = all && touched[i] != 0;
    claim(c, "rng: it fills", ok);
    claim(c, "rng: all of what it was asked for", all);
    claim(c, "rng: and nothing more", a[sizeof(a) - 1] == 0);
    ok = !r->fill(r->ctx, b, sizeof(b) - 1);
    claim(c, "rng: not the same twice", ok && memcmp(a, b, 66) != 0);
}

/* --- memory --------------------------------------------------------------- */

static bool is_zero(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (p[i])
            return false;
    return true;
}

#define BLOCKS 8u

void conform_heap(struct conform *c)
{
    const struct port_heap *h = c->heap;
    uint8_t *p[BLOCKS] = { NULL };
    bool zero = true, aligned = true, apart = true;
    for (uint32_t i = 0; i < BLOCKS; i++) {
        size_t len = 1 + 13 * i;
        p[i] = h->alloc(h->ctx, len);
        zero = zero && p[i] && is_zero(p[i], len);
        aligned = aligned && (uintptr_t)p[i] % _Alignof(uint64_t) == 0;
        if (p[i])
            memset(p[i], (int)i + 1, len);
    }
    for (uint32_t i = 0; i < BLOCKS; i++)
        for (size_t k = 0; p[i] && k < 1 + 13 * i; k++)
            apart = apart && p[i][k] == i + 1;
    claim(c, "heap: memory is zero", zero);
    claim(c, "heap: and aligned for a uint64_t", aligned);
    claim(c, "heap: blocks do not overlap", apart);
    for (uint32_t i = BLOCKS; i > 0; i -= 2) {
        h->free(h->ctx, p[i - 1]);
        h->free(h->ctx, p[i - 2]);
    }
    h->free(h->ctx, NULL);
    claim(c, "heap: too much is NULL", h->alloc(h->ctx, SIZE_MAX / 2) == NULL);
    p[0] = h->alloc(h->ctx, 100);
    claim(c, "heap: what was used before is zero again",
          p[0] && is_zero(p[0], 100));
    h->free(h->ctx, p[0]);
}

unsigned conform_run(struct conform *c)
{
    if (c->flash)
        conform_flash(c);
    if (c->fuse)
        conform_fuse(c);
    if (c->sys)
        conform_sys(c);
    if (c->clock)
        conform_clock(c);
    if (c->rng)
        conform_rng(c);
    if (c->heap)
        conform_heap(c);
    if (c->net)
        conform_net(c);
    return c->failed;
}
