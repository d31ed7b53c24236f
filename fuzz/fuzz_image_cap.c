/* A capability record behind 288 bytes that do not matter; the first four
 * bytes of the input are the length of the segment. With the CRC that the
 * bytes have and with the right one, because few inputs have it by chance. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32.h"
#include "base/le.h"
#include "image/cap.h"

static void must(int ok)
{
    if (!ok)
        abort();
}

/* What was taken says the same when it is written again. */
static void try_record(struct span head, uint32_t seg_len)
{
    uint8_t bytes[IMG_CAP_END] = { 0 };
    struct img_cap cap, again;

    img_cap_parse(head, seg_len, &cap);
    if (cap.state != IMG_CAP_GOOD)
        return;
    must(cap.cnt <= IMG_CAP_KEYS_MAX && cap.need <= cap.cnt);
    must(cap.need > 0 || cap.cnt == 0);
    uint32_t len = img_cap_pack(&cap, bytes + IMG_CAP_OFF);
    must(len % 4 == 0 && len <= IMG_CAP_MAX_LEN);
    img_cap_parse(span_of(bytes, IMG_CAP_OFF + len), IMG_APP_DESC_LEN + len,
                  &again);
    must(again.state == IMG_CAP_GOOD && again.client == cap.client &&
         again.override == cap.override && again.need == cap.need &&
         again.scheme == cap.scheme && again.cnt == cap.cnt);
    must(memcmp(again.key_id, cap.key_id, sizeof(cap.key_id)) == 0);
}

static void mend_crc(uint8_t *record, size_t len)
{
    size_t told = len >= 8 ? le16_get(record + 6) : 0;

    if (told >= 12 && told <= len)
        le32_put(record + told - 4, crc32_le(0, record, told - 4));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4 || size > 4096)
        return 0;
    uint8_t *head = calloc(1, IMG_CAP_OFF + size);
    if (!head)
        return 0;
    size_t len = size - 4;
    uint32_t seg_len = le32_get(data);

    memcpy(head + IMG_CAP_OFF, data + 4, len);
    try_record(span_of(head, IMG_CAP_OFF + len), seg_len);
    mend_crc(head + IMG_CAP_OFF, len);
    try_record(span_of(head, IMG_CAP_OFF + len), seg_len);
    free(head);
    return 0;
}
