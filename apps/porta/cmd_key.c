/* porta key - keys that sign images: make, show, name. The verbs on key sets
 * are in cmd_key_set.c. */
#include "cmd_key.h"

#include <string.h>

#include "cmds.h"
#include "key_file.h"

struct key_opts {
    const char *scheme, *out;
    bool raw, json;
};

static const struct cli_opt new_opts[] = {
    { "--scheme", "S", "v1, rsa3072, ecdsa256 or ecdsa384 (ecdsa256)",
      CLI_KIND_TEXT, offsetof(struct key_opts, scheme) },
    { "-o", "PEM", "where the private key goes; readable by you alone",
      CLI_KIND_TEXT, offsetof(struct key_opts, out) },
    CLI_OPT_END,
};

static const struct cli_opt public_opts[] = {
    { "-o", "PUB", "where the public key goes", CLI_KIND_TEXT,
      offsetof(struct key_opts, out) },
    { "--raw", NULL, "64 bytes X, Y instead of PEM, as v1 devices embed them",
      CLI_KIND_FLAG, offsetof(struct key_opts, raw) },
    CLI_OPT_END,
};

static const struct cli_opt digest_opts[] = {
    CLI_OPT_JSON(struct key_opts, json),
    CLI_OPT_END,
};

static const struct cli_verb new_verb = {
    .name = "key new",
    .usage = "",
    .summary = "make a private key",
    .text = "An existing file is not replaced: a key that has signed "
            "something is not to be\nlost.",
    .example = "porta key new --scheme ecdsa256 -o key.pem\n"
               "porta key public key.pem -o public.pem",
    .opts = new_opts,
};

static const struct cli_verb public_verb = {
    .name = "key public",
    .usage = "PEM",
    .summary = "the public half of a key, for devices",
    .example = "porta key public key.pem -o public.pem",
    .opts = public_opts,
    .arg_min = 1,
    .arg_max = 1,
};

static const struct cli_verb digest_verb = {
    .name = "key digest",
    .usage = "PEM",
    .summary = "the key's id: the digest that devices know it by",
    .text = "The same as espsecure digest-sbv2-public-key writes to a file.",
    .example = "porta key digest public.pem",
    .opts = digest_opts,
    .arg_min = 1,
    .arg_max = 1,
};

static esp_err_t write_pem(struct key_file *key, bool private_half,
                           const char *path, struct diag *d)
{
    struct cli_bytes pem = CLI_BYTES_NONE;
    esp_err_t err = key_file_pem(key, private_half, &pem);

    if (err)
        err = diag_fail(d, DIAG_STAGE_FILE, err, "the key cannot be written");
    else
        err = cli_write_file(path, span_of(pem.ptr, pem.len),
                             private_half ? 0600 : 0644, d);
    cli_bytes_free(&pem);
    return err;
}

static bool find_kind(const char *scheme, enum key_kind *out)
{
    enum img_scheme s = key_scheme_by_name(scheme);

    for (int i = KEY_RSA3072; i <= KEY_P384; i++) {
        *out = (enum key_kind)i;
        if (key_fits(*out, s))
            return true;
    }
    return false;
}

static int key_new(int argc, char **argv)
{
    struct key_opts o = { .scheme = "ecdsa256" };
    struct diag d = DIAG_NONE;
    struct cli_args args;
    struct key_file key;
    enum key_kind kind;
    int status = cli_parse(&new_verb, argc, argv, &o, &args);

    if (status != CLI_GO)
        return status;
    if (!o.out)
        return cli_usage(&new_verb, "-o PEM is missing");
    if (!find_kind(o.scheme, &kind))
        return cli_usage(&new_verb,
                         "--scheme %s: it is v1, rsa3072, ecdsa256 or "
                         "ecdsa384",
                         o.scheme);
    if (key_refuse_existing(o.out, &d) != ESP_OK)
        return cli_fail(&new_verb, &d, false);
    status = CLI_DONE;
    if (key_file_new(kind, &key, &d) != ESP_OK ||
        write_pem(&key, true, o.out, &d) != ESP_OK)
        status = cli_fail(&new_verb, &d, false);
    key_file_close(&key);
    return status;
}

static esp_err_t write_raw(const struct key_file *key, const char *path,
                           struct diag *d)
{
    uint8_t fields[KEY_FIELDS_MAX], raw[64];

    if (key->kind != KEY_P256)
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "--raw is for P-256 keys");
    (void)key_file_fields(key, fields);
    for (uint32_t i = 0; i < 64; i++)
        raw[i] = fields[1 + 31 - i % 32 + i / 32 * 32];
    return cli_write_file(path, span_of(raw, sizeof(raw)), 0644, d);
}

static int key_public(int argc, char **argv)
{
    struct key_opts o = { 0 };
    struct diag d = DIAG_NONE;
    struct cli_args args;
    struct key_file key;
    esp_err_t err;
    int status = cli_parse(&public_verb, argc, argv, &o, &args);

    if (status != CLI_GO)
        return status;
    if (!o.out)
        return cli_usage(&public_verb, "-o PUB is missing");
    err = key_file_open(args.val[0], &key, &d);
    if (!err)
        err = o.raw ? write_raw(&key, o.out, &d)
                    : write_pem(&key, false, o.out, &d);
    key_file_close(&key);
    return err ? cli_fail(&public_verb, &d, false) : CLI_DONE;
}

void key_id_text(const uint8_t id[SHA256_LEN], char out[2 * SHA256_LEN + 1])
{
    for (size_t i = 0; i < SHA256_LEN; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", id[i]);
}

static int digest_json(const char *id, enum key_kind kind)
{
    static const char *const kinds[] = { "rsa3072", "ecdsa256", "ecdsa384" };
    cJSON *obj = cJSON_CreateObject();

    if (!cJSON_AddStringToObject(obj, "key_id", id) ||
        !cJSON_AddStringToObject(obj, "kind", kinds[kind])) {
        cJSON_Delete(obj);
        obj = NULL;
    }
    return cli_json_print(&digest_verb, obj, CLI_DONE);
}

static int key_digest(int argc, char **argv)
{
    struct key_opts o = { 0 };
    struct diag d = DIAG_NONE;
    struct cli_args args;
    struct key_file key;
    uint8_t id[SHA256_LEN];
    char text[2 * SHA256_LEN + 1];
    int status = cli_parse(&digest_verb, argc, argv, &o, &args);

    if (status != CLI_GO)
        return status;
    if (key_file_open(args.val[0], &key, &d) != ESP_OK) {
        status = cli_fail(&digest_verb, &d, o.json);
    } else {
        key_file_id(&key, id);
        key_id_text(id, text);
        if (!o.json)
            puts(text);
        status = o.json ? digest_json(text, key.kind)
                        : cli_finish(&digest_verb, CLI_DONE);
    }
    key_file_close(&key);
    return status;
}

int cmd_key(int argc, char **argv)
{
    static const struct cli_sub subs[] = {
        { "new", "make a private key", key_new },
        { "public", "its public half", key_public },
        { "digest", "its id", key_digest },
        { "set", "put keys together, for key stores", key_set },
        { "show", "whom a device trusts", key_show },
        { "install", "give a device another set", key_install },
        { "revoke", "take one key from a device, for good", key_revoke },
    };

    return cli_dispatch("key", subs, sizeof(subs) / sizeof(subs[0]), argc,
                        argv);
}
