#include "admin/jwks_fetcher.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/version.h"
#include "net/fetch.h"
#include "net/loop.h"
#include "wire/jwks.h"

#define ERROR_BYTES 320

struct source {
    struct jwks_fetcher *fetcher;
    char *url, *ca_file; /* url NULL: a free place */
    bool is_alone, is_named, is_tried;
    struct fetch *fetch; /* while one is under way */
    struct buf body;
    int status;
    struct loop_timer timer;
    unsigned failures; /* in a row */
    uint64_t asked_ms; /* when the refreshes that were asked for will all be forgotten */
    size_t keys;
    uint64_t fetched_wall_ns;
    uint8_t digest[SHA256_DIGEST_LENGTH]; /* of the last good set */
    char problem[ERROR_BYTES]; /* of the attempt under way */
    char error[ERROR_BYTES];   /* of the last that has ended */
};

struct jwks_fetcher {
    struct loop *loop;
    struct fetch_pool *pool; /* NULL until there is a source */
    char *dir;
    jwks_outcome_fn on_outcome;
    void *arg;
    struct source sources[LIMIT_JWKS_SOURCES];
};

static void tell(struct source *s, struct slice json, bool is_attempt, bool is_changed)
{
    struct jwks_outcome outcome = {slice_str(s->url), json, is_attempt, is_changed, s->fetched_wall_ns};
    s->fetcher->on_outcome(s->fetcher->arg, &outcome);
}

/* ---- On disk. */

static void path_of(const struct source *s, const char *ending, struct buf *path)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    char hex[2 * SHA256_DIGEST_LENGTH + 1];
    SHA256((const unsigned char *)s->url, strlen(s->url), digest);
    hex_write(digest, sizeof digest, hex);
    buf_init(path);
    buf_printf(path, "%s/%s.json%s", s->fetcher->dir, hex, ending);
    buf_append_char(path, '\0');
}

/* Beside the file, then renamed over it: a reader never sees half. */
static void save(const struct source *s, struct slice json)
{
    struct buf path, beside;
    path_of(s, "", &path);
    path_of(s, ".new", &beside);
    mkdir(s->fetcher->dir, 0700);
    int fd = open(buf_ptr(&beside), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool is_good = fd >= 0 && write(fd, json.ptr, json.len) == (ssize_t)json.len;
    if (fd >= 0) close(fd);
    if (!is_good || rename(buf_ptr(&beside), buf_ptr(&path)) != 0)
        log_event(LOG_WARN, "jwks_unsaved", "%s: %s", buf_ptr(&path), strerror(errno));
    buf_clear(&path);
    buf_clear(&beside);
}

/* Takes over a good set; false, with the reason kept, for another. */
static bool accept(struct source *s, struct slice json, uint64_t wall_ns, bool *is_changed)
{
    struct fault why;
    const char *reason;
    uint8_t digest[SHA256_DIGEST_LENGTH];
    struct jwks *set = jwks_parse(json, &why);
    if (!set) {
        snprintf(s->problem, sizeof s->problem, "what came is no set of keys: %s", why.text);
        return false;
    }
    SHA256((const unsigned char *)json.ptr, json.len, digest);
    *is_changed = s->keys == 0 || memcmp(digest, s->digest, sizeof digest) != 0;
    memcpy(s->digest, digest, sizeof digest);
    s->keys = jwks_count(set);
    s->fetched_wall_ns = wall_ns;
    if (*is_changed && jwks_passed_over(set, &reason) > 0)
        log_event(LOG_WARN, "jwks_passed_over", "%s: %zu keys are not used; the first: %s", s->url,
                  jwks_passed_over(set, &reason), reason);
    jwks_unref(set);
    return true;
}

static void load(struct source *s)
{
    struct buf path, json;
    struct stat st;
    bool is_changed;
    path_of(s, "", &path);
    buf_init(&json);
    int fd = open(buf_ptr(&path), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    ssize_t n = fd < 0 || fstat(fd, &st) != 0 ? -1 : read(fd, buf_reserve(&json, LIMIT_JWKS_BYTES), LIMIT_JWKS_BYTES);
    if (n > 0) {
        buf_grew(&json, (size_t)n);
        uint64_t wall_ns = (uint64_t)st.st_mtim.tv_sec * NS_PER_S + (uint64_t)st.st_mtim.tv_nsec;
        if (accept(s, buf_slice(&json), wall_ns, &is_changed)) tell(s, buf_slice(&json), true, true);
    }
    if (fd >= 0) close(fd);
    buf_clear(&json);
    buf_clear(&path);
}

/* ---- One attempt. */

static void plan(struct source *s)
{
    uint64_t ms = LIMIT_JWKS_REFRESH_MS;
    if (s->failures > 0) {
        unsigned doublings = s->failures - 1 < 10 ? s->failures - 1 : 10;
        ms = (uint64_t)LIMIT_JWKS_RETRY_MS << doublings;
        if (ms > LIMIT_JWKS_REFRESH_MS) ms = LIMIT_JWKS_REFRESH_MS;
    }
    ms -= clock_wall_ns() / 1000 % (ms / 5); /* so that a fleet does not come all at once */
    loop_timer_arm_ms(&s->timer, ms);
}

static void finish(struct source *s)
{
    bool is_changed = false;
    s->fetch = NULL;
    s->is_tried = true;
    bool is_good = !s->problem[0] && accept(s, buf_slice(&s->body), clock_wall_ns(), &is_changed);
    memcpy(s->error, s->problem, sizeof s->error);
    if (is_good) {
        if (is_changed) log_event(LOG_INFO, "jwks_changed", "%s: %zu keys", s->url, s->keys);
        s->failures = 0;
        save(s, buf_slice(&s->body));
    } else {
        s->failures++;
        log_event(LOG_WARN, "jwks_failed", "%s: %s%s", s->url, s->error,
                  s->keys ? "; the keys that are there stay in use" : "");
    }
    plan(s);
    tell(s, is_good ? buf_slice(&s->body) : SLICE_NONE, true, is_changed);
    buf_clear(&s->body);
}

static void on_head(void *arg, const struct fetch_head *head)
{
    struct source *s = arg;
    s->status = head->status;
}

static void on_data(void *arg, struct slice bytes)
{
    struct source *s = arg;
    if (s->status != 200) return;
    if (buf_len(&s->body) + bytes.len <= LIMIT_JWKS_BYTES) {
        buf_append(&s->body, bytes);
        return;
    }
    snprintf(s->problem, sizeof s->problem, "larger than %u bytes", LIMIT_JWKS_BYTES);
    fetch_cancel(s->fetch);
    finish(s);
}

static void on_end(void *arg, const struct fault *why, bool complete)
{
    struct source *s = arg;
    if (!complete)
        snprintf(s->problem, sizeof s->problem, "%s", fault_message(why));
    else if (s->status != 200)
        snprintf(s->problem, sizeof s->problem, "answered %d", s->status);
    finish(s);
}

static void begin(struct source *s)
{
    static const struct fetch_events events = {.on_head = on_head, .on_data = on_data, .on_end = on_end};
    static const struct fetch_header accept_json = {{"accept", 6}, {"application/jwk-set+json, application/json", 42}};
    if (s->fetch) return;
    struct fetch_request request = {
        .method = SLICE("GET"),
        .url = slice_str(s->url),
        .headers = &accept_json,
        .header_count = 1,
        .ca_file = s->ca_file,
        .connect_timeout_ms = LIMIT_CONNECT_TIMEOUT_MS,
        .total_timeout_ms = LIMIT_JWKS_FETCH_MS,
    };
    struct jwks_fetcher *f = s->fetcher;
    if (!f->pool) f->pool = fetch_pool_new(f->loop, "moongate/" MOONGATE_VERSION);
    s->status = 0;
    s->problem[0] = '\0';
    buf_reset(&s->body);
    loop_timer_disarm(&s->timer);
    s->fetch = fetch_start(f->pool, &request, &events, s);
}

static void on_time(void *arg)
{
    begin(arg);
}

/* ---- Sources. */

static struct source *find(struct jwks_fetcher *f, struct slice url)
{
    for (size_t i = 0; i < LIMIT_JWKS_SOURCES; i++) {
        if (f->sources[i].url && slice_equal(slice_str(f->sources[i].url), url)) return &f->sources[i];
    }
    return NULL;
}

static void drop(struct source *s)
{
    if (!s->url) return;
    loop_timer_disarm(&s->timer);
    fetch_cancel(s->fetch);
    buf_clear(&s->body);
    mem_free(s->url);
    mem_free(s->ca_file);
    *s = (struct source){.fetcher = s->fetcher};
}

static struct source *add(struct jwks_fetcher *f, struct slice url)
{
    for (size_t i = 0; i < LIMIT_JWKS_SOURCES; i++) {
        struct source *s = &f->sources[i];
        if (s->url) continue;
        *s = (struct source){.fetcher = f, .url = mem_strndup(url.ptr, url.len)};
        buf_init(&s->body);
        loop_timer_init(&s->timer, f->loop, on_time, s);
        load(s);
        return s;
    }
    return NULL; /* loading a bundle with more is refused */
}

static void name_source(struct jwks_fetcher *f, struct slice line)
{
    struct slice rest, ca_file;
    struct slice kind = slice_split(line, '\t', &rest);
    struct slice url = slice_split(rest, '\t', &ca_file);
    struct source *s = find(f, url);
    if (!s) s = add(f, url);
    if (!s) return;
    mem_free(s->ca_file);
    s->ca_file = mem_strndup(ca_file.ptr ? ca_file.ptr : "", ca_file.len);
    s->is_alone = slice_equal(kind, SLICE("alone"));
    s->is_named = true;
}

static void each_line(struct jwks_fetcher *f, struct slice lines)
{
    while (lines.len) {
        struct slice line = slice_split(lines, '\n', &lines);
        if (line.len) name_source(f, line);
    }
}

void jwks_fetcher_sources(struct jwks_fetcher *f, struct slice lines)
{
    for (size_t i = 0; i < LIMIT_JWKS_SOURCES; i++)
        f->sources[i].is_named = false;
    /* Twice, so that the places of those that go are free for those that come. */
    for (struct slice rest = lines; rest.len;) {
        struct slice line = slice_split(rest, '\n', &rest), url;
        slice_split(line, '\t', &url);
        struct source *s = find(f, slice_split(url, '\t', &line));
        if (s) s->is_named = true;
    }
    for (size_t i = 0; i < LIMIT_JWKS_SOURCES; i++) {
        if (!f->sources[i].is_named) drop(&f->sources[i]);
    }
    each_line(f, lines);
    for (size_t i = 0; i < LIMIT_JWKS_SOURCES; i++) {
        if (f->sources[i].url) begin(&f->sources[i]);
    }
}

/* A bucket of LIMIT_JWKS_ASKED_BURST, one more each LIMIT_JWKS_ASKED_MS. */
static bool may_ask(struct source *s)
{
    uint64_t now = loop_now_ns(s->fetcher->loop) / NS_PER_MS;
    uint64_t from = s->asked_ms > now ? s->asked_ms : now;
    if (from + LIMIT_JWKS_ASKED_MS > now + LIMIT_JWKS_ASKED_BURST * LIMIT_JWKS_ASKED_MS) return false;
    s->asked_ms = from + LIMIT_JWKS_ASKED_MS;
    return true;
}

void jwks_fetcher_want(struct jwks_fetcher *f, struct slice url)
{
    struct source *s = find(f, url);
    if (!s || s->fetch) return; /* its outcome is on its way */
    if (may_ask(s))
        begin(s);
    else
        tell(s, SLICE_NONE, false, false);
}

bool jwks_fetcher_state(const struct jwks_fetcher *f, size_t index, struct jwks_state *state)
{
    for (size_t i = 0; i < LIMIT_JWKS_SOURCES; i++) {
        const struct source *s = &f->sources[i];
        if (!s->url || index-- > 0) continue;
        *state = (struct jwks_state){slice_str(s->url), s->keys,     s->fetched_wall_ns,
                                     s->error,          s->is_tried, s->is_alone};
        return true;
    }
    return false;
}

struct jwks_fetcher *jwks_fetcher_new(struct loop *loop, const char *data_dir, jwks_outcome_fn on_outcome, void *arg)
{
    struct jwks_fetcher *f = mem_zalloc(1, sizeof *f);
    struct buf dir;
    f->loop = loop;
    f->on_outcome = on_outcome;
    f->arg = arg;
    buf_init(&dir);
    buf_printf(&dir, "%s/jwks", data_dir);
    f->dir = mem_strndup(buf_ptr(&dir), buf_len(&dir));
    buf_clear(&dir);
    for (size_t i = 0; i < LIMIT_JWKS_SOURCES; i++)
        f->sources[i].fetcher = f;
    return f;
}

void jwks_fetcher_free(struct jwks_fetcher *f)
{
    if (!f) return;
    for (size_t i = 0; i < LIMIT_JWKS_SOURCES; i++)
        drop(&f->sources[i]);
    fetch_pool_free(f->pool);
    mem_free(f->dir);
    mem_free(f);
}
