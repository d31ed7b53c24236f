/* world.h - a heap that counts, keys from files, and images for them. */
#ifndef TEST_ENC_WORLD_H
#define TEST_ENC_WORLD_H

#include "enc/stream.h"
#include "sim_heap.h"
#include "sim_rng.h"

struct world {
    struct sim_heap heap;
    struct sim_rng rng;
    struct enc_env env;
};

/* Mbed TLS takes its memory of this heap until world_close(). */
void world_open(struct world *w);
void world_close(struct world *w); /* asserts that nothing is left */

/* A file of test/vectors/encrypted/, on the C library's heap. */
uint8_t *world_file(const char *name, size_t *len);
struct enc_key *world_key(struct world *w, const char *file);
/* plain for the key's owner, on the C library's heap; *len becomes its
 * length. */
uint8_t *world_seal(struct enc_key *k, const uint8_t *plain, size_t *len);

#endif
