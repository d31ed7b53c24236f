/* A session from upd_begin() to its end: what it opens, reports and closes. */
#include "update/priv.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

_Static_assert(IMG_CAP_END <= UPD_HEAD_LEN && UPD_HEAD_LEN < CFG_WRITE_LEN,
               "the head is judged before anything is written");

/* A wait that the session's own limits cut short looks like a failure of the
 * network to whoever waited: true, it was one. */
static bool note_failure(struct upd *u, enum diag_stage stage, esp_err_t err)
{
    bool is_wait = stage >= DIAG_STAGE_RESOLVE && stage <= DIAG_STAGE_DOWNLOAD;
    esp_err_t limit = is_wait ? upd_limits_err(u) : ESP_OK;

    u->err = u->result->err = limit ? limit : err;
    u->result->stage = limit ? DIAG_STAGE_DOWNLOAD : stage;
    *u->diag = (struct diag)DIAG_NONE; /* of the try that was made */
    return limit != ESP_OK;
}

esp_err_t upd_plain_fail(struct upd *u, enum diag_stage stage, esp_err_t err)
{
    if (u->err)
        return u->err;
    (void)note_failure(u, stage, err);
    return diag_plain_fail(u->diag, u->result->stage, u->err);
}

esp_err_t(upd_fail)(struct upd *u, enum diag_stage stage, esp_err_t err,
                    const char *fmt, ...)
{
    char text[sizeof(u->diag->text)];
    va_list args;

    if (u->err)
        return u->err;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (note_failure(u, stage, err))
        upd_limits_text(u, text, sizeof(text));
    return diag_fail(u->diag, u->result->stage, u->err, "%s", text);
}

esp_err_t upd_fail_said(struct upd *u, esp_err_t err)
{
    return upd_fail(u, u->diag->stage, err, "%s", u->diag->text);
}

void upd_emit(const struct upd *u, enum upd_event ev, uint32_t value)
{
    if (u->opts.on_event)
        u->opts.on_event(u->opts.event_ctx, ev, value);
}

/* --- begin ---------------------------------------------------------------- */

void upd_close(struct upd *u)
{
    const struct port_heap *heap = u->env.http.heap;

    upd_pipe_abort(u);
    upd_fetch_close(u);
    if (u->opts.limit)
        u->opts.limit->deadline_ms = 0;
    slot_close(&u->slot);
    if (CFG_WRITE_BEHIND)
        heap->free(heap->ctx, u->behind);
    upd_work_close(u);
    if (CFG_STORE)
        heap->free(heap->ctx, u->mark);
    heap->free(heap->ctx, u->spare);
    heap->free(heap->ctx, u);
}

static esp_err_t alloc_session(struct upd **out, const struct upd_env *env,
                               const struct upd_opts *opts, struct diag *d)
{
    const struct port_heap *heap = env->http.heap;
    struct upd *u = heap->alloc(heap->ctx, sizeof(*u));

    if (!u)
        return ESP_ERR_NO_MEM;
    u->env = *env;
    u->opts = *opts;
    u->rx_len = opts->read_len ? opts->read_len : UPD_READ_LEN;
    if (!d || !opts->result) {
        u->spare = heap->alloc(heap->ctx, sizeof(*u->spare));
        if (!u->spare) {
            upd_close(u);
            return ESP_ERR_NO_MEM;
        }
    }
    u->diag = d ? d : &u->spare->diag;
    *u->diag = (struct diag)DIAG_NONE;
    u->result = opts->result ? opts->result : &u->spare->result;
    *u->result = (struct upd_result){ .image_len = -1 };
    *out = u;
    return ESP_OK;
}

struct img_rules upd_rules(const struct upd_device *dev, enum upd_kind kind,
                           uint32_t cap_len)
{
    return (struct img_rules){
        .kind =
            kind == UPD_KIND_BOOTLOADER ? IMG_KIND_BOOTLOADER : IMG_KIND_APP,
        .place = IMG_PLACE_WIRE,
        .chip_id = dev->chip_id,
        .chip_rev = dev->chip_rev,
        .check_rev = dev->check_rev,
        .require_hash = pol_require_hash(dev->policy),
        .keys = img_keys_for(pol_require_signed(dev->policy), dev->keys),
        .cap_len = cap_len,
    };
}

esp_err_t upd_open_slot(struct upd *u, uint32_t start_off)
{
    struct slot_opts opts = { u->work ? u->work->buf : NULL, upd_holds_head(u),
                              start_off, upd_behind_slot(u),
                              upd_buf_len(u->env.device->parts) };
    esp_err_t err;

    slot_close(&u->slot);
    err = slot_open(&u->slot, u->env.device->parts, &u->target.staging, &opts);

    if (err)
        return upd_fail(u, DIAG_STAGE_FLASH, err,
                        "%s cannot be written in whole sectors of %u bytes",
                        u->target.staging.label,
                        (unsigned)u->env.device->parts->flash->erase_len);
    return ESP_OK;
}

/* What is asked for and not in the build must not pass as if it held. */
static esp_err_t check_built(struct upd *u)
{
    if (!pol_built(u->env.device->policy))
        return upd_fail(u, DIAG_STAGE_ARGS, ESP_ERR_NOT_SUPPORTED,
                        "this build has no signatures, digests or "
                        "anti-rollback, which the device asks for");
    if (!CFG_PREFLIGHT && pre_wanted(&u->opts.pre))
        return upd_fail(u, DIAG_STAGE_ARGS, ESP_ERR_NOT_SUPPORTED,
                        "this build judges no image before it is written, "
                        "and that is asked for");
    return ESP_OK;
}

static esp_err_t begin(struct upd *u)
{
    esp_err_t err = check_built(u);

    if (!err)
        err = upd_final_redo(u);
    if (!err)
        err = upd_target_choose(u);
    if (err)
        return err;
    u->opts.staging = u->opts.final = NULL; /* copied; not ours to keep */
    if (CFG_RESULT)
        (void)text_clean(span_str(u->target.staging.label), u->result->slot,
                         sizeof(u->result->slot));
    err = upd_open_slot(u, 0);
    if (!err)
        err = upd_fetch_open(u);
    if (!err)
        upd_mark_place(u);
    if (!err)
        err = upd_pipe_begin(u);
    if (!err)
        err = upd_known_ask(u);
    if (!err)
        err = upd_resume(u);
    if (!err)
        err = upd_work_open(u);
    upd_known_asked(u);
    return err;
}

esp_err_t upd_begin(struct upd **out, const struct upd_env *env,
                    const struct upd_opts *opts, struct diag *d)
{
    struct upd *u = NULL;
    esp_err_t err = alloc_session(&u, env, opts, d);

    *out = NULL;
    if (err)
        return diag_fail(d, DIAG_STAGE_DOWNLOAD, err,
                         "there is no memory for an update");
    u->peeking = true;
    upd_limits_begin(u);
    upd_emit(u, UPD_EV_START, 0);
    err = begin(u);
    if (err) {
        (void)upd_result(u);
        upd_close(u);
        return err;
    }
    upd_emit(u, UPD_EV_CONNECTED, 0);
    *out = u;
    return ESP_OK;
}

/* --- head ----------------------------------------------------------------- */

static esp_err_t parse_head(struct upd *u)
{
    struct span bytes = span_of(u->work->buf, u->slot.fill_len);
    struct img_info *info = &u->result->image;
    struct img_header header;

    /* What is no image at all is said now, with the words of the check. */
    if (bytes.len < IMG_HEAD_LEN || img_header_parse(bytes, &header)) {
        esp_err_t err = upd_pipe_unpeek(u);
        if (err)
            return err;
        return upd_fail(u, DIAG_STAGE_IMAGE, ESP_ERR_OTA_VALIDATE_FAILED,
                        "the file has %u bytes, too few for an image",
                        (unsigned)bytes.len);
    }
    memcpy(u->work->head, bytes.ptr, IMG_HEAD_LEN);
    info->header = header;
    if (CFG_STAGING && u->target.kind == UPD_KIND_BOOTLOADER)
        img_boot_desc_parse(span_from(bytes, IMG_APP_DESC_OFF),
                            &info->boot_desc);
    else
        img_desc_parse(span_from(bytes, IMG_APP_DESC_OFF), &info->desc);
    return ESP_OK;
}

esp_err_t upd_head(struct upd *u, const struct img_info **info)
{
    *info = &u->result->image;
    if (u->err)
        return u->err;
    if (!upd_is_image(u))
        return ESP_ERR_NOT_SUPPORTED;
    if (u->head_told)
        return ESP_OK;
    while (u->peeking && u->slot.fill_len < IMG_HEAD_LEN && !u->done) {
        esp_err_t err = upd_pipe_pull(u);
        if (err)
            return err;
    }
    /* A stage may hand out so much at once that it went on to the check. */
    return u->head_told ? ESP_OK : parse_head(u);
}

esp_err_t upd_look(struct upd *u, const struct img_info **info)
{
    esp_err_t err = upd_head(u, info);

    while (!err && u->peeking && !u->done && u->slot.fill_len < UPD_HEAD_LEN)
        err = upd_pipe_pull(u);
    if (!err)
        err = upd_pipe_unpeek(u);
    return err ? err : upd_preflight(u, u->done);
}

void upd_hold(struct upd *u)
{
    u->held = true;
}

/* --- step ----------------------------------------------------------------- */

enum upd_step upd_step(struct upd *u, esp_err_t *err)
{
    uint32_t before = slot_taken(&u->slot);
    bool was_peeking = u->peeking;

    *err = u->err;
    if (!*err)
        *err = upd_check_limits(u);
    if (!*err)
        *err = upd_pipe_unpeek(u);
    if (!*err && !u->done)
        *err = upd_pipe_pull(u);
    if (!*err && !u->done)
        *err = upd_erase_ahead(u);
    u->result->written_len = slot_taken(&u->slot);
    u->result->erase_cnt = u->slot.erase_cnt;
    u->result->prog_cnt = u->slot.prog_cnt;
    if (was_peeking || slot_taken(&u->slot) != before)
        upd_emit(u, UPD_EV_WRITE, slot_taken(&u->slot));
    if (*err)
        return UPD_STEP_FAILED;
    return u->done ? UPD_STEP_DONE : UPD_STEP_MORE;
}

bool upd_complete(const struct upd *u)
{
    return u->done && !u->err;
}

const uint8_t *upd_head_bytes(const struct upd *u)
{
    return u->work->head;
}

const struct upd_result *upd_result(struct upd *u)
{
    if (u->opts.client)
        u->result->http = http_stats(u->opts.client);
    u->result->elapsed_ms = upd_now_ms(u) - u->start_ms;
    return u->result;
}

void upd_tell(struct upd *u, struct upd_result *out)
{
    const struct upd_result *r = upd_result(u);

    if (out && out != r)
        *out = *r;
}
