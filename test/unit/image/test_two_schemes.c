/* A product that was built with two of the four schemes (CFG_SIGN_SCHEMES 10):
 * the others are known by their blocks, and trusted by nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sig_bench.h"
#include "signer.h"

static void trust_p256(struct bench *b)
{
    signer_trust(IMG_SCHEME_ECDSA256, 1, &b->keys);
}

static const struct {
    enum img_scheme scheme;
    struct row row;
} rows[] = {
    { IMG_SCHEME_V1, { "V1 is in", "0--", NULL, GOOD } },
    { IMG_SCHEME_ECDSA256, { "P-256 is in", "0--", NULL, GOOD } },
    { IMG_SCHEME_ECDSA256,
      { "of whom nobody trusts", "1--", NULL, IMG_SIG_KEY } },
    { IMG_SCHEME_RSA3072,
      { "a set of RSA keys", "0--", NULL, IMG_SIG_NO_KEYS } },
    { IMG_SCHEME_ECDSA384,
      { "a set of P-384 keys", "0--", NULL, IMG_SIG_NO_KEYS } },
    { IMG_SCHEME_RSA3072,
      { "a block of RSA", "0--", trust_p256, IMG_SIG_SCHEME } },
    { IMG_SCHEME_ECDSA384,
      { "a block of P-384", "0--", trust_p256, IMG_SIG_SCHEME } },
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        print_message("# %s\n", rows[i].row.claim);
        bench_run(&rows[i].row, rows[i].scheme);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };
    return cmocka_run_group_tests(tests, signer_setup, signer_teardown);
}
