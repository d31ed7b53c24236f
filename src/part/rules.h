/* part/rules.h - what makes a table one that devices can live with (reference
 * 2.3). The boot path does not ask for it: a table that is already in a flash
 * is taken as it is. */
#ifndef PART_RULES_H
#define PART_RULES_H

#include "base/diag.h"
#include "part/part.h"

/* Zero is the default of every field. */
struct part_rules {
    uint32_t table_off; /* 0: PART_TABLE_OFF, unless... */
    bool at_zero;       /* ... the table is at 0 */
    bool no_check;      /* part_check() lets everything pass */
    uint32_t flash_len; /* 0: the end of the flash is not checked */
    bool has_boot_off;  /* boot_off is known: it may well be 0 */
    uint32_t boot_off;  /* of the primary bootloader */
    bool has_recovery_off;
    uint32_t recovery_off; /* of the recovery bootloader */
    bool secure_v1;        /* signed by secure boot V1: applications are
                              multiples of 64 KiB */
    void (*warn)(void *ctx, const char *text); /* NULL: nobody listens */
    void *warn_ctx;
};

/* Where the table is, and the first byte after its sector. */
uint32_t part_rules_table_off(const struct part_rules *rules);
uint64_t part_rules_table_end(const struct part_rules *rules);

/* Places of partitions of this type are multiples of it. */
uint32_t part_align_len(uint8_t type);
/* The first such place at or after end. */
uint64_t part_auto_off(uint8_t type, uint64_t end);

/* The bootloader and the table themselves may be listed; they lie before the
 * place where partitions start. */
bool part_is_system(const struct part_entry *e);

/* lines[i] is where entry i comes from; NULL: sentences count rows from 1.
 * The sentence in d says which entry, the numbers and what to do. */
MUST_CHECK esp_err_t part_check(const struct part_table *table,
                                const struct part_rules *rules,
                                const uint32_t *lines, struct diag *d);

/* May all of *e be erased and programmed, and nothing else is touched? The
 * table of a device is taken as it is, so whoever is about to write asks
 * first. ESP_ERR_INVALID_SIZE: it is empty, no whole number of sectors, or
 * leaves the flash; ESP_ERR_INVALID_ARG: it overlaps the bootloader's place,
 * the partition table or another entry. */
MUST_CHECK esp_err_t part_check_place(const struct part_dev *dev,
                                      const struct part_entry *e,
                                      struct diag *d);
/* Do they share a byte? */
bool part_overlap(const struct part_entry *a, const struct part_entry *b);

/* What is wrong with bytes that part_table_parse() refused, as a sentence.
 * Returns the error that it returned; ESP_OK when it would accept them. */
MUST_CHECK esp_err_t part_table_explain(struct span bytes, uint32_t flash_len,
                                        struct diag *d);

#endif
