#include "api/device.h"

#include "esp_efuse.h"

static uint32_t field(void)
{
    const struct port_fuse *fuse = api_device()->boot.fuse;
    uint32_t bits = 0;

    if (fuse->bit_cnt == 0 || fuse->read(fuse->ctx, &bits))
        return 0;
    return fuse->bit_cnt >= 32 ? bits : bits & ((1u << fuse->bit_cnt) - 1);
}

uint32_t esp_efuse_read_secure_version(void)
{
    uint32_t cnt = 0;

    for (uint32_t bits = field(); bits; bits &= bits - 1)
        cnt++;
    return cnt;
}

bool esp_efuse_check_secure_version(uint32_t secure_version)
{
    return secure_version >= esp_efuse_read_secure_version();
}

/* Bits from bit 0 up: v low ones say version v. */
static uint32_t low_ones(uint32_t cnt)
{
    return cnt >= 32 ? UINT32_MAX : (1u << cnt) - 1;
}

esp_err_t esp_efuse_update_secure_version(uint32_t secure_version)
{
    const struct port_fuse *fuse = api_device()->boot.fuse;
    uint32_t now = esp_efuse_read_secure_version();

    if (secure_version > fuse->bit_cnt)
        return ESP_ERR_INVALID_ARG;
    if (now > secure_version)
        return ESP_FAIL;
    if (now == secure_version)
        return ESP_OK;
    return fuse->burn(fuse->ctx, low_ones(secure_version) & ~low_ones(now));
}

esp_err_t esp_efuse_set_recovery_bootloader_offset(const uint32_t offset)
{
    (void)offset;
    return ESP_ERR_NOT_SUPPORTED;
}
