#include "cli/counted.h"

#include "exchange/terms.h"
#include "lua/bundle.h"
#include "lua/counting.h"
#include "lua/policy.h"
#include "wire/chat.h"
#include "wire/count.h"
#include "wire/count_rules.h"
#include "wire/dialect.h"
#include "wire/tokens/counter.h"

void counted_clear(struct counted *c)
{
    arena_clear(&c->arena);
}

/* What the policies of a folder say of a name; false: they do not load, or do not know it. */
static bool find_in_policies(const char *dir, struct slice model, const struct count_rules **rules, struct fault *why)
{
    struct policy_errors errors;
    struct bundle *bundle = bundle_read(dir, why);
    if (!bundle) return false;
    policy_errors_init(&errors);
    struct policy_set *set = policy_set_load(bundle, NULL, &errors);
    if (!set) fault_set(why, FAULT_BAD_REQUEST, "the policies of %s do not load: `moongate check` says why", dir);
    const struct terms_table *table = set ? policy_set_terms(set) : NULL;
    const struct terms *terms = table ? terms_table_find(table, model) : NULL;
    *rules = terms ? terms->counting : table ? terms_table_counting(table, model) : NULL;
    policy_set_unref(set); /* the rules are the process's */
    policy_errors_clear(&errors);
    bundle_unref(bundle);
    return table != NULL;
}

static bool find_rules(struct counted *c, const char *policies_dir, const struct count_rules **rules, struct fault *why)
{
    struct slice model = slice_str(c->model);
    *rules = NULL;
    if (policies_dir && !find_in_policies(policies_dir, model, rules, why)) {
        c->cure = "--policies names a folder of policies";
        return false;
    }
    if (!*rules) *rules = counting_find(model);
    c->family = counting_family(*rules);
    c->vocabulary = vocabulary_name(count_vocabulary(*rules));
    return true;
}

/* ---- A text. */

static void count_text(struct counted *c, struct slice text, const struct count_rules *rules)
{
    uint64_t tokens = token_count(count_vocabulary(rules), text);
    c->tokens = rules ? count_scale(rules, tokens) : tokens;
    c->is_estimated = !count_is_exact(rules);
}

/* ---- A request. */

static void add_line(struct counted *c, const char *what, uint64_t tokens, bool is_estimated)
{
    c->lines[c->line_count++] = (struct counted_line){what, tokens, is_estimated};
}

static const char *role_of(struct counted *c, const struct chat_request *r, uint32_t message, uint32_t number)
{
    uint32_t role = json_get(&r->tape, message, SLICE("role"));
    if (role == JSON_NONE) role = json_get(&r->tape, message, SLICE("type")); /* an item of another kind */
    struct slice text = json_is(&r->tape, role, JSON_STRING) ? json_text(&r->tape, role, &c->arena) : SLICE("?");
    return arena_printf(&c->arena, "%u %.*s", number, SLICE_FMT(text)).ptr;
}

static void add_messages(struct counted *c, const struct chat_request *r, const struct count *count,
                         const struct count_rules *rules)
{
    uint32_t message = json_first(&r->tape, r->messages_node), messages = count_messages(count);
    for (uint32_t i = 0; i < messages; i++, message = json_next(&r->tape, message)) {
        struct count_message share = count_message(count, rules, i);
        add_line(c, role_of(c, r, message, i + 1), share.tokens, share.is_estimated);
    }
}

static void add_lines(struct counted *c, const struct chat_request *r, const struct count *count,
                      const struct count_rules *rules)
{
    struct count_shares shares = count_shares(count, rules);
    c->lines = arena_alloc(&c->arena, (count_messages(count) + 6) * sizeof *c->lines);
    add_messages(c, r, count, rules);
    if (shares.tools) add_line(c, arena_printf(&c->arena, "tools (%u)", shares.tools).ptr, shares.tools_tokens, true);
    if (shares.schema_tokens) add_line(c, "response format", shares.schema_tokens, true);
    if (shares.unknown_tokens) add_line(c, "audio, files, by their size", shares.unknown_tokens, true);
    if (shares.has_unknown && !shares.unknown_tokens) add_line(c, "audio, files, hosted tools: not counted", 0, true);
    uint64_t sum = 0;
    c->pictures = shares.pictures;
    c->picture_tokens = shares.picture_tokens;
    for (size_t i = 0; i < c->line_count; i++)
        sum += c->lines[i].tokens;
    if (c->tokens > sum)
        add_line(c, r->kind == CHAT_CHAT ? "request" : "text", c->tokens - sum, !count_is_exact(rules));
}

static void count_request(struct counted *c, const struct chat_request *r, const struct count_rules *rules)
{
    struct count *count = count_new(r, 1u << vocabulary_index(count_vocabulary(rules)), NULL);
    count_keep_messages(count);
    while (!count_step(count, UINT64_MAX))
        continue;
    struct count_total total = count_total(count, rules);
    c->tokens = total.input_tokens;
    c->is_estimated = total.is_estimated;
    c->is_request = true;
    add_lines(c, r, count, rules);
    count_free(count);
}

bool counted_is_json(struct slice input, struct fault *why)
{
    struct json_tape tape;
    json_init(&tape);
    bool is_json = json_parse(&tape, input, why);
    json_clear(&tape);
    return is_json;
}

/* What the body's own members tell. */
struct told_kind {
    const struct dialect *dialect; /* NULL: it is no request */
    enum chat_kind kind;
    bool is_named; /* they name a model */
};

static struct told_kind kind_of(struct slice input)
{
    struct json_tape tape;
    struct fault why;
    struct told_kind told = {.dialect = NULL};
    json_init(&tape);
    if (json_parse(&tape, input, &why) && json_is(&tape, 0, JSON_OBJECT)) {
        told.dialect = dialect_guess(&tape, &told.kind);
        told.is_named = json_get(&tape, 0, SLICE("model")) != JSON_NONE;
    }
    json_clear(&tape);
    return told;
}

static bool has_model(struct counted *c, const char *given, struct slice named, struct fault *why)
{
    c->model = given ? given : arena_copy(&c->arena, named).ptr;
    if (c->model && *c->model) return true;
    c->cure = "--model MODEL, such as a name of policies/models.lua";
    return fault_set(why, FAULT_BAD_REQUEST, "say which model counts");
}

/* The body with the model that it does not name. */
static struct slice with_model(struct counted *c, struct slice input, const char *model)
{
    const char *open = memchr(input.ptr, '{', input.len);
    struct buf body;
    buf_init(&body);
    buf_append(&body, SLICE("{\"model\":"));
    buf_append_json(&body, slice_str(model));
    buf_append_char(&body, ',');
    buf_append(&body, slice_of(open + 1, input.len - (size_t)(open + 1 - input.ptr)));
    struct slice named = arena_copy(&c->arena, buf_slice(&body));
    buf_clear(&body);
    return named;
}

static bool make_request(struct counted *c, struct slice input, const struct told_kind *told, const char *model,
                         const char *policies_dir, struct fault *why)
{
    struct chat_request r;
    const struct count_rules *rules;
    chat_init(&r);
    c->cure = "--plain counts it as a text";
    bool ok = chat_parse(&r, told->dialect, input, told->kind, &c->arena, why) &&
              has_model(c, model, r.model, why) && find_rules(c, policies_dir, &rules, why);
    if (ok) count_request(c, &r, rules);
    chat_clear(&r);
    return ok;
}

bool counted_make(struct counted *c, struct slice input, const char *model, const char *policies_dir, bool is_plain,
                  struct fault *why)
{
    const struct count_rules *rules;
    struct told_kind told = {.dialect = NULL};
    *c = (struct counted){0};
    arena_init(&c->arena);
    if (!is_plain) told = kind_of(input);
    if (told.dialect) {
        if (!told.is_named && !has_model(c, model, SLICE(""), why)) return false;
        if (!told.is_named) input = with_model(c, input, model);
        return make_request(c, input, &told, model, policies_dir, why);
    }
    if (!has_model(c, model, SLICE(""), why) || !find_rules(c, policies_dir, &rules, why)) return false;
    count_text(c, input, rules);
    return true;
}
