#include "crypt_file.h"

#include <stdlib.h>
#include <string.h>

#include "enc/stream.h"
#include "linux_heap.h"
#include "linux_rng.h"

#define KEY_MAX_LEN 65536u

const struct enc_env crypt_env = { &linux_heap, &linux_rng };

static const char *const ids[] = { "", "rsa3072", "ecies256" };

esp_err_t crypt_key_open(const char *path, const struct enc_env *env,
                         struct enc_key **out, struct diag *d)
{
    struct cli_bytes bytes = CLI_BYTES_NONE;
    esp_err_t err = cli_read_file(path, KEY_MAX_LEN, &bytes, d);

    *out = NULL;
    if (!err)
        err = enc_key_open(out, env, span_of(bytes.ptr, bytes.len), path, d);
    cli_bytes_free(&bytes);
    return err;
}

esp_err_t crypt_key_open_private(const char *path, const struct enc_env *env,
                                 struct enc_key **out, struct diag *d)
{
    esp_err_t err = crypt_key_open(path, env, out, d);

    if (err || enc_key_is_private(*out))
        return err;
    enc_key_close(*out);
    *out = NULL;
    return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_INVALID_ARG,
                     "%s is a public key, and decrypting takes the private "
                     "one",
                     path);
}

esp_err_t crypt_unseal(const char *path, const struct enc_key *key,
                       struct span in, struct cli_bytes *out, struct diag *d)
{
    struct enc_out plain = { malloc(in.len + 1), in.len + 1, 0 };
    struct enc_stream s;
    esp_err_t err;

    if (!plain.ptr)
        return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_NO_MEM, "out of memory");
    enc_stream_open(&s, key);
    err = enc_stream_feed(&s, &in, &plain);
    if (!err)
        err = enc_stream_finish(&s);
    if (err)
        err = diag_fail(d, DIAG_STAGE_IMAGE, err, "%s: %s", path, s.diag.text);
    enc_stream_close(&s);
    *out = (struct cli_bytes){ plain.ptr, plain.len };
    return err;
}

enum enc_scheme crypt_scheme_by_name(const char *name)
{
    for (int i = ENC_SCHEME_RSA3072; i <= ENC_SCHEME_ECIES256; i++) {
        if (strcmp(ids[i], name) == 0)
            return (enum enc_scheme)i;
    }
    return ENC_SCHEME_NONE;
}

const char *crypt_scheme_id(enum enc_scheme scheme)
{
    return ids[scheme];
}
