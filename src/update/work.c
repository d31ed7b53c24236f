/* work.c - the memory that the bytes of an image need.
 *
 * A handshake needs much memory for a while. So this is taken after the first
 * one, and given back for each later one, but for what it holds: no byte of the
 * image comes while a server is asked. */
#include "update/priv.h"

#include <stddef.h>

#define PIECE_CNT 4u

/* Of the work, as bytes. */
struct piece {
    uint16_t off, len;
};

struct upd_parked {
    struct piece pieces[PIECE_CNT];
    uint8_t bytes[]; /* of these, one after the other */
};

#define INFO_OFF offsetof(struct img_check, info)
#define INFO_END (INFO_OFF + sizeof(struct img_info))

static void rx_free(struct upd *u)
{
    const struct port_heap *heap = u->env.http.heap;

    if (CFG_DECRYPT_CB)
        heap->free(heap->ctx, u->rx);
    u->rx = NULL;
}

static esp_err_t work_alloc(struct upd *u)
{
    const struct port_heap *heap = u->env.http.heap;

    u->work = heap->alloc(heap->ctx,
                          sizeof(*u->work) + upd_buf_len(u->env.device->parts));
    if (u->work && upd_stage_cnt(u) > 0)
        u->rx = heap->alloc(heap->ctx, u->rx_len);
    if (!u->work || (upd_stage_cnt(u) > 0 && !u->rx))
        return upd_fail(u, DIAG_STAGE_DOWNLOAD, ESP_ERR_NO_MEM,
                        "there is no memory for what the server sends");
    return ESP_OK;
}

esp_err_t upd_work_open(struct upd *u)
{
    struct img_rules rules =
        upd_rules(u->env.device, u->target.kind, u->target.cap_len);
    esp_err_t err;

    if (u->work)
        return ESP_OK;
    err = work_alloc(u);
    if (err)
        return err;
    img_check_open(&u->work->check, &rules);
    upd_behind_open(u);
    return upd_open_slot(u, 0);
}

/* What is used of it. The image's description is in the result, too, and of the
 * head a capability record is of no use once it was judged. */
static void find_pieces(const struct upd *u, struct piece out[PIECE_CNT])
{
    const size_t check_off = offsetof(struct upd_work, check);
    size_t used = img_check_used(&u->work->check);
    uint32_t head_len = u->judged ? IMG_HEAD_LEN : u->work->head_len;
    const size_t ends[PIECE_CNT][2] = {
        { 0, offsetof(struct upd_work, head) + head_len },
        { check_off, check_off + INFO_OFF },
        { check_off + INFO_END, check_off + used },
        { sizeof(*u->work), sizeof(*u->work) + u->slot.fill_len },
    };

    for (size_t i = 0; i < PIECE_CNT; i++)
        out[i] = (struct piece){ (uint16_t)ends[i][0],
                                 (uint16_t)(ends[i][1] - ends[i][0]) };
}

static size_t pieces_len(const struct piece pieces[PIECE_CNT])
{
    size_t len = 0;

    for (size_t i = 0; i < PIECE_CNT; i++)
        len += pieces[i].len;
    return len;
}

/* With buffers that are written beside the caller there is memory enough. */
void upd_work_park(struct upd *u)
{
    const struct port_heap *heap = u->env.http.heap;
    struct piece pieces[PIECE_CNT];
    struct upd_parked *p;
    uint8_t *to;

    if (!u->work || u->behind || !upd_is_image(u) || !u->head_told)
        return;
    find_pieces(u, pieces);
    p = heap->alloc(heap->ctx, sizeof(*p) + pieces_len(pieces));
    if (!p)
        return; /* it stays where it is */
    memcpy(p->pieces, pieces, sizeof(pieces));
    to = p->bytes;
    for (size_t i = 0; i < PIECE_CNT; to += pieces[i++].len)
        memcpy(to, (uint8_t *)u->work + pieces[i].off, pieces[i].len);
    u->result->image = u->work->check.info;
    rx_free(u);
    heap->free(heap->ctx, u->work);
    u->work = NULL;
    u->parked = p;
}

esp_err_t upd_work_unpark(struct upd *u)
{
    const struct port_heap *heap = u->env.http.heap;
    struct upd_parked *p = u->parked;
    const uint8_t *from;
    esp_err_t err;

    if (!p)
        return ESP_OK;
    err = work_alloc(u);
    if (err)
        return err;
    from = p->bytes;
    for (size_t i = 0; i < PIECE_CNT; from += p->pieces[i++].len)
        memcpy((uint8_t *)u->work + p->pieces[i].off, from, p->pieces[i].len);
    u->work->check.info = u->result->image;
    slot_set_buf(&u->slot, u->work->buf);
    heap->free(heap->ctx, p);
    u->parked = NULL;
    return ESP_OK;
}

void upd_work_close(struct upd *u)
{
    const struct port_heap *heap = u->env.http.heap;

    rx_free(u);
    heap->free(heap->ctx, u->work);
    heap->free(heap->ctx, u->parked);
}
