#include "psk_arg.h"

#include <string.h>

static int hex_value(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c | 0x20) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* The bytes take the place of their digits. */
static bool decode(char *hex, size_t len)
{
    for (size_t i = 0; i < len / 2; i++) {
        int high = hex_value(hex[2 * i]);
        int low = hex_value(hex[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        hex[i] = (char)(high << 4 | low);
    }
    return true;
}

esp_err_t psk_arg_read(const char *arg, struct psk_arg *out, struct diag *d)
{
    esp_err_t err = cli_read_secret(arg, &out->text, d);

    if (err)
        return err;
    char *text = (char *)out->text.ptr;
    char *hex = strrchr(text, ':');
    size_t len = hex ? strlen(hex + 1) : 0;

    if (!hex || hex == text || len < 2 || len > 2 * PSK_MAX_LEN ||
        len % 2 != 0 || !decode(hex + 1, len))
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "--psk needs identity:key, the key as 2 to %u "
                         "hexadecimal digits",
                         2 * PSK_MAX_LEN);
    *hex = '\0';
    out->identity = span_of(text, (size_t)(hex - text));
    out->key = span_of(hex + 1, len / 2);
    return ESP_OK;
}

void psk_arg_free(struct psk_arg *p)
{
    cli_bytes_free(&p->text);
    p->identity = p->key = span_of(NULL, 0);
}
