/* Encrypted files, on any bytes and in any pieces. Asserted: never more comes
 * out than went in behind the head, the pieces do not matter, a head that is
 * read is the head that is written, and only what we encrypted is accepted.
 *
 * Byte 0 says how long the pieces are; its top bit: the file was encrypted for
 * this key, and what follows is changed in one place that the next bytes
 * name. */
#include <stdlib.h>
#include <string.h>

#include "enc/stream.h"
#include "sim_heap.h"
#include "sim_rng.h"

#define FILE_MAX 4096u

static struct sim_heap heap;
static struct sim_rng rng;

static void must(bool ok)
{
    if (!ok)
        abort();
}

/* The same key for every input. */
static struct enc_key *the_key(void)
{
    static const uint8_t hmac[ENC_HMAC_LEN] = "the key of every input";
    static const struct enc_env env = { &heap.port, &rng.port };
    static struct enc_key *key;

    if (!key) {
        sim_heap_init(&heap);
        sim_rng_init(&rng, 1);
        must(enc_key_open(&key, &env, span_of(hmac, sizeof(hmac)), "key",
                          NULL) == ESP_OK);
    }
    return key;
}

static void check_head(struct span file)
{
    uint8_t raw[ENC_HEAD_LEN];
    struct enc_head h, again;

    if (enc_head_parse(file, &h) != ESP_OK)
        return;
    must(h.body_len > 0 && enc_is_encrypted(file));
    enc_head_pack(&h, raw);
    must(enc_head_parse(span_of(raw, sizeof(raw)), &again) == ESP_OK);
    must(memcmp(&h, &again, sizeof(h)) == 0);
    must(enc_head_scheme(&h) == enc_head_scheme(&again));
}

static esp_err_t pour(struct span file, size_t step, uint8_t *out, size_t *len)
{
    struct enc_stream s;
    struct enc_out o = { out, FILE_MAX, 0 };
    esp_err_t err = ESP_OK;

    *len = 0;
    enc_stream_open(&s, the_key());
    while (!err && file.len > 0) {
        struct span in = span_of(file.ptr, step < file.len ? step : file.len);
        file = span_from(file, in.len);
        while (!err && in.len > 0) {
            o.ptr = out + *len;
            o.room = 97;
            err = enc_stream_feed(&s, &in, &o);
            *len += o.len;
        }
    }
    if (!err)
        err = enc_stream_finish(&s);
    must(err == ESP_OK || s.diag.text[0] != '\0');
    must((s.step == ENC_STEP_VERIFIED) == (err == ESP_OK));
    enc_stream_close(&s);
    return err;
}

#define SEALED_CNT 4u

/* Made once: big numbers are slow. */
static struct span sealed(uint32_t which)
{
    static const size_t lens[SEALED_CNT] = { 1, 16, 17, 300 };
    static const uint8_t plain[300] = "what is encrypted";
    static uint8_t files[SEALED_CNT][sizeof(plain) + ENC_HEAD_LEN];
    static bool made;

    for (uint32_t i = 0; !made && i < SEALED_CNT; i++)
        must(enc_seal(the_key(), span_of(plain, lens[i]), files[i]) == ESP_OK);
    made = true;
    return span_of(files[which], lens[which] + ENC_HEAD_LEN);
}

/* A file of ours; *changed: a bit of it is another one. */
static size_t take_sealed(const uint8_t *data, size_t size, uint8_t *file,
                          bool *changed)
{
    struct span s = sealed(size > 0 ? data[0] % SEALED_CNT : 0);
    size_t at;

    *changed = false;
    memcpy(file, s.ptr, s.len);
    if (size < 4)
        return s.len;
    at = (data[1] | (size_t)data[2] << 8) % s.len;
    file[at] ^= data[3];
    /* What is in the head's last bytes says nothing; of the wrapped key,
     * neither do those behind point and salt. */
    *changed = data[3] != 0 && (at < 100 || at >= 388) &&
               (at < 424 || at >= ENC_HEAD_LEN);
    return s.len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t file[FILE_MAX + 97], out[FILE_MAX + 97];
    bool ours = size > 0 && (data[0] & 0x80), changed = true;
    size_t step = size > 0 ? 1 + (data[0] & 0x7F) : 1;
    size_t len, out_len;
    esp_err_t err;

    if (size == 0 || size > FILE_MAX)
        return 0;
    (void)the_key();
    if (ours) {
        len = take_sealed(data + 1, size - 1, file, &changed);
    } else {
        len = size - 1;
        memcpy(file, data + 1, len);
    }
    check_head(span_of(file, len));
    err = pour(span_of(file, len), step, out, &out_len);
    must(out_len + ENC_HEAD_LEN <= len || out_len == 0);
    must((err == ESP_OK) == !changed);
    must(pour(span_of(file, len), FILE_MAX, out, &out_len) == err);
    return 0;
}
