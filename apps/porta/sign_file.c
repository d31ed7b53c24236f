#include "sign_file.h"

#include <stdlib.h>
#include <string.h>

#include "image/sig.h"
#include "image/sig_build.h"

/* The sector that is behind the content already, else an erased one. */
static esp_err_t old_sector(const struct sign_job *job, uint8_t *sector,
                            struct diag *d)
{
    size_t off = img_sig_off(job->scheme, (uint32_t)job->content_len);
    size_t at = job->content_len;

    memset(sector, 0xFF, IMG_SIG_SECTOR_LEN);
    while (at < job->file.len && job->file.ptr[at] == 0xFF)
        at++;
    if (at >= job->file.len)
        return ESP_OK;
    if (at != off || job->file.len - off < IMG_SIG_SECTOR_LEN)
        return diag_fail(d, DIAG_STAGE_IMAGE, ESP_ERR_INVALID_SIZE,
                         "%s has something at offset %zu that is no signature "
                         "of scheme %s; sign the file without it",
                         job->name, at, img_scheme_name(job->scheme));
    memcpy(sector, job->file.ptr + off, IMG_SIG_SECTOR_LEN);
    return ESP_OK;
}

static esp_err_t fail_room(const struct sign_job *job, esp_err_t err,
                           struct diag *d)
{
    switch (err) {
    case ESP_ERR_NO_MEM:
        return diag_fail(d, DIAG_STAGE_IMAGE, err,
                         "%s has three signatures already, the most there is "
                         "room for",
                         job->name);
    case ESP_ERR_INVALID_ARG:
        return diag_fail(d, DIAG_STAGE_IMAGE, err,
                         "%s is signed by this key already", job->name);
    default:
        return diag_fail(d, DIAG_STAGE_IMAGE, err,
                         "%s has a signature block that is damaged, of another "
                         "scheme or for other content; sign the file without "
                         "it",
                         job->name);
    }
}

static esp_err_t sign_v2(const struct sign_job *job, struct key_file *key,
                         uint8_t *sector, struct diag *d)
{
    uint8_t digest[SHA384_LEN], fields[KEY_FIELDS_MAX], sig[384];
    uint8_t id[SHA256_LEN];
    uint32_t idx;
    esp_err_t err = old_sector(job, sector, d);

    if (err)
        return err;
    (void)img_sig_digest(job->scheme, span_of(job->file.ptr, job->content_len),
                         digest);
    key_file_id(key, id);
    err = img_sector_room(sector, job->scheme, digest, id, &idx);
    if (err)
        return fail_room(job, err, d);
    if (key_file_sign(key, digest, sig) == 0)
        return diag_fail(d, DIAG_STAGE_IMAGE, ESP_FAIL,
                         "the key could not sign %s", job->name);
    (void)key_file_fields(key, fields);
    img_block_pack(job->scheme, fields, digest, sig,
                   sector + idx * IMG_SIG_V2_LEN);
    return ESP_OK;
}

static esp_err_t sign_v1(const struct sign_job *job, struct key_file *key,
                         uint8_t *block, struct diag *d)
{
    struct span rest = span_from(job->file, job->content_len);
    uint8_t digest[SHA384_LEN], rs[384];

    for (size_t i = 0; i < rest.len; i++)
        if (rest.ptr[i] != 0xFF)
            return diag_fail(d, DIAG_STAGE_IMAGE, ESP_ERR_INVALID_STATE,
                             "%s is signed already, and scheme v1 has one "
                             "signature; sign the file without it",
                             job->name);
    (void)img_sig_digest(job->scheme, span_of(job->file.ptr, job->content_len),
                         digest);
    if (key_file_sign(key, digest, rs) == 0)
        return diag_fail(d, DIAG_STAGE_IMAGE, ESP_FAIL,
                         "the key could not sign %s", job->name);
    img_block_pack_v1(rs, block);
    return ESP_OK;
}

/* As a device that trusts this key alone. */
static bool accepted(const struct sign_job *job, struct key_file *key,
                     const struct cli_bytes *out)
{
    uint32_t off = img_sig_off(job->scheme, (uint32_t)job->content_len);
    uint8_t fields[KEY_FIELDS_MAX];
    struct img_keys keys = { .scheme = job->scheme, .need = 1, .cnt = 1 };
    struct img_sig s;

    keys.key[0].trust = VERDICT_ACCEPT;
    key_file_id(key, keys.key[0].id);
    if (job->scheme == IMG_SCHEME_V1) {
        (void)key_file_fields(key, fields);
        memcpy(keys.key[0].xy, fields + 1, sizeof(keys.key[0].xy));
    }
    img_sig_open(&s, &keys);
    img_sig_hash(&s, out->ptr, off);
    (void)img_sig_feed(&s, out->ptr + off, out->len - off);
    return img_sig_finish(&s) == VERDICT_ACCEPT;
}

esp_err_t sign_file(const struct sign_job *job, struct key_file *key,
                    struct cli_bytes *out, struct diag *d)
{
    uint32_t off = img_sig_off(job->scheme, (uint32_t)job->content_len);
    esp_err_t err;

    *out = (struct cli_bytes)CLI_BYTES_NONE;
    out->len = off + img_sig_len(job->scheme);
    out->ptr = malloc(out->len);
    if (!out->ptr)
        return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_NO_MEM, "out of memory");
    memset(out->ptr, 0xFF, out->len);
    memcpy(out->ptr, job->file.ptr, job->content_len);
    if (job->scheme == IMG_SCHEME_V1)
        err = sign_v1(job, key, out->ptr + off, d);
    else
        err = sign_v2(job, key, out->ptr + off, d);
    if (!err && !accepted(job, key, out))
        err = diag_fail(d, DIAG_STAGE_IMAGE, ESP_FAIL,
                        "the signature of %s does not verify; this is a bug, "
                        "nothing was written",
                        job->name);
    if (err)
        cli_bytes_free(out);
    return err;
}
