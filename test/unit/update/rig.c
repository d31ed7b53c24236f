#include "unit/update/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image/build.h"

static void add_row(struct part_table *t, uint8_t type, uint8_t subtype,
                    uint32_t off, uint32_t len, const char *label)
{
    struct part_entry *e = &t->entries[t->cnt++];

    e->type = type;
    e->subtype = subtype;
    e->off = off;
    e->len = len;
    strcpy(e->label, label);
}

static void write_table(struct rig *r)
{
    struct part_table *t = calloc(1, sizeof(*t));

    add_row(t, PART_TYPE_DATA, PART_DATA_OTA, RIG_OTADATA, OTADATA_LEN,
            "otadata");
    add_row(t, PART_TYPE_APP, PART_APP_OTA_0, RIG_SLOT_0, RIG_SLOT_LEN,
            "ota_0");
    add_row(t, PART_TYPE_APP, PART_APP_OTA_0 + 1, RIG_SLOT_1, RIG_SLOT_LEN,
            "ota_1");
    add_row(t, PART_TYPE_DATA, 0x40, RIG_BLOB, RIG_BLOB_LEN, "blob");
    part_table_pack(t, r->flash.bytes + PART_TABLE_OFF);
    free(t);
}

uint8_t *rig_make_image(const struct rig_image *how, uint32_t *len)
{
    uint32_t body_len = how->body_len ? how->body_len : 20000;
    uint32_t x = 0x9E3779B9u + how->filler;
    uint8_t *body = malloc(body_len);
    struct img_build_seg seg = { 0, span_of(body, body_len) };
    struct img_build in = { .kind = IMG_KIND_APP, .segs = &seg, .seg_cnt = 1 };
    uint8_t *out;

    for (uint32_t i = 0; i < body_len; i++) {
        x = x * 1664525u + 1013904223u;
        body[i] = (uint8_t)(x >> 24);
    }
    in.header.chip_id = how->chip_id ? how->chip_id : RIG_CHIP;
    in.header.hash_appended = 1;
    in.header.min_rev = how->min_rev;
    in.header.max_rev = UINT16_MAX;
    in.desc.secure_version = how->secure_version;
    strcpy(in.desc.project, how->project ? how->project : "rig");
    if (how->bootloader)
        in.kind = IMG_KIND_BOOTLOADER;
    if (how->cap)
        in.cap = *how->cap;
    strcpy(in.desc.version, how->version ? how->version : "2");
    (void)!img_build(&in, NULL, 0, len, NULL);
    out = malloc(*len);
    assert_int_equal(img_build(&in, out, *len, len, NULL), ESP_OK);
    free(body);
    return out;
}

void rig_put_image(struct rig *r, uint32_t slot_off,
                   const struct rig_image *how)
{
    uint32_t len;
    uint8_t *bytes = rig_make_image(how, &len);

    memset(r->flash.bytes + slot_off, 0xFF, RIG_SLOT_LEN);
    memcpy(r->flash.bytes + slot_off, bytes, len);
    free(bytes);
}

void rig_add_fuses(struct rig *r)
{
    struct fuse_place place = { .flash = &r->flash.port };

    add_row(&r->parts.table, PART_TYPE_DATA, PART_DATA_EFUSE, RIG_FUSES,
            FUSE_EMUL_LEN, "emul_efuse");
    part_table_pack(&r->parts.table, r->flash.bytes + PART_TABLE_OFF);
    rig_reboot(r);
    assert_int_equal(boot_fuse_open(&r->fuses, &r->parts.table, &place,
                                    fuse_field_find(RIG_CHIP)),
                     ESP_OK);
    r->policy.anti_rollback = true;
    r->device.fuse = &r->fuses.port;
}

void rig_record(struct rig *r, uint32_t idx, uint32_t seq, uint32_t state)
{
    struct ota_rec rec = { .seq = seq, .state = state };
    uint8_t *sector = r->flash.bytes + RIG_OTADATA + idx * OTADATA_SECTOR;

    memset(rec.label, 0xFF, sizeof(rec.label));
    rec.crc = ota_rec_crc(seq);
    memset(sector, 0xFF, OTADATA_SECTOR);
    ota_rec_pack(&rec, sector);
}

void rig_serve(struct rig *r, const void *file, size_t len)
{
    web_init(&r->web, &r->sys, file, len);
}

void rig_reboot(struct rig *r)
{
    assert_int_equal(part_dev_open(&r->parts, &r->flash.port, PART_TABLE_OFF),
                     ESP_OK);
}

static char *text_of(struct rig_store *s, const char *key)
{
    if (strcmp(key, "known") == 0)
        return s->known;
    assert_true(strcmp(key, "resume") == 0 || strcmp(key, "copy") == 0);
    return key[0] == 'r' ? s->text : s->copy;
}

static esp_err_t store_load(void *ctx, const char *key, char *out,
                            size_t out_len)
{
    const struct rig_store *s = ctx;
    const char *text = text_of(ctx, key);

    if (s->unreadable && text == s->copy)
        return ESP_FAIL;
    if (text[0] == '\0')
        return ESP_ERR_NOT_FOUND;
    assert_true(strlen(text) < out_len);
    strcpy(out, text);
    return ESP_OK;
}

static esp_err_t store_save(void *ctx, const char *key, const char *text)
{
    struct rig_store *s = ctx;
    char *to = text_of(s, key);

    assert_true(strlen(text) < sizeof(s->text));
    if (s->fails || s->flash->power_off)
        return ESP_FAIL;
    strcpy(to, text);
    s->save_cnt += to == s->text;
    return ESP_OK;
}

static esp_err_t store_clear(void *ctx, const char *key)
{
    struct rig_store *s = ctx;
    char *to = text_of(s, key);

    if (s->fails || s->flash->power_off)
        return ESP_FAIL;
    to[0] = '\0';
    s->clear_cnt += to == s->text;
    return ESP_OK;
}

void rig_open(struct rig *r)
{
    struct sim_flash_conf conf = { .size_len = RIG_FLASH_LEN };
    struct rig_image old = { .version = "1", .filler = 7, .body_len = 9000 };
    uint32_t old_len;
    uint8_t *bytes = rig_make_image(&old, &old_len);

    memset(r, 0, sizeof(*r));
    assert_int_equal(sim_flash_init(&r->flash, &conf), ESP_OK);
    sim_heap_init(&r->heap);
    sim_sys_init(&r->sys);
    sim_work_init(&r->work, &r->sys, &r->flash);
    write_table(r);
    memcpy(r->flash.bytes + RIG_SLOT_0, bytes, old_len);
    free(bytes);
    rig_record(r, 0, 1, OTA_STATE_VALID);
    rig_reboot(r);
    r->policy.rollback = true;
    r->policy.allow_http = true;
    r->device.parts = &r->parts;
    r->device.policy = &r->policy;
    r->device.chip_id = RIG_CHIP;
    r->device.check_rev = true;
    r->device.chip_rev = 100;
    r->device.running_is_slot = true;
    r->device.running_off = RIG_SLOT_0;
    r->env.http.net = &r->web.port;
    r->env.http.sys = &r->sys.port;
    r->env.http.heap = &r->heap.port;
    r->env.http.policy = &r->policy;
    r->env.device = &r->device;
    r->opts.url = RIG_URL;
    r->opts.http = &r->http;
    r->store.flash = &r->flash;
    r->store.port =
        (struct upd_store){ &r->store, store_load, store_save, store_clear };
    r->image =
        rig_make_image(&(struct rig_image){ .filler = 1 }, &r->image_len);
    rig_serve(r, r->image, r->image_len);
}

void rig_close(struct rig *r)
{
    assert_int_equal(r->heap.cur_len, 0);
    assert_int_equal(r->web.alive_cnt, 0);
    assert_int_equal(r->flash.count.refused, 0);
    sim_flash_deinit(&r->flash);
    free(r->image);
}

void rig_write_behind(struct rig *r, bool lazy)
{
    r->work.lazy = lazy;
    r->env.work = &r->work.port;
}

esp_err_t rig_update(struct rig *r, struct upd_result *result)
{
    struct upd *u;
    enum upd_step step = UPD_STEP_MORE;
    esp_err_t err;

    r->diag = (struct diag)DIAG_NONE;
    err = upd_begin(&u, &r->env, &r->opts, &r->diag);
    if (err)
        return err;
    while (step == UPD_STEP_MORE)
        step = upd_step(u, &err);
    if (step == UPD_STEP_FAILED) {
        upd_abort(u, result);
        return err;
    }
    return upd_finish(u, true, result);
}

uint32_t rig_boots(struct rig *r)
{
    static uint8_t buf[4096];
    static struct part_dev parts;
    static struct boot_result out;
    struct boot_env env = { .flash = &r->flash.port, .policy = r->policy };

    if (part_dev_open(&parts, &r->flash.port, PART_TABLE_OFF) == ESP_OK)
        env.table = &parts.table;
    env.rules.chip_id = RIG_CHIP;
    env.rules.keys = r->device.keys;
    env.fuse = r->device.fuse;
    env.buf = buf;
    env.buf_len = sizeof(buf);
    boot_decide(&env, &out);
    return out.plan.action == BOOT_ACT_BOOT ? out.plan.choice : BOOT_NONE;
}

const uint8_t *rig_bytes(const struct rig *r, uint32_t off)
{
    return r->flash.bytes + off;
}
