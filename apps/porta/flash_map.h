/* flash_map.h - a flash file as a picture: what lies where, to scale, and what
 * boots next. */
#ifndef FLASH_MAP_H
#define FLASH_MAP_H

#include "device_ctx.h"
#include "svg.h"

/* name: of the file, for the heading. The table has to be good. *out stays
 * good until svg_free(). */
MUST_CHECK esp_err_t flash_map_svg(struct device *dev, const char *name,
                                   struct svg *svg, struct span *out);

#endif
