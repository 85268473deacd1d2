/* Which requests of browsers may change something: every combination of what they send, by the order of csrf.h. */
#include "../unit.h"

#include "admin/api/csrf.h"

static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get"};
static const char *const origins[] = {"",
                                      "null",
                                      "http://127.0.0.1:8091",
                                      "https://127.0.0.1:8091",
                                      "http://127.0.0.1:8092",
                                      "https://gateway.example.com",
                                      "HTTPS://Gateway.Example.COM",
                                      "https://gateway.example.com.evil.example",
                                      "https://evil.example",
                                      "127.0.0.1:8091"};
static const char *const sites[] = {"", "same-origin", "same-site", "cross-site", "none", "Same-Origin"};
static const char *const hosts[] = {"127.0.0.1:8091", "gateway.example.com", ""};

#define EACH(i, list) for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)

/* As console.md has it, said once more and otherwise. */
static bool may(const char *method, const char *origin, const char *site, const char *host)
{
    if (!strcmp(method, "GET") || !strcmp(method, "HEAD")) return true;
    if (!strcasecmp(origin, "https://gateway.example.com")) return true;
    if (site[0]) return !strcmp(site, "same-origin");
    const char *at = strstr(origin, "://");
    return at && at[3] && !strcasecmp(at + 3, host);
}

static void every_combination_is_judged_in_order(void)
{
    struct slice trusted[] = {SLICE("https://gateway.example.com"), SLICE_NONE};
    unsigned let = 0, all = 0;
    EACH(m, methods) EACH(o, origins) EACH(s, sites) EACH(h, hosts)
    {
        struct csrf_request r = {slice_str(methods[m]), slice_str(origins[o]), slice_str(sites[s]),
                                 slice_str(hosts[h]),   trusted,               2};
        bool is_let = csrf_refusal(&r) == NULL;
        if (is_let != may(methods[m], origins[o], sites[s], hosts[h]))
            UNIT_FAIL("%s, origin '%s', site '%s', host '%s': %d", methods[m], origins[o], sites[s], hosts[h], is_let);
        let += is_let;
        all++;
    }
    EXPECT_INT(1440, all);
    EXPECT_INT(732, let);
}

static void an_origin_is_taken_out_of_a_url(void)
{
    EXPECT_SLICE(SLICE("https://a.example:8443"), csrf_origin_of(SLICE("https://a.example:8443/ui/x")));
    EXPECT_SLICE(SLICE("https://a.example"), csrf_origin_of(SLICE("https://a.example")));
    EXPECT_INT(0, csrf_origin_of(SLICE("a.example")).len);
    EXPECT_INT(0, csrf_origin_of(SLICE("")).len);
}

int main(void)
{
    RUN(every_combination_is_judged_in_order);
    RUN(an_origin_is_taken_out_of_a_url);
    return unit_close("csrf");
}
