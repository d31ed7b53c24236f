/* The HMAC keys that a chip has in its fuses: on Linux the files that
 * PORTA_HMAC_KEY_0 to PORTA_HMAC_KEY_5 name, 32 bytes each. */
#include <stdio.h>
#include <stdlib.h>

#include "compat.h"

#define HMAC_LEN 32

esp_err_t compat_hmac_key(int id, uint8_t key[HMAC_LEN])
{
    char name[32];

    snprintf(name, sizeof(name), "PORTA_HMAC_KEY_%d", id);
    const char *path = getenv(name);
    FILE *file = path ? fopen(path, "rb") : NULL;
    if (!file)
        return ESP_ERR_NOT_FOUND;
    setvbuf(file, NULL, _IONBF, 0); /* no copy of it stays behind */
    bool whole =
        fread(key, 1, HMAC_LEN, file) == HMAC_LEN && fgetc(file) == EOF;
    fclose(file);
    return whole ? ESP_OK : ESP_ERR_NOT_FOUND;
}
