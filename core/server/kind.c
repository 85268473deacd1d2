#include "server/kind.h"

#include <openssl/sha.h>

#include "base/hex.h"
#include "wire/assertion.h"
#include "wire/reach.h"

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
