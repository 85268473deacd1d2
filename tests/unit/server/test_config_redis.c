/* moongate.lua: where a fleet counts, and what is said of a URL that is none. */
#include <unistd.h>

#include "config_kit.h"

static void where_a_fleet_counts(void)
{
    struct buf packed;
    buf_init(&packed);
    struct config *c = load_good("return { redis = { url = 'redis://moongate:geheim@redis.example:6380/3',\n"
                                 "  gateways = 4, timeout = '50ms', lease = '20s' } }");
    if (!c) return;
    config_pack(c, &packed);
    struct config *same = config_unpack(buf_slice(&packed));
    EXPECT(same != NULL);
    if (same) {
        EXPECT_SLICE(SLICE("redis://moongate:geheim@redis.example:6380/3"), same->redis_url);
        EXPECT_INT(4, same->redis_gateways);
        EXPECT_INT(50, same->redis_timeout_ms);
        EXPECT_INT(20000, same->redis_lease_ms);
    }
    json_t *show = config_show(c);
    char *shown = json_dumps(show, JSON_COMPACT);
    json_decref(show);
    EXPECT(!strstr(shown, "geheim") && strstr(shown, "\"20s\""));
    free(shown);
    config_drop_secrets(c);
    EXPECT(c->redis_url.len == 0);
    config_free(same);
    config_free(c);
    buf_clear(&packed);
}

static void alone_unless_it_says_so(void)
{
    struct config *c = load_good("return {}");
    if (!c) return;
    EXPECT(c->redis_url.len == 0);
    EXPECT_INT(1, c->redis_gateways);
    EXPECT_INT(50, c->redis_timeout_ms);
    EXPECT_INT(15000, c->redis_lease_ms);
    config_free(c);
}

static void what_is_wrong_is_said(void)
{
    expect_bad("return { redis = { url = 'http://redis.example' } }", 1, 26, "redis://", "redis://user:password@host:6379/0");
    expect_bad("return { redis = { url = 'redis://host:port/0' } }", 1, 26, "", "redis://user:password@host:6379/0");
    expect_bad("return { redis = { url = 'rediss://host?ca=/nowhere/ca.pem' } }", 1, 26, "/nowhere/ca.pem", "");
    expect_bad("return { redis = { gateways = 0 } }", 1, 31, "must be from 1 to 10000", "");
    expect_bad("return { redis = { timeout = '2s' } }", 1, 30, "must be from 1ms to 1s", "");
    expect_bad("return { redis = { lease = '1s' } }", 1, 28, "must be from 3s to 10m", "");
    expect_bad("return { redis = { ulr = 'redis://host' } }", 1, 20, "unknown", "url");
}

int main(void)
{
    if (!mkdtemp(dir)) return 1;
    snprintf(path, sizeof path, "%s/moongate.lua", dir);
    RUN(where_a_fleet_counts);
    RUN(alone_unless_it_says_so);
    RUN(what_is_wrong_is_said);
    unlink(path);
    rmdir(dir);
    return unit_close("config_redis");
}
