/* Answers whose texts are JSON themselves, and what stands beside their choices: all of it is masked and given back. */
#include "answering.h"

/* W8: what stands beside choices is masked as it is without them. */
static void what_belongs_to_no_choice_is_masked_too(void)
{
    expect_answer("{\"search_results\":[{\"title\":\"cy@x.org\"}],\"citations\":[\"x?cy@x.org\"]}",
                  "{\"search_results\":[{\"title\":\"[email_3]\"}],\"citations\":[\"x?[email_3]\"]}");
    expect_answer("{\"choices\":[{\"message\":{\"content\":\"x\",\"annotations\":[{\"url_citation\":{\"title\":\"cy@x.org\"}}]}}],"
                  "\"search_results\":[{\"title\":\"cy@x.org\"}],\"citations\":[\"x?cy@x.org\"]}",
                  "{\"choices\":[{\"message\":{\"content\":\"x\",\"annotations\":[{\"url_citation\":{\"title\":\"[email_3]\"}}]}}],"
                  "\"search_results\":[{\"title\":\"[email_3]\"}],\"citations\":[\"x?[email_3]\"]}");
    /* In a stream it stands whole in each event, and ends with it. */
    use_rules(true, true);
    send_request(ASKED, CHAT_CHAT);
    run_stream(SLICE("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}],\"search_results\":[{\"title\":\"cy@x.org\"}]}\n\n"
                     "data: {\"choices\":[],\"search_results\":[{\"title\":\".uk cy@x.org\"}]}\n\n"));
    EXPECT_TEXT("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}],\"search_results\":[{\"title\":\"[email_3]\"}]}\n\n"
                "data: {\"choices\":[],\"search_results\":[{\"title\":\".uk [email_3]\"}]}\n\n",
                buf_slice(&out));
    done();
}

/* W1: arguments cut at every byte, each of them in a delta of its own or in two. */
static void arguments_are_masked_as_they_are_decoded(void)
{
    static const char *const arguments[][2] = {
        {"{\"note\":\"x\\ncy@x.org\"}", "{\"note\":\"x\\n[email_3]\"}"},
        {"{\"note\":\"x\\n5500 0000 0000 0004\\t219-09-9999\"}", "{\"note\":\"x\\n[credit_card]\\t[us_ssn]\"}"},
        {"{\"note\":\"cy\\u0040x.org\",\"card\":5500000000000004}", "{\"note\":\"[email_3]\",\"card\":\"[credit_card]\"}"},
        {"{\"b\":\"{\\\"c\\\":\\\"x\\\\ncy@x.org\\\",\\\"n\\\":-5500000000000004}\"}",
         "{\"b\":\"{\\\"c\\\":\\\"x\\\\n[email_3]\\\",\\\"n\\\":\\\"[credit_card]\\\"}\"}"},
        {"{\"to\":\"x\\n[email]\",\"q\":\"{\\\"to\\\":\\\"[email_2]\\\"}\"}",
         "{\"to\":\"x\\nana@example.com\",\"q\":\"{\\\"to\\\":\\\"bo@x.org\\\"}\"}"},
    };
    struct buf sse;
    buf_init(&sse);
    for (size_t i = 0; i < sizeof arguments / sizeof arguments[0]; i++) {
        struct slice text = slice_str(arguments[i][0]);
        for (size_t first = 0; first <= text.len; first++) {
            use_rules(true, true);
            send_request(ASKED, CHAT_CHAT);
            buf_reset(&sse);
            for (size_t at = 0, next; at < text.len; at = next) {
                next = first == 0 ? at + 1 : at == 0 ? first : text.len;
                write_delta(&sse, slice_of(text.ptr + at, next - at), 0, "arguments");
            }
            run_stream(buf_slice(&sse));
            EXPECT_TEXT(arguments[i][1], join(buf_slice(&out), 0, "arguments"));
            done();
        }
    }
    buf_clear(&sse);
}

/* What is given back is spelt as it must be where it comes to stand. */
static void what_comes_back_is_encoded_at_every_level(void)
{
    use_quoted_rules();
    send_request("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"[\\\"Q\\\\\\\"1234\\\"]\"}]}", CHAT_CHAT);
    EXPECT_TEXT("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"[\\\"[quoted]\\\"]\"}]}", buf_slice(&sent));
    buf_reset(&out);
    EXPECT(redact_body(SLICE("{\"choices\":[{\"text\":\"[quoted] {\\\"a\\\":\\\"[quoted] {\\\\\\\"b\\\\\\\":\\\\\\\"[quoted]\\\\\\\"}\\\"}\"}]}"), &out));
    EXPECT_TEXT("{\"choices\":[{\"text\":\"Q\\\"1234 {\\\"a\\\":\\\"Q\\\\\\\"1234 {\\\\\\\"b\\\\\\\":\\\\\\\"Q\\\\\\\\\\\\\\\"1234\\\\\\\"}\\\"}\"}]}",
                buf_slice(&out));
    done();
}

static void deeper_than_is_read_does_not_go_out(void)
{
    struct buf text, json;
    use_rules(true, true);
    send_request(ASKED, CHAT_CHAT);
    buf_init(&text);
    buf_append(&text, SLICE("x\ncy@x.org"));
    for (unsigned depth = 0; depth <= LIMIT_SIGHT_LEVELS; depth++) {
        EXPECT(!redact_answer_is_too_deep(r));
        buf_init(&json);
        buf_append(&json, SLICE("{\"text\":"));
        buf_append_json(&json, buf_slice(&text));
        buf_append_char(&json, '}');
        buf_clear(&text);
        text = json;
        buf_reset(&out);
        redact_body(buf_slice(&text), &out);
    }
    EXPECT(!redact_answer_is_too_deep(r)); /* the body is JSON itself: so many levels stand in its texts */
    buf_init(&json);
    buf_append(&json, SLICE("{\"text\":"));
    buf_append_json(&json, buf_slice(&text));
    buf_append_char(&json, '}');
    redact_body(buf_slice(&json), &out);
    EXPECT(redact_answer_is_too_deep(r));
    buf_clear(&json);
    buf_clear(&text);
    done();
}

int main(void)
{
    arena_init(&arena);
    buf_init(&sent);
    buf_init(&out);
    RUN(what_belongs_to_no_choice_is_masked_too);
    RUN(arguments_are_masked_as_they_are_decoded);
    RUN(what_comes_back_is_encoded_at_every_level);
    RUN(deeper_than_is_read_does_not_go_out);
    buf_clear(&sent);
    buf_clear(&out);
    return unit_close("redact json");
}
