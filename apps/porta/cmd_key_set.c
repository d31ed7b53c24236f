/* porta key set, show, install, revoke - key sets, and the key store of a
 * device (docs/decisions/0012). */
#include <string.h>
#include <sys/stat.h>

#include "base/le.h"
#include "cmd_key.h"
#include "device_ctx.h"
#include "flash_show.h"
#include "image/key_store.h"
#include "image/sig.h"
#include "image/text.h"
#include "key_file.h"

esp_err_t key_refuse_existing(const char *path, struct diag *d)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return ESP_OK;
    return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_INVALID_STATE,
                     "%s is there already and is not replaced; give another "
                     "name, or remove it yourself",
                     path);
}

/* --- set ------------------------------------------------------------------ */

struct set_opts {
    const char *scheme, *out;
    struct cli_list revoked;
    uint32_t need, version;
};

static const struct cli_opt set_options[] = {
    { "-o", "SET", "the key set file, to be signed", CLI_KIND_TEXT,
      offsetof(struct set_opts, out) },
    { "--set-version", "N", "higher than that of the set it replaces",
      CLI_KIND_NUM, offsetof(struct set_opts, version) },
    { "--scheme", "v1|rsa3072|ecdsa256|ecdsa384", "as the keys are",
      CLI_KIND_TEXT, offsetof(struct set_opts, scheme) },
    { "--need-keys", "N", "so many of the keys have to have signed (1)",
      CLI_KIND_NUM, offsetof(struct set_opts, need) },
    { "--revoked", "PUB", "a key that is not to be trusted; may be repeated",
      CLI_KIND_LIST, offsetof(struct set_opts, revoked) },
    CLI_OPT_END,
};

static const struct cli_verb set_verb = {
    .name = "key set",
    .usage = "PUB...",
    .summary = "put keys together, for key stores",
    .text = "The file is signed like an image, by keys that the device trusts "
            "until now,\nand then given to porta key install.",
    .example = "porta key set a.pem b.pem --set-version 2 -o keys.set\n"
               "porta image sign --data --scheme ecdsa256 --key old.pem "
               "keys.set -o keys.bin",
    .opts = set_options,
    .arg_min = 1,
    .arg_max = (int)IMG_KEYS_MAX,
};

static esp_err_t set_make(const struct set_opts *o, const struct cli_args *args,
                          uint8_t *bytes, struct diag *d)
{
    struct img_keys keys = { 0 };
    struct cli_list paths = { .cnt = args->cnt };
    esp_err_t err;

    for (int i = 0; i < args->cnt; i++)
        paths.val[i] = args->val[i];
    if (o->scheme)
        keys.scheme = key_scheme_by_name(o->scheme);
    err = key_set_load(&keys, &paths, o->need, d);
    for (int i = 0; !err && i < o->revoked.cnt; i++)
        err = key_set_add(&keys, o->revoked.val[i], VERDICT_REJECT, d);
    if (!err && key_set_pack(&keys, o->version, bytes) != ESP_OK)
        err = diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                        "--set-version %u: it is 1 to 4294967294",
                        (unsigned)o->version);
    return err;
}

int key_set(int argc, char **argv)
{
    static uint8_t bytes[KEY_SET_LEN];
    struct set_opts o = { 0 };
    struct diag d = DIAG_NONE;
    struct cli_args args;
    int status = cli_parse(&set_verb, argc, argv, &o, &args);

    if (status != CLI_GO)
        return status;
    if (!o.out)
        return cli_usage(&set_verb, "-o SET is missing");
    if (o.version == 0)
        return cli_usage(&set_verb, "--set-version N is missing");
    if (o.scheme && key_scheme_by_name(o.scheme) == IMG_SCHEME_NONE)
        return cli_usage(&set_verb,
                         "--scheme %s: it is v1, rsa3072, ecdsa256 or "
                         "ecdsa384",
                         o.scheme);
    if (set_make(&o, &args, bytes, &d) == ESP_OK)
        (void)!cli_write_file(o.out, span_of(bytes, sizeof(bytes)), 0644, &d);
    return cli_made(&set_verb, o.out, &d);
}

/* --- a device ------------------------------------------------------------- */

struct dev_opts {
    struct device_args dev;
    bool json, force;
};

static const struct cli_opt change_options[] = {
    { "--force", NULL, "even if nothing on the device would start afterwards",
      CLI_KIND_FLAG, offsetof(struct dev_opts, force) },
    DEVICE_OPTS_CHIP(struct dev_opts, dev),
    DEVICE_OPTS_BOOT(struct dev_opts, dev),
    CLI_OPT_JSON(struct dev_opts, json),
    CLI_OPT_END,
};

static const struct cli_opt dev_options[] = {
    DEVICE_OPTS_CHIP(struct dev_opts, dev),
    DEVICE_OPTS_BOOT(struct dev_opts, dev),
    CLI_OPT_JSON(struct dev_opts, json),
    CLI_OPT_END,
};

static const struct cli_verb show_verb = {
    .name = "key show",
    .usage = "FLASH",
    .summary = "whom a device trusts",
    .example = "porta key show device.bin",
    .opts = dev_options,
    .arg_min = 1,
    .arg_max = 1,
};

static const struct cli_verb install_verb = {
    .name = "key install",
    .usage = "FLASH SET",
    .summary = "give a device another set of keys",
    .text = "The set has to be signed as the keys in force ask, and newer "
            "than the one there.",
    .example = "porta key install device.bin keys.bin",
    .opts = change_options,
    .arg_min = 2,
    .arg_max = 2,
};

static const struct cli_verb revoke_verb = {
    .name = "key revoke",
    .usage = "FLASH PUB",
    .summary = "take one key from a device, for good",
    .example = "porta key revoke device.bin old.pem",
    .opts = change_options,
    .arg_min = 2,
    .arg_max = 2,
};

static void show_text(const struct device *dev)
{
    const struct img_keys *keys = &dev->keys;
    char id[2 * SHA256_LEN + 1];

    printf("signatures      %s\n", flash_signed_text(dev));
    printf("keys from       %s\n", dev->keys_from);
    if (keys->cnt == 0) {
        puts("keys            none");
        return;
    }
    printf("scheme          %s, %u of %u needed\n",
           img_scheme_name(keys->scheme), (unsigned)keys->need,
           (unsigned)keys->cnt);
    for (uint32_t i = 0; i < keys->cnt; i++) {
        key_id_text(keys->key[i].id, id);
        printf("key %u           %s %s\n", (unsigned)i, id,
               keys->key[i].trust == VERDICT_ACCEPT ? "trusted" : "revoked");
    }
}

static bool add_key(cJSON *list, const struct img_key *key)
{
    cJSON *obj = cJSON_CreateObject();
    char id[2 * SHA256_LEN + 1];

    key_id_text(key->id, id);
    if (cJSON_AddStringToObject(obj, "key_id", id) &&
        cJSON_AddBoolToObject(obj, "trusted", key->trust == VERDICT_ACCEPT) &&
        cJSON_AddItemToArray(list, obj))
        return true;
    cJSON_Delete(obj);
    return false;
}

static cJSON *show_json(const struct device *dev)
{
    const struct img_keys *keys = &dev->keys;
    cJSON *obj = cJSON_CreateObject(), *list;
    bool ok =
        cJSON_AddBoolToObject(obj, "required",
                              pol_require_signed(&dev->policy)) &&
        cJSON_AddBoolToObject(obj, "at_boot", pol_boot_signed(&dev->policy)) &&
        cJSON_AddStringToObject(obj, "from", dev->keys_from) &&
        cJSON_AddStringToObject(obj, "scheme", img_scheme_name(keys->scheme)) &&
        cJSON_AddNumberToObject(obj, "need", keys->need) &&
        (list = cJSON_AddArrayToObject(obj, "keys")) != NULL;

    for (uint32_t i = 0; ok && i < keys->cnt; i++)
        ok = add_key(list, &keys->key[i]);
    if (ok)
        return obj;
    cJSON_Delete(obj);
    return NULL;
}

static esp_err_t need_store(const struct device *dev,
                            const struct part_entry **part, struct diag *d)
{
    esp_err_t err = device_need_table(dev, d);

    if (err)
        return err;
    *part = key_store_part(&dev->parts.table);
    if (*part)
        return ESP_OK;
    return diag_fail(d, DIAG_STAGE_FLASH, ESP_ERR_NOT_FOUND,
                     "the partition table has no key store; add a row such as "
                     "\"porta_keys, data, 0x70, , 8K\"");
}

/* The set's own words where those of images would mislead. */
static esp_err_t fail_signature(uint32_t why, struct diag *d)
{
    const struct img_fault fault = { .kind = IMG_FAULT_SIG, .seg = why };
    char text[256];
    const char *words = img_fault_text(&fault, text, sizeof(text));

    if (why == IMG_SIG_NO_KEYS)
        words = "it trusts nobody yet; its first keys come with its bootloader "
                "(porta flash create --require-signed SCHEME --verify-key PUB)";
    else if (why == IMG_SIG_ABSENT)
        words = "it has no signature at all; porta image sign --data signs it";
    else if (why == IMG_SIG_KEY)
        words = "no key that the device trusts has signed it; porta key show "
                "lists those";
    return diag_fail(d, DIAG_STAGE_IMAGE, ESP_ERR_NOT_ALLOWED,
                     "the key set is not signed as the device asks: %s", words);
}

static esp_err_t fail_install(esp_err_t err, uint32_t why, struct diag *d)
{
    switch (err) {
    case ESP_ERR_NOT_ALLOWED:
        return fail_signature(why, d);
    case ESP_ERR_INVALID_VERSION:
        return diag_fail(d, DIAG_STAGE_IMAGE, err,
                         "the key set is not newer than the one on the "
                         "device; raise --set-version");
    case ESP_ERR_NOT_SUPPORTED:
        return diag_fail(d, DIAG_STAGE_IMAGE, err,
                         "the key set is for another scheme than the device "
                         "uses");
    case ESP_ERR_INVALID_STATE:
        return diag_fail(d, DIAG_STAGE_IMAGE, err,
                         "too few keys of the set would be trusted: some of "
                         "them are revoked, or the store is damaged");
    case ESP_ERR_NOT_FOUND:
    case ESP_ERR_INVALID_CRC:
    case ESP_ERR_INVALID_ARG:
        return diag_fail(d, DIAG_STAGE_IMAGE, err,
                         "this is no key set, or it is damaged; porta key set "
                         "makes one");
    default:
        return diag_fail(d, DIAG_STAGE_WRITE, err,
                         "the key set could not be written: %s", err_name(err));
    }
}

/* What was revoked stays revoked, whatever a new set says of it. */
static void keep_revoked(const struct img_keys *now, struct img_keys *next)
{
    for (uint32_t i = 0; i < now->cnt; i++)
        for (uint32_t k = 0; k < next->cnt; k++)
            if (now->key[i].trust != VERDICT_ACCEPT &&
                memcmp(now->key[i].id, next->key[k].id, SHA256_LEN) == 0)
                next->key[k].trust = VERDICT_REJECT;
}

static bool boots_with(struct device *dev, const struct img_keys *keys)
{
    static struct boot_result result;
    const struct img_keys now = dev->keys;

    dev->keys = *keys; /* dev->boot points there */
    boot_decide(&dev->boot, &result);
    dev->keys = now;
    return result.plan.action == BOOT_ACT_BOOT;
}

/* A device that starts now and would not with these keys. */
static esp_err_t refuse_end(struct device *dev, const struct img_keys *next,
                            struct diag *d)
{
    const struct img_keys now = dev->keys;

    if (!boots_with(dev, &now) || boots_with(dev, next))
        return ESP_OK;
    return diag_fail(d, DIAG_STAGE_FLASH, ESP_ERR_NOT_ALLOWED,
                     "nothing on the device would start afterwards, because "
                     "no image on it is signed as the keys then ask; install "
                     "one that is signed by old and new keys first, or say "
                     "--force");
}

static esp_err_t install(struct device *dev, const char *path, bool force,
                         struct diag *d)
{
    struct cli_bytes file = CLI_BYTES_NONE;
    const struct part_entry *part;
    struct key_store set;
    uint32_t why = 0;
    esp_err_t err = need_store(dev, &part, d);

    if (!err)
        err = cli_read_file(path, 65536, &file, d);
    /* What is no set for this device has better words below. */
    if (!err && !force &&
        key_set_parse(span_of(file.ptr, file.len), &set) == ESP_OK &&
        set.keys.scheme == dev->keys.scheme) {
        keep_revoked(&dev->keys, &set.keys);
        err = refuse_end(dev, &set.keys, d);
    }
    if (!err) {
        err = key_store_install(&dev->parts, part, &dev->keys,
                                span_of(file.ptr, file.len), &why);
        if (err)
            err = fail_install(err, why, d);
    }
    cli_bytes_free(&file);
    return err;
}

static esp_err_t refuse_revoking(struct device *dev, const uint8_t *id,
                                 struct diag *d)
{
    struct img_keys next = dev->keys;
    uint32_t left = 0;

    for (uint32_t i = 0; i < next.cnt; i++) {
        if (memcmp(next.key[i].id, id, SHA256_LEN) == 0)
            next.key[i].trust = VERDICT_REJECT;
        left += next.key[i].trust == VERDICT_ACCEPT;
    }
    /* Too few are an error of the store, with or without force. */
    return left < next.need ? ESP_OK : refuse_end(dev, &next, d);
}

static esp_err_t revoke(struct device *dev, const char *path, bool force,
                        struct diag *d)
{
    const struct part_entry *part;
    uint8_t id[SHA256_LEN];
    struct key_file key;
    esp_err_t err = need_store(dev, &part, d);

    if (err)
        return err;
    err = key_file_open(path, &key, d);
    if (!err)
        key_file_id(&key, id);
    key_file_close(&key);
    if (!err && !force)
        err = refuse_revoking(dev, id, d);
    if (err)
        return err;
    err = key_store_revoke(&dev->parts, part, id);
    if (err == ESP_ERR_NOT_FOUND)
        return diag_fail(d, DIAG_STAGE_FLASH, err,
                         "the key store has no such key; porta key show lists "
                         "them");
    if (err == ESP_ERR_NOT_ALLOWED)
        return diag_fail(d, DIAG_STAGE_FLASH, err,
                         "too few trusted keys would be left; install a set "
                         "with another key first");
    return err ? diag_fail(d, DIAG_STAGE_WRITE, err,
                           "the key could not be revoked: %s", err_name(err))
               : ESP_OK;
}

static int report(const struct cli_verb *verb, const struct device *dev,
                  bool json)
{
    const char *done = verb == &install_verb ? "installed" : "revoked";
    cJSON *obj;

    if (verb == &show_verb && !json)
        show_text(dev);
    if (!json)
        return cli_finish(verb, CLI_DONE);
    if (verb == &show_verb)
        return cli_json_print(verb, show_json(dev), CLI_DONE);
    obj = cJSON_CreateObject();
    cJSON_AddStringToObject(obj, "result", done);
    return cli_json_print(verb, obj, CLI_DONE);
}

static int on_device(const struct cli_verb *verb, int argc, char **argv)
{
    static struct device dev;
    struct dev_opts o = { .dev = DEVICE_ARGS };
    struct diag d = DIAG_NONE;
    struct cli_args args;
    esp_err_t err;
    int status = cli_parse(verb, argc, argv, &o, &args);

    if (status != CLI_GO)
        return status;
    err = device_open(&dev, args.val[0],
                      verb == &show_verb ? LINUX_FLASH_READ : LINUX_FLASH_WRITE,
                      &o.dev, &d);
    if (!err && verb == &install_verb)
        err = install(&dev, args.val[1], o.force, &d);
    else if (!err && verb == &revoke_verb)
        err = revoke(&dev, args.val[1], o.force, &d);
    status = err ? cli_fail(verb, &d, o.json) : report(verb, &dev, o.json);
    device_close(&dev);
    return status;
}

int key_show(int argc, char **argv)
{
    return on_device(&show_verb, argc, argv);
}

int key_install(int argc, char **argv)
{
    return on_device(&install_verb, argc, argv);
}

int key_revoke(int argc, char **argv)
{
    return on_device(&revoke_verb, argc, argv);
}
