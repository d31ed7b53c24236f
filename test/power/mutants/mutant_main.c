/* The harness over code with a fault in it: it must see something. Exit 0: it
 * did, and the sequence that it tells fails again when it is replayed; 1: it
 * saw nothing. With --sound the code has no fault, and it must see nothing. */
#include <stdio.h>
#include <string.h>

#include "power/torture/device.h"

static const struct device_kind kinds[] = {
    { .body_len = 6000, .old_in_target = true },
    { .body_len = 6000, .factory = true },
};

static bool replays(struct tort *t, const struct tort_result *r)
{
    static struct tort_result again;
    struct diag d = DIAG_NONE;

    return tort_replay(t, &r->bad_seq, &again, &d) == ESP_OK &&
           again.bad_cnt == 1;
}

static const char *sees(const struct device_kind *kind, uint32_t depth,
                        bool sound)
{
    static struct tort_result r;
    static char text[400];
    char seq[TORT_SEQ_TEXT_LEN];
    struct diag diag = DIAG_NONE;
    const char *seen = NULL;
    struct device d;
    struct tort *t;

    device_make(&d, kind);
    d.conf.depth = depth;
    d.conf.workers = sound ? 16 : 1; /* the long run is a test of its own */
    d.conf.stop_early = true;
    if (tort_open(&t, &d.conf, &diag)) {
        /* Nothing was proved: any test would see this. */
        snprintf(text, sizeof(text), "NO UPDATE: %s", diag.text);
        device_free(&d);
        return text;
    }
    tort_all(t, &r);
    if (r.bad_cnt) {
        snprintf(text, sizeof(text), "%s: %s%s",
                 tort_seq_text(&r.bad_seq, seq, sizeof(seq)), r.bad_why,
                 replays(t, &r) ? "" : " (NOT REPLAYED)");
        seen = text;
    }
    tort_close(t);
    device_free(&d);
    return seen;
}

int main(int argc, char **argv)
{
    bool sound = argc > 1 && strcmp(argv[1], "--sound") == 0;
    const char *seen = NULL;

    for (uint32_t depth = 1; depth <= 2; depth++)
        for (size_t i = 0; !seen && i < sizeof(kinds) / sizeof(kinds[0]); i++)
            seen = sees(&kinds[i], depth, sound);
    printf("%s\n", seen ? seen : "nothing was seen");
    if (seen && (strstr(seen, "NOT REPLAYED") || strstr(seen, "NO UPDATE")))
        return 1;
    return sound ? seen != NULL : seen == NULL;
}
