/* porta image verify */
#include <string.h>

#include "base/num.h"
#include "cmd_image.h"
#include "image/text.h"
#include "image_file.h"
#include "key_file.h"

struct look_opts {
    const char *chip;
    const char *chip_rev; /* a text, because 0 is a value */
    const char *scheme;
    struct cli_list paths; /* of keys */
    uint32_t need;
    bool require_hash;
    bool json;
    struct img_keys keys; /* of the paths */
};

static const struct cli_opt options[] = {
    { "--chip", "C", "the device's chip (any)", CLI_KIND_TEXT,
      offsetof(struct look_opts, chip) },
    { "--chip-rev", "N", "its revision, 301 is v3.1 (not checked)",
      CLI_KIND_TEXT, offsetof(struct look_opts, chip_rev) },
    { "--require-hash", NULL, "refuse an image without its SHA-256",
      CLI_KIND_FLAG, offsetof(struct look_opts, require_hash) },
    { "--key", "PUB",
      "refuse an image that no such key has signed; may be "
      "repeated",
      CLI_KIND_LIST, offsetof(struct look_opts, paths) },
    { "--need-keys", "N", "so many of the keys have to have signed (1)",
      CLI_KIND_NUM, offsetof(struct look_opts, need) },
    { "--scheme", "S", "v1, rsa3072, ecdsa256, ecdsa384 (as the keys are)",
      CLI_KIND_TEXT, offsetof(struct look_opts, scheme) },
    CLI_OPT_JSON(struct look_opts, json),
    CLI_OPT_END,
};

static const struct cli_verb verify_verb = {
    .name = "image verify",
    .usage = "FILE",
    .summary = "say what a device would say to this image",
    .text = "After the image only 0xFF padding and signature blocks may "
            "follow. Without --key\nsignatures are recognised and nobody is "
            "trusted.",
    .example = "porta image verify app.bin --chip esp32c3\n"
               "porta image verify app-signed.bin --key public.pem",
    .opts = options,
    .arg_min = 1,
    .arg_max = 1,
};

/* A P-256 key signs both v1 and ecdsa256: without --scheme it is what lies
 * behind the image. Whom to trust never depends on the image. */
static esp_err_t load_keys(struct look_opts *o, const struct image_file *f,
                           struct diag *d)
{
    struct image_file probe = *f;
    struct diag ignored = DIAG_NONE;
    esp_err_t err;

    if (o->scheme)
        o->keys.scheme = key_scheme_by_name(o->scheme);
    err = key_set_load(&o->keys, &o->paths, o->need, d);
    if (err || o->scheme || o->keys.scheme != IMG_SCHEME_ECDSA256)
        return err;
    (void)!image_file_check(&probe, "", NULL, &ignored);
    if (probe.check.tail != IMG_TAIL_SIG_V1)
        return ESP_OK;
    memset(&o->keys, 0, sizeof(o->keys));
    o->keys.scheme = IMG_SCHEME_V1;
    return key_set_load(&o->keys, &o->paths, o->need, d);
}

static int make_rules(const struct look_opts *o, const struct image_file *f,
                      struct img_rules *rules)
{
    uint32_t rev = 0;

    *rules =
        (struct img_rules){ .kind = image_file_kind(f),
                            .any_chip = !o->chip,
                            .check_rev = o->chip_rev != NULL,
                            .require_hash = o->require_hash,
                            .keys = img_keys_for(o->paths.cnt > 0, &o->keys) };
    if (o->chip && !img_chip_by_name(o->chip, &rules->chip_id))
        return cli_usage(&verify_verb, "--chip %s: no chip has this name",
                         o->chip);
    if (o->chip_rev && (num_parse_u32(span_str(o->chip_rev), &rev) != ESP_OK ||
                        rev > UINT16_MAX))
        return cli_usage(&verify_verb,
                         "--chip-rev %s: it is major * 100 + minor, as 301",
                         o->chip_rev);
    rules->chip_rev = (uint16_t)rev;
    return CLI_GO;
}

static void show_good(const struct image_file *f, const char *path)
{
    const struct img_info *info = &f->check.info;
    bool app = f->check.rules.kind == IMG_KIND_APP;
    char name[16], len[32];

    printf("%s: good: %s%s%s for %s, %s bytes%s\n", path,
           app ? info->desc.project : "bootloader", app ? " " : "",
           app ? info->desc.version : "",
           img_chip_name(info->header.chip_id, name),
           cli_thousands(info->image_len, len, sizeof(len)),
           info->header.hash_appended ? ", SHA-256 right"
                                      : ", checksum right, no SHA-256");
    if (f->receipt.is_signed == VERDICT_ACCEPT)
        printf("signed as asked for: %s, %u of %u keys needed\n",
               img_scheme_name(f->check.rules.keys->scheme),
               (unsigned)f->check.rules.keys->need,
               (unsigned)f->check.rules.keys->cnt);
    image_show_signatures(f);
}

static int verify_print(const struct image_file *f, const char *path, bool json)
{
    cJSON *obj;

    if (!json) {
        show_good(f, path);
        return cli_finish(&verify_verb, CLI_DONE);
    }
    obj = image_file_json(f);
    if (obj && !cJSON_AddBoolToObject(obj, "ok", true)) {
        cJSON_Delete(obj);
        obj = NULL;
    }
    return cli_json_print(&verify_verb, obj, CLI_DONE);
}

static int check_usage(const struct look_opts *o)
{
    if (o->scheme && key_scheme_by_name(o->scheme) == IMG_SCHEME_NONE)
        return cli_usage(&verify_verb,
                         "--scheme %s: it is v1, rsa3072, ecdsa256 or "
                         "ecdsa384",
                         o->scheme);
    if (o->paths.cnt == 0 && (o->scheme || o->need))
        return cli_usage(&verify_verb, "--key is missing");
    return CLI_GO;
}

static int judge(struct look_opts *o, const char *path, struct image_file *f)
{
    struct diag d = DIAG_NONE;
    struct img_rules rules;
    int status;

    if (image_file_load(path, f, &d) != ESP_OK ||
        (o->paths.cnt > 0 && load_keys(o, f, &d) != ESP_OK))
        return cli_fail(&verify_verb, &d, o->json);
    status = make_rules(o, f, &rules);
    if (status != CLI_GO)
        return status;
    if (image_file_check(f, path, &rules, &d) != ESP_OK)
        return cli_fail(&verify_verb, &d, o->json);
    return verify_print(f, path, o->json);
}

int image_verify(int argc, char **argv)
{
    struct look_opts o = { 0 };
    struct image_file f = IMAGE_FILE_NONE;
    struct cli_args args;
    int status = cli_parse(&verify_verb, argc, argv, &o, &args);

    if (status == CLI_GO)
        status = check_usage(&o);
    if (status == CLI_GO)
        status = judge(&o, args.val[0], &f);
    image_file_free(&f);
    return status;
}
