#include "image/keys.h"

#include "base/policy.h"
#include "crypto/ct.h"

#define HEAD_LEN 4u

/* Elsewhere a set of V1 keys is one of a scheme that is not built: not valid.
 */
static bool is_v1(enum img_scheme scheme)
{
    return POL_V1_BUILT && scheme == IMG_SCHEME_V1;
}

static bool twice(const struct img_keys *keys, uint32_t i)
{
    for (uint32_t k = 0; k < i; k++)
        if (ct_diff(keys->key[i].id, keys->key[k].id, SHA256_LEN) == 0)
            return true;
    return false;
}

const uint8_t *img_key_xy(const struct img_key *key)
{
    return key->xy;
}

static bool has_its_id(const struct img_key *key)
{
    uint8_t id[SHA256_LEN];

    img_key_id_p256(img_key_xy(key), id);
    return ct_diff(id, key->id, SHA256_LEN) == 0;
}

bool img_keys_valid(const struct img_keys *keys)
{
    bool v1 = is_v1(keys->scheme);

    if (keys->scheme < IMG_SCHEME_V1 || keys->scheme > IMG_SCHEME_ECDSA384 ||
        !pol_scheme_built((unsigned)keys->scheme) || keys->cnt > IMG_KEYS_MAX ||
        keys->need < 1 || keys->need > keys->cnt || (v1 && keys->need > 1))
        return false;
    for (uint32_t i = 0; i < keys->cnt; i++)
        if (twice(keys, i) || (v1 && !has_its_id(&keys->key[i])))
            return false;
    return true;
}

const struct img_keys *img_keys_trusted(const struct img_keys *keys)
{
    static const struct img_keys nobody;

    return keys && img_keys_valid(keys) ? keys : &nobody;
}

static uint32_t key_len(enum img_scheme scheme)
{
    return 1 + (is_v1(scheme) ? 64u : SHA256_LEN);
}

uint32_t img_keys_pack(const struct img_keys *keys,
                       uint8_t out[IMG_KEYS_PACKED_MAX])
{
    uint32_t len = key_len(keys->scheme);
    uint8_t *p = out + HEAD_LEN;

    out[0] = (uint8_t)keys->scheme;
    out[1] = (uint8_t)keys->need;
    out[2] = (uint8_t)keys->cnt;
    out[3] = 0;
    for (uint32_t i = 0; i < keys->cnt; i++, p += len) {
        const struct img_key *key = &keys->key[i];

        p[0] = key->trust == VERDICT_ACCEPT;
        memcpy(p + 1, is_v1(keys->scheme) ? key->xy : key->id, len - 1);
    }
    return (uint32_t)(p - out);
}

/* Nobody's set, of a scheme: the keys come from elsewhere. */
static bool is_empty(const struct img_keys *keys)
{
    return keys->cnt == 0 && keys->need == 0 && keys->scheme >= IMG_SCHEME_V1 &&
           keys->scheme <= IMG_SCHEME_ECDSA384;
}

static void parse_key(const uint8_t *p, enum img_scheme scheme,
                      struct img_key *out)
{
    out->trust = p[0] == 1 ? VERDICT_ACCEPT : VERDICT_REJECT;
    if (!is_v1(scheme)) {
        memcpy(out->id, p + 1, SHA256_LEN);
        return;
    }
    memcpy(out->xy, p + 1, sizeof(out->xy));
    img_key_id_p256(out->xy, out->id);
}

esp_err_t img_keys_parse(struct span bytes, struct img_keys *out,
                         uint32_t *used)
{
    const uint8_t *p = bytes.ptr;
    uint32_t len;

    memset(out, 0, sizeof(*out));
    *used = 0;
    if (bytes.len < HEAD_LEN)
        return ESP_ERR_INVALID_SIZE;
    if (p[2] > IMG_KEYS_MAX || p[3] != 0)
        return ESP_ERR_INVALID_ARG;
    out->scheme = (enum img_scheme)p[0];
    len = key_len(out->scheme);
    if (bytes.len < HEAD_LEN + p[2] * len) {
        memset(out, 0, sizeof(*out));
        return ESP_ERR_INVALID_SIZE;
    }
    out->need = p[1];
    out->cnt = p[2];
    for (uint32_t i = 0; i < out->cnt; i++)
        parse_key(p + HEAD_LEN + i * len, out->scheme, &out->key[i]);
    if (!img_keys_valid(out) && !is_empty(out)) {
        memset(out, 0, sizeof(*out));
        return ESP_ERR_INVALID_ARG;
    }
    *used = HEAD_LEN + out->cnt * len;
    return ESP_OK;
}
