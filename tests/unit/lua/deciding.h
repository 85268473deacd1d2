/*
 * A generation of a few files, a request, and its decision: what tests of policies begin with.
 *
 *     struct file files[] = {{"init.lua", "return chain { 'x' }"}, {"models.lua", MODELS}, {"x.lua", text}, {NULL, NULL}};
 *     struct policy_set *set = load(files, NULL, &errors);
 *     struct exchange *x = request("gpt-4o");
 *     int slices = decide(set, x);
 */
#ifndef MOONGATE_TESTS_UNIT_DECIDING_H
#define MOONGATE_TESTS_UNIT_DECIDING_H

#include "../unit.h"

#include "lua/policy.h"
#include "lua/simulate.h"

#define MODELS                                                                                                         \
    "return models { auto = { virtual = true }, ['gpt-4o'] = { targets = { 'openai/gpt-4o' }, price = usd_per_million { input = 1, "   \
    "output = 1 } } }"

struct file {
    const char *path, *text;
};

/* Files up to a NULL path. */
static inline struct policy_set *load(const struct file *more, const struct settings *settings, struct policy_errors *errors)
{
    struct bundle_file files[16];
    struct fault why;
    size_t count = 0;
    for (; more->path; more++)
        files[count++] = (struct bundle_file){slice_str(more->path), slice_str(more->text)};
    struct bundle *bundle = bundle_of(files, count, &why);
    policy_errors_init(errors);
    struct policy_set *set = policy_set_load(bundle, settings, errors);
    bundle_unref(bundle);
    return set;
}

static inline struct exchange *request(const char *model)
{
    struct fault why;
    char json[512];
    snprintf(json, sizeof json,
             "{\"body\":{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]},"
             "\"key\":{\"id\":\"key_1\",\"app\":\"demo\",\"department\":\"sales\",\"user\":\"ana\"}}",
             model);
    struct exchange *x = simulate_exchange(slice_str(json), &why);
    if (!x) UNIT_FAIL("%s", fault_message(&why));
    return x;
}

/* How many slices it took. */
static inline int decide(struct policy_set *set, struct exchange *x)
{
    int slices = 1;
    struct policy_eval *eval = policy_decide(set, x);
    while (policy_eval_step(eval) == POLICY_MORE)
        slices++;
    EXPECT_INT(POLICY_DONE, policy_eval_step(eval));
    policy_eval_free(eval);
    return slices;
}

#endif
