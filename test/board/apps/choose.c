/* Asks for the other slot to be booted, and says what it is told. */
#include <stdio.h>
#include <stdlib.h>

#include "esp_err.h"
#include "esp_ota_ops.h"

void app_main(void)
{
    const esp_partition_t *other = esp_ota_get_next_update_partition(NULL);
    esp_err_t err = esp_ota_set_boot_partition(other);

    printf("chose %s: %s\n", other->label, esp_err_to_name(err));
    exit(err == ESP_OK ? 0 : 3);
}
