/* ELF files for `porta image create`: what is loaded lies inside the file, and
 * what is planned from it is packed to the length that the plan says. */
#include <stdlib.h>

#include "elf_segments.h"
#include "elf_symbols.h"
#include "image/build.h"

static void must(bool ok)
{
    if (!ok)
        abort();
}

static esp_err_t count(void *ctx, const void *data, size_t len)
{
    (void)data;
    *(uint64_t *)ctx += len;
    return ESP_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t written = 0;
    struct img_sink sink = { &written, count };
    struct elf_segments parts;
    struct img_layout plan;
    struct diag d = DIAG_NONE;

    if (size < 1)
        return 0;
    (void)elf_defines(span_of(data, size), "main");
    const struct img_chip *chip = img_chip_at(data[--size] % 16);
    if (elf_segments_read(span_of(data, size), chip, &parts, &d) != ESP_OK) {
        must(d.text[0]);
        return 0;
    }
    must(parts.cnt > 0 && parts.cnt <= IMG_MAX_SEGMENTS);
    for (uint32_t i = 0; i < parts.cnt; i++)
        must(parts.segs[i].data.ptr >= data &&
             parts.segs[i].data.ptr + parts.segs[i].data.len <= data + size);
    struct img_build in = { .header = { .chip_id = chip->id,
                                        .hash_appended = 1 },
                            .segs = parts.segs,
                            .seg_cnt = parts.cnt };
    if (img_build_plan(&in, &plan, &d) != ESP_OK)
        return 0;
    must(img_build_write(&in, &plan, &sink) == ESP_OK);
    must(written == plan.image_len);
    return 0;
}
