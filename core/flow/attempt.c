#include "flow/attempt.h"

#include "exchange/terms.h"
#include "flow/account.h"
#include "flow/ask.h"
#include "flow/breaking.h"
#include "flow/counting.h"
#include "flow/credential.h"
#include "flow/crossing.h"
#include "flow/deliver.h"
#include "flow/drain.h"
#include "flow/durable.h"
#include "flow/earlier.h"
#include "flow/access_token.h"
#include "flow/headers.h"
#include "flow/heading.h"
#include "flow/holds.h"
#include "flow/keeping.h"
#include "flow/owning.h"
#include "flow/reply.h"
#include "flow/reserve.h"
#include "flow/send.h"
#include "flow/settle.h"
#include "flow/switched.h"
#include "flow/wording.h"
#include "wire/conceal.h"

static void try_target(struct job *job);

static void stop(struct job *job)
{
    ask_cancel(job);
    holds_leave(job);
    if (job->call) call_stop(job->call);
}

/* --- which target --- */

static bool is_left(const struct job *job, size_t index)
{
    const struct target *target = &job->x->decision.verdict.targets[index];
    return !(job->breaking.tried >> index & 1) && !switched_is_off(job, index) && crossing_dialect(job, target) &&
           owning_allows(job, target);
}

/* The first that is left and that moongate.lua has an account for; target_count when there is none. Policies have left
 * out the others, unless moongate.lua has changed since. Those whose breakers are open come last, all the same. */
static size_t find_target(const struct job *job)
{
    size_t count = job->x->decision.verdict.target_count, first = count;
    for (size_t i = 0; i < count; i++) {
        if (!is_left(job, i)) continue;
        if (!breaking_is_open(job, i)) return i;
        if (first == count) first = i;
    }
    return first;
}

static const struct target *current_target(const struct job *job)
{
    return &job->x->decision.verdict.targets[job->x->target_index];
}

static bool has_next(const struct job *job)
{
    return find_target(job) < job->x->decision.verdict.target_count;
}

/* Overload and failures of the provider's own are worth another target; a refusal of the request is not. */
static bool is_worth_another(int status)
{
    return status == 429 || status >= 500;
}

static void try_next(struct job *job)
{
    stop(job);
    account_close(job->x, job->call->relay);
    try_target(job);
}

/* --- the policies on an answer --- */

static void on_word(struct job *job, const struct verdict *word)
{
    struct call *call = job->call;
    call->then(call->then_arg, word);
    if (!job->end.is_over) deliver_let_flow(call);
}

static void ask_policies(void *arg, const struct policy_call *how, relay_word_fn then, void *then_arg)
{
    struct job *job = arg;
    job->call->then = then;
    job->call->then_arg = then_arg;
    if (how->phase == PHASE_RESPONSE) account_settle(job->x, job->call->relay);
    ask(job, *how, on_word);
}

static void cancel_question(void *arg)
{
    ask_cancel(arg);
}

/* --- what becomes of the answer --- */

static void on_sink_head(void *arg, const struct relay_head *head, int64_t length)
{
    deliver_head(arg, head, length);
}

static void on_sink_write(void *arg, struct slice bytes)
{
    deliver_bytes(arg, bytes);
}

/* The provider has said its end, and the client waits for the record of it: not for long for the connection's. */
static void on_end_late(void *arg)
{
    struct call *call = arg;
    exchange_end_attempt(call->job->x, FAULT_NONE);
    call_drop_fetch(call);
    relay_finish(call->relay, NULL);
}

static void on_sink_tail(void *arg)
{
    struct job *job = arg;
    struct call *call = job->call;
    account_settle(job->x, call->relay);
    holds_close(job);
    if (!durable_hold_end(job) || !call->fetch) return;
    loop_timer_disarm(&call->timer);
    loop_timer_init(&call->timer, job->flow->parts.loop, on_end_late, call);
    loop_timer_arm_ms(&call->timer, LIMIT_STREAM_END_MS);
}

/* Its transport may have come to its end in order, and it was no answer all the same. */
static void blame(struct job *job, const struct fault *why)
{
    struct attempt *attempt = exchange_attempt(job->x);
    exchange_end_attempt(job->x, why->code);
    if (attempt && attempt->error == FAULT_NONE) attempt->error = why->code;
}

/* Nothing of the answer has left. */
static void give_another(struct job *job, const struct relay_end *end)
{
    if (end->why) blame(job, end->why);
    if (end->refusal) {
        reply_answer(job, end->refusal);
    } else if (has_next(job)) {
        earlier_keep_fault(job, end->why);
        try_next(job);
    } else {
        reply_fault(job, end->why);
    }
}

static void keep_reason(struct job *job, const struct relay_end *end)
{
    if (end->refusal) reply_take(job->x, end->refusal);
    if (end->refusal && end->refusal->kind == VERDICT_FAULT) reply_log_fault(job);
    if (end->why) job->x->fault = *end->why;
}

static void on_sink_end(void *arg, const struct relay_end *end)
{
    struct job *job = arg;
    call_drop_fetch(job->call);
    if (end->how != RELAY_UNSENT && end->how != RELAY_DETACHED) keep_reason(job, end);
    if (!end->refusal) breaking_end(job, end->why);
    switch (end->how) {
    case RELAY_SENT: deliver_end(job, end->outcome); return;
    case RELAY_UNSENT: give_another(job, end); return;
    case RELAY_BROKEN: deliver_abort(job, end->outcome); return;
    case RELAY_DETACHED: job_end(job, end->outcome); return;
    }
}

static const struct relay_sink client_sink = {on_sink_head, on_sink_write, on_sink_end, on_sink_tail};

static void open_relay(struct job *job, const struct fetch_head *head)
{
    struct call *call = job->call;
    struct exchange *x = job->x;
    struct relay_parts parts = {
        .loop = job->flow->parts.loop,
        .x = x,
        .provider = call->dialect,
        .client = x->api->client,
        .reader = &job->flow->reader,
        .vocabulary = call->vocabulary,
        .redact = relay_redact(x),
        .secrets = call->secrets,
        .secret_count = call->secret_count,
        .tool_names = &call->tool_names,
        .has_another = !call->is_drained && has_next(job),
        .drops_usage = call->asks_usage,
        .on_said = owning_listens(job) ? owning_hear : NULL,
        .on_failure = breaking_told,
        .on_said_arg = job,
        .hooks = {.has_delta = policy_has(job->policies, PHASE_DELTA),
                  .has_response = policy_has(job->policies, PHASE_RESPONSE),
                  .buffers = policy_buffers(job->policies),
                  .ask = ask_policies,
                  .cancel = cancel_question,
                  .arg = job},
        .sink = &client_sink,
        .sink_arg = job,
    };
    keeping_answered(job, head->status);
    deliver_keep_headers(call, head);
    struct relay_head relayed = heading_read(head, &x->arena);
    call->relay = relay_new(&parts, &relayed);
    if (call->is_drained) relay_detach(call->relay);
}

/* --- the provider's side --- */

static void note_head(const struct call *call, const struct fetch_head *head)
{
    struct exchange *x = call->job->x;
    struct attempt *attempt = exchange_attempt(x);
    attempt->status = head->status;
    for (size_t i = 0; i < head->header_count; i++) {
        struct slice value = head->headers[i].value;
        if (headers_is_request_id(head->headers[i].name) && !conceal_finds(call->secrets, call->secret_count, value))
            attempt->request_id = arena_copy(&x->arena, value);
    }
}

static void leave_failing(void *arg)
{
    struct job *job = arg;
    exchange_end_attempt(job->x, FAULT_NONE);
    if (job->call->is_drained)
        job_end(job, OUTCOME_CLIENT_CLOSED);
    else
        try_next(job);
}

/* Failures are not charged. Their words are the caller's where nobody else can be asked after all. */
static void give_up(struct job *job, const struct fetch_head *head)
{
    struct fault why;
    if (!credential_is_refused(head->status)) {
        earlier_await(job, head, leave_failing);
        return;
    }
    credential_fault(job, head->status, &why);
    earlier_keep_fault(job, &why);
    exchange_end_attempt(job->x, why.code);
    try_next(job);
}

static void on_head(void *arg, const struct fetch_head *head)
{
    struct job *job = arg;
    struct call *call = job->call;
    bool is_account = credential_is_refused(head->status);
    note_head(call, head);
    breaking_head(job, is_account || head->status >= 500);
    if (is_account) credential_report(job, head->status);
    if (head->status == 401) access_token_refused(call);
    if (!call->is_drained && (is_account || is_worth_another(head->status)) && has_next(job)) {
        give_up(job, head);
        return;
    }
    if (!call->is_drained && is_account) {
        credential_refuse(job, head->status);
        return;
    }
    open_relay(job, head);
}

/* No budget has room for more of it. */
static void cut_stream(struct job *job, const struct verdict *no)
{
    call_drop_fetch(job->call);
    if (job->call->is_drained)
        job_end(job, OUTCOME_CLIENT_CLOSED);
    else
        relay_refuse(job->call->relay, no);
}

static void on_data(void *arg, struct slice bytes)
{
    struct job *job = arg;
    struct call *call = job->call;
    struct verdict no;
    if (earlier_hears(job, bytes, false)) return;
    relay_feed(call->relay, bytes);
    if (relay_is_over(call->relay)) return;
    if (!reserve_stream(job, &no))
        cut_stream(job, &no);
    else if (!call->is_drained)
        deliver_hold_back(call);
    else if (drain_is_enough(call))
        job_end(job, OUTCOME_CLIENT_CLOSED);
}

/* It never answered. */
static void fail(struct job *job, const struct fault *why)
{
    struct fault empty = {.code = FAULT_STREAM_INCOMPLETE};
    if (job->call->is_drained)
        job_end(job, OUTCOME_CLIENT_CLOSED);
    else
        give_another(job, &(struct relay_end){.how = RELAY_UNSENT, .why = why ? why : &empty});
}

static void on_end(void *arg, const struct fault *why, bool complete)
{
    struct job *job = arg;
    struct call *call = job->call;
    (void)complete; /* is !why */
    exchange_attempt(job->x)->was_sent = fetch_is_sent(call->fetch);
    call->fetch = NULL;
    if (earlier_hears(job, SLICE_NONE, !why)) return;
    exchange_end_attempt(job->x, why ? why->code : FAULT_NONE);
    if (why || !call->relay) breaking_end(job, why); /* else the answer's own end says it */
    if (!call->is_drained) loop_timer_disarm(&call->timer);
    if (call->relay) relay_finish(call->relay, why);
    else fail(job, why);
}

static const struct fetch_events events = {on_head, on_data, on_end};

/* The last word is not a provider's. */
static void call_nobody(struct job *job)
{
    breaking_leave(job);
    job->x->target_index = -1;
}

static void relay_earlier(struct job *job)
{
    struct fetch_head head = earlier_head(job);
    breaking_leave(job);
    open_relay(job, &head);
    relay_feed(job->call->relay, earlier_body(job));
    relay_finish(job->call->relay, NULL);
}

/* Another may have words for it. Where a call was made before, that it failed is what its caller is told. */
static void pass_over(struct job *job, const struct target *target, const struct fault *why)
{
    crossing_note(job, target, why);
    if (has_next(job)) {
        try_next(job);
        return;
    }
    enum earlier_word word = earlier_begin(job);
    if (word == EARLIER_AGAIN) relay_earlier(job);
    if (word != EARLIER_NONE) return;
    call_nobody(job);
    reply_fault(job, why);
}

/* Its tokens are its target's, though nobody asks it. */
static void answer_count(struct job *job)
{
    struct exchange *x = job->x;
    const struct terms *terms = current_target(job)->terms;
    uint64_t tokens = x->estimate.input_tokens;
    if (x->count) tokens = count_total(x->count, terms ? terms->counting : NULL).input_tokens;
    call_nobody(job);
    reply_count(job, tokens);
}

/* What goes out is made and held; nobody was asked yet. */
static void on_token(struct job *job, const struct fault *why)
{
    if (!why) {
        job->call->fetch = send_request(job->call, current_target(job), &events, job);
        return;
    }
    exchange_end_attempt(job->x, why->code);
    breaking_end(job, why);
    fail(job, why);
}

static void send(struct job *job, const struct target *target)
{
    const struct provider *provider = settings_provider(job->settings, target->provider);
    const struct dialect *dialect = crossing_dialect(job, target);
    struct slice dropped;
    struct fault why;
    if (crossing_is_counted_here(job, provider, dialect)) {
        answer_count(job);
        return;
    }
    struct call *call = call_new(job, provider, dialect);
    if (!send_can(call, target, &why) || !crossing_write(call, target, &dropped, &why) ||
        !send_write(call, target, &why)) {
        pass_over(job, target, &why);
        return;
    }
    struct attempt *attempt = exchange_add_attempt(job->x);
    if (crossing_is_foreign(call)) attempt->dialect = dialect;
    attempt->dropped = dropped;
    call->vocabulary = account_begin(job->x);
    wording_keep_prompt(job->x, target);
    access_token_await(call, on_token);
}

/* --- the policies on a target --- */

/* By its budgets, which may have room for a cheaper one, or by a policy. */
static void refuse_another(struct job *job, const struct verdict *no)
{
    if (no->kind == VERDICT_DENY && has_next(job)) {
        try_target(job);
        return;
    }
    call_nobody(job);
    reply_answer(job, no);
}

static void on_reserved(struct job *job, const struct verdict *no)
{
    if (no) refuse_another(job, no);
    else send(job, current_target(job));
}

static void on_estimated(struct job *job)
{
    job->stop = stop;
    reserve_attempt(job, on_reserved);
}

static void send_now(struct job *job)
{
    counting_for_target(job, current_target(job), on_estimated);
}

/* on_attempt's word on one target. */
static void on_allowed(struct job *job, const struct verdict *answer)
{
    struct exchange *x = job->x;
    if (answer->kind == VERDICT_ALLOW) {
        send_now(job);
        return;
    }
    struct attempt *attempt = exchange_add_attempt(x);
    attempt->is_denied = true;
    attempt->ended_ns = attempt->began_ns;
    refuse_another(job, answer);
}

static void refuse_unconfigured(struct job *job)
{
    struct fault why;
    if (owning_refuse_targets(job) || switched_refuse(job)) return;
    fault_set(&why, FAULT_NO_TARGET, "No provider is configured for the model %.*s.",
              SLICE_FMT(job->x->decision.verdict.model));
    reply_fault(job, &why);
}

static void choose(struct job *job, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (is_left(job, i)) breaking_pass(job, i);
        else switched_pass(job, i);
    breaking_begin(job, index);
    job->x->target_index = (int)index;
}

static void try_target(struct job *job)
{
    struct exchange *x = job->x;
    exchange_move(x, EXCHANGE_CALLING);
    job->stop = stop;
    size_t index = find_target(job);
    if (index == x->decision.verdict.target_count) {
        refuse_unconfigured(job);
        return;
    }
    choose(job, index);
    if (x->api->kind == API_OBJECT)
        send(job, current_target(job));
    else if (policy_has(job->policies, PHASE_ATTEMPT))
        ask(job, (struct policy_call){.phase = PHASE_ATTEMPT}, on_allowed);
    else
        send_now(job);
}

void attempt_first(struct job *job)
{
    try_target(job);
}

void attempt_cut(struct job *job, const struct fault *why, enum exchange_outcome outcome)
{
    struct call *call = job->call;
    if (!call || !call->relay || relay_is_over(call->relay)) return;
    call_drop_fetch(call);
    relay_cut(call->relay, why, outcome);
}
