#include "cli/approvals_inner.h"

#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli/caller.h"
#include "cli/folder.h"
#include "cli/register.h"
#include "cli/rules.h"
#include "server/units.h"

/* ---- Opening. */

static bool find_person(struct approvals *a)
{
    struct fault why;
    struct person_spec spec = {.kind = PERSON_HUMAN, .issuer = PERSON_LOCAL, .subject = a->by.actor};
    enum registry_found found = registry_person_find(a->registry, spec.issuer, spec.subject, a->person, &why);
    if (found == REGISTRY_FOUND) return true;
    if (found == REGISTRY_MISSING && registry_person_create(a->registry, &spec, &a->by, a->person, &why)) return true;
    cli_error(CLI_USAGE, NULL, "%s", fault_message(&why));
    return false;
}

bool approvals_open(struct approvals *a, const char *config, const char *reason, bool has_rules)
{
    *a = (struct approvals){.now_s = (int64_t)(clock_wall_ns() / NS_PER_S)};
    if (!caller_read(reason, &a->by)) return false;
    a->data_dir = folder_find(config);
    bool is_good = a->data_dir && (!has_rules || (a->rules = rules_load(config)));
    if (is_good) a->registry = register_open(a->data_dir);
    is_good = is_good && a->registry && find_person(a);
    if (is_good && a->rules) registry_govern(a->registry, a->rules);
    if (!is_good) approvals_close(a, CLI_USAGE);
    return is_good;
}

int approvals_close(struct approvals *a, int code)
{
    registry_close(a->registry);
    governance_free(a->rules);
    mem_free(a->data_dir);
    *a = (struct approvals){.now_s = 0};
    return code;
}

void approvals_tell(const struct approvals *a)
{
    register_tell(a->data_dir);
}

int approvals_refused(const struct approvals *a, enum registry_found found, const char *what, const char *id,
                      const struct fault *why, bool is_json)
{
    enum registry_refusal refusal = registry_refused(a->registry);
    if (found == REGISTRY_MISSING) return cli_error(CLI_FOUND, NULL, "there is no %s `%s`", what, id);
    if (refusal && is_json) cli_print_json(json_pack("{s:s}", "refused", registry_refusal_word(refusal)));
    return cli_error(refusal ? CLI_UNREACHABLE : CLI_USAGE, NULL, "%s", fault_message(why));
}

/* ---- What the registry lists. */

json_t *approvals_one(json_t *list, const char *what, const char *id, const struct fault *why)
{
    json_t *one = json_incref(json_array_get(list, 0));
    if (!list) cli_error(CLI_USAGE, NULL, "%s", fault_message(why));
    else if (!one) cli_error(CLI_FOUND, NULL, "there is no %s `%s`", what, id);
    json_decref(list);
    return one;
}

const char *approvals_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

int64_t approvals_number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

void approvals_name_person(const struct approvals *a, const char *id, char *text, size_t size)
{
    struct fault ignored;
    json_t *list = id[0] ? registry_people(a->registry, slice_str(id), &ignored) : NULL;
    const json_t *person = json_array_get(list, 0);
    const char *name = approvals_text(person, "subject");
    snprintf(text, size, "%s", name[0] ? name : id);
    json_decref(list);
}

void approvals_subject(const struct approvals *a, const json_t *object, char *text, size_t size)
{
    char name[LIMIT_KEY_FIELD_BYTES + 1];
    const char *kind = approvals_text(object, "subject_kind"), *subject = approvals_text(object, "subject");
    bool is_person = strcmp(kind, "user") == 0;
    if (is_person) approvals_name_person(a, subject, name, sizeof name);
    snprintf(text, size, "%s:%s", kind, is_person ? name : subject);
}

void approvals_instant(int64_t at_s, char text[32])
{
    char whole[CLOCK_TEXT_BYTES];
    if (at_s <= 0) {
        snprintf(text, 32, "-");
        return;
    }
    clock_format((uint64_t)at_s * NS_PER_S, whole);
    snprintf(text, 32, "%.10s %.8s", whole, whole + 11);
}

static bool is_instant(const char *name)
{
    size_t len = strlen(name);
    return len > 3 && strcmp(name + len - 3, "_at") == 0;
}

void approvals_print(const json_t *object)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        char text[32];
        if (is_instant(name)) approvals_instant(json_integer_value(value), text);
        if (is_instant(name)) printf("%-14s %s\n", name, text);
        else if (json_is_string(value)) printf("%-14s %s\n", name, json_string_value(value));
        else if (json_is_integer(value)) printf("%-14s %" JSON_INTEGER_FORMAT "\n", name, json_integer_value(value));
        else if (json_is_boolean(value)) printf("%-14s %s\n", name, json_is_true(value) ? "yes" : "no");
        else if (json_array_size(value)) {
            char *list = json_dumps(value, JSON_COMPACT);
            printf("%-14s %s\n", name, list);
            mem_free(list);
        }
    }
}

/* ---- What waits for him. */

static bool holds(const struct approvals *a, const char *role, const char *department)
{
    bool is_held = false;
    struct fault ignored;
    if (!role[0]) return false;
    return registry_role_is_held(a->registry, slice_str(a->person), slice_str(role), slice_str(department), a->now_s,
                                 &is_held, &ignored) &&
           is_held;
}

static bool has_decided(const struct approvals *a, const json_t *request)
{
    size_t i;
    json_t *decision;
    json_array_foreach(json_object_get(request, "decisions"), i, decision)
    {
        if (strcmp(approvals_text(decision, "person"), a->person) == 0) return true;
    }
    return false;
}

bool approvals_waits(const struct approvals *a, const json_t *request)
{
    const char *department = approvals_text(request, "department");
    if (strcmp(approvals_text(request, "state"), "pending") != 0) return false;
    if (strcmp(approvals_text(request, "requested_by"), a->person) == 0) return false;
    if (strcmp(approvals_text(request, "subject"), a->person) == 0 || has_decided(a, request)) return false;
    return holds(a, approvals_text(request, "by"), department) || holds(a, approvals_text(request, "also"), department);
}

bool approvals_is_unclosed(const struct approvals *a, const json_t *grant)
{
    return json_is_true(json_object_get(grant, "break_glass")) && !json_object_get(grant, "closed_by") &&
           strcmp(approvals_text(grant, "granted_by"), a->person) != 0;
}

/* ---- Options. */

int64_t approvals_span(const char *option, const char *text)
{
    uint64_t ms = 0;
    bool is_span = text && units_duration(slice_str(text), &ms) && ms >= 1000 && ms <= LIMIT_KEY_LIFE_MS;
    if (!is_span)
        cli_usage_error("write a number and a unit: 30m, 8h, 7d", "%s: `%s` is no span", option, text ? text : "");
    return is_span ? (int64_t)(ms / 1000) : 0;
}

/* The department that a person is in, unless one was said. */
static bool read_scope(const struct approvals *a, struct approvals_whose *whose)
{
    struct fault why = {0};
    const char *id = whose->person ? whose->person : a->person;
    json_t *list = registry_people(a->registry, slice_str(id), &why);
    const json_t *person = json_array_get(list, 0);
    snprintf(whose->room, sizeof whose->room, "%s",
             whose->department ? whose->department : approvals_text(person, "department"));
    if (!person) cli_error(CLI_FOUND, "`moongate people list` shows them", "there is no person `%s`", id);
    json_decref(list);
    whose->scope = slice_str(whose->room);
    return person != NULL;
}

static bool choose_subject(const struct approvals *a, struct approvals_whose *whose)
{
    enum governance_covers covers = whose->row->covers;
    if (covers == COVERS_USER && whose->app) covers = COVERS_APP; /* of a caller without a user */
    whose->subject_kind = covers == COVERS_USER  ? SLICE("user")
                          : covers == COVERS_APP ? SLICE("app")
                                                 : SLICE("department");
    whose->subject = covers == COVERS_USER  ? slice_str(whose->person ? whose->person : a->person)
                     : covers == COVERS_APP ? slice_str(whose->app)
                                            : whose->scope;
    if (whose->subject.len) return true;
    cli_usage_error(covers == COVERS_APP ? "--app NAME" : "--department NAME",
                    "a grant of this model is its %.*s's: which?", SLICE_FMT(whose->subject_kind));
    return false;
}

bool approvals_whose(const struct approvals *a, const char *model, struct approvals_whose *whose)
{
    if (!read_scope(a, whose)) return false;
    whose->row = governance_row(a->rules, slice_str(model), whose->scope);
    if (whose->row) return choose_subject(a, whose);
    cli_error(CLI_FOUND, "--department says which; `moongate explain` says what is wrong",
              "no row of the access matrix wants an approval of `%s` for %s", model,
              whose->room[0] ? whose->room : "a caller without a department");
    return false;
}
