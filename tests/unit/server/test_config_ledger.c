/* moongate.lua: what the ledger is told, and what is said of what it must not be told. */
#include <unistd.h>

#include "config_kit.h"
#include "store/ledger/link.h"

static void what_the_ledger_is_told(void)
{
    struct buf packed;
    buf_init(&packed);
    struct config *c = load_good("return { ledger = { durability = 'async', copy = 'audit.jsonl', retain = '400d',\n"
                                 "  gateway = 'gw-1' }, billing = { timezone = 'Europe/Berlin' },\n"
                                 "  postgres = { url = 'host=/run/postgresql dbname=moongate password=geheim' } }");
    if (!c) return;
    config_pack(c, &packed);
    struct config *same = config_unpack(buf_slice(&packed));
    EXPECT(same != NULL);
    if (same) {
        EXPECT_INT(DURABILITY_ASYNC, same->settings->durability);
        EXPECT_SLICE(SLICE("audit.jsonl"), same->ledger_copy);
        EXPECT_INT(400ull * 86400000u, same->retain_ms);
        EXPECT_INT(0, same->retain_texts_ms);
        EXPECT_SLICE(SLICE("gw-1"), same->gateway);
        EXPECT_SLICE(SLICE("Europe/Berlin"), same->billing_zone);
        EXPECT_SLICE(SLICE("host=/run/postgresql dbname=moongate password=geheim"), same->postgres_url);
        EXPECT(same->settings->has_postgres);
    }
    json_t *show = config_show(c);
    char *shown = json_dumps(show, JSON_COMPACT);
    json_decref(show);
    EXPECT(!strstr(shown, "geheim") && strstr(shown, "\"async\""));
    free(shown);
    config_drop_secrets(c);
    EXPECT(c->postgres_url.len == 0);
    config_free(same);
    config_free(c);
    buf_clear(&packed);
}

static void what_is_wrong_with_the_ledger_is_said(void)
{
    expect_bad("return { ledger = { durability = 'sometimes' } }", 1, 34, "must be one of them, not `sometimes`", "local");
    expect_bad("return { ledger = { durability = 'remote' } }", 1, 34, "needs PostgreSQL", "\"local\"");
    expect_bad("return { ledger = { copy = 'ledger.db' } }", 1, 28, "a name of the gateway's own files", "audit.jsonl");
    expect_bad("return { ledger = { copy = '/var/log/ledger.db-wal' } }", 1, 28, "a name of the gateway's own files", "");
    expect_bad("return { ledger = { copy = '../audit.jsonl' } }", 1, 28, "a file's name in the data folder", "");
    expect_bad("return { ledger = { gateway = 'GW 1' } }", 1, 31, "must have 1 to", "");
    expect_bad("return { billing = { timezone = 'Europe/Atlantis' } }", 1, 33, "no time zone that this system knows", "Europe/Berlin");
    expect_bad("return { postgres = { url = 'host=a\\nb' } }", 1, 29, "must be one line of text", "");
}

int main(void)
{
    if (!mkdtemp(dir)) return 1;
    snprintf(path, sizeof path, "%s/moongate.lua", dir);
    RUN(what_the_ledger_is_told);
    RUN(what_is_wrong_with_the_ledger_is_said);
    unlink(path);
    rmdir(dir);
    return unit_close("config_ledger");
}
