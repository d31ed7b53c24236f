#include "unit/api/crypt_device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t hmac[] = "0123456789abcdef0123456789ABCDEF";

const uint8_t *crypt_hmac(void)
{
    return hmac;
}

void crypt_device_open(struct crypt_device *c)
{
    struct rig *r = &c->d.rig;
    struct enc_env env;
    struct enc_key *key;

    memset(c, 0, sizeof(*c));
    device_open(&c->d);
    env = (struct enc_env){ &r->heap.port, &c->d.rng.port };
    assert_int_equal(
        enc_key_open(&key, &env, span_of(hmac, ENC_HMAC_LEN), "key", NULL),
        ESP_OK);
    c->file_len = r->image_len + ENC_HEAD_LEN;
    c->file = malloc(c->file_len);
    assert_int_equal(enc_seal(key, span_of(r->image, r->image_len), c->file),
                     ESP_OK);
    enc_key_close(key);
    rig_serve(r, c->file, c->file_len);
    c->cfg.ecies_priv_key = (const char *)hmac;
    c->cfg.ecies_priv_key_len = ENC_HMAC_LEN;
    /* What a partition's first use keeps is there from now on. */
    (void)esp_partition_find_first(ESP_PARTITION_TYPE_ANY,
                                   ESP_PARTITION_SUBTYPE_ANY, "ota_1");
    c->heap_len = r->heap.cur_len;
}

void crypt_device_check(const struct crypt_device *c)
{
    assert_int_equal(c->d.rig.heap.cur_len, c->heap_len);
}

void crypt_device_close(struct crypt_device *c)
{
    free(c->file);
    device_close(&c->d);
}

esp_decrypt_handle_t crypt_start(struct crypt_device *c)
{
    esp_decrypt_handle_t h = esp_encrypted_img_decrypt_start(&c->cfg);

    assert_non_null(h);
    return h;
}
