#include "cli/fields.h"

#include <string.h>

#include "server/config_schema.h"

#define TYPES_MAX 16

struct listing {
    FILE *to;
    void (*print)(struct listing *l, const struct field *f, struct slice path);
    struct slice only;
    size_t count;
    const struct field_type *types[TYPES_MAX]; /* of what was printed, each name once */
    size_t type_count;
};

static void note_type(struct listing *l, const struct field_type *type)
{
    for (size_t i = 0; i < l->type_count; i++) {
        if (strcmp(l->types[i]->name, type->name) == 0) return;
    }
    if (l->type_count < TYPES_MAX) l->types[l->type_count++] = type;
}

static bool is_wanted(const struct listing *l, struct slice path)
{
    if (!slice_starts(path, l->only)) return false;
    return l->only.len == 0 || path.len == l->only.len || strchr(".[", path.ptr[l->only.len]);
}

/* "duration, 100ms to 10m, default 10s" */
static void describe(const struct field *f, struct buf *out)
{
    struct buf initial;
    buf_init(&initial);
    field_print_initial(f, &initial);
    buf_append(out, slice_str(f->type->name));
    if (f->type->print) {
        buf_append(out, SLICE(", "));
        field_print_range(f, out);
    }
    if (f->required) buf_append(out, SLICE(", must be there"));
    if (buf_len(&initial)) buf_printf(out, ", default %.*s", SLICE_FMT(buf_slice(&initial)));
    if (f->env) buf_printf(out, "; the environment variable %s comes before it", f->env);
    buf_clear(&initial);
}

static void print_text(struct listing *l, const struct field *f, struct slice path)
{
    struct buf text;
    buf_init(&text);
    describe(f, &text);
    fprintf(l->to, "%s%.*s\n    %.*s\n    %s\n", l->count ? "\n" : "", SLICE_FMT(path), SLICE_FMT(buf_slice(&text)),
            f->says);
    buf_clear(&text);
}

static void print_row(struct listing *l, const struct field *f, struct slice path)
{
    struct buf text;
    buf_init(&text);
    describe(f, &text);
    fprintf(l->to, "| `%.*s` | %.*s | %s |\n", SLICE_FMT(path), SLICE_FMT(buf_slice(&text)), f->says);
    buf_clear(&text);
}

static void print_field(struct listing *l, const struct field *f, struct slice path)
{
    if (!is_wanted(l, path)) return;
    l->print(l, f, path);
    l->count++;
    note_type(l, f->type);
}

static void print_fields(struct listing *l, const struct field *fields, struct slice before)
{
    for (const struct field *f = fields; f->name; f++) {
        struct buf path;
        buf_init(&path);
        buf_printf(&path, "%.*s%s%s", SLICE_FMT(before), before.len ? "." : "", f->name);
        if (f->list) buf_printf(&path, "%s%s", f->list->placeholder[0] == '[' ? "" : ".", f->list->placeholder);
        if (f->group || f->list) {
            print_fields(l, f->group ? f->group : f->list->fields, buf_slice(&path));
        } else {
            print_field(l, f, buf_slice(&path));
        }
        buf_clear(&path);
    }
}

size_t fields_print(FILE *to, const char *only)
{
    struct listing l = {.to = to, .print = print_text, .only = slice_str(only)};
    print_fields(&l, config_fields, SLICE_NONE);
    if (l.count) fputs("\nHow they are written:\n", to);
    for (size_t i = 0; i < l.type_count; i++)
        fprintf(to, "  %-9s %s\n", l.types[i]->name, l.types[i]->takes);
    return l.count;
}

void fields_print_markdown(FILE *to)
{
    struct listing l = {.to = to, .print = print_row};
    fputs("# The fields of moongate.lua\n\n"
          "`moongate help config` prints the same; this file is made by `make reference`, and a test holds it to that. The file\n"
          "returns one table of these fields. What is left out has its default; what is misspelt or out of its range is refused\n"
          "with its line. NAME, URL and the like stand for names of your own.\n\n"
          "| field | how it is written | what it is |\n| --- | --- | --- |\n",
          to);
    print_fields(&l, config_fields, SLICE_NONE);
    fputs("\n## How they are written\n\n| kind | takes |\n| --- | --- |\n", to);
    for (size_t i = 0; i < l.type_count; i++)
        fprintf(to, "| %s | %s |\n", l.types[i]->name, l.types[i]->takes);
}
