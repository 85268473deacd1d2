/* Texts in which nothing was found before: not scanned again, unless anything at all is otherwise. */
#include "redacting.h"

#include "wire/sight.h"

/* Long enough to be remembered; with an escape, so that it is shorter when read. */
#define PROSE                                                                                                          \
    "The committee met again in the afternoon, and those who had been against the plan from the start said that they " \
    "would not stand in its way if the others could agree on a budget, which, of course, they could not. So it went "  \
    "on for another two hours, until somebody opened a window and everybody\\nwent home without a word. "
#define FOUND "Write to jane.doe@example.com about it. "
#define BODY(text) "{\"model\":\"m\",\"input\":\"" text "\"}"

static struct memo_key key_of(const char *text)
{
    struct buf raw;
    buf_init(&raw);
    buf_printf(&raw, "\"%s\"", text);
    struct memo_key key = memo_key(remembered, buf_slice(&raw));
    buf_clear(&raw);
    return key;
}

static uint32_t known(const char *text)
{
    struct memo_key key = key_of(text);
    return memo_find(remembered, &key, detect_subject(rules.detect));
}

/* As if nothing had been found in it: shows whether a text is scanned. */
static void pretend(const char *text)
{
    struct memo_key key = key_of(text);
    memo_keep(remembered, &key, detect_subject(rules.detect), 1);
}

static void begin(void)
{
    use_rules(true, true);
    remembered = memo_new(LIMIT_QUIET_MEMO);
}

static void end(void)
{
    memo_free(remembered);
    remembered = NULL;
    done();
}

static void expect_emails(uint32_t count, const char *body)
{
    send_request(body, CHAT_EMBEDDINGS);
    EXPECT_INT(count, redact_found(r, DETECT_EMAIL));
    EXPECT(redact_is_scanned(r));
    EXPECT_INT(count > 0, redact_has_findings(r));
}

static void a_text_with_nothing_in_it_is_scanned_once(void)
{
    begin();
    EXPECT_INT(0, known(PROSE));
    expect_emails(0, BODY(PROSE));
    EXPECT_INT(strlen(PROSE) - 1, known(PROSE));
    expect_emails(0, BODY(PROSE));
    EXPECT_SLICE(slice_str(BODY(PROSE)), buf_slice(&sent));
    EXPECT_INT(0, known(PROSE "."));
    pretend(PROSE FOUND);
    expect_emails(0, BODY(PROSE FOUND)); /* it is not looked at */
    end();
}

static void a_text_with_something_in_it_is_scanned_each_time(void)
{
    begin();
    for (int i = 0; i < 3; i++) {
        expect_emails(1, BODY(PROSE FOUND));
        EXPECT_SLICE(SLICE(BODY(PROSE "Write to [email] about it. ")), buf_slice(&sent));
        EXPECT_INT(0, known(PROSE FOUND));
    }
    end();
}

static void other_rules_know_nothing_of_it(void)
{
    struct redact_rules old;
    begin();
    pretend(PROSE FOUND);
    expect_emails(0, BODY(PROSE FOUND));
    old = rules;
    use_rules(true, true); /* the same ones, compiled again */
    EXPECT(detect_subject(old.detect) != detect_subject(rules.detect));
    expect_emails(1, BODY(PROSE FOUND));
    detect_free(old.detect);
    end();
}

static void only_texts_of_some_length_are_remembered(void)
{
    static const struct {
        size_t bytes; /* with the quotes */
        bool is_kept;
    } cases[] = {{LIMIT_QUIET_MEMO_BYTES_MIN - 1, false}, {LIMIT_QUIET_MEMO_BYTES_MIN, true},
                 {LIMIT_QUIET_MEMO_BYTES_MAX, true}, {LIMIT_QUIET_MEMO_BYTES_MAX + 1, false}};
    begin();
    rules.scan_bytes_max = LIMIT_REDACT_SCAN_MAX;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf text, body;
        buf_init(&text);
        buf_init(&body);
        for (size_t n = 2; n < cases[i].bytes; n++)
            buf_append_char(&text, n % 9 == 0 ? ' ' : 'z');
        buf_append_char(&text, '\0');
        buf_printf(&body, "{\"model\":\"m\",\"input\":\"%s\"}", buf_ptr(&text));
        buf_append_char(&body, '\0');
        expect_emails(0, buf_ptr(&body));
        EXPECT_INT(cases[i].is_kept ? cases[i].bytes - 2 : 0, known(buf_ptr(&text)));
        buf_clear(&text);
        buf_clear(&body);
    }
    end();
}

/* What is known counts towards the bound as what is scanned does, and what is cut is not known. */
static void the_bound_stays_where_it_is(void)
{
    size_t len = strlen(PROSE) - 1;
    begin();
    for (int round = 0; round < 2; round++) {
        rules.scan_bytes_max = 2 * len - 1;
        send_request("{\"model\":\"m\",\"input\":[\"" PROSE "\",\"" PROSE "\"]}", CHAT_EMBEDDINGS);
        EXPECT(redact_is_cut(r));
        rules.scan_bytes_max = 2 * len;
        send_request("{\"model\":\"m\",\"input\":[\"" PROSE "\",\"" PROSE "\"]}", CHAT_EMBEDDINGS);
        EXPECT(!redact_is_cut(r));
    }
    rules.scan_bytes_max = strlen(PROSE);
    send_request(BODY(PROSE FOUND), CHAT_EMBEDDINGS);
    EXPECT(redact_is_cut(r));
    EXPECT_INT(0, known(PROSE FOUND));
    end();
}

/* A caller's placeholder is nothing that is found, but it is somebody's number each time. */
static void a_placeholder_in_a_text_counts_each_time(void)
{
    begin();
    for (int i = 0; i < 3; i++) {
        send_request("{\"model\":\"m\",\"input\":[\"" PROSE "[email]\",\"" FOUND "\"]}", CHAT_EMBEDDINGS);
        EXPECT_SLICE(SLICE("{\"model\":\"m\",\"input\":[\"" PROSE "[email]\",\"Write to [email_2] about it. \"]}"), buf_slice(&sent));
        EXPECT_INT(0, known(PROSE "[email]"));
    }
    end();
}

static void json_that_is_too_deep_is_said_each_time(void)
{
    struct buf text, body;
    begin();
    buf_init(&text);
    buf_append(&text, SLICE(PROSE));
    for (unsigned i = 0; i <= LIMIT_SIGHT_LEVELS; i++) { /* each level is JSON that holds the last one as a string */
        struct buf level;
        buf_init(&level);
        buf_append(&level, SLICE("[\""));
        sight_write(buf_slice(&text), 1, false, &level);
        buf_append(&level, SLICE("\"]"));
        buf_clear(&text);
        text = level;
    }
    buf_init(&body);
    buf_append(&body, SLICE("{\"model\":\"m\",\"input\":\""));
    sight_write(buf_slice(&text), 1, false, &body);
    buf_append(&body, SLICE("\"}"));
    buf_append_char(&body, '\0');
    for (int i = 0; i < 3; i++) {
        send_request(buf_ptr(&body), CHAT_EMBEDDINGS);
        EXPECT(redact_is_too_deep(r));
    }
    buf_clear(&text);
    buf_clear(&body);
    end();
}

int main(void)
{
    arena_init(&arena);
    buf_init(&sent);
    RUN(a_text_with_nothing_in_it_is_scanned_once);
    RUN(a_text_with_something_in_it_is_scanned_each_time);
    RUN(other_rules_know_nothing_of_it);
    RUN(only_texts_of_some_length_are_remembered);
    RUN(the_bound_stays_where_it_is);
    RUN(a_placeholder_in_a_text_counts_each_time);
    RUN(json_that_is_too_deep_is_said_each_time);
    buf_clear(&sent);
    return unit_close("quiet");
}
