#include "device_fuse.h"

#include <stdio.h>
#include <string.h>

static esp_err_t none_read(void *ctx, uint32_t *bits)
{
    (void)ctx;
    *bits = 0;
    return ESP_OK;
}

static esp_err_t none_burn(void *ctx, uint32_t mask)
{
    (void)ctx;
    return mask ? ESP_ERR_FLASH_PROTECTED : ESP_OK;
}

/* Fuses of a chip that nobody has burnt yet. */
static void use_unburnt(struct device_fuse *f, uint32_t bit_cnt)
{
    f->emul.port = (struct port_fuse){ NULL, bit_cnt, none_read, none_burn };
}

static esp_err_t open_file(struct device_fuse *f,
                           const struct device_fuse_place *p,
                           struct fuse_place place, struct diag *d)
{
    const struct fuse_field *field = fuse_field_find(f->chip);
    char name[4096];
    esp_err_t err;

    if (snprintf(name, sizeof(name), "%s.efuse", p->path) >= (int)sizeof(name))
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "the flash file's name is too long");
    err = linux_flash_open_part(&f->file, name, FUSE_EMUL_LEN,
                                p->burns ? LINUX_FLASH_WRITE : LINUX_FLASH_READ,
                                d);
    f->from = "the file FLASH.efuse";
    if (err == ESP_ERR_NOT_FOUND) {
        use_unburnt(f, place.bit_cnt ? place.bit_cnt : field->bit_cnt);
        return ESP_OK;
    }
    if (err)
        return err;
    place.flash = &f->file.port;
    place.off = 0;
    place.len = FUSE_EMUL_LEN;
    (void)!fuse_emul_open(&f->emul, &place, field);
    return ESP_OK;
}

/* With unusable fuses the port has no bits, and whoever asks is told. */
esp_err_t device_fuse_open(struct device_fuse *f,
                           const struct device_fuse_place *p, struct diag *d)
{
    const struct fuse_place place = { .flash = p->flash,
                                      .bit_cnt = pol_sec_ver_bits(p->policy) };

    *f = (struct device_fuse){ .file = { .fd = -1 },
                               .chip = p->chip,
                               .from = "the flash's partition for fuses" };
    f->err =
        boot_fuse_open(&f->emul, p->table, &place, fuse_field_find(f->chip));
    if (f->err != ESP_ERR_NOT_FOUND || !p->table ||
        !pol_anti_rollback(p->policy))
        return ESP_OK;
    f->err = ESP_OK;
    return open_file(f, p, place, d);
}

void device_fuse_close(struct device_fuse *f)
{
    linux_flash_close(&f->file);
}

bool device_fuse_version(const struct device_fuse *f, uint32_t *version)
{
    return fuse_read_version(&f->emul.port, version) == ESP_OK;
}

const char *device_fuse_text(const struct device_fuse *f, char *text,
                             size_t len)
{
    uint32_t version, bit_cnt = f->emul.port.bit_cnt;
    esp_err_t err = fuse_read_version(&f->emul.port, &version);

    if (err && f->err)
        err = f->err;
    if (err == ESP_ERR_NOT_FOUND)
        snprintf(text, len, "none: the table has no partition (data, efuse)");
    else if (err)
        snprintf(text, len, "not to be read in %s: %s", f->from, err_name(err));
    else
        snprintf(text, len, "secure version %u, %u of %u bits are left, in %s",
                 (unsigned)version, (unsigned)(bit_cnt - version),
                 (unsigned)bit_cnt, f->from);
    return text;
}
