#include "linux_trust.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "linux_retry.h"

static const char *trust_place(void *ctx)
{
    const char *named = getenv("SSL_CERT_FILE");
    (void)ctx;
    return named && named[0] ? named : "/etc/ssl/certs/ca-certificates.crt";
}

/* All that was announced, or nothing. */
static esp_err_t read_exactly(int fd, uint8_t *out, size_t len)
{
    size_t done = 0;
    while (done < len) {
        ssize_t got = read(fd, out + done, len - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return ESP_ERR_NOT_FOUND;
        done += (size_t)got;
    }
    return ESP_OK;
}

static esp_err_t load_fd(int fd, const struct port_heap *heap, uint8_t **out,
                         size_t *len)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= 0)
        return ESP_ERR_NOT_FOUND;
    if (st.st_size > (off_t)LINUX_TRUST_MAX_LEN)
        return ESP_ERR_INVALID_SIZE;
    uint8_t *bytes = heap->alloc(heap->ctx, (size_t)st.st_size + 1);
    if (!bytes)
        return ESP_ERR_NO_MEM;
    esp_err_t err = read_exactly(fd, bytes, (size_t)st.st_size);
    if (err) {
        heap->free(heap->ctx, bytes);
        return err;
    }
    *out = bytes;
    *len = (size_t)st.st_size;
    return ESP_OK;
}

static esp_err_t trust_load(void *ctx, const struct port_heap *heap,
                            uint8_t **out, size_t *len)
{
    int fd = linux_open(trust_place(ctx), O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    *out = NULL;
    *len = 0;
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? ESP_ERR_NOT_FOUND
                                                   : ESP_FAIL;
    esp_err_t err = load_fd(fd, heap, out, len);
    close(fd);
    return err;
}

const struct port_trust linux_trust = { NULL, trust_load, trust_place };
