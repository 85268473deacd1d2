/* moongate.lua: what accounts of each kind have, and what is said of those that nobody would answer. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config_kit.h"

#define PROVIDER(fields) "return { providers = { one = { kind = 'openai', " fields " } } }"

static void a_kind_is_found_by_its_vendors_name(void)
{
    static const char *const said[][2] = {{"google", "\"gemini\""}, {"OpenAI", "\"openai\""}, {"aws", "\"bedrock\""},
                                          {"openai-compatible", "\"openai_compatible\""}, {"vertexai", "\"vertex\""},
                                          {"antropic", "\"anthropic\""}, {"gorq", "\"groq\""}};
    char text[200];
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        snprintf(text, sizeof text, "return { providers = { one = { kind = '%s' } } }", said[i][0]);
        expect_bad(text, 1, 39, "unknown kind", said[i][1]);
    }
}

static void a_url_that_is_missing_is_named_by_its_kind(void)
{
#define KIND(kind) "return { providers = { one = { kind = '" kind "' } } }"
    expect_bad(KIND("anthropic"), 1, 30, "`url` is missing", "https://api.anthropic.com/v1");
    expect_bad(KIND("gemini"), 1, 30, "`url` is missing", "/v1beta");
    expect_bad(KIND("bedrock"), 1, 30, "`url` is missing", "bedrock-runtime");
    expect_bad(KIND("azure"), 1, 30, "`url` is missing", ".openai.azure.com");
}

static void expect_odd(const char *text, const char *message)
{
    struct report *report = report_new();
    struct config *c = load(text, report);
    json_t *first = json_array_get(report_json(report), 0);
    EXPECT(c != NULL);
    EXPECT_INT(message ? 1 : 0, report_warnings(report));
    if (message && !strstr(text_of(first, "message"), message)) UNIT_FAIL("%s: %s", text, text_of(first, "message"));
    config_free(c);
    report_free(report);
}

static void an_account_that_is_hardly_answered_is_a_warning(void)
{
#define ONE(fields) "return { providers = { one = { " fields " } } }"
    expect_odd(ONE("kind = 'openai', url = 'https://api.openai.com/v1'"), NULL);
    expect_odd(ONE("kind = 'openai', url = 'https://api.openai.com'"), "begins at a path");
    expect_odd(ONE("kind = 'openai', url = 'https://api.openai.com/'"), "begins at a path");
    expect_odd(ONE("kind = 'anthropic', url = 'https://a/v1/messages'"), "/messages stands there twice");
    expect_odd(ONE("kind = 'groq'"), NULL);
    expect_odd(ONE("kind = 'openai', url = 'http://gateway.internal'"), NULL);
    expect_odd(ONE("kind = 'groq', url = 'https://api.groq.com'"), "begins at a path");
    expect_odd(ONE("kind = 'azure', url = 'https://n.openai.azure.com', api_version = '1'"), NULL);
    expect_odd(ONE("kind = 'bedrock', url = 'https://b', region = 'eu-west-1'"), "nothing says who asks");
    expect_odd(ONE("kind = 'bedrock', url = 'https://b', key = 'k'"), NULL);
    expect_odd(ONE("kind = 'bedrock', url = 'https://bedrock-runtime.eu-west-1.amazonaws.com', region = 'eu-west-1', "
                   "key = 'k'"), NULL);
    expect_odd(ONE("kind = 'bedrock', url = 'https://bedrock-runtime.eu-west-1.amazonaws.com', region = 'us-east-1', "
                   "key = 'k'"), "`url` says eu-west-1");
    expect_odd(ONE("kind = 'bedrock', url = 'https://bedrock.eu-west-1.amazonaws.com', key = 'k'"), "bedrock-runtime");
}

static void a_file_without_certificates_is_none(void)
{
    expect_bad(PROVIDER("url = 'http://x/v1', ca = '/dev/null'"), 1, 75, "/dev/null: ", "relative");
    expect_bad(PROVIDER("url = 'http://x/v1', ca = '/etc/passwd'"), 1, 75, "holds no certificates", "BEGIN CERTIFICATE");
    expect_bad("return { providers = { one = { kind = 'gemini', server = 'groq', url = 'http://x/v1' } } }", 1, 58,
               "has no `server`", "openai_compatible");
}

#define AZURE(fields) "return { providers = { one = { kind = 'azure', " fields " } } }"

static void an_account_of_azures_has_a_version(void)
{
    struct config *c = load_good(AZURE("url = 'https://n.openai.azure.com/', api_version = '2024-10-21'"));
    EXPECT_SLICE(SLICE("https://n.openai.azure.com"), settings_provider(c->settings, SLICE("one"))->url);
    EXPECT_SLICE(SLICE("2024-10-21"), settings_provider(c->settings, SLICE("one"))->api_version);
    config_free(c);
    c = load_good(AZURE("url = 'https://n.openai.azure.com/openai/v1'"));
    EXPECT_SLICE(SLICE(""), settings_provider(c->settings, SLICE("one"))->api_version);
    config_free(c);
    expect_bad(AZURE("url = 'https://n.openai.azure.com'"), 1, 30, "`api_version` is missing", "\"/openai/v1\"");
    expect_bad(AZURE("url = 'https://n', api_version = '1&key=2'"), 1, 81, "a-z, 0-9, - and _", "");
    expect_bad(PROVIDER("url = 'http://x', api_version = '1'"), 1, 81, "has no `api_version`", "leave it out");
    expect_bad(AZURE("url = 'https://n/openai/v1', key = 'k', headers = { ['Api-Key'] = 'x' }"), 1, 98, "not both", "leave");
}

#define BEDROCK(fields) "return { providers = { one = { kind = 'bedrock', url = 'https://b', " fields " } } }"
#define SIGNED "access_key_id = env 'TEST_ID', secret_access_key = env 'TEST_SECRET'"

static void an_account_of_amazons_signs_or_bears(void)
{
    setenv("TEST_ID", "AKIATEST", 1);
    setenv("TEST_SECRET", "secret", 1);
    struct config *c = load_good(BEDROCK("region = 'us-east-1', " SIGNED));
    const struct provider *p = settings_provider(c->settings, SLICE("one"));
    struct slice secrets[PROVIDER_SECRETS_MAX];
    EXPECT_SLICE(SLICE("AKIATEST"), p->access_key_id);
    EXPECT_SLICE(SLICE("us-east-1"), p->region);
    EXPECT_INT(2, provider_secrets(p, secrets));
    EXPECT_SLICE(SLICE("secret"), secrets[1]);
    config_free(c);
    config_free(load_good(BEDROCK("key = env 'TEST_SECRET'")));
    config_free(load_good(BEDROCK("http2 = true")));
    expect_bad(BEDROCK(SIGNED), 1, 30, "`region` is missing", "us-east-1");
    expect_bad(BEDROCK("region = 'x', access_key_id = env 'TEST_ID'"), 1, 30, "`secret_access_key` is missing", "env");
    expect_bad(BEDROCK("region = 'x', session_token = env 'TEST_ID', secret_access_key = env 'TEST_ID'"), 1, 30,
               "`access_key_id` is missing", "env");
    expect_bad(BEDROCK("region = 'x', key = env 'TEST_ID', " SIGNED), 1, 89, "one of them, not both", "leave");
    expect_bad(BEDROCK("region = 'x', " SIGNED ", headers = { ['X-Amz-Date'] = 'x' }"), 1, 163, "the gateway's own",
               "leave it out");
    expect_bad(BEDROCK("key = env 'TEST_ID', headers = { accept = 'x' }"), 1, 100, "the gateway's own", "leave it out");
    config_free(load_good(BEDROCK("headers = { ['X-Amzn-Bedrock-GuardrailIdentifier'] = 'g' }")));
    expect_bad(PROVIDER("url = 'http://x', region = 'x'"), 1, 76, "has no `region`", "leave it out");
}

int main(void)
{
    if (!mkdtemp(dir)) return 1;
    snprintf(path, sizeof path, "%s/moongate.lua", dir);
    RUN(a_kind_is_found_by_its_vendors_name);
    RUN(a_url_that_is_missing_is_named_by_its_kind);
    RUN(an_account_that_is_hardly_answered_is_a_warning);
    RUN(a_file_without_certificates_is_none);
    RUN(an_account_of_azures_has_a_version);
    RUN(an_account_of_amazons_signs_or_bears);
    unlink(path);
    rmdir(dir);
    return unit_close("config_account");
}
