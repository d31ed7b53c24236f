/* porta key - keys that sign images: make, show, name. The verbs on key sets
 * are in cmd_key_set.c. */
#include "cmd_key.h"

#include <string.h>

#include "cmds.h"
#include "crypt_file.h"
#include "crypto/ct.h"
#include "key_file.h"
#include "linux_rng.h"

struct key_opts {
    const char *scheme, *out;
    bool raw, json;
};

static const struct cli_opt new_opts[] = {
    { "--scheme", "v1|rsa3072|ecdsa256|ecdsa384|ecies256|hmac",
      "what the key is for (ecdsa256)", CLI_KIND_TEXT,
      offsetof(struct key_opts, scheme) },
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
            "something is not to be\nlost. For encrypted images there are "
            "rsa3072, ecies256, and hmac, the 32 bytes\nfor the fuses of a "
            "device that makes its ecies256 key of them.",
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

/* 32 random bytes, which a device's P-256 key is derived of. */
static esp_err_t new_hmac(const char *path, struct diag *d)
{
    uint8_t bytes[ENC_HMAC_LEN];
    struct enc_key *key;
    esp_err_t err = linux_rng.fill(linux_rng.ctx, bytes, sizeof(bytes));

    if (err)
        return diag_fail(d, DIAG_STAGE_FILE, err,
                         "there are no random numbers to make a key of");
    err =
        enc_key_open(&key, &crypt_env, span_of(bytes, sizeof(bytes)), path, d);
    enc_key_close(key);
    if (!err)
        err = cli_write_file(path, span_of(bytes, sizeof(bytes)), 0600, d);
    ct_wipe(bytes, sizeof(bytes));
    return err;
}

static esp_err_t new_pem(enum key_kind kind, const char *path, struct diag *d)
{
    struct key_file key;
    esp_err_t err = key_file_new(kind, &key, d);

    if (!err)
        err = write_pem(&key, true, path, d);
    key_file_close(&key);
    return err;
}

static int key_new(int argc, char **argv)
{
    struct key_opts o = { .scheme = "ecdsa256" };
    struct diag d = DIAG_NONE;
    struct cli_args args;
    enum key_kind kind = KEY_P256;
    int status = cli_parse(&new_verb, argc, argv, &o, &args);
    bool is_hmac, is_ecies;

    if (status != CLI_GO)
        return status;
    if (!o.out)
        return cli_usage(&new_verb, "-o PEM is missing");
    is_hmac = strcmp(o.scheme, "hmac") == 0;
    is_ecies = strcmp(o.scheme, "ecies256") == 0;
    if (!is_hmac && !is_ecies && !find_kind(o.scheme, &kind))
        return cli_usage(&new_verb,
                         "--scheme %s: it is v1, rsa3072, ecdsa256, ecdsa384, "
                         "ecies256 or hmac",
                         o.scheme);
    if (key_refuse_existing(o.out, &d) == ESP_OK)
        (void)!(is_hmac ? new_hmac(o.out, &d) : new_pem(kind, o.out, &d));
    return cli_made(&new_verb, o.out, &d);
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

/* The public half of the key that a device derives of these bytes. */
static esp_err_t public_of_hmac(const struct cli_bytes *bytes,
                                const struct key_opts *o, struct diag *d)
{
    char pem[ENC_PUBLIC_PEM_LEN];
    struct enc_key *key;
    esp_err_t err;

    if (o->raw)
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "--raw is for keys of signatures");
    err = enc_key_open(&key, &crypt_env, span_of(bytes->ptr, bytes->len),
                       "the key", d);
    if (!err && enc_key_public_pem(key, pem) != ESP_OK)
        err = diag_fail(d, DIAG_STAGE_FILE, ESP_FAIL,
                        "the key cannot be written");
    enc_key_close(key);
    return err ? err : cli_write_file(o->out, span_str(pem), 0644, d);
}

static esp_err_t public_of(const char *path, const struct key_opts *o,
                           struct diag *d)
{
    struct cli_bytes bytes = CLI_BYTES_NONE;
    struct key_file key;
    esp_err_t err = cli_read_file(path, KEY_FILE_MAX_LEN, &bytes, d);

    if (!err && bytes.len == ENC_HMAC_LEN) {
        err = public_of_hmac(&bytes, o, d);
    } else if (!err) {
        err = key_file_parse(path, &bytes, &key, d);
        if (!err)
            err = o->raw ? write_raw(&key, o->out, d)
                         : write_pem(&key, false, o->out, d);
        key_file_close(&key);
    }
    cli_bytes_free(&bytes);
    return err;
}

static int key_public(int argc, char **argv)
{
    struct key_opts o = { 0 };
    struct diag d = DIAG_NONE;
    struct cli_args args;
    int status = cli_parse(&public_verb, argc, argv, &o, &args);

    if (status != CLI_GO)
        return status;
    if (!o.out)
        return cli_usage(&public_verb, "-o PUB is missing");
    (void)!public_of(args.val[0], &o, &d);
    return cli_made(&public_verb, o.out, &d);
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
