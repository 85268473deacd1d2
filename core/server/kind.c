#include "server/kind.h"

#include <openssl/sha.h>

#include "base/hex.h"
#include "base/nearest.h"
#include "wire/assertion.h"
#include "wire/reach.h"

/* How they are called elsewhere, and how their URLs look. */
static const struct kind_words {
    const char *name, *url;
    const char *others[4];
} kinds[] = {
    {"openai", "https://api.openai.com/v1", {"OpenAI", "open_ai", "chatgpt", "gpt"}},
    {"openai_compatible", "https://host/v1", {"openai-compatible", "openai_like", "compatible", "custom"}},
    {"openai_responses", "https://host/v1", {"openai-responses", "responses", "responses_compatible", "codex"}},
    {"anthropic", "https://api.anthropic.com/v1", {"Anthropic", "claude"}},
    {"gemini", "https://generativelanguage.googleapis.com/v1beta", {"Gemini", "google", "google_gemini"}},
    {"azure", "https://NAME.openai.azure.com", {"Azure", "azure_openai", "microsoft"}},
    {"bedrock", "https://bedrock-runtime.us-east-1.amazonaws.com", {"Bedrock", "aws", "amazon", "aws_bedrock"}},
    {"vertex", "https://europe-west4-aiplatform.googleapis.com",
     {"Vertex", "vertex_ai", "google_vertex", "gcp"}},
};

static const struct kind_words *find_words(struct slice kind)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (slice_equal(kind, slice_str(kinds[i].name))) return &kinds[i];
    return NULL;
}

static bool is_called(const struct kind_words *k, struct slice word)
{
    for (size_t i = 0; i < sizeof k->others / sizeof k->others[0] && k->others[i]; i++)
        if (slice_iequal(word, slice_str(k->others[i]))) return true;
    return false;
}

const char *kind_nearest(struct slice word)
{
    const char *names[sizeof kinds / sizeof kinds[0]];
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (is_called(&kinds[i], word)) return kinds[i].name;
        names[i] = kinds[i].name;
    }
    return nearest_word(word, names, sizeof names / sizeof names[0]);
}

const char *kind_url_example(struct slice kind)
{
    const struct kind_words *words = find_words(kind);
    return words ? words->url : "https://host/v1";
}

bool kind_is_known(struct slice kind)
{
    return dialect_has_kind(kind);
}

struct slice kind_key_header(struct slice kind)
{
    const struct dialect *dialect = dialect_for(kind, NULL, NULL);
    return dialect ? reach_key_header(kind, dialect).name : SLICE_NONE;
}

struct slice kind_token_header(void)
{
    return reach_token_header().name;
}

bool kind_takes_access_keys(struct slice kind)
{
    return reach_signs(kind);
}

bool kind_sets_header(struct slice kind, struct slice name)
{
    return reach_sets(kind, name);
}

bool kind_takes_version(struct slice kind)
{
    return reach_takes_version(kind);
}

bool kind_needs_version(struct slice kind, struct slice url)
{
    return reach_needs_version(kind, url);
}

bool kind_is_google(struct slice kind)
{
    return reach_is_vertex(kind);
}

struct slice kind_url_in(struct slice location, struct arena *arena)
{
    return reach_vertex_url(location, arena);
}

/* What differs in any of these is another credential, with a token of its own. */
static void write_id(struct slice kind, struct slice json, struct slice ca_file, char digits[17])
{
    const struct slice parts[] = {reach_scope(kind), ca_file, json};
    uint8_t digest[SHA256_DIGEST_LENGTH];
    struct buf all;
    buf_init(&all);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].len) buf_append(&all, parts[i]);
        buf_append_char(&all, '\n');
    }
    SHA256((const unsigned char *)buf_ptr(&all), buf_len(&all), digest);
    explicit_bzero(buf_ptr(&all), buf_len(&all));
    buf_clear(&all);
    digest[0] |= 0x80; /* never 0 */
    hex_write(digest, 8, digits);
}

bool kind_read_key_file(struct slice kind, struct slice json, struct slice ca_file, struct buf *text, struct fault *why)
{
    struct service_account who;
    struct arena arena;
    char digits[17];
    arena_init(&arena);
    bool is_good = service_account_read(json, &arena, &who, why);
    service_account_wipe(&who);
    arena_clear(&arena);
    if (!is_good) return false;
    write_id(kind, json, ca_file, digits);
    buf_printf(text, "%s\n%.*s", digits, SLICE_FMT(json));
    return true;
}
