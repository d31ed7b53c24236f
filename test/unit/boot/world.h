/* world.h - a flash with a table, otadata and small images, to boot from. */
#ifndef WORLD_H
#define WORLD_H

#include "boot/exec.h"
#include "sim_flash.h"

#define WORLD_OTADATA 0x1000u
#define WORLD_SLOT 0x2000u /* length of each program's partition */

enum world_part { /* programs: bits of a mask */
                  WORLD_OTA_0 = 1u,
                  WORLD_OTA_1 = 2u,
                  WORLD_OTA_2 = 4u,
                  WORLD_FACTORY = 8u,
                  WORLD_TEST = 16u
};

struct world {
    struct sim_flash sim;
    struct part_table table;
    struct boot_env env;
    uint32_t image_len; /* all images are equally long */
    uint8_t buf[1024];
};

/* Partitions of `there`, each with an image that verifies; blank otadata;
 * rollback on. */
void world_open(struct world *w, unsigned there);
void world_close(struct world *w);

/* Damages the images of a mask. */
void world_spoil(struct world *w, unsigned parts);
/* Makes the image anew, with this secure version. */
void world_secure(struct world *w, uint32_t slot, uint32_t version);
/* Record idx; does not touch the logs. */
void world_record(struct world *w, uint32_t idx, uint32_t seq, uint32_t state);
void world_records(const struct world *w, struct ota_rec rec[2]);

#endif
