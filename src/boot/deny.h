/* boot/deny.h - images that failed on this device, and are not to come back.
 *
 * The bootloader only marks records. What it gave up is looked up here, before
 * the slot is written again: the image of a slot whose record is ABORTED or
 * INVALID, unless the last verdict says that it did not even verify, or the
 * list was emptied after it, or it was learnt from that record before. */
#ifndef BOOT_DENY_H
#define BOOT_DENY_H

#include "image/identity.h"
#include "otadata/otadata.h"
#include "part/part.h"

/* Identity of the image in a partition. ESP_ERR_NOT_FOUND: there is none. */
MUST_CHECK esp_err_t deny_identity(const struct part_dev *parts,
                                   const struct part_entry *part,
                                   uint8_t out[SHA256_LEN]);

/* Puts images that were given up on the list. Writes nothing when they are on
 * it. Errors of otadata_deny_learn(). */
MUST_CHECK esp_err_t deny_learn(const struct part_dev *parts);

/* Is it on the list? *denied is true, too, when that cannot be found out. */
MUST_CHECK esp_err_t deny_has(const struct part_dev *parts,
                              const uint8_t digest[SHA256_LEN], bool *denied);
/* ... or would deny_learn() put it there? Only while a slot that was given up
 * still holds what was given up. */
MUST_CHECK esp_err_t deny_would_have(const struct part_dev *parts,
                                     const uint8_t digest[SHA256_LEN],
                                     bool *denied);

#endif
