#include "fixture.h"

#include "base/le.h"

const struct img_rules fix_file_rules = { .kind = IMG_KIND_APP,
                                          .place = IMG_PLACE_FILE,
                                          .any_chip = true };

const struct fix_spec fix_app = {
    .seg_cnt = 3,
    .segs = { { 0x3F400020, 272 }, { 0x3FFB0000, 20 }, { 0x40080000, 12 } },
};

uint32_t fix_rand(uint32_t *state)
{
    uint32_t x = *state;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    *state = x;
    return x;
}

static void put_desc(uint8_t *p, const struct fix_spec *spec)
{
    memset(p, 0, IMG_APP_DESC_LEN);
    le32_put(p, IMG_APP_DESC_MAGIC);
    le32_put(p + 4, 7);
    memcpy(p + 16, "1.2.3", 5);
    memcpy(p + 48, "fixture", 7);
    p[180] = spec->mmu_page_log2;
}

/* Where the padding ends, from the image's own segment headers. */
static size_t data_end(const uint8_t *image, uint8_t *sum)
{
    size_t at = 24;

    *sum = 0xEF;
    for (unsigned i = 0; i < image[1]; i++) {
        uint32_t n = le32_get(image + at + 4);

        at += 8;
        for (uint32_t k = 0; k < n; k++)
            *sum ^= image[at + k];
        at += n;
    }
    return at;
}

void fix_seal(uint8_t *image)
{
    struct sha256 sha;
    uint8_t sum;
    size_t at = data_end(image, &sum);

    while (at % 16 != 15)
        image[at++] = 0;
    image[at++] = sum;
    if (!image[23])
        return;
    sha256_init(&sha);
    sha256_update(&sha, image, at);
    sha256_final(&sha, image + at);
}

size_t fix_pack(const struct fix_spec *spec, uint8_t *out)
{
    uint32_t rnd = 0x12345678;
    uint8_t sum;
    size_t at = 24;

    memset(out, 0, FIX_MAX_LEN);
    out[0] = IMG_MAGIC;
    out[1] = (uint8_t)spec->seg_cnt;
    out[2] = 2;
    out[3] = 0x20;
    le32_put(out + 4, 0x40080000);
    out[8] = 0xEE;
    le16_put(out + 12, spec->chip_id);
    out[23] = !spec->no_hash;
    for (uint32_t i = 0; i < spec->seg_cnt; i++) {
        le32_put(out + at, spec->segs[i].load_addr);
        le32_put(out + at + 4, spec->segs[i].len);
        at += 8;
        for (uint32_t k = 0; k < spec->segs[i].len; k++)
            out[at + k] = (uint8_t)fix_rand(&rnd);
        if (i == 0 && !spec->no_desc)
            put_desc(out + at, spec);
        at += spec->segs[i].len;
    }
    fix_seal(out);
    return ((data_end(out, &sum) + 16) & ~(size_t)15) +
           (spec->no_hash ? 0 : SHA256_LEN);
}

esp_err_t fix_check(const struct img_rules *rules, const uint8_t *data,
                    size_t len, size_t step, struct img_check *check,
                    struct img_receipt *receipt)
{
    esp_err_t err = ESP_OK;

    img_check_open(check, rules);
    for (size_t at = 0; at < len; at += step) {
        if (step == 0 || step > len - at)
            step = len - at;
        err = img_check_feed(check, data + at, step);
    }
    esp_err_t end = img_check_finish(check, receipt);
    return err ? err : end;
}
