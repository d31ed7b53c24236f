#include "trust_file.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "linux_heap.h"
#include "linux_trust.h"

static esp_err_t add_file(struct tls_bundle_build *b, const char *path,
                          struct diag *d)
{
    struct cli_bytes text = CLI_BYTES_NONE;
    struct diag why = DIAG_NONE;
    esp_err_t err = cli_read_file(path, LINUX_TRUST_MAX_LEN, &text, d);

    if (err)
        return err;
    /* The NUL that follows PEM spares the library a copy. */
    bool pem = strstr((const char *)text.ptr, "-----BEGIN ") != NULL;
    err = tls_bundle_add(b, span_of(text.ptr, text.len + pem), &why);
    cli_bytes_free(&text);
    if (err)
        return diag_fail(d, why.stage, err, "%s: %s", text_name(path).text,
                         why.text);
    return ESP_OK;
}

/* What is no file, or has no certificate, is passed over. */
static esp_err_t add_entry(struct tls_bundle_build *b, const char *folder,
                           const char *name, struct diag *d)
{
    struct diag why = DIAG_NONE;
    char path[4096];
    struct stat st;

    if (snprintf(path, sizeof(path), "%s/%s", folder, name) >=
            (int)sizeof(path) ||
        stat(path, &st) != 0 || !S_ISREG(st.st_mode) ||
        st.st_size > (off_t)LINUX_TRUST_MAX_LEN)
        return ESP_OK;
    esp_err_t err = add_file(b, path, &why);
    if (err == ESP_ERR_NO_MEM || err == ESP_ERR_INVALID_SIZE)
        return diag_fail(d, why.stage, err, "%s", why.text);
    return ESP_OK;
}

static esp_err_t add_folder(struct tls_bundle_build *b, const char *path,
                            DIR *dir, struct diag *d)
{
    uint32_t before = b->taken_cnt + b->twice_cnt;
    struct dirent *entry;
    esp_err_t err = ESP_OK;

    while (!err && (entry = readdir(dir)) != NULL)
        err = add_entry(b, path, entry->d_name, d);
    if (err || b->taken_cnt + b->twice_cnt > before)
        return err;
    return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_NOT_FOUND,
                     "no file in %s has a certificate in PEM or DER",
                     text_name(path).text);
}

esp_err_t trust_add(struct tls_bundle_build *b, const char *path,
                    struct diag *d)
{
    DIR *dir = strcmp(path, "-") == 0 ? NULL : opendir(path);

    if (!dir)
        return add_file(b, path, d);
    esp_err_t err = add_folder(b, path, dir, d);
    closedir(dir);
    return err;
}

esp_err_t trust_add_system(struct tls_bundle_build *b, struct diag *d)
{
    uint8_t *pem = NULL;
    size_t len = 0;
    esp_err_t err = linux_trust.load(NULL, &linux_heap, &pem, &len);

    if (err == ESP_ERR_NOT_FOUND)
        return err;
    if (err == ESP_FAIL)
        return diag_fail(d, DIAG_STAGE_FILE, err, "cannot open %s: %s",
                         trust_system_place(), strerror(errno));
    if (err)
        return diag_fail(d, DIAG_STAGE_TLS, err, "%s cannot be used: %s",
                         trust_system_place(), err_name(err));
    err = tls_bundle_add(b, span_of(pem, len + 1), d);
    free(pem);
    return err;
}

const char *trust_system_place(void)
{
    return linux_trust.place(NULL);
}

esp_err_t trust_finish(struct tls_bundle_build *b, struct cli_bytes *out,
                       struct diag *d)
{
    struct span bytes;
    esp_err_t err = tls_bundle_finish(b, &bytes, d);

    *out = (struct cli_bytes)CLI_BYTES_NONE;
    if (err)
        return err;
    out->ptr = calloc(1, bytes.len + 1);
    if (out->ptr) {
        memcpy(out->ptr, bytes.ptr, bytes.len);
        out->len = bytes.len;
    }
    b->heap->free(b->heap->ctx, (void *)(uintptr_t)bytes.ptr);
    return out->ptr
               ? ESP_OK
               : diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_NO_MEM, "out of memory");
}
