#include "enc/head.h"

#include "base/le.h"

enum {
    AT_WRAPPED = 4,
    AT_IV = 388,
    AT_LEN = 404,
    AT_TAG = 408 /* zeros from 424 on */
};

bool enc_is_encrypted(struct span s)
{
    return s.len >= ENC_MAGIC_LEN && le32_get(s.ptr) == ENC_MAGIC;
}

esp_err_t enc_head_parse(struct span s, struct enc_head *out)
{
    memset(out, 0, sizeof(*out));
    if (s.len >= ENC_MAGIC_LEN && !enc_is_encrypted(s))
        return ESP_ERR_NOT_FOUND;
    if (s.len < ENC_HEAD_LEN)
        return ESP_ERR_INVALID_SIZE;
    memcpy(out->wrapped, s.ptr + AT_WRAPPED, sizeof(out->wrapped));
    memcpy(out->iv, s.ptr + AT_IV, sizeof(out->iv));
    out->body_len = le32_get(s.ptr + AT_LEN);
    memcpy(out->tag, s.ptr + AT_TAG, sizeof(out->tag));
    return out->body_len > 0 ? ESP_OK : ESP_ERR_INVALID_SIZE;
}

void enc_head_pack(const struct enc_head *h, uint8_t out[ENC_HEAD_LEN])
{
    memset(out, 0, ENC_HEAD_LEN);
    le32_put(out, ENC_MAGIC);
    memcpy(out + AT_WRAPPED, h->wrapped, sizeof(h->wrapped));
    memcpy(out + AT_IV, h->iv, sizeof(h->iv));
    le32_put(out + AT_LEN, h->body_len);
    memcpy(out + AT_TAG, h->tag, sizeof(h->tag));
}

enum enc_scheme enc_head_scheme(const struct enc_head *h)
{
    for (size_t i = ENC_POINT_LEN + ENC_SALT_LEN; i < ENC_WRAPPED_LEN; i++) {
        if (h->wrapped[i] != 0)
            return ENC_SCHEME_RSA3072;
    }
    return ENC_SCHEME_ECIES256;
}

const char *enc_scheme_name(enum enc_scheme scheme)
{
    static const char *const names[] = { "none", "RSA-3072", "ECIES-P256" };

    return names[scheme];
}
