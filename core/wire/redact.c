#include "wire/redact.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/hex.h"
#include "wire/look.h"

#define PIECE_BYTES (64u * 1024) /* scanned in one call: well below a millisecond */
#define FIRST_HITS 16u
#define FIRST_VALUES 16u /* a power of two */
#define NUMBER_BYTES 24u

/* One thing that was found, as often as it stands there. */
struct value {
    unsigned kind;
    uint64_t hash;
    struct slice text;
    struct slice placeholder; /* empty until somebody needs it */
    bool is_callers;          /* it stood in the request */
};

/* Where in the body it stands, as it is spelt there. */
struct hit {
    size_t from, to;
    uint32_t value;
    unsigned char depth; /* strings of JSON that it stands in, in the body */
    bool is_number;      /* of JSON: a string takes its place */
};

/* Walks a string as it is written beside its decoded text, always forwards. A value that is read as its JSON is written
 * as it is read. */
struct spelling {
    const char *raw;
    size_t raw_at, text_at;
    bool is_json;
};

/* How often what was found. Most requests and answers hold nothing of the kind, and carry none. */
struct tally {
    uint32_t found[REDACT_KINDS_MAX];
    uint32_t taken[REDACT_KINDS_MAX]; /* the highest number of a placeholder that stands in the caller's text */
    struct given {
        uint32_t *values; /* of the placeholders taken + 1, taken + 2, … */
        uint32_t count, cap;
    } given[REDACT_KINDS_MAX];
    struct redact_counts answer;
};

static const struct tally nothing; /* read through r->tally, and replaced before the first write: tally() */

struct redact {
    const struct redact_rules *rules;
    struct arena *arena;

    /* where the scan is */
    bool is_done, is_cut, is_foreign, is_too_deep, is_answer_too_deep;
    struct chat_reading reading;
    struct look look;
    struct memo *memo; /* NULL: none */
    struct quiet quiet;
    size_t scanned_bytes;
    struct spelling spelling;
    const char *body;

    struct hit *hits;
    uint32_t hit_count, hit_cap;
    struct value *values;
    uint32_t value_count, value_cap;
    uint32_t *slots; /* 1 + number of a value; open addressing, twice value_cap long */
    struct tally *tally; /* &nothing until there is something */
    uint64_t masks;
};

void redact_rules_index(struct redact_rules *rules)
{
    for (unsigned kind = 0; kind < detect_kind_count(rules->detect); kind++) {
        struct slice name = detect_kind_name(rules->detect, kind);
        rules->kinds_of_letter[(unsigned char)name.ptr[0]] |= (uint64_t)1 << kind;
    }
}

struct redact *redact_new(const struct redact_rules *rules, struct arena *arena)
{
    struct redact *r = arena_zalloc(arena, sizeof *r);
    r->rules = rules;
    r->arena = arena;
    r->reading = CHAT_READING;
    r->tally = (struct tally *)(uintptr_t)&nothing;
    return r;
}

void redact_remember(struct redact *r, struct memo *memo)
{
    r->memo = memo;
}

static struct tally *tally(struct redact *r)
{
    if (r->tally == &nothing) r->tally = arena_zalloc(r->arena, sizeof *r->tally);
    return r->tally;
}

const struct redact_rules *redact_rules_of(const struct redact *r)
{
    return r->rules;
}

/* --- values --- */

static uint64_t hash_of(unsigned kind, struct slice text)
{
    return hash_secret(text) + kind;
}

static uint32_t *find_slot(const struct redact *r, unsigned kind, uint64_t hash, struct slice text)
{
    uint32_t mask = 2 * r->value_cap - 1, slot = (uint32_t)hash & mask;
    for (; r->slots[slot]; slot = (slot + 1) & mask) {
        const struct value *v = &r->values[r->slots[slot] - 1];
        if (v->hash == hash && v->kind == kind && slice_equal(v->text, text)) break;
    }
    return &r->slots[slot];
}

static void grow_values(struct redact *r)
{
    uint32_t cap = r->value_cap ? 2 * r->value_cap : FIRST_VALUES;
    struct value *values = arena_alloc(r->arena, cap * sizeof *values);
    if (r->value_count) memcpy(values, r->values, r->value_count * sizeof *values);
    r->values = values;
    r->value_cap = cap;
    r->slots = arena_zalloc(r->arena, 2 * cap * sizeof *r->slots);
    for (uint32_t i = 0; i < r->value_count; i++)
        *find_slot(r, values[i].kind, values[i].hash, values[i].text) = i + 1;
}

static uint32_t value_of(struct redact *r, unsigned kind, struct slice text, bool is_callers)
{
    uint64_t hash = hash_of(kind, text);
    if (r->value_count == r->value_cap) grow_values(r);
    uint32_t *slot = find_slot(r, kind, hash, text);
    if (!*slot) {
        struct slice copy = arena_copy(r->arena, text);
        r->values[r->value_count] = (struct value){kind, hash, copy, SLICE(""), is_callers};
        *slot = ++r->value_count;
    }
    return *slot - 1;
}

/* One more placeholder of a kind; the how manieth it is. */
static uint32_t give(struct redact *r, unsigned kind, uint32_t value)
{
    struct given *g = &tally(r)->given[kind];
    if (g->count == g->cap) {
        uint32_t cap = g->cap ? 2 * g->cap : FIRST_VALUES;
        uint32_t *values = arena_alloc(r->arena, cap * sizeof *values);
        if (g->count) memcpy(values, g->values, g->count * sizeof *values);
        g->values = values;
        g->cap = cap;
    }
    g->values[g->count++] = value;
    return g->count;
}

static struct slice placeholder_of(struct redact *r, uint32_t value)
{
    struct value *v = &r->values[value];
    if (v->placeholder.len) return v->placeholder;
    struct slice name = detect_kind_name(r->rules->detect, v->kind);
    uint32_t number = r->tally->taken[v->kind] + give(r, v->kind, value);
    v->placeholder = number == 1 ? arena_printf(r->arena, "[%.*s]", SLICE_FMT(name))
                                 : arena_printf(r->arena, "[%.*s_%u]", SLICE_FMT(name), number);
    return v->placeholder;
}

/* s begins behind a kind's name: 1 for "]", N for "_N]", 0 for no placeholder. */
static uint32_t placeholder_number(struct slice s)
{
    uint64_t number;
    const char *end = s.len ? memchr(s.ptr, ']', s.len < NUMBER_BYTES ? s.len : NUMBER_BYTES) : NULL;
    if (!end) return 0;
    size_t len = (size_t)(end - s.ptr);
    if (len == 0) return 1;
    if (s.ptr[0] != '_' || s.ptr[1] == '0' || !slice_to_u64(slice_of(s.ptr + 1, len - 1), &number)) return 0;
    return number > 1 && number < UINT32_MAX / 2 ? (uint32_t)number : 0;
}

/* s begins behind a bracket: the number of the placeholder that stands there, 0 for none. Of "[email_2]" only one kind
 * can be meant: names do not end in a number (redact.h). */
static uint32_t read_placeholder(const struct redact *r, struct slice s, unsigned *kind)
{
    uint64_t set = s.len ? r->rules->kinds_of_letter[(unsigned char)s.ptr[0]] : 0;
    for (; set; set &= set - 1) {
        *kind = (unsigned)__builtin_ctzll(set);
        struct slice name = detect_kind_name(r->rules->detect, *kind);
        if (!slice_starts(s, name)) continue;
        uint32_t number = placeholder_number(slice_of(s.ptr + name.len, s.len - name.len));
        if (number) return number;
    }
    return 0;
}

/* --- the request --- */

/* Bytes of the escape at raw, and in *text those of what it stands for. The tape has checked that it is one. */
static size_t escape_len(const char *raw, size_t *text)
{
    *text = 1;
    if (raw[1] != 'u') return 2;
    uint32_t code = hex_four(raw + 2);
    bool is_pair = code >= 0xD800 && code <= 0xDBFF;
    *text = is_pair ? 4 : code >= 0x800 ? 3 : code >= 0x80 ? 2 : 1;
    return is_pair ? 12 : 6;
}

/* The offset in the body at which the decoded text's byte `to` begins. */
static size_t spelt_at(struct redact *r, size_t to)
{
    struct spelling *s = &r->spelling;
    if (s->is_json) return (size_t)(s->raw - r->body) + to;
    while (s->text_at < to) {
        size_t text = 1;
        s->raw_at += s->raw[s->raw_at] == '\\' ? escape_len(s->raw + s->raw_at, &text) : 1;
        s->text_at += text;
    }
    return (size_t)(s->raw - r->body) + s->raw_at;
}

static void add_hit(struct redact *r, struct hit hit)
{
    if (r->hit_count == r->hit_cap) {
        uint32_t cap = r->hit_cap ? 2 * r->hit_cap : FIRST_HITS;
        struct hit *hits = arena_alloc(r->arena, cap * sizeof *hits);
        if (r->hit_count) memcpy(hits, r->hits, r->hit_count * sizeof *hits);
        r->hits = hits;
        r->hit_cap = cap;
    }
    r->hits[r->hit_count++] = hit;
}

static void on_request_hit(void *arg, unsigned kind, const struct sight_part *part)
{
    struct redact *r = arg;
    struct buf text;
    quiet_break(&r->quiet);
    buf_init(&text);
    sight_read(slice_of(r->look.text.ptr + part->from, (size_t)(part->to - part->from)), part->depth, &text);
    uint32_t value = value_of(r, kind, buf_slice(&text), true);
    size_t from = spelt_at(r, (size_t)part->from), to = spelt_at(r, (size_t)part->to);
    unsigned depth = part->depth + !r->spelling.is_json;
    add_hit(r, (struct hit){from, to, value, (unsigned char)depth, part->is_number});
    tally(r)->found[kind]++;
    buf_clear(&text);
}

/* Placeholders that the caller wrote stay what they are: numbers go on behind them, whenever the text is sent. */
static void note_placeholders(struct redact *r, struct slice text)
{
    const char *end = text.ptr + text.len, *at = text.ptr;
    while (at < end && (at = memchr(at, '[', (size_t)(end - at))) != NULL) {
        unsigned kind;
        at++;
        uint32_t number = read_placeholder(r, slice_of(at, (size_t)(end - at)), &kind);
        if (number) quiet_break(&r->quiet);
        if (number && number > r->tally->taken[kind]) tally(r)->taken[kind] = number;
    }
}

/* Nothing is in this text, whole and within the bound, as is known from before. */
static bool is_known(struct redact *r, struct slice raw, size_t left, size_t *work)
{
    size_t bytes = quiet_begin(&r->quiet, r->memo, detect_subject(r->rules->detect), raw, work);
    if (!bytes || bytes > left) return false;
    r->scanned_bytes += bytes;
    return true;
}

/* Where JSON is cut no number and no escape may be: of half of one nobody can tell how it is to be replaced. */
static size_t cut_json(struct slice json, size_t len)
{
    while (len > 0 && strchr("0123456789.+-abcdefABCDEFu\\", json.ptr[len - 1]))
        len--;
    return len;
}

/* A string's text, or a value's JSON, as much of it as may be scanned. */
static void begin_text(struct redact *r, const struct json_tape *tape, uint32_t node, size_t left)
{
    struct slice raw = json_raw(tape, node);
    bool is_json = !json_is(tape, node, JSON_STRING);
    struct slice text = is_json ? raw : json_text(tape, node, r->arena);
    r->spelling = (struct spelling){.raw = is_json ? raw.ptr : raw.ptr + 1, .is_json = is_json};
    if (text.len > left) {
        quiet_break(&r->quiet);
        r->is_cut = true;
        text.len = is_json ? cut_json(text, left) : left;
    }
    r->scanned_bytes += text.len;
    note_placeholders(r, text);
    look_begin(&r->look, text);
}

/* The next text, or nothing of one that is known; false when there is nothing more to look at. */
static bool next_text(struct redact *r, const struct chat_request *request, size_t *work)
{
    uint32_t node = r->is_cut ? JSON_NONE : chat_next_reading(request, &r->reading);
    if (node == JSON_NONE) return false;
    size_t left = r->rules->scan_bytes_max - r->scanned_bytes;
    r->is_cut = !left;
    if (!left) return false;
    if (!is_known(r, json_raw(&request->tape, node), left, work)) begin_text(r, &request->tape, node, left);
    return true;
}

/* The body may go from now on. */
static void forget_text(struct redact *r)
{
    r->body = NULL;
    quiet_break(&r->quiet);
    r->spelling = (struct spelling){0};
    look_end(&r->look);
}

static void end_text(struct redact *r)
{
    bool is_too_deep = look_is_too_deep(&r->look);
    if (is_too_deep) quiet_break(&r->quiet);
    quiet_end(&r->quiet, r->look.text.len);
    r->is_too_deep = r->is_too_deep || is_too_deep;
    look_end(&r->look);
}

bool redact_scan(struct redact *r, const struct chat_request *request, struct slice body)
{
    r->body = body.ptr;
    r->is_foreign = request->attached.has_foreign_text;
    for (size_t done = 0; !r->is_done && done < PIECE_BYTES;) {
        if (look_is_done(&r->look)) {
            end_text(r);
            if (!next_text(r, request, &done)) {
                r->is_done = true;
                break;
            }
        }
        if (!look_is_done(&r->look))
            done += look_on(&r->look, PIECE_BYTES, look_detect, r->rules->detect, on_request_hit, r);
        done += 64; /* many short texts are work too */
    }
    if (r->is_done) forget_text(r);
    return r->is_done;
}

void redact_stop(struct redact *r)
{
    if (r) forget_text(r);
}

bool redact_is_scanned(const struct redact *r)
{
    return r->is_done;
}

bool redact_has_findings(const struct redact *r)
{
    return r->hit_count > 0 || r->is_cut || r->is_foreign || r->is_too_deep;
}

uint32_t redact_found(const struct redact *r, unsigned kind)
{
    return r->tally->found[kind];
}

bool redact_is_cut(const struct redact *r)
{
    return r->is_cut;
}

bool redact_is_foreign(const struct redact *r)
{
    return r->is_foreign;
}

bool redact_is_too_deep(const struct redact *r)
{
    return r->is_too_deep;
}

void redact_mask(struct redact *r, unsigned kind)
{
    check(r->is_done && kind < REDACT_KINDS_MAX);
    r->masks |= (uint64_t)1 << kind;
    for (uint32_t i = 0; i < r->hit_count; i++) {
        if (r->values[r->hits[i].value].kind == kind) placeholder_of(r, r->hits[i].value);
    }
}

uint64_t redact_masks(const struct redact *r)
{
    return r->masks;
}

/* A placeholder needs no escapes, but the quotes of one do. */
static struct slice spelt_placeholder(const struct redact *r, const struct hit *hit)
{
    struct slice placeholder = r->values[hit->value].placeholder;
    struct buf json;
    if (!hit->is_number) return placeholder;
    buf_init(&json);
    sight_write(placeholder, hit->depth, true, &json);
    placeholder = arena_copy(r->arena, buf_slice(&json));
    buf_clear(&json);
    return placeholder;
}

void redact_edit(const struct redact *r, struct splice *edits)
{
    for (uint32_t i = 0; i < r->hit_count; i++) {
        const struct hit *hit = &r->hits[i];
        if (!(r->masks >> r->values[hit->value].kind & 1)) continue;
        splice_bytes(edits, hit->from, hit->to, spelt_placeholder(r, hit));
    }
}

/* --- the answer --- */

const struct redact_counts *redact_answer_counts(const struct redact *r)
{
    return &r->tally->answer;
}

bool redact_answer_is_too_deep(const struct redact *r)
{
    return r->is_answer_too_deep && r->rules->response_masks;
}

void redact_note_too_deep(struct redact *r)
{
    r->is_answer_too_deep = true;
}

bool redact_answer_hit(struct redact *r, unsigned kind, struct slice text, struct slice *placeholder)
{
    if (!(r->rules->response_finds >> kind & 1)) return false;
    uint32_t value = value_of(r, kind, text, false);
    if (r->values[value].is_callers && r->rules->is_restoring) return false;
    tally(r)->answer.found[kind]++;
    if (!(r->rules->response_masks >> kind & 1)) return false;
    tally(r)->answer.masked++;
    *placeholder = placeholder_of(r, value);
    return true;
}

bool redact_restore(struct redact *r, struct slice placeholder, struct slice *text)
{
    unsigned kind;
    uint32_t number =
        placeholder.len ? read_placeholder(r, slice_of(placeholder.ptr + 1, placeholder.len - 1), &kind) : 0;
    if (!r->rules->is_restoring || !number || !(r->masks >> kind & 1)) return false;
    if (number <= r->tally->taken[kind] || number - r->tally->taken[kind] > r->tally->given[kind].count) return false;
    const struct value *v = &r->values[r->tally->given[kind].values[number - r->tally->taken[kind] - 1]];
    if (!v->is_callers) return false;
    *text = v->text;
    tally(r)->answer.restored++;
    return true;
}
