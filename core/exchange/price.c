#include "exchange/price.h"

#include <openssl/sha.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/hex.h"

#define PICO_IN_NANO 1000u

/* What a request has when nothing special was bought; providers name it variously. */
static bool is_usual(struct slice tier)
{
    static const struct slice names[] = {{"default", 7}, {"auto", 4}, {"standard", 8}, {"scale", 5}, {"on_demand", 9}};
    if (!tier.len) return true;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (slice_iequal(tier, names[i])) return true;
    }
    return false;
}

static const struct price_period *period_at(const struct price *price, uint64_t when_ns)
{
    const struct price_period *found = NULL;
    int64_t now_s = (int64_t)(when_ns / 1000000000u);
    for (size_t i = 0; price && i < price->period_count; i++) {
        if (price->periods[i].from_s <= now_s) found = &price->periods[i];
    }
    return found;
}

/* NULL: the price does not name it, and it is not the usual one. */
static const struct price_tier *tier_named(const struct price_period *period, struct slice tier)
{
    static const struct slice plain = {"on_demand_", 10}; /* "ON_DEMAND_PRIORITY" is "priority" */
    check(period->tier_count > 0 && period->tier_count <= PRICE_TIERS_MAX);
    if (tier.len > plain.len && slice_iequal(slice_of(tier.ptr, plain.len), plain)) {
        tier = slice_of(tier.ptr + plain.len, tier.len - plain.len);
    }
    for (size_t i = 1; i < period->tier_count; i++) {
        if (slice_iequal(tier, slice_str(period->tiers[i].name))) return &period->tiers[i];
    }
    return is_usual(tier) ? &period->tiers[0] : NULL;
}

static const struct price_rates *rates_for(const struct price_tier *tier, uint64_t input_tokens)
{
    const struct price_rates *rates = &tier->rates;
    check(tier->long_count <= PRICE_LONGS_MAX);
    for (size_t i = 0; i < tier->long_count; i++) {
        const struct price_long *l = &tier->longs[i];
        if (l->is_inclusive ? input_tokens >= l->input_tokens : input_tokens > l->input_tokens) rates = &l->rates;
    }
    return rates;
}

const struct price_rates *price_rates_at(const struct price *price, uint64_t input_tokens, struct slice tier,
                                         uint64_t when_ns)
{
    const struct price_period *period = period_at(price, when_ns);
    if (!period) return NULL;
    const struct price_tier *found = tier_named(period, tier);
    return rates_for(found ? found : &period->tiers[0], input_tokens);
}

/* 16 products below 2^63 * 10^15 stay below 2^127: the sum cannot wrap. */
static unsigned __int128 sum_pico(const struct price_rates *rates, const struct usage_parts *parts, unsigned *missing)
{
    unsigned __int128 sum = 0;
    for (int i = 0; i < USAGE_PARTS; i++) {
        int64_t count = parts->count[i], rate = rates->pico[i];
        check(count >= 0 && rate <= PRICE_RATE_MAX);
        if (count == 0) continue;
        if (rate < 0) {
            *missing |= 1u << i;
        } else {
            sum += (unsigned __int128)count * (unsigned __int128)rate;
        }
    }
    return sum;
}

struct cost price_cost(const struct price *price, const struct usage_parts *parts, struct slice tier, uint64_t when_ns)
{
    struct cost cost = {.state = COST_UNPRICED};
    const struct price_period *period = period_at(price, when_ns);
    if (!period) return cost;
    const struct price_tier *found = tier_named(period, tier);
    cost.is_tier_missing = !found;
    if (!found) found = &period->tiers[0];
    const struct price_rates *rates = rates_for(found, (uint64_t)usage_parts_input(parts));
    cost.is_long = rates != &found->rates;
    unsigned __int128 pico = sum_pico(rates, parts, &cost.missing);
    unsigned __int128 nano = (pico + PICO_IN_NANO - 1) / PICO_IN_NANO;
    cost.is_overflow = nano > INT64_MAX;
    cost.nano = cost.is_overflow ? INT64_MAX : (int64_t)nano;
    cost.state = cost.missing || cost.is_tier_missing ? COST_INCOMPLETE : COST_KNOWN;
    return cost;
}

static void append_rates(struct buf *out, const struct price_rates *rates)
{
    for (int i = 0; i < USAGE_PARTS; i++) {
        if (rates->pico[i] >= 0) buf_printf(out, " %s=%lld", usage_part_name(i), (long long)rates->pico[i]);
    }
    buf_append_char(out, '\n');
}

static void append_tier(struct buf *out, const struct price_tier *tier)
{
    buf_append(out, SLICE("tier "));
    buf_append_json(out, slice_str(tier->name));
    append_rates(out, &tier->rates);
    for (size_t i = 0; i < tier->long_count; i++) {
        const struct price_long *l = &tier->longs[i];
        buf_printf(out, "long %s %llu", l->is_inclusive ? ">=" : ">", (unsigned long long)l->input_tokens);
        append_rates(out, &l->rates);
    }
}

void price_seal(struct price *price)
{
    struct buf text;
    uint8_t digest[SHA256_DIGEST_LENGTH];
    buf_init(&text);
    for (size_t i = 0; i < price->period_count; i++) {
        const struct price_period *period = &price->periods[i];
        buf_printf(&text, "from %lld\n", (long long)period->from_s);
        for (size_t t = 0; t < period->tier_count; t++)
            append_tier(&text, &period->tiers[t]);
    }
    struct slice all = buf_slice(&text);
    SHA256((const unsigned char *)all.ptr, all.len, digest);
    hex_write(digest, (PRICE_REVISION_BYTES - 1) / 2, price->revision);
    buf_clear(&text);
}

/* The dearer of two: `other` counts where tokens may be billed as such. */
static enum usage_part dearer(const struct price_rates *rates, enum usage_part one, enum usage_part other, bool may_be)
{
    return may_be && rates->pico[other] > rates->pico[one] ? other : one;
}

/* A provider whose writes have one rate writes what it likes; one with a rate for each life is told to. */
static bool writes_unasked(const struct price_rates *rates)
{
    return rates->pico[USAGE_CACHE_WRITE_1H] == PRICE_UNSET;
}

enum usage_part price_dearest_input(const struct price_rates *rates, unsigned uses)
{
    bool is_written = uses & CHAT_USES_CACHING || writes_unasked(rates);
    bool is_file = uses & CHAT_USES_FILES; /* pages are pictures, and a film has a sound */
    enum usage_part part = dearer(rates, USAGE_INPUT, USAGE_CACHE_WRITE_5M, is_written);
    part = dearer(rates, part, USAGE_CACHE_WRITE_1H, is_written);
    part = dearer(rates, part, USAGE_AUDIO_INPUT, is_file || uses & CHAT_USES_AUDIO);
    return dearer(rates, part, USAGE_IMAGE_INPUT, is_file || uses & CHAT_USES_IMAGES);
}

/* What makes pictures makes them unasked. */
enum usage_part price_dearest_output(const struct price_rates *rates, unsigned uses)
{
    enum usage_part part = dearer(rates, USAGE_OUTPUT, USAGE_REASONING, true);
    part = dearer(rates, part, USAGE_AUDIO_OUTPUT, uses & CHAT_USES_AUDIO);
    return dearer(rates, part, USAGE_IMAGE_OUTPUT, true);
}

static int64_t bounded(uint64_t tokens)
{
    return tokens > (uint64_t)INT64_MAX ? INT64_MAX : (int64_t)tokens;
}

/* The rates of which one must be there for an answer of that kind, and how the files of policies spell them. */
static const struct paid_by {
    enum usage_part one, other;
    const char *words; /* NULL: input and output, which each price has */
} paid_by[CHAT_KINDS] = {
    [CHAT_BATCHES] = {USAGE_REQUESTS, USAGE_REQUESTS, "that nobody knows what its requests will cost"},
    [CHAT_RERANK] = {USAGE_SEARCHES, USAGE_INPUT, "per_search, or an input that is not 0"},
    [CHAT_IMAGES] = {USAGE_IMAGES, USAGE_IMAGE_OUTPUT, "per_image or image_output"},
    [CHAT_IMAGE_EDITS] = {USAGE_IMAGES, USAGE_IMAGE_OUTPUT, "per_image or image_output"},
    [CHAT_IMAGE_VARIATIONS] = {USAGE_IMAGES, USAGE_IMAGE_OUTPUT, "per_image or image_output"},
    [CHAT_SPEECH] = {USAGE_CHARACTERS, USAGE_AUDIO_OUTPUT, "per_character or audio_output"},
    [CHAT_TRANSCRIPTIONS] = {USAGE_SECONDS, USAGE_AUDIO_INPUT, "per_second or audio_input"},
    [CHAT_TRANSLATIONS] = {USAGE_SECONDS, USAGE_AUDIO_INPUT, "per_second or audio_input"},
};

/* Input has a rate in every price: 0 says nothing of what is paid by the piece. */
static bool pays(const struct price_rates *rates, enum usage_part part)
{
    return rates->pico[part] > (part == USAGE_INPUT ? 0 : PRICE_UNSET);
}

static const char *lacks(const struct price_rates *rates, enum chat_kind kind)
{
    const struct paid_by *by = &paid_by[kind];
    if (kind == CHAT_BATCHES) return by->words;
    return !by->words || pays(rates, by->one) || pays(rates, by->other) ? NULL : by->words;
}

static const struct price_rates *rates_of_ask(const struct price *price, const struct price_ask *ask)
{
    return price ? price_rates_at(price, ask->input_tokens, ask->tier, ask->when_ns) : NULL;
}

const char *price_lacks(const struct price *price, const struct price_ask *ask)
{
    const struct price_rates *rates = rates_of_ask(price, ask);
    return rates ? lacks(rates, ask->kind) : NULL;
}

static void add_piece(struct usage_parts *parts, const struct price_rates *rates, enum usage_part part, int64_t count)
{
    if (rates->pico[part] != PRICE_UNSET) parts->count[part] = count;
}

int64_t price_searches_at_most(const struct chat_pieces *pieces)
{
    int64_t sum;
    return __builtin_add_overflow(pieces->searches, pieces->may_search, &sum) ? INT64_MAX : sum;
}

/* At the ask's tier. */
static struct cost at_most(const struct price *price, const struct price_ask *ask)
{
    struct usage_parts parts = {.count = {[USAGE_REQUESTS] = 1}};
    const struct price_rates *rates = rates_of_ask(price, ask);
    if (!rates || lacks(rates, ask->kind)) return (struct cost){.state = COST_UNPRICED};
    parts.count[price_dearest_input(rates, ask->uses)] = bounded(ask->input_tokens);
    parts.count[price_dearest_output(rates, ask->uses)] = bounded(ask->output_tokens);
    add_piece(&parts, rates, USAGE_IMAGES, ask->pieces.images);
    add_piece(&parts, rates, USAGE_SEARCHES, price_searches_at_most(&ask->pieces));
    add_piece(&parts, rates, USAGE_TOOL_CALLS, ask->pieces.may_call);
    add_piece(&parts, rates, USAGE_SECONDS, ask->pieces.seconds);
    add_piece(&parts, rates, USAGE_CHARACTERS, ask->pieces.characters);
    return price_cost(price, &parts, ask->tier, ask->when_ns);
}

struct cost price_at_most(const struct price *price, const struct price_ask *ask)
{
    struct price_ask usual = *ask;
    usual.tier = SLICE("");
    struct cost asked = at_most(price, ask), other = at_most(price, &usual);
    return asked.state != COST_UNPRICED && other.state != COST_UNPRICED && other.nano > asked.nano ? other : asked;
}
