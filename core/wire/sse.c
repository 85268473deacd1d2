#include "wire/sse.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define NOT_YET SIZE_MAX

/* Where the next byte stands. */
enum place {
    LINE_START,
    IN_LINE,
    LINE_CR,  /* behind a CR that ended a line: a LF here is its second half */
    BLANK_CR, /* behind the CR of a blank line in a CRLF stream: the event is complete, its LF still comes */
};

struct sse_parser {
    struct buf held; /* the event so far, when it began in an earlier span */
    size_t event_bytes_max;
    enum place place;
    bool was_crlf;     /* the line before ended in CRLF */
    bool has_begun;    /* the first event is through: no byte order mark any more */
    bool is_oversized; /* the event under way is over the bound and reported in pieces */
    bool ended_inside; /* the input ended inside such an event */
};

struct sse_parser *sse_new(void)
{
    struct sse_parser *p = mem_zalloc(1, sizeof *p);
    p->event_bytes_max = LIMIT_EVENT_BYTES;
    return p;
}

void sse_keep(struct sse_parser *p, size_t event_bytes_max)
{
    p->event_bytes_max = event_bytes_max;
}

void sse_free(struct sse_parser *p)
{
    if (!p) return;
    buf_clear(&p->held);
    mem_free(p);
}

static size_t find_line_end(const char *bytes, size_t at, size_t len)
{
#ifdef __SSE2__
    const __m128i lf = _mm_set1_epi8('\n'), cr = _mm_set1_epi8('\r');
    for (; len - at >= 16; at += 16) {
        __m128i block = _mm_loadu_si128((const __m128i *)(const void *)(bytes + at));
        int ends = _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(block, lf), _mm_cmpeq_epi8(block, cr)));
        if (ends) return at + (size_t)__builtin_ctz((unsigned)ends);
    }
#endif
    while (at < len && bytes[at] != '\n' && bytes[at] != '\r')
        at++;
    return at;
}

/* Bytes of the span that belong to the event under way when it ends here; NOT_YET when it goes on. 0: it was complete
 * before the span, and no LF came. */
static size_t find_event_end(struct sse_parser *p, const char *bytes, size_t len)
{
    for (size_t at = 0; at < len; at++) {
        if (p->place == LINE_CR || p->place == BLANK_CR) {
            bool is_blank = p->place == BLANK_CR, is_lf = bytes[at] == '\n';
            p->was_crlf = is_lf;
            p->place = LINE_START;
            if (is_blank) return at + is_lf;
            if (is_lf) continue;
        }
        bool is_blank = p->place == LINE_START;
        size_t end = find_line_end(bytes, at, len);
        if (end > at) is_blank = false;
        at = end;
        if (at == len) {
            p->place = IN_LINE;
            break;
        }
        if (bytes[at] == '\n') {
            p->was_crlf = false;
            p->place = LINE_START;
        } else {
            p->place = is_blank && p->was_crlf ? BLANK_CR : LINE_CR;
        }
        if (is_blank && p->place != BLANK_CR) return at + 1;
    }
    return NOT_YET;
}

/* The data lines so far: the first as it stands, several joined in memory of their own. */
struct data {
    struct slice first;
    struct buf joined;
    size_t count;
};

static void add_data(struct data *data, struct slice value)
{
    if (data->count == 0) {
        data->first = value;
    } else {
        if (data->count == 1) buf_append(&data->joined, data->first);
        buf_append_char(&data->joined, '\n');
        buf_append(&data->joined, value);
    }
    data->count++;
}

static void read_field(struct sse_event *event, struct data *data, struct slice line)
{
    struct slice value, field = slice_split(line, ':', &value);
    uint64_t retry_ms;
    if (value.len > 0 && value.ptr[0] == ' ') value = slice_of(value.ptr + 1, value.len - 1);
    if (slice_equal(field, SLICE("data"))) {
        add_data(data, value);
    } else if (slice_equal(field, SLICE("event"))) {
        event->name = value;
    } else if (slice_equal(field, SLICE("id"))) {
        if (!value.len || !memchr(value.ptr, '\0', value.len)) event->id = value;
    } else if (slice_equal(field, SLICE("retry"))) {
        if (slice_to_u64(value, &retry_ms) && retry_ms <= INT64_MAX) event->retry_ms = (int64_t)retry_ms;
    }
}

static void read_lines(struct sse_event *event, struct data *data, struct slice text)
{
    for (size_t at = 0; at < text.len; at++) {
        size_t end = find_line_end(text.ptr, at, text.len);
        if (end > at && text.ptr[at] != ':') read_field(event, data, slice_of(text.ptr + at, end - at));
        /* The LF of a CRLF is one more empty line, which changes nothing inside an event. */
        at = end;
    }
}

static void report(struct sse_parser *p, struct slice raw, bool is_tail, sse_event_fn on_event, void *arg)
{
    struct data data = {0};
    struct sse_event event = {.raw = raw, .retry_ms = -1, .ends = !is_tail, .is_tail = is_tail};
    struct slice text = raw;
    if (!p->has_begun && slice_starts(raw, SLICE("\xEF\xBB\xBF"))) text = slice_of(raw.ptr + 3, raw.len - 3);
    p->has_begun = true;
    read_lines(&event, &data, text);
    event.data = data.count > 1 ? buf_slice(&data.joined) : data.first;
    event.is_comment_only = data.count == 0;
    on_event(arg, &event);
    buf_clear(&data.joined);
}

static void report_piece(struct slice raw, bool ends, sse_event_fn on_event, void *arg)
{
    struct sse_event event = {.raw = raw, .retry_ms = -1, .is_raw = true, .ends = ends};
    if (raw.len || ends) on_event(arg, &event);
}

/* The next bytes of the event under way, which `ends` with them or goes on. */
static void take(struct sse_parser *p, struct slice bytes, bool ends, sse_event_fn on_event, void *arg)
{
    if (p->is_oversized || buf_len(&p->held) + bytes.len > p->event_bytes_max) {
        report_piece(buf_slice(&p->held), false, on_event, arg);
        report_piece(bytes, ends, on_event, arg);
        buf_clear(&p->held);
        p->has_begun = true;
        p->is_oversized = !ends;
    } else if (!ends) {
        buf_append(&p->held, bytes);
    } else if (buf_len(&p->held) == 0) {
        report(p, bytes, false, on_event, arg);
    } else {
        buf_append(&p->held, bytes);
        report(p, buf_slice(&p->held), false, on_event, arg);
        buf_clear(&p->held);
    }
}

void sse_feed(struct sse_parser *p, struct slice bytes, sse_event_fn on_event, void *arg)
{
    p->ended_inside = false;
    while (bytes.len > 0) {
        size_t end = find_event_end(p, bytes.ptr, bytes.len);
        size_t len = end == NOT_YET ? bytes.len : end;
        take(p, slice_of(bytes.ptr, len), end != NOT_YET, on_event, arg);
        bytes = slice_of(bytes.ptr + len, bytes.len - len);
    }
}

void sse_finish(struct sse_parser *p, sse_event_fn on_event, void *arg)
{
    if (p->place == BLANK_CR) {
        take(p, SLICE(""), true, on_event, arg);
    } else if (buf_len(&p->held) > 0) {
        report(p, buf_slice(&p->held), true, on_event, arg);
    }
    buf_clear(&p->held);
    *p = (struct sse_parser){.event_bytes_max = p->event_bytes_max, .ended_inside = p->is_oversized};
}

size_t sse_held_bytes(const struct sse_parser *p)
{
    return buf_len(&p->held);
}

bool sse_is_at_boundary(const struct sse_parser *p)
{
    return !p->is_oversized && !p->ended_inside;
}

/* ---- Lines in pieces. */

/* Where the next byte of an event in pieces stands in its line. */
enum { FIELD, BEFORE_DATA, DATA, BEFORE_NAME, NAME, OTHER };

static struct slice field_of(const struct sse_lines *l)
{
    struct slice field = slice_of(l->field, l->field_len);
    bool has_mark = slice_starts(field, SLICE("\xEF\xBB\xBF"));
    return has_mark ? slice_of(field.ptr + 3, field.len - 3) : field;
}

static void end_field(struct sse_lines *l, sse_data_fn on_data, void *arg)
{
    struct slice field = field_of(l);
    l->place = OTHER;
    if (slice_equal(field, SLICE("data"))) {
        if (l->has_data) on_data(arg, SLICE("\n"));
        l->has_data = true;
        l->place = BEFORE_DATA;
    } else if (slice_equal(field, SLICE("event"))) {
        l->name_len = 0;
        l->place = BEFORE_NAME;
    }
}

static void read_field_byte(struct sse_lines *l, char c, sse_data_fn on_data, void *arg)
{
    if (c == ':')
        end_field(l, on_data, arg);
    else if (l->field_len < SSE_FIELD_BYTES)
        l->field[l->field_len++] = c;
}

/* A field without a colon is one without a value. */
static void end_line(struct sse_lines *l, sse_data_fn on_data, void *arg)
{
    if (l->place == FIELD) end_field(l, on_data, arg);
    l->place = FIELD;
    l->field_len = 0;
}

/* Bytes taken, at least one. */
static size_t read_run(struct sse_lines *l, struct slice run, sse_data_fn on_data, void *arg)
{
    switch (l->place) {
    case FIELD: read_field_byte(l, run.ptr[0], on_data, arg); return 1;
    case BEFORE_DATA:
    case BEFORE_NAME:
        l->place = l->place == BEFORE_DATA ? DATA : NAME;
        if (run.ptr[0] == ' ') return 1;
        return read_run(l, run, on_data, arg);
    case DATA: on_data(arg, run); return run.len;
    case NAME:
        if (l->name_len < SSE_NAME_BYTES) l->name[l->name_len++] = run.ptr[0];
        return 1;
    }
    return run.len;
}

/* A line's end is looked for once: a field without an end is read byte by byte. */
void sse_lines_feed(struct sse_lines *l, struct slice raw, sse_data_fn on_data, void *arg)
{
    for (size_t at = 0, end; at < raw.len; at = end) {
        end = find_line_end(raw.ptr, at, raw.len);
        while (at < end)
            at += read_run(l, slice_of(raw.ptr + at, end - at), on_data, arg);
        if (end == raw.len) return;
        end_line(l, on_data, arg);
        end++;
    }
}

struct slice sse_lines_name(const struct sse_lines *l)
{
    return slice_of(l->name, l->name_len);
}
