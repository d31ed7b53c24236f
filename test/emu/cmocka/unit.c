/* cmocka's entry on the emulated board: one program, one group of tests. What
 * goes through all states of something, `test_every_...`, takes minutes in the
 * emulator, says nothing that it does not say on Linux, and is left out. */
#include "cmocka.h"
#include "vrt_sys.h"

int unit_main(void);
void app_main(void);

static jmp_buf back;

void emu_unit_fail(const char *file, int line, const char *what)
{
    printf("%s:%d: does not hold: %s\n", file, line, what);
    longjmp(back, 1);
}

int emu_unit_run(const struct CMUnitTest *tests, size_t cnt)
{
    volatile unsigned passed = 0, failed = 0, skipped = 0;
    for (volatile size_t i = 0; i < cnt; i++) {
        void *state = NULL;
        vrt_watchdog_feed();
        if (strncmp(tests[i].name, "test_every_", 11) == 0) {
            skipped++;
            continue;
        }
        if (setjmp(back) == 0) {
            tests[i].run(&state);
            passed++;
        } else {
            printf("FAILED %s\n", tests[i].name);
            failed++;
        }
    }
    printf("UNIT passed=%u failed=%u skipped=%u\n", passed, failed, skipped);
    return (int)failed;
}

void app_main(void)
{
    (void)unit_main();
}
