/* esp_types.h - the types that everything uses. */
#ifndef ESP_TYPES_H
#define ESP_TYPES_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#endif
