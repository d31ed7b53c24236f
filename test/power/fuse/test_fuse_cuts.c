/* The power is cut in every flash operation of every way to raise the version,
 * and again in what follows. At each moment the version reads as the old one
 * or the new one, never as an error; once the new one was seen the old one
 * never comes back; raising it again succeeds, and then both copies are alike
 * and the reference finds its dump. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuse/fuse.h"
#include "sim_flash.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define OFF 0x1000u
#define FIRST (sim.bytes + OFF)
#define SECOND (sim.bytes + OFF + FUSE_SECTOR_LEN)
#define READS 3u /* bits that a cut erase left undecided read differently */

/* The sectors before. */
enum start {
    START_SOUND,   /* as we leave them; version 0: erased, a new device */
    START_RAW,     /* as the reference leaves them */
    START_NO_COPY, /* the second sector was lost */
    START_NO_FIRST
};

struct deed {
    uint16_t chip_id;
    uint32_t from, to;
    uint32_t prog_len, page_len;
    enum start start;
};

struct cut {
    enum sim_fault fault;
    uint32_t nth;
    uint64_t seed;
};

static const enum sim_fault faults[] = { SIM_FAULT_BEFORE, SIM_FAULT_TORN,
                                         SIM_FAULT_UNSTABLE, SIM_FAULT_AFTER,
                                         SIM_FAULT_STATUS };

static struct sim_flash sim, after_first;
static struct fuse_emul emul;
static unsigned long cut_states;

/* --- a device ------------------------------------------------------------- */

static void begin(const struct deed *d)
{
    sim_flash_reset(&sim, NULL);
    if (d->from == 0)
        return;
    assert_int_equal(fuse_raise(&emul.port, d->from), ESP_OK);
    if (d->start == START_RAW)
        memset(FIRST + FUSE_COMMIT_OFF, 0xFF, FUSE_COMMIT_LEN);
    if (d->start == START_RAW || d->start == START_NO_COPY)
        memset(SECOND, 0xFF, FUSE_SECTOR_LEN);
    if (d->start == START_NO_FIRST)
        memset(FIRST, 0xFF, FUSE_SECTOR_LEN);
}

static const char *where(const struct deed *d, const struct cut *a,
                         const struct cut *b)
{
    static char text[160];

    snprintf(text, sizeof(text),
             "chip %#x, %u to %u, start %d, units of %u, fault %d at %u seed "
             "%u, then %d at %u",
             d->chip_id, (unsigned)d->from, (unsigned)d->to, (int)d->start,
             (unsigned)d->prog_len, (int)a->fault, (unsigned)a->nth,
             (unsigned)a->seed, b ? (int)b->fault : 0,
             b ? (unsigned)b->nth : 0);
    return text;
}

/* What every reader sees; *floor is the highest version that was certain. */
static void see(const struct deed *d, uint32_t *floor, const struct cut *a,
                const struct cut *b)
{
    uint32_t least = UINT32_MAX;

    cut_states++;
    for (unsigned i = 0; i < READS; i++) {
        uint32_t version;
        esp_err_t err = fuse_read_version(&emul.port, &version);

        if (err)
            fail_msg("error 0x%x: %s", (unsigned)err, where(d, a, b));
        if (version != d->from && version != d->to)
            fail_msg("version %u: %s", (unsigned)version, where(d, a, b));
        if (version < *floor)
            fail_msg("back to %u: %s", (unsigned)version, where(d, a, b));
        least = version < least ? version : least;
    }
    *floor = least;
}

/* In the end: raised, alike, and readable by the reference. */
static void end(const struct deed *d, const struct cut *a, const struct cut *b)
{
    const struct fuse_field *f = fuse_field_find(d->chip_id);
    esp_err_t err = fuse_raise(&emul.port, d->to);

    if (err || memcmp(FIRST, SECOND, FUSE_SECTOR_LEN) != 0 ||
        fuse_version(fuse_dump_get(f, FIRST), f->bit_cnt) != d->to)
        fail_msg("raised again: error 0x%x: %s", (unsigned)err, where(d, a, b));
}

/* false: there are fewer operations. */
static bool play(const struct cut *c, uint32_t to)
{
    uint32_t was = sim.count.fired;
    esp_err_t err;

    sim_flash_arm(&sim, c->fault, c->nth, c->seed);
    err = fuse_raise(&emul.port, to);
    if (sim.count.fired != was && err == ESP_OK)
        fail_msg("a cut is reported as success");
    sim_flash_power_on(&sim);
    return sim.count.fired != was;
}

/* A boot, which only repairs, is cut; or a second attempt to raise it. */
static void cut_again(const struct deed *d, const struct cut *a, uint32_t floor,
                      uint32_t to)
{
    sim_flash_copy(&after_first, &sim);
    for (size_t f = 0; f < CNT(faults); f++) {
        bool more = true;

        for (uint32_t nth = 1; more; nth++) {
            struct cut b = { faults[f], nth, a->seed + 77 };
            uint32_t least = floor;

            sim_flash_copy(&sim, &after_first);
            sim_flash_power_on(&sim);
            more = play(&b, to);
            if (!more)
                break;
            see(d, &least, a, &b);
            end(d, a, &b);
        }
    }
    sim_flash_copy(&sim, &after_first);
    sim_flash_power_on(&sim);
}

static bool cut_once(const struct deed *d, const struct cut *a)
{
    uint32_t floor = d->from;

    begin(d);
    if (!play(a, d->to))
        return false;
    see(d, &floor, a, NULL);
    cut_again(d, a, floor, 0);
    cut_again(d, a, floor, d->to);
    assert_int_equal(fuse_raise(&emul.port, 0), ESP_OK);
    see(d, &floor, a, NULL);
    end(d, a, NULL);
    return true;
}

/* --- all of them ---------------------------------------------------------- */

static void cut_deed(const struct deed *d, uint64_t seeds)
{
    const struct sim_flash_conf conf = { .size_len = 0x3000,
                                         .prog_len = d->prog_len,
                                         .page_len = d->page_len,
                                         .prog_once = d->prog_len == 16 };
    const struct fuse_place place = { &sim.port, OFF, FUSE_EMUL_LEN, 0 };

    assert_int_equal(sim_flash_init(&sim, &conf), ESP_OK);
    assert_int_equal(sim_flash_init(&after_first, &conf), ESP_OK);
    assert_int_equal(fuse_emul_open(&emul, &place, fuse_field_find(d->chip_id)),
                     ESP_OK);
    for (size_t f = 0; f < CNT(faults); f++)
        for (uint64_t seed = 1; seed <= seeds; seed++) {
            uint32_t nth = 1;

            while (cut_once(d, &(struct cut){ faults[f], nth, seed }))
                nth++;
            assert_true(nth > 6); /* two erases, four programs */
        }
    assert_int_equal(sim.count.refused, 0);
    sim_flash_deinit(&sim);
    sim_flash_deinit(&after_first);
}

static void test_every_cut(void **state)
{
    static const struct deed deeds[] = {
        { 0x0005, 0, 1, 4, 256, START_SOUND },
        { 0x0005, 1, 2, 1, 256, START_SOUND },
        { 0x0005, 15, 16, 4, 256, START_SOUND },
        { 0x0000, 2, 32, 4, 64, START_SOUND },
        { 0x0020, 3, 4, 16, 256, START_SOUND },
        { 0x000C, 1, 3, 4, 16, START_RAW },
        { 0xFFFF, 1, 2, 4, 256, START_RAW },
        { 0xFFFF, 2, 3, 4, 256, START_NO_COPY },
        { 0xFFFF, 2, 3, 4, 256, START_NO_FIRST },
    };
    uint64_t seeds = getenv("PORTA_DEEP") ? 60 : 1;

    (void)state;
    for (size_t i = 0; i < CNT(deeds); i++)
        cut_deed(&deeds[i], seeds);
    print_message("# %lu cut states\n", cut_states);
    assert_true(cut_states > 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_cut),
    };
    return cmocka_run_group_tests_name("fuse cuts", tests, NULL, NULL);
}
