#include "temp_folder.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

esp_err_t temp_folder_make(char *out, size_t out_len, const char *name,
                           struct diag *d)
{
    const char *tmp = getenv("TMPDIR");
    int len;

    if (!tmp || !tmp[0])
        tmp = P_tmpdir;
    len = snprintf(out, out_len, "%s/%s-XXXXXX", tmp, name);
    errno = ENAMETOOLONG;
    if (len >= 0 && (size_t)len < out_len && mkdtemp(out))
        return ESP_OK;
    out[0] = '\0';
    return diag_fail(d, DIAG_STAGE_FILE, ESP_FAIL,
                     "cannot make a folder in %s (TMPDIR): %s",
                     text_name(tmp).text, strerror(errno));
}

static int remove_one(const char *path, const struct stat *st, int kind,
                      struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

void temp_folder_remove(const char *path)
{
    if (path[0])
        (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
