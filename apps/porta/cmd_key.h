/* cmd_key.h - the verbs below `porta key`, and what they share. */
#ifndef CMD_KEY_H
#define CMD_KEY_H

#include "cli.h"
#include "crypto/sha256.h"

int key_set(int argc, char **argv);
int key_show(int argc, char **argv);
int key_install(int argc, char **argv);
int key_revoke(int argc, char **argv);

void key_id_text(const uint8_t id[SHA256_LEN], char out[2 * SHA256_LEN + 1]);

/* A private key is not written over. */
MUST_CHECK esp_err_t key_refuse_existing(const char *path, struct diag *d);

#endif
