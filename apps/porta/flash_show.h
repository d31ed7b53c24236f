/* flash_show.h - a flash file, described. */
#ifndef FLASH_SHOW_H
#define FLASH_SHOW_H

#include "device_ctx.h"

/* {"size", "chip", "table", "slots", "otadata", "secure_version", "options",
 * "verdict", "denied"};
 * NULL: out of memory. */
cJSON *flash_show_json(struct device *dev);
/* For people. Returns CLI_DONE. */
int flash_show_text(struct device *dev);

/* [{"seq", "state", "crc_ok"}, ...], empty without otadata. */
cJSON *flash_otadata_json(const struct boot_result *r);
/* One line a record. */
void flash_otadata_text(const struct boot_result *r, uint32_t slot_cnt);

/* When signatures are asked for: "not required", ... */
const char *flash_signed_text(const struct device *dev);

#endif
