#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/csv.h"
#include "base/mem.h"
#include "base/visible.h"
#include "store/registry/review_evidence.h"
#include "store/registry/reviews_inner.h"

/* ---- One item, as texts. */

enum { N, KIND, OBJECT, SUBJECT, DEPARTMENT, ROLE, FACTS, RECOMMEND, REASON, DECISION, BY, AT, NOTE, EFFECT, AFTER,
       COLUMNS };

static const struct {
    const char *head, *member;
} columns[COLUMNS] = {
    [N] = {"n", "n"},
    [KIND] = {"kind", "kind"},
    [OBJECT] = {"object", "object"},
    [SUBJECT] = {"subject", "subject"},
    [DEPARTMENT] = {"department", "department"},
    [ROLE] = {"role", "role"},
    [FACTS] = {"facts", "facts"},
    [RECOMMEND] = {"recommended", "recommend"},
    [REASON] = {"why", "why"},
    [DECISION] = {"decision", "decision"},
    [BY] = {"decided_by", "decided_by"},
    [AT] = {"decided_at", "decided_at"},
    [NOTE] = {"note", "note"},
    [EFFECT] = {"effect", "effect"},
    [AFTER] = {"after", NULL},
};

static void append_instant(struct buf *out, int64_t at_s)
{
    char text[CLOCK_TEXT_BYTES];
    if (at_s <= 0) return;
    clock_format((uint64_t)at_s * NS_PER_S, text);
    buf_append(out, slice_str(text));
}

static void append_value(struct buf *out, const json_t *value)
{
    if (json_is_string(value)) buf_append(out, slice_of(json_string_value(value), json_string_length(value)));
    if (json_is_integer(value)) buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    if (!json_is_object(value)) return;
    char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);
    buf_append(out, slice_str(text ? text : ""));
    mem_free(text);
}

static void cell(struct buf *out, const json_t *item, const json_t *after, int column)
{
    buf_reset(out);
    if (column == AT) append_instant(out, review_number(item, "decided_at"));
    else if (column == AFTER) append_value(out, json_object_get(after, "state"));
    else append_value(out, json_object_get(item, columns[column].member));
}

static const json_t *list_of(const json_t *document, const char *name)
{
    return json_object_get(json_object_get(document, "evidence"), name);
}

/* ---- For spreadsheets. */

void review_evidence_csv(const json_t *document, struct buf *out)
{
    size_t i;
    json_t *item;
    struct buf text;
    buf_init(&text);
    for (int c = 0; c < COLUMNS; c++)
        buf_printf(out, "%s%s", c ? "," : "", columns[c].head);
    buf_append(out, SLICE("\r\n"));
    json_array_foreach ((json_t *)(uintptr_t)list_of(document, "before"), i, item) {
        for (int c = 0; c < COLUMNS; c++) {
            cell(&text, item, json_array_get(list_of(document, "after"), i), c);
            if (c) buf_append_char(out, ',');
            csv_append_cell(out, buf_slice(&text));
        }
        buf_append(out, SLICE("\r\n"));
    }
    buf_clear(&text);
}

/* ---- For people. */

/* What would end a cell, or be more than text. */
static void append_escaped(struct buf *out, struct slice text)
{
    struct buf seen;
    buf_init(&seen);
    visible_append(&seen, text, false);
    for (size_t i = 0; i < buf_len(&seen); i++) {
        char c = buf_ptr(&seen)[i];
        if (strchr("|\\`*_<>[]&", c) && c) buf_append_char(out, '\\');
        buf_append_char(out, c == '\n' ? ' ' : c);
    }
    buf_clear(&seen);
}

static void append_head(struct buf *out, const json_t *document)
{
    const json_t *evidence = json_object_get(document, "evidence"), *review = json_object_get(evidence, "review");
    const json_t *as_of = json_object_get(review, "as_of");
    buf_append(out, SLICE("# Access review "));
    append_escaped(out, slice_str(review_text(review, "id")));
    buf_append(out, SLICE(": "));
    append_escaped(out, slice_str(review_text(review, "plan")));
    buf_append(out, SLICE("\n\nOpened "));
    append_instant(out, review_number(review, "opened_at"));
    buf_append(out, SLICE(", due "));
    append_instant(out, review_number(review, "due_at"));
    buf_append(out, SLICE(", completed "));
    append_instant(out, review_number(evidence, "completed_at"));
    buf_append(out, SLICE(" by "));
    append_escaped(out, slice_str(review_text(evidence, "completed_by")));
    buf_printf(out, ".\nRegistry revision %" PRId64 ", policies ", review_number(as_of, "revision"));
    append_escaped(out, slice_str(review_text(as_of, "bundle")));
    buf_printf(out, ", ledger up to %" PRId64 ".\n", review_number(as_of, "ledger_seq"));
    buf_printf(out, "%zu items, %zu of which nobody answered.\n", json_array_size(json_object_get(evidence, "before")),
               json_array_size(json_object_get(evidence, "unanswered")));
    buf_printf(out, "SHA-256 %s, signed with %s.\n\n", review_text(document, "sha256"), review_text(document, "key"));
}

void review_evidence_markdown(const json_t *document, struct buf *out)
{
    static const int shown[] = {N, KIND, OBJECT, SUBJECT, RECOMMEND, REASON, DECISION, BY, AT, NOTE, AFTER};
    size_t i, count = sizeof shown / sizeof shown[0];
    json_t *item;
    struct buf text;
    buf_init(&text);
    append_head(out, document);
    for (size_t c = 0; c < count; c++)
        buf_printf(out, "| %s ", columns[shown[c]].head);
    buf_append(out, SLICE("|\n"));
    for (size_t c = 0; c < count; c++)
        buf_append(out, SLICE("|---"));
    buf_append(out, SLICE("|\n"));
    json_array_foreach ((json_t *)(uintptr_t)list_of(document, "before"), i, item) {
        for (size_t c = 0; c < count; c++) {
            cell(&text, item, json_array_get(list_of(document, "after"), i), shown[c]);
            buf_append(out, SLICE("| "));
            append_escaped(out, buf_slice(&text));
            buf_append_char(out, ' ');
        }
        buf_append(out, SLICE("|\n"));
    }
    buf_clear(&text);
}
