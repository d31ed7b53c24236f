/* Files of signing keys, on any bytes. Asserted: what is taken for a key has
 * an id, and a PEM of its public half is the same key. */
#include <stdlib.h>
#include <string.h>

#include "key_file.h"

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void again(struct key_file *key)
{
    uint8_t id[SHA256_LEN], other[SHA256_LEN];
    struct key_file copy;
    struct cli_bytes pem;

    key_file_id(key, id);
    must(key_file_pem(key, false, &pem) == ESP_OK);
    must(key_file_parse("again", &pem, &copy, NULL) == ESP_OK);
    key_file_id(&copy, other);
    must(memcmp(id, other, sizeof(id)) == 0 && !copy.is_private);
    key_file_close(&copy);
    cli_bytes_free(&pem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cli_bytes bytes = { malloc(size + 1), size };
    struct key_file key;

    must(bytes.ptr != NULL);
    if (size)
        memcpy(bytes.ptr, data, size);
    bytes.ptr[size] = 0;
    if (key_file_parse("input", &bytes, &key, NULL) == ESP_OK)
        again(&key);
    key_file_close(&key);
    cli_bytes_free(&bytes);
    return 0;
}
