#include "admin/api/list.h"

#include <jansson.h>

#include "admin/api/answer.h"
#include "admin/api/body.h"

/* What tells an item from the others of its list: its id, its name, else the change that made it. */
static struct slice mark_of(struct arena *arena, const json_t *item)
{
    static const char *const names[] = {"id", "name", "provider"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const json_t *text = json_object_get(item, names[i]);
        if (text) return slice_of(json_string_value(text), json_string_length(text));
    }
    return arena_printf(arena, "%lld", (long long)json_integer_value(json_object_get(item, "rev")));
}

static bool read_limit(struct api_call *call, size_t *limit)
{
    uint64_t number = LIST_ITEMS;
    struct slice text = body_query(call, SLICE("limit"));
    bool is_good = !text.len || (slice_to_u64(text, &number) && number >= 1 && number <= LIST_ITEMS_MAX);
    *limit = (size_t)number;
    return is_good || answer_refuse(call, 400, "invalid_limit", "limit", "write a number from 1 to 500",
                                    "?limit=%.*s is none", SLICE_FMT(text));
}

/* The item behind that which the cursor names. */
static bool find_first(struct api_call *call, const json_t *items, size_t *first)
{
    size_t count = json_array_size(items);
    struct slice cursor = body_query(call, SLICE("cursor"));
    *first = 0;
    if (!cursor.len) return true;
    while (*first < count)
        if (slice_equal(mark_of(&call->arena, json_array_get(items, (*first)++)), cursor)) return true;
    return answer_refuse(call, 400, "invalid_cursor", "cursor", "begin again without a cursor",
                         "?cursor= names nothing that is in this list now");
}

static json_t *page_of(const json_t *items, size_t first, size_t end)
{
    json_t *page = json_array();
    for (size_t i = first; i < end; i++)
        json_array_append(page, json_array_get(items, i));
    return page;
}

void list_give(struct api_call *call, json_t *items)
{
    size_t limit, first, count = json_array_size(items);
    if (read_limit(call, &limit) && find_first(call, items, &first)) {
        size_t end = count - first > limit ? first + limit : count;
        struct slice last = end < count ? mark_of(&call->arena, json_array_get(items, end - 1)) : SLICE_NONE;
        json_t *next = end < count ? json_stringn(last.ptr, last.len) : json_null();
        answer_give(call, 200, json_pack("{s:o, s:o, s:I}", "items", page_of(items, first, end), "next", next,
                                         "total", (json_int_t)count));
    }
    json_decref(items);
}
