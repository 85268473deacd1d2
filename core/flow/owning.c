#include "flow/owning.h"

#include "base/clock.h"
#include "base/log.h"
#include "flow/call.h"
#include "flow/crossing.h"
#include "flow/objects.h"
#include "flow/reply.h"
#include "wire/kept_answer.h"

struct slice owning_owner(struct exchange *x)
{
    const struct identity *who = &x->identity;
    if (x->objects.owner.len) return x->objects.owner;
    if (who->app.len)
        x->objects.owner = arena_join(&x->arena, SLICE("app:"), who->app);
    else if (who->key && who->key->id.len)
        x->objects.owner = arena_join(&x->arena, SLICE("key:"), who->key->id);
    else
        x->objects.owner = SLICE("anybody");
    return x->objects.owner;
}

/* ---- What a request names. */

static bool is_at(const struct job *job, const struct target *target)
{
    return owned_account(target->provider) == job->owning.account;
}

bool owning_allows(const struct job *job, const struct target *target)
{
    if (!job->owning.account) return true;
    return is_at(job, target) && crossing_dialect(job, target) == job->x->api->client;
}

static struct slice shown(struct slice id)
{
    return id.len > 100 ? slice_of(id.ptr, 100) : id;
}

static void refuse(struct job *job, enum objects_state state)
{
    struct fault why = {.code = FAULT_OBJECTS};
    const struct kept_object *missing = &job->x->request.kept[job->owning.question->missing];
    bool is_previous = missing->kind == KEPT_RESPONSE && job->x->api->kind == API_CALL;
    if (state == OBJECTS_UNKNOWN && missing->kind == KEPT_LINES)
        fault_set(&why, FAULT_BAD_BODY,
                  "\"input_file_id\" names no file whose lines are for that \"endpoint\": upload it with \"purpose\": "
                  "\"batch\", and each line with the \"url\" that \"endpoint\" says");
    else if (state == OBJECTS_UNKNOWN && is_previous)
        fault_set(&why, FAULT_UNKNOWN_RESPONSE, "Previous response with id '%.*s' not found.",
                  SLICE_FMT(shown(missing->id)));
    else if (state == OBJECTS_UNKNOWN)
        fault_set(&why, FAULT_UNKNOWN_OBJECT, "No such %s object: %.*s", kept_name(missing->kind),
                  SLICE_FMT(shown(missing->id)));
    reply_fault(job, &why);
}

/* Of two accounts none has all of it. */
static bool is_one_account(const struct objects_question *q, size_t *other)
{
    for (*other = 1; *other < q->count; ++*other)
        if (q->found[*other].account != q->found[0].account) return false;
    return true;
}

static void refuse_two(struct job *job, size_t other)
{
    struct fault why;
    const struct kept_object *kept = job->x->request.kept;
    fault_set(&why, FAULT_ELSEWHERE, "%.*s and %.*s lie at different providers: no one of them has both.",
              SLICE_FMT(shown(kept[0].id)), SLICE_FMT(shown(kept[other].id)));
    reply_fault(job, &why);
}

bool owning_refuse_targets(struct job *job)
{
    struct fault why;
    if (!job->owning.account) return false;
    fault_set(&why, FAULT_ELSEWHERE,
              "No target that %.*s may go to is at the provider's account that has %.*s, or takes it as it is.",
              SLICE_FMT(job->x->decision.verdict.model), SLICE_FMT(shown(job->x->request.kept[0].id)));
    reply_fault(job, &why);
    return true;
}

static void note_left_out(struct job *job)
{
    struct exchange *x = job->x;
    const struct verdict *v = &x->decision.verdict;
    for (size_t i = 0; i < v->target_count; i++) {
        if (owning_allows(job, &v->targets[i])) continue;
        trace_add(&x->decision.trace, &x->arena,
                  &(struct trace_entry){.policy = SLICE("objects"),
                                        .rule = v->targets[i].name,
                                        .verb = SLICE("pass_over"),
                                        .reason = SLICE("what the request names lies at another account"),
                                        .mode = SLICE("enforce")});
    }
}

static void on_looked_up(void *arg, enum objects_state state)
{
    struct job *job = arg;
    size_t other;
    job->stop = NULL;
    if (state != OBJECTS_KNOWN) {
        refuse(job, state);
    } else if (!is_one_account(job->owning.question, &other)) {
        refuse_two(job, other);
    } else {
        job->owning.account = job->owning.question->found[0].account;
        note_left_out(job);
        job->owning.then(job);
    }
}

static void cancel(struct job *job)
{
    objects_leave(job->owning.question);
}

/* The body may be gone when the answer comes. */
static void note_wish(struct job *job)
{
    const struct chat_request *r = &job->x->request;
    if (job->x->api->kind != API_CALL) {
        job->owning.listens = job->x->api->object == KEPT_BATCH; /* it tells the files of its results */
        return;
    }
    bool is_kept = !json_is(&r->tape, json_get(&r->tape, 0, SLICE("store")), JSON_FALSE) ||
                   exchange_sets(job->x, SLICE("store"));
    bool has_tools = r->uses & (CHAT_USES_HOSTED_TOOLS | CHAT_USES_STORED);
    const struct dialect *dialect = job->x->api->client;
    bool may_tell = r->kind == CHAT_CHAT && dialect->tell_kept;
    bool is_made = !chat_names_model(r->kind); /* a file, a batch */
    job->owning.listens = is_made || (may_tell && (has_tools || (dialect->keeps_answers && is_kept)));
}

/* What apps.lua shares is named alone: nobody here adds to it, or deletes it. */
static void give_shared(const struct exchange *x, struct objects_question *q)
{
    if (!x->objects.shared || x->api->kind != API_CALL || x->api->place) return;
    for (uint32_t i = 0; i < x->request.kept_count; i++)
        if (x->objects.shared[i].len) q->given[i] = owned_account(x->objects.shared[i]);
}

void owning_first(struct job *job, void (*then)(struct job *job))
{
    struct exchange *x = job->x;
    struct objects_question *q;
    owning_owner(x);
    note_wish(job);
    if (!x->request.kept_count) {
        then(job);
        return;
    }
    q = job->owning.question = arena_zalloc(&x->arena, sizeof *q);
    job->owning.then = then;
    job->stop = cancel;
    q->then = on_looked_up;
    q->arg = job;
    give_shared(x, q);
    objects_ask(job->flow->objects, x->objects.owner, x->request.kept, x->request.kept_count, q);
}

/* ---- What an answer makes. */

bool owning_listens(const struct job *job)
{
    return job->owning.listens && !crossing_is_foreign(job->call);
}

static bool names_conversation(const struct chat_request *r)
{
    for (uint32_t i = 0; i < r->kept_count; i++)
        if (r->kept[i].kind == KEPT_CONVERSATION) return true;
    return false;
}

/* What an answer's item belongs to is kept as long: the response, or the conversation that it was made for. */
static uint32_t seconds_of(const struct exchange *x, enum kept_kind kind)
{
    bool is_of_response = kind == KEPT_ITEM && x->api->asks == CHAT_CHAT && !names_conversation(&x->request);
    return objects_seconds(is_of_response ? KEPT_RESPONSE : kind);
}

void owning_claim(struct job *job, enum kept_kind kind, struct slice id)
{
    struct exchange *x = job->x;
    uint64_t now_s = clock_wall_ns() / NS_PER_S;
    struct object_made claim = {kind, id, job->call->provider->name, (uint32_t)(now_s + seconds_of(x, kind))};
    owning_owner(x);
    const struct object_made *made = objects_add(&x->objects, &x->arena, &claim);
    if (made) objects_claim(job->flow->objects, x->objects.owner, made);
    if (made && x->objects.made_count == LIMIT_MADE)
        log_event(LOG_WARN, "objects_unclaimed", "%s: an answer makes more than %u objects; those behind are nobody's",
                  x->id, LIMIT_MADE);
}

void owning_forget(struct job *job, struct slice id)
{
    struct exchange *x = job->x;
    x->objects.gone = arena_copy(&x->arena, id);
    objects_forget(job->flow->objects, owning_owner(x), id);
}

struct hearing {
    struct job *job;
    const struct json_tape *tape;
};

static void on_kept(void *arg, enum kept_kind kind, uint32_t id)
{
    struct hearing *h = arg;
    struct arena arena;
    arena_init(&arena);
    struct slice name = json_text(h->tape, id, &arena), endpoint = h->job->x->request.lines_endpoint;
    owning_claim(h->job, kind, name);
    if (kind == KEPT_FILE && endpoint.len) owning_claim(h->job, KEPT_LINES, kept_lines(&arena, name, endpoint));
    arena_clear(&arena);
}

void owning_hear(void *arg, const struct said *said)
{
    struct job *job = arg;
    struct hearing h = {job, said->tape};
    job->call->dialect->tell_kept(&(struct kept_answer){said->tape, on_kept, &h});
}

bool owning_is_behind(const struct job *job)
{
    const struct objects_of *o = &job->x->objects;
    return (o->made_count || o->gone.len) && objects_are_behind(job->flow->objects);
}

bool owning_is_known(struct job *job, void (*then)(void *job))
{
    if (!owning_is_behind(job)) return true;
    return objects_is_reached(job->flow->objects, &job->owning.wait, then, job);
}

void owning_leave(struct job *job)
{
    objects_wait_leave(&job->owning.wait);
}
