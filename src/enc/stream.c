#include "enc/stream.h"

#include <assert.h>

#include "crypto/ct.h"
#include "crypto/sha256.h"

#define REPLAY_LEN 256u

#define FAIL(s, code, ...) \
    ((s)->err = diag_fail(&(s)->diag, DIAG_STAGE_IMAGE, code, __VA_ARGS__))

void enc_stream_open(struct enc_stream *s, const struct enc_key *key)
{
    *s = (struct enc_stream)ENC_STREAM_CLOSED;
    s->key = key;
}

static void close_gcm(struct enc_gcm **g)
{
    enc_gcm_close(*g);
    *g = NULL;
}

/* The key is needed for a replay only, which comes first. */
static void end_replay(struct enc_stream *s)
{
    close_gcm(&s->again);
    ct_wipe(s->aes, sizeof(s->aes));
}

void enc_stream_close(struct enc_stream *s)
{
    close_gcm(&s->gcm);
    end_replay(s);
    if (s->key && !s->err && s->step != ENC_STEP_VERIFIED)
        (void)FAIL(s, ESP_ERR_INVALID_STATE,
                   "decryption was ended before the end of the image");
    s->key = NULL;
}

bool enc_stream_complete(const struct enc_stream *s)
{
    return s->step != ENC_STEP_HEAD && s->done_len == s->head.body_len;
}

/* --- the head ------------------------------------------------------------- */

static esp_err_t fail_magic(struct enc_stream *s)
{
    const uint8_t *p = s->raw;

    if (p[0] == 0xE9)
        return FAIL(s, ESP_ERR_OTA_VALIDATE_FAILED,
                    "the file is a firmware image that is not encrypted; with "
                    "a key to decrypt by, only encrypted ones are taken");
    return FAIL(s, ESP_ERR_OTA_VALIDATE_FAILED,
                "the file is no encrypted image: it begins with %02x %02x %02x "
                "%02x instead of cf b6 88 07",
                p[0], p[1], p[2], p[3]);
}

static esp_err_t fail_unwrap(struct enc_stream *s, esp_err_t err)
{
    if (err == ESP_ERR_NO_MEM)
        return FAIL(s, err, "there is no memory to decrypt with");
    if (err == ESP_ERR_INVALID_ARG)
        return FAIL(s, err,
                    "the key is a public one; decrypting takes the private "
                    "one");
    return FAIL(s, err,
                "the image was encrypted for another key than this %s key, or "
                "its head is damaged",
                enc_scheme_name(enc_key_scheme(s->key)));
}

/* Of the head and of the key that it gave: another private key has another
 * mark. A digest of 32 random bytes gives none of them away. */
static void name_head(struct enc_stream *s, const uint8_t aes[ENC_AES_LEN])
{
    uint8_t digest[SHA256_LEN];
    struct sha256 sha;

    sha256_init(&sha);
    sha256_update(&sha, s->raw, sizeof(s->raw));
    sha256_update(&sha, aes, ENC_AES_LEN);
    sha256_final(&sha, digest);
    memcpy(s->mark, digest, sizeof(s->mark));
}

static esp_err_t open_gcm(struct enc_stream *s, enum enc_way way,
                          struct enc_gcm **out)
{
    *out = enc_gcm_open(enc_key_env(s->key), s->aes, s->head.iv, way);
    return *out ? ESP_OK : fail_unwrap(s, ESP_ERR_NO_MEM);
}

static esp_err_t open_body(struct enc_stream *s)
{
    esp_err_t err = enc_unwrap(s->key, &s->head, s->aes);

    if (err)
        return fail_unwrap(s, err);
    name_head(s, s->aes);
    return open_gcm(s, ENC_WAY_DECRYPT, &s->gcm);
}

static esp_err_t take_head(struct enc_stream *s, struct span *in)
{
    size_t n = ENC_HEAD_LEN - s->raw_len;
    esp_err_t err;

    if (n > in->len)
        n = in->len;
    if (n > 0)
        memcpy(s->raw + s->raw_len, in->ptr, n);
    s->raw_len += (uint32_t)n;
    *in = span_from(*in, n);
    if (s->raw_len >= ENC_MAGIC_LEN &&
        !enc_is_encrypted(span_of(s->raw, ENC_MAGIC_LEN)))
        return fail_magic(s);
    if (s->raw_len < ENC_HEAD_LEN)
        return ESP_OK;
    err = enc_head_parse(span_of(s->raw, ENC_HEAD_LEN), &s->head);
    if (err)
        return FAIL(s, err, "the encrypted image says that it is empty");
    err = open_body(s);
    if (!err)
        s->step = ENC_STEP_BODY;
    return err;
}

/* --- the body ------------------------------------------------------------- */

static esp_err_t take_body(struct enc_stream *s, struct span *in, uint8_t *out,
                           size_t n)
{
    if (n > s->head.body_len - s->done_len)
        return FAIL(s, ESP_ERR_INVALID_SIZE,
                    "the encrypted image should end after %lu bytes, and more "
                    "is coming",
                    ENC_HEAD_LEN + (unsigned long)s->head.body_len);
    if (enc_gcm_update(s->gcm, in->ptr, out, n) != ESP_OK)
        return FAIL(s, ESP_FAIL, "AES failed after %lu bytes",
                    (unsigned long)s->done_len);
    s->done_len += (uint32_t)n;
    *in = span_from(*in, n);
    return ESP_OK;
}

esp_err_t enc_stream_feed(struct enc_stream *s, struct span *in,
                          struct enc_out *out)
{
    size_t n;

    out->len = 0;
    if (!s->err && s->step == ENC_STEP_HEAD)
        (void)!take_head(s, in);
    if (s->err || s->step == ENC_STEP_HEAD || in->len == 0)
        return s->err;
    n = in->len < out->room ? in->len : out->room;
    end_replay(s);
    if (take_body(s, in, out->ptr, n) == ESP_OK)
        out->len = n;
    return s->err;
}

/* --- what an earlier session decrypted ------------------------------------ */

static esp_err_t replay(struct enc_stream *s, const uint8_t *plain, size_t n)
{
    uint8_t cipher[REPLAY_LEN];
    struct span in = span_of(cipher, n);

    if (enc_gcm_update(s->again, plain, cipher, n) != ESP_OK)
        return FAIL(s, ESP_FAIL, "AES failed after %lu bytes",
                    (unsigned long)s->done_len);
    return take_body(s, &in, cipher, n);
}

esp_err_t enc_stream_replay(struct enc_stream *s, const void *plain, size_t len)
{
    const uint8_t *p = plain;

    assert(s->step == ENC_STEP_BODY && (s->done_len == 0 || s->again));
    if (!s->err && !s->again)
        (void)!open_gcm(s, ENC_WAY_ENCRYPT, &s->again);
    while (!s->err && len > 0) {
        size_t n = len < REPLAY_LEN ? len : REPLAY_LEN;
        (void)!replay(s, p, n);
        p += n;
        len -= n;
    }
    return s->err;
}

/* --- the end -------------------------------------------------------------- */

static esp_err_t fail_short(struct enc_stream *s)
{
    if (s->step == ENC_STEP_HEAD)
        return FAIL(s, ESP_ERR_INVALID_SIZE,
                    "the file ends after %lu bytes; the head of an encrypted "
                    "image alone has %u",
                    (unsigned long)s->raw_len, ENC_HEAD_LEN);
    return FAIL(s, ESP_ERR_INVALID_SIZE,
                "the encrypted image ends after %lu of %lu bytes",
                ENC_HEAD_LEN + (unsigned long)s->done_len,
                ENC_HEAD_LEN + (unsigned long)s->head.body_len);
}

esp_err_t enc_stream_finish(struct enc_stream *s)
{
    uint8_t tag[ENC_TAG_LEN];

    if (s->err || s->step == ENC_STEP_VERIFIED)
        return s->err;
    if (!enc_stream_complete(s))
        return fail_short(s);
    if (enc_gcm_tag(s->gcm, tag) != ESP_OK)
        return FAIL(s, ESP_FAIL, "AES failed at the end of the image");
    if (!ct_eq(tag, s->head.tag, sizeof(tag)))
        return FAIL(s, ESP_ERR_INVALID_MAC,
                    "the encrypted image is not what was encrypted: its tag "
                    "does not fit; it was damaged, or is for another key");
    s->step = ENC_STEP_VERIFIED;
    return ESP_OK;
}
