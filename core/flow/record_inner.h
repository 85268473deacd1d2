/*
 * Inside of record.h: the parts of a record, and how members are written. For its files only.
 */
#ifndef MOONGATE_FLOW_RECORD_INNER_H
#define MOONGATE_FLOW_RECORD_INNER_H

#include "flow/record.h"

/* A member's name with all that stands around it, so that it is one copy. */
#define NAME(text) SLICE(",\"" text "\":")

/* The first of an object goes without the comma. */
static inline void append_name(struct buf *out, struct slice name)
{
    size_t comma = buf_ptr(out)[buf_len(out) - 1] == '{';
    buf_append(out, slice_of(name.ptr + comma, name.len - comma));
}

static inline void append_text(struct buf *out, struct slice name, struct slice value)
{
    append_name(out, name);
    if (value.ptr)
        buf_append_json(out, value);
    else
        buf_append(out, SLICE("null"));
}

/* Empty means not said: the field is left out. */
static inline void append_some(struct buf *out, struct slice name, struct slice value)
{
    if (value.len) append_text(out, name, value);
}

static inline void append_number(struct buf *out, struct slice name, uint64_t value)
{
    append_name(out, name);
    buf_append_u64(out, value);
}

static inline void append_flag(struct buf *out, struct slice name, bool is_set)
{
    if (!is_set) return;
    append_name(out, name);
    buf_append(out, SLICE("true"));
}

static inline void append_open(struct buf *out, struct slice name, char bracket)
{
    append_name(out, name);
    buf_append_char(out, bracket);
}

/* Left out when there is none. */
static inline void append_list(struct buf *out, struct slice name, const struct slice *list, size_t count)
{
    if (!count) return;
    append_open(out, name, '[');
    for (size_t i = 0; i < count; i++) {
        if (i) buf_append_char(out, ',');
        buf_append_json(out, list[i]);
    }
    buf_append_char(out, ']');
}

/* record_who.c: who asked, and by what */
void record_who(struct buf *out, const struct exchange *x);
void record_client(struct buf *out, const struct exchange *x);
/* record_decision.c: what was decided, and how */
void record_verdict(struct buf *out, const struct exchange *x);
void record_trace(struct buf *out, const struct trace *trace);
void record_annotations(struct buf *out, const struct exchange *x);
void record_redaction(struct buf *out, const struct redact *r);
/* record_money.c: what was called, used and paid for */
void record_estimate(struct buf *out, const struct exchange *x);
void record_bill(struct buf *out, const struct exchange *x);
void record_holds(struct buf *out, const struct exchange *x);
void record_attempts(struct buf *out, const struct exchange *x);
void record_ms(struct buf *out, struct slice name, uint64_t from_ns, uint64_t to_ns);
/* record_facts.c: what policies may read */
void record_facts(struct buf *out, const struct exchange *x);
/* … and what the provider keeps from now on, as its own ids say */
void record_objects(struct buf *out, const struct exchange *x);

#endif
