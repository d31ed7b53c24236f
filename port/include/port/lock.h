/* port/lock.h - contract: one recursive mutex.
 *
 * The owner may lock again; each lock() needs its unlock(). A program with one
 * thread passes functions that do nothing. */
#ifndef PORT_LOCK_H
#define PORT_LOCK_H

struct port_lock {
    void *ctx;
    void (*lock)(void *ctx);
    void (*unlock)(void *ctx);
};

#endif
