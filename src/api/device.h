/* api/device.h - the implicit device behind the esp_* functions.
 *
 * ESP-IDF's functions name no device: there is one, with its flash, its
 * running slot and its network. Here it is one struct, filled by whoever
 * starts the program (compat/, an emulator's start-up code, a test) before the
 * first esp_* call, and never read below src/api.
 *
 * Threads: every esp_* function may be called from any thread. A flash
 * operation is atomic; what takes several (boot records, a handle's state) is
 * done under api_lock(), which may be taken again by its owner. */
#ifndef API_DEVICE_H
#define API_DEVICE_H

#include "part/part.h" /* before the public headers: same names, as macros */
#include "base/policy.h"
#include "boot/exec.h"
#include "fuse/fuse.h"
#include "http/client.h"
#include "image/image.h"
#include "otadata/otadata.h"
#include "port/clock.h"
#include "port/flash.h"
#include "port/fuse.h"
#include "port/heap.h"
#include "port/lock.h"
#include "port/net.h"
#include "port/rng.h"
#include "port/sock.h"
#include "port/sys.h"
#include "port/task.h"
#include "port/trust.h"
#include "port/work.h"
#include "api/trust.h"
#include "update/update.h"

#include "esp_partition.h"
#include "porta/ota_confirm.h"
#include "porta/ota_control.h"

/* All pointers are borrowed until api_device_stop(). */
struct api_boot {
    const struct port_flash *flash;
    const struct port_sys *sys;
    const struct port_heap *heap;
    const struct port_net *net;
    const struct port_clock *clock;
    const struct port_rng *rng;
    const struct port_lock *lock; /* recursive */
    const struct port_task *task; /* for event loops */
    /* NULL: they are emulated, in fuse_flash, or, if that is NULL, too, in the
     * table's partition `data, efuse`; without one there are none. */
    const struct port_fuse *fuse;
    const struct port_flash *fuse_flash;
    uint16_t fuse_chip; /* whose layout they have, when they are emulated */
    const struct policy *policy; /* the application's options */
    /* Whom the application trusts if the policy requires signatures, as
     * img_keys_pack() has it; what cannot be read trusts nobody. The key store
     * is asked unless keys_final. */
    struct span keys;
    bool keys_final;
    uint32_t table_off;   /* 0: PART_TABLE_OFF */
    uint32_t running_off; /* of the partition that runs, as the bootloader said;
                             UINT32_MAX: none */
    uint16_t chip_id;
    uint16_t chip_rev;
    bool check_rev;
    uint32_t tick_ms;               /* of waits in ticks; 0: 10 */
    const struct port_sock *sock;   /* NULL: connections have no descriptors */
    const struct port_trust *trust; /* NULL: the device trusts nobody itself */
    const struct port_work *work;   /* NULL: flash is written by the caller */
    struct tls_floor *floor;        /* NULL: the latest time is kept in RAM */
    /* The key that the device's fuses hold for deriving others, 32 bytes.
     * ESP_ERR_NOT_FOUND: none of this number. NULL: it has no such fuses. */
    esp_err_t (*hmac_key)(int id, uint8_t key[32]);
};

/* Reads the partition table and starts TLS. A table that cannot be read is no
 * error here: the esp_partition functions say what is wrong with it.
 * ESP_ERR_INVALID_STATE: started already; ESP_ERR_NOT_SUPPORTED: the policy
 * asks for what is not in the build (pol_built()); errors of tls_init(). With
 * anti-rollback: ESP_ERR_OTA_SMALL_SEC_VER: the program that runs is too old,
 * or errors of reading the table and the fuses, ESP_ERR_NO_MEM; it must not go
 * on then. */
MUST_CHECK esp_err_t api_device_start(const struct api_boot *boot);
/* Frees partitions, maps and esp_ota handles. HTTP clients and esp_https_ota
 * handles are ended before by whoever opened them. Idempotent. */
void api_device_stop(void);

/* For the HTTP client: network, time, memory, policy of this device. */
const struct http_env *api_http_env(void);

/* --- for src/api ---------------------------------------------------------- */

struct api_part {
    struct api_part *next;
    esp_partition_t pub; /* what applications see */
    bool external;       /* registered at run time */
};

struct api_map {
    struct api_map *next;
    uint32_t handle;
    _Alignas(16) uint8_t bytes[]; /* cast to anything by applications */
};

/* A confirmation policy at work; porta_confirm.c. Changed inside the place of
 * boot.task. */
struct api_confirm {
    porta_ota_policy_t policy;
    uint32_t met, failed;
    char words[OTA_EVENT_TEXT_LEN];
    bool decides; /* the task is there */
    bool stop;
};

struct api_ota;       /* esp_ota_ops.c */
struct api_https_ota; /* https_ota.h */
struct api_crypt;     /* crypt_handle.h */
struct api_nvs_mount; /* nvs_handle.h */
struct api_nvs_handle;

/* Which generation of the settings the application works on. */
struct api_settings {
    bool open;
    uint8_t side;
    uint32_t image;             /* its id, as kv_gen_confirm() wants it */
    void (*on_confirmed)(void); /* NULL: nobody follows */
};

/* What parts of src/api hold open is ended with the device, in this order. A
 * part says how when it opens the first of it, so that a program that does not
 * use the part is linked without it. */
enum api_stop {
    API_STOP_CONFIRM,
    API_STOP_EVENT,
    API_STOP_CRYPT,
    API_STOP_NVS,
    API_STOP_CNT
};

/* Scalars come first here and below: they are near, which is shorter code. */
struct api_device {
    bool started;
    void (*at_stop[API_STOP_CNT])(void); /* NULL: nothing is open */
    struct port_flash flash; /* boot.flash, each operation under the lock */
    esp_err_t table_err;
    struct http_env http;
    struct api_part *part_list;
    struct api_map *map_list;
    uint32_t map_last;
    struct api_https_ota *https_ota_list; /* porta_ota.c */
    struct upd_device upd;
    struct api_boot boot;
    porta_ota_options_t ota_options;
    const struct upd_store *keep; /* with the option of that name; else NULL */
    struct api_crypt *crypt_list; /* esp_encrypted_img.c */
    struct api_ota *ota_list;
    uint32_t ota_last;
    struct api_trust trust;
    struct img_receipt receipt; /* of the image verified last */
    uint32_t image_boot_off;    /* see esp_image_bootloader_offset_set() */
    struct api_nvs_mount *nvs_mounts;
    struct api_nvs_handle *nvs_handles;
    uint32_t nvs_last;            /* id given last, of both */
    struct api_settings settings; /* porta_settings.c */
    void *event_loop;             /* the default one; esp_event.c */
    uint64_t start_ms;            /* of boot.sys, when the device was started */
    struct api_confirm confirm;
    struct fuse_emul fuse_emul;
    struct part_dev parts;
    struct img_keys keys; /* in force when the device was started */
};

bool api_device_started(void);
/* The device. An esp_* call before api_device_start() is a bug. */
struct api_device *api_device(void);
void api_lock(void);
void api_unlock(void);

/* Zeroed memory of the device; NULL: none left. */
void *api_alloc(size_t len);
void api_free(void *ptr);

/* A partition as the portable core sees it. */
struct part_entry api_entry(const esp_partition_t *partition);
/* The application's pointer for a row of the table; NULL: not loaded. */
const esp_partition_t *api_partition_of(const struct part_entry *entry);

/* Frees partitions and maps; esp_partition.c. */
void api_partitions_unload(void);
/* Frees OTA handles; esp_ota_ops.c. */
void api_ota_close_all(void);
/* Keeps other writers away from two partitions, which may be the same, until
 * esp_ota_abort(*claim). ESP_ERR_OTA_ALREADY_IN_PROGRESS, ESP_ERR_NO_MEM. */
MUST_CHECK esp_err_t api_ota_claim(const esp_partition_t *staging,
                                   const esp_partition_t *final,
                                   uint32_t *claim);

/* With anti-rollback: is the image in it, which is not verified here, new
 * enough? ESP_ERR_OTA_SMALL_SEC_VER, after a sentence; errors of reading the
 * fuses. esp_efuse.c. */
MUST_CHECK esp_err_t api_version_check(const esp_partition_t *partition);

/* Where this chip's ROM looks for the bootloader. */
uint32_t api_bootloader_off(void);

/* Verifies the image in a partition, of which only address, size and type are
 * looked at; esp_image.c. On ESP_OK *receipt is bound to the write
 * generation. Errors are those of esp_image_verify(). check is room for the
 * verifier; info and fault stand there afterwards. */
MUST_CHECK esp_err_t api_image_check(const esp_partition_t *partition,
                                     struct img_check *check,
                                     struct img_receipt *receipt);
/* The same without asking which chip the image is for. */
MUST_CHECK esp_err_t api_image_digest(const esp_partition_t *partition,
                                      struct img_receipt *receipt);

#endif
