/* What the probe finds out about slots, images and boot records. */
#pragma once

#include "esp_err.h"

void fact(const char *name, const char *format, ...);
void fact_err(const char *name, esp_err_t err);
void boot_facts(void);
