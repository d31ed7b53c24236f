/* judge.c - gathers what pre_judge() wants to know, and acts on its answer. */
#include "update/priv.h"

#include "base/log.h"

void upd_keep_head(struct upd *u, const void *data, size_t len)
{
    uint32_t off = u->work->check.fed_len;
    size_t room;

    if (off >= sizeof(u->work->head))
        return;
    room = sizeof(u->work->head) - off;
    if (len > room)
        len = room;
    memcpy(u->work->head + off, data, len);
    u->work->head_len = off + (uint32_t)len;
}

bool upd_may_erase(const struct upd *u)
{
    return upd_is_image(u) ? u->judged : u->head_told;
}

/* false: nothing runs, or it cannot be read. */
static bool running_desc(const struct upd *u, struct img_desc *out)
{
    const struct upd_device *dev = u->env.device;
    const struct port_flash *flash = dev->parts->flash;
    uint8_t bytes[IMG_HEAD_LEN];

    if (dev->running_off > flash->size_len - sizeof(bytes) ||
        flash->read(flash->ctx, dev->running_off, bytes, sizeof(bytes)))
        return false;
    img_desc_parse(span_of(bytes + IMG_APP_DESC_OFF, IMG_APP_DESC_LEN), out);
    return bytes[0] == IMG_MAGIC;
}

/* Of the image, as far as the server told. */
static uint64_t image_len(const struct upd *u)
{
    http_len total = u->fetch.file.total;
    uint32_t skip = upd_skip_len(u);

    if (total == HTTP_LEN_UNKNOWN || !upd_is_even(u) || total < skip)
        return PRE_LEN_UNKNOWN;
    return total - skip;
}

static esp_err_t ask(struct upd *u)
{
    const struct upd_device *dev = u->env.device;
    uint8_t table_sha[SHA256_LEN];
    struct img_desc running;
    struct img_cap cap;
    struct pre_facts facts = {
        .policy = &u->opts.pre,
        .is_app = u->target.kind == UPD_KIND_APP,
        .desc = &u->work->check.info.desc,
        .cap = &cap,
        .file_len = image_len(u),
        .least_len = u->work->check.least_len,
        .running = running_desc(u, &running) ? &running : NULL,
        .keys = u->work->check.rules.keys,
        .table_sha = table_sha,
        .heap_free = u->opts.heap_free ? u->opts.heap_free : PRE_HEAP_UNKNOWN,
    };
    struct pre_answer *answer = &u->result->pre;
    char text[200];

    img_cap_table(&dev->parts->table, table_sha);
    img_cap_parse(span_of(u->work->head, u->work->head_len),
                  u->work->check.info.segs[0].len, &cap);
    pre_judge(&facts, answer);
    if (answer->why != PRE_OK)
        return upd_fail(u, DIAG_STAGE_IMAGE, answer->err, "%s",
                        pre_text(&facts, answer, text, sizeof(text)));
    if (answer->updatable == PRE_UPD_NO)
        LOGW("update", "the image says that it is to be installed although "
                       "the device cannot be updated after it");
    return ESP_OK;
}

esp_err_t upd_preflight(struct upd *u, bool whole)
{
    if (u->judged || !upd_is_image(u) || !img_check_head_done(&u->work->check))
        return ESP_OK;
    if (CFG_PREFLIGHT && u->work->head_len < sizeof(u->work->head) && !whole)
        return ESP_OK;
    u->judged = true;
    return CFG_PREFLIGHT ? ask(u) : ESP_OK;
}
