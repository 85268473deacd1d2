#include "wire/count.h"

#include "base/check.h"
#include "base/limits.h"
#include "base/mem.h"
#include "wire/count_inner.h"
#include "wire/count_rules.h"

#define NEVER UINT64_MAX

/* A text that may take more than one step. */
struct opened {
    struct token_counter counters[VOCABULARIES];
    struct buf decoded; /* what it needed stays for the next text */
    struct memo_key key;
    size_t at;
    bool is_open, is_kept;
};

/* Roles stand in every message and are few: more than these are counted each time. */
#define ROLES_KNOWN 4u
struct role {
    struct slice raw;
    uint64_t tokens[VOCABULARIES]; /* in those of the pass */
};

struct count {
    const struct chat_request *r;
    struct memo *memo;
    unsigned vocabularies; /* all that were asked for, one bit each */
    unsigned pass;         /* those that are being counted, or were last */
    unsigned partial;      /* those in which counting stopped early */
    unsigned first;        /* the one that messages are told apart in, and stands in for those that nobody asked for */
    struct found found;
    size_t next; /* of found.texts */
    struct opened opened;
    struct role roles[ROLES_KNOWN];
    uint32_t role_count;
    uint64_t tokens[VOCABULARIES][TEXT_PARTS];
    uint64_t bytes[TEXT_PARTS]; /* as they stand in the body: never fewer than tokens, in any vocabulary */
    struct share *shares; /* of each message; NULL: nobody asked */
    uint64_t stop_above;
    bool is_chat, is_done;
};

struct count *count_new(const struct chat_request *r, unsigned vocabularies, struct memo *memo)
{
    struct count *c = mem_zalloc(1, sizeof *c);
    check(vocabularies != 0 && vocabularies < 1u << VOCABULARIES);
    c->r = r;
    c->memo = memo;
    c->vocabularies = c->pass = vocabularies;
    c->first = (unsigned)__builtin_ctz(vocabularies);
    c->stop_above = NEVER;
    c->is_chat = chat_has_messages(r);
    buf_init(&c->opened.decoded);
    count_find(r, &c->found);
    return c;
}

static void drop_opened(struct count *c)
{
    for (unsigned v = 0; v < VOCABULARIES && c->opened.is_open; v++)
        token_counter_clear(&c->opened.counters[v]);
    c->opened.is_open = false;
}

static void clear_opened(struct count *c)
{
    drop_opened(c);
    buf_clear(&c->opened.decoded);
}

void count_free(struct count *c)
{
    if (!c) return;
    clear_opened(c);
    found_clear(&c->found);
    mem_free(c->shares);
    mem_free(c);
}

void count_stop_above(struct count *c, uint64_t input_tokens)
{
    c->stop_above = input_tokens ? input_tokens : NEVER;
}

void count_keep_messages(struct count *c)
{
    if (c->shares) return;
    c->shares = mem_zalloc(c->found.messages + 1, sizeof *c->shares);
    count_find_shares(c->r, c->shares);
}

bool count_has(const struct count *c, unsigned vocabulary)
{
    return c->vocabularies >> vocabulary & 1;
}

/* The texts are found again: what they were in is large, and most requests are counted once. */
void count_want(struct count *c, unsigned vocabulary)
{
    if (count_has(c, vocabulary)) return;
    check(c->is_done && vocabulary < VOCABULARIES);
    c->pass = 1u << vocabulary;
    c->vocabularies |= c->pass;
    c->next = 0;
    c->role_count = 0;
    c->is_done = false;
    found_clear(&c->found);
    count_find(c->r, &c->found);
}

static bool is_counting(const struct count *c, unsigned vocabulary)
{
    return c->pass >> vocabulary & 1;
}

/* ---- One text. */

static void add_share(struct share *share, enum text_part part, uint64_t tokens)
{
    share->names += part == TEXT_NAME || part == TEXT_ROLE_NAME;
    if (part == TEXT_ROLE_NAME)
        share->role_name_tokens += tokens;
    else
        share->tokens += tokens;
}

static void add_tokens(struct count *c, const struct text *text, unsigned vocabulary, uint64_t tokens)
{
    c->tokens[vocabulary][text->part] += tokens;
    if (c->shares && text->message != CHAT_NO_MESSAGE && c->is_chat && vocabulary == c->first)
        add_share(&c->shares[text->message], text->part, tokens);
}

/* Its bytes as they stand, without quotes or braces; of a made text, itself. */
static struct slice raw_of(const struct count *c, const struct text *text)
{
    if (text->node == JSON_NONE) return buf_slice(text->part == TEXT_TOOLS ? &c->found.tools : &c->found.schema);
    struct slice raw = json_raw(&c->r->tape, text->node);
    return slice_of(raw.ptr + 1, raw.len - 2);
}

bool count_remembers(const struct memo *memo, size_t bytes)
{
    return memo && bytes >= LIMIT_COUNT_MEMO_BYTES_MIN && bytes <= LIMIT_COUNT_MEMO_BYTES_MAX;
}

/* Every vocabulary's count is known from before. */
static bool is_remembered(struct count *c, const struct text *text, const struct memo_key *key)
{
    uint64_t tokens[VOCABULARIES] = {0};
    for (unsigned v = 0; v < VOCABULARIES; v++) {
        if (is_counting(c, v) && !(tokens[v] = memo_find(c->memo, key, v))) return false;
    }
    for (unsigned v = 0; v < VOCABULARIES; v++) {
        if (is_counting(c, v)) add_tokens(c, text, v, tokens[v]);
    }
    return true;
}

/* False: it is done already, from memory. */
static bool open_text(struct count *c, const struct text *text, struct slice raw)
{
    struct opened *o = &c->opened;
    o->is_kept = count_remembers(c->memo, raw.len);
    if (o->is_kept) {
        o->key = memo_key(c->memo, raw);
        if (is_remembered(c, text, &o->key)) return false;
    }
    o->at = 0;
    o->is_open = true;
    return true;
}

static void keep_tokens(struct count *c, const struct text *text, unsigned vocabulary, uint64_t tokens)
{
    add_tokens(c, text, vocabulary, tokens);
    if (c->opened.is_kept) memo_keep(c->memo, &c->opened.key, vocabulary, tokens);
}

static void close_text(struct count *c, const struct text *text)
{
    for (unsigned v = 0; v < VOCABULARIES; v++) {
        if (is_counting(c, v)) keep_tokens(c, text, v, token_counter_total(&c->opened.counters[v]));
    }
    drop_opened(c);
}

static bool next_piece(struct count *c, const struct text *text, struct slice raw, size_t max, struct slice *piece)
{
    struct opened *o = &c->opened;
    if (json_is(&c->r->tape, text->node, JSON_STRING))
        return json_text_piece(&c->r->tape, text->node, &o->at, max, &o->decoded, piece);
    *piece = slice_of(raw.ptr + o->at, raw.len - o->at < max ? raw.len - o->at : max);
    o->at += piece->len;
    return piece->len > 0;
}

/* One step was enough for all of it: there is nothing to be kept for the next. */
static void count_at_once(struct count *c, const struct text *text, struct slice piece)
{
    for (unsigned v = 0; v < VOCABULARIES; v++) {
        if (is_counting(c, v)) keep_tokens(c, text, v, token_count(vocabulary_at(v), piece));
    }
    c->opened.is_open = false;
}

static void feed_counters(struct count *c, struct slice piece, bool is_first)
{
    struct token_counter *counters = c->opened.counters;
    for (unsigned v = 0; v < VOCABULARIES; v++) {
        if (!is_counting(c, v)) continue;
        if (is_first) token_counter_init(&counters[v], vocabulary_at(v));
        token_counter_feed(&counters[v], piece);
    }
}

/* At most `bytes` of it, then how many it took; it is done when it is not open any more. */
static size_t continue_text(struct count *c, const struct text *text, struct slice raw, size_t bytes)
{
    struct opened *o = &c->opened;
    struct slice piece = SLICE_NONE;
    size_t before = o->at;
    next_piece(c, text, raw, bytes < 16 ? 16 : bytes, &piece);
    if (before == 0 && o->at == raw.len) {
        count_at_once(c, text, piece);
        return raw.len;
    }
    feed_counters(c, piece, before == 0);
    size_t taken = o->at - before;
    if (o->at == raw.len) close_text(c, text);
    return taken;
}

static void count_in_pass(const struct count *c, struct slice raw, uint64_t tokens[VOCABULARIES])
{
    for (unsigned v = 0; v < VOCABULARIES; v++)
        tokens[v] = is_counting(c, v) ? token_count(vocabulary_at(v), raw) : 0;
}

static const struct role *known_role(const struct count *c, struct slice raw)
{
    for (uint32_t i = 0; i < c->role_count; i++) {
        if (slice_equal(c->roles[i].raw, raw)) return &c->roles[i];
    }
    return NULL;
}

static void count_role(struct count *c, struct slice raw, uint64_t tokens[VOCABULARIES])
{
    const struct role *known = known_role(c, raw);
    if (known) {
        memcpy(tokens, known->tokens, sizeof known->tokens);
        return;
    }
    count_in_pass(c, raw, tokens);
    if (c->role_count == ROLES_KNOWN) return;
    struct role *role = &c->roles[c->role_count++];
    role->raw = raw;
    memcpy(role->tokens, tokens, sizeof role->tokens);
}

/* Most texts: no memory is asked for, nothing is kept between steps. */
static void count_short(struct count *c, const struct text *text, struct slice raw)
{
    uint64_t tokens[VOCABULARIES];
    if (text->part == TEXT_ROLE)
        count_role(c, raw, tokens);
    else
        count_in_pass(c, raw, tokens);
    for (unsigned v = 0; v < VOCABULARIES; v++) {
        if (is_counting(c, v)) add_tokens(c, text, v, tokens[v]);
    }
}

static bool is_short(const struct count *c, struct slice raw, size_t bytes)
{
    return raw.len <= bytes && !count_remembers(c->memo, raw.len) && !memchr(raw.ptr, '\\', raw.len);
}

/* In the vocabulary that has the fewest, and without what some rules leave out:
 * whose will be asked is not known here. */
static uint64_t tokens_so_far(const struct count *c)
{
    uint64_t least = NEVER;
    for (unsigned v = 0; v < VOCABULARIES; v++) {
        uint64_t sum = c->found.ids;
        for (int part = 0; part < TEXT_PARTS; part++)
            sum += part != TEXT_ROLE_NAME ? c->tokens[v][part] : 0;
        if (c->opened.is_open) sum += token_counter_settled(&c->opened.counters[v]);
        if (is_counting(c, v) && sum < least) least = sum;
    }
    return least;
}

/* What there is of the open text, and no more. */
static void stop(struct count *c)
{
    c->partial |= c->pass;
    for (unsigned v = 0; v < VOCABULARIES && c->opened.is_open; v++) {
        if (is_counting(c, v))
            add_tokens(c, &c->found.texts[c->next], v, token_counter_settled(&c->opened.counters[v]));
    }
}

static void finish(struct count *c)
{
    c->is_done = true;
    c->role_count = 0; /* they point into the body */
    clear_opened(c);
    mem_free(c->found.texts);
    c->found.texts = NULL;
    buf_clear(&c->found.tools);
    buf_clear(&c->found.schema);
}

/* One text, or a part of one; how many of `bytes` that took. */
static size_t count_next(struct count *c, size_t bytes)
{
    const struct text *text = &c->found.texts[c->next];
    struct slice raw = raw_of(c, text);
    size_t taken = raw.len < bytes ? raw.len : bytes;
    if (!c->opened.is_open && is_short(c, raw, bytes)) {
        count_short(c, text, raw);
    } else if (c->opened.is_open || open_text(c, text, raw)) {
        taken = continue_text(c, text, raw, bytes);
    } else {
        taken = taken / 16; /* hashing is so much cheaper than counting */
    }
    if (!c->opened.is_open) {
        if (c->pass >> c->first & 1) c->bytes[text->part] += raw.len;
        c->next++;
    }
    return taken;
}

bool count_step(struct count *c, uint64_t bytes)
{
    while (!c->is_done) {
        if (tokens_so_far(c) > c->stop_above) {
            stop(c);
            finish(c);
        } else if (c->next == c->found.text_count) {
            finish(c);
        } else if (bytes == 0) {
            return false;
        } else {
            size_t taken = count_next(c, (size_t)bytes) + 1; /* empty texts are work too */
            bytes = taken < bytes ? bytes - taken : 0;
        }
    }
    return true;
}

/* ---- Sums. */

#define ALL_MESSAGES CHAT_NO_MESSAGE

static uint64_t picture_tokens(const struct count *c, const struct count_rules *rules, uint32_t message,
                               uint32_t *count)
{
    uint64_t sum = 0;
    *count = 0;
    for (size_t i = 0; i < c->found.picture_count; i++) {
        const struct picture *p = &c->found.pictures[i];
        if (message != ALL_MESSAGES && p->message != message) continue;
        sum += count_image_tokens(&rules->image, p->width, p->height, p->is_low);
        *count += 1;
    }
    return sum;
}

/* Beside the text of the tools. */
static uint64_t tool_tokens(const struct count *c, const struct count_rules *rules)
{
    const struct found *f = &c->found;
    if (!f->tools_count) return 0;
    int64_t sum = rules->tools_tokens + (f->has_system ? rules->tools_system_tokens : 0);
    sum += (int64_t)f->tools_count * rules->tool_tokens;
    sum += (f->has_choice ? rules->choice_tokens : 0) + (f->has_no_choice ? rules->no_choice_tokens : 0);
    return sum > 0 ? (uint64_t)sum : 0;
}

/* The name; where a choice is told to the model at all. */
static uint64_t choice_tokens(const struct count *c, const struct count_rules *rules, const uint64_t *tokens)
{
    return c->found.tools_count && rules->choice_tokens ? tokens[TEXT_CHOICE] : 0;
}

static uint64_t per_bytes(uint64_t bytes, uint32_t a_token)
{
    return a_token ? (bytes + a_token - 1) / a_token : 0;
}

static uint64_t unknown_tokens(const struct count *c, const struct count_rules *rules)
{
    return per_bytes(c->found.audio_bytes, rules->audio_bytes) + per_bytes(c->found.file_bytes, rules->file_bytes);
}

#define ROLE_TOKENS 1u /* of a role's word, which an implied message does not spell: in any vocabulary */

static int64_t chat_tokens(const struct count *c, const struct count_rules *rules, const uint64_t *tokens)
{
    const struct found *f = &c->found;
    uint32_t pictures;
    int64_t sum =
        (int64_t)count_scale(rules, tokens[TEXT_CONTENT] + tokens[TEXT_ROLE] + tokens[TEXT_NAME] + tokens[TEXT_TOOLS] +
                                        choice_tokens(c, rules, tokens) + tokens[TEXT_SCHEMA] +
                                        f->implied * ROLE_TOKENS);
    sum += rules->request_tokens + ((int64_t)f->messages + f->implied) * rules->message_tokens;
    sum += (int64_t)(f->names + f->role_names) * rules->name_tokens;
    if (!rules->is_role_free) sum += (int64_t)count_scale(rules, tokens[TEXT_ROLE_NAME]);
    sum += (int64_t)f->calls * rules->call_tokens;
    sum += (int64_t)tool_tokens(c, rules);
    sum += (int64_t)unknown_tokens(c, rules);
    return sum + (int64_t)picture_tokens(c, rules, ALL_MESSAGES, &pictures);
}

static bool is_plain(const struct count *c)
{
    const struct found *f = &c->found;
    return !f->picture_count && !f->tools_count && !f->has_unknown && !f->calls && !f->has_schema;
}

static uint64_t sum_of(const struct count *c, const struct count_rules *rules, const uint64_t *tokens)
{
    int64_t sum = c->is_chat ? chat_tokens(c, rules, tokens) : (int64_t)count_scale(rules, tokens[TEXT_CONTENT]);
    return sum > 0 ? (uint64_t)sum + c->found.ids : c->found.ids;
}

struct count_total count_total(const struct count *c, const struct count_rules *given)
{
    const struct count_rules *rules = given ? given : count_rules_usual();
    unsigned vocabulary = vocabulary_index(rules->vocabulary);
    bool has_it = count_has(c, vocabulary);
    if (!has_it) vocabulary = c->first;
    check(c->is_done);
    return (struct count_total){
        .input_tokens = sum_of(c, rules, c->tokens[vocabulary]),
        .is_estimated = !rules->is_exact || !has_it || !is_plain(c),
        .is_partial = c->partial >> vocabulary & 1,
    };
}

uint64_t count_at_most(const struct count *c, const struct count_rules *given)
{
    const struct count_rules *rules = given ? given : count_rules_usual();
    check(c->is_done);
    return c->partial ? UINT64_MAX : sum_of(c, rules, c->bytes);
}

uint32_t count_messages(const struct count *c)
{
    return c->is_chat ? c->found.messages : 0;
}

struct count_message count_message(const struct count *c, const struct count_rules *given, uint32_t message)
{
    const struct count_rules *rules = given ? given : count_rules_usual();
    check(c->is_done && c->shares && message < c->found.messages);
    const struct share *s = &c->shares[message];
    uint32_t pictures;
    uint64_t text = s->tokens + (rules->is_role_free ? 0 : s->role_name_tokens);
    int64_t sum = (int64_t)(text * rules->factor_milli / 1000) + rules->message_tokens;
    sum += (int64_t)picture_tokens(c, rules, message, &pictures);
    sum += (int64_t)s->names * rules->name_tokens + (int64_t)s->calls * rules->call_tokens;
    return (struct count_message){
        .tokens = sum > 0 ? (uint64_t)sum : 0,
        .is_estimated = !rules->is_exact || pictures || s->calls || s->has_unknown ||
                        c->first != vocabulary_index(rules->vocabulary),
    };
}

struct count_shares count_shares(const struct count *c, const struct count_rules *given)
{
    const struct count_rules *rules = given ? given : count_rules_usual();
    const struct found *f = &c->found;
    unsigned vocabulary = vocabulary_index(rules->vocabulary);
    const uint64_t *tokens = c->tokens[count_has(c, vocabulary) ? vocabulary : c->first];
    struct count_shares shares = {.tools = f->tools_count, .has_unknown = f->has_unknown, .is_plain = is_plain(c)};
    /* rounded down, as messages are: parts never come to more than the whole */
    shares.tools_tokens = (tokens[TEXT_TOOLS] + choice_tokens(c, rules, tokens)) * rules->factor_milli / 1000;
    shares.tools_tokens += tool_tokens(c, rules);
    shares.unknown_tokens = unknown_tokens(c, rules);
    shares.schema_tokens = tokens[TEXT_SCHEMA] * rules->factor_milli / 1000;
    shares.picture_tokens = picture_tokens(c, rules, ALL_MESSAGES, &shares.pictures);
    return shares;
}
