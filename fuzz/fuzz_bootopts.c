/* A bootloader region as a file has it: looking for the options in it ends,
 * stays inside the flash, and gives options only with ESP_OK. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "boot/opts.h"

struct input {
    const uint8_t *data;
    size_t size;
};

static esp_err_t input_read(void *ctx, uint32_t off, void *dst, size_t len)
{
    const struct input *in = ctx;
    if (off > in->size || len > in->size - off)
        abort();
    memcpy(dst, in->data + off, len);
    return ESP_OK;
}

static esp_err_t no_prog(void *ctx, uint32_t off, const void *src, size_t len)
{
    (void)ctx;
    (void)off;
    (void)src;
    (void)len;
    abort();
}

static esp_err_t no_erase(void *ctx, uint32_t off)
{
    (void)ctx;
    (void)off;
    abort();
}

static void check(esp_err_t err, const struct boot_opts *opts)
{
    if (err != ESP_OK && (opts->rollback || opts->require_hash ||
                          opts->require_signed || opts->anti_rollback))
        abort();
    if (opts->boot_unsigned && !opts->require_signed)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { data, size };
    const struct port_flash flash = { .ctx = &in,
                                      .size_len = (uint32_t)size,
                                      .erase_len = 4096,
                                      .prog_len = 4,
                                      .page_len = 256,
                                      .read = input_read,
                                      .prog = no_prog,
                                      .erase = no_erase };
    struct boot_opts opts;
    check(boot_opts_read(&flash, 0, (uint32_t)size, &opts), &opts);
    check(boot_opts_parse(span_of(data, size), &opts), &opts);
    if (size > 0x1000)
        check(boot_opts_read(&flash, 0x1000, (uint32_t)size - 0x1000, &opts),
              &opts);
    return 0;
}
