#include "base/mem.h"
#include "lua/eval.h"

void policy_errors_init(struct policy_errors *errors)
{
    *errors = (struct policy_errors){0};
    arena_init(&errors->arena);
}

void policy_errors_clear(struct policy_errors *errors)
{
    mem_free(errors->items);
    arena_clear(&errors->arena);
    policy_errors_init(errors);
}

void policy_errors_add(struct policy_errors *errors, const struct policy_error *error)
{
    if (errors->count == errors->cap) {
        errors->cap = errors->cap ? errors->cap * 2 : 8;
        errors->items = mem_realloc(errors->items, errors->cap * sizeof *errors->items);
    }
    struct policy_error *copy = &errors->items[errors->count++];
    *copy = *error;
    copy->file = arena_copy(&errors->arena, error->file);
    copy->text = arena_copy(&errors->arena, error->text);
    copy->hint = arena_copy(&errors->arena, error->hint);
    if (!finding_is_warning(error->finding)) errors->error_count++;
}

static int by_place(const void *a, const void *b)
{
    const struct policy_error *x = a, *y = b;
    size_t len = x->file.len < y->file.len ? x->file.len : y->file.len;
    int order = memcmp(x->file.ptr, y->file.ptr, len);
    if (order) return order;
    if (x->file.len != y->file.len) return x->file.len < y->file.len ? -1 : 1;
    if (x->line != y->line) return x->line < y->line ? -1 : 1;
    return x->column < y->column ? -1 : x->column > y->column;
}

void policy_errors_sort(struct policy_errors *errors)
{
    if (errors->count) qsort(errors->items, errors->count, sizeof *errors->items, by_place);
}

/* The text of a line, from 1; SLICE_NONE beyond the end. */
static struct slice line_of(struct slice text, int line)
{
    struct slice rest = text, one = SLICE_NONE;
    for (int i = 0; i < line; i++) {
        if (rest.len == 0) return SLICE_NONE;
        one = slice_split(rest, '\n', &rest);
    }
    return one;
}

static void print_excerpt(const struct policy_error *error, const struct bundle *bundle, struct buf *out)
{
    struct slice prefix = SLICE("policies/");
    if (!bundle || error->line == 0 || !slice_starts(error->file, prefix)) return;
    const struct bundle_file *file =
        bundle_find(bundle, slice_of(error->file.ptr + prefix.len, error->file.len - prefix.len));
    struct slice line = file ? line_of(file->text, error->line) : SLICE_NONE;
    if (!line.ptr) return;
    buf_printf(out, "    | %.*s\n", SLICE_FMT(line));
    if (error->column == 0) return;
    buf_append(out, SLICE("    | "));
    for (int i = 1; i < error->column && (size_t)i <= line.len; i++)
        buf_append_char(out, line.ptr[i - 1] == '\t' ? '\t' : ' ');
    buf_append(out, SLICE("^\n"));
}

void policy_errors_print(const struct policy_errors *errors, const struct bundle *bundle, struct buf *out)
{
    for (size_t i = 0; i < errors->count; i++) {
        const struct policy_error *error = &errors->items[i];
        buf_append(out, error->file);
        if (error->line) buf_printf(out, ":%d", error->line);
        if (error->line && error->column) buf_printf(out, ":%d", error->column);
        buf_printf(out, ": %s%.*s", finding_is_warning(error->finding) ? "warning: " : "", SLICE_FMT(error->text));
        if (error->hint.len) buf_printf(out, " (%.*s)", SLICE_FMT(error->hint));
        buf_append_char(out, '\n');
        print_excerpt(error, bundle, out);
    }
}
