/* The rows of models/boot_table.pml, asked of the code: what boot_plan(),
 * otadata_activate_plan() and otadata_change() do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/boot.h"
#include "sim_flash.h"

#define KINDS 9u
#define BLANK 255u
#define BAD 254u
#define BADI 253u

/* --- a record as a byte, as the model has it ------------------------------ */

static struct ota_rec rec_from(uint32_t byte)
{
    struct ota_rec rec;

    memset(&rec, 0xFF, sizeof(rec));
    if (byte == BLANK)
        return rec;
    rec.seq = byte >= BADI ? 1 : byte >> 3;
    rec.state = byte == BADI  ? (uint32_t)OTA_STATE_INVALID
                : byte == BAD ? OTA_STATE_UNDEFINED
                              : byte & 7;
    if (rec.state > OTA_STATE_ABORTED)
        rec.state = OTA_STATE_UNDEFINED;
    rec.crc = ota_rec_crc(rec.seq) ^ (byte >= BADI);
    return rec;
}

static uint32_t byte_of(const struct ota_rec *rec)
{
    uint32_t state = rec->state <= OTA_STATE_ABORTED ? rec->state : 5;

    if (ota_rec_blank(rec))
        return BLANK;
    if (!ota_rec_crc_ok(rec))
        return state == OTA_STATE_INVALID ? BADI : BAD;
    return rec->seq << 3 | state;
}

static uint32_t of_kind(uint32_t kind, uint32_t seq)
{
    static const uint32_t first[] = { BLANK, BAD, BADI };

    return kind < 3 ? first[kind] : seq << 3 | (kind - 3);
}

/* --- rows ----------------------------------------------------------------- */

static void print_plan(const uint32_t v[2], bool good0, bool good1)
{
    struct boot_in in = { .table_ok = true,
                          .has_otadata = true,
                          .otadata_ok = true,
                          .slot_cnt = 2,
                          .reset_reason = PORT_RESET_POWERON,
                          .policy = { .rollback = true, .trial_boots = 1 },
                          .rec = { rec_from(v[0]), rec_from(v[1]) } };
    struct ota_rec rec[2] = { in.rec[0], in.rec[1] };
    struct boot_plan plan;

    in.image[0] = good0 ? BOOT_IMAGE_GOOD : BOOT_IMAGE_BAD;
    in.image[1] = good1 ? BOOT_IMAGE_GOOD : BOOT_IMAGE_BAD;
    boot_plan(&in, &plan);
    for (uint32_t i = 0; i < plan.mark_cnt; i++)
        rec[plan.marks[i].rec_idx] = plan.marks[i].rec;
    printf("plan %u %u %d %d -> %u %u %u\n", v[0], v[1], good0, good1,
           plan.choice == BOOT_NONE ? 2 : plan.choice, byte_of(&rec[0]),
           byte_of(&rec[1]));
}

static void print_activation(const uint32_t v[2], uint32_t runs, uint32_t c)
{
    uint32_t room = c / 2 ? OTADATA_LOG_RESERVE - 1 : OTADATA_LOG_RESERVE;
    const struct otadata o = { .rec = { rec_from(v[0]), rec_from(v[1]) },
                               .free_cnt = { room, room } };
    const struct otadata_request req = { .slot = c % 2,
                                         .slot_cnt = 2,
                                         .running_is_slot = true,
                                         .running_slot = runs,
                                         .state = OTA_STATE_NEW };
    struct otadata_activation a;

    if (otadata_activate_plan(&o, &req, &a))
        abort();
    printf("activate %u %u %u %u %u -> %d %u %u %u %u\n", v[0], v[1], runs,
           c % 2, c / 2, a.move_house, a.house_idx,
           a.move_house ? byte_of(&a.house_rec) : 0, a.target_idx,
           byte_of(&a.target_rec));
}

/* --- a change, operation by operation ------------------------------------- */

static struct sim_flash sim;

static void print_op(void)
{
    const struct otadata_place at = { &sim.port, 0 };
    struct otadata o;

    if (otadata_read(&at, OTADATA_LEN, &o))
        abort();
    printf("op %u %u %u %u\n", byte_of(&o.raw[0]), byte_of(&o.raw[1]),
           byte_of(&o.rec[0]), byte_of(&o.rec[1]));
}

/* The record's bytes without its CRC are no step of the model's. */
static esp_err_t watch_prog(void *ctx, uint32_t off, const void *src,
                            size_t len)
{
    esp_err_t err = sim.port.prog(&sim, off, src, len);

    (void)ctx;
    if (off % OTADATA_SECTOR != 0)
        print_op();
    return err;
}

static esp_err_t watch_erase(void *ctx, uint32_t off)
{
    esp_err_t err = sim.port.erase(&sim, off);

    (void)ctx;
    print_op();
    return err;
}

static void print_change(const uint32_t v[2], uint32_t idx, uint32_t state)
{
    struct port_flash flash = sim.port;
    const struct otadata_place at = { &flash, 0 };
    struct ota_rec rec = rec_from(6u << 3 | state);
    struct otadata o;

    flash.prog = watch_prog;
    flash.erase = watch_erase;
    sim_flash_reset(&sim, NULL);
    for (uint32_t i = 0; i < 2; i++) {
        const struct ota_rec was = rec_from(v[i]);
        ota_rec_pack(&was, sim.bytes + i * OTADATA_SECTOR);
    }
    printf("change %u %u %u %u\n", v[0], v[1], idx, 6u << 3 | state);
    if (otadata_change(&at, &o, idx, &rec))
        abort();
}

/* --- all of them ---------------------------------------------------------- */

static void decisions(uint32_t k0, uint32_t k1)
{
    for (uint32_t n = 0; n < 8; n++) {
        uint32_t s0 = n >> 2, s1 = n >> 1 & 1, leads = n & 1;
        const uint32_t v[2] = { of_kind(k0, s0 + 1 + (leads == 0 ? 2 : 0)),
                                of_kind(k1, s1 + 1 + (leads == 1 ? 2 : 0)) };

        if ((s0 && k0 < 3) || (s1 && k1 < 3))
            continue;
        for (uint32_t good = 0; good < 4; good++)
            print_plan(v, good >> 1, good & 1);
        for (uint32_t runs = 0; runs < 2; runs++)
            for (uint32_t c = 0; c < 4; c++)
                print_activation(v, runs, c);
    }
}

int main(void)
{
    const struct sim_flash_conf conf = { .size_len = OTADATA_LEN,
                                         .prog_len = 4 };

    if (sim_flash_init(&sim, &conf))
        return 1;
    for (uint32_t k0 = 0; k0 < KINDS; k0++)
        for (uint32_t k1 = 0; k1 < KINDS; k1++) {
            const uint32_t v[2] = { of_kind(k0, 1), of_kind(k1, 4) };
            decisions(k0, k1);
            for (uint32_t idx = 0; idx < 2; idx++)
                for (uint32_t state = 0; state < 6; state++)
                    print_change(v, idx, state);
        }
    sim_flash_deinit(&sim);
    return 0;
}
