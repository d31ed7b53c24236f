/* Packing, second half: a plan becomes bytes. The plan is made in layout.c. */
#include "image/build.h"

#include "base/le.h"
#include "image/image.h"

#define WP_PIN_NONE 0xEEu
#define CHECKSUM_SEED 0xEFu

/* Counts and sums what passes to the sink. */
struct writer {
    const struct img_sink *sink;
    struct sha256 sha;
    uint32_t len;
    uint8_t sum;
};

/* Strings are cut to leave room for their terminator. */
static void str_put(uint8_t *dst, const char *src, size_t len)
{
    size_t n = strlen(src);

    memset(dst, 0, len);
    memcpy(dst, src, n < len ? n : len - 1);
}

void img_desc_pack(const struct img_desc *desc, uint8_t out[IMG_APP_DESC_LEN])
{
    le32_put(out, IMG_APP_DESC_MAGIC);
    le32_put(out + 4, desc->secure_version);
    str_put(out + 16, desc->version, 32);
    str_put(out + 48, desc->project, 32);
    str_put(out + 80, desc->time, 16);
    str_put(out + 96, desc->date, 16);
    str_put(out + 112, desc->idf_ver, 32);
    memcpy(out + 144, desc->elf_sha256, sizeof(desc->elf_sha256));
    le16_put(out + 176, desc->min_blk_rev);
    le16_put(out + 178, desc->max_blk_rev);
    out[180] = desc->mmu_page_log2;
    out[181] = desc->spi_mode;
}

void img_boot_desc_pack(const struct img_boot_desc *desc,
                        uint8_t out[IMG_BOOT_DESC_LEN])
{
    out[0] = IMG_BOOT_DESC_MAGIC;
    out[3] = desc->secure_version;
    le32_put(out + 4, desc->version);
    str_put(out + 8, desc->idf_ver, 32);
    str_put(out + 40, desc->date_time, 24);
}

static void header_pack(const struct img_header *h, uint32_t seg_cnt,
                        uint8_t out[IMG_HEADER_LEN])
{
    memset(out, 0, IMG_HEADER_LEN);
    out[0] = IMG_MAGIC;
    out[1] = (uint8_t)seg_cnt;
    out[2] = h->spi_mode;
    out[3] = (uint8_t)((h->spi_speed & 0x0f) | h->spi_size << 4);
    le32_put(out + 4, h->entry_addr);
    out[8] = WP_PIN_NONE;
    le16_put(out + 12, h->chip_id);
    out[14] = (uint8_t)(h->min_rev / 100);
    le16_put(out + 15, h->min_rev);
    le16_put(out + 17, h->max_rev);
    out[23] = h->hash_appended;
}

static esp_err_t put(struct writer *w, const void *data, size_t len)
{
    if (len == 0)
        return ESP_OK;
    sha256_update(&w->sha, data, len);
    w->len += (uint32_t)len;
    return w->sink->feed(w->sink->ctx, data, len);
}

static esp_err_t put_summed(struct writer *w, struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        w->sum ^= s.ptr[i];
    return put(w, s.ptr, s.len);
}

static esp_err_t put_zeros(struct writer *w, size_t len)
{
    static const uint8_t zeros[256];
    esp_err_t err = ESP_OK;

    for (size_t n; len > 0 && !err; len -= n) {
        n = len < sizeof(zeros) ? len : sizeof(zeros);
        err = put(w, zeros, n);
    }
    return err;
}

static esp_err_t put_piece(struct writer *w, const struct img_piece *p)
{
    uint8_t head[IMG_SEG_HEADER_LEN];
    esp_err_t err;

    le32_put(head, p->load_addr);
    le32_put(head + 4, p->len);
    err = put(w, head, sizeof(head));
    if (!err)
        err = put_summed(w, p->head);
    if (!err)
        err = put_summed(w, p->data);
    if (!err)
        err = put_zeros(w, p->len - p->head.len - p->data.len);
    return err;
}

static esp_err_t put_end(struct writer *w, bool with_hash)
{
    uint8_t digest[SHA256_LEN];
    esp_err_t err = put_zeros(w, 15u - w->len % 16u);

    if (!err)
        err = put(w, &w->sum, 1);
    if (err || !with_hash)
        return err;
    sha256_final(&w->sha, digest);
    return w->sink->feed(w->sink->ctx, digest, sizeof(digest));
}

esp_err_t img_build_write(const struct img_build *in,
                          const struct img_layout *plan,
                          const struct img_sink *sink)
{
    struct writer w = { .sink = sink, .sum = CHECKSUM_SEED };
    uint8_t header[IMG_HEADER_LEN];
    esp_err_t err;

    sha256_init(&w.sha);
    header_pack(&in->header, plan->cnt, header);
    err = put(&w, header, sizeof(header));
    for (uint32_t i = 0; i < plan->cnt && !err; i++)
        err = put_piece(&w, &plan->pieces[i]);
    if (!err)
        err = put_end(&w, in->header.hash_appended);
    return err;
}

struct buffer {
    uint8_t *at;
};

static esp_err_t buffer_feed(void *ctx, const void *data, size_t len)
{
    struct buffer *b = ctx;

    memcpy(b->at, data, len);
    b->at += len;
    return ESP_OK;
}

esp_err_t img_build(const struct img_build *in, void *out, size_t cap_len,
                    uint32_t *out_len, struct diag *d)
{
    struct buffer buf = { out };
    struct img_sink sink = { &buf, buffer_feed };
    struct img_layout plan;
    esp_err_t err = img_build_plan(in, &plan, d);

    *out_len = 0;
    if (err)
        return err;
    *out_len = plan.image_len;
    if (plan.image_len > cap_len)
        return ESP_ERR_INVALID_SIZE;
    return img_build_write(in, &plan, &sink);
}
