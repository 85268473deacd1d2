#include "exchange/pieces.h"

#include "exchange/bill.h"

/* Sound that is said without a report: about 20 tokens a second, and 14 characters. Source: OpenAI's prices by the
 * token, and what they say that a minute comes to. */
#define SPOKEN_TOKENS(characters) ((characters) * 3 / 2)

static const struct price_rates *rates_of(const struct exchange *x, const struct attempt *attempt)
{
    const struct price *price = bill_price(x, attempt);
    return price ? price_rates_at(price, 0, SLICE(""), x->born_wall_ns) : NULL;
}

static bool has_rate(const struct price_rates *rates, enum usage_part part)
{
    return rates && rates->pico[part] != PRICE_UNSET;
}

static bool makes_images(enum chat_kind kind)
{
    return kind == CHAT_IMAGES || kind == CHAT_IMAGE_EDITS || kind == CHAT_IMAGE_VARIATIONS;
}

static bool listens(enum chat_kind kind)
{
    return kind == CHAT_TRANSCRIPTIONS || kind == CHAT_TRANSLATIONS;
}

void pieces_sort(const struct exchange *x, struct attempt *attempt)
{
    const struct price_rates *rates = rates_of(x, attempt);
    struct usage *u = &attempt->usage;
    enum chat_kind kind = x->api->asks;
    if (u->output_tokens == USAGE_UNKNOWN) return;
    if (makes_images(kind) && u->image_output_tokens == USAGE_UNKNOWN && has_rate(rates, USAGE_IMAGE_OUTPUT))
        u->image_output_tokens = u->output_tokens;
    if (kind == CHAT_SPEECH && u->audio_output_tokens == USAGE_UNKNOWN && has_rate(rates, USAGE_AUDIO_OUTPUT))
        u->audio_output_tokens = u->output_tokens;
}

/* False: it is not paid for so. */
static bool add(const struct price_rates *rates, bool is_told, struct usage_parts *parts, enum usage_part part,
                int64_t count)
{
    bool is_paid = count > 0 && parts->count[part] == 0 && (has_rate(rates, part) || !is_told);
    if (is_paid) parts->count[part] = count;
    return is_paid;
}

/* Where its tokens alone have a rate, and no report came. */
static void add_spoken(int64_t characters, struct usage_parts *parts)
{
    parts->count[USAGE_AUDIO_OUTPUT] = SPOKEN_TOKENS(characters);
    parts->is_estimated = true;
}

void pieces_add(const struct exchange *x, const struct attempt *attempt, struct usage_parts *parts)
{
    const struct price_rates *rates = rates_of(x, attempt);
    const struct chat_pieces *asked = &x->request.pieces;
    bool is_told = usage_is_known(&attempt->usage);
    add(rates, is_told, parts, USAGE_IMAGES, asked->images);
    add(rates, is_told, parts, USAGE_SEARCHES, asked->searches);
    if (!is_told && asked->characters && has_rate(rates, USAGE_AUDIO_OUTPUT) && !has_rate(rates, USAGE_CHARACTERS))
        add_spoken(asked->characters, parts);
    else
        add(rates, is_told, parts, USAGE_CHARACTERS, asked->characters);
    bool is_by_tokens = is_told || (has_rate(rates, USAGE_AUDIO_INPUT) && !has_rate(rates, USAGE_SECONDS));
    if (listens(x->api->asks) && !is_by_tokens && add(rates, false, parts, USAGE_SECONDS, asked->seconds))
        parts->is_estimated = true;
}

enum usage_part pieces_input(const struct exchange *x, const struct attempt *attempt)
{
    bool is_sound = listens(x->api->asks) && has_rate(rates_of(x, attempt), USAGE_AUDIO_INPUT);
    return is_sound ? USAGE_AUDIO_INPUT : USAGE_INPUT;
}
