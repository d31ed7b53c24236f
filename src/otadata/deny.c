/* otadata/deny.c - verdicts to be read, and the list of failed digests.
 *
 * A digest is one entry. Clearing the list appends a marker that outranks all
 * older entries; it lives on like them, so that none of them comes back when
 * its own sector is erased. The bootloader needs none of this. */
#include "otadata/log.h"

#include <string.h>

static esp_err_t entry_read(const struct otadata_place *at,
                            const struct ota_live *l, struct ota_log_entry *e)
{
    uint8_t window[OTA_LOG_ENTRY_LEN];
    const struct port_flash *flash = at->flash;
    if (l->gen == 0)
        return ESP_ERR_NOT_FOUND;
    esp_err_t err = flash->read(flash->ctx, at->off + ota_live_off(l), window,
                                sizeof(window));
    if (err)
        return err;
    return ota_log_parse(window, e) && e->gen == l->gen ? ESP_OK
                                                        : ESP_ERR_INVALID_CRC;
}

esp_err_t otadata_verdict(const struct otadata_place *at,
                          const struct otadata *o, struct ota_event *out)
{
    struct ota_log_entry e;
    memset(out, 0, sizeof(*out));
    esp_err_t err = entry_read(at, &o->live[OTA_LIVE_VERDICT], &e);
    if (err == ESP_ERR_NOT_FOUND)
        return ESP_OK;
    if (!err)
        ota_event_parse(&e, out);
    return err;
}

/* The idx-th newest of the list, or an empty one. */
static const struct ota_live *deny_nth(const struct otadata *o, uint32_t idx)
{
    static const struct ota_live none;
    const struct ota_live *deny = o->live + OTA_LIVE_DENY;
    for (uint32_t i = 0; i < OTADATA_DENY_MAX; i++) {
        uint32_t newer = 0;
        for (uint32_t k = 0; k < OTADATA_DENY_MAX; k++)
            newer += deny[k].gen > deny[i].gen;
        if (deny[i].gen != 0 && newer == idx)
            return &deny[i];
    }
    return &none;
}

static esp_err_t nth_read(const struct otadata_place *at,
                          const struct otadata *o, uint32_t nth,
                          uint8_t digest[OTADATA_DIGEST_LEN])
{
    struct ota_log_entry e;
    esp_err_t err = entry_read(at, deny_nth(o, nth), &e);
    if (!err)
        memcpy(digest, e.data, OTADATA_DIGEST_LEN);
    return err;
}

/* Does it stand under a smaller number, too? */
static esp_err_t is_repeated(const struct otadata_place *at,
                             const struct otadata *o, uint32_t nth,
                             bool *repeated)
{
    uint8_t digest[OTADATA_DIGEST_LEN], newer[OTADATA_DIGEST_LEN];
    esp_err_t err = nth_read(at, o, nth, digest);
    *repeated = false;
    for (uint32_t i = 0; i < nth && !err && !*repeated; i++) {
        err = nth_read(at, o, i, newer);
        *repeated = !err && memcmp(newer, digest, sizeof(newer)) == 0;
    }
    return err;
}

/* A release that was let in again and failed again has two entries, each of
 * which names its trial: it counts once. */
esp_err_t otadata_deny_get(const struct otadata_place *at,
                           const struct otadata *o, uint32_t idx,
                           uint8_t digest[OTADATA_DIGEST_LEN])
{
    for (uint32_t nth = 0; nth < OTADATA_DENY_MAX; nth++) {
        bool repeated;
        esp_err_t err = nth_read(at, o, nth, digest);
        if (!err)
            err = is_repeated(at, o, nth, &repeated);
        if (err || (!repeated && idx-- == 0))
            return err;
    }
    return ESP_ERR_NOT_FOUND;
}

esp_err_t otadata_deny_has(const struct otadata_place *at,
                           const struct otadata *o,
                           const uint8_t digest[OTADATA_DIGEST_LEN],
                           bool *denied)
{
    *denied = true;
    for (uint32_t i = 0; i < OTADATA_DENY_MAX; i++) {
        uint8_t listed[OTADATA_DIGEST_LEN];
        esp_err_t err = otadata_deny_get(at, o, i, listed);
        if (err == ESP_ERR_NOT_FOUND)
            break;
        if (err || memcmp(listed, digest, sizeof(listed)) == 0)
            return err;
    }
    *denied = false;
    return ESP_OK;
}

/* Where there is more room; a move of house carries it along. */
static esp_err_t append(const struct otadata_place *at, struct otadata *o,
                        struct ota_log_entry *e)
{
    uint32_t sector = o->free_cnt[1] > o->free_cnt[0] ? 1 : 0;
    return ota_log_append(at, o, sector, e);
}

/* When the last trial of a record can have ended at the earliest: at its
 * verdict, or, where a bootloader without this log ended it, after the change
 * that began it. Only the newest change of all is known. */
static esp_err_t trial_gen(const struct otadata_place *at,
                           const struct otadata *o, uint32_t idx, uint32_t *gen)
{
    uint8_t window[OTA_LOG_ENTRY_LEN];
    struct ota_log_entry e;
    esp_err_t err;

    *gen = o->live[OTA_LIVE_VERDICT].gen;
    if (o->open_off == 0)
        return ESP_OK;
    err = at->flash->read(at->flash->ctx, at->off + o->open_off, window,
                          sizeof(window));
    if (!err && ota_log_parse(window, &e) && e.target == idx && e.gen > *gen)
        *gen = e.gen;
    return err;
}

/* An entry names the record that it was learnt from. The sequence may come
 * again for another trial. An empty list has forgotten what failed before. */
esp_err_t otadata_deny_learnt(const struct otadata_place *at,
                              const struct otadata *o, uint32_t idx,
                              bool *learnt)
{
    uint32_t since;
    esp_err_t err = trial_gen(at, o, idx, &since);
    *learnt = !err && o->live[OTA_LIVE_CLEARED].gen > since;
    for (uint32_t i = 0; i < OTADATA_DENY_MAX && !err && !*learnt; i++) {
        const struct ota_live *l = deny_nth(o, i);
        struct ota_log_entry e;
        if (l->gen <= since)
            break;
        err = entry_read(at, l, &e);
        *learnt = !err && e.old_seq == o->rec[idx].seq;
    }
    return err;
}

esp_err_t otadata_deny_learn(const struct otadata_place *at, struct otadata *o,
                             const uint8_t digest[OTADATA_DIGEST_LEN],
                             uint32_t idx)
{
    struct ota_log_entry e = { .type = OTA_LOG_DENY };
    bool learnt = false;
    esp_err_t err = otadata_redo(at, o);
    if (!err)
        err = otadata_deny_learnt(at, o, idx, &learnt);
    if (err || learnt)
        return err;
    e.old_seq = o->rec[idx].seq;
    memcpy(e.data, digest, OTADATA_DIGEST_LEN);
    return append(at, o, &e);
}

esp_err_t otadata_deny_add(const struct otadata_place *at, struct otadata *o,
                           const uint8_t digest[OTADATA_DIGEST_LEN])
{
    struct ota_log_entry e = { .type = OTA_LOG_DENY };
    bool denied = false;
    esp_err_t err = otadata_redo(at, o);
    if (!err)
        err = otadata_deny_has(at, o, digest, &denied);
    if (err || denied)
        return err;
    memcpy(e.data, digest, OTADATA_DIGEST_LEN);
    return append(at, o, &e);
}

esp_err_t otadata_deny_clear(const struct otadata_place *at, struct otadata *o)
{
    struct ota_log_entry e = { .type = OTA_LOG_DENY_CLEAR };
    const struct ota_live *cleared = &o->live[OTA_LIVE_CLEARED];
    uint32_t gen[2] = { 0, 0 };
    esp_err_t err = otadata_redo(at, o);
    /* A failure that is older than this and that nobody has learnt yet is
     * forgotten, too: see boot/deny.h. */
    for (uint32_t idx = 0; idx < 2 && !err; idx++)
        err = trial_gen(at, o, idx, &gen[idx]);
    bool is_clear = deny_nth(o, 0)->gen == 0 && cleared->gen > gen[0] &&
                    cleared->gen > gen[1];
    if (err || is_clear)
        return err;
    memset(e.data, 0xFF, sizeof(e.data));
    return append(at, o, &e);
}
