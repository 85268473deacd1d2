#include "wire/meter.h"

#include "base/limits.h"
#include "base/mem.h"
#include "wire/data_url.h"
#include "wire/tokens/counter.h"

struct running {
    enum said_kind kind;
    uint32_t choice, call;
    struct data_url url;
    struct token_counter counter;
};

struct meter {
    const struct vocabulary *vocabulary;
    struct running *texts; /* in the order in which they began */
    uint32_t count, cap;
    uint32_t last; /* the one that grew last: mostly it grows again */
};

struct meter *meter_new(const struct vocabulary *v)
{
    struct meter *m = mem_zalloc(1, sizeof *m);
    m->vocabulary = v;
    return m;
}

void meter_free(struct meter *m)
{
    if (!m) return;
    for (uint32_t i = 0; i < m->count; i++)
        token_counter_clear(&m->texts[i].counter);
    mem_free(m->texts);
    mem_free(m);
}

static bool is_of(const struct running *r, const struct said_text *text)
{
    return r->kind == text->kind && r->choice == text->choice && r->call == text->call;
}

static struct running *add(struct meter *m, const struct said_text *text)
{
    if (m->count == m->cap) {
        m->cap = m->cap ? m->cap * 2 : 1;
        m->texts = mem_realloc(m->texts, m->cap * sizeof *m->texts);
    }
    struct running *r = &m->texts[m->count++];
    *r = (struct running){.kind = text->kind, .choice = text->choice, .call = text->call};
    token_counter_init(&r->counter, m->vocabulary);
    return r;
}

static struct running *find(struct meter *m, const struct said_text *text)
{
    if (m->last < m->count && is_of(&m->texts[m->last], text)) return &m->texts[m->last];
    for (uint32_t i = 0; i < m->count; i++) {
        if (is_of(&m->texts[i], text)) return &m->texts[i];
    }
    return m->count < LIMIT_METER_TEXTS ? add(m, text) : &m->texts[m->count - 1];
}

static void feed(struct running *r, struct slice text)
{
    struct slice part;
    while (data_url_next(&r->url, &text, &part))
        token_counter_feed(&r->counter, part);
}

void meter_feed(struct meter *m, const struct said *said)
{
    struct arena arena;
    arena_init(&arena);
    for (uint32_t i = 0; i < said->text_count; i++) {
        struct running *r = find(m, &said->texts[i]);
        m->last = (uint32_t)(r - m->texts);
        feed(r, said_decode(said, &said->texts[i], &arena));
    }
    arena_clear(&arena);
}

uint64_t meter_settled(const struct meter *m)
{
    uint64_t tokens = 0;
    for (uint32_t i = 0; i < m->count; i++)
        tokens += token_counter_settled(&m->texts[i].counter);
    return tokens;
}

struct meter_total meter_total(const struct meter *m)
{
    struct meter_total t = {0};
    for (uint32_t i = 0; i < m->count; i++) {
        const struct running *r = &m->texts[i];
        bool is_new_choice = true;
        uint64_t tokens = token_counter_total(&r->counter);
        for (uint32_t e = 0; e < i && is_new_choice; e++)
            is_new_choice = m->texts[e].choice != r->choice;
        t.text_tokens += tokens;
        if (r->kind == SAID_REASONING) t.reasoning_tokens += tokens;
        t.calls += r->kind == SAID_CALL_NAME;
        t.choices += is_new_choice;
    }
    return t;
}
