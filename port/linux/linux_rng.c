#include "linux_rng.h"

#include <errno.h>
#include <sys/random.h>

static esp_err_t rng_fill(void *ctx, void *dst, size_t len)
{
    (void)ctx;
    unsigned char *out = dst;
    while (len > 0) {
        ssize_t n = getrandom(out, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ESP_FAIL;
        out += n;
        len -= (size_t)n;
    }
    return ESP_OK;
}

const struct port_rng linux_rng = { NULL, rng_fill };
