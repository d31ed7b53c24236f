/* sim_flash.h - NOR flash in memory that fails on demand.
 *
 * It keeps the rules of port/flash.h. One fault can be armed for the N-th
 * operation from now; an operation is one call of prog() or erase(). A fault
 * that cuts the power makes every later call, reads included, return ESP_FAIL
 * until sim_flash_power_on(). Sectors can be stuck or worn out besides.
 * Everything random comes from the fault's seed, so that a failing row can be
 * run again. Faults are counted when they are armed and when they first have
 * an effect: a run in which sim_flash_unfired() is not 0 proved nothing.
 *
 * What the cuts claim is written in design terms: a torn program has
 * programmed the first pages and, in one more page, a random part of the bits
 * that were to clear; a half-done erase has raised a random part of the bits,
 * and with SIM_FAULT_UNSTABLE some of its bits read differently each time. */
#ifndef SIM_FLASH_H
#define SIM_FLASH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "port/flash.h"
#include "sim_sys.h"

enum sim_fault {
    SIM_FAULT_NONE = 0,
    SIM_FAULT_BEFORE,   /* power cut, the operation did nothing */
    SIM_FAULT_TORN,     /* power cut inside it */
    SIM_FAULT_UNSTABLE, /* as TORN, and an erase leaves unstable bits */
    SIM_FAULT_AFTER,    /* power cut, the operation was complete */
    SIM_FAULT_STATUS    /* no cut: inside it the flash reports failure */
};

#define SIM_TEAR_ANY UINT32_MAX

struct sim_fault_plan {
    enum sim_fault fault;
    uint32_t nth; /* operation from now, 1: the next; 0: none */
    uint64_t seed;
    /* Which part of a program is torn; those before it are complete. */
    uint32_t tear_len; /* parts end at multiples of this; 0: page_len */
    uint32_t tear_idx; /* SIM_TEAR_ANY: the seed says */
};

struct sim_flash_conf { /* zero: the default in brackets */
    uint32_t size_len;  /* [64 KiB] */
    uint32_t erase_len; /* [4096] */
    uint32_t prog_len;  /* [1] */
    uint32_t page_len;  /* [256] */
    bool prog_once;
};

/* How long an operation takes; zero: no time. */
struct sim_flash_pace {
    uint32_t erase_us;    /* a sector */
    uint32_t page_us;     /* programs: for each page that is touched */
    uint32_t read_kib_us; /* for 1024 bytes */
};

/* An operation that took time, for a timeline. */
typedef void (*sim_flash_span_fn)(void *ctx, bool erase, uint64_t from_us,
                                  uint64_t to_us);

struct sim_flash_count {
    uint32_t reads, progs, erases;
    uint64_t read_len, prog_len;
    uint32_t armed, fired; /* faults; a test that armed one checks fired */
    uint32_t refused;      /* calls that broke a rule of the contract */
};

struct sim_flash {
    struct port_flash port;
    uint8_t *bytes;       /* what is stored, for tests to look at and change */
    uint8_t *unit_used;   /* prog_once: a bit per unit */
    uint8_t **unstable;   /* per sector: mask of unstable bits, or NULL */
    uint32_t *erase_cnt;  /* per sector */
    uint32_t *erase_left; /* per sector: until it is worn out */
    bool *stuck;          /* per sector: operations have no effect */
    bool *noted;          /* per sector: stuck or worn counts as fired */
    struct sim_flash_count count;
    struct sim_fault_plan plan; /* nth: operations to go */
    uint64_t seed;
    uint32_t read_fault; /* reads to go until one fails, 0: none does */
    bool power_off;
    struct sim_flash_pace pace;
    struct sim_sys *sys; /* whose clock goes on; borrowed */
    uint64_t time_us;    /* when the last operation ended */
    bool beside;         /* a job's operations move no clock */
    sim_flash_span_fn on_span;
    void *span_ctx;
};

#define SIM_FLASH_CLOSED \
    {                    \
        .bytes = NULL    \
    }

/* An erased flash. conf NULL: all defaults. ESP_ERR_NO_MEM. */
MUST_CHECK esp_err_t sim_flash_init(struct sim_flash *f,
                                    const struct sim_flash_conf *conf);
void sim_flash_deinit(struct sim_flash *f);

/* Operations take time from now on, on the clock of sys. */
void sim_flash_set_pace(struct sim_flash *f, const struct sim_flash_pace *pace,
                        struct sim_sys *sys);
/* Of sim_work: until sim_flash_back(), which says when the last one ended,
 * operations come one after the other from that time on, and nobody waits. */
void sim_flash_beside(struct sim_flash *f, uint64_t from_us);
uint64_t sim_flash_back(struct sim_flash *f);

/* The nth operation from now (1: the next) meets this fault. */
void sim_flash_arm(struct sim_flash *f, enum sim_fault fault, uint32_t nth,
                   uint64_t seed);
void sim_flash_arm_plan(struct sim_flash *f, const struct sim_fault_plan *plan);
/* The nth read from now (1: the next) reports failure, later ones do not. */
void sim_flash_fail_read(struct sim_flash *f, uint32_t nth);
/* Power is back; contents stay as the cut left them, nothing is armed. */
void sim_flash_power_on(struct sim_flash *f);

/* The sector at off no longer changes, and reports success all the same. */
void sim_flash_stick(struct sim_flash *f, uint32_t off, bool stuck);

/* The sector at off survives so many more erases; each later one stops half
 * way and reports failure. */
void sim_flash_wear(struct sim_flash *f, uint32_t off, uint32_t left);
/* The sector at off works again. */
void sim_flash_mend(struct sim_flash *f, uint32_t off);

/* What another flash of the same size holds, undecided bits included; counters
 * and faults stay. */
void sim_flash_copy(struct sim_flash *f, const struct sim_flash *from);

/* Faults that were armed and never had an effect. */
static inline uint32_t sim_flash_unfired(const struct sim_flash *f)
{
    return f->count.armed - f->count.fired;
}

/* As factory fresh: size_len bytes stored (NULL: erased), power on, nothing
 * armed, counters zero. The way to run one scenario for every cut. */
void sim_flash_reset(struct sim_flash *f, const uint8_t *bytes);

/* Operations so far: programs and erases. */
static inline uint32_t sim_flash_ops(const struct sim_flash *f)
{
    return f->count.progs + f->count.erases;
}

#endif
