/* base/verdict.h - the answer to "may these bytes run?".
 *
 * The two values differ in many bits and zero is neither, so that cleared
 * memory, a stuck bit or a skipped assignment is never an acceptance. */
#ifndef BASE_VERDICT_H
#define BASE_VERDICT_H

enum verdict { VERDICT_REJECT = 0x2d5a96c3, VERDICT_ACCEPT = 0x52a5693c };

#endif
