/* The largest numbers that a server may send, in the length of this build. */
#ifndef LEN_ROWS_H
#define LEN_ROWS_H

#include "http/len.h"

#if CFG_LEN_64
#define LEN_OVER "18446744073709551616"
#define LEN_UNKNOWN "18446744073709551615"
#define LEN_MAX "18446744073709551614"
#define LEN_MAX_1 "18446744073709551613"
#define CHUNK_MAX "7fffffffffffffff"
#define CHUNK_OVER "8000000000000000"
#define CHUNK_WRAP "10000000000000003"
#else
#define LEN_OVER "4294967296"
#define LEN_UNKNOWN "4294967295"
#define LEN_MAX "4294967294"
#define LEN_MAX_1 "4294967293"
#define CHUNK_MAX "7fffffff"
#define CHUNK_OVER "80000000"
#define CHUNK_WRAP "100000003"
#endif

#endif
