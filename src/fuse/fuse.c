#include "fuse/fuse.h"

static uint32_t counted(uint32_t bits, uint32_t bit_cnt)
{
    return bit_cnt >= 32 ? bits : bits & ((1u << bit_cnt) - 1);
}

uint32_t fuse_version(uint32_t bits, uint32_t bit_cnt)
{
    uint32_t cnt = 0;

    for (bits = counted(bits, bit_cnt); bits; bits &= bits - 1)
        cnt++;
    return cnt;
}

/* The lowest ones that are whole: after a field with gaps, too, each version
 * costs one bit. */
uint32_t fuse_to_burn(uint32_t bits, uint32_t bit_cnt, uint32_t version)
{
    uint32_t has = fuse_version(bits, bit_cnt), mask = 0;

    for (uint32_t i = 0; i < bit_cnt && i < 32 && has < version; i++) {
        if (bits >> i & 1)
            continue;
        mask |= 1u << i;
        has++;
    }
    return mask;
}

static esp_err_t read_bits(const struct port_fuse *fuse, uint32_t *bits)
{
    if (!fuse || fuse->bit_cnt == 0)
        return ESP_ERR_NOT_SUPPORTED;
    return fuse->read(fuse->ctx, bits);
}

esp_err_t fuse_read_version(const struct port_fuse *fuse, uint32_t *version)
{
    uint32_t bits = UINT32_MAX;
    esp_err_t err = read_bits(fuse, &bits);

    *version = err ? UINT32_MAX : fuse_version(bits, fuse->bit_cnt);
    return err;
}

/* Counts from the other end than fuse_version(), and shares nothing with it. */
uint32_t fuse_forbids(const struct port_fuse *fuse, uint32_t version)
{
    uint32_t bits = UINT32_MAX, cnt = 0;

    if (read_bits(fuse, &bits))
        return 1;
    for (uint32_t i = fuse->bit_cnt; i-- > 0;)
        cnt += bits >> i % 32 & 1;
    return ((~version & cnt) | (~(version ^ cnt) & (version - cnt))) >> 31;
}

esp_err_t fuse_raise(const struct port_fuse *fuse, uint32_t version)
{
    uint32_t bits;
    esp_err_t err = read_bits(fuse, &bits);

    if (err)
        return err;
    return fuse->burn(fuse->ctx, fuse_to_burn(bits, fuse->bit_cnt, version));
}
