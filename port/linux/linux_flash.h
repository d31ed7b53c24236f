/* linux_flash.h - a flash file that behaves like NOR flash.
 *
 * The file is mapped shared, so that what was programmed survives a SIGKILL of
 * the process; it obeys the rules of port/flash.h and names the first byte
 * that breaks one. Sectors are 4096 bytes, pages 256, bytes can be programmed.
 *
 * An operation is one call of prog() or erase(), whatever its length: that is
 * what `porta device --power-cut N` counts.
 *
 * Locks: a writer holds the file alone, readers share it. The lock belongs to
 * the open file, so a child that inherits the descriptor holds it too.
 * Threads: any number may use an open flash; operations come one by one.
 * Memory: allocates nothing; the struct must not move while it is open. */
#ifndef LINUX_FLASH_H
#define LINUX_FLASH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "port/flash.h"

#define LINUX_FLASH_SECTOR_LEN 4096u
#define LINUX_FLASH_PAGE_LEN 256u
/* Bootloader region and partition table: less is no flash of ours. */
#define LINUX_FLASH_MIN_LEN 0x9000u

enum linux_flash_mode {
    LINUX_FLASH_READ, /* prog() and erase() give ESP_ERR_FLASH_PROTECTED */
    LINUX_FLASH_WRITE
};

/* Counts operations across processes; lives in the hand-over page. */
struct linux_flash_meter {
    atomic_uint op_cnt; /* operations begun, the cut one included */
    atomic_uint cut_at; /* this one does not happen; 0: no cut */
    atomic_bool cut;    /* the power went */
};

/* How long operations take, as those of a chip do; zero: no time. */
struct linux_flash_pace {
    uint32_t erase_us; /* a sector */
    uint32_t page_us;  /* a program, for each page that is touched */
};

struct linux_flash {
    struct port_flash port; /* hand &flash.port to those who use flash */
    int fd;                 /* -1: closed */
    uint8_t *map;
    bool writable;
    struct linux_flash_meter *meter; /* NULL: nobody counts */
    /* Before the power goes at the nth operation, from the thread that would
     * have done it; NULL: nobody has last words. */
    void (*last_words)(unsigned nth);
    struct linux_flash_pace pace;
    pthread_mutex_t turn; /* of an operation, while it takes its time */
    char fault[160];
};

#define LINUX_FLASH_CLOSED \
    {                      \
        .fd = -1           \
    }

/* For those who are about to replace the file: ESP_ERR_INVALID_STATE while
 * another process has it open, ESP_OK also when there is none. */
MUST_CHECK esp_err_t linux_flash_unused(const char *path, struct diag *diag);

/* Makes an erased flash file, open for writing. The file must not exist: it
 * comes to be with all its bytes, whatever happens meanwhile.
 * ESP_ERR_INVALID_SIZE: size is not one that linux_flash_open() takes. */
MUST_CHECK esp_err_t linux_flash_create(struct linux_flash *f, const char *path,
                                        uint32_t size_len, struct diag *diag);

/* ESP_ERR_NOT_FOUND: no such file. ESP_ERR_INVALID_SIZE: too small, or not a
 * multiple of a sector. ESP_ERR_INVALID_STATE: another process uses it.
 * ESP_FAIL: the system refused. *diag then has the sentence for people. */
MUST_CHECK esp_err_t linux_flash_open(struct linux_flash *f, const char *path,
                                      enum linux_flash_mode mode,
                                      struct diag *diag);

/* A file that keeps a part of the device by itself, of exactly size_len bytes.
 * For writing it is made, erased, when it does not exist; for reading it is
 * ESP_ERR_NOT_FOUND then, without a sentence. Else as linux_flash_open(). */
MUST_CHECK esp_err_t linux_flash_open_part(struct linux_flash *f,
                                           const char *path, uint32_t size_len,
                                           enum linux_flash_mode mode,
                                           struct diag *diag);

/* Takes over a descriptor that was opened, checked and locked by the board;
 * size_len 0: of a whole flash. It is closed by linux_flash_close(). */
MUST_CHECK esp_err_t linux_flash_adopt(struct linux_flash *f, int fd,
                                       uint32_t size_len, struct diag *diag);

/* From now on operations of an open flash take time, at most 10 s each. */
void linux_flash_set_pace(struct linux_flash *f,
                          const struct linux_flash_pace *pace);

/* Closing a closed one does nothing. */
void linux_flash_close(struct linux_flash *f);

/* What the last refused operation did wrong, with its address; "" if none. */
const char *linux_flash_fault(const struct linux_flash *f);

#endif
