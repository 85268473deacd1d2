#include "admin/access_token_fetcher.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/version.h"
#include "net/fetch.h"
#include "net/loop.h"
#include "store/access_tokens.h"
#include "wire/assertion.h"

#define ERROR_BYTES 320
#define MARGIN_S 30u /* a token is not used in its last seconds, or in the last tenth of a short one's */

struct source {
    struct access_token_fetcher *fetcher;
    uint64_t id; /* 0: a free place */
    char *account, *scope, *ca_file;
    struct slice key_file; /* owned, a secret */
    bool is_named, is_tried;
    struct fetch *fetch; /* while a question is under way */
    struct slice body;   /* what is sent; in the arena of `asking` */
    struct buf asking, answer;
    int status;
    struct loop_timer timer;
    unsigned failures; /* in a row */
    uint64_t refused_ns; /* when one was last asked for because its provider refused the other; 0: never */
    char problem[ERROR_BYTES]; /* of the question under way */
    char error[ERROR_BYTES];   /* of the last that has ended */
};

struct access_token_fetcher {
    struct loop *loop;
    struct fetch_pool *pool; /* NULL until there is a source */
    struct access_tokens *tokens;
    access_token_outcome_fn on_outcome;
    void *arg;
    struct source sources[LIMIT_ACCESS_TOKENS];
};

/* ---- What there is of secrets. */

static void wipe_buf(struct buf *buf)
{
    if (buf_len(buf)) explicit_bzero(buf_ptr(buf), buf_len(buf));
    buf_clear(buf);
    buf_init(buf);
}

static struct slice keep_secret(struct slice secret)
{
    return slice_of(mem_strndup(secret.ptr, secret.len), secret.len);
}

static void wipe_secret(struct slice *secret)
{
    char *bytes = (char *)(uintptr_t)secret->ptr;
    if (bytes) explicit_bzero(bytes, secret->len);
    mem_free(bytes);
    *secret = SLICE_NONE;
}

/* ---- When. */

static uint64_t pause_ms(const struct source *s)
{
    unsigned doublings = s->failures - 1 < 10 ? s->failures - 1 : 10;
    uint64_t ms = (uint64_t)LIMIT_ACCESS_TOKEN_RETRY_MS << doublings;
    return ms < LIMIT_ACCESS_TOKEN_RETRY_MAX_MS ? ms : LIMIT_ACCESS_TOKEN_RETRY_MAX_MS;
}

/* Not all gateways of a fleet at once. */
static void plan(struct source *s, uint64_t ms)
{
    ms -= clock_wall_ns() / 1000 % (ms / 8 + 1);
    loop_timer_arm_ms(&s->timer, ms > 0 ? ms : 1);
}

/* ---- How a question ends. */

static void take(struct source *s, const struct access_token *token)
{
    uint64_t margin_s = token->life_s / 10 < MARGIN_S ? token->life_s / 10 : MARGIN_S;
    uint64_t until_ns = clock_mono_ns() + (token->life_s - margin_s) * NS_PER_S;
    access_tokens_put(s->fetcher->tokens, s->id, buf_slice(&token->text), until_ns);
    if (s->failures)
        log_event(LOG_INFO, "account_token", "the provider account %s has a token again", s->account);
    s->failures = 0;
    plan(s, (uint64_t)token->life_s * 750);
}

static void note_failure(struct source *s)
{
    uint64_t until_ns = access_tokens_until(s->fetcher->tokens, s->id), now_ns = clock_mono_ns();
    s->failures++;
    access_tokens_failed(s->fetcher->tokens, s->id);
    plan(s, pause_ms(s));
    if (until_ns > now_ns)
        log_event(LOG_WARN, "account_token_failed",
                  "the provider account %s was given no new token: %s; the one that is there is good for %llu s",
                  s->account, s->error, (unsigned long long)((until_ns - now_ns) / NS_PER_S));
    else
        log_event(LOG_ERROR, "account_token_failed",
                  "the provider account %s has no token: %s; its requests fail until one is given", s->account,
                  s->error);
}

static void judge_answer(struct source *s)
{
    struct fault why;
    struct access_token token;
    if (access_token_read(buf_slice(&s->answer), &token, &why))
        take(s, &token);
    else
        snprintf(s->problem, sizeof s->problem, "%s", fault_message(&why));
    access_token_clear(&token);
}

static void finish(struct source *s)
{
    s->fetch = NULL;
    s->is_tried = true;
    if (!s->problem[0]) judge_answer(s);
    memcpy(s->error, s->problem, sizeof s->error);
    wipe_buf(&s->asking);
    wipe_buf(&s->answer);
    if (s->error[0]) note_failure(s);
    s->fetcher->on_outcome(s->fetcher->arg, slice_str(s->account), !s->error[0]);
}

static void on_head(void *arg, const struct fetch_head *head)
{
    struct source *s = arg;
    s->status = head->status;
}

static void on_data(void *arg, struct slice bytes)
{
    struct source *s = arg;
    if (buf_len(&s->answer) + bytes.len <= LIMIT_ACCESS_TOKEN_ANSWER_BYTES) {
        buf_append(&s->answer, bytes);
        return;
    }
    snprintf(s->problem, sizeof s->problem, "the answer is larger than %u bytes", LIMIT_ACCESS_TOKEN_ANSWER_BYTES);
    fetch_cancel(s->fetch);
    finish(s);
}

/* What was sent may stand in the words of who refuses it: a JWT's beginning among them, and none is told. */
static void say_refusal(struct source *s)
{
    char words[160];
    assertion_refusal(buf_slice(&s->answer), words, sizeof words);
    bool repeats = memmem(words, strlen(words), "eyJ", 3) != NULL;
    snprintf(s->problem, sizeof s->problem, "it was answered %d%s%s", s->status, words[0] && !repeats ? ": " : "",
             repeats ? "" : words);
}

static void on_end(void *arg, const struct fault *why, bool complete)
{
    struct source *s = arg;
    if (!complete)
        snprintf(s->problem, sizeof s->problem, "%s", fault_message(why));
    else if (s->status != 200)
        say_refusal(s);
    finish(s);
}

/* ---- Asking. */

static const struct fetch_events events = {.on_head = on_head, .on_data = on_data, .on_end = on_end};

static void post(struct source *s, struct slice url)
{
    static const struct fetch_header headers[] = {{{"content-type", 12}, {"application/x-www-form-urlencoded", 33}},
                                                  {{"accept", 6}, {"application/json", 16}}};
    struct access_token_fetcher *f = s->fetcher;
    s->body = buf_slice(&s->asking);
    struct fetch_request request = {
        .method = SLICE("POST"),
        .url = url,
        .headers = headers,
        .header_count = 2,
        .body = &s->body,
        .body_count = 1,
        .ca_file = s->ca_file,
        .connect_timeout_ms = LIMIT_CONNECT_TIMEOUT_MS,
        .total_timeout_ms = LIMIT_ACCESS_TOKEN_FETCH_MS,
    };
    if (!f->pool) f->pool = fetch_pool_new(f->loop, "moongate/" MOONGATE_VERSION);
    s->fetch = fetch_start(f->pool, &request, &events, s);
}

static void begin(struct source *s)
{
    struct arena arena;
    struct service_account who;
    struct fault why;
    if (s->fetch) return;
    s->status = 0;
    s->problem[0] = '\0';
    loop_timer_disarm(&s->timer);
    arena_init(&arena);
    bool is_written = service_account_read(s->key_file, &arena, &who, &why) &&
                      assertion_write(&who, slice_str(s->scope), clock_wall_ns() / NS_PER_S, &s->asking, &why);
    service_account_wipe(&who);
    if (is_written) {
        post(s, who.token_url);
    } else {
        snprintf(s->problem, sizeof s->problem, "%s", fault_message(&why));
        finish(s);
    }
    arena_clear(&arena);
}

static void on_time(void *arg)
{
    begin(arg);
}

/* ---- Sources. */

static struct source *find(struct access_token_fetcher *f, uint64_t id)
{
    for (size_t i = 0; i < LIMIT_ACCESS_TOKENS; i++)
        if (f->sources[i].id == id) return &f->sources[i];
    return NULL;
}

static void drop(struct source *s)
{
    if (!s->id) return;
    loop_timer_disarm(&s->timer);
    fetch_cancel(s->fetch);
    wipe_buf(&s->asking);
    wipe_buf(&s->answer);
    wipe_secret(&s->key_file);
    mem_free(s->account);
    mem_free(s->scope);
    mem_free(s->ca_file);
    *s = (struct source){.fetcher = s->fetcher};
}

/* A process of before may have left its token: it is asked for anew all the same, which costs one question. */
static void add(struct access_token_fetcher *f, const struct access_token_source *from)
{
    struct source *s = find(f, 0);
    *s = (struct source){.fetcher = f,
                         .id = from->id,
                         .account = mem_strndup(from->account.ptr, from->account.len),
                         .scope = mem_strndup(from->scope.ptr, from->scope.len),
                         .ca_file = mem_strndup(from->ca_file.ptr ? from->ca_file.ptr : "", from->ca_file.len),
                         .key_file = keep_secret(from->key_file),
                         .is_named = true};
    buf_init(&s->asking);
    buf_init(&s->answer);
    loop_timer_init(&s->timer, f->loop, on_time, s);
    loop_timer_arm_ms(&s->timer, 0);
}

static void drop_others(struct access_token_fetcher *f, const struct access_token_source *sources, size_t count)
{
    for (size_t i = 0; i < LIMIT_ACCESS_TOKENS; i++)
        f->sources[i].is_named = false;
    for (size_t i = 0; i < count; i++) {
        struct source *s = find(f, sources[i].id);
        if (s) s->is_named = true;
    }
    for (size_t i = 0; i < LIMIT_ACCESS_TOKENS; i++)
        if (!f->sources[i].is_named) drop(&f->sources[i]);
}

void access_token_fetcher_sources(struct access_token_fetcher *f, const struct access_token_source *sources,
                                  size_t count)
{
    uint64_t ids[LIMIT_ACCESS_TOKENS];
    drop_others(f, sources, count);
    for (size_t i = 0; i < count; i++)
        ids[i] = sources[i].id;
    access_tokens_keep(f->tokens, ids, count);
    for (size_t i = 0; i < count; i++)
        if (!find(f, sources[i].id)) add(f, &sources[i]);
}

void access_token_fetcher_look(struct access_token_fetcher *f)
{
    uint64_t now_ns = clock_mono_ns();
    for (size_t i = 0; i < LIMIT_ACCESS_TOKENS; i++) {
        struct source *s = &f->sources[i];
        bool is_soon = s->refused_ns && now_ns - s->refused_ns < LIMIT_ACCESS_TOKEN_REFUSED_MS * NS_PER_MS;
        if (!s->id || is_soon || !access_tokens_is_refused(f->tokens, s->id)) continue;
        s->refused_ns = now_ns;
        begin(s);
    }
}

bool access_token_fetcher_view(const struct access_token_fetcher *f, size_t index, struct access_token_view *view)
{
    uint64_t now_ns = clock_mono_ns();
    for (size_t i = 0; i < LIMIT_ACCESS_TOKENS; i++) {
        const struct source *s = &f->sources[i];
        if (!s->id || index-- > 0) continue;
        uint64_t until_ns = access_tokens_until(f->tokens, s->id);
        *view = (struct access_token_view){slice_str(s->account), s->error,
                                           until_ns > now_ns ? (until_ns - now_ns) / NS_PER_S : 0, s->is_tried};
        return true;
    }
    return false;
}

struct access_token_fetcher *access_token_fetcher_new(struct loop *loop, struct access_tokens *tokens,
                                                      access_token_outcome_fn on_outcome, void *arg)
{
    struct access_token_fetcher *f = mem_zalloc(1, sizeof *f);
    f->loop = loop;
    f->tokens = tokens;
    f->on_outcome = on_outcome;
    f->arg = arg;
    for (size_t i = 0; i < LIMIT_ACCESS_TOKENS; i++)
        f->sources[i].fetcher = f;
    return f;
}

void access_token_fetcher_free(struct access_token_fetcher *f)
{
    if (!f) return;
    for (size_t i = 0; i < LIMIT_ACCESS_TOKENS; i++)
        drop(&f->sources[i]);
    fetch_pool_free(f->pool);
    mem_free(f);
}
