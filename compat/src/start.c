/* main() of an ESP-IDF application. A file of its own, so that a program with
 * another main(), and a shared library, may use all the rest. */
#include "compat.h"

void app_main(void); /* the application's */

int main(void)
{
    return compat_run(app_main);
}
