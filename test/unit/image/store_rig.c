#include "store_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "signer.h"

static void add_part(struct part_table *t, uint8_t subtype, uint32_t off,
                     uint32_t len)
{
    t->entries[t->cnt++] = (struct part_entry){ .type = PART_TYPE_DATA,
                                                .subtype = subtype,
                                                .off = off,
                                                .len = len,
                                                .label = "porta_keys" };
}

void store_rig_open(struct store_rig *r, enum img_scheme scheme)
{
    memset(r, 0, sizeof(*r));
    r->scheme = scheme;
    assert_int_equal(sim_flash_init(&r->flash, NULL), ESP_OK);
    r->dev.flash = &r->flash.port;
    add_part(&r->dev.table, PART_DATA_NVS, 0x1000, 0x1000);
    add_part(&r->dev.table, KEY_STORE_SUBTYPE, STORE_OFF, KEY_STORE_LEN);
    r->part = key_store_part(&r->dev.table);
    assert_non_null(r->part);
    signer_trust(scheme, 1, &r->own);
}

void store_rig_close(struct store_rig *r)
{
    sim_flash_deinit(&r->flash);
}

static void make_keys(enum img_scheme scheme, const struct set_spec *spec,
                      struct img_keys *out)
{
    struct img_keys all;

    signer_trust(scheme, scheme == IMG_SCHEME_RSA3072 ? 2 : SIGNER_KEYS, &all);
    memset(out, 0, sizeof(*out));
    out->scheme = scheme;
    out->need = spec->need;
    for (const char *c = spec->keys; *c; c++) {
        enum verdict trust = VERDICT_ACCEPT;

        if (*c == '-') {
            trust = VERDICT_REJECT;
            c++;
        }
        out->key[out->cnt] = all.key[*c - '0'];
        out->key[out->cnt++].trust = trust;
    }
}

uint32_t store_set_make(enum img_scheme scheme, const struct set_spec *spec,
                        uint8_t file[SET_FILE_LEN])
{
    struct img_keys keys;

    memset(file, 0xFF, SET_FILE_LEN);
    make_keys(scheme, spec, &keys);
    (void)!key_set_pack(&keys, spec->version, file);
    if (scheme == IMG_SCHEME_V1)
        signer_v1((unsigned)(spec->signers[0] - '0'), file, KEY_SET_LEN,
                  file + KEY_SET_LEN);
    else
        for (unsigned i = 0; spec->signers[i]; i++)
            signer_block(scheme, (unsigned)(spec->signers[i] - '0'), file,
                         KEY_SET_LEN, file + KEY_SET_LEN + i * IMG_SIG_V2_LEN);
    return KEY_SET_LEN + img_sig_len(scheme);
}

esp_err_t store_install(struct store_rig *r, const struct set_spec *spec)
{
    uint8_t file[SET_FILE_LEN];
    uint32_t len = store_set_make(r->scheme, spec, file), why;
    struct img_keys now;

    key_store_effective(&r->flash.port, &r->dev.table, &r->own, &now);
    return key_store_install(&r->dev, r->part, &now, span_of(file, len), &why);
}

esp_err_t store_revoke(struct store_rig *r, unsigned key)
{
    struct img_keys all;

    signer_trust(r->scheme, key + 1, &all);
    return key_store_revoke(&r->dev, r->part, all.key[key].id);
}

static char name_of(const struct store_rig *r, const struct img_key *key)
{
    struct img_keys all;

    signer_trust(r->scheme, r->scheme == IMG_SCHEME_RSA3072 ? 2 : SIGNER_KEYS,
                 &all);
    for (uint32_t i = 0; i < all.cnt; i++)
        if (memcmp(all.key[i].id, key->id, SHA256_LEN) == 0)
            return (char)('0' + i);
    return '?';
}

const char *store_in_force(struct store_rig *r)
{
    static char text[2 * IMG_KEYS_MAX + 1];
    struct img_keys keys;
    size_t at = 0;

    key_store_effective(&r->flash.port, &r->dev.table, &r->own, &keys);
    for (uint32_t i = 0; i < keys.cnt; i++) {
        if (keys.key[i].trust != VERDICT_ACCEPT)
            text[at++] = '-';
        text[at++] = name_of(r, &keys.key[i]);
    }
    text[at] = '\0';
    return text;
}
