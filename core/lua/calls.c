#include "lua/calls.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "exchange/hold.h"
#include "exchange/rates.h"
#include "lua/answers.h"

enum call_kind { CALL_HTTP, CALL_COUNTERS };

struct call {
    uint32_t generation; /* of the slot: odd while it is used */
    uint32_t next_free;  /* slot + 1; 0: the last */
    enum call_kind kind;
    struct policy_eval *eval;
    struct strand *strand;
    bool is_dropped; /* being cancelled: what comes now is late */

    /* CALL_HTTP */
    void *handle;       /* the host's */
    struct slice key;   /* what the record calls it, in the exchange's arena; empty: nothing is noted */
    struct arena arena; /* what the host borrows */
    bool is_clipped;    /* its time is what the evaluation had left */

    /* CALL_COUNTERS */
    struct counters_question *question; /* in the exchange's arena */
};

/* One table for the process: tickets outlive evaluations and generations. Slots are reused, the table never shrinks. */
static struct call *calls;
static uint32_t call_count, free_slot;
static size_t open_count;

static uint64_t ticket_of(uint32_t slot)
{
    return (uint64_t)calls[slot].generation << 32 | slot;
}

static struct call *find(uint64_t ticket)
{
    uint32_t slot = (uint32_t)ticket;
    if (slot >= call_count || calls[slot].generation != ticket >> 32 || !(calls[slot].generation & 1)) return NULL;
    return &calls[slot];
}

/* The call that still hears what comes for the ticket. */
static struct call *find_waiting(uint64_t ticket, enum call_kind kind)
{
    struct call *call = find(ticket);
    if (!call || call->is_dropped) return NULL;
    check(call->kind == kind);
    return call;
}

static uint32_t take_slot(void)
{
    if (free_slot) {
        uint32_t slot = free_slot - 1;
        free_slot = calls[slot].next_free;
        return slot;
    }
    if ((call_count & (call_count - 1)) == 0) {
        uint32_t cap = call_count ? call_count * 2 : 8;
        calls = mem_realloc(calls, cap * sizeof *calls);
    }
    calls[call_count] = (struct call){0};
    return call_count++;
}

static struct call *open_call(struct policy_eval *eval, struct strand *strand, enum call_kind kind)
{
    uint32_t slot = take_slot();
    struct call *call = &calls[slot];
    call->generation++;
    check(call->generation & 1);
    call->kind = kind;
    call->eval = eval;
    call->strand = strand;
    arena_init(&call->arena);
    open_count++;
    strand->ticket = ticket_of(slot);
    strand->state = STRAND_WAITING;
    return call;
}

static void close_call(struct call *call)
{
    uint32_t slot = (uint32_t)(call - calls);
    arena_clear(&call->arena);
    *call = (struct call){.generation = call->generation + 1, .next_free = free_slot};
    free_slot = slot + 1;
    open_count--;
}

/* An evaluation inside its slice sees by itself that a strand can go on. */
static void wake(struct policy_eval *eval, struct strand *strand)
{
    strand->state = STRAND_READY;
    if (!eval->current && eval->how.on_ready) eval->how.on_ready(eval->how.arg);
}

/* --- http --- */

static struct slice copy(struct arena *arena, struct slice s)
{
    return s.len ? arena_copy(arena, s) : SLICE("");
}

static const struct pair *copy_pairs(struct arena *arena, const struct pair *pairs, size_t count)
{
    struct pair *copies = arena_alloc(arena, (count + 1) * sizeof *copies);
    for (size_t i = 0; i < count; i++)
        copies[i] = (struct pair){copy(arena, pairs[i].name), copy(arena, pairs[i].value)};
    return copies;
}

void calls_http(struct policy_eval *eval, struct strand *strand, const struct policy_http_request *request)
{
    uint32_t left_ms = policy_eval_left_ms(eval);
    struct call *call = open_call(eval, strand, CALL_HTTP);
    struct policy_http_request lasting = *request;
    lasting.method = copy(&call->arena, request->method);
    lasting.url = copy(&call->arena, request->url);
    lasting.body = copy(&call->arena, request->body);
    lasting.headers = copy_pairs(&call->arena, request->headers, request->header_count);
    if (eval->how.phase == PHASE_REQUEST && !eval->x->asked.recall) call->key = answers_key(request, &eval->x->arena);
    call->is_clipped = left_ms <= request->timeout_ms;
    if (call->is_clipped) lasting.timeout_ms = left_ms ? left_ms : 1;
    void *handle = eval->how.host->http_start(eval->how.host_arg, &lasting, strand->ticket);
    struct call *same = find(strand->ticket); /* an answer may have come at once, and the table may have moved */
    if (same) same->handle = handle;
}

void http_answer_free(struct http_answer *answer)
{
    if (!answer) return;
    arena_clear(&answer->arena);
    mem_free(answer);
}

static struct http_answer *keep(const struct policy_http_reply *reply)
{
    struct http_answer *answer = mem_zalloc(1, sizeof *answer);
    arena_init(&answer->arena);
    answer->reply = *reply;
    answer->reply.headers = copy_pairs(&answer->arena, reply->headers, reply->header_count);
    answer->reply.body = copy(&answer->arena, reply->body);
    return answer;
}

void policy_http_done(uint64_t ticket, const struct policy_http_reply *reply)
{
    struct call *call = find_waiting(ticket, CALL_HTTP);
    if (!call) return;
    struct policy_eval *eval = call->eval;
    struct strand *strand = call->strand;
    if (call->is_clipped && reply->error && strcmp(reply->error, "timeout") == 0) eval->is_late = true;
    if (call->key.len) answers_note_call(eval->x, call->key, reply);
    close_call(call);
    strand->reply = keep(reply);
    wake(eval, strand);
}

/* --- counters --- */

void calls_count(struct policy_eval *eval, struct strand *strand, const struct counters_question *question)
{
    uint32_t left_ms = policy_eval_left_ms(eval);
    struct call *call = open_call(eval, strand, CALL_COUNTERS);
    struct counters_question *lasting = arena_alloc(&eval->x->arena, sizeof *lasting);
    *lasting = *question;
    lasting->timeout_ms = left_ms ? left_ms : 1;
    call->question = lasting;
    eval->how.host->counters(eval->how.host_arg, lasting, strand->ticket);
}

bool policy_counters_done(uint64_t ticket, const struct counters_answer *answer)
{
    struct call *call = find_waiting(ticket, CALL_COUNTERS);
    if (!call) return false;
    struct policy_eval *eval = call->eval;
    struct strand *strand = call->strand;
    struct exchange *x = eval->x;
    const struct counters_question *question = call->question;
    check(answer->error || answer->is_ok || answer->failed < question->item_count);
    check(answer->error || answer->state_count == question->item_count);
    if (eval->how.phase == PHASE_REQUEST) answers_note_counters(x, question, answer);
    rates_note(&x->rates, question, answer, clock_wall_ns());
    close_call(call);
    strand->counted = counters_answer_copy(answer, &x->arena);
    if (question->operation == COUNTERS_ADMIT && !answer->error && answer->is_ok)
        hold_open(&x->holds, question, strand->counted, &x->arena);
    wake(eval, strand);
    return true;
}

/* --- an end without an answer --- */

/* The host is told, and the slot goes. */
static void cancel(struct policy_eval *eval, uint64_t ticket)
{
    const struct policy_host *host = eval->how.host;
    struct call *call = find(ticket);
    if (!call) return;
    call->is_dropped = true;
    void *handle = call->handle;
    switch (call->kind) {
    case CALL_HTTP:
        if (handle && host->http_cancel) host->http_cancel(eval->how.host_arg, handle);
        break;
    case CALL_COUNTERS:
        if (host->counters_cancel) host->counters_cancel(eval->how.host_arg, ticket);
        break;
    }
    close_call(find(ticket));
}

void calls_drop(struct policy_eval *eval, struct strand *strand)
{
    if (strand->state == STRAND_WAITING) cancel(eval, strand->ticket);
    http_answer_free(strand->reply);
    strand->reply = NULL;
    strand->counted = NULL;
}

void calls_refuse(struct policy_eval *eval)
{
    static const struct counters_answer no_answer = {.error = "nobody can wait for them here"};
    for (size_t i = 0; i < EVAL_STRANDS_MAX; i++) {
        struct strand *strand = &eval->strands[i];
        if (strand->state != STRAND_WAITING) continue;
        check(find(strand->ticket)->kind == CALL_COUNTERS);
        cancel(eval, strand->ticket);
        strand->counted = &no_answer;
        strand->state = STRAND_READY;
    }
}

size_t policy_tickets_open(void)
{
    return open_count;
}
