#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/build.h"

static const struct {
    uint8_t subtype;
    const char *label;
} kinds[] = { { PART_APP_OTA_0, "ota_0" },
              { PART_APP_OTA_0 + 1, "ota_1" },
              { PART_APP_OTA_0 + 2, "ota_2" },
              { PART_APP_FACTORY, "factory" },
              { PART_APP_TEST, "test" } };
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static uint32_t kind_off(unsigned i)
{
    return 0x4000u + i * WORLD_SLOT;
}

static void add_row(struct world *w, struct part_entry row, const char *label)
{
    snprintf(row.label, sizeof(row.label), "%s", label);
    w->table.entries[w->table.cnt++] = row;
}

static void put_image(struct world *w, unsigned i, uint32_t secure_version)
{
    static uint8_t code[700];
    const struct img_build_seg seg = { 0x40380000, { code, sizeof(code) } };
    struct img_build in = { .kind = IMG_KIND_APP,
                            .header = { .chip_id = IMG_CHIP_LINUX,
                                        .hash_appended = 1 },
                            .segs = &seg,
                            .seg_cnt = 1 };
    struct diag diag = DIAG_NONE;
    memset(code, (int)i + 1, sizeof(code));
    in.desc.secure_version = secure_version;
    snprintf(in.desc.project, sizeof(in.desc.project), "p%u", i);
    if (img_build(&in, w->sim.bytes + kind_off(i), WORLD_SLOT, &w->image_len,
                  &diag) != ESP_OK) {
        fprintf(stderr, "%s\n", diag.text);
        abort();
    }
}

void world_open(struct world *w, unsigned there)
{
    memset(w, 0, sizeof(*w));
    if (sim_flash_init(&w->sim, NULL) != ESP_OK)
        abort();
    add_row(w,
            (struct part_entry){ .type = PART_TYPE_DATA,
                                 .subtype = PART_DATA_OTA,
                                 .off = WORLD_OTADATA,
                                 .len = OTADATA_LEN },
            "otadata");
    for (unsigned i = 0; i < KINDS; i++) {
        if (!(there >> i & 1))
            continue;
        add_row(w,
                (struct part_entry){ .type = PART_TYPE_APP,
                                     .subtype = kinds[i].subtype,
                                     .off = kind_off(i),
                                     .len = WORLD_SLOT },
                kinds[i].label);
        put_image(w, i, 0);
    }
    w->env = (struct boot_env){ .flash = &w->sim.port,
                                .table = &w->table,
                                .policy = { .rollback = true },
                                .rules = { .chip_id = IMG_CHIP_LINUX },
                                .buf = w->buf,
                                .buf_len = sizeof(w->buf) };
}

void world_secure(struct world *w, uint32_t slot, uint32_t version)
{
    put_image(w, slot, version);
}

void world_close(struct world *w)
{
    sim_flash_deinit(&w->sim);
}

void world_spoil(struct world *w, unsigned parts)
{
    for (unsigned i = 0; i < KINDS; i++)
        if (parts >> i & 1)
            w->sim.bytes[kind_off(i) + 400] ^= 0x40;
}

void world_record(struct world *w, uint32_t idx, uint32_t seq, uint32_t state)
{
    struct ota_rec rec;
    memset(&rec, 0xFF, sizeof(rec));
    rec.seq = seq;
    rec.state = state;
    rec.crc = ota_rec_crc(seq);
    ota_rec_pack(&rec, w->sim.bytes + WORLD_OTADATA + idx * OTADATA_SECTOR);
}

void world_records(const struct world *w, struct ota_rec rec[2])
{
    for (uint32_t i = 0; i < 2; i++)
        ota_rec_parse(w->sim.bytes + WORLD_OTADATA + i * OTADATA_SECTOR,
                      &rec[i]);
}
