/* cmd_image.h - the verbs below `porta image`. */
#ifndef CMD_IMAGE_H
#define CMD_IMAGE_H

int image_create(int argc, char **argv);
int image_info(int argc, char **argv);
int image_verify(int argc, char **argv);
int image_sign(int argc, char **argv);

/* A line for each signature block behind the image. */
struct image_file;
void image_show_signatures(const struct image_file *f);

#endif
