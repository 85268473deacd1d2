#include "admin/api/cookie.h"

#include "admin/hosts.h"
#include "wire/http.h"

#define SECURE "__Host-mg_session"
#define PLAIN "mg_session"

/* RFC 6265 4.2: name=value pairs with semicolons between them. */
static struct slice find(struct slice cookies, struct slice wanted)
{
    while (cookies.len) {
        struct slice value, pair = slice_trim(slice_split(cookies, ';', &cookies));
        if (slice_equal(slice_split(pair, '=', &value), wanted)) return value;
    }
    return SLICE_NONE;
}

static bool holds(struct slice text, const char *word)
{
    return text.len && memmem(text.ptr, text.len, word, strlen(word));
}

bool cookie_is_plain(const struct http_head *head)
{
    struct slice browser = http_find(head, SLICE("user-agent"));
    return hosts_is_loopback(http_find(head, SLICE("host"))) && holds(browser, "Safari/") && !holds(browser, "Chrom");
}

struct slice cookie_read(const struct http_head *head)
{
    struct slice cookies = http_find(head, SLICE("cookie")), secret = find(cookies, SLICE(SECURE));
    return secret.len || !cookie_is_plain(head) ? secret : find(cookies, SLICE(PLAIN));
}

struct slice cookie_write(struct arena *arena, struct slice secret, bool is_plain)
{
    return arena_printf(arena, "%s=%.*s; Path=/;%s HttpOnly; SameSite=Strict%s", is_plain ? PLAIN : SECURE,
                        SLICE_FMT(secret), is_plain ? "" : " Secure;", secret.len ? "" : "; Max-Age=0");
}
