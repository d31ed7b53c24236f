/* Bytes on their way through the image's verifier, and what its refusals are
 * called. */
#include "update/priv.h"

#include <stdio.h>

#include "base/text.h"
#include "enc/head.h"
#include "image/text.h"

/* How much of a body is quoted when it is no image. */
#define QUOTE_LEN 100u      /* of text */
#define QUOTE_BYTES_LEN 10u /* of anything else */

/* As the reference's functions return it. */
static esp_err_t fault_err(enum img_fault_kind kind)
{
    switch (kind) {
    case IMG_FAULT_CHIP:
    case IMG_FAULT_REV_LOW:
    case IMG_FAULT_REV_HIGH:
        return ESP_ERR_INVALID_VERSION;
    default:
        return ESP_ERR_OTA_VALIDATE_FAILED;
    }
}

/* Text as text, anything else as bytes. */
static void quote(const struct upd *u, struct span s, char *out, size_t out_len)
{
    size_t at = 0;

    if (s.len > 0 && s.ptr[0] >= ' ' && s.ptr[0] < 0x7F) {
        upd_quote(u, s, out, out_len);
        return;
    }
    out[0] = '\0';
    for (size_t i = 0; i < s.len && i < QUOTE_BYTES_LEN; i++)
        at += (size_t)snprintf(out + at, out_len - at, i ? " %02x" : "%02x",
                               s.ptr[i]);
}

/* The file's first bytes stand at the start of the sector buffer. */
static esp_err_t fail_magic(struct upd *u, const uint8_t *end)
{
    const struct http_head *head = http_head(u->fetch.client);
    const char *type =
        head->content_type[0] ? head->content_type : "something without a type";
    size_t have = (size_t)(end - u->work->buf);
    bool is_page = strncmp(type, "text/html", 9) == 0;
    char text[QUOTE_LEN + 1];

    if (!CFG_SENTENCES)
        return upd_plain_fail(u, DIAG_STAGE_IMAGE, ESP_ERR_OTA_VALIDATE_FAILED);
    if (upd_stage_cnt(u) == 0 && enc_is_encrypted(span_of(u->work->buf, have)))
        return upd_fail(u, DIAG_STAGE_IMAGE, ESP_ERR_OTA_VALIDATE_FAILED,
                        "the server sent an encrypted image, and this session "
                        "has no key to decrypt it by");
    quote(u, span_of(u->work->buf, have < QUOTE_LEN ? have : QUOTE_LEN), text,
          sizeof(text));
    if (upd_stage_cnt(u) > 0)
        return upd_fail(u, DIAG_STAGE_IMAGE, ESP_ERR_OTA_VALIDATE_FAILED,
                        "what the file decrypts to is no firmware image, it "
                        "begins with \"%s\": most likely it was encrypted for "
                        "another key",
                        text);
    return upd_fail(u, DIAG_STAGE_IMAGE, ESP_ERR_OTA_VALIDATE_FAILED,
                    "the server sent %s, which is no firmware image: it begins "
                    "with \"%s\"%s",
                    type, text,
                    is_page ? "; a network's login page (captive portal)?"
                            : "");
}

esp_err_t upd_check_failed(struct upd *u)
{
    const struct img_fault *fault = &u->work->check.fault;
    char text[200];

    if (fault->kind == IMG_FAULT_TOO_LARGE)
        return upd_fail(u, DIAG_STAGE_IMAGE, ESP_ERR_INVALID_SIZE,
                        "the image has at least %u bytes, %s has room for %u: "
                        "%u too many",
                        (unsigned)fault->got, u->target.staging.label,
                        (unsigned)u->target.cap_len,
                        (unsigned)(fault->got - u->target.cap_len));
    return upd_fail(u, DIAG_STAGE_IMAGE, fault_err(fault->kind), "%s",
                    img_fault_text(fault, text, sizeof(text)));
}

static void tell(struct upd *u)
{
    const struct img_info *info = &u->work->check.info;

    if (!u->header_told && u->work->check.fed_len >= IMG_HEADER_LEN &&
        info->header.magic == IMG_MAGIC) {
        u->header_told = true;
        upd_emit(u, UPD_EV_CHIP, info->header.chip_id);
        upd_emit(u, UPD_EV_REV, info->header.min_rev);
    }
    if (!u->head_told && img_check_head_done(&u->work->check)) {
        u->head_told = true;
        u->result->image = *info;
        upd_emit(u, UPD_EV_HEAD, 0);
    }
}

/* Right after the head, when nothing was erased yet; the pre-flight waits for
 * a little more of the image. */
static esp_err_t judge_head(struct upd *u, bool was_told)
{
    if (u->head_told && !was_told) {
        esp_err_t err = upd_version_check(u, &u->work->check.info.desc);

        if (!err)
            err = upd_check_denied(u);
        if (err)
            return err;
    }
    return upd_preflight(u, false);
}

/* A partition table announces itself in its first two bytes. */
static esp_err_t check_table(struct upd *u, const uint8_t *p, size_t len)
{
    if (len < 2 || (p[0] == 0xAA && p[1] == 0x50))
        return ESP_OK;
    return upd_fail(u, DIAG_STAGE_IMAGE, ESP_ERR_OTA_VALIDATE_FAILED,
                    "this is no partition table: it begins with %02x %02x "
                    "instead of aa 50",
                    p[0], p[1]);
}

esp_err_t upd_check_bytes(struct upd *u, const void *data, size_t len)
{
    bool was_told = u->head_told;
    esp_err_t err;

    u->moved = true;
    if (CFG_STAGING && u->target.kind == UPD_KIND_TABLE && !u->head_told) {
        u->head_told = true;
        upd_mark_bytes(u, data, len);
        return check_table(u, data, len);
    }
    if (!upd_is_image(u)) {
        u->head_told = true;
        upd_mark_bytes(u, data, len);
        return ESP_OK;
    }
    upd_keep_head(u, data, len);
    err = img_check_feed(&u->work->check, data, len);
    tell(u);
    if (!err)
        return judge_head(u, was_told);
    if (u->work->check.fault.kind == IMG_FAULT_MAGIC)
        return fail_magic(u, (const uint8_t *)data + len);
    return upd_check_failed(u);
}

esp_err_t upd_check_size(struct upd *u, http_len len)
{
    http_len cap_len = (http_len)u->target.cap_len + upd_skip_len(u);

    if (len == HTTP_LEN_UNKNOWN || !upd_is_even(u) || len <= cap_len)
        return ESP_OK;
    return upd_fail(u, DIAG_STAGE_IMAGE, ESP_ERR_INVALID_SIZE,
                    "the file has %llu bytes, %s has room for %u: %llu too "
                    "many",
                    (unsigned long long)len, u->target.staging.label,
                    (unsigned)cap_len, (unsigned long long)(len - cap_len));
}

/* Before the first byte of the image is looked at, and so before the first
 * erase. */
esp_err_t upd_check_even(struct upd *u)
{
    const struct upd_even *even = upd_even(u);
    http_len total = u->fetch.file.total;
    uint64_t len;

    if (u->even_checked || !even ||
        !even->body_len(u->opts.stages[0].ctx, &len))
        return ESP_OK;
    u->even_checked = true;
    len += even->head_len;
    if (total != HTTP_LEN_UNKNOWN && total != len)
        return upd_fail(u, DIAG_STAGE_IMAGE, ESP_ERR_INVALID_SIZE,
                        "the file has %llu bytes, and its own head says "
                        "%llu: it is damaged or cut short",
                        (unsigned long long)total, (unsigned long long)len);
    return upd_check_size(u, len < HTTP_LEN_UNKNOWN ? (http_len)len
                                                    : HTTP_LEN_UNKNOWN - 1);
}
