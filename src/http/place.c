/* Where the next request goes, and what it may say there.
 *
 * Home is the URL that the user gave. A redirect makes a hop: when it changes
 * the origin, everything that proves who we are is kept back, and no later hop
 * brings it out again, not even one that leads home. Only http_rewind(), which
 * starts the chain anew, does. A URL that the user sets is a new home: what
 * belonged to another origin is then forgotten. */

#include "http/client_priv.h"
#include "http/text.h"

/* --- logins --------------------------------------------------------------- */

static void account_drop(struct http_account *a)
{
    a->given = false;
    http_buf_free(&a->username);
    http_buf_free(&a->password);
}

static void account_move(struct http_account *to, struct http_account *from)
{
    account_drop(to);
    *to = *from;
    from->username = (struct http_buf){ .heap = to->username.heap };
    from->password = (struct http_buf){ .heap = to->password.heap };
    from->given = false;
}

static void forget_login(struct http_client *c)
{
    account_drop(&c->login);
    http_buf_free(&c->auth_challenge);
    http_buf_free(&c->token);
}

static esp_err_t take_userinfo(struct http_client *c, struct span userinfo)
{
    struct span password;
    struct span user = http_cut(userinfo, ':', &password);

    if (userinfo.len == 0)
        return ESP_OK;
    esp_err_t err = http_decode(&c->login.username, user);
    if (!err)
        err = http_decode(&c->login.password, password);
    c->login.given = !err;
    return err;
}

static esp_err_t copy_text(struct http_client *c, const char *str,
                           struct http_buf *out)
{
    *out = (struct http_buf){ .heap = c->env.heap };
    return str ? http_buf_add(out, span_str(str)) : ESP_OK;
}

/* What is given may be what is set already. */
esp_err_t http_set_login(struct http_client *c, const char *username,
                         const char *password)
{
    struct http_buf user, pass;
    esp_err_t err = copy_text(c, username, &user);
    esp_err_t err2 = copy_text(c, password, &pass);

    if (err || err2) {
        http_buf_free(&user);
        http_buf_free(&pass);
        return err ? err : err2;
    }
    forget_login(c);
    c->login.username = user;
    c->login.password = pass;
    c->login.given = username != NULL;
    return ESP_OK;
}

const char *http_username(const struct http_client *c)
{
    return c->login.username.ptr;
}

const char *http_password(const struct http_client *c)
{
    return c->login.password.ptr;
}

const char *http_home_url(const struct http_client *c)
{
    return c->home_text.ptr;
}

/* --- places --------------------------------------------------------------- */

/* The copy that c->url points into has no userinfo: it is shown to people. */
static esp_err_t set_url_text(struct http_client *c, const struct http_url *url)
{
    struct http_buf text = { .heap = c->env.heap };
    size_t len = url->host.len + url->path.len + url->query.len +
                 sizeof("https://[]:65535/?");
    esp_err_t err = http_buf_reserve(&text, len);

    if (!err)
        err = http_url_format(url, text.ptr, text.cap, &len);
    if (err) {
        http_buf_free(&text);
        return err;
    }
    text.len = len - 1;
    http_buf_free(&c->url_text);
    c->url_text = text;
    return http_url_parse(http_buf_span(&text), &c->url);
}

/* A connection ends with its origin. */
static esp_err_t go(struct http_client *c, const struct http_url *to,
                    bool same_origin)
{
    char host[HTTP_HOST_TEXT_LEN];

    if (!same_origin)
        http_disconnect(c);
    esp_err_t err = set_url_text(c, to);
    if (!err)
        err = take_userinfo(c, to->userinfo);
    if (err || same_origin)
        return err;
    http_host_text(&c->url, host);
    err = http_set_header(c, "Host", host);
    if (err) /* without one, the request makes its own: never another's */
        (void)http_fields_remove(&c->fields, span_str("Host"));
    return err;
}

esp_err_t http_hop(struct http_client *c, const struct http_url *parsed)
{
    bool stays = http_url_same_origin(&c->url, parsed);

    c->strayed = true;
    if (!stays) {
        http_fields_hold_secrets(&c->fields);
        if (c->at_home)
            account_move(&c->home_login, &c->login);
        forget_login(c);
        c->auth = HTTP_AUTH_NONE;
        c->at_home = false;
    }
    return go(c, parsed, stays);
}

/* What is held belongs to a place that is no home any more. */
static esp_err_t settle(struct http_client *c, const struct http_url *parsed)
{
    bool first = c->url_text.len == 0;
    bool stays = !first && http_url_same_origin(&c->url, parsed);

    http_fields_drop_held(&c->fields);
    account_drop(&c->home_login);
    if (!stays && !first) {
        http_fields_drop_secrets(&c->fields);
        forget_login(c);
        c->auth = HTTP_AUTH_NONE;
        c->token_left = true;
    }
    esp_err_t err = go(c, parsed, stays);
    if (err)
        return err;
    c->at_home = true;
    c->strayed = false;
    http_buf_reset(&c->home_text);
    return http_buf_add(&c->home_text, http_buf_span(&c->url_text));
}

esp_err_t http_set_url(struct http_client *c, const char *url)
{
    struct http_url parsed;
    struct http_buf text = { .heap = c->env.heap };
    struct span given = span_str(url);
    size_t need_len = 0;
    esp_err_t err = ESP_OK;

    if (given.len == 0)
        return ESP_ERR_INVALID_ARG;
    if (given.ptr[0] != '/' || c->url_text.len == 0) {
        err = http_url_parse(given, &parsed);
        return err ? err : settle(c, &parsed);
    }
    need_len = given.len + c->url_text.len + 64;
    err = http_buf_reserve(&text, need_len);
    if (!err)
        err = http_url_resolve(&c->url, given, text.ptr, text.cap, &need_len);
    if (!err)
        err = http_url_parse(span_of(text.ptr, need_len - 1), &parsed);
    if (!err)
        err = settle(c, &parsed);
    http_buf_free(&text);
    return err;
}

static esp_err_t go_home(struct http_client *c)
{
    struct http_url home;
    esp_err_t err = http_url_parse(http_buf_span(&c->home_text), &home);

    if (err || !c->strayed)
        return err;
    err = go(c, &home, http_url_same_origin(&c->url, &home));
    if (err)
        return err;
    if (!c->at_home) {
        http_fields_release(&c->fields);
        forget_login(c);
        account_move(&c->login, &c->home_login);
        c->auth =
            c->opts.auth == HTTP_AUTH_BASIC ? HTTP_AUTH_BASIC : HTTP_AUTH_NONE;
    }
    c->at_home = true;
    c->strayed = false;
    return ESP_OK;
}

esp_err_t http_rewind(struct http_client *c, struct diag *d)
{
    esp_err_t err = go_home(c);

    return err ? diag_fail(d, DIAG_STAGE_HTTP, err,
                           "out of memory for the URL of the request")
               : ESP_OK;
}

esp_err_t http_ask_url(struct http_client *c, enum http_url_why why,
                       struct diag *d)
{
    const struct http_urls *urls = http_url_maker(c);
    struct http_buf url = { .heap = c->env.heap };

    c->asked_urls = true;
    esp_err_t err = http_rewind(c, d);
    if (err || !urls)
        return err;
    err = urls->get(urls->ctx, why, &url, d);
    if (err)
        (void)diag_fail(d, DIAG_STAGE_HTTP, err,
                        "no URL to ask was provided: %s", err_name(err));
    else if (url.len > 0)
        err = http_set_url(c, url.ptr);
    if (err)
        (void)diag_fail(d, DIAG_STAGE_HTTP, err,
                        "the URL that was provided cannot be used: it must be "
                        "http[s]://host[:port]/path");
    http_buf_free(&url);
    return err;
}

esp_err_t http_resume(struct http_client *c, struct diag *d)
{
    return http_url_maker(c) ? http_ask_url(c, HTTP_URL_RESUME, d) : ESP_OK;
}

/* --- secrets -------------------------------------------------------------- */

/* Parameters as short as a version number are none. */
#define PARAM_MIN_LEN 8u

static bool is_query_told(struct span query, struct span text)
{
    while (query.len > 0) {
        struct span value;
        struct span name = http_cut(http_cut(query, '&', &query), '=', &value);
        if (value.len == 0)
            value = name;
        if (value.len >= PARAM_MIN_LEN && http_is_told(text, value))
            return true;
    }
    return false;
}

/* The password, and what Basic makes of it; no memory counts as told. */
static bool is_account_told(const struct http_client *c,
                            const struct http_account *a, struct span text)
{
    const struct http_login login = { http_buf_span(&a->username),
                                      http_buf_span(&a->password) };
    struct http_buf basic = { .heap = c->env.heap };
    size_t need_len = 0;
    bool told = http_is_told(text, login.password);

    if (!a->given || told ||
        http_basic_format(&login, NULL, 0, &need_len) != ESP_ERR_INVALID_SIZE)
        return told;
    told = http_buf_reserve(&basic, need_len) != ESP_OK ||
           http_basic_format(&login, basic.ptr, basic.cap, &need_len) != ESP_OK;
    if (!told) {
        basic.len = need_len - 1;
        told = http_is_told(text, span_from(http_buf_span(&basic), 6));
    }
    http_buf_free(&basic);
    return told;
}

bool http_is_secret_told(const struct http_client *c, struct span text)
{
    return http_fields_told(&c->fields, text) ||
           http_is_told(text, http_buf_span(&c->token)) ||
           is_query_told(c->url.query, text) ||
           is_account_told(c, &c->login, text) ||
           is_account_told(c, &c->home_login, text);
}
