/* behind.c - a slot that is written while the next bytes come.
 *
 * A sector takes a flash chip some 56 ms, most of which is its erase; done one
 * after the other, an update takes the time of the network and that of the
 * flash. Where the port can work beside the caller, full buffers are handed
 * over, and sectors erased a few ahead once it is known how long the file is.
 * What that takes is SLOT_BEHIND_BUFS more buffers of upd_buf_len(); without
 * them all goes on as it does without such a port. */
#include "update/priv.h"

struct upd_behind {
    struct slot_behind slot;
    uint8_t bufs[];
};

void upd_behind_open(struct upd *u)
{
    const struct port_heap *heap = u->env.http.heap;
    size_t buf_len = upd_buf_len(u->env.device->parts);

    if (!POL_WRITE_BEHIND || !u->env.work)
        return;
    u->behind =
        heap->alloc(heap->ctx, sizeof(*u->behind) + SLOT_BEHIND_BUFS * buf_len);
    if (!u->behind)
        return;
    u->behind->slot.work = u->env.work;
    u->behind->slot.bufs = u->behind->bufs;
}

struct slot_behind *upd_behind_slot(struct upd *u)
{
    return u->behind ? &u->behind->slot : NULL;
}

esp_err_t upd_erase_ahead(struct upd *u)
{
    struct upd_ahead_in in = { .sector_len = u->slot.sector_len };
    esp_err_t err = ESP_OK;
    bool more;

    if (!POL_WRITE_BEHIND || !u->behind || !upd_may_erase(u))
        return ESP_OK;
    in.end_off = upd_told_end(u);
    in.taken_off = slot_taken(&u->slot);
    in.erased_off = u->slot.erased_off;
    while (!err && upd_decide_ahead(&in)) {
        err = upd_erase_step(u, &more);
        in.erased_off = u->slot.erased_off;
    }
    return err;
}
