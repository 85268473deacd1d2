#include "store/ledger/record.h"

#include <stddef.h>

#include "base/hex.h"
#include "base/zone.h"

#define COLUMN(column, kind) {#column, LEDGER_##kind, offsetof(struct ledger_record, column)}
#define PAID(column) {#column, LEDGER_NUMBER, offsetof(struct ledger_record, paid.column)}

const struct ledger_column ledger_columns[LEDGER_COLUMNS] = {
    COLUMN(id, BLOB),           COLUMN(time_us, NUMBER),    COLUMN(day, NUMBER),
    COLUMN(api, TEXT),          COLUMN(status, NUMBER),     COLUMN(outcome, TEXT),
    COLUMN(app, TEXT),          COLUMN(department, TEXT),   COLUMN(team, TEXT),
    COLUMN(user, TEXT),         COLUMN(key_id, TEXT),       COLUMN(model_asked, TEXT),
    COLUMN(model, TEXT),        COLUMN(target, TEXT),       COLUMN(provider, TEXT),
    COLUMN(policy, TEXT),       COLUMN(rule, TEXT),         COLUMN(code, TEXT),
    COLUMN(data, TEXT),         PAID(input_tokens),         PAID(cached_tokens),
    PAID(output_tokens),        PAID(reasoning_tokens),     PAID(cost_nano),
    COLUMN(estimated, NUMBER),  COLUMN(unpriced, NUMBER),   COLUMN(attempts, NUMBER),
    COLUMN(duration_us, NUMBER), COLUMN(first_byte_us, NUMBER), COLUMN(price, TEXT),
    COLUMN(bundle, TEXT),       COLUMN(session, TEXT),      COLUMN(prompt, TEXT),
    COLUMN(prompt_version, NUMBER), COLUMN(collections, TEXT), COLUMN(chunks, NUMBER),
    COLUMN(class_raised, TEXT), COLUMN(cache, TEXT),        COLUMN(cache_key, TEXT),
    COLUMN(saved_nano, NUMBER), COLUMN(approval, TEXT),
};

void ledger_reader_init(struct ledger_reader *reader)
{
    json_init(&reader->tape);
    arena_init(&reader->arena);
}

void ledger_reader_clear(struct ledger_reader *reader)
{
    json_clear(&reader->tape);
    arena_clear(&reader->arena);
}

bool ledger_add(int64_t *sum, int64_t more)
{
    if (!__builtin_add_overflow(*sum, more, sum)) return true;
    *sum = INT64_MAX;
    return false;
}

void ledger_paid_add(struct ledger_paid *sum, const struct ledger_paid *more)
{
    ledger_add(&sum->input_tokens, more->input_tokens);
    ledger_add(&sum->cached_tokens, more->cached_tokens);
    ledger_add(&sum->output_tokens, more->output_tokens);
    ledger_add(&sum->reasoning_tokens, more->reasoning_tokens);
    ledger_add(&sum->cost_nano, more->cost_nano);
}

/* ---- Members, where they are and are what they should be. */

static uint32_t member(const struct ledger_reader *rd, uint32_t object, struct slice name)
{
    return object == JSON_NONE ? JSON_NONE : json_get(&rd->tape, object, name);
}

/* All that is asked of one object, in one walk: names come in the order in which flow/record.h writes them, so that
 * each is looked for where it is expected. They are compared as they stand, for none is written with escapes. Of a
 * member that is there twice the first counts. */
static void members(const struct ledger_reader *rd, uint32_t object, const struct slice *names, uint32_t *nodes,
                    size_t count)
{
    size_t next = 0;
    for (size_t i = 0; i < count; i++)
        nodes[i] = JSON_NONE;
    if (!json_is(&rd->tape, object, JSON_OBJECT)) return;
    for (uint32_t n = json_first(&rd->tape, object); n != JSON_NONE; n = json_next(&rd->tape, n)) {
        struct slice key = json_key(&rd->tape, n);
        for (size_t tried = 0, i = next; tried < count; tried++, i = i + 1 == count ? 0 : i + 1) {
            if (key.len != names[i].len + 2 || memcmp(key.ptr + 1, names[i].ptr, names[i].len) != 0) continue;
            if (nodes[i] == JSON_NONE) nodes[i] = n;
            next = i + 1 == count ? 0 : i + 1;
            break;
        }
    }
}

#define NAME(name) {#name, sizeof #name - 1}

/* No character is cut in two. */
static struct slice short_of(struct slice text)
{
    if (text.len <= LIMIT_LEDGER_TEXT_BYTES) return text;
    text.len = LIMIT_LEDGER_TEXT_BYTES;
    while (text.len && ((unsigned char)text.ptr[text.len] & 0xC0) == 0x80)
        text.len--;
    return text;
}

static struct slice text_at(struct ledger_reader *rd, uint32_t node)
{
    if (!json_is(&rd->tape, node, JSON_STRING)) return SLICE("");
    return short_of(json_text(&rd->tape, node, &rd->arena));
}

static struct slice text_of(struct ledger_reader *rd, uint32_t object, struct slice name)
{
    return text_at(rd, member(rd, object, name));
}

static int64_t number_at(const struct ledger_reader *rd, uint32_t node)
{
    int64_t value;
    if (!json_is(&rd->tape, node, JSON_NUMBER) || !json_to_i64(&rd->tape, node, &value)) return 0;
    return value > 0 ? value : 0;
}

static int64_t number_of(const struct ledger_reader *rd, uint32_t object, struct slice name)
{
    return number_at(rd, member(rd, object, name));
}

/* "12.345" milliseconds. */
static int64_t us_of(const struct ledger_reader *rd, uint32_t object, struct slice name)
{
    uint32_t node = member(rd, object, name);
    if (!json_is(&rd->tape, node, JSON_NUMBER)) return 0;
    double us = json_to_double(&rd->tape, node) * 1000 + 0.5;
    return us >= 0 && us < 9e18 ? (int64_t)us : 0;
}

/* ---- The exchange's own members. */

enum root {
    ROOT_ID,
    ROOT_TIME,
    ROOT_API,
    ROOT_MODEL,
    ROOT_MODEL_ASKED,
    ROOT_TARGET,
    ROOT_PROVIDER,
    ROOT_STATUS,
    ROOT_OUTCOME,
    ROOT_IDENTITY,
    ROOT_DATA,
    ROOT_SESSION,
    ROOT_LABELS,
    ROOT_DECISION,
    ROOT_FAULT,
    ROOT_POLICY,
    ROOT_PROMPT,
    ROOT_RETRIEVAL,
    ROOT_CACHE,
    ROOT_GRANT,
    ROOT_USAGE,
    ROOT_BILLED,
    ROOT_COST,
    ROOT_HOLDS,
    ROOT_ATTEMPTS,
    ROOT_MS,
    ROOT_OBJECTS,
    ROOT_MEMBERS
};

static const struct slice root_names[ROOT_MEMBERS] = {
    NAME(id),       NAME(time),    NAME(api),      NAME(model),    NAME(model_asked), NAME(target), NAME(provider),
    NAME(status),   NAME(outcome), NAME(identity), NAME(data),     NAME(session),     NAME(labels), NAME(decision),
    NAME(fault),    NAME(policy),  NAME(prompt),   NAME(retrieval), NAME(cache),      NAME(grant), NAME(usage),
    NAME(billed),   NAME(cost),    NAME(holds),    NAME(attempts), NAME(ms),
    NAME(objects),
};

/* ---- Id and time. */

bool ledger_id_read(struct slice text, uint8_t id[LEDGER_ID_BYTES])
{
    char digits[2 * LEDGER_ID_BYTES];
    size_t count = 0;
    if (!slice_starts(text, SLICE("req_"))) return false;
    for (size_t i = 4; i < text.len; i++) {
        if (text.ptr[i] == '-') continue;
        if (count == sizeof digits) return false;
        digits[count++] = text.ptr[i];
    }
    return hex_read(slice_of(digits, count), id, LEDGER_ID_BYTES);
}

/* Of an entry that nobody named: the same of the same bytes. */
static void make_id(uint8_t id[LEDGER_ID_BYTES], enum chain_kind kind, struct slice body)
{
    uint8_t hash[CHAIN_HASH_BYTES] = {0};
    chain_hash(hash, hash, 0, kind, body);
    memcpy(id, hash, LEDGER_ID_BYTES);
}

/* False: the body does not say it. */
static bool set_id(struct slice written, uint8_t out[LEDGER_ID_BYTES], enum chain_kind kind, struct slice body,
                   const uint8_t *id)
{
    if (ledger_id_read(written, out)) return true;
    if (id)
        memcpy(out, id, LEDGER_ID_BYTES);
    else
        make_id(out, kind, body);
    return false;
}

/* `count` digits at text[at], followed by `end`. */
static bool digits_at(struct slice text, size_t at, size_t count, char end, int *value)
{
    *value = 0;
    if (at + count >= text.len || text.ptr[at + count] != end) return false;
    for (size_t i = at; i < at + count; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') return false;
        *value = *value * 10 + (text.ptr[i] - '0');
    }
    return true;
}

bool ledger_time_read(struct slice t, int64_t *us)
{
    int year, month, day, hour, minute, second, ms = 0;
    if (!digits_at(t, 0, 4, '-', &year) || !digits_at(t, 5, 2, '-', &month) || !digits_at(t, 8, 2, 'T', &day) ||
        !digits_at(t, 11, 2, ':', &hour) || !digits_at(t, 14, 2, ':', &minute)) {
        return false;
    }
    if (!digits_at(t, 17, 2, 'Z', &second) && !(digits_at(t, 17, 2, '.', &second) && digits_at(t, 20, 3, 'Z', &ms))) {
        return false;
    }
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > 31) return false;
    if (hour > 23 || minute > 59 || second > 60) return false;
    int64_t s = zone_day_start(year, month, day) + hour * 3600 + minute * 60 + second;
    *us = s * 1000000 + ms * 1000;
    return true;
}

/* A UUIDv7 begins with its time in milliseconds (RFC 9562). */
static int64_t time_of_id(const uint8_t id[LEDGER_ID_BYTES])
{
    int64_t ms = 0;
    if (id[6] >> 4 != 7) return 0;
    for (int i = 0; i < 6; i++)
        ms = ms << 8 | id[i];
    return ms < INT64_MAX / 1000 ? ms * 1000 : 0;
}

/* ---- What was paid. */

enum part { PART_INPUT, PART_CACHED, PART_LAST_INPUT = 5, PART_OUTPUT, PART_REASONING, PART_LAST_OUTPUT = 9, PARTS };

static const struct slice part_names[PARTS] = {
    NAME(input),       NAME(cached_input), NAME(cache_write), NAME(cache_write_1h), NAME(audio_input),
    NAME(image_input), NAME(output),       NAME(reasoning),   NAME(audio_output),   NAME(image_output),
};

static void read_billed(const struct ledger_reader *rd, uint32_t billed, struct ledger_paid *paid)
{
    uint32_t at[PARTS];
    members(rd, billed, part_names, at, PARTS);
    for (int i = 0; i <= PART_LAST_INPUT; i++)
        ledger_add(&paid->input_tokens, number_at(rd, at[i]));
    for (int i = PART_OUTPUT; i <= PART_LAST_OUTPUT; i++)
        ledger_add(&paid->output_tokens, number_at(rd, at[i]));
    paid->cached_tokens = number_at(rd, at[PART_CACHED]);
    paid->reasoning_tokens = number_at(rd, at[PART_REASONING]);
}

/* Of the exchange, or of one attempt; false: it was not billed. */
static bool read_paid(const struct ledger_reader *rd, uint32_t billed, uint32_t cost, struct ledger_paid *paid)
{
    *paid = (struct ledger_paid){.cost_nano = number_of(rd, cost, SLICE("nano_usd"))};
    if (!json_is(&rd->tape, billed, JSON_OBJECT)) return false;
    read_billed(rd, billed, paid);
    return true;
}

/* No price for some of it: the cost is null, or says which parts it lacks. */
static bool is_unpriced(const struct ledger_reader *rd, uint32_t billed, uint32_t cost)
{
    if (!json_is(&rd->tape, billed, JSON_OBJECT)) return false;
    return !json_is(&rd->tape, cost, JSON_OBJECT) || member(rd, cost, SLICE("parts_unpriced")) != JSON_NONE;
}

enum tried { TRIED_TARGET, TRIED_PROVIDER, TRIED_MODEL, TRIED_ERROR, TRIED_BILLED, TRIED_COST, TRIED_MEMBERS };

static const struct slice tried_names[TRIED_MEMBERS] = {
    NAME(target), NAME(provider), NAME(model), NAME(error), NAME(billed), NAME(cost),
};

/* "openai/small" where provider and model are not said apart. */
static struct ledger_share where_of(struct ledger_reader *rd, const uint32_t *tried)
{
    struct ledger_share share = {text_at(rd, tried[TRIED_MODEL]), text_at(rd, tried[TRIED_PROVIDER]), {0}};
    struct slice model, target = text_at(rd, tried[TRIED_TARGET]);
    struct slice provider = slice_split(target, '/', &model);
    if (!share.provider.len) share.provider = provider;
    if (!share.model.len) share.model = model.len ? model : target;
    return share;
}

static struct ledger_share *share_of(struct ledger_record *r, const struct ledger_share *where)
{
    for (size_t i = 0; i < r->share_count; i++) {
        struct ledger_share *share = &r->shares[i];
        if (slice_equal(share->model, where->model) && slice_equal(share->provider, where->provider)) return share;
    }
    if (r->share_count == LIMIT_LEDGER_SHARES) return &r->shares[LIMIT_LEDGER_SHARES - 1];
    r->shares[r->share_count] = *where;
    return &r->shares[r->share_count++];
}

static void read_attempt(struct ledger_reader *rd, struct ledger_record *r, uint32_t attempt)
{
    uint32_t tried[TRIED_MEMBERS];
    struct ledger_paid paid;
    members(rd, attempt, tried_names, tried, TRIED_MEMBERS);
    struct ledger_share where = where_of(rd, tried);
    r->attempts++;
    if (json_text_is(&rd->tape, tried[TRIED_ERROR], SLICE("denied"))) return; /* it was not called */
    r->target = text_at(rd, tried[TRIED_TARGET]);
    r->model = where.model;
    r->provider = where.provider;
    if (!read_paid(rd, tried[TRIED_BILLED], tried[TRIED_COST], &paid)) return;
    ledger_paid_add(&share_of(r, &where)->paid, &paid);
    struct slice price = text_of(rd, tried[TRIED_COST], SLICE("price"));
    if (price.len) r->price = price;
}

/* What the exchange says of all of it counts; where no attempt says what it took of it, the last one took it. */
static void read_attempts(struct ledger_reader *rd, struct ledger_record *r, uint32_t list)
{
    if (json_is(&rd->tape, list, JSON_ARRAY)) {
        for (uint32_t a = json_first(&rd->tape, list); a != JSON_NONE; a = json_next(&rd->tape, a)) {
            if (json_is(&rd->tape, a, JSON_OBJECT)) read_attempt(rd, r, a);
        }
    } else if (r->target.len) {
        r->attempts = 1;
    }
    if (r->share_count) {
        r->paid = (struct ledger_paid){0};
        for (size_t i = 0; i < r->share_count; i++)
            ledger_paid_add(&r->paid, &r->shares[i].paid);
        return;
    }
    struct ledger_share where = {r->model, r->provider, {0}};
    share_of(r, &where)->paid = r->paid;
}

/* Before there were bills, usage was all there was. */
static void read_usage(struct ledger_reader *rd, struct ledger_paid *paid, uint32_t usage)
{
    if (!json_is(&rd->tape, usage, JSON_OBJECT)) return;
    paid->input_tokens = number_of(rd, usage, SLICE("input_tokens"));
    paid->cached_tokens = number_of(rd, usage, SLICE("cached_tokens"));
    paid->output_tokens = number_of(rd, usage, SLICE("output_tokens"));
    paid->reasoning_tokens = number_of(rd, usage, SLICE("reasoning_tokens"));
}

static void read_bill(struct ledger_reader *rd, struct ledger_record *r, const uint32_t *root)
{
    uint32_t billed = root[ROOT_BILLED], cost = root[ROOT_COST];
    r->price = text_of(rd, cost, SLICE("price"));
    r->estimated = json_is(&rd->tape, member(rd, billed, SLICE("estimated")), JSON_TRUE);
    r->unpriced = is_unpriced(rd, billed, cost);
    if (!read_paid(rd, billed, cost, &r->paid)) read_usage(rd, &r->paid, root[ROOT_USAGE]);
    read_attempts(rd, r, root[ROOT_ATTEMPTS]);
}

/* ---- Who asked, for what, and how it ended. */

static void add_label(struct ledger_record *r, struct slice name, struct slice value)
{
    if (!name.len || r->label_count == LIMIT_LEDGER_LABELS) return;
    for (size_t i = 0; i < r->label_count; i++) {
        if (slice_equal(r->labels[i].name, name) && slice_equal(r->labels[i].value, value)) return;
    }
    r->labels[r->label_count++] = (struct ledger_label){name, value};
}

static void read_labels(struct ledger_reader *rd, struct ledger_record *r, uint32_t own, uint32_t data)
{
    if (json_is(&rd->tape, own, JSON_OBJECT)) {
        for (uint32_t n = json_first(&rd->tape, own); n != JSON_NONE; n = json_next(&rd->tape, n))
            add_label(r, short_of(json_key_text(&rd->tape, n, &rd->arena)), text_at(rd, n));
    }
    if (json_is(&rd->tape, data, JSON_ARRAY)) {
        for (uint32_t n = json_first(&rd->tape, data); n != JSON_NONE; n = json_next(&rd->tape, n))
            add_label(r, text_at(rd, n), SLICE(""));
    }
}

enum who { WHO_KEY_ID, WHO_APP, WHO_DEPARTMENT, WHO_USER, WHO_TEAM, WHO_LABELS, WHO_MEMBERS };

static const struct slice who_names[WHO_MEMBERS] = {
    NAME(key_id), NAME(app), NAME(department), NAME(user), NAME(team), NAME(labels),
};

static void read_identity(struct ledger_reader *rd, struct ledger_record *r, const uint32_t *root)
{
    uint32_t who[WHO_MEMBERS];
    members(rd, root[ROOT_IDENTITY], who_names, who, WHO_MEMBERS);
    r->app = text_at(rd, who[WHO_APP]);
    r->department = text_at(rd, who[WHO_DEPARTMENT]);
    r->team = text_at(rd, who[WHO_TEAM]);
    r->user = text_at(rd, who[WHO_USER]);
    r->key_id = text_at(rd, who[WHO_KEY_ID]);
    read_labels(rd, r, who[WHO_LABELS], root[ROOT_LABELS]);
}

static void read_outcome(struct ledger_reader *rd, struct ledger_record *r, const uint32_t *root)
{
    uint32_t decision = root[ROOT_DECISION];
    r->outcome = text_at(rd, root[ROOT_OUTCOME]);
    r->status = number_at(rd, root[ROOT_STATUS]);
    r->policy = text_of(rd, decision, SLICE("policy"));
    r->rule = text_of(rd, decision, SLICE("rule"));
    r->code = text_of(rd, decision, SLICE("code"));
    if (!r->code.len) r->code = text_of(rd, root[ROOT_FAULT], SLICE("code"));
    r->is_denied = slice_equal(r->outcome, SLICE("denied"));
    r->is_failed = !r->is_denied && !slice_equal(r->outcome, SLICE("ok")) &&
                   !slice_equal(r->outcome, SLICE("client_closed"));
}

/* Of a request that was refused as such nothing was decided for: what it asks for is the client's word alone. */
static void read_asked(struct ledger_reader *rd, struct ledger_record *r, const uint32_t *root)
{
    struct slice model, provider = text_at(rd, root[ROOT_PROVIDER]);
    r->api = text_at(rd, root[ROOT_API]);
    r->model_asked = text_at(rd, root[ROOT_MODEL_ASKED]);
    r->target = text_at(rd, root[ROOT_TARGET]);
    if (r->target.len) {
        r->provider = slice_split(r->target, '/', &model);
        r->model = model.len ? model : r->target;
        if (provider.len) r->provider = provider;
    } else if (!slice_equal(r->outcome, SLICE("invalid"))) {
        r->model = text_at(rd, root[ROOT_MODEL]);
    }
}

static struct slice join_texts(struct ledger_reader *rd, uint32_t list)
{
    struct slice all = SLICE("");
    if (!json_is(&rd->tape, list, JSON_ARRAY)) return all;
    for (uint32_t n = json_first(&rd->tape, list); n != JSON_NONE; n = json_next(&rd->tape, n)) {
        if (all.len) all = arena_join(&rd->arena, all, SLICE(","));
        all = short_of(arena_join(&rd->arena, all, text_at(rd, n)));
        if (all.len >= LIMIT_LEDGER_TEXT_BYTES) break;
    }
    return all;
}

static void read_context(struct ledger_reader *rd, struct ledger_record *r, const uint32_t *root)
{
    uint32_t prompt = root[ROOT_PROMPT], cache = root[ROOT_CACHE], retrieval = root[ROOT_RETRIEVAL];
    r->data = text_at(rd, root[ROOT_DATA]);
    r->session = text_at(rd, root[ROOT_SESSION]);
    r->approval = text_at(rd, root[ROOT_GRANT]);
    r->bundle = text_of(rd, root[ROOT_POLICY], SLICE("sha256"));
    r->prompt = text_of(rd, prompt, SLICE("name"));
    r->prompt_version = number_of(rd, prompt, SLICE("version"));
    r->collections = join_texts(rd, member(rd, retrieval, SLICE("collections")));
    r->chunks = number_of(rd, retrieval, SLICE("chunks"));
    r->class_raised = text_of(rd, retrieval, SLICE("class_raised"));
    r->cache = text_of(rd, cache, SLICE("state"));
    r->cache_key = text_of(rd, cache, SLICE("key"));
    r->saved_nano = number_of(rd, cache, SLICE("saved_nano"));
}

static uint32_t parse(struct ledger_reader *rd, struct slice body)
{
    struct fault why;
    arena_clear(&rd->arena);
    return json_parse(&rd->tape, body, &why) ? 0 : JSON_NONE;
}

void ledger_record_read(struct ledger_reader *rd, struct ledger_record *r, enum chain_kind kind, struct slice body,
                        const uint8_t *id)
{
    uint32_t root[ROOT_MEMBERS];
    members(rd, parse(rd, body), root_names, root, ROOT_MEMBERS);
    memset(r, 0, offsetof(struct ledger_record, shares));
    r->share_count = r->label_count = 0;
    set_id(text_at(rd, root[ROOT_ID]), r->id, kind, body, id);
    if (!ledger_time_read(text_at(rd, root[ROOT_TIME]), &r->time_us)) r->time_us = time_of_id(r->id);
    read_outcome(rd, r, root);
    read_identity(rd, r, root);
    read_asked(rd, r, root);
    read_bill(rd, r, root);
    ledger_held_read(&rd->tape, &rd->arena, root[ROOT_HOLDS], &r->held);
    read_context(rd, r, root);
    r->objects_node = root[ROOT_OBJECTS];
    r->duration_us = us_of(rd, root[ROOT_MS], SLICE("total"));
    r->first_byte_us = us_of(rd, root[ROOT_MS], SLICE("first_byte"));
}

bool ledger_record_id(struct ledger_reader *rd, uint8_t out[LEDGER_ID_BYTES], enum chain_kind kind, struct slice body,
                      const uint8_t *id)
{
    return set_id(text_of(rd, parse(rd, body), SLICE("id")), out, kind, body, id);
}
