/* boot/exec.h - ask boot_plan(), judge images for it, carry it out.
 *
 * boot_decide() never writes: it says what the next reset would do, and so
 * which slot of a flash that nobody is running counts as the running one.
 * boot_run() is one pass of a bootloader: it also finishes a cut change of the
 * records, loads what it verifies and writes the marks. Both judge alike.
 *
 * A candidate's bytes are read once: while they are verified they go to the
 * loader, if there is one, and what was loaded counts only if the verdict is
 * ACCEPT. Allocates nothing; struct boot_result holds about 4 KiB. */
#ifndef BOOT_EXEC_H
#define BOOT_EXEC_H

#include "boot/boot.h"
#include "fuse/fuse.h"
#include "image/walk.h"
#include "part/part.h"

/* Where a candidate is loaded. Borrowed. */
struct boot_loader {
    void *ctx;
    /* A candidate's bytes follow, from the start of its image. check->info
     * tells the segments as they pass: those of the bytes being fed are known.
     * An error counts as a bad image. *sink is filled by the loader. */
    esp_err_t (*begin)(void *ctx, const struct part_entry *part,
                       const struct img_check *check, struct img_sink *sink);
    /* The walk is over; on VERDICT_REJECT what was loaded is thrown away.
     * Not called when begin failed. */
    void (*end)(void *ctx, enum verdict verdict);
};

/* What there is to boot. Everything is borrowed. */
struct boot_env {
    const struct port_flash *flash;
    /* Asked if the policy has anti-rollback; NULL: there are none, and nothing
     * boots then. */
    const struct port_fuse *fuse;
    const struct part_table *table; /* NULL: no valid table */
    struct policy policy;
    enum port_reset_reason reset_reason; /* of the reset that this is */
    /* Of the device; kind, place, cap_len and require_hash are filled in.
     * rules.keys is whom the device trusts, and is looked at if the policy
     * requires signatures. */
    struct img_rules rules;
    const struct boot_loader *loader; /* NULL: verify only */
    void *buf;                        /* 256 bytes at least, better 4096 */
    size_t buf_len;
};

struct boot_result {
    const struct part_entry *part; /* of plan.choice, in table; NULL: none */
    bool has_otadata;              /* the partition is there and readable */
    esp_err_t write_err;           /* first failure to write the records */
    uint32_t fuse_version;      /* with anti-rollback; UINT32_MAX: not known */
    esp_err_t fuse_err;         /* of reading the fuses, or of raising them */
    struct img_receipt receipt; /* ACCEPT only when plan says BOOT */
    struct boot_plan plan;
    esp_err_t err[BOOT_CHOICES]; /* of each image judged; ESP_OK too when
                                    it was not */
    struct img_check check;      /* of the image judged last */
    struct boot_in in;      /* what the plan was made from; not on the stack */
    struct otadata otadata; /* when has_otadata */
    struct img_fault fault[BOOT_CHOICES];
};

/* Asks all of it again, from what was found and not from what was decided:
 * does the plan boot an image whose receipt accepts, of this very partition,
 * signed if the policy says so? Asked right before the start, by boot_start();
 * one wrong branch on the way here is not enough then. The answer is computed
 * without a branch. */
enum verdict boot_may_start(const struct boot_env *env,
                            const struct boot_result *r);

/* Calls start(ctx) if boot_may_start() says so when asked twice. Returns if it
 * does not, or if start() returns. */
typedef void (*boot_start_fn)(void *ctx);
void boot_start(const struct boot_env *env, const struct boot_result *r,
                boot_start_fn start, void *ctx);

/* The table's row of a choice, NULL if there is none. */
const struct part_entry *boot_part(const struct part_table *table,
                                   uint32_t choice);

/* The table's otadata row, NULL if there is none. */
const struct part_entry *boot_otadata_part(const struct part_table *table);

/* The fuses of a device that emulates them in its partition `data, efuse`.
 * place: flash and bit_cnt are filled in. Unless ESP_OK, e->port is one
 * without bits, which a boot_env may be given all the same: nothing boots then
 * with anti-rollback. ESP_ERR_NOT_FOUND: there is no such partition; else
 * errors of fuse_emul_open(). */
MUST_CHECK esp_err_t boot_fuse_open(struct fuse_emul *e,
                                    const struct part_table *table,
                                    const struct fuse_place *place,
                                    const struct fuse_field *field);

/* Gathers what boot_plan() reads; images are UNKNOWN or ABSENT, and their
 * secure versions what their unverified descriptions say. */
void boot_gather(const struct boot_env *env, struct boot_in *in,
                 struct otadata *o);

/* Both fill *out whatever happens; the answer is out->plan. boot_run() boots
 * although records could not be written (write_err says so), with one
 * exception: an image that is NEW and cannot be marked PENDING is not started,
 * because its crashes would never end its trial. boot_run() also raises the
 * fuses to the version of an image that is confirmed and boots; that this
 * failed (fuse_err) does not keep it from booting. Unless pol_built() nothing
 * boots, and nothing is written. */
void boot_decide(const struct boot_env *env, struct boot_result *out);
void boot_run(const struct boot_env *env, struct boot_result *out);

#endif
