/* mark.c - when a checkpoint is written, and when it is not true any more.
 *
 * Invariant: all bytes below a kept offset were programmed, read back and
 * compared, and hashed on their way; what is done beside the session is waited
 * for first. Nothing below it is erased while the store says so: a session
 * that starts anew drops the checkpoint before its first erase. Should the
 * store not forget, the digest will not match.
 *
 * A checkpoint costs the store a write, so there are at most MARK_MAX_CNT in
 * a session; one more is written when the session ends in good order. */
#include "update/priv.h"

#include "base/log.h"

#define MARK_STEP_LEN 65536u
#define MARK_MAX_CNT 32u

static const char tag[] = "update";

static bool on_duty(const struct upd *u)
{
    return upd_store(u) && u->mark && upd_is_even(u) && !u->mark->off_duty;
}

/* --- what names the download ---------------------------------------------- */

static void digest_text(struct sha256 *sha, struct span s)
{
    uint8_t end = 0;

    sha256_update(sha, s.ptr, s.len);
    sha256_update(sha, &end, 1);
}

static void half_digest(struct sha256 *sha, uint8_t out[SHA256_LEN / 2])
{
    uint8_t all[SHA256_LEN];

    sha256_final(sha, all);
    memcpy(out, all, SHA256_LEN / 2);
}

static void name_place(const struct http_url *url, struct upd_checkpoint *c)
{
    uint8_t port[3] = { url->is_https, (uint8_t)url->port,
                        (uint8_t)(url->port >> 8) };
    struct sha256 sha;

    sha256_init(&sha);
    sha256_update(&sha, port, sizeof(port));
    digest_text(&sha, url->host);
    digest_text(&sha, url->path);
    half_digest(&sha, c->place);
    sha256_init(&sha);
    digest_text(&sha, url->query);
    half_digest(&sha, c->query);
}

void upd_mark_place(struct upd *u)
{
    const struct port_heap *heap = u->env.http.heap;
    struct upd_checkpoint *c;

    if (!upd_store(u))
        return;
    u->mark = heap->alloc(heap->ctx, sizeof(*u->mark));
    if (!u->mark) {
        LOGW(tag, "there is no memory for a checkpoint: should the download "
                  "break, it starts again");
        return;
    }
    c = &u->mark->point;
    name_place(http_url_now(u->fetch.client), c);
    c->slot_off = u->target.staging.off;
    c->slot_len = u->target.staging.len;
    c->skip_len = upd_skip_len(u);
}

/* --- writing -------------------------------------------------------------- */

/* The check hashes all bytes of an image up to its own digest. */
static bool is_hashed(const struct upd *u)
{
    return !upd_is_image(u) || u->work->check.step <= IMG_STEP_PAD;
}

static void keep(struct upd *u)
{
    struct upd_mark *m = u->mark;
    const struct upd_store *store = upd_store(u);
    char text[UPD_CHECKPOINT_TEXT_LEN];
    struct upd_checkpoint *c;
    struct sha256 sha;
    esp_err_t err;

    if (!on_duty(u) || m->off == m->kept_off ||
        !upd_file_known(&u->fetch.file) || slot_settle(&u->slot) != ESP_OK)
        return;
    c = &m->point;
    c->off = m->off;
    c->file = u->fetch.file;
    sha256_clone(&sha, &m->sha);
    sha256_final(&sha, c->digest);
    memcpy(c->head, u->slot.head, sizeof(c->head));
    if (upd_even(u))
        upd_even(u)->mark(u->opts.stages[0].ctx, c->mark);
    upd_checkpoint_format(c, text);
    err = store->save(store->ctx, UPD_CHECKPOINT_KEY, text);
    if (err) {
        m->off_duty = true;
        LOGW(tag,
             "no checkpoint can be kept (%s): should the download break, "
             "it starts again",
             err_name(err));
        return;
    }
    m->kept_off = c->off;
    u->result->checkpoint_cnt++;
}

/* Bytes between two checkpoints. */
static uint32_t step_len(const struct upd *u)
{
    uint32_t step =
        u->opts.checkpoint_len ? u->opts.checkpoint_len : MARK_STEP_LEN;
    uint64_t total = u->fetch.file.total;

    if (total > u->target.cap_len)
        total = u->target.cap_len;
    return total / MARK_MAX_CNT > step ? (uint32_t)(total / MARK_MAX_CNT)
                                       : step;
}

void upd_mark_bytes(struct upd *u, const void *data, size_t len)
{
    if (on_duty(u))
        sha256_update(&u->work->check.sha, data, len);
}

void upd_mark_sector(struct upd *u)
{
    struct upd_mark *m = u->mark;

    if (u->slot.done_off % u->slot.sector_len || !on_duty(u) || !is_hashed(u))
        return;
    m->off = u->slot.done_off;
    sha256_clone(&m->sha, &u->work->check.sha);
    if (m->off - m->kept_off >= step_len(u))
        keep(u);
}

/* --- reading -------------------------------------------------------------- */

bool upd_mark_load(struct upd *u, struct upd_checkpoint *out)
{
    const struct upd_store *store = upd_store(u);
    char text[UPD_STORE_TEXT_LEN] = "";
    const char *why = "the session is to start anew";

    if (!on_duty(u))
        return false;
    if (store->load(store->ctx, UPD_CHECKPOINT_KEY, text, sizeof(text)) ==
        ESP_ERR_NOT_FOUND)
        return false;
    u->mark->stale = true;
    if (!u->opts.restart) {
        esp_err_t err = upd_checkpoint_parse(span_str(text), out);
        why =
            err ? err_name(err)
                : upd_checkpoint_refuse(out, &u->mark->point,
                                        u->slot.sector_len, u->target.cap_len);
    }
    if (why)
        LOGI(tag, "the checkpoint is not used: %s", why);
    return why == NULL;
}

void upd_mark_resumed(struct upd *u)
{
    u->mark->stale = false;
    u->mark->off = u->mark->kept_off = u->slot.done_off;
    sha256_clone(&u->mark->sha, &u->work->check.sha);
}

/* --- forgetting ----------------------------------------------------------- */

static void drop(struct upd *u)
{
    const struct upd_store *store = upd_store(u);
    esp_err_t err = store->clear(store->ctx, UPD_CHECKPOINT_KEY);

    if (err)
        LOGW(tag, "the checkpoint cannot be dropped: %s", err_name(err));
    u->mark->stale = false;
    u->mark->kept_off = 0;
}

void upd_mark_drop_stale(struct upd *u)
{
    if (on_duty(u) && u->mark->stale)
        drop(u);
}

void upd_mark_restart(struct upd *u)
{
    if (!on_duty(u))
        return;
    u->mark->stale = u->mark->stale || u->mark->kept_off > 0;
    u->mark->off = u->mark->kept_off = 0;
}

/* What the network did can be gone on with; what the bytes or the flash are
 * like cannot. */
void upd_mark_end(struct upd *u, bool finished)
{
    bool has_any;

    if (!on_duty(u))
        return;
    has_any = u->mark->kept_off > 0 || u->mark->stale;
    if (!finished && u->result->stage <= DIAG_STAGE_DOWNLOAD)
        keep(u);
    else if (has_any)
        drop(u);
}
