/* Writes images with the library, and a JSON list of what is in them, for a
 * reader that does not share its code (test_nvs_format.py).
 * usage: kv_write_images FOLDER */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig.h"

static void must(bool ok)
{
    if (!ok)
        abort();
}

static FILE *create(const char *folder, const char *name)
{
    char path[512];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "wb");
    must(file != NULL);
    return file;
}

static void list_value(FILE *json, const char *key, const struct val *v)
{
    static uint8_t bytes[VAL_MAX];

    fprintf(json, "[\"%s\", %u, ", key, (unsigned)v->type);
    if (kv_type_is_number(v->type)) {
        fprintf(json, "\"%016llx\"]", (unsigned long long)v->num);
        return;
    }
    val_bytes(v, bytes);
    fputc('"', json);
    for (uint32_t i = 0; i < v->len; i++)
        fprintf(json, "%02x", bytes[i]);
    fputs("\"]", json);
}

static const struct val values[] = {
    { .type = KV_TYPE_U8, .num = 0xFE },
    { .type = KV_TYPE_I8, .num = 0x80 },
    { .type = KV_TYPE_U16, .num = 0xFFFE },
    { .type = KV_TYPE_I16, .num = 0x8000 },
    { .type = KV_TYPE_U32, .num = 0xFFFFFFFEu },
    { .type = KV_TYPE_I32, .num = 0x80000000u },
    { .type = KV_TYPE_U64, .num = 0xFFFFFFFFFFFFFFFEu },
    { .type = KV_TYPE_I64, .num = 0x8000000000000000u },
    { .type = KV_TYPE_FLOAT, .num = 0x3F800000u },
    { .type = KV_TYPE_DOUBLE, .num = 0x3FF0000000000000u },
    { .type = KV_TYPE_STR, .len = 1, .num = 1 },
    { .type = KV_TYPE_STR, .len = 33, .num = 2 },
    { .type = KV_TYPE_STR, .len = 4000, .num = 3 },
    { .type = KV_TYPE_CHUNK, .len = 0, .num = 4 },
    { .type = KV_TYPE_CHUNK, .len = 32, .num = 5 },
    { .type = KV_TYPE_CHUNK, .len = 4001, .num = 6 },
    { .type = KV_TYPE_CHUNK, .len = 7000, .num = 7 },
};
#define VALUE_CNT (sizeof(values) / sizeof(values[0]))

/* Every value, `rounds` times over with others in between, so that pages are
 * filled, moved and erased. */
static void write_image(const char *folder, const char *name, unsigned rounds)
{
    char file_name[64];
    struct rig r;
    struct kv_ns ns;
    FILE *bin, *json;

    rig_open(&r, 8);
    must(rig_mount(&r) == ESP_OK);
    must(kv_open(r.kv, "app", true, &ns) == ESP_OK);
    for (unsigned n = 0; n < rounds * VALUE_CNT; n++) {
        char key[16];
        snprintf(key, sizeof(key), "key%u", n % (unsigned)VALUE_CNT);
        must(val_set(&ns, key, &values[(n + n / VALUE_CNT + 1) % VALUE_CNT]) ==
             ESP_OK);
    }
    snprintf(file_name, sizeof(file_name), "%s.bin", name);
    bin = create(folder, file_name);
    snprintf(file_name, sizeof(file_name), "%s.json", name);
    json = create(folder, file_name);
    fputc('[', json);
    for (unsigned i = 0; i < VALUE_CNT; i++) {
        char key[16];
        snprintf(key, sizeof(key), "key%u", i);
        must(val_set(&ns, key, &values[i]) == ESP_OK);
        list_value(json, key, &values[i]);
        fputs(i + 1 < VALUE_CNT ? ", " : "]", json);
    }
    must(fwrite(r.sim.bytes, 1, r.part.len, bin) == r.part.len);
    must(fclose(bin) == 0 && fclose(json) == 0);
    rig_close(&r);
}

int main(int argc, char **argv)
{
    must(argc == 2);
    write_image(argv[1], "fresh", 0);
    write_image(argv[1], "used", 3);
    write_image(argv[1], "worn", 40);
    return 0;
}
