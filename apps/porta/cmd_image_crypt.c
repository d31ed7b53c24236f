/* porta image encrypt, decrypt, and what info shows of encrypted images */
#include <stdlib.h>
#include <string.h>

#include "cmd_image.h"
#include "crypt_file.h"
#include "enc/stream.h"
#include "image_file.h"

struct crypt_opts {
    const char *scheme, *key, *out;
};

#define OPT_KEY(help)                                                         \
    {                                                                         \
        "--key", "KEY", help, CLI_KIND_TEXT, offsetof(struct crypt_opts, key) \
    }
#define OPT_OUT                                   \
    {                                             \
        "-o", "OUT", "the result", CLI_KIND_TEXT, \
            offsetof(struct crypt_opts, out)      \
    }

static const struct cli_opt encrypt_opts[] = {
    OPT_KEY("the device's key; its public half is enough"),
    { "--scheme", "rsa3072|ecies256", "refuse a key of another kind",
      CLI_KIND_TEXT, offsetof(struct crypt_opts, scheme) },
    OPT_OUT,
    CLI_OPT_END,
};

static const struct cli_opt decrypt_opts[] = {
    OPT_KEY("the device's private key"),
    OPT_OUT,
    CLI_OPT_END,
};

static const struct cli_verb encrypt_verb = {
    .name = "image encrypt",
    .usage = "FILE",
    .summary = "encrypt an image for the devices that have a key",
    .text = "The key is PEM: RSA of 3072 bits, or P-256; or the 32 bytes that "
            "a device has in its\nfuses (porta key new --scheme hmac). Sign "
            "first, then encrypt: a device decrypts while\nit receives, and "
            "checks what comes out.",
    .example = "porta key new --scheme rsa3072 -o device.pem\n"
               "porta key public device.pem -o device.pub\n"
               "porta image encrypt --key device.pub app.bin -o app.enc",
    .opts = encrypt_opts,
    .arg_min = 1,
    .arg_max = 1,
};

static const struct cli_verb decrypt_verb = {
    .name = "image decrypt",
    .usage = "FILE",
    .summary = "decrypt an image, as a device does",
    .text = "Nothing is written unless the whole file is what was encrypted.",
    .example = "porta image decrypt --key device.pem app.enc -o app.bin",
    .opts = decrypt_opts,
    .arg_min = 1,
    .arg_max = 1,
};

static esp_err_t load(const char *path, struct cli_bytes *out, struct diag *d)
{
    return cli_read_file(path, IMAGE_FILE_MAX_LEN + ENC_HEAD_LEN, out, d);
}

static esp_err_t need_room(struct cli_bytes *b, size_t len, struct diag *d)
{
    b->ptr = malloc(len > 0 ? len : 1);
    b->len = len;
    return b->ptr
               ? ESP_OK
               : diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_NO_MEM, "out of memory");
}

/* --- encrypt -------------------------------------------------------------- */

static esp_err_t check_plain(const char *path, struct span plain,
                             struct diag *d)
{
    if (plain.len == 0)
        return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_INVALID_SIZE,
                         "%s is empty", path);
    if (enc_is_encrypted(plain))
        return diag_fail(d, DIAG_STAGE_IMAGE, ESP_ERR_INVALID_STATE,
                         "%s is encrypted already; no device would decrypt it "
                         "twice",
                         path);
    return ESP_OK;
}

static esp_err_t check_scheme(const struct crypt_opts *o,
                              const struct enc_key *key, struct diag *d)
{
    if (!o->scheme || crypt_scheme_by_name(o->scheme) == enc_key_scheme(key))
        return ESP_OK;
    return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                     "%s is a key for %s, not for %s", o->key,
                     crypt_scheme_id(enc_key_scheme(key)), o->scheme);
}

static esp_err_t encrypt(const struct crypt_opts *o, const char *path,
                         struct diag *d)
{
    struct cli_bytes in = CLI_BYTES_NONE, out = CLI_BYTES_NONE;
    struct enc_key *key;
    esp_err_t err = crypt_key_open(o->key, &crypt_env, &key, d);

    if (!err)
        err = check_scheme(o, key, d);
    if (!err)
        err = cli_other_file(o->out, o->key, d);
    if (!err)
        err = load(path, &in, d);
    if (!err)
        err = check_plain(path, span_of(in.ptr, in.len), d);
    if (!err)
        err = need_room(&out, in.len + ENC_HEAD_LEN, d);
    if (!err && enc_seal(key, span_of(in.ptr, in.len), out.ptr) != ESP_OK)
        err = diag_fail(d, DIAG_STAGE_IMAGE, ESP_FAIL,
                        "%s could not be encrypted for %s", path, o->key);
    if (!err)
        err = cli_write_file(o->out, span_of(out.ptr, out.len), 0644, d);
    cli_bytes_free(&in);
    cli_bytes_free(&out);
    enc_key_close(key);
    return err;
}

/* --- decrypt -------------------------------------------------------------- */

static esp_err_t decrypt(const struct crypt_opts *o, const char *path,
                         struct diag *d)
{
    struct cli_bytes in = CLI_BYTES_NONE, out = CLI_BYTES_NONE;
    struct enc_key *key;
    esp_err_t err = crypt_key_open_private(o->key, &crypt_env, &key, d);

    if (!err)
        err = cli_other_file(o->out, o->key, d);
    if (!err)
        err = load(path, &in, d);
    if (!err)
        err = crypt_unseal(path, key, span_of(in.ptr, in.len), &out, d);
    if (!err)
        err = cli_write_file(o->out, span_of(out.ptr, out.len), 0600, d);
    cli_bytes_free(&in);
    cli_bytes_free(&out);
    enc_key_close(key);
    return err;
}

/* --- the verbs ------------------------------------------------------------ */

static int run(const struct cli_verb *verb, int argc, char **argv,
               esp_err_t (*work)(const struct crypt_opts *o, const char *path,
                                 struct diag *d))
{
    struct crypt_opts o = { 0 };
    struct diag d = DIAG_NONE;
    struct cli_args args;
    int status = cli_parse(verb, argc, argv, &o, &args);

    if (status != CLI_GO)
        return status;
    if (!o.key || !o.out)
        return cli_usage(verb, "%s is missing", o.key ? "-o" : "--key");
    if (o.scheme && crypt_scheme_by_name(o.scheme) == ENC_SCHEME_NONE)
        return cli_usage(verb, "--scheme %s: it is rsa3072 or ecies256",
                         o.scheme);
    (void)!work(&o, args.val[0], &d);
    return cli_made(verb, o.out, &d);
}

int image_encrypt(int argc, char **argv)
{
    return run(&encrypt_verb, argc, argv, encrypt);
}

int image_decrypt(int argc, char **argv)
{
    return run(&decrypt_verb, argc, argv, decrypt);
}

/* --- info ----------------------------------------------------------------- */

static void hex(const uint8_t *p, size_t len, char *out)
{
    for (size_t i = 0; i < len; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", p[i]);
}

struct facts {
    struct enc_head head;
    const char *scheme;
    char iv[2 * ENC_IV_LEN + 1], tag[2 * ENC_TAG_LEN + 1];
    size_t file_len;
    struct diag diag; /* what is wrong */
};

static void find(const char *path, struct span file, struct facts *f)
{
    esp_err_t err = enc_head_parse(file, &f->head);
    unsigned long long want = ENC_HEAD_LEN + (uint64_t)f->head.body_len;

    f->file_len = file.len;
    f->scheme = crypt_scheme_id(enc_head_scheme(&f->head));
    hex(f->head.iv, ENC_IV_LEN, f->iv);
    hex(f->head.tag, ENC_TAG_LEN, f->tag);
    if (file.len < ENC_HEAD_LEN)
        (void)diag_fail(&f->diag, DIAG_STAGE_IMAGE, err,
                        "%s has %zu bytes; the head of an encrypted image "
                        "alone has %u",
                        path, file.len, ENC_HEAD_LEN);
    else if (err || want != file.len)
        (void)diag_fail(&f->diag, DIAG_STAGE_IMAGE, ESP_ERR_INVALID_SIZE,
                        "%s has %zu bytes, and its head says %llu", path,
                        file.len, want);
}

static cJSON *to_json(const struct facts *f)
{
    cJSON *obj = cJSON_CreateObject(), *enc, *problem;

    enc = cJSON_AddObjectToObject(obj, "encrypted");
    if (cJSON_AddStringToObject(enc, "scheme", f->scheme) &&
        cJSON_AddNumberToObject(enc, "image_len", f->head.body_len) &&
        cJSON_AddStringToObject(enc, "iv", f->iv) &&
        cJSON_AddStringToObject(enc, "tag", f->tag) &&
        cJSON_AddNumberToObject(obj, "file_len", (double)f->file_len)) {
        if (!f->diag.err)
            return obj;
        problem = cli_json_error(&f->diag);
        if (problem && cJSON_AddItemToObject(obj, "error", problem))
            return obj;
        cJSON_Delete(problem);
    }
    cJSON_Delete(obj);
    return NULL;
}

static void show(const struct facts *f)
{
    char len[32];

    printf("kind            encrypted image, %s by its looks\n"
           "what is in it   %s bytes, shown by porta image decrypt\n"
           "IV              %s\n"
           "tag             %s\n",
           enc_scheme_name(enc_head_scheme(&f->head)),
           cli_thousands(f->head.body_len, len, sizeof(len)), f->iv, f->tag);
    printf("file            %s bytes\n",
           cli_thousands(f->file_len, len, sizeof(len)));
}

int image_encrypted_info(const struct cli_verb *verb, const char *path,
                         struct span file, bool json)
{
    struct facts f = { .diag = DIAG_NONE };
    int status;

    find(path, file, &f);
    status = f.diag.err ? CLI_FAILED : CLI_DONE;
    if (f.diag.err)
        fprintf(stderr, "porta %s: image: %s\n", verb->name, f.diag.text);
    if (json)
        return cli_json_print(verb, to_json(&f), status);
    show(&f);
    return cli_finish(verb, status);
}
