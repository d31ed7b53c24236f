#include "cap_file.h"

#include <string.h>

#include "base/text.h"
#include "elf_symbols.h"
#include "image/image.h"
#include "key_file.h"
#include "table_load.h"

#define ELF_MAX_LEN (8 * IMG_MAX_LEN) /* with symbols */

bool cap_args_ok(const struct cap_args *a)
{
    return a->client ||
           (!a->table && a->trusts.cnt == 0 && !a->need && !a->override);
}

/* Functions that every client calls one of. */
static const char *const clients[] = { "esp_https_ota", "esp_https_ota_begin",
                                       "esp_ota_set_boot_partition" };

static esp_err_t read_client(const char *path, bool *client, struct diag *d)
{
    struct cli_bytes elf = CLI_BYTES_NONE;
    esp_err_t err = cli_read_file(path, ELF_MAX_LEN, &elf, d);

    if (!err && (elf.len < 4 || memcmp(elf.ptr,
                                       "\x7F"
                                       "ELF",
                                       4) != 0))
        err = diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                        "--ota-client %s is no ELF file; yes, no, or the "
                        "program with its symbols",
                        text_name(path).text);
    for (size_t i = 0; !err && i < sizeof(clients) / sizeof(clients[0]); i++)
        if (elf_defines(span_of(elf.ptr, elf.len), clients[i]))
            *client = true;
    cli_bytes_free(&elf);
    return err;
}

static esp_err_t fill_keys(const struct cap_args *a, struct img_cap *cap,
                           struct diag *d)
{
    struct img_keys keys = { .scheme = IMG_SCHEME_NONE };
    esp_err_t err = key_set_load(&keys, &a->trusts, a->need, d);

    if (err)
        return err;
    cap->scheme = keys.scheme;
    cap->need = keys.need;
    cap->cnt = keys.cnt;
    for (uint32_t i = 0; i < keys.cnt; i++)
        memcpy(cap->key_id[i], keys.key[i].id, SHA256_LEN);
    return ESP_OK;
}

esp_err_t cap_fill(const struct cap_args *a, struct img_cap *cap,
                   struct diag *d)
{
    bool yes = a->client && strcmp(a->client, "yes") == 0;
    bool no = a->client && strcmp(a->client, "no") == 0;
    struct part_table table;
    esp_err_t err = ESP_OK;

    *cap = (struct img_cap){ .client = yes, .override = a->override };
    if (a->client && !yes && !no)
        err = read_client(a->client, &cap->client, d);
    if (err || (!cap->client && !no))
        return err;
    cap->state = IMG_CAP_GOOD;
    if (a->table)
        err = cli_table_load(a->table, PART_TABLE_OFF, 0, &table, d);
    if (!err && a->table) {
        cap->has_table = true;
        img_cap_table(&table, cap->table_sha);
    }
    if (!err && a->trusts.cnt > 0)
        err = fill_keys(a, cap, d);
    return err;
}

static void hex(const uint8_t *p, char out[2 * SHA256_LEN + 1])
{
    for (size_t i = 0; i < SHA256_LEN; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", p[i]);
}

void cap_show(const struct img_cap *cap)
{
    char text[2 * SHA256_LEN + 1];

    if (cap->state == IMG_CAP_ABSENT)
        return;
    if (cap->state == IMG_CAP_DAMAGED) {
        puts("updates         the capability record is DAMAGED");
        return;
    }
    printf("updates         the program has %s OTA client%s\n",
           cap->client ? "an" : "no",
           cap->override ? "; to be installed anyway" : "");
    if (cap->has_table) {
        hex(cap->table_sha, text);
        printf("made for        partition table %s\n", text);
    }
    for (uint32_t i = 0; i < cap->cnt; i++) {
        hex(cap->key_id[i], text);
        printf("updates by      %s key %s%s\n", img_scheme_name(cap->scheme),
               text, cap->need > 1 ? ", not alone" : "");
    }
}

static bool add_keys(cJSON *obj, const struct img_cap *cap)
{
    cJSON *keys = cJSON_AddArrayToObject(obj, "keys");
    char text[2 * SHA256_LEN + 1];

    for (uint32_t i = 0; keys && i < cap->cnt; i++) {
        cJSON *item;

        hex(cap->key_id[i], text);
        item = cJSON_CreateString(text);
        if (!item || !cJSON_AddItemToArray(keys, item)) {
            cJSON_Delete(item);
            return false;
        }
    }
    return keys != NULL;
}

cJSON *cap_json(const struct img_cap *cap)
{
    char text[2 * SHA256_LEN + 1];
    cJSON *obj;

    if (cap->state == IMG_CAP_ABSENT)
        return cJSON_CreateNull();
    hex(cap->table_sha, text);
    obj = cJSON_CreateObject();
    if (obj &&
        cJSON_AddBoolToObject(obj, "whole", cap->state == IMG_CAP_GOOD) &&
        cJSON_AddBoolToObject(obj, "ota_client", cap->client) &&
        cJSON_AddBoolToObject(obj, "install_anyway", cap->override) &&
        (cap->has_table
             ? cJSON_AddStringToObject(obj, "table_sha256", text) != NULL
             : cJSON_AddNullToObject(obj, "table_sha256") != NULL) &&
        cJSON_AddStringToObject(obj, "scheme", img_scheme_name(cap->scheme)) &&
        cJSON_AddNumberToObject(obj, "need", cap->need) && add_keys(obj, cap))
        return obj;
    cJSON_Delete(obj);
    return NULL;
}
