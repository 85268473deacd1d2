#include <jansson.h>

#include "server/config.h"
#include "server/config_schema.h"

static json_t *show_text(const struct field *f, struct slice text)
{
    if (f->type->is_secret) return text.len ? json_string("(set)") : json_null();
    return text.len ? json_stringn(text.ptr, text.len) : NULL;
}

/* Counts stay numbers; what has a unit is shown with it. */
static json_t *show_number(const struct field *f, uint64_t number)
{
    char text[32];
    if (f->type == &type_count || f->type == &type_count64) return json_integer((json_int_t)number);
    f->type->print(number, text, sizeof text);
    return json_string(text);
}

static json_t *show_fields(const struct field *fields, struct field_homes *homes);

static json_t *show_list(const struct field_list *list, struct field_homes *homes)
{
    json_t *all = json_object();
    size_t count;
    char *items = list_items(list, homes, &count);
    for (size_t i = 0; i < count; i++) {
        homes->at[list->home] = items + i * list->item_bytes;
        const struct slice *name = (const struct slice *)(const void *)(items + i * list->item_bytes + list->name);
        json_object_set_new(all, name->ptr, show_fields(list->fields, homes));
    }
    return all;
}

/* NULL: there is nothing to show. */
static json_t *show_field(const struct field *f, struct field_homes *homes)
{
    if (f->home == HOME_DEFAULTS) return NULL;
    const void *value = field_value(homes, f);
    switch (f->type->store) {
    case STORE_TABLE: return f->list ? show_list(f->list, homes) : show_fields(f->group, homes);
    case STORE_TEXT: return show_text(f, *(const struct slice *)value);
    case STORE_NUMBER: return show_number(f, field_number(f, value));
    case STORE_FLAG: return json_boolean(field_number(f, value));
    case STORE_DIGEST: return json_string(value);
    }
    return NULL;
}

static json_t *show_fields(const struct field *fields, struct field_homes *homes)
{
    json_t *all = json_object();
    for (const struct field *f = fields; f->name; f++) {
        json_t *shown = show_field(f, homes);
        if (shown) json_object_set_new(all, f->name, shown);
    }
    return all;
}

json_t *config_show(const struct config *c)
{
    struct field_homes homes = field_homes_of(c);
    json_t *all = show_fields(given_fields, &homes), *fields = show_fields(config_fields, &homes);
    json_object_update(all, fields);
    json_decref(fields);
    return all;
}
