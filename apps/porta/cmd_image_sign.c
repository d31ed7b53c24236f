/* porta image sign */
#include <string.h>

#include "cmd_image.h"
#include "image_file.h"
#include "key_file.h"
#include "sign_file.h"

struct sign_opts {
    const char *scheme, *key, *out;
    bool data;
};

static const struct cli_opt options[] = {
    { "--scheme", "v1|rsa3072|ecdsa256|ecdsa384", "how to sign", CLI_KIND_TEXT,
      offsetof(struct sign_opts, scheme) },
    { "--key", "PEM", "the private key", CLI_KIND_TEXT,
      offsetof(struct sign_opts, key) },
    { "-o", "OUT", "the signed file", CLI_KIND_TEXT,
      offsetof(struct sign_opts, out) },
    { "--data", NULL, "FILE is no image: sign all of it", CLI_KIND_FLAG,
      offsetof(struct sign_opts, data) },
    CLI_OPT_END,
};

static const struct cli_verb verb = {
    .name = "image sign",
    .usage = "FILE",
    .summary = "append a signature",
    .text = "An image that is signed already receives a further signature, up "
            "to three\n(v1: one). V2 signatures lie in a sector of their own "
            "behind 0xFF padding.\nThe input is not changed; an image that "
            "is damaged is not signed.",
    .example = "porta image sign --scheme ecdsa256 --key key.pem app.bin -o "
               "app-signed.bin\n"
               "porta image sign --scheme ecdsa256 --key next.pem "
               "app-signed.bin -o app-both.bin",
    .opts = options,
    .arg_min = 1,
    .arg_max = 1,
};

/* How much of the file is to be signed. */
static esp_err_t find_content(const struct sign_opts *o, struct image_file *f,
                              struct sign_job *job, struct diag *d)
{
    size_t signed_off;

    if (!o->data) {
        esp_err_t err = image_file_check(f, job->name, NULL, d);

        job->content_len = f->check.info.image_len;
        return err;
    }
    job->content_len = job->file.len;
    if (job->scheme == IMG_SCHEME_V1 || job->file.len % 4096 != 0 ||
        job->file.len <= IMG_SIG_SECTOR_LEN)
        return ESP_OK;
    /* Data that ends in a sector of blocks is signed already. */
    signed_off = job->file.len - IMG_SIG_SECTOR_LEN;
    if (job->file.ptr[signed_off] == 0xE7)
        job->content_len = signed_off;
    return ESP_OK;
}

static esp_err_t sign(const struct sign_opts *o, const char *path,
                      enum img_scheme scheme, struct diag *d)
{
    struct image_file f = IMAGE_FILE_NONE;
    struct cli_bytes out = CLI_BYTES_NONE;
    struct sign_job job = { .name = path, .scheme = scheme };
    struct key_file key;
    esp_err_t err = key_file_open_private(o->key, &key, d);

    if (!err && !key_fits(key.kind, scheme))
        err = diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                        "%s is not a key of the scheme %s", o->key, o->scheme);
    if (!err)
        err = image_file_load(path, &f, d);
    job.file = span_of(f.bytes.ptr, f.bytes.len);
    if (!err)
        err = find_content(o, &f, &job, d);
    if (!err)
        err = sign_file(&job, &key, &out, d);
    if (!err)
        err = cli_write_file(o->out, span_of(out.ptr, out.len), 0644, d);
    cli_bytes_free(&out);
    image_file_free(&f);
    key_file_close(&key);
    return err;
}

int image_sign(int argc, char **argv)
{
    struct sign_opts o = { 0 };
    struct diag d = DIAG_NONE;
    struct cli_args args;
    enum img_scheme scheme;
    int status = cli_parse(&verb, argc, argv, &o, &args);

    if (status != CLI_GO)
        return status;
    if (!o.scheme || !o.key || !o.out)
        return cli_usage(&verb, "%s is missing",
                         !o.scheme ? "--scheme"
                         : !o.key  ? "--key"
                                   : "-o");
    scheme = key_scheme_by_name(o.scheme);
    if (scheme == IMG_SCHEME_NONE)
        return cli_usage(&verb,
                         "--scheme %s: it is v1, rsa3072, ecdsa256 or "
                         "ecdsa384",
                         o.scheme);
    (void)!sign(&o, args.val[0], scheme, &d);
    return cli_made(&verb, o.out, &d);
}
