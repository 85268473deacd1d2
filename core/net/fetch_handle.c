#include "net/fetch_inner.h"

#include <unistd.h>

#include "base/check.h"
#include "base/limits.h"
#include "base/mem.h"
#include "net/head.h"

#define FLOOD_BYTES (16u * KIB) /* of a stream in one turn: as many as reads are small for are waiting */

/* Whether a callback must stop curl: it will be removed as soon as it returns. */
static bool is_stopped(const struct fetch *f)
{
    return f->is_cancelled || f->why;
}

static int on_request(void *arg, char *ip, char *local_ip, int port, int local_port)
{
    (void)ip, (void)local_ip, (void)port;
    struct fetch *f = arg;
    if (is_stopped(f)) return CURL_PREREQFUNC_ABORT;
    f->is_retried = f->is_asking;
    f->is_asking = true;
    f->is_reused = f->sockets.opened == 0;
    if (f->is_reused)
        f->pool->reused++;
    else
        curl_loop_connected(&f->sockets, local_port);
    fetch_enter(f, FETCH_AWAITING);
    return CURL_PREREQFUNC_OK;
}

static size_t on_body_wanted(char *to, size_t size, size_t count, void *arg)
{
    struct fetch *f = arg;
    if (is_stopped(f)) return CURL_READFUNC_ABORT;
    /* a provider that takes a large body slowly is not silent */
    fetch_touch(f);
    return fetch_text_read(&f->text, to, size * count);
}

static int on_body_rewound(void *arg, curl_off_t offset, int origin)
{
    struct fetch *f = arg;
    if (is_stopped(f) || origin != SEEK_SET || offset < 0) return CURL_SEEKFUNC_FAIL;
    return fetch_text_seek(&f->text, (uint64_t)offset) ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

/* The request cannot be sent again after this; its memory is not kept through a long stream. */
static void drop_text(struct fetch *f)
{
    if (!fetch_text_is_sent(&f->text)) return;
    curl_easy_setopt(f->easy, CURLOPT_HTTPHEADER, NULL);
    fetch_text_clear(&f->text);
}

static void give_head(struct fetch *f)
{
    struct fetch_head head = head_get(f->head);
    struct fetch_pool *pool = f->pool;
    f->has_head = true;
    f->events->on_head(f->arg, &head);
    head_reset(f->head);
    if (pool->spare_head)
        head_free(f->head);
    else
        pool->spare_head = f->head;
    f->head = NULL;
}

static bool take_head_line(struct fetch *f, struct slice line, struct fault *why)
{
    if (!f->head) {
        f->head = f->pool->spare_head ? f->pool->spare_head : head_new();
        f->pool->spare_head = NULL;
    }
    switch (head_take(f->head, line, why)) {
    case HEAD_BAD: return false;
    case HEAD_MORE: break;
    case HEAD_STATUS:
        fetch_enter(f, FETCH_STREAMING);
        drop_text(f);
        break;
    case HEAD_DONE: give_head(f); break;
    }
    return true;
}

/* Trailers of a chunked body: counted and dropped. */
static bool take_trailer_line(struct fetch *f, struct slice line, struct fault *why)
{
    f->trailer_bytes += line.len;
    if (f->trailer_bytes <= LIMIT_RESPONSE_HEAD_BYTES) return true;
    return fault_set(why, FAULT_UPSTREAM_PROTOCOL, "the answer's trailers are over %u bytes",
                     LIMIT_RESPONSE_HEAD_BYTES);
}

static size_t on_head_line(char *bytes, size_t size, size_t count, void *arg)
{
    struct fetch *f = arg;
    struct slice line = slice_of(bytes, size * count);
    struct fault why;
    if (is_stopped(f)) return 0;
    if (f->phase == FETCH_STREAMING) fetch_touch(f);
    bool is_good = f->has_head ? take_trailer_line(f, line, &why) : take_head_line(f, line, &why);
    if (!is_good) fetch_stop(f, f->url->host, &why);
    return is_stopped(f) ? 0 : line.len;
}

static void note_flood(struct fetch *f)
{
    if (!f->has_flooded && f->url->floods < FLOODS_REMEMBERED) f->url->floods++;
    f->has_flooded = true;
}

/* curl reads a socket up to a hundred times in one go, and all transfers that are due in one go: behind so many bytes,
 * or so much time, the others have their turn. */
static bool has_had_its_turn(struct fetch *f, size_t len)
{
    struct loop *loop = f->pool->loop;
    uint64_t turn = loop_turn(loop);
    if (f->turn != turn) {
        f->turn = turn;
        f->turn_bytes = 0;
    }
    if (f->turn_bytes >= FLOOD_BYTES) note_flood(f);
    if (f->turn_bytes >= LIMIT_TURN_FETCH_BYTES || loop_is_long(loop)) return true;
    f->turn_bytes += len;
    return false;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct fetch *f = arg;
    size_t len = size * count;
    if (is_stopped(f)) return CURL_WRITEFUNC_ERROR;
    if (len == 0) return 0;
    fetch_touch(f);
    if (f->is_paused || has_had_its_turn(f, len)) {
        fetch_hold(f, true);
        if (!f->is_paused) loop_work_add(&f->resume);
        return CURL_WRITEFUNC_PAUSE;
    }
    f->events->on_data(f->arg, slice_of(bytes, len));
    return is_stopped(f) ? CURL_WRITEFUNC_ERROR : len;
}

static void set_callbacks(struct fetch *f)
{
    CURL *easy = f->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, f);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, f->error);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, f);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_body_wanted);
    curl_easy_setopt(easy, CURLOPT_READDATA, f);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_body_rewound);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, f);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head_line);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, f);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, f);
}

/* A file of certificates alone: with curl's directory beside it, all of them would be read anew for each connection. */
static void set_trust(struct fetch *f, const char *ca_file)
{
    const char *file = *ca_file ? ca_file : f->pool->system_ca_file;
    curl_easy_setopt(f->easy, CURLOPT_CAINFO, file);
    curl_easy_setopt(f->easy, CURLOPT_CAPATH, file ? NULL : curl_version_info(CURLVERSION_NOW)->capath);
    mem_free(f->ca_file);
    f->ca_file = mem_strdup(ca_file);
}

void fetch_handle_init(struct fetch *f)
{
    CURL *easy = f->easy;
    set_callbacks(f);
    curl_loop_adopt(f->pool->curl, easy, &f->sockets);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*"); /* says the same, and spares two looks at the environment a request */
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    /* models think for minutes, and NATs forget */
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 60L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 30L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    /* else a cancel waits for a name server that does not answer */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    set_trust(f, "");
}

/* Before the method: setting a body makes it a POST. */
static void set_body(struct fetch *f)
{
    const struct fetch_text *t = &f->text;
    curl_easy_setopt(f->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body_bytes);
    curl_easy_setopt(f->easy, CURLOPT_POSTFIELDS, t->copied_body);
    curl_easy_setopt(f->easy, CURLOPT_POST, 1L);
}

static void set_method(struct fetch *f)
{
    struct slice method = slice_str(f->text.method);
    bool is_head = slice_equal(method, SLICE("HEAD"));
    const char *usual = f->text.has_body ? "POST" : "GET";
    if (f->text.has_body)
        set_body(f);
    else if (is_head)
        curl_easy_setopt(f->easy, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt(f->easy, CURLOPT_HTTPGET, 1L);
    bool is_usual = slice_equal(method, slice_str(usual)) || (is_head && !f->text.has_body);
    curl_easy_setopt(f->easy, CURLOPT_CUSTOMREQUEST, is_usual ? NULL : f->text.method);
}

/* curl keeps a buffer of this size for each answer under way: the largest part of what an open stream costs. It cannot
 * grow while the answer comes, so a provider whose streams have flooded gets the large one for those to come. */
static void set_reads(struct fetch *f, bool is_trickle)
{
    if (f->is_trickle == is_trickle) return;
    f->is_trickle = is_trickle;
    check(curl_easy_setopt(f->easy, CURLOPT_BUFFERSIZE, is_trickle ? 2048L : (long)CURL_MAX_WRITE_SIZE) == CURLE_OK);
}

/* As text too: when a kept connection turns out to be dead, curl goes by it (7.88, Curl_retry_request). */
static bool set_url(struct fetch *f, struct fault *why)
{
    struct fetch_url *url = fetch_url_take(&f->pool->urls, f->text.url);
    if (!url) return fault_set(why, FAULT_UPSTREAM_CONNECT, "the provider's URL is not a valid http or https URL");
    if (url == f->url) {
        fetch_url_drop(url);
        return true;
    }
    /* the handle's last URL must not stay */
    check(curl_easy_setopt(f->easy, CURLOPT_URL, url->text) == CURLE_OK);
    check(curl_easy_setopt(f->easy, CURLOPT_CURLU, url->parsed) == CURLE_OK);
    fetch_url_drop(f->url);
    f->url = url;
    return true;
}

bool fetch_handle_set(struct fetch *f, const struct fetch_request *request, struct fault *why)
{
    const char *ca_file = request->ca_file ? request->ca_file : "";
    bool is_http2 = request->is_http2;
    if (!set_url(f, why)) return false;
    curl_easy_setopt(f->easy, CURLOPT_HTTPHEADER, f->text.headers);
    set_method(f);
    if (strcmp(f->ca_file, ca_file) != 0) set_trust(f, ca_file);
    set_reads(f, request->is_trickle && f->url->floods == 0);
    if (f->is_http2 == is_http2) return true;
    f->is_http2 = is_http2;
    curl_easy_setopt(f->easy, CURLOPT_HTTP_VERSION, (long)(is_http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(f->easy, CURLOPT_PIPEWAIT, is_http2 ? 1L : 0L);
    return true;
}

char *fetch_handle_system_ca(void)
{
    const char *path = curl_version_info(CURLVERSION_NOW)->cainfo;
    return path && access(path, R_OK) == 0 ? mem_strdup(path) : NULL;
}
