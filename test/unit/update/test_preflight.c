/* The pre-flight's answers, row by row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "update/preflight.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* Everything that a row may change; open() makes a device on which a newer
 * image is welcome. */
struct scene {
    struct pre_policy policy;
    struct img_desc desc, running;
    struct img_cap cap;
    struct img_keys keys;
    uint8_t table_sha[SHA256_LEN];
    struct pre_facts facts;
};

static void trust(struct scene *s, enum img_scheme scheme, uint32_t need)
{
    s->keys = (struct img_keys){ .scheme = scheme, .need = need, .cnt = 2 };
    for (uint8_t i = 0; i < 2; i++) {
        s->keys.key[i].trust = VERDICT_ACCEPT;
        memset(s->keys.key[i].id, i + 1, SHA256_LEN);
    }
    s->facts.keys = &s->keys;
}

/* The program will trust keys first ... first + cnt - 1. */
static void will_trust(struct scene *s, uint8_t first, uint32_t cnt,
                       uint32_t need)
{
    s->cap.scheme = IMG_SCHEME_ECDSA256;
    s->cap.need = need;
    s->cap.cnt = cnt;
    for (uint32_t i = 0; i < cnt; i++)
        memset(s->cap.key_id[i], (int)(first + i), SHA256_LEN);
}

static void open(struct scene *s)
{
    memset(s, 0, sizeof(*s));
    s->desc.present = s->running.present = true;
    strcpy(s->desc.project, "heater");
    strcpy(s->desc.version, "1.3");
    strcpy(s->running.project, "heater");
    strcpy(s->running.version, "1.2");
    s->facts = (struct pre_facts){ .policy = &s->policy,
                                   .is_app = true,
                                   .desc = &s->desc,
                                   .cap = &s->cap,
                                   .file_len = 8192,
                                   .least_len = 8192,
                                   .running = &s->running,
                                   .table_sha = s->table_sha,
                                   .heap_free = PRE_HEAP_UNKNOWN };
}

static void none(struct scene *s)
{
    (void)s;
}

/* --- file and device ------------------------------------------------------ */

static void short_file(struct scene *s)
{
    s->facts.file_len = 8191;
}

static void long_file(struct scene *s)
{
    s->facts.file_len = 9000;
}

static void unknown_len(struct scene *s)
{
    s->facts.file_len = PRE_LEN_UNKNOWN;
    trust(s, IMG_SCHEME_ECDSA256, 1);
}

static void v2_odd(struct scene *s)
{
    trust(s, IMG_SCHEME_RSA3072, 1);
    s->facts.file_len = 8192 + 16;
}

static void v2_whole(struct scene *s)
{
    trust(s, IMG_SCHEME_RSA3072, 1);
}

static void v1_odd(struct scene *s)
{
    trust(s, IMG_SCHEME_V1, 1);
    s->facts.file_len = 8192 + 32;
}

static void v1_whole(struct scene *s)
{
    trust(s, IMG_SCHEME_V1, 1);
    s->facts.file_len = 8192 + 68;
}

static void heap_small(struct scene *s)
{
    s->policy.least_heap = 40000;
    s->facts.heap_free = 39999;
}

static void heap_enough(struct scene *s)
{
    heap_small(s);
    s->facts.heap_free++;
}

static void heap_unknown(struct scene *s)
{
    s->policy.least_heap = 40000;
}

static void spi_differs(struct scene *s)
{
    s->desc.spi_mode = 1;
    s->running.spi_mode = 3;
}

static void spi_asked(struct scene *s)
{
    spi_differs(s);
    s->policy.same_spi_mode = true;
}

static void spi_unknown(struct scene *s)
{
    spi_asked(s);
    s->running.spi_mode = 0;
}

static void spi_unknown_of_the_image(struct scene *s)
{
    spi_asked(s);
    s->desc.spi_mode = 0;
}

static void spi_the_same(struct scene *s)
{
    spi_asked(s);
    s->desc.spi_mode = s->running.spi_mode;
}

static void spi_of_nothing(struct scene *s)
{
    spi_asked(s);
    s->facts.running = NULL;
}

static void huge_file(struct scene *s)
{
    trust(s, IMG_SCHEME_ECDSA256, 1);
    s->facts.file_len = 0x200000001u;
}

/* --- project and version -------------------------------------------------- */

static void other_project(struct scene *s)
{
    strcpy(s->desc.project, "cooler");
}

static void other_asked(struct scene *s)
{
    other_project(s);
    s->policy.same_project = true;
}

static void no_desc_asked(struct scene *s)
{
    s->desc = (struct img_desc){ .present = false };
    s->policy.same_project = true;
}

static void nothing_runs(struct scene *s)
{
    other_asked(s);
    s->policy.no_older = s->policy.no_same_version = true;
    s->facts.running = NULL;
}

static void same(struct scene *s)
{
    strcpy(s->desc.version, "1.2");
}

static void same_asked(struct scene *s)
{
    same(s);
    s->policy.no_same_version = true;
}

static void same_of_another(struct scene *s)
{
    same_asked(s);
    other_project(s);
}

static void same_but_for_the_build(struct scene *s)
{
    strcpy(s->desc.version, "1.2+7");
    s->policy.no_same_version = true;
}

static void nameless_runs(struct scene *s)
{
    nothing_runs(s);
    s->facts.running = &s->running;
    s->running.present = false;
}

static void older(struct scene *s)
{
    strcpy(s->desc.version, "1.1.9");
}

static void older_asked(struct scene *s)
{
    older(s);
    s->policy.no_older = true;
}

static void newer_asked(struct scene *s)
{
    s->policy.no_older = s->policy.no_same_version = true;
}

static void unordered_asked(struct scene *s)
{
    strcpy(s->desc.version, "spring");
    s->policy.no_older = true;
}

static void bootloader(struct scene *s)
{
    other_asked(s);
    s->policy.require_updatable = true;
    s->facts.is_app = false;
}

/* --- updatability --------------------------------------------------------- */

static void absent_asked(struct scene *s)
{
    s->policy.require_updatable = true;
}

static void good(struct scene *s)
{
    s->cap = (struct img_cap){ .state = IMG_CAP_GOOD, .client = true };
}

static void good_asked(struct scene *s)
{
    good(s);
    s->policy.require_updatable = true;
}

static void damaged(struct scene *s)
{
    s->cap.state = IMG_CAP_DAMAGED;
}

static void no_client(struct scene *s)
{
    good(s);
    s->cap.client = false;
}

static void this_table(struct scene *s)
{
    good(s);
    s->cap.has_table = true;
}

static void other_table(struct scene *s)
{
    this_table(s);
    s->cap.table_sha[31] = 1;
}

static void table_unknown(struct scene *s)
{
    other_table(s);
    s->facts.table_sha = NULL;
}

static void keys_unsigned(struct scene *s)
{
    good(s);
    will_trust(s, 7, 2, 2);
}

static void keys_same(struct scene *s)
{
    good(s);
    trust(s, IMG_SCHEME_ECDSA256, 1);
    will_trust(s, 2, 2, 1);
}

static void keys_apart(struct scene *s)
{
    keys_same(s);
    will_trust(s, 3, 2, 1);
}

static void keys_few(struct scene *s)
{
    keys_same(s);
    s->cap.need = 2;
}

static void keys_few_for_device(struct scene *s)
{
    keys_same(s);
    s->keys.need = 2;
}

static void keys_revoked(struct scene *s)
{
    keys_same(s);
    s->keys.key[1].trust = VERDICT_REJECT;
}

static void keys_other_scheme(struct scene *s)
{
    keys_same(s);
    s->keys.scheme = IMG_SCHEME_RSA3072;
}

static void signed_asks_nothing(struct scene *s)
{
    good(s);
    trust(s, IMG_SCHEME_ECDSA256, 1);
}

static void override_unsigned(struct scene *s)
{
    no_client(s);
    s->cap.override = true;
}

static void override_signed(struct scene *s)
{
    override_unsigned(s);
    trust(s, IMG_SCHEME_ECDSA256, 1);
}

static void override_damaged(struct scene *s)
{
    override_signed(s);
    s->cap.state = IMG_CAP_DAMAGED;
}

static const struct row {
    const char *claim;
    void (*set)(struct scene *s);
    enum pre_why want;
    enum pre_updatable updatable;
    const char *words;
} rows[] = {
    { "nothing is asked", none, PRE_OK, PRE_UPD_UNKNOWN, "" },
    { "a byte is missing", short_file, PRE_FILE_SHORT, 0, "1 are missing" },
    { "more than is known of", long_file, PRE_OK, 0, "" },
    { "the server does not say", unknown_len, PRE_OK, 0, "" },
    { "no length of a signed file", v2_odd, PRE_NOT_SIGNED, 0, "not signed" },
    { "one that may be", v2_whole, PRE_OK, 0, "" },
    { "v1, no length of a signed file", v1_odd, PRE_NOT_SIGNED, 0, "v1" },
    { "v1, one that may be", v1_whole, PRE_OK, 0, "" },
    { "too little heap", heap_small, PRE_HEAP, 0, "39999 bytes" },
    { "just enough heap", heap_enough, PRE_OK, 0, "" },
    { "heap that nobody measures", heap_unknown, PRE_OK, 0, "" },
    { "another flash mode", spi_differs, PRE_OK, 0, "" },
    { "... when asked", spi_asked, PRE_SPI_MODE, 0, "mode 1" },
    { "... against none", spi_unknown, PRE_OK, 0, "" },
    { "... of an image that says none", spi_unknown_of_the_image, PRE_OK, 0,
      "" },
    { "... and it is the same", spi_the_same, PRE_OK, 0, "" },
    { "... and nothing runs", spi_of_nothing, PRE_OK, 0, "" },
    { "a file larger than any number here", huge_file, PRE_NOT_SIGNED, 0,
      "4294967295" },

    { "another project", other_project, PRE_OK, 0, "" },
    { "... when asked", other_asked, PRE_PROJECT, 0, "\"cooler\"" },
    { "the same version of another build", same_but_for_the_build, PRE_OK, 0,
      "" },
    { "a program without description runs", nameless_runs, PRE_OK, 0, "" },
    { "no description, when asked", no_desc_asked, PRE_PROJECT, 0, "\"\"" },
    { "nothing runs to compare with", nothing_runs, PRE_OK, 0, "" },
    { "the same version", same, PRE_OK, 0, "" },
    { "... when asked", same_asked, PRE_SAME_VERSION, 0, "1.2 runs already" },
    { "... of another project", same_of_another, PRE_OK, 0, "" },
    { "an older version", older, PRE_OK, 0, "" },
    { "... when asked", older_asked, PRE_OLDER, 0, "1.1.9 is older than 1.2" },
    { "a newer version, when asked", newer_asked, PRE_OK, 0, "" },
    { "no version, when asked", unordered_asked, PRE_UNORDERED, 0, "spring" },
    { "a bootloader has neither", bootloader, PRE_OK, 0, "" },

    { "no record, when asked", absent_asked, PRE_CAP_ABSENT, 0, "no capab" },
    { "a good record", good, PRE_OK, PRE_UPD_YES, "" },
    { "... when asked", good_asked, PRE_OK, PRE_UPD_YES, "" },
    { "a damaged record", damaged, PRE_CAP_DAMAGED, PRE_UPD_NO, "damaged" },
    { "no client", no_client, PRE_NO_CLIENT, PRE_UPD_NO, "no OTA client" },
    { "made for this table", this_table, PRE_OK, PRE_UPD_YES, "" },
    { "and this one is not known", table_unknown, PRE_OK, PRE_UPD_YES, "" },
    { "for another", other_table, PRE_OTHER_TABLE, PRE_UPD_NO, "another part" },
    { "it will ask for keys and the device does not", keys_unsigned, PRE_OK,
      PRE_UPD_YES, "" },
    { "a key that both trust", keys_same, PRE_OK, PRE_UPD_YES, "" },
    { "none", keys_apart, PRE_KEYS_APART, PRE_UPD_NO, "0 of the keys" },
    { "one, and it needs two", keys_few, PRE_KEYS_APART, PRE_UPD_NO, "1 of" },
    { "one, and the device needs two", keys_few_for_device, PRE_KEYS_APART,
      PRE_UPD_NO, "2 are needed" },
    { "one that is revoked", keys_revoked, PRE_KEYS_APART, PRE_UPD_NO, "0 of" },
    { "another scheme", keys_other_scheme, PRE_OTHER_SCHEME, PRE_UPD_NO,
      "ecdsa256 signatures and the device asks for rsa3072" },
    { "it will ask for no signature", signed_asks_nothing, PRE_OK, PRE_UPD_YES,
      "" },
    { "an override that nobody signs", override_unsigned, PRE_NO_CLIENT,
      PRE_UPD_NO, "no OTA client" },
    { "a signed override", override_signed, PRE_OK, PRE_UPD_NO, "" },
    { "a damaged override", override_damaged, PRE_CAP_DAMAGED, PRE_UPD_NO,
      "damaged" },
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct scene s;
        struct pre_answer a;
        char text[200];

        open(&s);
        rows[i].set(&s);
        pre_judge(&s.facts, &a);
        if (a.why != rows[i].want || a.updatable != rows[i].updatable ||
            !strstr(pre_text(&s.facts, &a, text, sizeof(text)), rows[i].words))
            fail_msg("%s: %d, %d, %s", rows[i].claim, a.why, a.updatable, text);
        assert_int_equal(a.err == ESP_OK, a.why == PRE_OK);
    }
}

/* Each refusal has a row above, with words of its own. */
static void test_no_refusal_without_a_row(void **state)
{
    (void)state;
    for (int why = PRE_OK; why < PRE_WHYS; why++) {
        size_t i = 0;

        while (i < CNT(rows) && (int)rows[i].want != why)
            i++;
        assert_true(i < CNT(rows));
    }
}

static void test_codes(void **state)
{
    static const struct {
        void (*set)(struct scene *s);
        esp_err_t want;
    } codes[] = {
        { short_file, ESP_ERR_OTA_VALIDATE_FAILED },
        { v2_odd, ESP_ERR_OTA_VALIDATE_FAILED },
        { heap_small, ESP_ERR_NO_MEM },
        { spi_asked, ESP_ERR_OTA_SPI_MODE_MISMATCH },
        { other_asked, ESP_ERR_INVALID_VERSION },
        { older_asked, ESP_ERR_INVALID_VERSION },
        { damaged, ESP_ERR_OTA_VALIDATE_FAILED },
        { no_client, ESP_ERR_NOT_ALLOWED },
        { absent_asked, ESP_ERR_NOT_ALLOWED },
    };

    (void)state;
    for (size_t i = 0; i < CNT(codes); i++) {
        struct scene s;
        struct pre_answer a;

        open(&s);
        codes[i].set(&s);
        pre_judge(&s.facts, &a);
        assert_int_equal(a.err, codes[i].want);
    }
}

static void test_versions(void **state)
{
    static const struct {
        const char *a, *b;
        enum pre_order want;
    } pairs[] = {
        { "1.0", "1.0", PRE_ORDER_SAME },
        { "v1.0", "1.0", PRE_ORDER_SAME },
        { "1", "1.0.0", PRE_ORDER_SAME },
        { "1.0+4711", "1.0+9", PRE_ORDER_SAME },
        { "1.2.3", "1.2.4", PRE_ORDER_OLDER },
        { "1.9", "1.10", PRE_ORDER_OLDER },
        { "1.2", "1.2.1", PRE_ORDER_OLDER },
        { "1.09", "1.8", PRE_ORDER_NEWER },
        { "2", "10", PRE_ORDER_OLDER },
        { "0.0.0", "0", PRE_ORDER_SAME },
        { "2026.01.02", "2025.12.31", PRE_ORDER_NEWER },
        { "99999999999999999999", "99999999999999999998", PRE_ORDER_NEWER },
        { "1.0-rc1", "1.0", PRE_ORDER_OLDER },
        { "1.0-rc.9", "1.0-rc.10", PRE_ORDER_OLDER },
        { "1.0-rc1", "0.9", PRE_ORDER_NEWER },
        { "1.0-beta", "1.0-rc1", PRE_ORDER_UNKNOWN },
        { "1.0-rc", "1.0-rc1", PRE_ORDER_UNKNOWN },
        { "1.0-rc", "1.0-rcx", PRE_ORDER_UNKNOWN },
        { "1.0-rc1", "1.0-rcx", PRE_ORDER_UNKNOWN },
        { "1.0-rc1", "1.0-rc2a", PRE_ORDER_UNKNOWN },
        { "1.0-rc1a", "1.0-rc2", PRE_ORDER_UNKNOWN },
        { "1.0-rc01", "1.0-rc1", PRE_ORDER_SAME },
        { "1.0-3", "1.0", PRE_ORDER_UNKNOWN },
        { "V1.0", "v1.1", PRE_ORDER_OLDER },
        { "v1.2-3-g1a2b3c", "v1.2", PRE_ORDER_NEWER },
        { "v1.2-3-g1a2b3c", "v1.2-12-g4d5e6f", PRE_ORDER_OLDER },
        { "v1.2-3-g1a2b3c", "v1.2-3-g4d5e6f", PRE_ORDER_UNKNOWN },
        { "v1.2-3-g1a2b3c", "v1.3-rc1", PRE_ORDER_OLDER },
        { "1.0-dirty", "1.0", PRE_ORDER_UNKNOWN },
        { "1.0-dirty", "1.1", PRE_ORDER_OLDER },
        { "1.0b", "1.0", PRE_ORDER_UNKNOWN },
        { "spring", "1.0", PRE_ORDER_UNKNOWN },
        { "spring", "spring", PRE_ORDER_SAME },
        { "", "", PRE_ORDER_SAME },
        { "", "1", PRE_ORDER_UNKNOWN },
        { "1.", "1", PRE_ORDER_UNKNOWN },
        { "v", "v1", PRE_ORDER_UNKNOWN },
    };

    (void)state;
    for (size_t i = 0; i < CNT(pairs); i++) {
        enum pre_order back = pairs[i].want;

        if (back == PRE_ORDER_OLDER || back == PRE_ORDER_NEWER)
            back = back == PRE_ORDER_OLDER ? PRE_ORDER_NEWER : PRE_ORDER_OLDER;
        if (pre_version_order(pairs[i].a, pairs[i].b) != pairs[i].want ||
            pre_version_order(pairs[i].b, pairs[i].a) != back)
            fail_msg("\"%s\" and \"%s\"", pairs[i].a, pairs[i].b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_no_refusal_without_a_row),
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_versions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
