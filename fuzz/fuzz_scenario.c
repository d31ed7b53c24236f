/* Scenario files, on any bytes: TOML, and what is made of it. Asserted: a
 * scenario that is taken has tests, and each has all that running it needs. */
#include <stdlib.h>

#include "scenario.h"

static void must(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct scenario s = SCENARIO_NONE;
    struct diag d = DIAG_NONE;
    esp_err_t err;

    if (size > SCENARIO_MAX_LEN)
        return 0;
    err = scenario_parse(&s, span_of(data, size), "input", &d);
    must(err == d.err && (err == ESP_OK) == (s.cnt > 0));
    must(err == ESP_OK || d.text[0] != '\0');
    for (uint32_t i = 0; i < s.cnt; i++) {
        const struct scenario_test *t = &s.test[i];

        must(t->name && t->name[0] && t->flash && t->image);
        must(t->cut_cnt <= SCENARIO_CUTS_MAX &&
             t->option_cnt <= SCENARIO_OPTIONS_MAX &&
             t->then_cnt <= SCENARIO_STEPS_MAX && t->limit_ms > 0);
        for (uint32_t k = 0; k < t->cut_cnt; k++)
            must(t->cut[k] > 0);
        must(t->options[SCENARIO_OPTIONS_MAX] == NULL);
    }
    scenario_free(&s);
    return 0;
}
