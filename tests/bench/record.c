/*
 * Records of one usual request: a key with roles and a label, hints, eight steps of the trace, one answered attempt with
 * usage and a price. For callgrind, which counts instructions, and by the clock.
 *
 *     valgrind --tool=callgrind --toggle-collect=record_format build/bench/record 1000
 *     record 1000 1430 1834                            # rounds, bytes of a record, nanoseconds each
 */
#include <stdlib.h>

#include "base/clock.h"
#include "flow/record.h"
#include "flow/told.h"

static const struct pair headers[] = {{SLICE("host"), SLICE("gateway.internal:8090")},
                                      {SLICE("authorization"), SLICE("Bearer x")},
                                      {SLICE("user-agent"), SLICE("OpenAI/Python 1.99.1")},
                                      {SLICE("content-type"), SLICE("application/json")},
                                      {SLICE("accept"), SLICE("application/json")},
                                      {SLICE("accept-encoding"), SLICE("gzip, deflate")},
                                      {SLICE("x-stainless-lang"), SLICE("python")},
                                      {SLICE("x-moongate-task"), SLICE("code")},
                                      {SLICE("x-request-id"), SLICE("0af7651916cd43dd8448eb211c80319c")},
                                      {SLICE("content-length"), SLICE("812")}};

static const char body[] = "{\"model\":\"gpt-4o\",\"max_tokens\":512,\"temperature\":0.2,\"messages\":[{\"role\":\"user\","
                           "\"content\":\"hello\"}]}";

static void set_identity(struct exchange *x)
{
    static struct slice roles[] = {{"dev", 3}, {"lead", 4}};
    static struct key_label labels[] = {{{"cost_center", 11}, {"4711", 4}}};
    static struct key_record key;
    key = (struct key_record){.id = SLICE("key_7Q2fabcdefgh"), .app = SLICE("support-bot"), .tier = SLICE("gold"),
                              .department = SLICE("support"), .user = SLICE("ana"), .roles = roles, .role_count = 2,
                              .labels = labels, .label_count = 1};
    x->identity.key = &key;
    x->identity.key_presented = true;
    x->identity.app = key.app;
    x->identity.department = key.department;
    x->identity.user = key.user;
}

static void set_decision(struct exchange *x)
{
    static struct target targets[] = {{{"openai/gpt-4o", 13}, {"openai", 6}, {"gpt-4o", 6}, NULL},
                                      {{"azure/gpt-4o", 12}, {"azure", 5}, {"gpt-4o", 6}, NULL}};
    struct trace_entry entry = {.policy = SLICE("routing"), .rule = SLICE("long-context"), .verb = SLICE("route"),
                                .reason = SLICE("the targets of gpt-4o"), .mode = SLICE("enforce"),
                                .file = SLICE("policies/routing.lua"), .line = 12};
    struct verdict *v = &x->decision.verdict;
    v->kind = VERDICT_ALLOW;
    v->model = SLICE("gpt-4o");
    v->targets = targets;
    v->target_count = 2;
    for (int i = 0; i < 8; i++)
        trace_add(&x->decision.trace, &x->arena, &entry);
}

static void set_attempt(struct exchange *x)
{
    x->target_index = 0;
    struct attempt *a = exchange_add_attempt(x);
    a->status = x->response.status = 200;
    a->usage.input_tokens = 1200;
    a->usage.output_tokens = 340;
    a->usage.total_tokens = 1540;
    a->parts = (struct usage_parts){.count = {[USAGE_INPUT] = 1200, [USAGE_OUTPUT] = 340, [USAGE_REQUESTS] = 1}};
    a->cost = (struct cost){.state = COST_KNOWN, .nano = 6400000};
    a->is_billed = a->is_closed = true;
    a->request_id = SLICE("req_011CQabcdefgh");
    a->finish_reason = SLICE("stop");
    a->ended_ns = a->began_ns + 800 * NS_PER_MS;
}

int main(int argc, char **argv)
{
    unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 10000;
    struct buf line;
    struct fault why;
    struct exchange *x = exchange_new(clock_mono_ns(), clock_wall_ns());
    x->api = api_find(SLICE("chat"));
    x->head.path = SLICE("/v1/chat/completions");
    x->head.headers = (struct pair *)headers;
    x->head.header_count = sizeof headers / sizeof headers[0];
    buf_append(&x->body, slice_str(body));
    if (!chat_parse(&x->request, x->api->client, buf_slice(&x->body), CHAT_CHAT, &x->arena, &why)) return 1;
    set_identity(x);
    told_keep(x);
    set_decision(x);
    set_attempt(x);
    x->estimate.input_tokens = 1190;
    x->outcome = OUTCOME_OK;
    exchange_move(x, EXCHANGE_SETTLING);
    buf_init(&line);
    uint64_t began = clock_mono_ns();
    for (unsigned i = 0; i < rounds; i++) {
        buf_reset(&line);
        record_format(&line, x);
    }
    printf("record %u %zu %llu\n", rounds, buf_len(&line), (unsigned long long)((clock_mono_ns() - began) / rounds));
    if (getenv("SHOW")) fwrite(buf_ptr(&line), 1, buf_len(&line), stdout);
    buf_clear(&line);
    exchange_move(x, EXCHANGE_RECORDED);
    exchange_free(x);
    return 0;
}
