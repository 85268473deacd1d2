#include "scripts.h"

#include <string.h>

#include "base/list.h"
#include "base/mem.h"

struct entry {
    struct list_link link;
    struct script script;
    char *match, *path;
    int64_t left; /* INT64_MAX: for ever */
};

struct scripts {
    struct list_link entries;
};

struct scripts *scripts_new(void)
{
    struct scripts *s = mem_zalloc(1, sizeof *s);
    list_init(&s->entries);
    return s;
}

static void entry_free(struct entry *e)
{
    list_remove(&e->link);
    script_clear(&e->script);
    mem_free(e->match);
    mem_free(e->path);
    mem_free(e);
}

void scripts_reset(struct scripts *s)
{
    while (!list_is_empty(&s->entries))
        entry_free(LIST_OWNER(s->entries.next, struct entry, link));
}

void scripts_free(struct scripts *s)
{
    if (!s) return;
    scripts_reset(s);
    mem_free(s);
}

static char *take_text(json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    char *copy = text ? mem_strdup(text) : NULL;
    json_object_del(object, name);
    return copy;
}

bool scripts_add(struct scripts *s, json_t *object, struct fault *why)
{
    if (!json_is_object(object)) return fault_set(why, FAULT_BAD_BODY, "a script is a JSON object");
    struct entry *e = mem_zalloc(1, sizeof *e);
    json_t *count = json_object_get(object, "count");
    e->left = count ? json_integer_value(count) : 1;
    if (e->left == 0) e->left = INT64_MAX;
    json_object_del(object, "count");
    e->match = take_text(object, "match");
    e->path = take_text(object, "path");
    script_init(&e->script);
    list_append(&s->entries, &e->link);
    if (script_set_json(&e->script, object, why)) return true;
    entry_free(e);
    return false;
}

static bool take(struct entry *e, struct script *script)
{
    script_clear(script);
    script_copy(script, &e->script);
    if (e->left != INT64_MAX && --e->left == 0) entry_free(e);
    return true;
}

bool scripts_take(struct scripts *s, struct slice path, struct slice body, struct script *script)
{
    for (struct list_link *l = s->entries.next; l != &s->entries; l = l->next) {
        struct entry *e = LIST_OWNER(l, struct entry, link);
        if (e->script.accept) continue;
        if (e->path && !slice_equal(path, slice_str(e->path))) continue;
        if (e->match && !(body.len && memmem(body.ptr, body.len, e->match, strlen(e->match)))) continue;
        return take(e, script);
    }
    return false;
}

bool scripts_take_accept(struct scripts *s, struct script *script)
{
    for (struct list_link *l = s->entries.next; l != &s->entries; l = l->next) {
        struct entry *e = LIST_OWNER(l, struct entry, link);
        if (e->script.accept) return take(e, script);
    }
    return false;
}
