#include "keys.h"

#include "base/crc32.h"
#include "image/key_store.h"

/* Who is trusted, as one number. */
static uint32_t digest_of(const struct img_keys *keys)
{
    uint8_t bytes[IMG_KEYS_PACKED_MAX];

    return crc32_le(0, bytes, img_keys_pack(keys, bytes));
}

static void in_force(struct world *w, struct img_keys *out)
{
    key_store_effective(&w->flash, &w->parts.table, w->conf->boot->rules.keys,
                        out);
}

esp_err_t keys_prepare(struct world *w, const char **why)
{
    struct img_keys now;
    struct key_store next;

    *why = "no key set was given";
    if (w->conf->keys.len == 0)
        return ESP_ERR_NOT_SUPPORTED;
    *why = "there is no key store, or the device has no keys";
    if (!key_store_part(&w->parts.table) || !w->conf->boot->rules.keys)
        return ESP_ERR_NOT_SUPPORTED;
    *why = "what was given is no key set";
    if (key_set_parse(w->conf->keys, &next))
        return ESP_FAIL;
    in_force(w, &now);
    w->memo = digest_of(&now);
    w->memo_new = digest_of(&next.keys);
    return ESP_OK;
}

/* A set that is in force already is installed: a device that asks again after
 * a cut is told so. */
esp_err_t keys_install(struct world *w)
{
    struct img_keys now;
    uint32_t why;

    in_force(w, &now);
    if (digest_of(&now) == w->memo_new)
        return ESP_OK;
    return key_store_install(&w->parts, key_store_part(&w->parts.table), &now,
                             w->conf->keys, &why);
}

const char *keys_check(struct world *w, bool *done)
{
    struct img_keys now;
    uint32_t digest;

    in_force(w, &now);
    digest = digest_of(&now);
    *done = digest == w->memo_new;
    if (!*done && digest != w->memo)
        return "neither the old keys nor the new ones are trusted";
    if (keys_install(w))
        return "the key set cannot be installed when it is tried again";
    in_force(w, &now);
    return digest_of(&now) == w->memo_new
               ? NULL
               : "the new keys are not trusted after they were installed";
}
