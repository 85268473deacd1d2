/* moongate.lua: the sinks of notices, and what is said of those that cannot be. */
#include <unistd.h>

#include "config_kit.h"

static void sinks_are_told_and_their_secrets_are_not(void)
{
    struct buf packed;
    buf_init(&packed);
    struct config *c = load_good(
        "return { notify = { slack = { kind = 'slack', url = 'https://hooks.example/T0/geheim?a=1' },\n"
        "  ops = { kind = 'webhook', url = 'http://ops/hook', secret = 'geheim2' },\n"
        "  pager = { kind = 'command', command = { '/usr/local/bin/page', '--text', 'a b' } } } }");
    if (!c) return;
    config_pack(c, &packed);
    struct config *same = config_unpack(buf_slice(&packed));
    EXPECT(same != NULL);
    if (same) {
        EXPECT_INT(3, same->settings->sink_count);
        EXPECT_SLICE(SLICE("https://hooks.example/T0/geheim?a=1"), settings_sink(same->settings, SLICE("slack"))->url);
        EXPECT_SLICE(SLICE("geheim2"), settings_sink(same->settings, SLICE("ops"))->secret);
        EXPECT_SLICE(SLICE("/usr/local/bin/page\n--text\na b"),
                     settings_sink(same->settings, SLICE("pager"))->command);
        EXPECT(settings_sink(same->settings, SLICE("owner")) == NULL);
    }
    json_t *show = config_show(c);
    char *shown = json_dumps(show, JSON_COMPACT);
    json_decref(show);
    EXPECT(!strstr(shown, "geheim") && strstr(shown, "\"webhook\""));
    free(shown);
    config_free(same);
    config_free(c);
    buf_clear(&packed);
}

#define SINK(text) "return { notify = { a = " text " } }"

static void what_is_wrong_with_a_sink_is_said(void)
{
    expect_bad(SINK("{ kind = 'mail' }"), 1, 34, "unknown kind of sink `mail`", "\"command\"");
    expect_bad(SINK("{ kind = 'slack' }"), 1, 25, "`url` is missing: a sink of kind \"slack\" needs it",
               "url = env \"SLACK_URL\"");
    expect_bad(SINK("{ kind = 'command', command = '/bin/x -y' }"), 1, 55,
               "a program and its arguments are a list, no shell reads them", "{ \"/usr/local/bin/page\", \"--now\" }");
    expect_bad(SINK("{ kind = 'command' }"), 1, 25, "`command` is missing", "{ \"/usr/local/bin/page\" }");
    expect_bad(SINK("{ kind = 'slack', url = 'hooks.example' }"), 1, 49, "is not an http:// or https:// URL", "env");
    expect_bad(SINK("{ kind = 'slack', url = 'http://u:p@x/' }"), 1, 49, "without a user in it", "");
    expect_bad(SINK("{ kind = 'slack', url = 'http://x', secret = 'y' }"), 1, 70, "has no `secret`", "leave it out");
    expect_bad(SINK("{ kind = 'command', command = { 'page' } }"), 1, 55, "absolute path", "/usr/local/bin/page");
    expect_bad(SINK("{ kind = 'command', command = { '/x', 'a\\nb' } }"), 1, 55, "line ends", "");
    expect_bad("return { notify = { ['A b'] = { kind = 'slack', url = 'http://x' } } }", 1, 31, "a sink's name has", "");
}

int main(void)
{
    if (!mkdtemp(dir)) return 1;
    snprintf(path, sizeof path, "%s/moongate.lua", dir);
    RUN(sinks_are_told_and_their_secrets_are_not);
    RUN(what_is_wrong_with_a_sink_is_said);
    unlink(path);
    rmdir(dir);
    return unit_close("config_notify");
}
