/* Detectors and keywords of policies, asked in a process that remembers in which texts they found nothing. */
#include "deciding.h"

#include "base/limits.h"
#include "base/memo.h"

#define PROSE                                                                                                          \
    "The committee met again in the afternoon, and those who had been against the plan from the start said that they " \
    "would not stand in its way if the others could agree on a budget, which, of course, they could not. So it went "  \
    "on for another two hours, until somebody opened a window and everybody went home without a word. "
#define GUARD                                                                                                          \
    "return redaction { detect = { 'email' }, request = { email = 'deny' }, rules = { { 'words', when = { contains = " \
    "{ 'open sesame' } }, deny = { 422, 'words' } } } }"

static const char clean[] = PROSE, told[] = PROSE "Write to jane.doe@example.com.", opened[] = PROSE "Open sesame!";

static struct memo *memo;
/* Between them are the subjects of the generation that was loaded last: of its detectors and of its list. */
static uint32_t before, behind;

static struct memo *on_quiet(void *arg)
{
    EXPECT(arg == &memo);
    return memo;
}

static struct policy_set *load_guard(void)
{
    static const struct file files[] = {
        {"init.lua", "return chain { 'x' }"}, {"models.lua", MODELS}, {"x.lua", GUARD}, {NULL, NULL}};
    struct policy_errors errors;
    before = memo_subject();
    struct policy_set *set = load(files, NULL, &errors);
    behind = memo_subject();
    if (!set) UNIT_FAIL("%.*s", SLICE_FMT(errors.items[0].text));
    policy_errors_clear(&errors);
    return set;
}

static struct memo_key key_of(const char *text)
{
    char raw[1024];
    return memo_key(memo, slice_of(raw, (size_t)snprintf(raw, sizeof raw, "\"%s\"", text)));
}

/* By how many lists it is known that nothing is in it. */
static int known(const char *text)
{
    struct memo_key key = key_of(text);
    int count = 0;
    for (uint32_t subject = before; subject <= behind; subject++)
        count += memo_find(memo, &key, subject) == strlen(text);
    return count;
}

/* As if no list had found anything: shows who looks. */
static void pretend(const char *text)
{
    struct memo_key key = key_of(text);
    for (uint32_t subject = before; subject <= behind; subject++)
        memo_keep(memo, &key, subject, strlen(text));
}

static enum verdict_kind decide_text(struct policy_set *set, const char *text)
{
    static const struct policy_host host = {.quiet = on_quiet};
    struct fault why;
    char json[1024];
    snprintf(json, sizeof json,
             "{\"body\":{\"model\":\"gpt-4o\",\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]},"
             "\"key\":{\"id\":\"key_1\",\"app\":\"demo\",\"department\":\"sales\",\"user\":\"ana\"}}",
             text);
    struct exchange *x = simulate_exchange(slice_str(json), &why);
    if (!x) UNIT_FAIL("%s", fault_message(&why));
    struct policy_call how = {.phase = PHASE_REQUEST, .host = &host, .host_arg = &memo};
    struct policy_eval *eval = policy_begin(set, x, &how);
    while (policy_eval_step(eval) == POLICY_MORE)
        continue;
    enum verdict_kind kind = x->decision.verdict.kind;
    policy_eval_free(eval);
    simulate_free(x);
    return kind;
}

static void both_look_once_at_what_has_nothing_in_it(void)
{
    memo = memo_new(LIMIT_QUIET_MEMO);
    struct policy_set *set = load_guard();
    for (int i = 0; i < 3; i++) {
        EXPECT_INT(i == 0 ? 0 : 2, known(clean));
        EXPECT_INT(VERDICT_ALLOW, decide_text(set, clean));
        EXPECT_INT(VERDICT_DENY, decide_text(set, told));
        EXPECT_INT(VERDICT_DENY, decide_text(set, opened));
        EXPECT(known(told) <= 1 && known(opened) <= 1); /* one of the two finds nothing there */
    }
    pretend(told);
    EXPECT_INT(VERDICT_ALLOW, decide_text(set, told));
    pretend(opened);
    EXPECT_INT(VERDICT_ALLOW, decide_text(set, opened));
    policy_set_unref(set);
    memo_free(memo);
}

static void after_a_reload_all_is_looked_at_again(void)
{
    memo = memo_new(LIMIT_QUIET_MEMO);
    struct policy_set *old = load_guard();
    pretend(told);
    pretend(opened);
    struct policy_set *set = load_guard();
    EXPECT_INT(0, known(told));
    EXPECT_INT(VERDICT_DENY, decide_text(set, told));
    EXPECT_INT(VERDICT_DENY, decide_text(set, opened));
    EXPECT_INT(VERDICT_ALLOW, decide_text(old, told)); /* each by its own rules, as long as it is held */
    policy_set_unref(old);
    policy_set_unref(set);
    memo_free(memo);
}

static void where_nobody_remembers_all_is_looked_at(void)
{
    memo = NULL;
    struct policy_set *set = load_guard();
    for (int i = 0; i < 2; i++) {
        EXPECT_INT(VERDICT_ALLOW, decide_text(set, clean));
        EXPECT_INT(VERDICT_DENY, decide_text(set, told));
    }
    policy_set_unref(set);
}

int main(void)
{
    RUN(both_look_once_at_what_has_nothing_in_it);
    RUN(after_a_reload_all_is_looked_at_again);
    RUN(where_nobody_remembers_all_is_looked_at);
    return unit_close("remembered");
}
