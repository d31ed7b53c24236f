/* esp_chip_info.h: what the application's chip is, and its host's
 * processors. */
#include "esp_chip_info.h"

#include <sched.h>

#include "compat.h"
#include "porta/app_config.h"

static int processors(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
}

void esp_chip_info(esp_chip_info_t *out_info)
{
    int cores = processors();
    *out_info = (esp_chip_info_t){
        .model = (esp_chip_model_t)porta_app_config.chip_model,
        .features = porta_app_config.connect_wifi ? CHIP_FEATURE_WIFI_BGN : 0,
        .revision = compat_chip_rev(),
        .cores = (uint8_t)(cores < UINT8_MAX ? cores : UINT8_MAX),
    };
}
