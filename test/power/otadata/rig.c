#include "rig.h"

#include <stdlib.h>
#include <string.h>

/* --- the witness ---------------------------------------------------------- */

static uint32_t get32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

static void put32(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

/* Bit by bit, and not the product's table. */
uint32_t witness_crc(uint32_t crc, const uint8_t *data, size_t len)
{
    crc = ~crc;
    for (size_t i = 0; i < len; i++) {
        crc ^= data[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
    }
    return ~crc;
}

static uint32_t entry_crc(const uint8_t *at)
{
    return witness_crc(witness_crc(0, at, 12), at + 16, 32);
}

struct witness_entry witness_newest(const uint8_t bytes[OTADATA_LEN])
{
    struct witness_entry best = { .found = false };
    for (uint32_t off = 0; off < OTADATA_LEN; off += 64) {
        const uint8_t *at = bytes + off;
        if (off % 4096 == 0 || at[0] != 'P' || at[1] != 'L' || at[2] != 1 ||
            get32(at + 12) != entry_crc(at))
            continue;
        uint32_t gen = get32(at + 4);
        if (at[3] != 1 - off / 4096 || gen <= best.gen)
            continue;
        best = (struct witness_entry){ .found = true,
                                       .open = get32(at + 48) != 0,
                                       .gen = gen,
                                       .target = at[3],
                                       .old_seq = get32(at + 8) };
        memcpy(best.rec, at + 16, sizeof(best.rec));
    }
    return best;
}

void witness_pack(uint8_t at[64], const struct witness_entry *entry)
{
    memset(at, 0xFF, 64);
    at[0] = 'P';
    at[1] = 'L';
    at[2] = 1;
    at[3] = (uint8_t)entry->target;
    put32(at + 4, entry->gen);
    put32(at + 8, entry->old_seq);
    memcpy(at + 16, entry->rec, 32);
    put32(at + 12, entry_crc(at));
    if (!entry->open)
        put32(at + 48, 0);
}

/* --- the flash ------------------------------------------------------------ */

static esp_err_t rig_read(void *ctx, uint32_t off, void *dst, size_t len)
{
    struct rig *r = ctx;
    return r->sim.port.read(r->sim.port.ctx, off, dst, len);
}

static esp_err_t rig_prog(void *ctx, uint32_t off, const void *src, size_t len)
{
    struct rig *r = ctx;
    return r->sim.port.prog(r->sim.port.ctx, off, src, len);
}

/* No sector is erased unless its sibling holds the newest open intent naming
 * it. */
static esp_err_t rig_erase(void *ctx, uint32_t off)
{
    struct rig *r = ctx;
    if (!r->sim.power_off && !r->log_full) {
        struct witness_entry e = witness_newest(r->sim.bytes);
        if (!e.found || !e.open || e.target != off / OTADATA_SECTOR)
            r->bad_erases++;
    }
    return r->sim.port.erase(r->sim.port.ctx, off);
}

void rig_open(struct rig *r, uint32_t unit)
{
    const struct sim_flash_conf conf = { .size_len = OTADATA_LEN,
                                         .prog_len = unit };
    memset(r, 0, sizeof(*r));
    if (sim_flash_init(&r->sim, &conf) != ESP_OK)
        abort();
    r->flash = r->sim.port;
    r->flash.ctx = r;
    r->flash.read = rig_read;
    r->flash.prog = rig_prog;
    r->flash.erase = rig_erase;
    r->at.flash = &r->flash;
}

void rig_close(struct rig *r)
{
    sim_flash_deinit(&r->sim);
}

void rig_save(const struct rig *r, struct rig_image *out)
{
    memcpy(out->bytes, r->sim.bytes, OTADATA_LEN);
    for (unsigned i = 0; i < 2; i++) {
        out->is_unstable[i] = r->sim.unstable[i] != NULL;
        if (out->is_unstable[i])
            memcpy(out->unstable + i * OTADATA_SECTOR, r->sim.unstable[i],
                   OTADATA_SECTOR);
    }
}

void rig_load(struct rig *r, const struct rig_image *image)
{
    sim_flash_reset(&r->sim, image->bytes);
    for (unsigned i = 0; i < 2; i++) {
        if (!image->is_unstable[i])
            continue;
        r->sim.unstable[i] = malloc(OTADATA_SECTOR);
        if (!r->sim.unstable[i])
            abort();
        memcpy(r->sim.unstable[i], image->unstable + i * OTADATA_SECTOR,
               OTADATA_SECTOR);
    }
}

void image_start(struct rig_image *image, const struct ota_rec rec[2],
                 const unsigned fill[2])
{
    uint32_t gen = 0;
    memset(image, 0, sizeof(*image));
    memset(image->bytes, 0xFF, sizeof(image->bytes));
    for (uint32_t i = 0; i < 2; i++) {
        uint8_t *sector = image->bytes + i * OTADATA_SECTOR;
        ota_rec_pack(&rec[i], sector);
        for (unsigned k = 0; k < fill[i]; k++) {
            struct witness_entry e = {
                .found = true, .gen = ++gen, .target = 1 - i, .old_seq = k
            };
            ota_rec_pack(&rec[1 - i], e.rec);
            witness_pack(sector + 64 + 64 * k, &e);
        }
    }
}

/* --- records and cuts ----------------------------------------------------- */

struct ota_rec rec_of(uint32_t seq, uint32_t state)
{
    struct ota_rec rec = { .seq = seq, .state = state };
    memset(rec.label, 0xFF, sizeof(rec.label));
    rec.crc = ota_rec_crc(seq);
    return rec;
}

struct ota_rec rec_blank(void)
{
    struct ota_rec rec;
    memset(&rec, 0xFF, sizeof(rec));
    return rec;
}

bool rec_equal(const struct ota_rec *a, const struct ota_rec *b)
{
    uint8_t x[OTADATA_REC_LEN], y[OTADATA_REC_LEN];
    ota_rec_pack(a, x);
    ota_rec_pack(b, y);
    return memcmp(x, y, sizeof(x)) == 0;
}

unsigned cut_list(struct cut list[CUTS_MAX], unsigned torn)
{
    unsigned cnt = 0;
    list[cnt++] = (struct cut){ SIM_FAULT_BEFORE, 1 };
    list[cnt++] = (struct cut){ SIM_FAULT_AFTER, 1 };
    for (unsigned i = 0; i < torn; i++) {
        list[cnt++] = (struct cut){ SIM_FAULT_TORN, 1000003u * (i + 1) };
        list[cnt++] = (struct cut){ SIM_FAULT_UNSTABLE, 7000001u * (i + 1) };
    }
    return cnt;
}

unsigned torn_ways(unsigned usual, unsigned deep)
{
    const char *env = getenv("PORTA_DEEP");
    return env && env[0] == '1' ? deep : usual;
}
