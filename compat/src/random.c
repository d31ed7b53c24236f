/* esp_random.h: the system's random numbers. */
#include "esp_random.h"

#include <stdlib.h>
#include <sys/random.h>

/* A device that has no random numbers must not go on as if it had. */
void esp_fill_random(void *buf, size_t len)
{
    uint8_t *at = buf;
    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0)
            abort();
        at += got;
        len -= (size_t)got;
    }
}

uint32_t esp_random(void)
{
    uint32_t number;
    esp_fill_random(&number, sizeof(number));
    return number;
}
