/* update/hex.h - bytes as text, for what a store keeps. */
#ifndef UPDATE_HEX_H
#define UPDATE_HEX_H

#include <stdbool.h>

#include "base/span.h"

/* 2 * len characters and a NUL. */
void upd_hex_put(const uint8_t *bytes, uint32_t len, char *out);
/* in.len / 2 bytes; in.len is even. false: other characters. */
bool upd_hex_get(struct span in, uint8_t *out);

#endif
