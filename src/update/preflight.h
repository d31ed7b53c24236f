/* update/preflight.h - may this image be installed? Asked once, when the first
 * kilobyte is there and before anything is erased. Pure: facts in, an answer
 * out. What the verifier asks of the same bytes (chip, revision, format, does
 * it fit) was asked before, see image/image.h. docs/preflight.md has the rows.
 */
#ifndef UPDATE_PREFLIGHT_H
#define UPDATE_PREFLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "image/cap.h"

/* What a device asks beyond what makes an image whole. Zero: nothing, as
 * ESP-IDF. */
struct pre_policy {
    bool same_project;      /* another project's program is refused */
    bool no_same_version;   /* so is the version that runs */
    bool no_older;          /* ... and one below it, or of unknown order */
    bool same_spi_mode;     /* ... and one for another mode of flash */
    bool require_updatable; /* ... and one that does not say that it is */
    uint32_t least_heap;    /* bytes that have to be free, 0: any */
};

static inline bool pre_wanted(const struct pre_policy *p)
{
    return p->same_project || p->no_same_version || p->no_older ||
           p->same_spi_mode || p->require_updatable || p->least_heap > 0;
}

#define PRE_LEN_UNKNOWN UINT64_MAX
#define PRE_HEAP_UNKNOWN UINT32_MAX

struct pre_facts {
    const struct pre_policy *policy;
    bool is_app;
    /* What comes. */
    const struct img_desc *desc; /* `present` may be false */
    const struct img_cap *cap;
    uint64_t file_len;  /* of the image with its signature */
    uint32_t least_len; /* what the image is known to have, likewise */
    /* The device. */
    const struct img_desc *running; /* likewise; NULL: nothing runs */
    const struct img_keys *keys;    /* NULL: no signature is required */
    const uint8_t *table_sha;       /* img_cap_table() */
    uint32_t heap_free;
};

enum pre_why {
    PRE_OK = 0,
    PRE_FILE_SHORT, /* got: length of the file, want: at least */
    PRE_NOT_SIGNED, /* got: length of the file, which no signed one has */
    PRE_HEAP,       /* got: free, want */
    PRE_SPI_MODE,   /* got, want: app description's numbers */
    PRE_PROJECT,
    PRE_SAME_VERSION,
    PRE_OLDER,
    PRE_UNORDERED,    /* nobody can say which version is older */
    PRE_CAP_DAMAGED,  /* the capability record is damaged */
    PRE_NO_CLIENT,    /* it could not fetch the next update */
    PRE_OTHER_TABLE,  /* made for another partition table */
    PRE_OTHER_SCHEME, /* got: what it will ask for, want: the device's */
    PRE_KEYS_APART,   /* got: keys that both trust, want: at least */
    PRE_CAP_ABSENT,   /* it does not say, and require_updatable asks */
    PRE_WHYS
};

enum pre_updatable {
    PRE_UPD_UNKNOWN = 0,
    PRE_UPD_YES,
    PRE_UPD_NO /* installed by its signed override, or refused */
};

struct pre_answer {
    enum pre_why why; /* PRE_OK: go on */
    esp_err_t err;
    uint32_t got, want;
    enum pre_updatable updatable;
};

void pre_judge(const struct pre_facts *facts, struct pre_answer *out);

const char *pre_updatable_name(enum pre_updatable updatable);

/* The sentence for an answer, with the names and numbers. Returns text. */
const char *pre_text(const struct pre_facts *facts,
                     const struct pre_answer *answer, char *text, size_t len);

/* Dotted numbers, `v` in front or not; behind them nothing, `-rc1` and the
 * like (before the release), `-N-gHASH` of git describe (behind it), `+build`
 * (no matter). Where that does not decide: UNKNOWN, unless equal byte by
 * byte. */
enum pre_order {
    PRE_ORDER_UNKNOWN,
    PRE_ORDER_OLDER,
    PRE_ORDER_SAME,
    PRE_ORDER_NEWER
};
enum pre_order pre_version_order(const char *a, const char *than);

#endif
