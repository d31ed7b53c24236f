/* deny.c - a release that failed on this device is not installed again. */
#include "update/priv.h"

#include "base/log.h"
#include "base/text.h"
#include "boot/deny.h"

static esp_err_t refuse(struct upd *u)
{
    const struct img_desc *desc = &u->result->image.desc;
    char version[64];

    text_clean(span_str(desc->version), version, sizeof(version));
    return upd_fail(u, DIAG_STAGE_IMAGE, ESP_ERR_NOT_ALLOWED,
                    "version %s failed on this device before and is on its "
                    "list of denied images; porta_ota_denied_clear() or porta "
                    "deny clear empties the list",
                    version);
}

typedef esp_err_t (*ask_fn)(const struct part_dev *parts,
                            const uint8_t digest[SHA256_LEN], bool *denied);

static esp_err_t ask(struct upd *u, ask_fn fn, bool *denied)
{
    uint8_t digest[SHA256_LEN];

    *denied = false;
    if (!u->target.has_boot || !pol_deny(u->env.device->policy) ||
        img_identity(span_of(u->work->head, sizeof(u->work->head)), digest))
        return ESP_OK;
    return fn(u->env.device->parts, digest, denied);
}

bool upd_is_denied(struct upd *u)
{
    bool denied;

    return ask(u, deny_would_have, &denied) != ESP_OK || denied;
}

static esp_err_t check(struct upd *u, ask_fn fn)
{
    bool denied;
    esp_err_t err = ask(u, fn, &denied);

    if (err)
        return upd_fail(u, DIAG_STAGE_FLASH, err,
                        "the list of denied images cannot be read");
    return denied ? refuse(u) : ESP_OK;
}

/* The slot that is about to be written may be all that knows. */
static void learn(struct upd *u)
{
    esp_err_t err;

    if (!u->target.has_boot || !pol_deny(u->env.device->policy))
        return;
    err = deny_learn(u->env.device->parts);
    if (err)
        LOGW("update", "the image that failed cannot be denied: %s",
             err_name(err));
}

esp_err_t upd_check_denied(struct upd *u)
{
    esp_err_t err = check(u, deny_would_have);

    if (!err)
        learn(u);
    return err;
}

esp_err_t upd_check_listed(struct upd *u)
{
    return check(u, deny_has);
}
