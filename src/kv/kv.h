/* kv/kv.h - a key/value store in a flash partition, in the reference's format.
 *
 * Guarantee: whatever happens, power loss at any flash operation included, a
 * key has the value of the last call that returned ESP_OK, or that of the call
 * that was under way; every other key is untouched. Why: mount.c and room.c.
 * Order:  kv_mount, kv_open per namespace, then any of the others, kv_unmount.
 * Memory: one block per mount (some 140 bytes for each 4096 of flash).
 * Threads: one caller at a time.
 *
 * Errors are the reference's ESP_ERR_NVS_ codes and those of the flash. After
 * an error of the flash the store reads itself again from the flash before the
 * next call does its work; if that fails, that call fails. */
#ifndef KV_KV_H
#define KV_KV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "kv/format.h"
#include "part/part.h"
#include "port/heap.h"

struct kv;

/* Reads the partition and ends what a power cut interrupted. A blank partition
 * is not written to; a partition flagged readonly never is.
 * ESP_ERR_NVS_NO_FREE_PAGES: too small, or truncated. _NEW_VERSION_FOUND: a
 * page of a later format. Both leave the flash alone; kv_wipe() cures them.
 * ESP_ERR_NOT_SUPPORTED: on this flash the format cannot be kept (prog_once,
 * another sector size, a unit above 4 bytes). ESP_ERR_INVALID_ARG: not a
 * page long, or not aligned. ESP_ERR_NO_MEM.
 * dev and heap are borrowed until kv_unmount(); *part is copied. */
MUST_CHECK esp_err_t kv_mount(struct part_dev *dev,
                              const struct part_entry *part,
                              const struct port_heap *heap, struct kv **out);
/* NULL is a no-op. Every struct kv_ns of it is void. */
void kv_unmount(struct kv *kv);

/* Erases a partition that is not mounted. */
MUST_CHECK esp_err_t kv_wipe(struct part_dev *dev,
                             const struct part_entry *part);

/* --- a namespace ---------------------------------------------------------- */

struct kv_ns {
    struct kv *kv; /* borrowed */
    uint8_t idx;
    bool purge; /* what is erased is overwritten, too; the caller's choice */
};

/* _NVS_INVALID_NAME: empty. _NVS_KEY_TOO_LONG: above 15 characters.
 * _NVS_NOT_FOUND: absent, and create is false. ESP_ERR_NOT_ALLOWED: create,
 * and the partition is readonly. _NVS_NOT_ENOUGH_SPACE: no room for another. */
MUST_CHECK esp_err_t kv_open(struct kv *kv, const char *name, bool create,
                             struct kv_ns *out);

/* type: one that kv_type_is_number(). A float goes by its bits.
 * Every set: ESP_ERR_NOT_ALLOWED (readonly), _NVS_KEY_TOO_LONG,
 * _NVS_VALUE_TOO_LONG, _NVS_NOT_ENOUGH_SPACE (the old value stays),
 * _NVS_INVALID_STATE (pages are numbered to the end). What is stored already is
 * not written again. */
MUST_CHECK esp_err_t kv_set_number(const struct kv_ns *ns, const char *key,
                                   uint8_t type, uint64_t value);
MUST_CHECK esp_err_t kv_set_str(const struct kv_ns *ns, const char *key,
                                const char *value);
MUST_CHECK esp_err_t kv_set_blob(const struct kv_ns *ns, const char *key,
                                 struct span value);

/* _NVS_NOT_FOUND: no such key of this type, or its bytes are damaged. */
MUST_CHECK esp_err_t kv_get_number(const struct kv_ns *ns, const char *key,
                                   uint8_t type, uint64_t *out);
/* dst NULL: *len becomes the length (of a string with its NUL).
 * _NVS_INVALID_LENGTH: *len is too small; it becomes the length. */
MUST_CHECK esp_err_t kv_get_str(const struct kv_ns *ns, const char *key,
                                char *dst, size_t *len);
MUST_CHECK esp_err_t kv_get_blob(const struct kv_ns *ns, const char *key,
                                 void *dst, size_t *len);

/* Blobs of either form are KV_TYPE_CHUNK here. */
MUST_CHECK esp_err_t kv_find_key(const struct kv_ns *ns, const char *key,
                                 uint8_t *type);
MUST_CHECK esp_err_t kv_erase(const struct kv_ns *ns, const char *key);
MUST_CHECK esp_err_t kv_erase_all(const struct kv_ns *ns);
/* Overwrites what was erased from this namespace and is still readable. */
MUST_CHECK esp_err_t kv_purge(const struct kv_ns *ns);
/* Slots that this namespace's values take. */
MUST_CHECK esp_err_t kv_used(const struct kv_ns *ns, size_t *cnt);

/* --- the store ------------------------------------------------------------ */

struct kv_stats { /* in slots */
    size_t used_cnt, free_cnt;
    size_t avail_cnt; /* free, less the page that is always kept */
    size_t total_cnt;
    size_t ns_cnt;
};
MUST_CHECK esp_err_t kv_get_stats(struct kv *kv, struct kv_stats *out);

/* A walk over keys, oldest first. Keys that are set during the walk may be
 * seen again; none that stays as it is gets lost. */
struct kv_iter {  /* zero, but for the filter: at the start */
    uint8_t ns;   /* 0: any */
    uint8_t type; /* KV_TYPE_ANY, or one; KV_TYPE_CHUNK: blobs */
    bool begun;
    uint32_t seq, idx;
};
struct kv_info {
    char ns_name[KV_KEY_LEN];
    char key[KV_KEY_LEN];
    uint8_t type;
};
/* _NVS_NOT_FOUND: there are no more. */
MUST_CHECK esp_err_t kv_iter_next(struct kv *kv, struct kv_iter *it,
                                  struct kv_info *out);

#endif
