/* Sets of keys from files. */
#include <string.h>

#include "base/text.h"
#include "crypto/ct.h"
#include "key_file.h"

enum img_scheme key_scheme_by_name(const char *name)
{
    for (int i = IMG_SCHEME_V1; i <= IMG_SCHEME_ECDSA384; i++)
        if (strcmp(name, img_scheme_name((enum img_scheme)i)) == 0)
            return (enum img_scheme)i;
    return IMG_SCHEME_NONE;
}

bool key_fits(enum key_kind kind, enum img_scheme scheme)
{
    switch (scheme) {
    case IMG_SCHEME_V1:
    case IMG_SCHEME_ECDSA256:
        return kind == KEY_P256;
    case IMG_SCHEME_RSA3072:
        return kind == KEY_RSA3072;
    case IMG_SCHEME_ECDSA384:
        return kind == KEY_P384;
    default:
        return false;
    }
}

static enum img_scheme scheme_of(enum key_kind kind)
{
    static const enum img_scheme schemes[] = {
        [KEY_RSA3072] = IMG_SCHEME_RSA3072,
        [KEY_P256] = IMG_SCHEME_ECDSA256,
        [KEY_P384] = IMG_SCHEME_ECDSA384,
    };

    return schemes[kind];
}

static esp_err_t add(struct img_keys *keys, const char *path,
                     const struct key_file *file, struct diag *d)
{
    struct img_key *key = &keys->key[keys->cnt];
    uint8_t fields[KEY_FIELDS_MAX];

    if (keys->scheme == IMG_SCHEME_NONE)
        keys->scheme = scheme_of(file->kind);
    if (!key_fits(file->kind, keys->scheme))
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "%s is not a key of the scheme %s",
                         text_name(path).text, img_scheme_name(keys->scheme));
    if (keys->cnt == IMG_KEYS_MAX)
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_NO_MEM,
                         "%s is one key too many: a set holds %u",
                         text_name(path).text, IMG_KEYS_MAX);
    key_file_id(file, key->id);
    for (uint32_t i = 0; i < keys->cnt; i++)
        if (ct_diff(keys->key[i].id, key->id, SHA256_LEN) == 0)
            return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                             "%s is a key that was named already",
                             text_name(path).text);
    if (keys->scheme == IMG_SCHEME_V1) {
        (void)key_file_fields(file, fields);
        memcpy(key->xy, fields + 1, sizeof(key->xy));
    }
    return ESP_OK;
}

esp_err_t key_set_add(struct img_keys *keys, const char *path,
                      enum verdict trust, struct diag *d)
{
    struct key_file file;
    esp_err_t err = key_file_open(path, &file, d);

    if (!err)
        err = add(keys, path, &file, d);
    if (!err)
        keys->key[keys->cnt++].trust = trust;
    key_file_close(&file);
    return err;
}

esp_err_t key_set_load(struct img_keys *keys, const struct cli_list *paths,
                       uint32_t need, struct diag *d)
{
    esp_err_t err = ESP_OK;

    for (int i = 0; !err && i < paths->cnt; i++)
        err = key_set_add(keys, paths->val[i], VERDICT_ACCEPT, d);
    if (err)
        return err;
    keys->need = need ? need : 1;
    if (keys->need > keys->cnt)
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "%u signatures are required and there are %u keys",
                         (unsigned)keys->need, (unsigned)keys->cnt);
    if (keys->need > 1 && keys->scheme == IMG_SCHEME_V1)
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "an image carries one signature of scheme v1, so %u "
                         "cannot be required",
                         (unsigned)keys->need);
    return ESP_OK;
}
