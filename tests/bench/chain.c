/*
 * One decision of the policies, a given number of times: for callgrind, which counts instructions.
 *
 *     valgrind --tool=callgrind --toggle-collect=decide_once build/bench/chain 200 shipped auto
 *     chain 200 shipped gpt-4o             # the shipped policies, for a model; the key is one of engineering's
 *     chain 200 rows 1000                  # an access matrix of so many rows, asked for its last
 *
 * Prints the rounds and what was decided.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "exchange/settings.h"
#include "lua/bundle.h"
#include "lua/policy.h"
#include "lua/simulate.h"

/* Decided before counting begins, so that what a state makes once is made. */
#define WARM_ROUNDS 20

static struct policy_set *load(struct bundle *bundle, const struct fault *why)
{
    struct policy_errors errors;
    struct buf text;
    if (!bundle) {
        fprintf(stderr, "chain: %s\n", fault_message(why));
        exit(1);
    }
    policy_errors_init(&errors);
    struct policy_set *set = policy_set_load(bundle, NULL, &errors);
    if (!set) {
        buf_init(&text);
        policy_errors_print(&errors, bundle, &text);
        fprintf(stderr, "%.*s", SLICE_FMT(buf_slice(&text)));
        exit(1);
    }
    policy_errors_clear(&errors);
    bundle_unref(bundle);
    return set;
}

static struct policy_set *load_shipped(void)
{
    struct fault why;
    return load(bundle_read("policies", &why), &why);
}

static struct policy_set *load_rows(unsigned rows)
{
    struct fault why;
    struct buf models, access;
    buf_init(&models);
    buf_init(&access);
    buf_append(&models, SLICE("return models {\n"));
    buf_append(&access, SLICE("return access { models = {\n"));
    for (unsigned i = 1; i <= rows; i++) {
        buf_printf(&models, "['m%u'] = { targets = { 'p/m%u' }, price = free },\n", i, i);
        buf_printf(&access, "['m%u'] = { departments = { 'engineering', 'd%u' }, data = 'internal' },\n", i, i);
    }
    buf_append(&models, SLICE("}\n"));
    buf_append(&access, SLICE("}, default = 'deny' }\n"));
    struct bundle_file files[] = {{SLICE("init.lua"), SLICE("return chain { 'access' }")},
                                  {SLICE("models.lua"), buf_slice(&models)},
                                  {SLICE("access.lua"), buf_slice(&access)}};
    struct policy_set *set = load(bundle_of(files, 3, &why), &why);
    buf_clear(&models);
    buf_clear(&access);
    return set;
}

static struct exchange *request(const char *model)
{
    struct fault why;
    char json[512];
    snprintf(json, sizeof json,
             "{\"body\":{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]},"
             "\"key\":{\"id\":\"key_1\",\"app\":\"demo\",\"department\":\"engineering\",\"user\":\"ana\"}}",
             model);
    struct exchange *x = simulate_exchange(slice_str(json), &why);
    if (x) return x;
    fprintf(stderr, "chain: %s\n", fault_message(&why));
    exit(1);
}

/* What is counted; of external linkage, so that it keeps its name. */
void decide_once(struct policy_set *set, struct exchange *x);

__attribute__((noinline)) void decide_once(struct policy_set *set, struct exchange *x)
{
    struct policy_eval *eval = policy_decide(set, x);
    while (policy_eval_step(eval) == POLICY_MORE)
        ;
    policy_eval_free(eval);
}

static void warm(struct policy_set *set, const char *model)
{
    for (int i = 0; i < WARM_ROUNDS; i++) {
        struct exchange *x = request(model);
        struct policy_eval *eval = policy_decide(set, x);
        while (policy_eval_step(eval) == POLICY_MORE)
            ;
        policy_eval_free(eval);
        simulate_free(x);
    }
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fputs("usage: chain ROUNDS shipped MODEL | chain ROUNDS rows ROWS\n", stderr);
        return 2;
    }
    unsigned rounds = (unsigned)strtoul(argv[1], NULL, 10);
    bool is_shipped = strcmp(argv[2], "shipped") == 0;
    char last[32];
    const char *model = argv[3];
    snprintf(last, sizeof last, "m%s", argv[3]);
    if (!is_shipped) model = last;
    struct policy_set *set = is_shipped ? load_shipped() : load_rows((unsigned)strtoul(argv[3], NULL, 10));
    warm(set, model);
    for (unsigned i = 0; i < rounds; i++) {
        struct exchange *x = request(model);
        decide_once(set, x);
        if (i == 0) printf("chain %u %s\n", rounds, x->decision.verdict.kind == VERDICT_ALLOW ? "allow" : "deny");
        simulate_free(x);
    }
    policy_set_unref(set);
    return 0;
}
