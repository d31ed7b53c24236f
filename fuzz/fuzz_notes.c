/* What a session keeps in a store: a checkpoint, the note of a copy. What is
 * taken for one says the same when it is written again. */
#include <stdint.h>
#include <stdlib.h>

#include "update/checkpoint.h"
#include "update/copy.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_copy(span_of(data, size));
    try_checkpoint(span_of(data, size));
    return 0;
}
