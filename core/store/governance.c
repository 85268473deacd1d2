#include "store/governance.h"

#include <jansson.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"

/* ---- Values, copied. What is not there is empty, or 0: the script writes all that is wanted. */

static struct slice text_of(struct arena *arena, const json_t *from, const char *name)
{
    const json_t *value = json_object_get(from, name);
    if (!json_is_string(value)) return SLICE("");
    return arena_copy(arena, slice_of(json_string_value(value), json_string_length(value)));
}

static int64_t number_of(const json_t *from, const char *name)
{
    return json_integer_value(json_object_get(from, name));
}

static struct slice *texts_of(struct arena *arena, const json_t *from, const char *name, size_t *count)
{
    const json_t *list = json_object_get(from, name);
    struct slice *texts = arena_zalloc(arena, (json_array_size(list) + 1) * sizeof *texts);
    *count = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        if (json_is_string(one))
            texts[(*count)++] = arena_copy(arena, slice_of(json_string_value(one), json_string_length(one)));
    }
    return texts;
}

static unsigned word_of(const json_t *value, const char *const *words)
{
    unsigned i = 0;
    while (words[i] && json_is_string(value) && strcmp(json_string_value(value), words[i]) != 0)
        i++;
    return words[i] && json_is_string(value) ? i : 0;
}

/* ---- The parts. */

static void read_reviewers(struct governance *g, const json_t *prompts)
{
    const json_t *list = json_object_get(prompts, "review");
    g->reviewers = arena_zalloc(&g->arena, (json_array_size(list) + 1) * sizeof *g->reviewers);
    for (; g->reviewer_count < json_array_size(list); g->reviewer_count++) {
        struct governance_reviewer *one = &g->reviewers[g->reviewer_count];
        const json_t *from = json_array_get(list, g->reviewer_count);
        one->by = text_of(&g->arena, from, "by");
        one->departments = texts_of(&g->arena, from, "departments", &one->department_count);
    }
}

static void read_approvals(struct governance *g, const json_t *approvals)
{
    const json_t *glass = json_object_get(approvals, "break_glass");
    g->pending_s = number_of(approvals, "pending_s");
    g->longest_s = number_of(approvals, "longest_s");
    g->has_break_glass = json_is_object(glass);
    g->glass_by = text_of(&g->arena, glass, "by");
    g->glass_longest_s = number_of(glass, "longest_s");
    g->glass_close_within_s = number_of(glass, "close_within_s");
}

static unsigned scope_of(const json_t *list)
{
    static const char *const words[] = {"rows", "grants", "keys", "roles", NULL};
    unsigned scope = 0;
    for (size_t i = 0; i < json_array_size(list); i++)
        scope |= 1u << word_of(json_array_get(list, i), words);
    return scope;
}

static void read_plans(struct governance *g, const json_t *list)
{
    static const char *const every[] = {"month", "quarter", "half-year", "year", NULL};
    static const char *const unanswered[] = {"flag", "revoke", "recommendation", NULL};
    g->plans = arena_zalloc(&g->arena, (json_array_size(list) + 1) * sizeof *g->plans);
    for (; g->plan_count < json_array_size(list); g->plan_count++) {
        const json_t *from = json_array_get(list, g->plan_count);
        g->plans[g->plan_count] = (struct governance_plan){
            .name = text_of(&g->arena, from, "name"),
            .by = text_of(&g->arena, from, "by"),
            .every = (enum governance_every)word_of(json_object_get(from, "every"), every),
            .scope = scope_of(json_object_get(from, "scope")),
            .due_s = number_of(from, "due_s"),
            .unused_s = number_of(from, "unused_s"),
            .unanswered = (enum governance_unanswered)word_of(json_object_get(from, "unanswered"), unanswered),
        };
    }
}

static void read_rows(struct governance *g, const json_t *list)
{
    static const char *const covers[] = {"user", "app", "department", NULL};
    g->rows = arena_zalloc(&g->arena, (json_array_size(list) + 1) * sizeof *g->rows);
    for (; g->row_count < json_array_size(list); g->row_count++) {
        struct governance_row *row = &g->rows[g->row_count];
        const json_t *from = json_array_get(list, g->row_count);
        row->model = text_of(&g->arena, from, "model");
        row->by = text_of(&g->arena, from, "by");
        row->also = text_of(&g->arena, from, "also");
        row->data = text_of(&g->arena, from, "data");
        row->file = text_of(&g->arena, from, "file");
        row->line = (int)number_of(from, "line");
        row->longest_s = number_of(from, "longest_s");
        row->covers = (enum governance_covers)word_of(json_object_get(from, "covers"), covers);
        row->purposes = texts_of(&g->arena, from, "purposes", &row->purpose_count);
        row->departments = texts_of(&g->arena, from, "departments", &row->department_count);
    }
}

static void read_all(struct governance *g, const json_t *tree)
{
    const json_t *prompts = json_object_get(tree, "prompts"), *checklist = json_object_get(tree, "checklist");
    g->digest = text_of(&g->arena, tree, "digest");
    read_reviewers(g, prompts);
    g->protected_labels = texts_of(&g->arena, prompts, "protected", &g->protected_count);
    g->wants_tests = json_is_true(json_object_get(prompts, "tests"));
    read_approvals(g, json_object_get(tree, "approvals"));
    read_plans(g, json_object_get(tree, "reviews"));
    g->required = texts_of(&g->arena, checklist, "require", &g->required_count);
    g->audit_retention_s = number_of(checklist, "audit_retention_s");
    read_rows(g, json_object_get(tree, "rows"));
}

/* A text cut short would be rules that ask nobody. */
static bool is_complete(const struct governance *g)
{
    return g->digest.len && g->reviewer_count && g->protected_count && g->pending_s > 0 && g->longest_s > 0 &&
           (!g->has_break_glass || (g->glass_by.len && g->glass_longest_s > 0 && g->glass_longest_s <= 3600));
}

struct governance *governance_read(struct slice text, struct fault *why)
{
    json_error_t error;
    json_t *tree = text.len && text.len <= LIMIT_GOVERNANCE_BYTES
                       ? json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, &error)
                       : NULL;
    struct governance *g = mem_zalloc(1, sizeof *g);
    arena_init(&g->arena);
    read_all(g, tree);
    json_decref(tree);
    if (is_complete(g)) return g;
    fault_set(why, FAULT_INTERNAL, "the rules of governance are damaged");
    governance_free(g);
    return NULL;
}

void governance_free(struct governance *g)
{
    if (!g) return;
    arena_clear(&g->arena);
    mem_free(g);
}

/* ---- Questions. */

static bool is_listed(const struct slice *list, size_t count, struct slice name)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(list[i], name)) return true;
    }
    return false;
}

size_t governance_reviewers(const struct governance *g, struct slice department, struct slice *roles, size_t most)
{
    size_t count = 0;
    for (size_t i = 0; i < g->reviewer_count && count < most; i++) {
        const struct governance_reviewer *one = &g->reviewers[i];
        if (!one->department_count || is_listed(one->departments, one->department_count, department))
            roles[count++] = one->by;
    }
    return count;
}

bool governance_is_protected(const struct governance *g, struct slice label)
{
    return is_listed(g->protected_labels, g->protected_count, label);
}

const struct governance_row *governance_row(const struct governance *g, struct slice model, struct slice department)
{
    for (size_t i = 0; i < g->row_count; i++) {
        const struct governance_row *row = &g->rows[i];
        if (!slice_equal(row->model, model)) continue;
        return !row->department_count || is_listed(row->departments, row->department_count, department) ? row : NULL;
    }
    return NULL;
}
