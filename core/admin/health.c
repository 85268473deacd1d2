#include "admin/health.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "admin/access_token_fetcher.h"
#include "admin/jwks_fetcher.h"
#include "base/clock.h"
#include "base/limits.h"

#define SLOW_COMMIT_NS (2 * NS_PER_S)
#define REGISTRY_LATE_NS (2 * NS_PER_S) /* of four questions none was answered */

static const char text_plain[] = "text/plain; charset=utf-8";

void health_live(const struct admin_parts *parts, struct slice query, struct admin_answer *answer)
{
    (void)parts;
    (void)query;
    answer->content_type = text_plain;
    buf_append(&answer->body, SLICE("ok\n"));
}

static bool has_flag(struct slice query, struct slice name)
{
    while (query.len) {
        struct slice part = slice_split(query, '&', &query), value;
        if (slice_equal(slice_split(part, '=', &value), name)) return true;
    }
    return false;
}

/* One line of the verbose answer; the first that is not ok is the short answer's reason. */
struct findings {
    struct buf *lines;
    struct buf reason;
};

__attribute__((format(printf, 3, 4))) static void find(struct findings *f, bool is_good, const char *format, ...)
{
    struct buf text;
    va_list args;
    buf_init(&text);
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    buf_printf(f->lines, "[%c]%.*s\n", is_good ? '+' : '-', SLICE_FMT(buf_slice(&text)));
    if (!is_good && buf_len(&f->reason) == 0) buf_append(&f->reason, buf_slice(&text));
    buf_clear(&text);
}

static void find_policy(struct findings *f, const struct board *board)
{
    char digest[SHARED_TEXT_BYTES], error[SHARED_TEXT_BYTES];
    shared_text_get(&board->digest, digest, sizeof digest);
    shared_text_get(&board->reload_error, error, sizeof error);
    uint64_t generation = atomic_load(&board->generation);
    if (generation == 0) {
        find(f, false, "policy: none is loaded yet");
        return;
    }
    find(f, true, "policy ok: generation %llu, sha256 %s", (unsigned long long)generation, digest);
    /* The policies in force still serve: worth a line, not a reason to be taken out. */
    if (error[0]) buf_printf(f->lines, "[!]reload: the last one was refused: %s\n", error);
}

static void find_workers(struct findings *f, const struct board *board)
{
    unsigned ready = 0;
    char digest[SHARED_TEXT_BYTES];
    for (uint32_t i = 0; i < board->worker_count; i++) {
        ready += atomic_load(&board->slots[i].state) == BOARD_SLOT_READY;
    }
    find(f, ready > 0, "workers: %u of %u take requests", ready, board->worker_count);
    for (uint32_t i = 0; i < board->worker_count; i++) {
        const struct board_slot *slot = &board->slots[i];
        uint32_t state = atomic_load(&slot->state);
        shared_text_get(&slot->digest, digest, sizeof digest);
        buf_printf(f->lines, "[%c]worker %u %s: pid %d, generation %llu, sha256 %s\n",
                   state == BOARD_SLOT_READY ? '+' : '-', i, board_slot_state_name((enum board_slot_state)state),
                   atomic_load(&slot->pid), (unsigned long long)atomic_load(&slot->generation), digest);
        uint64_t descriptors = atomic_load(&slot->descriptors);
        if (descriptors)
            buf_printf(
                f->lines,
                "[!]worker %u: %u clients at a time, fewer than limits.connections: it may have %llu descriptors\n", i,
                atomic_load(&slot->clients_max), (unsigned long long)descriptors);
    }
}

static void warn_of_lag(struct findings *f, const char *what, const struct board_lag *lag)
{
    char reason[SHARED_TEXT_BYTES];
    if (!atomic_load(&lag->is_failing)) return;
    shared_text_get(&lag->reason, reason, sizeof reason);
    buf_printf(f->lines, "[!]ledger: %s: %s\n", what, reason);
}

/* What may slow requests down, or wants somebody to look, and takes nobody out of service. */
static void warn_of_ledger(struct findings *f, const struct board_ledger *ledger)
{
    uint64_t began = atomic_load(&ledger->commit_began_ns), now = clock_mono_ns();
    if (began && now > began + SLOW_COMMIT_NS)
        buf_printf(f->lines, "[!]ledger: a commit has been under way for %llu s: is its disk slow?\n",
                   (unsigned long long)((now - began) / NS_PER_S));
    warn_of_lag(f, "its copy waits", &ledger->copy);
    warn_of_lag(f, "entries wait to be shipped", &ledger->ship);
    warn_of_lag(f, "signed heads wait for a witness", &ledger->witness);
}

static void find_ledger(struct findings *f, const struct board *board)
{
    const struct board_ledger *ledger = &board->ledger;
    char reason[SHARED_TEXT_BYTES], since[CLOCK_TEXT_BYTES];
    unsigned failing = 0;
    for (uint32_t i = 0; i < board->worker_count; i++)
        failing += atomic_load(&board->slots[i].records_failing);
    shared_text_get(&ledger->reason, reason, sizeof reason);
    clock_format(atomic_load(&ledger->failing_since_ns), since);
    if (atomic_load(&board->slots[board->ledger_slot].pid) == 0)
        find(f, false, "ledger: its process has gone, and is being replaced");
    else if (atomic_load(&ledger->is_failing))
        find(f, false, "ledger: failing since %s: %s", since, reason);
    else if (failing)
        find(f, false, "ledger: %u of %u workers cannot have their records written", failing, board->worker_count);
    else
        find(f, true, "ledger ok: committing, %llu entries wait", (unsigned long long)atomic_load(&ledger->waiting));
    warn_of_ledger(f, ledger);
}

static void find_data(struct findings *f, const struct board *board, const char *data_dir)
{
    bool is_store_good = access(data_dir, W_OK) == 0;
    find(f, is_store_good, "store%s%s", is_store_good ? " ok" : ": ", is_store_good ? "" : strerror(errno));
    find_ledger(f, board);
}

/* A worker has connections of its own. */
static unsigned workers_cut_off(const struct board *board)
{
    unsigned count = 0;
    char why[SHARED_TEXT_BYTES];
    for (uint32_t i = 0; i < board->worker_count; i++) {
        shared_text_get(&board->slots[i].redis_trouble, why, sizeof why);
        count += atomic_load(&board->slots[i].pid) && why[0];
    }
    return count;
}

static void list_cut_off(struct findings *f, const struct board *board)
{
    char why[SHARED_TEXT_BYTES];
    for (uint32_t i = 0; i < board->worker_count; i++) {
        shared_text_get(&board->slots[i].redis_trouble, why, sizeof why);
        if (atomic_load(&board->slots[i].pid) && why[0])
            buf_printf(f->lines, "[!]worker %u: redis: %s\n", i, why);
    }
}

/* While counters of a fleet are out of reach, what is limited goes by its own `on_store_loss`: nothing to be taken out
 * for. The ledger process tells sums there, workers ask; each says what it sees. */
static void find_counters(struct findings *f, const struct board *board)
{
    const struct counters_post *post = &board->counters;
    char why[SHARED_TEXT_BYTES];
    struct counters_post_view view;
    if (!atomic_load(&post->is_used)) return;
    unsigned cut_off = workers_cut_off(board);
    shared_text_get(&post->why, why, sizeof why);
    counters_post_read(post, &view);
    if (!view.epoch[0] || why[0])
        buf_printf(f->lines, "[!]redis: limits and budgets are not shared: %s\n", why[0] ? why : "starting");
    else if (cut_off)
        buf_printf(f->lines,
                   "[!]redis: the ledger process reaches it, where %u gateways count together; %u of %u workers do "
                   "not, and go by on_store_loss\n",
                   view.gateways, cut_off, board->worker_count);
    else
        buf_printf(f->lines, "[+]redis ok: %u gateways count together\n", view.gateways);
    list_cut_off(f, board);
}

/* Keys and all else serve on by registry.on_registry_loss; nothing to be taken out for. */
static void find_registry(struct findings *f, const struct confirmed *c)
{
    uint64_t age_ns = confirmed_age_ns(c, clock_mono_ns());
    int64_t ahead_ms = confirmed_ahead_ms(c);
    if (!confirmed_is_shared(c)) return;
    if (age_ns == UINT64_MAX)
        buf_append(f->lines, SLICE("[!]registry: PostgreSQL has not answered yet\n"));
    else
        buf_printf(f->lines, "[%c]registry%s: workers had all of it %llu ms ago\n",
                   age_ns > REGISTRY_LATE_NS ? '!' : '+', age_ns > REGISTRY_LATE_NS ? "" : " ok",
                   (unsigned long long)(age_ns / NS_PER_MS));
    if (ahead_ms > LIMIT_REGISTRY_CLOCK_MS || ahead_ms < -LIMIT_REGISTRY_CLOCK_MS)
        buf_printf(f->lines, "[!]registry: its PostgreSQL's clock is %lld ms %s this machine's: grants may end early\n",
                   (long long)(ahead_ms < 0 ? -ahead_ms : ahead_ms), ahead_ms < 0 ? "behind" : "ahead of");
}

/* Others are called in their place, or they all the same: nothing to be taken out for. */
static void find_breakers(struct findings *f, const struct breakers *all)
{
    struct breakers_entry entry;
    uint64_t now_ms = clock_mono_ns() / NS_PER_MS;
    for (size_t i = 0; i < BREAKERS_SLOTS; i++) {
        if (!breakers_get(all, i, &entry)) continue;
        struct breaker_view view = breaker_view(entry.breaker, now_ms);
        if (!view.is_open) continue;
        bool is_hint = view.hint_left_ms > 0 && view.left_ms == 0;
        bool is_passed = is_hint || (view.left_ms > 0 && !view.is_probed);
        buf_printf(f->lines, "[!]provider account %s: its breaker is open%s; %s\n", entry.name,
                   is_hint ? ", as other gateways say" : "",
                   is_passed ? "other targets are called in its place" : "one request at a time tries it");
    }
}

/* Requests to it fail, and others may be served. */
static void find_access_tokens(struct findings *f, const struct access_token_fetcher *fetcher)
{
    struct access_token_view view;
    for (size_t i = 0; fetcher && access_token_fetcher_view(fetcher, i, &view); i++) {
        if (view.left_s)
            buf_printf(f->lines, "[%c]provider account %.*s: its token is good for %llu s%s%s\n",
                       view.error[0] ? '!' : '+', SLICE_FMT(view.account), (unsigned long long)view.left_s,
                       view.error[0] ? "; it was given no new one: " : "", view.error);
        else
            buf_printf(f->lines, "[!]provider account %.*s has no token: %s\n", SLICE_FMT(view.account),
                       view.is_tried ? view.error : "it was not given yet");
    }
}

/* Without an issuer's keys its callers are refused. That takes the node out of service only before the first attempt
 * has ended, and when nobody could come in with anything else. */
static void find_jwks(struct findings *f, const struct jwks_fetcher *jwks)
{
    struct jwks_state s;
    char when[CLOCK_TEXT_BYTES];
    for (size_t i = 0; jwks && jwks_fetcher_state(jwks, i, &s); i++) {
        if (s.keys == 0 && (!s.is_tried || s.is_alone)) {
            find(f, false, "jwks %.*s: %s", SLICE_FMT(s.url), s.is_tried ? s.error : "not fetched yet");
            continue;
        }
        if (s.fetched_wall_ns) clock_format(s.fetched_wall_ns, when);
        buf_printf(f->lines, "[%c]jwks %.*s: %zu keys%s%s%s%s\n", s.error[0] ? '!' : '+', SLICE_FMT(s.url), s.keys,
                   s.fetched_wall_ns ? ", fetched " : "", s.fetched_wall_ns ? when : "", s.error[0] ? "; " : "",
                   s.error);
    }
}

void health_ready(const struct admin_parts *parts, struct slice query, struct admin_answer *answer)
{
    struct buf lines;
    buf_init(&lines);
    struct findings f = {.lines = &lines};
    buf_init(&f.reason);
    enum board_state state = (enum board_state)atomic_load(&parts->board->state);
    find(&f, state == BOARD_READY, "gateway %s", board_state_name(state));
    find_policy(&f, parts->board);
    find_workers(&f, parts->board);
    find_data(&f, parts->board, parts->data_dir);
    find_counters(&f, parts->board);
    find_registry(&f, &parts->board->registry);
    find_breakers(&f, &parts->board->breakers);
    find_access_tokens(&f, parts->access_token_fetcher);
    find_jwks(&f, parts->jwks);
    bool is_ready = buf_len(&f.reason) == 0;
    answer->status = is_ready ? 200 : 503;
    answer->content_type = text_plain;
    if (has_flag(query, SLICE("verbose"))) {
        buf_append(&answer->body, buf_slice(&lines));
        buf_append(&answer->body, is_ready ? SLICE("readyz check passed\n") : SLICE("readyz check failed\n"));
    } else if (is_ready) {
        buf_append(&answer->body, SLICE("ok\n"));
    } else {
        buf_printf(&answer->body, "not ready: %.*s\n", SLICE_FMT(buf_slice(&f.reason)));
    }
    buf_clear(&f.reason);
    buf_clear(&lines);
}
