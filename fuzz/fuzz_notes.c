/* What a session keeps in a store: a checkpoint, the note of a copy, what is
 * known of the running image. What is taken for one says the same when it is
 * written again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "update/checkpoint.h"
#include "update/copy.h"
#include "update/known.h"

static void must(int ok)
{
    if (!ok)
        abort();
}

static void try_copy(struct span in)
{
    char text[UPD_COPY_TEXT_LEN];
    struct upd_copy c;

    if (upd_copy_parse(in, &c) != ESP_OK)
        return;
    must(c.len > 0 && c.len <= c.to.len && c.len <= c.from.len);
    upd_copy_format(&c, text);
    must(upd_copy_parse(span_str(text), &c) == ESP_OK);
}

static void try_checkpoint(struct span in)
{
    char text[UPD_CHECKPOINT_TEXT_LEN];
    struct upd_checkpoint c, again;

    if (upd_checkpoint_parse(in, &c) != ESP_OK)
        return;
    upd_checkpoint_format(&c, text);
    must(upd_checkpoint_parse(span_str(text), &again) == ESP_OK);
    must(again.off == c.off && again.slot_off == c.slot_off);
    (void)upd_checkpoint_refuse(&c, &again, 4096, 0x100000);
}

static void try_known(struct span in)
{
    char text[UPD_KNOWN_TEXT_LEN];
    struct upd_known k, again;

    if (upd_known_parse(in, &k) != ESP_OK)
        return;
    must(upd_known_format(&k, text));
    must(upd_known_parse(span_str(text), &again) == ESP_OK);
    must(memcmp(again.url, k.url, sizeof(k.url)) == 0);
    must(memcmp(again.print, k.print, sizeof(k.print)) == 0);
    must(again.image_len == k.image_len && strcmp(again.slot, k.slot) == 0);
    must(strcmp(again.etag, k.etag) == 0);
    must(strcmp(again.last_modified, k.last_modified) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_copy(span_of(data, size));
    try_checkpoint(span_of(data, size));
    try_known(span_of(data, size));
    return 0;
}
