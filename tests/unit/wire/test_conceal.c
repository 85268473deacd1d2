/* Secrets in what passes: found in every spelling and however it is cut, and nothing else is touched. */
#include "../unit.h"

#include "wire/conceal.h"

static const struct slice secrets[] = {
    {"sk-upstream-0123456789abcdef", 28}, {"Zm9v/YmFy+longer==", 18}, {"/begins/with", 12}, {"short", 5}, {"q\"uo\\\\te", 8}};
#define SECRETS (sizeof secrets / sizeof secrets[0])

static const struct {
    const char *text, *wanted;
} cases[] = {
    {"", ""},
    {"nothing to be seen", "nothing to be seen"},
    {"sk-upstream-0123456789abcdef", "[secret]"},
    {"Incorrect API key: sk-upstream-0123456789abcdef.", "Incorrect API key: [secret]."},
    {"sk-upstream-0123456789abcdefsk-upstream-0123456789abcdef", "[secret][secret]"},
    {"sk-sk-upstream-0123456789abcdef", "sk-[secret]"},
    {"sk-upstream-0123456789abcde", "sk-upstream-0123456789abcde"},
    {"a \"Zm9v/YmFy+longer==\" b", "a \"[secret]\" b"},
    {"a \"Zm9v\\/YmFy+longer==\" b", "a \"[secret]\" b"}, /* JSON's other way to write '/' */
    {"a Zm9v\\\\YmFy+longer== b", "a Zm9v\\\\YmFy+longer== b"},
    {"x/begins/with y\\/begins\\/with", "x[secret] y[secret]"}, /* with its escape: "\\[" is no JSON */
    {"\"Zm9v\\u002fYmFy\\u002Blonger\\u003d\\u003D\"", "\"[secret]\""},
    {"\\u005am9v/YmFy+longer==", "[secret]"},
    {"\\\\u005am9v\\\\u002fYmFy+longer==", "[secret]"}, /* JSON in JSON */
    {"{\\\"k\\\":\\\"Zm9v\\\\/YmFy+longer==\\\"}", "{\\\"k\\\":\\\"[secret]\\\"}"},
    {"k=Zm9v%2fYmFy%2Blonger%3D%3d&x=100%", "k=[secret]&x=100%"},
    {"%5am9v/YmFy+longer==", "[secret]"},
    {"Zm9v%2gYmFy+longer==", "Zm9v%2gYmFy+longer=="},
    {"Zm9v\\u012fYmFy+longer==", "Zm9v\\u012fYmFy+longer=="},
    {"q\\\"uo\\\\\\\\te\"", "[secret]\""}, /* its own marks, escaped */
    {"q\"uo\\\\te", "[secret]"},
    {"\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\", "\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\"},
    {"short is a word", "short is a word"},
};
#define CASES (sizeof cases / sizeof cases[0])

static void whole_texts(void)
{
    for (size_t i = 0; i < CASES; i++) {
        struct conceal c;
        struct slice text = slice_str(cases[i].text);
        conceal_init(&c, secrets, SECRETS);
        struct slice got = conceal_pass(&c, text, false);
        EXPECT_SLICE(slice_str(cases[i].wanted), got);
        bool is_changed = strcmp(cases[i].text, cases[i].wanted) != 0;
        EXPECT(is_changed || got.ptr == text.ptr); /* not copied */
        EXPECT_INT(is_changed, conceal_finds(secrets, SECRETS, text));
        EXPECT_INT(0, conceal_rest(&c).len);
        conceal_clear(&c);
    }
}

static void expect_in_pieces(size_t i, size_t size)
{
    struct conceal c;
    struct buf out;
    struct slice text = slice_str(cases[i].text);
    buf_init(&out);
    conceal_init(&c, secrets, SECRETS);
    for (size_t at = 0; at < text.len; at += size) {
        size_t left = text.len - at;
        buf_append(&out, conceal_pass(&c, slice_of(text.ptr + at, left < size ? left : size), true));
    }
    buf_append(&out, conceal_rest(&c));
    EXPECT_SLICE(slice_str(cases[i].wanted), buf_slice(&out));
    buf_clear(&out);
    conceal_clear(&c);
}

static void in_pieces_of_any_size(void)
{
    for (size_t i = 0; i < CASES; i++) {
        for (size_t size = 1; size < 60; size++)
            expect_in_pieces(i, size);
    }
}

/* Behind any number of other bytes, in both alphabets, and only when it is asked for. */
static void in_base64(void)
{
    static const char *const texts[] = {
        "c2stdXBzdHJlYW0tMDEyMzQ1Njc4OWFiY2RlZg==", "QmVhcmVyIHNrLXVwc3RyZWFtLTAxMjM0NTY3ODlhYmNkZWY=",
        "OnNrLXVwc3RyZWFtLTAxMjM0NTY3ODlhYmNkZWY=", "eHg6c2stdXBzdHJlYW0tMDEyMzQ1Njc4OWFiY2RlZg",
        "eHNrLXVwc3RyZWFtLTAxMjM0NTY3ODlhYmNkZWZ5", "fn9-f39-c2stdXBzdHJlYW0tMDEyMzQ1Njc4OWFiY2RlZg"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct conceal c;
        conceal_init(&c, secrets, SECRETS);
        EXPECT_SLICE(slice_str(texts[i]), conceal_pass(&c, slice_str(texts[i]), false));
        conceal_encoded(&c);
        struct slice got = conceal_pass(&c, slice_str(texts[i]), false);
        EXPECT(memmem(got.ptr, got.len, "[secret]", 8) != NULL);
        EXPECT(memmem(got.ptr, got.len, "c3RyZWFt", 8) == NULL && memmem(got.ptr, got.len, "MDEyMzQ1", 8) == NULL);
        EXPECT_INT(strlen(texts[i]) > got.len, true);
        conceal_clear(&c);
    }
}

static void little_is_held_back(void)
{
    struct conceal c;
    conceal_init(&c, secrets, SECRETS);
    EXPECT_SLICE(SLICE("so far "), conceal_pass(&c, SLICE("so far sk-upstream"), true));
    EXPECT_SLICE(SLICE("sk-upstream, and on"), conceal_pass(&c, SLICE(", and on"), true));
    EXPECT_SLICE(SLICE(""), conceal_pass(&c, SLICE("sk-up"), true));
    EXPECT_SLICE(SLICE("sk-up"), conceal_rest(&c));
    conceal_clear(&c);
}

/* The other secrets are looked for once in the whole, not once more behind each place: or this would take minutes. */
static void one_that_stands_often(void)
{
    enum { TIMES = 100000 };
    struct conceal c;
    struct buf text;
    buf_init(&text);
    for (int i = 0; i < TIMES; i++) {
        buf_append(&text, secrets[0]);
        buf_append(&text, SLICE(" and so on and so forth "));
    }
    conceal_init(&c, secrets, SECRETS);
    conceal_encoded(&c);
    struct slice got = conceal_pass(&c, buf_slice(&text), false);
    EXPECT_INT(TIMES * (strlen("[secret]") + strlen(" and so on and so forth ")), got.len);
    EXPECT(memmem(got.ptr, got.len, secrets[0].ptr, secrets[0].len) == NULL);
    conceal_clear(&c);
    buf_clear(&text);
}

static void without_secrets_everything_passes(void)
{
    struct conceal c;
    conceal_init(&c, NULL, 0);
    EXPECT_SLICE(SLICE("sk-upstream"), conceal_pass(&c, SLICE("sk-upstream"), true));
    EXPECT(!conceal_finds(NULL, 0, SLICE("x")));
    conceal_clear(&c);
}

int main(void)
{
    RUN(whole_texts);
    RUN(in_pieces_of_any_size);
    RUN(in_base64);
    RUN(little_is_held_back);
    RUN(one_that_stands_often);
    RUN(without_secrets_everything_passes);
    return unit_close("conceal");
}
