/* How far an update came, in NVS: what a later attempt can build on. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

/* The bytes that are in flash from this URL; 0: none. */
size_t progress_load(const char *url);
void progress_save(const char *url, size_t written);
void progress_clear(void);
