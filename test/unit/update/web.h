/* web.h - a file server in memory behind port_net, which understands ranges
 * and misbehaves on demand. One connection at a time; time is sim_sys's. */
#ifndef TEST_WEB_H
#define TEST_WEB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "port/net.h"
#include "sim_sys.h"

struct port_conn {
    struct web *web;
    struct port_limit *limit;
    char request[2048];
    size_t request_len;
    char head[1024];
    size_t head_len, head_pos;
    size_t body_pos, body_end; /* what is still to be sent */
    size_t pause_at;           /* of answer_len, the next one */
    size_t answer_len;         /* body bytes of this answer sent so far */
    bool dead;                 /* closed by the server */
};

struct web {
    struct port_net port;
    struct sim_sys *sys;
    struct port_conn conn;
    /* what is served */
    const void *file;
    size_t file_len;
    const char *etag;     /* NULL: none */
    const char *modified; /* Last-Modified; NULL: none */
    const char *type;     /* NULL: application/octet-stream */
    const char *extra;    /* further fields, each with its CRLF */
    /* how it misbehaves; 0: not at all */
    int status;        /* this instead of 200 or 206 */
    bool no_ranges;    /* Range is ignored */
    bool no_length;    /* no Content-Length, the connection ends the body */
    size_t cut_at;     /* after so many body bytes of an answer... */
    uint32_t cut_cnt;  /* ...in so many answers... */
    bool cut_silent;   /* ...silence instead of the end */
    size_t pause_each; /* once in so many body bytes nothing comes in time */
    size_t lie_len;    /* added to Content-Length */
    size_t lie_range;  /* added to Content-Range's first byte */
    bool short_range;  /* Content-Range claims one byte more than comes */
    bool no_total;     /* Content-Range says * for the length of the file */
    size_t max_part;   /* of a range no more is sent */
    size_t told_end;   /* 416 says that this is the length; 0: nothing */
    uint32_t busy_cnt; /* answers with 503 before a real one... */
    const char *busy_extra; /* ...with these fields */
    size_t trickle_ms;      /* each recv takes so long and brings one byte */
    size_t stop_at;         /* the session's limit is stopped after so many body
                          bytes of an answer, if there are more; 0: never */
    size_t max_recv;
    bool mute_open;      /* connections are not answered */
    uint32_t refuse_cnt; /* connections refused */
    /* what was seen */
    uint32_t open_cnt, alive_cnt, request_cnt;
    char last_request[2048];
    char ranges[16][48]; /* of each request, "" without */
};

void web_init(struct web *w, struct sim_sys *sys, const void *file,
              size_t file_len);

#endif
