/* What is found in a request leaves as a placeholder, and nothing else changes. */
#include "redacting.h"

static void expect_sent(const char *body, const char *want, enum chat_kind kind)
{
    use_rules(true, true);
    send_request(body, kind);
    EXPECT_SLICE(slice_str(want), buf_slice(&sent));
    done();
}

static void all_texts_of_a_request_are_masked(void)
{
    expect_sent("{ \"model\":\"m\", \"messages\": [ {\"role\":\"system\",\"content\":\"I am bo@x.org\"},"
                "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"ana@example.com, EMP-123456\"},"
                "{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://x.org/?ana@example.com\"}}]},"
                "{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c1\",\"type\":\"function\",\"function\":"
                "{\"name\":\"mail\",\"arguments\":\"{\\\"to\\\":\\\"ana@example.com\\\"}\"}}]},"
                "{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"sent to cy@x.org\"}], \"user\":\"bo@x.org\" }",
                "{ \"model\":\"m\", \"messages\": [ {\"role\":\"system\",\"content\":\"I am [email]\"},"
                "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"[email_2], [employee_id]\"},"
                "{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://x.org/?ana@example.com\"}}]},"
                "{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c1\",\"type\":\"function\",\"function\":"
                "{\"name\":\"mail\",\"arguments\":\"{\\\"to\\\":\\\"[email_2]\\\"}\"}}]},"
                "{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"sent to [email_3]\"}], \"user\":\"[email]\" }",
                CHAT_CHAT);
    expect_sent("{\"model\":\"m\",\"prompt\":[\"a@b.io\",\"c@d.io\"],\"suffix\":\"a@b.io\"}",
                "{\"model\":\"m\",\"prompt\":[\"[email]\",\"[email_2]\"],\"suffix\":\"[email]\"}", CHAT_COMPLETIONS);
    expect_sent("{\"model\":\"m\",\"input\":\"of a@b.io\"}", "{\"model\":\"m\",\"input\":\"of [email]\"}", CHAT_EMBEDDINGS);
}

static void escapes_hide_nothing(void)
{
    expect_sent("{\"model\":\"m\",\"input\":\"\\u00e9\\n\\ud83d\\ude00 \\u0061na\\u0040example.com\\u002c EMP\\u002d123456\\t\"}",
                "{\"model\":\"m\",\"input\":\"\\u00e9\\n\\ud83d\\ude00 [email]\\u002c [employee_id]\\t\"}", CHAT_EMBEDDINGS);
}

/* W1: texts that are JSON themselves, wherever they stand, are read as they are decoded. */
static void json_in_texts_is_masked_as_it_is_decoded(void)
{
    expect_sent("{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c1\",\"type\":\"function\",\"function\":"
                "{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":\\\"x\\\\nbo@x.org\\\",\\\"b\\\":[5500000000000004]}\"}}]},"
                "{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":[{\"type\":\"text\",\"text\":\"{\\\"a\\\":\\\"bo\\\\u0040x.org\\\"}\"}]}]}",
                "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c1\",\"type\":\"function\",\"function\":"
                "{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":\\\"x\\\\n[email]\\\",\\\"b\\\":[\\\"[credit_card]\\\"]}\"}}]},"
                "{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":[{\"type\":\"text\",\"text\":\"{\\\"a\\\":\\\"[email]\\\"}\"}]}]}",
                CHAT_CHAT);
    expect_sent("{\"model\":\"m\",\"prompt\":\"{\\\"a\\\":\\\"\\\\u000a\\\\u0062o@x.org\\\"}\"}",
                "{\"model\":\"m\",\"prompt\":\"{\\\"a\\\":\\\"\\\\u000a[email]\\\"}\"}", CHAT_COMPLETIONS);
    expect_sent("{\"model\":\"m\",\"input\":\"{\\u0022a\\u0022:-4111111111111111}\"}",
                "{\"model\":\"m\",\"input\":\"{\\u0022a\\u0022:\\\"[credit_card]\\\"}\"}", CHAT_EMBEDDINGS);
}

#define ASKED_TOOL(call) "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c1\"," call "}]}]}"

/* Names that mean something in a message mean nothing in what a tool is asked. */
static void what_a_tool_is_asked_as_an_object_hides_nothing(void)
{
    expect_sent(ASKED_TOOL("\"function\":{\"name\":\"f\",\"arguments\":{\"file\":\"4111 1111 1111 1111\",\"id\":\"bo@x.org\","
                           "\"type\":[{\"role\":\"bo@x.org\"}],\"image_url\":{\"url\":\"bo@x.org\"}}}"),
                ASKED_TOOL("\"function\":{\"name\":\"f\",\"arguments\":{\"file\":\"[credit_card]\",\"id\":\"[email]\","
                           "\"type\":[{\"role\":\"[email]\"}],\"image_url\":{\"url\":\"[email]\"}}}"),
                CHAT_CHAT);
    expect_sent(ASKED_TOOL("\"custom\":null,\"function\":{\"name\":\"f\",\"arguments\":{\"audio\":\"bo@x.org\"}}"),
                ASKED_TOOL("\"custom\":null,\"function\":{\"name\":\"f\",\"arguments\":{\"audio\":\"[email]\"}}"), CHAT_CHAT);
}

static void a_files_name_is_a_text_and_what_is_in_it_is_none(void)
{
#define FILE_OF(name)                                                                                                  \
    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"file\",\"file\":{\"file_id\":\"a@b.io\"," \
    "\"file_data\":\"a@b.io\",\"filename\":\"" name "\"}}]}]}"
    expect_sent(FILE_OF("bo@x.org and Ann.pdf"), FILE_OF("[email] and Ann.pdf"), CHAT_CHAT);
#undef FILE_OF
}

static void what_holds_nothing_is_not_touched(void)
{
    const char *body = "{\"model\":\"m\",\"input\":\"caf\\u00e9 \\/ 12 EMP-1234567 a@b\" , \"x\":1e2}";
    expect_sent(body, body, CHAT_EMBEDDINGS);
}

static void a_placeholder_of_the_callers_own_is_given_to_nobody(void)
{
    expect_sent("{\"model\":\"m\",\"input\":\"[email] and [phone_7] are a@b.io, c@d.io, +49 30 1234567\"}",
                "{\"model\":\"m\",\"input\":\"[email] and [phone_7] are [email_2], [email_3], [phone_8]\"}", CHAT_EMBEDDINGS);
}

static void beyond_the_bound_nothing_is_looked_at_and_it_is_said(void)
{
    use_rules(true, true);
    rules.scan_bytes_max = 20;
    send_request("{\"model\":\"m\",\"input\":[\"a@b.io 3456789\",\"123456 c@d.io\"]}", CHAT_EMBEDDINGS);
    EXPECT(redact_is_cut(r));
    EXPECT_INT(1, redact_found(r, DETECT_EMAIL));
    rules.scan_bytes_max = 27;
    send_request("{\"model\":\"m\",\"input\":[\"a@b.io 3456789\",\"123456 c@d.io\"]}", CHAT_EMBEDDINGS);
    EXPECT(!redact_is_cut(r));
    EXPECT_INT(2, redact_found(r, DETECT_EMAIL));
    done();
}

static void a_long_text_is_scanned_in_pieces(void)
{
    struct buf body;
    unsigned calls = 0;
    struct fault why;
    buf_init(&body);
    buf_append(&body, SLICE("{\"model\":\"m\",\"input\":\""));
    for (int i = 0; i < 9000; i++)
        buf_printf(&body, "mail%d@example.com ", i);
    buf_append(&body, SLICE("\"}"));
    use_rules(true, true);
    chat_init(&request);
    r = redact_new(&rules, &arena);
    EXPECT(chat_parse(&request, &dialect_openai, buf_slice(&body), CHAT_EMBEDDINGS, &arena, &why));
    while (!redact_scan(r, &request, buf_slice(&body)))
        calls++;
    EXPECT(calls >= 2);
    EXPECT_INT(9000, redact_found(r, DETECT_EMAIL));
    chat_clear(&request);
    buf_clear(&body);
    done();
}

int main(void)
{
    arena_init(&arena);
    buf_init(&sent);
    RUN(all_texts_of_a_request_are_masked);
    RUN(escapes_hide_nothing);
    RUN(json_in_texts_is_masked_as_it_is_decoded);
    RUN(what_a_tool_is_asked_as_an_object_hides_nothing);
    RUN(a_files_name_is_a_text_and_what_is_in_it_is_none);
    RUN(what_holds_nothing_is_not_touched);
    RUN(a_placeholder_of_the_callers_own_is_given_to_nobody);
    RUN(beyond_the_bound_nothing_is_looked_at_and_it_is_said);
    RUN(a_long_text_is_scanned_in_pieces);
    buf_clear(&sent);
    return unit_close("redact");
}
