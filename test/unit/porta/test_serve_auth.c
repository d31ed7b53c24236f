/* The development server's logins and tokens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "serve_auth.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

struct row {
    const char *claim;
    const char *user, *token;   /* of the server */
    const char *header, *query; /* of the request */
    bool ok;
};

/* base64 of dev:secret */
#define GOOD "ZGV2OnNlY3JldA=="

static const struct row rows[] = {
    { "nobody asks", NULL, NULL, NULL, NULL, true },
    { "user", "dev:secret", NULL, "Basic " GOOD, NULL, true },
    { "scheme without case", "dev:secret", NULL, "bAsIc " GOOD, NULL, true },
    { "no credentials", "dev:secret", NULL, NULL, NULL, false },
    { "wrong password", "dev:secret", NULL, "Basic ZGV2OnNlY3JlVA==", NULL,
      false },
    { "a beginning of it", "dev:secret", NULL, "Basic ZGV2OnNlY3Jl", NULL,
      false },
    { "empty", "dev:secret", NULL, "Basic ", NULL, false },
    { "scheme alone", "dev:secret", NULL, "Basic", NULL, false },
    { "scheme glued on", "dev:secret", NULL, "Basic" GOOD, NULL, false },
    { "bearer", NULL, "tok", "Bearer tok", NULL, true },
    { "query", NULL, "tok", NULL, "tok", true },
    { "wrong bearer", NULL, "tok", "Bearer tak", NULL, false },
    { "wrong query", NULL, "tok", NULL, "to", false },
    { "empty query", NULL, "tok", NULL, "", false },
    { "a user where a token is asked for", NULL, "tok", "Basic tok", NULL,
      false },
    { "a token where a user is asked for", "dev:secret", NULL, "Bearer " GOOD,
      NULL, false },
    { "either: token", "dev:secret", "tok", NULL, "tok", true },
    { "either: user", "dev:secret", "tok", "Basic " GOOD, NULL, true },
    { "either: none", "dev:secret", "tok", "Basic x", "y", false },
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct serve_auth a;
        struct diag d = DIAG_NONE;

        assert_int_equal(serve_auth_init(&a, rows[i].user, rows[i].token, &d),
                         ESP_OK);
        if (serve_auth_ok(&a, rows[i].header, rows[i].query) != rows[i].ok)
            fail_msg("%s", rows[i].claim);
        serve_auth_free(&a);
    }
}

static void test_refused_settings(void **state)
{
    struct serve_auth a;
    struct diag d = DIAG_NONE;

    (void)state;
    assert_int_equal(serve_auth_init(&a, "nocolon", NULL, &d),
                     ESP_ERR_INVALID_ARG);
    assert_null(strstr(d.text, "nocolon")); /* it may be the password */
    d = (struct diag)DIAG_NONE;
    assert_int_equal(serve_auth_init(&a, NULL, "", &d), ESP_ERR_INVALID_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_refused_settings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
