#include "image_file.h"

#include "base/le.h"
#include "base/text.h"
#include "enc/head.h"
#include "image/sig_list.h"
#include "cap_file.h"
#include "image/text.h"

esp_err_t image_file_load(const char *path, struct image_file *f,
                          struct diag *d)
{
    *f = (struct image_file)IMAGE_FILE_NONE;
    return cli_read_file(path, IMAGE_FILE_MAX_LEN, &f->bytes, d);
}

void image_file_free(struct image_file *f)
{
    cli_bytes_free(&f->bytes);
}

enum img_kind image_file_kind(const struct image_file *f)
{
    const uint8_t *desc = f->bytes.ptr + IMG_APP_DESC_OFF;

    if (f->bytes.len < IMG_APP_DESC_OFF + 4)
        return IMG_KIND_APP;
    if (le32_get(desc) == IMG_APP_DESC_MAGIC)
        return IMG_KIND_APP;
    if (desc[0] == IMG_BOOT_DESC_MAGIC && desc[1] == 0 && desc[2] == 0)
        return IMG_KIND_BOOTLOADER;
    return le32_get(desc - 4) < IMG_APP_DESC_LEN ? IMG_KIND_BOOTLOADER
                                                 : IMG_KIND_APP;
}

static void clean(char *text, size_t len)
{
    (void)text_clean(span_str(text), text, len);
}

/* What can be shown of it: there are no more segments than that, whatever the
 * header counts, and texts go to terminals and into JSON. */
static void make_fit(struct img_info *info)
{
    struct img_desc *app = &info->desc;
    struct img_boot_desc *boot = &info->boot_desc;

    if (info->header.seg_cnt > IMG_MAX_SEGMENTS)
        info->header.seg_cnt = IMG_MAX_SEGMENTS;
    clean(app->version, sizeof(app->version));
    clean(app->project, sizeof(app->project));
    clean(app->time, sizeof(app->time));
    clean(app->date, sizeof(app->date));
    clean(app->idf_ver, sizeof(app->idf_ver));
    clean(boot->idf_ver, sizeof(boot->idf_ver));
    clean(boot->date_time, sizeof(boot->date_time));
}

esp_err_t image_file_check(struct image_file *f, const char *name,
                           const struct img_rules *rules, struct diag *d)
{
    struct img_rules own = { .any_chip = true, .kind = image_file_kind(f) };
    char text[256];
    esp_err_t err;

    if (rules)
        own = *rules;
    own.place = IMG_PLACE_FILE;
    img_check_open(&f->check, &own);
    /* What feeding finds, finishing returns again. */
    (void)!img_check_feed(&f->check, f->bytes.ptr, f->bytes.len);
    err = img_check_finish(&f->check, &f->receipt);
    make_fit(&f->check.info);
    if (!err)
        return ESP_OK;
    if (enc_is_encrypted(span_of(f->bytes.ptr, f->bytes.len)))
        return diag_fail(d, DIAG_STAGE_IMAGE, err,
                         "%s is an encrypted image; what is in it porta image "
                         "decrypt gives",
                         name);
    return diag_fail(d, DIAG_STAGE_IMAGE, err, "%s: %s", name,
                     img_fault_text(&f->check.fault, text, sizeof(text)));
}

esp_err_t image_file_open(const char *path, const struct img_rules *rules,
                          struct image_file *f, struct diag *d)
{
    esp_err_t err = image_file_load(path, f, d);

    if (!err)
        err = image_file_check(f, path, rules, d);
    if (err)
        image_file_free(f);
    return err;
}

bool image_file_has_hash(const struct image_file *f)
{
    const struct img_info *info = &f->check.info;

    return info->header.hash_appended && info->image_len > 0 &&
           f->check.fed_len >= info->image_len;
}

bool image_file_has_checksum(const struct image_file *f)
{
    const struct img_info *info = &f->check.info;
    uint32_t hash_len = info->header.hash_appended ? SHA256_LEN : 0;

    return info->image_len > 0 &&
           f->check.fed_len >= info->image_len - hash_len;
}

static cJSON *segments_json(const struct img_info *info)
{
    cJSON *list = cJSON_CreateArray();

    for (uint32_t i = 0; i < info->header.seg_cnt && list; i++) {
        const struct img_segment *s = &info->segs[i];
        cJSON *obj;

        if (s->off == 0) /* the verifier did not come here */
            break;
        obj = cJSON_CreateObject();
        if (!cJSON_AddNumberToObject(obj, "load_addr", s->load_addr) ||
            !cJSON_AddNumberToObject(obj, "len", s->len) ||
            !cJSON_AddNumberToObject(obj, "file_off", s->off) ||
            !cJSON_AddItemToArray(list, obj)) {
            cJSON_Delete(obj);
            cJSON_Delete(list);
            return NULL;
        }
    }
    return list;
}

static bool add_hex(cJSON *obj, const char *key, const uint8_t *p, size_t len)
{
    char hex[2 * SHA256_LEN + 1] = "";

    for (size_t i = 0; i < len; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", p[i]);
    return cJSON_AddStringToObject(obj, key, hex);
}

static bool signature_fill(cJSON *obj, const struct img_sig_found *sig)
{
    bool right = sig->right == VERDICT_ACCEPT;

    if (!cJSON_AddStringToObject(obj, "scheme", sig->scheme) ||
        !cJSON_AddNumberToObject(obj, "offset", sig->off))
        return false;
    if (!sig->has_key)
        return cJSON_AddNullToObject(obj, "key_id") &&
               cJSON_AddNullToObject(obj, "right");
    return add_hex(obj, "key_id", sig->id, SHA256_LEN) &&
           cJSON_AddBoolToObject(obj, "right", right);
}

static cJSON *signatures_json(const struct image_file *f)
{
    struct img_sig_found sigs[IMG_SIG_MAX];
    uint32_t cnt = 0;
    cJSON *list = cJSON_CreateArray();

    if (f->check.info.image_len > 0)
        cnt = img_sig_list(span_of(f->bytes.ptr, f->bytes.len),
                           f->check.info.image_len, sigs);
    for (uint32_t i = 0; i < cnt && list; i++) {
        cJSON *obj = cJSON_CreateObject();

        if (!signature_fill(obj, &sigs[i]) ||
            !cJSON_AddItemToArray(list, obj)) {
            cJSON_Delete(obj);
            cJSON_Delete(list);
            return NULL;
        }
    }
    return list;
}

/* null: not reached, or not there. */
static bool add_answer(cJSON *obj, const char *key, bool known, bool answer)
{
    return known ? cJSON_AddBoolToObject(obj, key, answer)
                 : cJSON_AddNullToObject(obj, key);
}

/* obj owns *item from now on, or the caller frees it. */
static bool take(cJSON *obj, const char *key, cJSON **item)
{
    if (!*item || !cJSON_AddItemToObject(obj, key, *item))
        return false;
    *item = NULL;
    return true;
}

static bool add_header(cJSON *obj, const struct img_header *h)
{
    char name[16];

    return cJSON_AddNumberToObject(obj, "chip", h->chip_id) &&
           cJSON_AddStringToObject(obj, "chip_name",
                                   img_chip_name(h->chip_id, name)) &&
           cJSON_AddNumberToObject(obj, "entry", h->entry_addr) &&
           cJSON_AddNumberToObject(obj, "min_rev", h->min_rev) &&
           cJSON_AddNumberToObject(obj, "max_rev", h->max_rev) &&
           cJSON_AddNumberToObject(obj, "spi_mode", h->spi_mode) &&
           cJSON_AddNumberToObject(obj, "spi_speed", h->spi_speed) &&
           cJSON_AddNumberToObject(obj, "spi_size", h->spi_size) &&
           cJSON_AddBoolToObject(obj, "hash_appended", h->hash_appended);
}

static bool add_app_desc(cJSON *obj, const struct img_desc *desc)
{
    return cJSON_AddStringToObject(obj, "kind", "app") &&
           cJSON_AddBoolToObject(obj, "present", desc->present) &&
           cJSON_AddStringToObject(obj, "project", desc->project) &&
           cJSON_AddStringToObject(obj, "version", desc->version) &&
           cJSON_AddNumberToObject(obj, "secure_version",
                                   desc->secure_version) &&
           cJSON_AddStringToObject(obj, "date", desc->date) &&
           cJSON_AddStringToObject(obj, "time", desc->time) &&
           cJSON_AddStringToObject(obj, "idf_ver", desc->idf_ver) &&
           add_hex(obj, "elf_sha256", desc->elf_sha256, SHA256_LEN) &&
           cJSON_AddNumberToObject(obj, "mmu_page_log2", desc->mmu_page_log2);
}

static bool add_boot_desc(cJSON *obj, const struct img_boot_desc *desc)
{
    char version[12];

    (void)snprintf(version, sizeof(version), "%u", (unsigned)desc->version);
    return cJSON_AddStringToObject(obj, "kind", "bootloader") &&
           cJSON_AddBoolToObject(obj, "present", desc->present) &&
           cJSON_AddStringToObject(obj, "project", "bootloader") &&
           cJSON_AddStringToObject(obj, "version",
                                   desc->present ? version : "") &&
           cJSON_AddNumberToObject(obj, "secure_version",
                                   desc->secure_version) &&
           cJSON_AddStringToObject(obj, "date", desc->date_time) &&
           cJSON_AddStringToObject(obj, "idf_ver", desc->idf_ver);
}

static bool add_sums(cJSON *obj, const struct image_file *f)
{
    const struct img_info *info = &f->check.info;
    bool has_sum = image_file_has_checksum(f);

    return cJSON_AddNumberToObject(obj, "image_len", info->image_len) &&
           cJSON_AddNumberToObject(obj, "file_len", (double)f->bytes.len) &&
           add_answer(obj, "checksum_ok", has_sum, info->checksum_ok) &&
           add_answer(obj, "hash_ok", image_file_has_hash(f), info->hash_ok) &&
           (has_sum ? add_hex(obj, "sha256", info->digest, SHA256_LEN)
                    : cJSON_AddNullToObject(obj, "sha256") != NULL);
}

void image_file_cap(const struct image_file *f, struct img_cap *out)
{
    bool app =
        f->check.rules.kind == IMG_KIND_APP && f->check.info.desc.present;

    img_cap_parse(app ? span_of(f->bytes.ptr, f->bytes.len) : span_of(NULL, 0),
                  f->check.info.segs[0].len, out);
}

cJSON *image_file_json(const struct image_file *f)
{
    struct img_cap cap;
    const struct img_info *info = &f->check.info;
    cJSON *segments = segments_json(info);
    cJSON *signatures = signatures_json(f);
    cJSON *updates;
    cJSON *obj = cJSON_CreateObject();
    bool app = f->check.rules.kind == IMG_KIND_APP;
    bool ok;

    image_file_cap(f, &cap);
    updates = cap_json(&cap);
    ok = obj && add_header(obj, &info->header) &&
         (app ? add_app_desc(obj, &info->desc)
              : add_boot_desc(obj, &info->boot_desc)) &&
         take(obj, "segments", &segments) && add_sums(obj, f) &&
         take(obj, "signatures", &signatures) && take(obj, "updates", &updates);

    cJSON_Delete(segments);
    cJSON_Delete(signatures);
    cJSON_Delete(updates);
    if (ok)
        return obj;
    cJSON_Delete(obj);
    return NULL;
}
