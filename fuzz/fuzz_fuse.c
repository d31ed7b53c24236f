/* A fuse partition as the world left it: reading ends and says what the two
 * copies mean together, no more and no less; raising only adds bits to those
 * that were believed, and afterwards there is nothing to repair. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuse/fuse.h"

static uint8_t bytes[FUSE_EMUL_LEN];
static unsigned long writes;

static void check(bool ok)
{
    if (!ok)
        abort();
}

static esp_err_t ram_read(void *ctx, uint32_t off, void *dst, size_t len)
{
    (void)ctx;
    check(off <= sizeof(bytes) && len <= sizeof(bytes) - off);
    memcpy(dst, bytes + off, len);
    return ESP_OK;
}

static esp_err_t ram_prog(void *ctx, uint32_t off, const void *src, size_t len)
{
    (void)ctx;
    check(off <= sizeof(bytes) && len <= sizeof(bytes) - off);
    writes++;
    for (size_t i = 0; i < len; i++) {
        uint8_t value = ((const uint8_t *)src)[i];

        check(!(value & (uint8_t)~bytes[off + i])); /* a bit would rise */
        bytes[off + i] = value;
    }
    return ESP_OK;
}

static esp_err_t ram_erase(void *ctx, uint32_t off)
{
    (void)ctx;
    check(off == 0 || off == FUSE_SECTOR_LEN);
    writes++;
    memset(bytes + off, 0xFF, FUSE_SECTOR_LEN);
    return ESP_OK;
}

static const struct port_flash ram = { .size_len = FUSE_EMUL_LEN,
                                       .erase_len = FUSE_SECTOR_LEN,
                                       .prog_len = 4,
                                       .page_len = 256,
                                       .read = ram_read,
                                       .prog = ram_prog,
                                       .erase = ram_erase };

/* Bytes over erased flash; A5 and an offset continue elsewhere, A6 makes the
 * commit of the sector fit what stands there. */
static void fill(const uint8_t *data, size_t size, const struct fuse_field *f)
{
    size_t at = 0;

    memset(bytes, 0xFF, sizeof(bytes));
    for (size_t i = 0; i < size; i++) {
        uint8_t *sector = bytes + at / FUSE_SECTOR_LEN * FUSE_SECTOR_LEN;

        if (data[i] == 0xA5 && size - i > 2) {
            at = (data[i + 1] | (size_t)data[i + 2] << 8) % sizeof(bytes);
            i += 2;
        } else if (data[i] == 0xA6) {
            fuse_commit_pack(span_of(sector, fuse_dump_len(f)),
                             sector + FUSE_COMMIT_OFF);
        } else {
            bytes[at] = data[i];
            at = (at + 1) % sizeof(bytes);
        }
    }
}

/* The bits that what is in the partition stands for. */
static void check_bits(const struct fuse_emul *e)
{
    const struct fuse_field *f = e->field;
    uint32_t src, want = 0, got;
    struct fuse_state s = { .kind = { FUSE_COPY_BLANK, FUSE_COPY_BLANK } };
    esp_err_t err;

    for (uint32_t i = 0; i < e->len / FUSE_SECTOR_LEN; i++) {
        const uint8_t *sector = bytes + i * FUSE_SECTOR_LEN;

        s.kind[i] = fuse_copy_judge(span_of(sector, fuse_dump_len(f)),
                                    sector + FUSE_COMMIT_OFF);
        if (s.kind[i] != FUSE_COPY_BLANK)
            s.bits[i] = fuse_dump_get(f, sector);
    }
    err = fuse_state_decide(&s, &src, &want);
    check(e->port.read(e->port.ctx, &got) == err);
    want &= f->bit_cnt < 32 ? (1u << f->bit_cnt) - 1 : UINT32_MAX;
    check(err != ESP_OK || got == want);
}

/* Three bytes say chip, size of the field and of the partition, and what to
 * raise it to; the rest is the partition. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint16_t chips[] = { 0x0000, 0x000C, 0x0005, 0x0020 };
    const struct fuse_field *f;
    struct fuse_place place = { .flash = &ram, .len = FUSE_EMUL_LEN };
    struct fuse_emul e;
    uint32_t before, after, wanted;
    esp_err_t err;

    if (size < 3)
        return 0;
    f = fuse_field_find(chips[data[0] % 4]);
    place.bit_cnt = data[0] / 4 % (f->bit_cnt + 1u);
    if (data[1] & 1)
        place.len = FUSE_SECTOR_LEN;
    wanted = data[2] % 40;
    fill(data + 3, size - 3, f);
    check(fuse_emul_open(&e, &place, f) == ESP_OK);
    check_bits(&e);
    writes = 0;
    err = fuse_read_version(&e.port, &before);
    check(err == ESP_OK ? before <= e.port.bit_cnt : before == UINT32_MAX);
    if (err) {
        check(fuse_raise(&e.port, wanted) == err && writes == 0);
        return 0;
    }
    err = fuse_raise(&e.port, wanted);
    if (wanted > e.port.bit_cnt)
        wanted = e.port.bit_cnt;
    wanted = wanted > before ? wanted : before;
    check(err == (place.len < FUSE_EMUL_LEN && wanted != before
                      ? ESP_ERR_INVALID_SIZE
                      : ESP_OK));
    check(fuse_read_version(&e.port, &after) == ESP_OK);
    check(after == (err ? before : wanted));
    writes = 0;
    check(fuse_raise(&e.port, 0) == ESP_OK && writes == 0);
    return 0;
}
