/* The order inside an operation: rules first (a refused call is no operation
 * and meets no fault), then the fault that is armed for this one, then its
 * effect. A fault decides how much of the effect happens. */
#include "sim_flash.h"

#include <stdlib.h>
#include <string.h>

#include "sim_rng.h"

static uint64_t rnd(struct sim_flash *f)
{
    return sim_rng_next(&f->seed);
}

/* A byte whose bits are set with probability weight / 8. */
static uint8_t rnd_bits(struct sim_flash *f, unsigned weight)
{
    uint8_t bits = 0;
    uint64_t r = rnd(f);
    for (unsigned i = 0; i < 8; i++, r >>= 8)
        if ((r & 7) < weight)
            bits |= (uint8_t)(1u << i);
    return bits;
}

static uint32_t min_u32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static bool range_ok(const struct sim_flash *f, uint32_t off, size_t len)
{
    return off <= f->port.size_len && len <= f->port.size_len - off;
}

static esp_err_t refuse(struct sim_flash *f, esp_err_t err)
{
    f->count.refused++;
    return err;
}

/* The fault that this operation meets. */
static enum sim_fault op_fault(struct sim_flash *f)
{
    if (f->plan.fault == SIM_FAULT_NONE || --f->plan.nth > 0)
        return SIM_FAULT_NONE;
    enum sim_fault fault = f->plan.fault;
    f->plan.fault = SIM_FAULT_NONE;
    f->count.fired++;
    f->power_off = fault != SIM_FAULT_STATUS;
    return fault;
}

static esp_err_t op_result(enum sim_fault fault)
{
    if (fault == SIM_FAULT_NONE)
        return ESP_OK;
    return fault == SIM_FAULT_STATUS ? ESP_ERR_FLASH_OP_FAIL : ESP_FAIL;
}

/* A stuck or worn sector did something else than it was told. */
static void note_sector(struct sim_flash *f, uint32_t sector)
{
    f->count.fired += !f->noted[sector];
    f->noted[sector] = true;
}

/* --- time ----------------------------------------------------------------- */

/* The clock counts milliseconds: what is less is owed until it is one. */
static void spend(struct sim_flash *f, bool is_op, bool erase, uint64_t us)
{
    uint64_t from_us;

    if (us == 0)
        return;
    if (!f->beside && f->time_us < f->sys->now_ms * 1000)
        f->time_us = f->sys->now_ms * 1000;
    from_us = f->time_us;
    f->time_us += us;
    if (!f->beside)
        sim_sys_advance_to(f->sys, f->time_us / 1000);
    if (is_op && f->on_span)
        f->on_span(f->span_ctx, erase, from_us, f->time_us);
}

static uint64_t prog_us(const struct sim_flash *f, uint32_t off, size_t len)
{
    uint32_t page = f->port.page_len;

    if (len == 0)
        return 0;
    return (uint64_t)f->pace.page_us *
           ((off + len - 1) / page - off / page + 1);
}

void sim_flash_set_pace(struct sim_flash *f, const struct sim_flash_pace *pace,
                        struct sim_sys *sys)
{
    f->pace = *pace;
    f->sys = sys;
    f->time_us = sys->now_ms * 1000;
}

void sim_flash_beside(struct sim_flash *f, uint64_t from_us)
{
    f->beside = true;
    f->time_us = from_us;
}

uint64_t sim_flash_back(struct sim_flash *f)
{
    f->beside = false;
    return f->time_us;
}

/* --- read ----------------------------------------------------------------- */

/* Unstable bits read as noise until their sector is erased. */
static uint8_t read_byte(struct sim_flash *f, uint32_t at)
{
    uint8_t mask = f->unstable[at / f->port.erase_len][at % f->port.erase_len];
    uint8_t byte = f->bytes[at];
    return mask ? byte ^ (uint8_t)(rnd_bits(f, 4) & mask) : byte;
}

static esp_err_t flash_read(void *ctx, uint32_t off, void *dst, size_t len)
{
    struct sim_flash *f = ctx;
    if (f->power_off)
        return ESP_FAIL;
    if (!range_ok(f, off, len))
        return refuse(f, ESP_ERR_INVALID_SIZE);
    if (f->read_fault > 0 && --f->read_fault == 0) {
        f->count.fired++;
        return ESP_ERR_FLASH_OP_FAIL;
    }
    f->count.reads++;
    f->count.read_len += len;
    spend(f, false, false, (uint64_t)f->pace.read_kib_us * len / 1024);
    uint8_t *out = dst;
    for (size_t i = 0; i < len;) {
        uint32_t at = off + (uint32_t)i;
        uint32_t sector = at / f->port.erase_len;
        size_t part = (sector + 1) * (size_t)f->port.erase_len - at;
        part = part < len - i ? part : len - i;
        if (!f->unstable[sector])
            memcpy(out + i, f->bytes + at, part);
        else
            for (size_t k = 0; k < part; k++)
                out[i + k] = read_byte(f, at + (uint32_t)k);
        i += part;
    }
    return ESP_OK;
}

/* --- program -------------------------------------------------------------- */

/* Which units were programmed matters only where each may be only once. */
static bool unit_used(const struct sim_flash *f, uint32_t at)
{
    uint32_t unit = at / f->port.prog_len;
    return f->unit_used[unit / 8] & 1u << unit % 8;
}

static void unit_use(struct sim_flash *f, uint32_t at, bool used)
{
    uint32_t unit = at / f->port.prog_len;
    uint8_t bit = (uint8_t)(1u << unit % 8);
    uint8_t others = f->unit_used[unit / 8] & (uint8_t)~bit;
    f->unit_used[unit / 8] = others | (used ? bit : 0);
}

static esp_err_t prog_check(struct sim_flash *f, uint32_t off,
                            const uint8_t *src, size_t len)
{
    if (!range_ok(f, off, len))
        return ESP_ERR_INVALID_SIZE;
    if (off % f->port.prog_len || len % f->port.prog_len)
        return ESP_ERR_INVALID_ARG;
    for (size_t i = 0; i < len; i++) {
        uint32_t at = off + (uint32_t)i;
        if (src[i] & (uint8_t)~f->bytes[at])
            return ESP_ERR_FLASH_OP_FAIL;
        if (f->port.prog_once && unit_used(f, at))
            return ESP_ERR_FLASH_OP_FAIL;
    }
    return ESP_OK;
}

static void prog_byte(struct sim_flash *f, uint32_t at, uint8_t value)
{
    uint32_t sector = at / f->port.erase_len;
    if (f->stuck[sector]) {
        note_sector(f, sector);
        return;
    }
    uint8_t *mask = f->unstable[sector];
    if (mask)
        mask[at % f->port.erase_len] &= value;
    f->bytes[at] &= value;
    if (f->port.prog_once)
        unit_use(f, at, true);
}

static uint32_t torn_part(struct sim_flash *f, uint32_t part_cnt)
{
    uint32_t idx = f->plan.tear_idx;
    if (idx == SIM_TEAR_ANY)
        return (uint32_t)(rnd(f) % part_cnt);
    return min_u32(idx, part_cnt - 1);
}

/* A torn program: whole parts, then one part of which a random part of the
 * bits went through. */
static void prog_torn(struct sim_flash *f, uint32_t off, const uint8_t *src,
                      uint32_t len)
{
    uint32_t page = f->plan.tear_len ? f->plan.tear_len : f->port.page_len;
    uint32_t page_cnt = (off + len - 1) / page - off / page + 1;
    uint32_t torn = off / page + torn_part(f, page_cnt);
    unsigned weight = 1 + (unsigned)(rnd(f) % 7);
    uint32_t end = min_u32(off + len, (torn + 1) * page);
    for (uint32_t at = off; at < end; at++) {
        uint8_t value = src[at - off];
        if (at / page == torn)
            value |= rnd_bits(f, weight);
        prog_byte(f, at, value);
    }
}

static esp_err_t flash_prog(void *ctx, uint32_t off, const void *src,
                            size_t len)
{
    struct sim_flash *f = ctx;
    if (f->power_off)
        return ESP_FAIL;
    esp_err_t err = prog_check(f, off, src, len);
    if (err)
        return refuse(f, err);
    f->count.progs++;
    f->count.prog_len += len;
    spend(f, true, false, prog_us(f, off, len));
    enum sim_fault fault = op_fault(f);
    if (fault == SIM_FAULT_NONE || fault == SIM_FAULT_AFTER)
        for (size_t i = 0; i < len; i++)
            prog_byte(f, off + (uint32_t)i, ((const uint8_t *)src)[i]);
    else if (fault != SIM_FAULT_BEFORE && len > 0)
        prog_torn(f, off, src, (uint32_t)len);
    return op_result(fault);
}

/* --- erase ---------------------------------------------------------------- */

static void sector_settle(struct sim_flash *f, uint32_t sector)
{
    free(f->unstable[sector]);
    f->unstable[sector] = NULL;
}

static void erase_full(struct sim_flash *f, uint32_t sector)
{
    uint32_t len = f->port.erase_len;
    if (f->stuck[sector]) {
        note_sector(f, sector);
        return;
    }
    sector_settle(f, sector);
    memset(f->bytes + sector * len, 0xff, len);
    for (uint32_t at = sector * len;
         f->port.prog_once && at < (sector + 1) * len; at += f->port.prog_len)
        unit_use(f, at, false);
}

/* A half-done erase: a random part of the clear bits has risen, and some of
 * all the bits that were clear are undecided. */
static void erase_torn(struct sim_flash *f, uint32_t sector, bool unstable)
{
    uint32_t len = f->port.erase_len;
    uint8_t *bytes = f->bytes + sector * len;
    unsigned weight = 1 + (unsigned)(rnd(f) % 7);
    if (f->stuck[sector])
        return;
    if (unstable && !f->unstable[sector])
        f->unstable[sector] = calloc(1, len);
    uint8_t *mask = f->unstable[sector];
    for (uint32_t i = 0; i < len; i++) {
        uint8_t clear = (uint8_t)~bytes[i];
        bytes[i] |= rnd_bits(f, weight) & clear;
        if (unstable && mask)
            mask[i] |= rnd_bits(f, 2) & clear;
    }
}

static bool wears_out(struct sim_flash *f, uint32_t sector)
{
    if (f->erase_left[sector] == UINT32_MAX)
        return false;
    if (f->erase_left[sector] > 0) {
        f->erase_left[sector]--;
        return false;
    }
    note_sector(f, sector);
    return true;
}

static esp_err_t flash_erase(void *ctx, uint32_t off)
{
    struct sim_flash *f = ctx;
    if (f->power_off)
        return ESP_FAIL;
    if (!range_ok(f, off, f->port.erase_len))
        return refuse(f, ESP_ERR_INVALID_SIZE);
    if (off % f->port.erase_len)
        return refuse(f, ESP_ERR_INVALID_ARG);
    uint32_t sector = off / f->port.erase_len;
    f->count.erases++;
    f->erase_cnt[sector]++;
    spend(f, true, true, f->pace.erase_us);
    enum sim_fault fault = op_fault(f);
    if (fault == SIM_FAULT_NONE && wears_out(f, sector))
        fault = SIM_FAULT_STATUS;
    if (fault == SIM_FAULT_NONE || fault == SIM_FAULT_AFTER)
        erase_full(f, sector);
    else if (fault != SIM_FAULT_BEFORE)
        erase_torn(f, sector, fault == SIM_FAULT_UNSTABLE);
    return op_result(fault);
}

/* --- life ----------------------------------------------------------------- */

static uint32_t or_default(uint32_t value, uint32_t fallback)
{
    return value ? value : fallback;
}

static uint32_t sector_cnt(const struct sim_flash *f)
{
    return f->port.size_len / f->port.erase_len;
}

esp_err_t sim_flash_init(struct sim_flash *f, const struct sim_flash_conf *conf)
{
    static const struct sim_flash_conf defaults = { 0 };
    const struct sim_flash_conf *c = conf ? conf : &defaults;
    *f = (struct sim_flash){
        .port = { .ctx = f,
                  .size_len = or_default(c->size_len, 64 * 1024),
                  .erase_len = or_default(c->erase_len, 4096),
                  .prog_len = or_default(c->prog_len, 1),
                  .page_len = or_default(c->page_len, 256),
                  .prog_once = c->prog_once,
                  .read = flash_read,
                  .prog = flash_prog,
                  .erase = flash_erase },
    };
    uint32_t cnt = sector_cnt(f);
    f->bytes = malloc(f->port.size_len);
    f->unit_used = calloc(1, f->port.size_len / f->port.prog_len / 8 + 1);
    f->unstable = calloc(cnt, sizeof(*f->unstable));
    f->erase_cnt = calloc(cnt, sizeof(*f->erase_cnt));
    f->erase_left = calloc(cnt, sizeof(*f->erase_left));
    f->stuck = calloc(cnt, sizeof(*f->stuck));
    f->noted = calloc(cnt, sizeof(*f->noted));
    if (!f->bytes || !f->unit_used || !f->unstable || !f->erase_cnt ||
        !f->erase_left || !f->stuck || !f->noted) {
        sim_flash_deinit(f);
        return ESP_ERR_NO_MEM;
    }
    sim_flash_reset(f, NULL);
    return ESP_OK;
}

void sim_flash_deinit(struct sim_flash *f)
{
    for (uint32_t i = 0; f->unstable && i < sector_cnt(f); i++)
        free(f->unstable[i]);
    free(f->bytes);
    free(f->unit_used);
    free(f->unstable);
    free(f->erase_cnt);
    free(f->erase_left);
    free(f->stuck);
    free(f->noted);
    *f = (struct sim_flash)SIM_FLASH_CLOSED;
}

void sim_flash_arm(struct sim_flash *f, enum sim_fault fault, uint32_t nth,
                   uint64_t seed)
{
    sim_flash_arm_plan(f, &(struct sim_fault_plan){ .fault = fault,
                                                    .nth = nth,
                                                    .seed = seed,
                                                    .tear_idx = SIM_TEAR_ANY });
}

void sim_flash_arm_plan(struct sim_flash *f, const struct sim_fault_plan *plan)
{
    f->plan = *plan;
    if (plan->nth == 0)
        f->plan.fault = SIM_FAULT_NONE;
    f->seed = plan->seed;
    f->count.armed += f->plan.fault != SIM_FAULT_NONE;
}

void sim_flash_power_on(struct sim_flash *f)
{
    f->power_off = false;
    f->plan.fault = SIM_FAULT_NONE;
    f->read_fault = 0;
}

void sim_flash_fail_read(struct sim_flash *f, uint32_t nth)
{
    f->read_fault = nth;
    f->count.armed++;
}

void sim_flash_stick(struct sim_flash *f, uint32_t off, bool stuck)
{
    uint32_t sector = off / f->port.erase_len;
    f->stuck[sector] = stuck;
    f->noted[sector] = false;
    f->count.armed += stuck;
}

void sim_flash_wear(struct sim_flash *f, uint32_t off, uint32_t left)
{
    uint32_t sector = off / f->port.erase_len;
    f->erase_left[sector] = left;
    f->noted[sector] = false;
    f->count.armed++;
}

void sim_flash_mend(struct sim_flash *f, uint32_t off)
{
    uint32_t sector = off / f->port.erase_len;
    f->stuck[sector] = false;
    f->erase_left[sector] = UINT32_MAX;
}

void sim_flash_copy(struct sim_flash *f, const struct sim_flash *from)
{
    uint32_t len = f->port.erase_len;
    memcpy(f->bytes, from->bytes, f->port.size_len);
    if (f->port.prog_once)
        memcpy(f->unit_used, from->unit_used,
               f->port.size_len / f->port.prog_len / 8 + 1);
    for (uint32_t i = 0; i < sector_cnt(f); i++) {
        sector_settle(f, i);
        if (!from->unstable[i])
            continue;
        f->unstable[i] = malloc(len);
        if (f->unstable[i])
            memcpy(f->unstable[i], from->unstable[i], len);
    }
}

/* Which units were programmed is read off the bytes: a programmed 0xFF looks
 * unused, which a factory image cannot tell apart either. */
static void units_mark(struct sim_flash *f)
{
    memset(f->unit_used, 0, f->port.size_len / f->port.prog_len / 8 + 1);
    for (uint32_t at = 0; at < f->port.size_len; at++)
        if (f->bytes[at] != 0xff)
            unit_use(f, at, true);
}

void sim_flash_reset(struct sim_flash *f, const uint8_t *bytes)
{
    if (bytes)
        memcpy(f->bytes, bytes, f->port.size_len);
    else
        memset(f->bytes, 0xff, f->port.size_len);
    for (uint32_t i = 0; i < sector_cnt(f); i++) {
        sector_settle(f, i);
        f->erase_cnt[i] = 0;
        f->erase_left[i] = UINT32_MAX;
        f->stuck[i] = false;
        f->noted[i] = false;
    }
    if (f->port.prog_once)
        units_mark(f);
    f->count = (struct sim_flash_count){ 0 };
    sim_flash_power_on(f);
}
