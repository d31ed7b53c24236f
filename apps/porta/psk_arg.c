#include "psk_arg.h"

#include <string.h>

#include "base/num.h"

esp_err_t psk_arg_read(const char *arg, struct psk_arg *out, struct diag *d)
{
    esp_err_t err = cli_read_secret(arg, &out->text, d);

    if (err)
        return err;
    char *text = (char *)out->text.ptr;
    char *hex = strrchr(text, ':');
    size_t len = hex ? strlen(hex + 1) / 2 : 0;

    /* The bytes take the place of their digits. */
    if (!hex || hex == text || len < PSK_MIN_LEN || len > PSK_MAX_LEN ||
        num_parse_hex(span_str(hex + 1), (uint8_t *)hex + 1, len) != ESP_OK)
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "--psk needs identity:key, the key as %u to %u bytes "
                         "in hexadecimal",
                         PSK_MIN_LEN, PSK_MAX_LEN);
    *hex = '\0';
    out->identity = span_of(text, (size_t)(hex - text));
    out->key = span_of(hex + 1, len);
    return ESP_OK;
}

void psk_arg_free(struct psk_arg *p)
{
    cli_bytes_free(&p->text);
    p->identity = p->key = span_of(NULL, 0);
}
