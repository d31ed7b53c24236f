/* replay_main.c - runs a fuzz target over files, without a fuzzer.
 *
 * usage: <target> FILE-OR-FOLDER...
 * Linked into every fuzz target of a normal build, so that each input that
 * once broke a parser is tried again with every compiler and sanitizer.
 * Finding nothing to replay is a failure: an empty corpus tests nothing. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void die(const char *path)
{
    fprintf(stderr, "%s: %s\n", path, strerror(errno));
    exit(1);
}

/* The buffer has exactly the size of the input, so that a read past its end
 * is seen by the address sanitizer and by valgrind. */
static unsigned replay_file(const char *path, size_t len)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = malloc(len ? len : 1);

    if (!f || !data || fread(data, 1, len, f) != len)
        die(path);
    fclose(f);
    (void)LLVMFuzzerTestOneInput(data, len);
    free(data);
    return 1;
}

static unsigned replay(const char *path);

static unsigned replay_folder(const char *path)
{
    struct dirent **names;
    unsigned cnt = 0;
    int n = scandir(path, &names, NULL, alphasort);

    if (n < 0)
        die(path);
    for (int i = 0; i < n; i++) {
        char child[4096];

        if (names[i]->d_name[0] != '.') {
            snprintf(child, sizeof(child), "%s/%s", path, names[i]->d_name);
            cnt += replay(child);
        }
        free(names[i]);
    }
    free(names);
    return cnt;
}

static unsigned replay(const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        die(path);
    if (S_ISDIR(st.st_mode))
        return replay_folder(path);
    return replay_file(path, (size_t)st.st_size);
}

int main(int argc, char **argv)
{
    unsigned cnt = 0;

    for (int i = 1; i < argc; i++)
        cnt += replay(argv[i]);
    printf("%u inputs replayed\n", cnt);
    return cnt ? 0 : 1;
}
