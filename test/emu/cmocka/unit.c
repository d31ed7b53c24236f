/* cmocka's entry on the emulated board: one program, one group of tests. */
#include "cmocka.h"

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
    volatile unsigned passed = 0, failed = 0;
    for (volatile size_t i = 0; i < cnt; i++) {
        void *state = NULL;
        if (setjmp(back) == 0) {
            tests[i].run(&state);
            passed++;
        } else {
            printf("FAILED %s\n", tests[i].name);
            failed++;
        }
    }
    printf("UNIT passed=%u failed=%u\n", passed, failed);
    return (int)failed;
}

void app_main(void)
{
    (void)unit_main();
}
