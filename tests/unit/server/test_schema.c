/* The rows of moongate.lua's fields: what each tells of itself is what is read, sent to workers and shown. */
#include "../unit.h"

#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "server/config.h"
#include "server/config_schema.h"

static char path[] = "/tmp/moongate-schema-XXXXXX";

typedef void (*visit_fn)(const struct field *f, const char *where, void *arg);

/* Every row that has a value, tables of the operator's names once. */
static void each_row(const struct field *fields, const char *before, visit_fn visit, void *arg)
{
    for (const struct field *f = fields; f->name; f++) {
        char where[128];
        snprintf(where, sizeof where, "%s%s%s%s", before, *before ? "." : "", f->name, f->list ? ".x" : "");
        if (f->group) each_row(f->group, where, visit, arg);
        if (f->list) each_row(f->list->fields, where, visit, arg);
        if (f->type->store != STORE_TABLE) visit(f, where, arg);
    }
}

/* ---- The rows themselves. */

static void check_row(const struct field *f, const char *where, void *arg)
{
    (void)arg;
    size_t says = f->says ? strlen(f->says) : 0;
    if (f->size != f->type->size) UNIT_FAIL("%s: %zu bytes for a %s", where, f->size, f->type->name);
    if (says < 10 || f->says[says - 1] != '.') UNIT_FAIL("%s: not a sentence: %s", where, f->says);
    if (!!f->type->print != (f->max > 0)) UNIT_FAIL("%s: a number has a range, nothing else has one", where);
    if (f->type->print && !f->initial_words && (f->initial < f->min || f->initial > f->max))
        UNIT_FAIL("%s: its default is out of its range", where);
    if (!f->type->read_text == !f->type->read_number) UNIT_FAIL("%s: it is read in one way", where);
}

static void rows_agree_with_themselves(void)
{
    each_row(config_fields, "", check_row, NULL);
}

struct cover {
    unsigned char bytes[HOME_COUNT][1024];
};

static void cover_row(const struct field *f, const char *where, void *arg)
{
    struct cover *c = arg;
    for (size_t i = f->offset; i < f->offset + f->size; i++) {
        if (c->bytes[f->home][i]++) UNIT_FAIL("%s: another row has the same place", where);
    }
}

static void no_two_rows_have_one_place(void)
{
    static struct cover c;
    each_row(given_fields, "", cover_row, &c);
    each_row(config_fields, "", cover_row, &c);
}

/* ---- From process to process. */

#define ITEMS 3u

static void fill(struct arena *arena, const struct field *f, void *value)
{
    uint64_t number = (uint64_t)rand() << 40 ^ (uint64_t)rand() << 20 ^ (uint64_t)rand();
    char text[40];
    size_t len = 1 + (size_t)rand() % (sizeof text - 1); /* an empty one is not shown */
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('!' + rand() % 90);
    switch (f->type->store) {
    case STORE_TABLE: return;
    case STORE_TEXT: *(struct slice *)value = arena_copy(arena, slice_of(text, len)); return;
    case STORE_FLAG: *(bool *)value = rand() % 2; return;
    case STORE_NUMBER: field_set_number(f, value, number); return;
    case STORE_DIGEST: snprintf(value, f->size, "%064d", rand()); return;
    }
}

static void fill_all(struct arena *arena, const struct field *fields, struct field_homes *homes)
{
    for (const struct field *f = fields; f->name; f++) {
        if (f->group) fill_all(arena, f->group, homes);
        if (f->home != HOME_DEFAULTS) fill(arena, f, field_value(homes, f));
        if (!f->list) continue;
        char *items = arena_zalloc(arena, ITEMS * f->list->item_bytes);
        list_set_items(f->list, homes, items, ITEMS);
        for (size_t i = 0; i < ITEMS; i++) {
            homes->at[f->list->home] = items + i * f->list->item_bytes;
            struct slice *name = (struct slice *)(void *)(items + i * f->list->item_bytes + f->list->name);
            *name = arena_copy(arena, i == 0 ? SLICE("a") : i == 1 ? SLICE("b") : SLICE("c"));
            fill_all(arena, f->list->fields, homes);
        }
    }
}

static struct config *random_config(void)
{
    struct config *c = mem_zalloc(1, sizeof *c);
    c->settings = settings_new();
    struct field_homes homes = field_homes_of(c);
    fill_all(&c->settings->arena, given_fields, &homes);
    fill_all(&c->settings->arena, config_fields, &homes);
    return c;
}

static bool is_same_value(const struct field *f, const void *a, const void *b)
{
    if (f->type->store == STORE_TEXT) return slice_equal(*(const struct slice *)a, *(const struct slice *)b);
    return memcmp(a, b, f->size) == 0;
}

/* How many values were compared. */
static unsigned compare(const struct field *fields, struct field_homes *a, struct field_homes *b)
{
    unsigned count = 0;
    for (const struct field *f = fields; f->name; f++) {
        size_t a_count = 0, b_count = 0;
        if (f->group) count += compare(f->group, a, b);
        if (f->type->store != STORE_TABLE && f->home != HOME_DEFAULTS) {
            if (!is_same_value(f, field_value(a, f), field_value(b, f))) UNIT_FAIL("%s differs", f->name);
            count++;
        }
        if (!f->list) continue;
        char *a_items = list_items(f->list, a, &a_count), *b_items = list_items(f->list, b, &b_count);
        EXPECT_INT(a_count, b_count);
        for (size_t i = 0; i < a_count && i < b_count; i++) {
            a->at[f->list->home] = a_items + i * f->list->item_bytes;
            b->at[f->list->home] = b_items + i * f->list->item_bytes;
            EXPECT_SLICE(*(struct slice *)(void *)(a_items + i * f->list->item_bytes + f->list->name),
                         *(struct slice *)(void *)(b_items + i * f->list->item_bytes + f->list->name));
            count += compare(f->list->fields, a, b);
        }
    }
    return count;
}

static void all_values_travel(void)
{
    srand(17);
    for (int round = 0; round < 200; round++) {
        struct buf packed;
        buf_init(&packed);
        struct config *c = random_config();
        config_pack(c, &packed);
        struct config *same = config_unpack(buf_slice(&packed));
        EXPECT(same != NULL);
        if (same) {
            struct field_homes a = field_homes_of(c), b = field_homes_of(same);
            EXPECT_INT(2, compare(given_fields, &a, &b));
            EXPECT(compare(config_fields, &a, &b) >= 19 + ITEMS * (10 + 7));
        }
        config_free(same);
        config_free(c);
        buf_clear(&packed);
    }
}

/* Cut anywhere, and with any byte changed: refused, or something of the same shape; never read beyond. */
static void what_was_damaged_does_no_harm(void)
{
    struct buf packed;
    buf_init(&packed);
    struct config *c = random_config();
    config_pack(c, &packed);
    config_free(c);
    size_t len = buf_len(&packed);
    for (size_t at = 0; at < len; at++) {
        char *copy = mem_alloc(len);
        memcpy(copy, buf_ptr(&packed), len);
        copy[at] = (char)~copy[at];
        config_free(config_unpack(slice_of(copy, len)));
        char *shorter = mem_realloc(copy, at ? at : 1);
        EXPECT(config_unpack(slice_of(shorter, at)) == NULL);
        mem_free(shorter);
    }
    buf_clear(&packed);
}

/* ---- Shown. */

static json_t *at_path(json_t *all, const char *where)
{
    struct slice rest = slice_str(where), part;
    char name[64];
    while (rest.len) {
        part = slice_split(rest, '.', &rest);
        snprintf(name, sizeof name, "%.*s", SLICE_FMT(slice_equal(part, SLICE("x")) ? SLICE("a") : part));
        all = json_object_get(all, name);
    }
    return all;
}

static void expect_shown(const struct field *f, const char *where, void *arg)
{
    json_t *shown = at_path(arg, where);
    if (f->home == HOME_DEFAULTS) return;
    if (!shown) UNIT_FAIL("%s is not shown", where);
    if (f->type->is_secret) EXPECT_STR("(set)", json_string_value(shown));
}

static void all_values_are_shown_but_secrets(void)
{
    struct config *c = random_config();
    struct slice secret = arena_copy(&c->settings->arena, SLICE("sk-hidden"));
    for (size_t i = 0; i < ITEMS; i++) {
        struct provider *p = &c->settings->providers[i];
        struct egress *e = &c->settings->egress[i];
        p->ca_file = p->url = p->kind = SLICE("x");
        e->clearance = e->name = e->header = e->ca_file = SLICE("x");
        p->key = e->secret = c->settings->sinks[i].url = c->settings->sinks[i].secret = secret;
    }
    c->listen = c->admin_listen = c->policies_dir = c->settings->data_dir = SLICE("x");
    json_t *shown = config_show(c);
    each_row(config_fields, "", expect_shown, shown);
    char *text = json_dumps(shown, 0);
    EXPECT(strstr(text, "sk-hidden") == NULL);
    free(text);
    json_decref(shown);
    config_drop_secrets(c);
    for (size_t i = 0; i < ITEMS; i++)
        EXPECT(c->settings->providers[i].key.len == 0 && c->settings->egress[i].secret.len == 0 &&
               c->settings->sinks[i].url.len == 0);
    EXPECT_STR("", secret.ptr); /* wiped, not only forgotten */
    config_free(c);
}

/* ---- Defaults and ranges are those that the reference tells. */

static struct config *load(const char *text, struct report *report)
{
    FILE *file = fopen(path, "w");
    if (!file) exit(1);
    fputs(text, file);
    fclose(file);
    return config_load(path, report);
}

static void expect_initial(const struct field *f, const char *where, void *arg)
{
    struct field_homes *homes = arg;
    if (f->initial_words || f->required || f->home == HOME_DEFAULTS) return;
    const void *value = field_value(homes, f);
    if (f->type == &type_path && f->initial_text) {
        char want[64];
        snprintf(want, sizeof want, "/tmp/%s", f->initial_text);
        EXPECT_STR(want, ((const struct slice *)value)->ptr);
    } else if (f->type->store == STORE_TEXT) {
        EXPECT_SLICE(slice_str(f->initial_text), *(const struct slice *)value);
    } else if (field_number(f, value) != f->initial) {
        UNIT_FAIL("%s: %llu", where, (unsigned long long)field_number(f, value));
    }
}

static void what_is_left_out_has_the_default_of_its_row(void)
{
    struct report *report = report_new();
    struct config *c = load("return { timeouts = { connect = '7ms', upstream_idle = '8ms' },\n"
                            "  providers = { a = { kind = 'openai', url = 'http://x' } },\n"
                            "  egress = { ['http://y'] = {} },\n"
                            "  notify = { s = { kind = 'webhook', url = 'http://z' } } }",
                            report);
    EXPECT(c != NULL);
    if (c) {
        struct field_homes homes = field_homes_of(c);
        homes.at[HOME_PROVIDER] = c->settings->providers;
        homes.at[HOME_EGRESS] = c->settings->egress;
        homes.at[HOME_SINK] = c->settings->sinks;
        each_row(config_fields, "", expect_initial, &homes);
        EXPECT_INT(7, c->settings->providers->connect_timeout_ms);
        EXPECT_INT(8, c->settings->providers->idle_timeout_ms);
        EXPECT(c->settings->providers->total_timeout_ms > 1000);
    }
    config_free(c);
    report_free(report);
}

/* The file that sets one field: its tables, one in the other. */
static void write_field(const char *where, const char *value, struct buf *out)
{
    unsigned open = 1;
    struct slice rest = slice_str(where), part;
    buf_append(out, SLICE("return {"));
    for (; memchr(rest.ptr, '.', rest.len); open++) {
        part = slice_split(rest, '.', &rest);
        if (slice_equal(part, SLICE("x"))) {
            bool is_provider = slice_starts(slice_str(where), SLICE("providers"));
            buf_append(out, slice_str(is_provider ? "x = { kind = 'openai', url = 'http://x', " : "['http://x'] = {"));
        } else {
            buf_printf(out, "%.*s = {", SLICE_FMT(part));
        }
    }
    buf_printf(out, "%.*s = %s", SLICE_FMT(rest), value);
    while (open--)
        buf_append_char(out, '}');
    buf_append_char(out, '\0');
}

static void try_number(const struct field *f, const char *where, uint64_t number, bool is_good)
{
    char value[40];
    struct buf text;
    struct report *report = report_new();
    buf_init(&text);
    bool is_time = f->type == &type_duration || f->type == &type_long_duration;
    snprintf(value, sizeof value, is_time ? "'%llums'" : "%llu", (unsigned long long)number);
    if (f->type == &type_durability || f->type == &type_loss) {
        char name[16];
        f->type->print(number, name, sizeof name);
        snprintf(value, sizeof value, "'%s'", name);
    }
    write_field(where, value, &text);
    if (f->type == &type_durability) { /* "remote" wants a database */
        buf_reset(&text);
        buf_printf(&text, "return {postgres = {url = 'host=x'}, ledger = {durability = %s}}", value);
        buf_append_char(&text, '\0');
    }
    struct config *c = load(buf_ptr(&text), report);
    if (!!c != is_good) UNIT_FAIL("%s is %s", buf_ptr(&text), c ? "taken" : "refused");
    config_free(c);
    report_free(report);
    buf_clear(&text);
}

static void check_range(const struct field *f, const char *where, void *arg)
{
    (void)arg;
    if (!f->type->print) return;
    try_number(f, where, f->min, true);
    try_number(f, where, f->max, true);
    if (f->min > 0) try_number(f, where, f->min - 1, false);
    try_number(f, where, f->max + 1, false);
}

static void numbers_are_taken_in_the_range_of_their_row(void)
{
    each_row(config_fields, "", check_range, NULL);
}

int main(void)
{
    int fd = mkstemp(path);
    if (fd < 0) return 1;
    close(fd);
    RUN(rows_agree_with_themselves);
    RUN(no_two_rows_have_one_place);
    RUN(all_values_travel);
    RUN(what_was_damaged_does_no_harm);
    RUN(all_values_are_shown_but_secrets);
    RUN(what_is_left_out_has_the_default_of_its_row);
    RUN(numbers_are_taken_in_the_range_of_their_row);
    unlink(path);
    return unit_close("schema");
}
