/* image_file.h - an image in a file: loaded, judged, described. */
#ifndef IMAGE_FILE_H
#define IMAGE_FILE_H

#include "cli.h"
#include "image/cap.h"
#include "image/image.h"

/* The largest image with what may follow it. */
#define IMAGE_FILE_MAX_LEN (IMG_MAX_LEN + 65536u)

struct image_file {
    struct cli_bytes bytes;
    struct img_check check;     /* info and fault, after image_file_check() */
    struct img_receipt receipt; /* not bound to any flash */
};
#define IMAGE_FILE_NONE         \
    {                           \
        .bytes = CLI_BYTES_NONE \
    }

/* Reads the file and judges nothing. */
MUST_CHECK esp_err_t image_file_load(const char *path, struct image_file *f,
                                     struct diag *d);

/* What the bytes look like: an application, unless they start with the
 * description of a bootloader or are too short for an application's. */
enum img_kind image_file_kind(const struct image_file *f);

/* The verifier over all of the file, with the rules of IMG_PLACE_FILE. rules
 * NULL: any chip, of the kind that it looks like. The sentence starts with
 * name. Afterwards check.info is fit to be shown: no more segments than there
 * is room for, no control characters in the description's texts. */
MUST_CHECK esp_err_t image_file_check(struct image_file *f, const char *name,
                                      const struct img_rules *rules,
                                      struct diag *d);

/* Both. On failure f holds nothing. */
MUST_CHECK esp_err_t image_file_open(const char *path,
                                     const struct img_rules *rules,
                                     struct image_file *f, struct diag *d);

/* What the image says of updates; of a bootloader nothing. */
void image_file_cap(const struct image_file *f, struct img_cap *out);

void image_file_free(struct image_file *f); /* idempotent */

/* Whether the verifier came as far as these. */
bool image_file_has_checksum(const struct image_file *f);
bool image_file_has_hash(const struct image_file *f);

/* What `porta image info --json` prints; NULL: out of memory. */
cJSON *image_file_json(const struct image_file *f);

#endif
