#include "fuses.h"

#include "image/image.h"

/* What the image that runs says of itself. */
static esp_err_t image_version(struct world *w, uint32_t *version)
{
    const struct part_entry *p = boot_part(&w->parts.table, w->running);
    uint8_t bytes[IMG_APP_DESC_LEN];
    struct img_desc desc;
    esp_err_t err =
        p ? part_read(&w->parts, p, IMG_APP_DESC_OFF, bytes, sizeof(bytes))
          : ESP_ERR_NOT_FOUND;

    if (err)
        return err;
    img_desc_parse(span_of(bytes, sizeof(bytes)), &desc);
    *version = desc.secure_version;
    return ESP_OK;
}

esp_err_t fuses_prepare(struct world *w, const char **why)
{
    esp_err_t err;

    *why = "anti-rollback is off";
    if (!pol_anti_rollback(&w->conf->boot->policy))
        return ESP_ERR_NOT_SUPPORTED;
    *why = "the update fails";
    err = world_update(w, false);
    if (!err)
        err = world_reset(w);
    if (!err)
        err = fuse_read_version(&w->fuses.port, &w->memo);
    if (!err)
        err = image_version(w, &w->memo_new);
    if (err)
        return err;
    if (w->memo_new > w->fuses.port.bit_cnt)
        w->memo_new = w->fuses.port.bit_cnt; /* all that it can show */
    *why = "the image's secure version is not above the device's";
    w->memo_slot = w->running;
    return w->memo_new > w->memo ? ESP_OK : ESP_ERR_NOT_SUPPORTED;
}

esp_err_t fuses_confirm(struct world *w)
{
    esp_err_t err = world_mark(w, OTA_STATE_VALID);

    return err ? err : fuse_raise(&w->fuses.port, w->memo_new);
}

/* Twice, because undecided bits may read differently. */
static const char *look(struct world *w, bool confirmed, bool *is_new)
{
    for (unsigned turn = 0; turn < 2; turn++) {
        uint32_t version;

        if (fuse_read_version(&w->fuses.port, &version))
            return "the secure version cannot be read";
        if (version != w->memo && version != w->memo_new)
            return "the secure version is neither the old one nor the new one";
        *is_new = version == w->memo_new;
        if (*is_new && !confirmed)
            return "the fuses rose before the image was confirmed";
    }
    return NULL;
}

const char *fuses_check(struct world *w, bool *done)
{
    struct ota_rec rec[2];
    uint32_t active;
    bool confirmed, raised;
    const char *bad;

    if (world_records(w, rec))
        return "the boot records cannot be read";
    active = ota_active_idx(rec);
    confirmed =
        active != OTA_REC_NONE && rec[active].state == OTA_STATE_VALID &&
        ota_seq_slot(rec[active].seq, world_slot_cnt(w)) == w->memo_slot;
    bad = look(w, confirmed, done);
    if (bad || !confirmed)
        return bad;
    if (world_reset(w))
        return "nothing boots";
    bad = look(w, true, &raised);
    if (!bad && !raised)
        bad = "a confirmed image boots and the fuses do not rise";
    return bad;
}
