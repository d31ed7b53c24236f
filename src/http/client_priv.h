/* http/client_priv.h - the client's state. Private to src/http. */
#ifndef HTTP_CLIENT_PRIV_H
#define HTTP_CLIENT_PRIV_H

#include "http/buf.h"
#include "http/chunk.h"
#include "http/client.h"
#include "http/conn.h"

#define HTTP_METHOD_MAX_LEN 31u
/* URLs whose visits are remembered, to find loops. */
#define HTTP_SEEN_CNT 16u

enum http_phase {
    HTTP_PHASE_IDLE, /* nothing was asked, or the connection is gone */
    HTTP_PHASE_SENT, /* the head of a request is out */
    HTTP_PHASE_BODY, /* a head came, its body is being read */
    HTTP_PHASE_DONE  /* the body is complete */
};

struct http_account {
    struct http_buf username, password;
    bool given;
};

struct http_client {
    enum http_phase phase;
    uint8_t *rx; /* bytes that were received and not yet used; as long as the
                    connection, from its first answer on: not in a handshake */
    uint32_t rx_pos, rx_end;
    enum http_framing framing;
    http_len left_len; /* HTTP_FRAMING_LENGTH */
    http_len got_len;  /* of this body */
    struct http_env env;
    struct http_buf url_text; /* url's spans point into it */
    struct http_url url;
    struct http_buf home_text; /* the URL that redirects led away from */
    bool at_home;              /* no hop since then had another origin */
    bool strayed;              /* a redirect was followed since then */
    bool asked_urls;
    struct http_fields fields;
    const void *body;
    size_t body_len;

    struct http_conn conn;
    bool reused;     /* this request went out on a connection used before */
    bool any_byte;   /* of the answer came */
    bool resendable; /* nothing but the head was sent */
    http_len sent_body_len; /* as announced */
    uint64_t asked_ms;      /* when the request was out */
    bool in_head;           /* a head has begun */
    unsigned interim_cnt;

    bool on_location, on_challenge; /* the field that is being read */
    struct http_buf name, value;    /* of it, when somebody wants it */
    struct http_buf location, challenge;

    struct http_chunk chunk;

    enum http_auth auth;            /* what goes out with the next request */
    struct http_buf auth_challenge; /* what Digest answers */
    uint32_t auth_cnt, nonce_cnt, stale_cnt;
    struct http_buf token; /* for the next request */
    bool token_refused, token_renewed;
    bool token_left; /* opts.tokens belongs to a home that was given up */
    uint32_t redirect_cnt;
    struct http_opts opts;
    struct http_head_parser parser;
    char method[HTTP_METHOD_MAX_LEN + 1];
    struct http_account login, home_login;
    struct http_proxy proxy;
    uint32_t seen[HTTP_SEEN_CNT];
    uint32_t seen_cnt;
    struct http_stats stats;
};

/* NULL: nobody listens. */
static inline http_event_fn http_listener(const struct http_client *c)
{
    return CFG_HTTP_APP ? c->opts.on_event : NULL;
}

void http_emit(struct http_client *c, enum http_event ev);
/* Reads over what is left of the answer if that is little, else cuts the
 * connection. */
void http_drain(struct http_client *c);
/* Receives into rx, in which nothing waits. *got_len 0: the peer closed. */
MUST_CHECK esp_err_t http_rx_fill(struct http_client *c, uint64_t deadline_ms,
                                  size_t *got_len);
/* HTTP_PHASE_BODY or _DONE begins, by what the head says. */
void http_body_begin(struct http_client *c);
/* Writes the request line and the fields. */
MUST_CHECK esp_err_t http_write_request(struct http_client *c,
                                        http_len body_len, struct diag *d);
/* The value of Authorization for this request, in out; empty: none. */
MUST_CHECK esp_err_t http_auth_text(struct http_client *c, struct http_buf *out,
                                    struct diag *d);
/* Asks opts.tokens, if the next request wants a token; before a connection is
 * made, for that costs memory, too. */
MUST_CHECK esp_err_t http_fetch_token(struct http_client *c, struct diag *d);
static inline bool http_wants_token(const struct http_client *c)
{
    return CFG_OAUTH2 && c->opts.tokens && c->at_home && !c->token_left &&
           !http_fields_get(&c->fields, span_str("Authorization"));
}

/* Who makes URLs; NULL: nobody. */
static inline const struct http_urls *http_url_maker(
    const struct http_client *c)
{
    return CFG_OAUTH2 ? c->opts.urls : NULL;
}

/* place.c: the next request goes there, as a redirect says; the spans are not
 * kept. */
MUST_CHECK esp_err_t http_hop(struct http_client *c,
                              const struct http_url *parsed);
/* opts.urls is asked, if it is there; what it gives becomes home. */
MUST_CHECK esp_err_t http_ask_url(struct http_client *c, enum http_url_why why,
                                  struct diag *d);

#endif
