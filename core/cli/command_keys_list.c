#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "cli/folder.h"
#include "cli/keys_inner.h"

/* ---- A cell of each column: its text, "-" where the key says nothing. */

typedef const char *(*cell_fn)(const json_t *key, const char *name, struct arena *arena);

static const char *text_cell(const json_t *key, const char *name, struct arena *arena)
{
    const char *text = json_string_value(json_object_get(key, name));
    (void)arena;
    return text && *text ? text : "-";
}

static const char *list_cell(const json_t *key, const char *name, struct arena *arena)
{
    const char *text = "";
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(key, name), i, item)
    {
        text = arena_printf(arena, "%s%s%s", text, *text ? "," : "", json_string_value(item)).ptr;
    }
    return *text ? text : "-";
}

static const char *labels_cell(const json_t *key, const char *name, struct arena *arena)
{
    const char *text = "", *label;
    json_t *value;
    json_object_foreach(json_object_get(key, name), label, value)
    {
        text = arena_printf(arena, "%s%s%s=%s", text, *text ? "," : "", label, json_string_value(value)).ptr;
    }
    return *text ? text : "-";
}

static const char *day_cell(const json_t *key, const char *name, struct arena *arena)
{
    char *text = arena_alloc(arena, CLOCK_TEXT_BYTES);
    keys_format_day((uint64_t)json_integer_value(json_object_get(key, name)), text);
    return text;
}

static const char *state_cell(const json_t *key, const char *name, struct arena *arena)
{
    json_int_t expires = json_integer_value(json_object_get(key, "expires_at"));
    const char *successor = json_string_value(json_object_get(key, "successor"));
    (void)name;
    if (json_is_true(json_object_get(key, "revoked")))
        return arena_printf(arena, "revoked %s", day_cell(key, "revoked_at", arena)).ptr;
    bool is_over = expires && (uint64_t)expires <= clock_wall_ns() / NS_PER_S;
    if (successor && *successor)
        return arena_printf(arena, "%s, now %s", is_over ? "rotated" : "in grace", successor).ptr;
    return is_over ? "expired" : "live";
}

static const struct column {
    const char *head, *name;
    cell_fn cell;
} columns[] = {{"ID", "id", text_cell},
               {"TAIL", "tail", text_cell},
               {"APP", "app", text_cell},
               {"DEPARTMENT", "department", text_cell},
               {"USER", "user", text_cell},
               {"TEAM", "team", text_cell},
               {"ROLES", "roles", list_cell},
               {"CLEARANCE", "clearance", text_cell},
               {"ENV", "env", text_cell},
               {"TIER", "tier", text_cell},
               {"REGION", "region", text_cell},
               {"LABELS", "labels", labels_cell},
               {"APPROVED", "approvals", list_cell},
               {"CREATED", "created_at", day_cell},
               {"EXPIRES", "expires_at", day_cell},
               {"STATE", "", state_cell}};

enum { COLUMN_COUNT = sizeof columns / sizeof columns[0], COLUMNS_ALWAYS = 5 };

/* ---- The table: tabs into a pipe, with all columns; aligned on a terminal, without those that no key fills. */

static int characters(const char *text)
{
    int n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

static void measure(const char **cells, size_t rows, int widths[COLUMN_COUNT])
{
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        bool is_said = c < COLUMNS_ALWAYS;
        widths[c] = characters(columns[c].head);
        for (size_t r = 0; r < rows; r++) {
            int n = characters(cells[r * COLUMN_COUNT + c]);
            if (n > widths[c]) widths[c] = n;
            is_said |= strcmp(cells[r * COLUMN_COUNT + c], "-") != 0;
        }
        if (!is_said) widths[c] = 0;
    }
}

static void print_cell(const char *text, int width, bool is_last)
{
    fputs(text, stdout);
    for (int pad = characters(text); !is_last && pad < width + 2; pad++)
        fputc(' ', stdout);
}

static void print_row(const char **cells, const int widths[COLUMN_COUNT], bool is_aligned)
{
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        bool is_last = c == COLUMN_COUNT - 1;
        if (is_aligned && widths[c]) print_cell(cells[c], widths[c], is_last);
        if (!is_aligned) printf("%s%s", cells[c], is_last ? "" : "\t");
    }
    fputc('\n', stdout);
}

static void print_keys(const json_t *keys)
{
    struct arena arena;
    int widths[COLUMN_COUNT];
    size_t rows = json_array_size(keys), r;
    const char *heads[COLUMN_COUNT];
    json_t *key;
    bool is_aligned = isatty(STDOUT_FILENO);
    arena_init(&arena);
    const char **cells = arena_alloc(&arena, (rows + 1) * sizeof heads);
    for (size_t c = 0; c < COLUMN_COUNT; c++)
        heads[c] = columns[c].head;
    json_array_foreach(keys, r, key)
    {
        for (size_t c = 0; c < COLUMN_COUNT; c++)
            cells[r * COLUMN_COUNT + c] = columns[c].cell(key, columns[c].name, &arena);
    }
    measure(cells, rows, widths);
    print_row(heads, widths, is_aligned);
    for (r = 0; r < rows; r++)
        print_row(cells + r * COLUMN_COUNT, widths, is_aligned);
    arena_clear(&arena);
}

int command_keys_list(int argc, char **argv)
{
    struct common_options common;
    struct fault why;
    if (!cli_options(argc, argv, NULL, &common, NULL, NULL, 0)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"keys", "list"});
    char *data_dir = folder_find(common.config);
    if (!data_dir) return CLI_USAGE;
    json_t *keys = registry_read_all_keys(data_dir, &why);
    mem_free(data_dir);
    if (!keys) return cli_error(CLI_USAGE, NULL, "%s", fault_message(&why));
    if (common.is_json) {
        cli_print_json(json_pack("{s:o}", "keys", keys));
        return CLI_OK;
    }
    print_keys(keys);
    json_decref(keys);
    return CLI_OK;
}
