/* cmd_image.h - the verbs below `porta image`. */
#ifndef CMD_IMAGE_H
#define CMD_IMAGE_H

#include "cli.h"

int image_create(int argc, char **argv);
int image_info(int argc, char **argv);
int image_verify(int argc, char **argv);
int image_sign(int argc, char **argv);
int image_encrypt(int argc, char **argv);
int image_decrypt(int argc, char **argv);

/* `porta image info` of a file that begins as an encrypted image does. */
int image_encrypted_info(const struct cli_verb *verb, const char *path,
                         struct span file, bool json);

/* A line for each signature block behind the image. */
struct image_file;
void image_show_signatures(const struct image_file *f);

#endif
