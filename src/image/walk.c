#include "image/walk.h"

#define BUF_MIN_LEN 256u

/* lint-ok: function, the pieces of img_check_flash() have its parameters */
static esp_err_t walk(const struct port_flash *flash, uint32_t off,
                      const struct img_sink *sink, void *buf, size_t buf_len,
                      struct img_check *c)
{
    uint32_t n;

    while ((n = img_check_need(c)) > 0) {
        uint32_t left = c->rules.cap_len - c->fed_len;

        if (left == 0)
            break; /* a range too short for a header: finish refuses it */
        n = n < left ? n : left;
        n = n < buf_len ? n : (uint32_t)buf_len;
        if (flash->read(flash->ctx, off + c->fed_len, buf, n) != ESP_OK) {
            c->fault = (struct img_fault){ IMG_FAULT_FLASH, c->seg_idx,
                                           c->fed_len, 0 };
            c->step = IMG_STEP_BAD;
            return ESP_ERR_IMAGE_FLASH_FAIL;
        }
        esp_err_t err = img_check_feed(c, buf, n);
        if (!err && sink)
            err = sink->feed(sink->ctx, buf, n);
        if (err)
            return err;
    }
    return ESP_OK;
}

/* lint-ok: function, the header says why */
esp_err_t img_check_flash(const struct port_flash *flash, uint32_t off,
                          uint32_t len, uint32_t gen,
                          const struct img_rules *rules,
                          const struct img_sink *sink, void *buf,
                          size_t buf_len, struct img_check *check,
                          struct img_receipt *receipt)
{
    img_receipt_none(receipt);
    img_check_open(check, rules);
    check->rules.cap_len = len;
    if (len == 0 || len > IMG_MAX_LEN || len > UINT32_MAX - off ||
        buf_len < BUF_MIN_LEN)
        return ESP_ERR_INVALID_ARG;
    esp_err_t err = walk(flash, off, sink, buf, buf_len, check);
    if (!err)
        err = img_check_finish(check, receipt);
    if (err)
        return err;
    receipt->off = off;
    receipt->gen = gen;
    receipt->bound = true;
    return ESP_OK;
}
