#include "unit/update/crypt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tls/tls.h"

static size_t read_rsa(uint8_t *out, size_t len)
{
    const char *source = getenv("PORTA_SOURCE");
    char path[1024];
    FILE *f;

    assert_non_null(source);
    snprintf(path, sizeof(path), "%s/test/vectors/encrypted/rsa3072.pem",
             source);
    f = fopen(path, "rb");
    assert_non_null(f);
    len = fread(out, 1, len, f);
    fclose(f);
    return len;
}

static void open_key(struct crypt *c, enum enc_scheme scheme)
{
    const struct enc_env env = { &c->rig.heap.port, &c->rng.port };
    static uint8_t text[4096];
    size_t len = ENC_HMAC_LEN;

    memset(text, 'k', len);
    if (scheme == ENC_SCHEME_RSA3072)
        len = read_rsa(text, sizeof(text));
    assert_int_equal(
        enc_key_open(&c->key, &env, span_of(text, len), "key", NULL), ESP_OK);
    assert_int_equal(enc_key_scheme(c->key), scheme);
}

void crypt_seal(struct crypt *c)
{
    free(c->file);
    c->file_len = c->rig.image_len + ENC_HEAD_LEN;
    c->file = malloc(c->file_len);
    assert_int_equal(
        enc_seal(c->key, span_of(c->rig.image, c->rig.image_len), c->file),
        ESP_OK);
    rig_serve(&c->rig, c->file, c->file_len);
    c->rig.web.etag = "\"a\"";
}

void crypt_serve(struct crypt *c, const struct rig_image *how)
{
    free(c->rig.image);
    c->rig.image = rig_make_image(how, &c->rig.image_len);
    crypt_seal(c);
}

void crypt_open(struct crypt *c, enum enc_scheme scheme)
{
    struct tls_env tls;

    memset(c, 0, sizeof(*c));
    rig_open(&c->rig);
    sim_rng_init(&c->rng, 3);
    sim_clock_init(&c->clock, 0);
    tls = (struct tls_env){ &c->rig.heap.port, &c->rng.port, &c->clock.port };
    assert_int_equal(tls_init(&tls), ESP_OK);
    open_key(c, scheme);
    crypt_seal(c);
    upd_decrypt_stage(&c->decrypt, c->key, &c->stage);
    c->rig.opts.stages = &c->stage;
    c->rig.opts.stage_cnt = 1;
}

void crypt_close(struct crypt *c)
{
    enc_key_close(c->key);
    tls_deinit();
    free(c->file);
    rig_close(&c->rig);
}
